"""The runs that count towards the plan's `runs_a_month`: those that somebody asked for in the workspace's month.

A question that an existing run answers asks for none, so it does not count; nor does what the product computes by
itself because of new data, or a run that failed: it brought no answer.
"""

from accounts import plans, usage
from accounts.models import Workspace
from analyses.models import Run
from jobs.models import Job


def runs_this_month(workspace: Workspace) -> int:
    """Return how many runs count so far."""
    since, _next = usage.month_of(workspace)
    asked = Run.objects.filter(workspace=workspace, created_at__gte=since).exclude(trigger=Run.Trigger.DATA)
    return asked.exclude(job__status=Job.Status.FAILED).count()


def require_one_more(workspace: Workspace) -> None:
    """Raise QuotaExceeded unless the plan includes another run this month.

    To be called in the transaction that adds it: nobody else asks for one of the workspace until that ends, so that two
    cannot take the last place.
    """
    if plans.plan_of(workspace).runs_a_month is None:
        return
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
    _since, again_on = usage.month_of(workspace)
    plans.require_run(workspace, asked=runs_this_month(workspace), again_on=again_on)
