"""Media mix runs for the pages that the browser visits: their results are written by hand, as a fit takes its time."""

from accounts.models import Workspace
from analyses.models import Run
from marketing.models import Dataset, Outcome, OutcomeValue
from tests.marketing.batches import add_import
from tests.weightings.results import a_check, finished


def keep_weightings(workspace: Workspace) -> tuple[Run, Run]:
    """Keep values of an outcome, a run that is good, and one of points that has not converged and fails checks."""
    is_sales = {"kind": Outcome.Kind.SALES, "is_money": True}
    outcome, _ = Outcome.objects.get_or_create(workspace=workspace, name="Sales", defaults=is_sales)
    if not OutcomeValue.objects.filter(outcome=outcome).exists():
        batch = add_import(workspace, Dataset.OUTCOMES)
        OutcomeValue.objects.create(batch=batch, outcome=outcome, date="2026-01-05", value=5)
    good = finished(workspace, checks=[a_check("VIF", 1.2, 5.0, "good", "TV")])
    checks = [a_check("VIF", 12.0, 5.0, "fail", "TV"), a_check("Variation", 0.1, 0.15, "review", "Search")]
    bad = finished(workspace, is_money=False, bounds=[0, 100_000], converged=False, checks=checks, seed=1)
    for run in (good, bad):
        run.job.save()
        run.job, run.fingerprint = run.job, run.pk.hex  # the job has its key only now
        run.save()
    return good, bad
