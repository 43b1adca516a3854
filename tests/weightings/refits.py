"""A model and the one after it as stored runs: TV, Search and a blog, eight weeks apart, with nothing fitted."""

from dataclasses import replace
from functools import cache
from typing import Any

from accounts.models import Workspace
from analyses import registry, runs
from analyses.models import Run
from marketing.frames import MediaPanel
from tests.weightings.demo_panels import up_to
from tests.weightings.forecasts import market, some_draws
from tests.weightings.stored_runs import KNOTS, stored_run
from weightings.methods.posterior import Posterior

KNOWN, WEEKS = 60, 68
LATER = market(weeks=WEEKS, history=0)
EARLIER = up_to(LATER, KNOWN)


@cache
def draws_of(weeks: int) -> Posterior:
    return some_draws(up_to(LATER, weeks), 40, knots=KNOTS)


def earlier_run(workspace: Workspace, **how: Any) -> Run:
    """A run of the first sixty weeks, on other data than there are now. `how`: as `stored_run` has it."""
    return stored_run(workspace, EARLIER, draws_of(KNOWN), **{"knots": KNOTS} | how)


def later_run(workspace: Workspace, panel: MediaPanel = LATER, **how: Any) -> Run:
    """A run of all weeks, on the data that there are now: no model before itself."""
    run = stored_run(workspace, panel, _draws_for(panel), **{"knots": KNOTS} | how)
    present = runs.current_data_version(workspace=workspace, analysis=registry.get("weightings"))
    Run.objects.filter(pk=run.pk).update(data_version=present)
    run.data_version = present
    return run


def _draws_for(panel: MediaPanel) -> Posterior:
    drawn = draws_of(WEEKS)
    return replace(drawn, model=replace(drawn.model, media=(*panel.channels, *panel.organic)))
