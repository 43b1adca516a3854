"""Asking a failed question again, for whom it was asked the first time."""

from django.db import transaction

from accounts.audit import record
from accounts.closing import require_open
from accounts.models import User, Workspace
from analyses.models import Run
from analyses.runs import request_run
from jobs.models import Job
from mmm_project.problems import Conflict

ENDED_WITHOUT_RESULT = (Job.Status.FAILED, Job.Status.CANCELLED)


@transaction.atomic
def requeue(*, run: Run, by: User, ring: bool = True) -> Run:
    """Ask a run's question again, of the newest data, in the name of who asked it; return the run that answers it.

    For site admins, when what made it fail is mended. Raises Conflict for a run that has not failed or whose workspace
    is being deleted, and as `request_run` does: PlanRequired, QuotaExceeded and InvalidParams.
    """
    require_open(Workspace.objects.select_for_update(no_key=True).get(pk=run.workspace_id))
    if run.job.status not in ENDED_WITHOUT_RESULT:
        raise Conflict("Only a run that has failed or was cancelled can be asked again.")
    again = request_run(
        workspace=run.workspace,
        kind=run.kind,
        params=run.params,
        by=run.requested_by,
        trigger=Run.Trigger(run.trigger),
        api_key=run.api_key,
        ring=ring,
    )
    record(
        workspace=run.workspace,
        action="run.requeued",
        target=f"{run.kind} {run.pk}",
        actor=by,
        run=str(run.pk),
        again=str(again.pk),
    )
    return again
