"""Which runs have converged, without reading all of what they have found."""

from django.db.models import QuerySet
from django.db.models.fields.json import KT

from analyses.models import Run
from jobs.models import Job

KIND = "weightings"


def finished_runs() -> QuerySet[Run]:
    """Return the weightings runs that have a result, of all workspaces, newest first."""
    return Run.objects.filter(kind=KIND, void=False, job__status=Job.Status.DONE).order_by("-created_at")


def only_converged(runs: QuerySet[Run]) -> QuerySet[Run]:
    """Return those of some finished runs whose models have converged."""
    # As text: PostgreSQL's `json`, which results are kept as, is not compared.
    return runs.annotate(converged=KT("result__diagnostics__converged")).filter(converged="true")
