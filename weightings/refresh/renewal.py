"""The same question up to the newest data."""

from collections.abc import Mapping
from typing import Any

from accounts.models import Workspace
from weightings.outcomes import days_of_data, outcomes_with_data
from weightings.params import period_of


def renewed(workspace: Workspace, params: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return canonical params with the period moved up to the outcome's newest day; None where none has come since.

    A period that began with the data still does, and reaches further; any other keeps its length.
    """
    outcome = next((each for each in outcomes_with_data(workspace) if each.name == params["outcome"]), None)
    data = days_of_data(outcome) if outcome else None
    period = period_of(params)
    if data is None or data.end <= period.end:
        return None
    start = period.start if period.start <= data.start else period.start + (data.end - period.end)
    return {**params, "start": start.isoformat(), "end": data.end.isoformat()}
