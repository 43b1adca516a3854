"""The parameters of an attribution analysis, as people ask for it and as it is kept."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from accounts.models import Workspace
from analyses.errors import InvalidParams
from attribution.labels import DIMENSION_LABELS, MODEL_LABELS
from marketing.models import Goal
from marketing.periods import PRESET_DAYS, Period, preset, yesterday

KNOWN = ("model", "goal", "metric", "window_days", "period", "start", "end", "dimension")
LONGEST_WINDOW_DAYS = 365
REVENUE, CONVERSIONS, LEADS = "revenue", "conversions", "leads"


def clean(workspace: Workspace, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return canonical params; what is not given takes the workspace's default.

    `model`: a name, several joined by commas, or a list -> a list without repeats. `metric`: revenue,
    conversions, leads, or a goal's name -> `metric` revenue or conversions, and `goal`. `period`: last_30 ... or
    last_30_days ... (or `start` and `end`) -> `start` and `end`. Raises InvalidParams with a sentence for each field.
    """
    errors = {name: f"Unknown parameter. Known: {', '.join(KNOWN)}." for name in params if name not in KNOWN}
    given = {name: value for name, value in params.items() if value not in (None, "", [])}
    cleaned: dict[str, Any] = {}
    for name, read in (
        ("model", _models),
        ("goal", _goal_and_metric),
        ("window_days", _window),
        ("period", _period),
        ("dimension", _dimension),
    ):
        try:
            cleaned |= read(workspace, given)
        except ValueError as error:
            errors.setdefault(name, str(error))
    if errors:
        raise InvalidParams(errors)
    return cleaned


def _models(workspace: Workspace, given: dict[str, Any]) -> dict[str, Any]:
    asked = given.get("model", workspace.default_attribution_model)
    names = asked if isinstance(asked, list) else str(asked).split(",")
    names = [str(name).strip() for name in names]
    if unknown := [name for name in names if name not in MODEL_LABELS]:
        raise ValueError(f"There is no model “{unknown[0]}”. Choose from {', '.join(MODEL_LABELS)}.")
    return {"model": list(dict.fromkeys(names))}


def _goal_and_metric(workspace: Workspace, given: dict[str, Any]) -> dict[str, Any]:
    metric = str(given.get("metric", REVENUE))
    goals = Goal.objects.filter(workspace=workspace)
    if metric.lower() in (REVENUE, CONVERSIONS):
        asked = given.get("goal")
        goal = goals.filter(name__iexact=str(asked)).first() if asked else goals.filter(is_default=True).first()
        metric = metric.lower()
    elif metric.lower() == LEADS:
        asked, metric = metric, CONVERSIONS
        goal = goals.filter(kind=Goal.Kind.LEAD).order_by("pk").first()
    else:
        asked, metric = metric, CONVERSIONS
        goal = goals.filter(name__iexact=asked).first()
    if goal is None:
        known = ", ".join(goals.values_list("name", flat=True))
        raise ValueError(f"There is no goal “{asked or 'default'}”. Goals: {known}.")
    return {"goal": goal.name, "metric": metric}


def _window(workspace: Workspace, given: dict[str, Any]) -> dict[str, Any]:
    asked = given.get("window_days", workspace.window_days)
    text = str(asked).strip()
    if isinstance(asked, bool) or not (text.isascii() and text.isdigit() and len(text) <= 3):
        raise ValueError(f"The lookback window is a whole number of days, not “{asked}”.")
    if not 1 <= int(text) <= LONGEST_WINDOW_DAYS:
        raise ValueError(f"The lookback window is 1 to {LONGEST_WINDOW_DAYS} days.")
    return {"window_days": int(text)}


def _period(workspace: Workspace, given: dict[str, Any]) -> dict[str, Any]:
    until = yesterday(now=timezone.now(), zone=workspace.zone)
    if "start" in given or "end" in given:
        if not {"start", "end"} <= given.keys():
            raise ValueError("A custom period needs both a start and an end.")
        period = Period(_day(given["start"]), _day(given["end"]))
    elif "period" in given:
        period = preset(_preset_name(str(given["period"])), until=until)
    else:
        period = Period.last_days(workspace.period_days, until=until)
    return {"start": period.start.isoformat(), "end": period.end.isoformat()}


def _preset_name(asked: str) -> str:
    name = asked.strip().lower().removesuffix("_days")
    return f"last_{name}" if f"last_{name}" in PRESET_DAYS else name


def _day(asked: Any) -> dt.date:
    try:
        return dt.date.fromisoformat(str(asked))
    except ValueError:
        raise ValueError(f"“{asked}” is not a day such as 2026-05-31.") from None


def _dimension(_workspace: Workspace, given: dict[str, Any]) -> dict[str, Any]:
    asked = str(given.get("dimension", "channel")).lower()
    if asked not in DIMENSION_LABELS:
        raise ValueError(f"The dimension is {' or '.join(DIMENSION_LABELS)}, not “{asked}”.")
    return {"dimension": asked}
