"""The parameters of an attribution analysis, as people ask for it and as it is kept."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils import timezone

from accounts.defaults import LONGEST_WINDOW_DAYS
from accounts.models import Workspace
from analyses.errors import InvalidParams
from analyses.segments import clean_segment
from attribution import channel_types
from attribution.catalogue import LAST_RESORT, UnknownModel, find
from attribution.custom import custom_models
from attribution.labels import DIMENSION_LABELS
from marketing.models import Conversion, Goal
from marketing.periods import Period, preset, preset_name, yesterday

KNOWN = (
    *("model", "goal", "metric", "window_days", "period", "start", "end", "dimension", "segment"),
    *("grouping", "view_through", "data", "confidence", "replicates", "seed"),
)
EARLIEST_YEAR, LATEST_YEAR = 2000, 2100  # imports take no rows from before
REVENUE, CONVERSIONS, LEADS = "revenue", "conversions", "leads"
JOURNEYS, PATHS = "journeys", "paths"
INCLUDE, EXCLUDE = "include", "exclude"
CONFIDENCE_LEVELS = (80, 90, 95, 99)
REPLICATES, FEWEST_REPLICATES, MOST_REPLICATES = 1000, 100, 10_000
LARGEST_SEED = 2**32 - 1
MOST_MODELS = 12


class _Refused(ValueError):
    """What is wrong with one parameter."""

    def __init__(self, name: str, sentence: str) -> None:
        super().__init__(sentence)
        self.name = name


def clean(workspace: Workspace, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return canonical params; what is not given takes the workspace's default.

    `model`: a name as `attribution.catalogue` has them, a custom model's, several joined by commas, or a list of them
    -> a list without repeats; with custom ones among them also `custom_models`, their definitions. `metric`: revenue,
    conversions, leads, or a goal's name -> `metric` revenue or conversions, and `goal`. `period`: last_30 ... or
    last_30_days ... (or `start` and `end`) -> `start` and `end`. `segment`: a saved one's name or id, or a definition
    -> its definition and name; left out for all customers. `grouping` and `view_through` are left out unless they
    differ from the workspace's grouping and from "include". `data`: "paths" for aggregated paths, which have neither
    goal, window nor segment; left out for journeys. `confidence` of the intervals in percent, `replicates` and `seed`
    of the bootstrap. Raises InvalidParams with a sentence for each field.
    """
    # Canonical ones come back: what they say of custom models and of types is looked up again.
    known = (*KNOWN, custom_models.PARAM, channel_types.PARAM)
    errors = {name: f"Unknown parameter. Known: {', '.join(KNOWN)}." for name in params if name not in known}
    given = {name: value for name, value in params.items() if value not in (None, "", [])}
    cleaned: dict[str, Any] = {}
    of_paths = _is_of_paths(given)
    readers = (_models, _data, _period, _dimension, _grouping, *_INTERVALS)
    for read in (*readers, *((_metric_of_paths,) if of_paths else (_goal_and_metric, _window, _view_through))):
        try:
            cleaned |= read(workspace, given)
        except _Refused as refusal:
            errors[refusal.name] = str(refusal)
    if of_paths:
        errors |= {
            name: f"Aggregated paths have no {word}: leave it out."
            for name, word in _NOT_OF_PATHS.items()
            if name in given
        }
        if custom_models.PARAM in cleaned:
            errors["model"] = "Custom models need customers' journeys: aggregated paths have no times and campaigns."
    else:
        cleaned |= _channel_types(workspace, cleaned)
        try:
            cleaned |= clean_segment(workspace, given.get("segment"))
        except InvalidParams as refused:
            errors |= {name: " ".join(sentences) for name, sentences in refused.errors.items()}
    if errors:
        raise InvalidParams(errors)
    return cleaned


def _is_of_paths(given: Mapping[str, Any]) -> bool:
    return str(given.get("data", JOURNEYS)).strip().lower() == PATHS


_NOT_OF_PATHS = {
    "goal": "goals",
    "window_days": "lookback window, as they have no times",
    "segment": "segments",
    "view_through": "kinds of interaction",
    "grouping": "sources to group",
}


def _models(workspace: Workspace, given: dict[str, Any]) -> dict[str, Any]:
    asked = given.get("model", _default_model(workspace))
    parts = asked if isinstance(asked, list) else [asked]
    customs: dict[str, Any] = {}
    models: list[str] = []
    for name in (name.strip() for part in parts for name in str(part).split(",")):
        try:
            models.append(find(name).name)
        except UnknownModel as error:
            custom = _custom(workspace, name, str(error))
            customs |= custom
            models += custom
    models = list(dict.fromkeys(models))
    if len(models) > MOST_MODELS:
        raise _Refused("model", f"At most {MOST_MODELS} models stand side by side, not {len(models)}.")
    return {"model": models} | ({custom_models.PARAM: customs} if customs else {})


