"""The parameters that several kinds of questions take, cleaned alike: periods, goals, windows, grouping, confidence.

A reader takes the workspace and what was given, and returns its part of the canonical params or raises `Refused`.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils import timezone

from accounts.defaults import LONGEST_WINDOW_DAYS
from accounts.models import Workspace
from marketing.models import Conversion, Goal
from marketing.periods import Period, preset, preset_name, yesterday

EARLIEST_YEAR, LATEST_YEAR = 2000, 2100  # imports take no rows from before
INCLUDE, EXCLUDE = "include", "exclude"
CONFIDENCE_LEVELS = (80, 90, 95, 99)
LARGEST_SEED = 2**32 - 1


class Refused(ValueError):
    """What is wrong with one parameter."""

    def __init__(self, name: str, sentence: str) -> None:
        super().__init__(sentence)
        self.name = name


def grouping(workspace: Workspace, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return `grouping` where it is not that of the workspace."""
    return choice(given, "grouping", Workspace.Grouping.values, default=workspace.channel_grouping)


def view_through(_workspace: Workspace, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return `view_through` where impressions are not to count."""
    return choice(given, "view_through", (INCLUDE, EXCLUDE))


def choice(given: Mapping[str, Any], name: str, choices: Sequence[str], default: str = "") -> dict[str, Any]:
    """Return one of the choices, or nothing for the default (the first choice unless another is named)."""
    default = default or choices[0]
    asked = str(given.get(name, default)).strip().lower()
    if asked not in choices:
        raise Refused(name, f"“{name}” is {' or '.join(choices)}, not “{asked[:60]}”.")
    return {} if asked == default else {name: asked}


def confidence(workspace: Workspace, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the `confidence` level in percent."""
    asked = str(given.get("confidence", workspace.confidence)).strip().removesuffix("%")
    if asked not in map(str, CONFIDENCE_LEVELS):
        levels = ", ".join(map(str, CONFIDENCE_LEVELS))
        raise Refused("confidence", f"The confidence level is one of {levels} percent, not “{asked[:60]}”.")
    return {"confidence": int(asked)}


def whole(given: Mapping[str, Any], name: str, default: int, least: int, most: int) -> int:
    """Return a whole number from `least` to `most`."""
    asked = given.get(name, default)
    text = str(asked).strip()
    digits = text.removeprefix("-")
    if isinstance(asked, bool) or not (digits.isascii() and digits.isdigit()):
        raise Refused(name, f"“{name}” is a whole number, not “{text[:60]}”.")
    # By length first: Python refuses to make a number of thousands of digits.
    if len(text) > 12 or not least <= int(text) <= most:
        raise Refused(name, f"“{name}” lies between {least} and {most}.")
    return int(text)


def lead_goal(goals: Iterable[Goal]) -> Goal | None:
    """Return the goal that the metric "leads" counts: of its kind, the first that the data know, else the first."""
    leads = [goal for goal in goals if goal.kind == Goal.Kind.LEAD]
    if len(leads) < 2:
        return next(iter(leads), None)
    return next((goal for goal in leads if Conversion.objects.filter(goal=goal).exists()), leads[0])


def goal(workspace: Workspace, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the name of the `goal` that is asked for, else of the default one."""
    goals = active_goals(workspace)
    asked = given.get("goal")
    usual = next((goal for goal in goals if goal.is_default), next(iter(goals), None))
    found = named_goal(goals, str(asked)) if asked else usual
    if found is None:
        known = ", ".join(goal.name for goal in goals)
        raise Refused("goal", f"There is no goal “{asked or 'default'}”. Goals: {known}.")
    return {"goal": found.name}


def active_goals(workspace: Workspace) -> list[Goal]:
    """Return the goals that can be asked about, the oldest first."""
    return list(Goal.objects.filter(workspace=workspace, archived_at=None).order_by("pk"))


def named_goal(goals: Iterable[Goal], name: str) -> Goal | None:
    """Return the goal of this name, however it is written in capitals."""
    return next((goal for goal in goals if goal.name.casefold() == name.strip().casefold()), None)


def window(workspace: Workspace, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the lookback window, `window_days`."""
    asked = given.get("window_days", workspace.window_days)
    text = str(asked).strip()
    if isinstance(asked, bool) or not (text.isascii() and text.isdigit()):
        raise Refused("window_days", f"The lookback window is a whole number of days, not “{text[:60]}”.")
    digits = text.lstrip("0") or "0"
    # By length first: Python refuses to make a number of thousands of digits.
    if len(digits) > len(str(LONGEST_WINDOW_DAYS)) or not 1 <= int(digits) <= LONGEST_WINDOW_DAYS:
        raise Refused("window_days", f"The lookback window is 1 to {LONGEST_WINDOW_DAYS} days.")
    return {"window_days": int(digits)}


def period(workspace: Workspace, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return `start` and `end` of the period, given by its name or by its days."""
    if "start" in given or "end" in given:
        if "period" in given:
            raise Refused("period", "Give a period by name, or a start and an end, not both.")
        return custom_period(given)
    until = yesterday(now=timezone.now(), zone=workspace.zone)
    if "period" not in given:
        return ends(Period.last_days(workspace.period_days, until=until))
    try:
        return ends(preset(preset_name(str(given["period"])), until=until))
    except ValueError as error:
        raise Refused("period", str(error)) from None


def custom_period(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return `start` and `end` as they were given."""
    for name in ("start", "end"):
        if name not in given:
            raise Refused(name, "A custom period needs both a start and an end.")
    start, end = _day("start", given), _day("end", given)
    try:
        return ends(Period(start, end))
    except ValueError as error:
        raise Refused("end", str(error)) from None


def ends(period: Period) -> dict[str, str]:
    """Return a period as canonical params have it."""
    return {"start": period.start.isoformat(), "end": period.end.isoformat()}


def _day(name: str, given: Mapping[str, Any]) -> dt.date:
    try:
        day = dt.date.fromisoformat(str(given[name]))
    except ValueError:
        raise Refused(name, f"“{str(given[name])[:60]}” is not a day such as 2026-05-31.") from None
    if not EARLIEST_YEAR <= day.year <= LATEST_YEAR:
        raise Refused(name, f"A period lies between {EARLIEST_YEAR} and {LATEST_YEAR}.")
    return day


def period_of(params: Mapping[str, Any]) -> Period:
    """Return the period of canonical params."""
    return Period(dt.date.fromisoformat(params["start"]), dt.date.fromisoformat(params["end"]))
