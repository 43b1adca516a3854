"""The parameters of an attribution analysis, as people ask for it and as it is kept."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils import timezone

from accounts.defaults import LONGEST_WINDOW_DAYS
from accounts.models import Workspace
from analyses.errors import InvalidParams
from analyses.segments import clean_segment
from attribution.labels import DIMENSION_LABELS, MODEL_LABELS
from marketing.models import Conversion, Goal
from marketing.periods import Period, preset, preset_name, yesterday

KNOWN = ("model", "goal", "metric", "window_days", "period", "start", "end", "dimension", "segment")
EARLIEST_YEAR, LATEST_YEAR = 2000, 2100  # imports take no rows from before
LAST_RESORT = "last_non_direct"  # where the workspace's default is no model (any more)
REVENUE, CONVERSIONS, LEADS = "revenue", "conversions", "leads"


class _Refused(ValueError):
    """What is wrong with one parameter."""

    def __init__(self, name: str, sentence: str) -> None:
        super().__init__(sentence)
        self.name = name


def clean(workspace: Workspace, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return canonical params; what is not given takes the workspace's default.

    `model`: a name, several joined by commas, or a list of them -> a list without repeats. `metric`: revenue,
    conversions, leads, or a goal's name -> `metric` revenue or conversions, and `goal`. `period`: last_30 ... or
    last_30_days ... (or `start` and `end`) -> `start` and `end`. `segment`: a saved one's name or id, or a definition
    -> its definition and name; left out for all customers. Raises InvalidParams with a sentence for each field.
    """
    errors = {name: f"Unknown parameter. Known: {', '.join(KNOWN)}." for name in params if name not in KNOWN}
    given = {name: value for name, value in params.items() if value not in (None, "", [])}
    cleaned: dict[str, Any] = {}
    for read in (_models, _goal_and_metric, _window, _period, _dimension):
        try:
            cleaned |= read(workspace, given)
        except _Refused as refusal:
            errors[refusal.name] = str(refusal)
    try:
        cleaned |= clean_segment(workspace, given.get("segment"))
    except InvalidParams as refused:
        errors |= {name: " ".join(sentences) for name, sentences in refused.errors.items()}
    if errors:
        raise InvalidParams(errors)
    return cleaned


def _models(workspace: Workspace, given: dict[str, Any]) -> dict[str, Any]:
    default = workspace.default_attribution_model
    asked = given.get("model", default if default in MODEL_LABELS else LAST_RESORT)
    parts = asked if isinstance(asked, list) else [asked]
    names = [name.strip() for part in parts for name in str(part).split(",")]
    if unknown := [name for name in names if name not in MODEL_LABELS]:
        raise _Refused("model", f"There is no model “{unknown[0]}”. Choose from {', '.join(MODEL_LABELS)}.")
    return {"model": list(dict.fromkeys(names))}


def _goal_and_metric(workspace: Workspace, given: dict[str, Any]) -> dict[str, Any]:
    """Resolve the two together, as a metric may be the name of a goal."""
    metric, asked = str(given.get("metric", REVENUE)), given.get("goal")
    goals = list(Goal.objects.filter(workspace=workspace, archived_at=None).order_by("pk"))
    known = ", ".join(goal.name for goal in goals)
    if metric.lower() in (REVENUE, CONVERSIONS):
        usual = next((goal for goal in goals if goal.is_default), next(iter(goals), None))
        goal = _named(goals, str(asked)) if asked else usual
        if goal is None:
            raise _Refused("goal", f"There is no goal “{asked or 'default'}”. Goals: {known}.")
        return {"goal": goal.name, "metric": metric.lower()}
    counted = lead_goal(goals) if metric.lower() == LEADS else _named(goals, metric)
    if counted is None:
        raise _Refused("metric", f"There is no metric “{metric}”. Use {REVENUE}, {CONVERSIONS}, or a goal: {known}.")
    if asked and _named(goals, str(asked)) != counted:
        raise _Refused("goal", f"The metric “{metric}” counts the goal “{counted.name}”, not “{asked}”.")
    return {"goal": counted.name, "metric": CONVERSIONS}


def lead_goal(goals: Iterable[Goal]) -> Goal | None:
    """Return the goal that the metric "leads" counts: of its kind, the first that the data know, else the first."""
    leads = [goal for goal in goals if goal.kind == Goal.Kind.LEAD]
    if len(leads) < 2:
        return next(iter(leads), None)
    return next((goal for goal in leads if Conversion.objects.filter(goal=goal).exists()), leads[0])


def _named(goals: Iterable[Goal], name: str) -> Goal | None:
    return next((goal for goal in goals if goal.name.casefold() == name.strip().casefold()), None)


def _window(workspace: Workspace, given: dict[str, Any]) -> dict[str, Any]:
    asked = given.get("window_days", workspace.window_days)
    text = str(asked).strip()
    if isinstance(asked, bool) or not (text.isascii() and text.isdigit()):
        raise _Refused("window_days", f"The lookback window is a whole number of days, not “{asked}”.")
    digits = text.lstrip("0") or "0"
    # By length first: Python refuses to make a number of thousands of digits.
    if len(digits) > len(str(LONGEST_WINDOW_DAYS)) or not 1 <= int(digits) <= LONGEST_WINDOW_DAYS:
        raise _Refused("window_days", f"The lookback window is 1 to {LONGEST_WINDOW_DAYS} days.")
    return {"window_days": int(digits)}


def _period(workspace: Workspace, given: dict[str, Any]) -> dict[str, Any]:
    if "start" in given or "end" in given:
        if "period" in given:
            raise _Refused("period", "Give a period by name, or a start and an end, not both.")
        return _custom_period(given)
    until = yesterday(now=timezone.now(), zone=workspace.zone)
    if "period" not in given:
        return _bounds(Period.last_days(workspace.period_days, until=until))
    try:
        return _bounds(preset(preset_name(str(given["period"])), until=until))
    except ValueError as error:
        raise _Refused("period", str(error)) from None


def _custom_period(given: dict[str, Any]) -> dict[str, Any]:
    for name in ("start", "end"):
        if name not in given:
            raise _Refused(name, "A custom period needs both a start and an end.")
    start, end = _day("start", given), _day("end", given)
    try:
        return _bounds(Period(start, end))
    except ValueError as error:
        raise _Refused("end", str(error)) from None


def _bounds(period: Period) -> dict[str, str]:
    return {"start": period.start.isoformat(), "end": period.end.isoformat()}


def _day(name: str, given: dict[str, Any]) -> dt.date:
    try:
        day = dt.date.fromisoformat(str(given[name]))
    except ValueError:
        raise _Refused(name, f"“{given[name]}” is not a day such as 2026-05-31.") from None
    if not EARLIEST_YEAR <= day.year <= LATEST_YEAR:
        raise _Refused(name, f"A period lies between {EARLIEST_YEAR} and {LATEST_YEAR}.")
    return day


def _dimension(_workspace: Workspace, given: dict[str, Any]) -> dict[str, Any]:
    asked = str(given.get("dimension", "channel")).lower()
    if asked not in DIMENSION_LABELS:
        raise _Refused("dimension", f"The dimension is {' or '.join(DIMENSION_LABELS)}, not “{asked}”.")
    return {"dimension": asked}