def _custom(workspace: Workspace, name: str, otherwise: str) -> dict[str, Any]:
    """Return what a run keeps of a custom model; an archived one only by its version, as earlier runs name it."""
    version = custom_models.find(workspace, name)
    if version is None:
        raise _Refused("model", otherwise)
    if version.model.archived_at is not None and name != version.key:
        raise _Refused("model", f"The custom model “{version.model.name}” is archived. Restore it to use it again.")
    return custom_models.as_param(version)


def _default_model(workspace: Workspace) -> str:
    """Return the workspace's default model, or the last resort where it is none (any more)."""
    default = workspace.default_attribution_model
    try:
        return find(default).name
    except UnknownModel:
        version = custom_models.find(workspace, default)
        return default if version is not None and version.model.archived_at is None else LAST_RESORT


def _channel_types(workspace: Workspace, cleaned: Mapping[str, Any]) -> dict[str, Any]:
    """Return the types of channels that were decided, where the answer depends on them and there are any."""
    definitions = (custom["definition"] for custom in cleaned.get(custom_models.PARAM, {}).values())
    if cleaned.get("dimension") != "channel_type" and not any(map(channel_types.looks_at_types, definitions)):
        return {}
    decided = channel_types.decided_types([workspace.pk])
    return {channel_types.PARAM: decided[workspace.pk]} if decided else {}


def _data(_workspace: Workspace, given: dict[str, Any]) -> dict[str, Any]:
    return _choice(given, "data", (JOURNEYS, PATHS))


def _grouping(workspace: Workspace, given: dict[str, Any]) -> dict[str, Any]:
    return _choice(given, "grouping", Workspace.Grouping.values, default=workspace.channel_grouping)


def _view_through(_workspace: Workspace, given: dict[str, Any]) -> dict[str, Any]:
    return _choice(given, "view_through", (INCLUDE, EXCLUDE))


def _choice(given: dict[str, Any], name: str, choices: Sequence[str], default: str = "") -> dict[str, Any]:
    """Return one of the choices, or nothing for the default (the first choice unless another is named)."""
    default = default or choices[0]
    asked = str(given.get(name, default)).strip().lower()
    if asked not in choices:
        raise _Refused(name, f"“{name}” is {' or '.join(choices)}, not “{asked[:60]}”.")
    return {} if asked == default else {name: asked}


def _confidence(workspace: Workspace, given: dict[str, Any]) -> dict[str, Any]:
    asked = str(given.get("confidence", workspace.confidence)).strip().removesuffix("%")
    if asked not in map(str, CONFIDENCE_LEVELS):
        levels = ", ".join(map(str, CONFIDENCE_LEVELS))
        raise _Refused("confidence", f"The confidence level is one of {levels} percent, not “{asked[:60]}”.")
    return {"confidence": int(asked)}


def _replicates(_workspace: Workspace, given: dict[str, Any]) -> dict[str, Any]:
    return {"replicates": _whole(given, "replicates", REPLICATES, FEWEST_REPLICATES, MOST_REPLICATES)}


def _seed(_workspace: Workspace, given: dict[str, Any]) -> dict[str, Any]:
    return {"seed": _whole(given, "seed", 0, 0, LARGEST_SEED)}


_INTERVALS = (_confidence, _replicates, _seed)


def _whole(given: dict[str, Any], name: str, default: int, least: int, most: int) -> int:
    asked = given.get(name, default)
    text = str(asked).strip()
    # By length first: Python refuses to make a number of thousands of digits.
    if isinstance(asked, bool) or not (text.isascii() and text.isdigit()) or len(text) > 12:
        raise _Refused(name, f"“{name}” is a whole number, not “{text[:60]}”.")
    if not least <= int(text) <= most:
        raise _Refused(name, f"“{name}” lies between {least} and {most}.")
    return int(text)


def _metric_of_paths(_workspace: Workspace, given: dict[str, Any]) -> dict[str, Any]:
    metric = str(given.get("metric", CONVERSIONS)).lower()
    if metric not in (REVENUE, CONVERSIONS):
        raise _Refused("metric", f"The metric of aggregated paths is {REVENUE} or {CONVERSIONS}, not “{metric[:60]}”.")
    return {"metric": metric}


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
        measures = f"{REVENUE}, {CONVERSIONS}, {LEADS}"
        raise _Refused("metric", f"There is no metric “{metric}”. Use {measures}, or a goal: {known}.")
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
        raise _Refused("dimension", f"The dimension is {' or '.join(DIMENSION_LABELS)}, not “{asked[:60]}”.")
    if asked != "channel" and _is_of_paths(given):
        raise _Refused("dimension", "Aggregated paths are credited by channel alone: choose channel.")
    return {"dimension": asked}
