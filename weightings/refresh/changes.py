"""Two models of an outcome, the earlier one first: what changed in data, returns and recommendation, as JSON.

Each part that cannot be had leaves a sentence in its place, and never takes another part along.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import cached_property, partial
from typing import Any, Protocol, TypeAlias

from accounts.models import Workspace
from analyses.artifacts import Arrays, ArtifactMissing
from analyses.models import Run
from marketing.channel_index import channel_index
from marketing.frames import MediaPanel
from weightings.methods.forecasting.since import Since, since
from weightings.methods.planning.plans import CannotBePlanned
from weightings.methods.quantities import Quantities
from weightings.methods.revisions import revisions
from weightings.methods.stability import moved_share, returns_of, stability
from weightings.methods.storing import unpack_quantities
from weightings.methods.summaries import rounded, summary
from weightings.refresh.previous import previous_run
from weightings.stored import StoredModel

logger = logging.getLogger(__name__)

Part: TypeAlias = dict[str, Any]
PARTS = ("data", "stability", "budget")
PLANS = ("current", "recommended")
SCORES = (
    *("known", "inside", "wmape", "naive_wmape", "bias", "crps", "naive_crps", "skill"),
    *("total_observed", "as_far_off", "verdict"),
)
NEITHER_RETURNED = "The two models have no channel with spend in common, so there is no return to compare."
NO_BUDGET = "{which} recommends no budget, so there is none to compare. {why}"
NOT_KEPT = "It was computed by an earlier version."
OTHER_FORMAT = (
    "The run of {asked} keeps its model in a form that this version does not read. Run it again to compare it."
)
NOT_CONTINUED = (
    "The previous model was made by another version, which this one cannot continue to see how it predicted."
)
UNEXPECTED = "This could not be compared. The error has been logged; the result itself is not touched by it."


class Model(Protocol):
    """What is compared of a model: `result` as a run keeps it, the data, and what is reported, per draw."""

    @property
    def result(self) -> Mapping[str, Any]: ...
    @property
    def panel(self) -> MediaPanel: ...
    @property
    def quantities(self) -> Quantities: ...


class ComputedModel:
    """A model that has just been fitted, and that no run keeps yet. `arrays`: as the run will keep them."""

    def __init__(self, result: Mapping[str, Any], panel: MediaPanel, arrays: Arrays) -> None:
        self.result, self.panel, self._arrays = result, panel, arrays

    @cached_property
    def quantities(self) -> Quantities:
        return unpack_quantities(self.result["stored"]["quantities"], self._arrays)


def since_previous(workspace: Workspace, params: Mapping[str, Any], model: Model) -> Part | None:
    """Return how a model that has just been fitted differs from the one before it, and how that one has predicted.

    None where there is none. Nothing that is wrong with the earlier run is raised: it is said in what is returned.
    """
    try:
        run = previous_run(workspace, params)
        if run is None:
            return None
        earlier = _stored(run)
        names = _names(workspace, earlier, model)
        found = {**_about(earlier), **_changes(earlier, model, names)}
        return found | _part("backtest", lambda: _backtest(earlier, model, names))
    except CannotBePlanned as problem:
        return {"problem": str(problem)}
    except Exception:
        logger.exception("The model of %s could not be compared with the one before it", workspace.slug)
        return {"problem": UNEXPECTED}


def changes(earlier: Run, later: Run) -> Part:
    """Return how the models of two finished runs about one outcome differ: `data`, `stability`, `budget`, or why not.

    `names`: what the later one calls media of the earlier one, if that can be read. Runs, the earlier one first, need
    `workspace` with them.
    """
    try:
        models = _stored(earlier), _stored(later)
        names = _names(later.workspace, *models)
    except CannotBePlanned as problem:
        nothing = {key: value for part in PARTS for key, value in ((part, None), (f"{part}_problem", str(problem)))}
        return {"names": {}, **nothing}
    return {"names": names, **_changes(*models, names)}


def _stored(run: Run) -> StoredModel:
    """The model of a finished run. Raises CannotBePlanned for one that describes it in a way nobody reads any more."""
    try:
        model = StoredModel(run)
        _media(model)
    except (KeyError, TypeError) as error:
        asked = f"{run.created_at.astimezone(run.workspace.zone):%-d %b %Y}"
        raise CannotBePlanned(OTHER_FORMAT.format(asked=asked)) from error
    return model


def _media(model: Model) -> list[str]:
    described = model.result["stored"]["panel"]
    return [*described["channels"], *described["organic"]]


def _names(workspace: Workspace, earlier: Model, later: Model) -> dict[str, str]:
    """What the later model calls each medium of the earlier one: it may have been renamed, or merged into another."""
    index = channel_index(workspace=workspace)

    def now(name: str) -> str:
        return found.name if (found := index.named(name)) else name

    before, after = _media(earlier), _media(later)
    called = {now(name): name for name in after}
    return {name: name if name in after else called.get(now(name), now(name)) for name in before}


def _about(model: StoredModel) -> Part:
    run, result = model.run, model.result
    return {
        "run": str(run.pk),
        "asked_at": run.created_at.isoformat(),
        "period": result["period"],
        "estimation": result["estimation"],
        "verdict": result["verdict"],
        "problem": "",
    }


def _changes(earlier: Model, later: Model, names: Mapping[str, str]) -> Part:
    find = {"data": _data, "stability": _stability, "budget": _budget}
    return {
        key: value for part in PARTS for key, value in _part(part, partial(find[part], earlier, later, names)).items()
    }


def _part(name: str, find: Callable[[], Part]) -> Part:
    """The part under its name, and, where there is none, the reason under `<name>_problem`."""
    try:
        return {name: find(), f"{name}_problem": ""}
    except (ArtifactMissing, CannotBePlanned) as problem:
        return {name: None, f"{name}_problem": str(problem)}
    except Exception:
        logger.exception("The part “%s” of two models could not be compared", name)
        return {name: None, f"{name}_problem": UNEXPECTED}


def _data(earlier: Model, later: Model, names: Mapping[str, str]) -> Part:
    units = [model.result["outcome"]["unit"] for model in (earlier, later)]
    if units[0] != units[1]:
        raise CannotBePlanned("The two models are in different units, so their data cannot be compared.")
    try:
        return asdict(revisions(earlier.panel, later.panel, names))
    except ValueError as problem:
        raise CannotBePlanned(str(problem)) from problem


def _stability(earlier: Model, later: Model, names: Mapping[str, str]) -> Part:
    """Returns of both, the furthest moved first; each summarised at its own run's level."""
    levels = [model.result["confidence"] / 100 for model in (earlier, later)]
    present = {name: name for name in later.quantities.media}
    returned = returns_of(earlier.quantities, names), returns_of(later.quantities, present)
    found = stability(*returned)
    if found is None:
        raise CannotBePlanned(NEITHER_RETURNED)
    return {
        "score": found.score,
        "standing": found.standing,
        "same_period": _days(earlier) == _days(later),
        "channels": [
            {
                "channel": name,
                "distance": moved.distance,
                "weight": moved.weight,
                "before": summary(returned[0][name].draws, levels[0]),
                "after": summary(returned[1][name].draws, levels[1]),
            }
            for name, moved in found.channels.items()
        ],
    }


