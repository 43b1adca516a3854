"""Which run speaks for the workspace's model where experiments are about."""

from accounts.models import Workspace
from analyses.models import Run
from weightings.finished import finished_runs

LOOKED_AT = 20  # finished runs, newest first


def newest_run(workspace: Workspace) -> Run | None:
    """The newest finished media mix run that has converged, of an outcome in money if there is one, as lifts are.

    Where none of the last ones has converged, the newest of them; None without any.
    """
    diagnosed = finished_runs(workspace).values_list(
        "pk", "result__diagnostics__converged", "result__outcome__is_money"
    )
    found = list(diagnosed[:LOOKED_AT])
    # `max` takes the first of equals, which is the newest.
    best = max(found, key=lambda run: (bool(run[1]), bool(run[1]) and bool(run[2])), default=None)
    return None if best is None else Run.objects.select_related("workspace", "job").get(pk=best[0])
