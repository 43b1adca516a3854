"""Which run speaks for the workspace's model where experiments are about, and of which channels."""

from accounts.models import Workspace
from analyses.models import Run
from marketing.channel_index import channel_index
from weightings.finished import finished_runs
from weightings.presentation.results import Result

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


class NamesNow:
    """What the channels of a run, its model's and its experiments', are called now: renames and merges are followed."""

    def __init__(self, result: Result) -> None:
        index = channel_index(workspace=result.run.workspace)
        parts = (result.channels, result.data.get("experiments", ()))
        names = {each["channel"] for part in parts for each in part}
        self._now = {name: found.name if (found := index.named(name)) else name for name in names}

    def is_of(self, channel: str, name: str) -> bool:
        """Whether what the run has by a name is of the channel that is called so now."""
        return self._now[name] == channel

    def are_several(self, channel: str) -> bool:
        """Whether the run has several channels that have been merged into this one since."""
        return list(self._now.values()).count(channel) > 1
