"""The finished weightings runs whose models can be forecast with, and whether they may be relied on."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models.fields.json import KT

from accounts.models import Workspace
from analyses.models import Run
from weightings.finished import find_finished, finished_runs
from weightings.forecasts.horizon import Horizon
from weightings.standing import doubts

MOST_OFFERED = 30
BY_NAME = ("organic", "controls", "events", "holidays")  # what a plan may say of beside spend
ANYWAY = "Or set “override” to yes to forecast with it all the same."


@dataclass(frozen=True)
class Model:
    """A finished run as forecasts know it, without its arrays."""

    run: Run

    @property
    def result(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] | None = self.run.result
        assert found is not None  # noqa: S101 - only finished runs are models
        return found

    @property
    def outcome(self) -> str:
        return str(self.result["outcome"]["name"])

    @property
    def granularity(self) -> str:
        return str(self.result["granularity"])

    @property
    def last_day(self) -> dt.date:
        """The last day of the data that it has learnt from."""
        return dt.date.fromisoformat(self.result["estimation"]["end"])

    @property
    def channels(self) -> Sequence[str]:
        """Those with spend, in the order of the panel."""
        return list(self.result["stored"]["panel"]["channels"])

    def names(self, kind: str) -> Sequence[str]:
        """Its organic media, controls, events or holidays."""
        return list(self.result["stored"]["panel"][kind])

    def horizon(self, periods: int) -> Horizon:
        """The periods that follow its data."""
        return Horizon.after(self.last_day, self.granularity, periods)

    @property
    def cannot(self) -> str:
        """Why it cannot be forecast with at all: a sentence, or "" where it can be."""
        if self.result["stored"]["posterior"] is None:
            return "LightweightMMM's models cannot be forecast with. Choose a run of another model."
        if "by_geo" in self.run.params:
            return "A model of geos side by side cannot be forecast with. Choose a run of all geos together."
        return ""

    @property
    def doubt(self) -> str:
        """Why nothing should be forecast with it: a sentence, or "" where it may be."""
        if not doubts(self.result):
            return ""
        if not self.result["diagnostics"]["converged"]:
            return (
                "This model has not converged: another fit would give another forecast. Ask for more draws, or for a "
                f"simpler model. {ANYWAY}"
            )
        return f"This model fails checks. See what to do under Model health of its run. {ANYWAY}"


@dataclass(frozen=True)
class OfferedRun:
    """A run to choose. `is_doubtful`: nothing should be forecast with it."""

    run: Run
    is_doubtful: bool


def find_model(workspace: Workspace, asked: object) -> Model | None:
    """Return the finished run with this id; None if the workspace has none."""
    run = find_finished(workspace, asked)
    return None if run is None else Model(run)


def usual_model(workspace: Workspace) -> Model | None:
    """Return the newest run that can be forecast with and may be relied on; None if there is none."""
    usable = next((offered for offered in offered_runs(workspace) if not offered.is_doubtful), None)
    return None if usable is None else find_model(workspace, usable.run.pk)


def offered_runs(workspace: Workspace) -> list[OfferedRun]:
    """Return the runs that can be forecast with, the newest first; their results are not loaded."""
    # As text: PostgreSQL's `json`, which results are kept as, is not compared.
    runs = finished_runs(workspace).filter(params__by_geo__isnull=True).select_related("workspace").defer("result")
    told = runs.annotate(
        converged=KT("result__diagnostics__converged"),
        verdict=KT("result__verdict"),
        kept=KT("result__stored__posterior__format"),
    ).filter(kept__isnull=False)
    return [OfferedRun(run, run.converged != "true" or run.verdict == "fail") for run in told[:MOST_OFFERED]]
