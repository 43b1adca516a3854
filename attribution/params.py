"""The parameters of an attribution analysis, as people ask for it and as it is kept."""

from collections.abc import Mapping
from typing import Any

from accounts.models import Workspace
from analyses import asking
from analyses.asking import LARGEST_SEED, Refused, active_goals, lead_goal, named_goal
from analyses.errors import InvalidParams
from analyses.segments import clean_segment
from attribution import channel_types
from attribution.catalogue import LAST_RESORT, UnknownModel, find
from attribution.custom import custom_models
from attribution.labels import DIMENSION_LABELS

KNOWN = (
    *("model", "goal", "metric", "window_days", "period", "start", "end", "dimension", "segment"),
    *("grouping", "view_through", "data", "confidence", "replicates", "seed"),
)
REVENUE, CONVERSIONS, LEADS = "revenue", "conversions", "leads"
JOURNEYS, PATHS = "journeys", "paths"
REPLICATES, FEWEST_REPLICATES, MOST_REPLICATES = 1000, 100, 10_000
MOST_MODELS = 12


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
    readers = (_models, _data, asking.period, _dimension, asking.grouping, *_INTERVALS)
    for read in (
        *readers,
        *((_metric_of_paths,) if of_paths else (_goal_and_metric, asking.window, asking.view_through)),
    ):
        try:
            cleaned |= read(workspace, given)
        except Refused as refusal:
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
        raise Refused("model", f"At most {MOST_MODELS} models stand side by side, not {len(models)}.")
    return {"model": models} | ({custom_models.PARAM: customs} if customs else {})


def _custom(workspace: Workspace, name: str, otherwise: str) -> dict[str, Any]:
    """Return what a run keeps of a custom model; an archived one only by its version, as earlier runs name it."""
    version = custom_models.find(workspace, name)
    if version is None:
        raise Refused("model", otherwise)
    if version.model.archived_at is not None and name != version.key:
        raise Refused("model", f"The custom model “{version.model.name}” is archived. Restore it to use it again.")
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
    return asking.choice(given, "data", (JOURNEYS, PATHS))


def _replicates(_workspace: Workspace, given: dict[str, Any]) -> dict[str, Any]:
    return {"replicates": asking.whole(given, "replicates", REPLICATES, FEWEST_REPLICATES, MOST_REPLICATES)}


def _seed(_workspace: Workspace, given: dict[str, Any]) -> dict[str, Any]:
    return {"seed": asking.whole(given, "seed", 0, 0, LARGEST_SEED)}


_INTERVALS = (asking.confidence, _replicates, _seed)


def _metric_of_paths(_workspace: Workspace, given: dict[str, Any]) -> dict[str, Any]:
    metric = str(given.get("metric", CONVERSIONS)).lower()
    if metric not in (REVENUE, CONVERSIONS):
        raise Refused("metric", f"The metric of aggregated paths is {REVENUE} or {CONVERSIONS}, not “{metric[:60]}”.")
    return {"metric": metric}


def _goal_and_metric(workspace: Workspace, given: dict[str, Any]) -> dict[str, Any]:
    """Resolve the two together, as a metric may be the name of a goal."""
    metric, asked = str(given.get("metric", REVENUE)), given.get("goal")
    if metric.lower() in (REVENUE, CONVERSIONS):
        return {**asking.goal(workspace, given), "metric": metric.lower()}
    goals = active_goals(workspace)
    counted = lead_goal(goals) if metric.lower() == LEADS else named_goal(goals, metric)
    if counted is None:
        measures = f"{REVENUE}, {CONVERSIONS}, {LEADS}"
        known = ", ".join(goal.name for goal in goals)
        raise Refused("metric", f"There is no metric “{metric}”. Use {measures}, or a goal: {known}.")
    if asked and named_goal(goals, str(asked)) != counted:
        raise Refused("goal", f"The metric “{metric}” counts the goal “{counted.name}”, not “{asked}”.")
    return {"goal": counted.name, "metric": CONVERSIONS}


def _dimension(_workspace: Workspace, given: dict[str, Any]) -> dict[str, Any]:
    asked = str(given.get("dimension", "channel")).lower()
    if asked not in DIMENSION_LABELS:
        raise Refused("dimension", f"The dimension is {' or '.join(DIMENSION_LABELS)}, not “{asked[:60]}”.")
    if asked != "channel" and _is_of_paths(given):
        raise Refused("dimension", "Aggregated paths are credited by channel alone: choose channel.")
    return {"dimension": asked}