def _days(model: Model) -> tuple[str, str]:
    return model.result["period"]["start"], model.result["period"]["end"]


def _budget(earlier: Model, later: Model, names: Mapping[str, str]) -> Part:
    """Current and recommended budgets of both as shares, those of the later model's order first."""
    plans: list[dict[str, dict[str, float]]] = []
    for which, model, called in (("The earlier model", earlier, names), ("The later model", later, {})):
        budget = model.result.get("budget")
        if budget is None:
            raise CannotBePlanned(NO_BUDGET.format(which=which, why=model.result.get("budget_problem") or NOT_KEPT))
        plans.append({plan: _by_name(budget["channels"], f"spend_{plan}", called) for plan in PLANS})
    before, after = plans
    return {
        "moved": moved_share(before["recommended"], after["recommended"]),
        "moved_current": moved_share(before["current"], after["current"]),
        "channels": [
            {
                "channel": name,
                **{
                    f"{plan}_{side}": _share(spend[plan], name)
                    for side, spend in (("before", before), ("after", after))
                    for plan in PLANS
                },
            }
            for name in {**after["recommended"], **before["recommended"]}
        ],
    }


def _by_name(channels: Sequence[Mapping[str, Any]], key: str, names: Mapping[str, str]) -> dict[str, float]:
    """Spend by what channels are called now; of those that are one now, together."""
    spend: dict[str, float] = {}
    for channel in channels:
        name = names.get(channel["channel"], channel["channel"])
        spend[name] = spend.get(name, 0.0) + channel[key]
    return spend


def _share(spend: Mapping[str, float], name: str) -> float | None:
    """Of a budget; None for a channel that it does not know."""
    total = sum(spend.values())
    return spend[name] / total if name in spend and total > 0 else None


def _backtest(earlier: StoredModel, later: Model, names: Mapping[str, str]) -> Part:
    panel, knots = earlier.panel, earlier.run.params.get("knots")
    try:
        return _since_json(since(panel, earlier.posterior, later.panel, names=names, knots=knots))
    except CannotBePlanned:
        raise
    except ValueError as error:  # what is stored does not fit what this version makes of the data
        raise CannotBePlanned(NOT_CONTINUED) from error


def _since_json(found: Since) -> Part:
    columns = {name: rounded(getattr(found, name)) for name in ("observed", "low", "mean", "high")}
    return {
        "level": 100 * found.level,
        "period_start": found.period_start.tolist(),
        **columns,
        **{name: getattr(found, name) for name in SCORES},
        "total": dict(zip(("low", "mean", "high"), found.total, strict=True)),
        "new": list(found.new),
    }
