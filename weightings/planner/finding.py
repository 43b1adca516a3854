"""The runs and scenarios that an address or a form names, of one workspace. Needs no numerical library."""

from collections.abc import Sequence

from accounts.models import Workspace
from analyses.models import Run
from mmm_project.problems import NotFound
from weightings.finished import find_finished
from weightings.models import Scenario

LONGEST_ID = 18  # digits


def get_run(workspace: Workspace, asked: object) -> Run:
    """Return a finished run of a media mix model of this workspace, with its result. Raises NotFound."""
    run = find_finished(workspace, asked)
    if run is None:
        raise NotFound("There is no such finished run of a media mix model in this workspace.")
    return run


def scenario_of(run: Run, asked: str) -> Scenario | None:
    """Return the scenario of this run that an address names; None if it names none."""
    numbers = ids([asked])
    return Scenario.objects.filter(workspace=run.workspace, run=run, pk__in=numbers).first() if numbers else None


def ids(asked: Sequence[str]) -> list[int]:
    """Return what can be ids of scenarios, each once."""
    return [int(one) for one in dict.fromkeys(asked) if one.isdecimal() and len(one) < LONGEST_ID]
