"""The parameters of a recommended budget, as people ask for it and as it is kept."""

import json
import math
from collections.abc import Mapping
from typing import Any

from accounts.models import Workspace
from analyses.artifacts import ArtifactMissing
from analyses.asking import Refused
from analyses.errors import InvalidParams
from analyses.models import Run
from weightings import standing
from weightings.finished import find_finished, finished_runs
from weightings.labels import GOALS, OBJECTIVES, TOTAL
from weightings.methods.planning.flighting import NOT_FLIGHTED
from weightings.methods.planning.plans import CannotBePlanned
from weightings.params import NO, YES
from weightings.planner.horizon import Horizon, offered_horizons
from weightings.planner.plan import LARGEST, Plan, recommended
from weightings.stored import StoredModel

KNOWN = (*("model_run", "horizon", "total", "objective", "goal", "target", "limits", "locks", "flighting", "override"),)
DERIVED = ("outcome", "start", "end")  # what follows from the run: canonical params keep it, nobody gives it
NONE_YET = "There is no finished media mix model in this workspace. Calculate weightings first."
NO_SUCH_RUN = "There is no such finished run of a media mix model in this workspace."


def clean(workspace: Workspace, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return canonical params; what is not given takes the usual.

    `model_run`: the id of a finished weightings run, the newest if absent. `horizon`: how many of its last periods are
    planned as they were, those that it reports if absent -> with their `start` and `end`. `total`: spend over all of
    it, the current one if absent. `objective`: mean, cvar or quantile. `goal`: total, return or marginal_return, the
    latter two with a `target`. `limits`: by channel [least, most]; `locks`: by channel the spend that it keeps; both
    also as text, “TV: 0 to 1000” and “TV: 1000; Search: 500”, or as text of JSON.
    `flighting`: yes to spread spend anew over the periods. `override`: yes to have a budget from a model that should
    not be acted on. Raises InvalidParams with a sentence for each field.
    """
    known = (*KNOWN, *DERIVED)
    errors = {name: f"Unknown parameter. Known: {', '.join(KNOWN)}." for name in params if name not in known}
    given = {name: value for name, value in params.items() if value is not None and value not in ("", {}, [])}
    try:
        if errors:
            raise InvalidParams(errors)
        model = _model(workspace, given)
        horizon = _horizon(model, given)
        plan, total = plan_of(horizon, given)
        override = _override(model, given)
        derived = _derived(horizon, given)
        flighting = _flighting(model, given)
        # Wishes that contradict each other are told of at once, not by a run that fails.
        recommended(horizon, plan, total=total)
    except Refused as refusal:
        raise InvalidParams({refusal.name: str(refusal)}) from None
    except (CannotBePlanned, ArtifactMissing) as problem:
        raise InvalidParams({"model_run" if isinstance(problem, ArtifactMissing) else "limits": str(problem)}) from None
    return {
        "model_run": str(model.run.pk),
        **derived,
        "total": total,
        "objective": plan.objective,
        "goal": plan.goal,
        **({} if horizon.periods is None else {"horizon": horizon.periods}),
        **({} if plan.target is None else {"target": plan.target}),
        **({"limits": {name: list(plan.limits[name]) for name in sorted(plan.limits)}} if plan.limits else {}),
        **({"locks": {name: plan.spend[name] for name in sorted(plan.locks)}} if plan.locks else {}),
        **flighting,
        **override,
    }


def plan_of(horizon: Horizon, given: Mapping[str, Any]) -> tuple[Plan, float]:
    """Return what is asked of a budget, as a plan, and the total. Raises Refused."""
    spend = dict(zip(horizon.channels, horizon.spend.tolist(), strict=True))
    locks, limits = _locks(horizon, given), _limits(horizon, given)
    objective = _one_of(given, "objective", OBJECTIVES, "mean")
    goal = _one_of(given, "goal", GOALS, TOTAL)
    target = None if goal == TOTAL else _number(given.get("target"), "target")
    total = float(horizon.spend.sum()) if "total" not in given else _number(given["total"], "total")
    plan = Plan(
        periods=horizon.periods,
        spend=spend | locks,
        locks=frozenset(locks),
        limits=limits,
        objective=objective,
        goal=goal,
        target=target,
    )
    return plan, total


def horizon_of(run: Run, params: Mapping[str, Any]) -> Horizon:
    """The horizon of canonical params."""
    return Horizon(StoredModel(run), params.get("horizon"))


def _model(workspace: Workspace, given: Mapping[str, Any]) -> StoredModel:
    if "model_run" not in given:
        run = finished_runs(workspace).select_related("workspace").first()
        if run is None:
            raise Refused("model_run", NONE_YET)
        return StoredModel(run)
    found = find_finished(workspace, given["model_run"])
    if found is None:
        raise Refused("model_run", NO_SUCH_RUN)
    return StoredModel(found)


def _horizon(model: StoredModel, given: Mapping[str, Any]) -> Horizon:
    if "horizon" not in given:
        return Horizon(model)
    offered = offered_horizons(model)
    if str(given["horizon"]) not in map(str, offered):
        known = ", ".join(map(str, offered)) or "none but the period that the run reports"
        raise Refused(
            "horizon", f"The horizon is a number of the model's last {model.result['granularity']}s: {known}."
        )
    return Horizon(model, int(given["horizon"]))


def _override(model: StoredModel, given: Mapping[str, Any]) -> dict[str, str]:
    """Whether a budget is wanted from a model that should not be acted on; of no consequence for others."""
    doubts, override = standing.doubts(model.result), _yes(given, "override")
    if doubts and not override:
        raise Refused("override", f"{doubts} To have one all the same, set “override” to yes.")
    return override if doubts else {}


def _derived(horizon: Horizon, given: Mapping[str, Any]) -> dict[str, str]:
    """What follows from the model and the horizon. Nobody has to say it, but whoever does must mean the same."""
    days, outcome = horizon.days, horizon.model.result["outcome"]["name"]
    found = dict(zip(DERIVED, (outcome, days.start.isoformat(), days.end.isoformat()), strict=True))
    for name, value in found.items():
        if given.get(name, value) != value:
            raise Refused(name, f"“{name}” follows from the model and the horizon: it is {value}.")
    return found


def _flighting(model: StoredModel, given: Mapping[str, Any]) -> dict[str, str]:
    flighting = _yes(given, "flighting")
    if flighting and not can_flight(model):
        raise Refused("flighting", NOT_FLIGHTED)
    return flighting


def can_flight(model: StoredModel) -> bool:
    """Whether spend can be spread anew by this model: one of ours, of one market."""
    stored = model.result["stored"]
    return stored["posterior"] is not None and "geos" not in stored["panel"]


def _locks(horizon: Horizon, given: Mapping[str, Any]) -> dict[str, float]:
    form = "by channel the spend that it keeps, as TV: 1000; Search: 500"
    return {name: _number(amount, "locks", low=0.0) for name, amount in _by_channel(horizon, given, "locks", form)}


def _limits(horizon: Horizon, given: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    found = {}
    for name, said in _by_channel(horizon, given, "limits", "by channel the least and the most, as TV: 0 to 1000"):
        ends = said.split(" to ") if isinstance(said, str) else said
        if not isinstance(ends, list | tuple) or len(ends) != 2:
            raise Refused("limits", f"The limits of “{name}” are two numbers, the least and the most.")
        low, high = (_number(end, "limits", low=0.0) for end in ends)
        if low > high:
            raise Refused("limits", f"The least for “{name}” must not be more than the most.")
        found[name] = (low, high)
    return found


def _by_channel(horizon: Horizon, given: Mapping[str, Any], key: str, form: str) -> list[tuple[str, Any]]:
    entries = _entries(given.get(key, {}))
    if entries is None:
        raise Refused(key, f"“{key}” says {form}.")
    names = [name for name, _said in entries]
    for name in names:
        if name not in horizon.channels:
            raise Refused(key, f"The model has no channel “{name}” with spend. It has {', '.join(horizon.channels)}.")
        if names.count(name) > 1:
            raise Refused(key, f"The channel “{name}” is there twice.")
    return entries


def _entries(asked: object) -> list[tuple[str, Any]] | None:
    """What a mapping, or text, says by channel; None where it is neither."""
    if isinstance(asked, str):
        text = asked
        try:
            asked = json.loads(text)
        except (ValueError, RecursionError):
            parts = [part.rpartition(":") for part in text.split(";") if part.strip()]
            return [(name.strip(), said.strip()) for name, _colon, said in parts] if all(map(all, parts)) else None
    return list(asked.items()) if isinstance(asked, Mapping) else None


def _one_of(given: Mapping[str, Any], name: str, known: Mapping[str, str], usual: str) -> str:
    asked = str(given.get(name, usual)).strip().lower()
    if asked not in known:
        raise Refused(name, f"“{name}” is one of {', '.join(known)}.")
    return asked


def _number(asked: object, name: str, *, low: float | None = None) -> float:
    try:
        number = float("nan") if isinstance(asked, bool) else float(str(asked))
    except ValueError:
        number = math.nan
    enough = number > 0 if low is None else number >= low
    if not (math.isfinite(number) and enough and number <= LARGEST):
        least = "above 0" if low is None else f"of {low:g} or more"
        raise Refused(name, f"“{name}” takes numbers {least}, up to {LARGEST:.0e}.")
    return number


def _yes(given: Mapping[str, Any], name: str) -> dict[str, str]:
    asked = str(given.get(name, "no")).strip().lower()
    if asked not in (*YES, *NO):
        raise Refused(name, f"“{name}” is yes or no.")
    return {name: "yes"} if asked in YES else {}
