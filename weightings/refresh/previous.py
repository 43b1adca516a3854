"""The model before: the newest earlier answer to the same question."""

from collections.abc import Mapping
from typing import Any

from accounts.models import Workspace
from analyses import registry, runs, similar
from analyses.models import Run
from weightings.finished import KIND, finished_runs, only_converged


def previous_run(workspace: Workspace, params: Mapping[str, Any]) -> Run | None:
    """Return the newest converged run that asked the same of a period that ends earlier, or of other data; or None.

    `params`: canonical ones of the run that is being computed, on the workspace's present data.
    """
    asked = similar.asking_the_same(workspace=workspace, kind=KIND, params=params)
    present = runs.current_data_version(workspace=workspace, analysis=registry.get(KIND))
    earlier = asked.filter(params__end__lte=params["end"]).exclude(params__end=params["end"], data_version=present)
    finished = earlier.filter(pk__in=finished_runs(workspace).order_by().values("pk"))
    return only_converged(finished).select_related("workspace", "job").first()
