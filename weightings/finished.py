"""Finished runs of media mix models: those of a workspace, the one that is named, the newer one of a question."""

import uuid

from django.db.models import QuerySet
from django.db.models.fields.json import KT

from accounts.models import Workspace
from analyses.models import Run
from analyses.similar import asking_the_same
from jobs.models import Job

KIND = "weightings"


def finished_runs(workspace: Workspace | None = None) -> QuerySet[Run]:
    """Return the weightings runs that have a result, newest first; of all workspaces unless one is given."""
    finished = Run.objects.filter(kind=KIND, void=False, job__status=Job.Status.DONE).order_by("-created_at")
    return finished if workspace is None else finished.filter(workspace=workspace)


def find_finished(workspace: Workspace, asked: object) -> Run | None:
    """Return the finished run of the workspace with this id, with its result; None if there is none."""
    try:
        pk = uuid.UUID(str(asked))
    except ValueError:
        return None
    return finished_runs(workspace).select_related("workspace", "job").filter(pk=pk).first()


def only_converged(runs: QuerySet[Run]) -> QuerySet[Run]:
    """Return those of some finished runs whose models have converged, without reading all of what they have found."""
    # As text: PostgreSQL's `json`, which results are kept as, is not compared.
    return runs.annotate(converged=KT("result__diagnostics__converged")).filter(converged="true")


def newer_run(run: Run) -> Run | None:
    """Return the newest finished run that asks the same of newer data or another period; None if this is it."""
    same = asking_the_same(workspace=run.workspace, kind=run.kind, params=run.params)
    later = same.filter(created_at__gt=run.created_at, pk__in=finished_runs(run.workspace).order_by().values("pk"))
    return later.select_related("workspace", "job").defer("result").first()
