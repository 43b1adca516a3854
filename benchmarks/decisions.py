"""How good decisions are in worlds whose truth is known: the demo world, with 20 seeds, through the product itself.

Each world is imported into a workspace of its own, and *Calculate* is asked for as the page does it, with all that is
usual there: by week, the Hill model, both experiments, the budget within 30% of each channel's share of the same total.
Only confidence is 90% and no periods are held back, which changes neither posterior nor budget. Then the true world
says (`marketing/demo/responses.py`) what each channel's spend brought, what the recommended budget would have brought
in its place, and what the best one would have within the same bounds. The best is searched for in the true world, by
sequential quadratic programming from many budgets; the product's own search has no part in it.

Standard errors are clustered by world, as the channels of one share its noise.

`DECISIONS_WORLDS` sets how many worlds there are. `DECISIONS_RECORDS` names a file in which they are kept as they
come: an interrupted run goes on where it stopped.
"""

import datetime as dt
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from benchmarks.harness import Database, Measurement, run_step, scratch, serve_step
from benchmarks.records import Record, Records
from benchmarks.recovery import clustered

if TYPE_CHECKING:
    from accounts.models import Workspace
    from marketing.demo.responses import TrueResponse

FloatArray: TypeAlias = npt.NDArray[np.float64]
Revenue: TypeAlias = Callable[[FloatArray], float]

WORLDS = int(os.environ.get("DECISIONS_WORLDS", "20"))
RECORDS = "DECISIONS_RECORDS"
END, DAYS = dt.date(2026, 6, 30), 730
LEVEL = 90
STUDY = {"study": "decisions", "level": LEVEL, "end": END.isoformat(), "days": DAYS, "folds": 0}
NEEDED = ("spend", "outcomes", "controls", "experiments")  # of the demo's imports: the others are of journeys
WITHIN_ERRORS = 3  # standard errors, of the level
BETTER_SHARE, CAPTURED_SHARE = 0.9, 0.8  # of the worlds, and in the median
RANDOM_STARTS, START_SEED = 2, 1  # of the search for the truly best budget
STEP = 1e-4  # of multipliers, for its gradient
SCALE = 0.01  # of the revenue: about what a budget changes, as it changes multipliers by about 1


def run(database: Database) -> list[Measurement]:
    if database != "sqlite":
        return []  # no database has a part in this
    with scratch(database) as environment:
        records = os.environ.get(RECORDS, f"{environment['DATA_DIR']}/decisions.jsonl")
        run_step(__name__, "study", {"OPENBLAS_NUM_THREADS": "1"} | environment | {RECORDS: records})
        kept = Records(Path(records), STUDY)
        return measurements([kept[_key(seed)] for seed in range(1, WORLDS + 1)])


def measurements(worlds: Sequence[Record]) -> list[Measurement]:
    """Of all worlds together, and coverage of each channel."""
    return [
        Measurement("worlds", len(worlds), ""),
        Measurement("  not converged", sum(not world["converged"] for world in worlds), "", at_most=0),
        Measurement("  largest R-hat", max(world["max_rhat"] for world in worlds), ""),
        Measurement("  least ESS", min(world["min_ess"] for world in worlds), ""),
        *_returns(worlds),
        *_budgets(worlds),
    ]


def _returns(worlds: Sequence[Record]) -> Iterable[Measurement]:
    covered = [_covered(world["channels"]) for world in worlds]
    share, error = clustered(covered)
    reach = WITHIN_ERRORS * error
    low, high = LEVEL / 100 - reach, LEVEL / 100 + reach
    yield Measurement(f"true ROI within its {LEVEL}% interval, share", share, "", at_least=low, at_most=high)
    yield Measurement("  its standard error", error, "")
    for place, channel in enumerate(worlds[0]["channels"]):
        yield Measurement(f"  of {channel['channel']}", float(np.mean([world[place] for world in covered])), "")
    logs = [[np.log(channel["median"] / channel["true_roi"]) for channel in world["channels"]] for world in worlds]
    yield Measurement("  mean absolute error of log ROI", float(np.abs(logs).mean()), "")
    yield Measurement("  mean error of log ROI", float(np.mean(logs)), "")


def _budgets(worlds: Sequence[Record]) -> Iterable[Measurement]:
    advised = [world for world in worlds if world["gain"] is not None]
    yield Measurement("  no budget recommended", len(worlds) - len(advised), "", at_most=0)
    gain, best, media = (
        np.array([world[of] for world in advised], np.float64) for of in ("true_gain", "best_gain", "true_media")
    )
    captured = np.append(gain / best, np.zeros(len(worlds) - len(advised)))  # without advice, nothing is changed
    promised = [world["gain"] for world in advised]
    held = [said["low"] <= true <= said["high"] for said, true in zip(promised, gain, strict=True)]
    better, least = float(np.sum(gain > 0)), BETTER_SHARE * len(worlds)
    yield Measurement("recommended budget truly better than the current one, worlds", better, "", at_least=least)
    middle = float(np.median(captured))
    yield Measurement("  share of the best possible gain, median", middle, "", at_least=CAPTURED_SHARE)
    yield Measurement("    least", float(captured.min()), "")
    yield Measurement("  true gain, share of what paid media bring, median", float(np.median(gain / media)), "")
    yield Measurement("    the best possible", float(np.median(best / media)), "")
    yield Measurement("    as promised", float(np.median([said["median"] for said in promised] / media)), "")
    yield Measurement(f"  true gain within its {LEVEL}% interval, share", float(np.mean(held)), "")


def _covered(channels: Iterable[Mapping[str, Any]]) -> list[float]:
    return [float(channel["low"] <= channel["true_roi"] <= channel["high"]) for channel in channels]


def study() -> dict[str, float]:
    """Decide in every world that has not been decided in yet."""
    records = Records(Path(os.environ[RECORDS]), STUDY)
    for seed in range(1, WORLDS + 1):
        if _key(seed) not in records:
            records.add(_key(seed), decide(seed))
            print(f"{seed} of {WORLDS}: {json.dumps(records[_key(seed)])}", file=sys.stderr, flush=True)
    return {}


def _key(seed: int) -> str:
    return f"seed {seed}"


def decide(seed: int) -> dict[str, Any]:
    """What the product says of the world with this seed, and what is true of it."""
    from marketing.demo.responses import true_response

    result = calculate(_workspace(seed))
    period = {f"window_{name}": dt.date.fromisoformat(result["period"][name]) for name in ("start", "end")}
    true = true_response(end=END, seed=seed, days=DAYS, **period)
    return {
        **{name: result["diagnostics"][name] for name in ("converged", "max_rhat", "min_ess", "divergences")},
        "verdict": result["verdict"],
        "channels": returns(result, true),
        **outcome_of(result["budget"], true),
    }


def _workspace(seed: int) -> "Workspace":
    """A workspace with the world's spend, outcomes, controls and experiments, by the ordinary import."""
    from accounts.actions import create_workspace
    from accounts.models import User
    from marketing.importing.demo import request_demo
    from marketing.management.commands.import_data import carry_out

    owner, _is_new = User.objects.get_or_create(email="bench@example.com")
    workspace = create_workspace(name=f"World {seed}", slug=f"world-{seed}", owner=owner)
    for batch in request_demo(workspace=workspace, end=END, seed=seed, by=None, ring=False):
        if batch.dataset in NEEDED:
            carry_out(batch)
    return workspace


def calculate(workspace: "Workspace") -> dict[str, Any]:
    """The result of a run with the usual settings."""
    from analyses.models import Run
    from analyses.runs import request_run
    from jobs.foreground import see_through

    params = {"confidence": str(LEVEL), "folds": str(STUDY["folds"])}
    run = request_run(
        workspace=workspace, kind="weightings", params=params, by=None, trigger=Run.Trigger.CLI, ring=False
    )
    see_through(run.job, ours=True)
    run.refresh_from_db(fields=["result"])
    if not run.result:
        raise RuntimeError(f"{workspace}: {run.job.error}")
    result: dict[str, Any] = run.result
    return result


def returns(result: Mapping[str, Any], true: "TrueResponse") -> list[dict[str, Any]]:
    """Each channel's interval of ROI, and its true ROI. Raises ValueError unless it is of the same spend."""
    brought = dict(zip(true.channels, true.incremental() / true.spend, strict=True))
    spent = dict(zip(true.channels, true.spend, strict=True))
    for channel in result["channels"]:
        if not np.isclose(channel["spend"], spent[channel["channel"]]):
            raise ValueError(f"The model's spend on {channel['channel']} is not that of the true world.")
    return [
        {"channel": channel["channel"], "true_roi": brought[channel["channel"]]}
        | {end: channel["roi"][end] for end in ("low", "median", "high")}
        for channel in result["channels"]
    ]


def outcome_of(budget: Mapping[str, Any] | None, true: "TrueResponse") -> dict[str, Any]:
    """What a recommended budget gains in the true world, and what the best within its bounds would.

    Where there is none, which a model in doubt does not give, the current one stays.
    """
    if budget is None:
        return dict.fromkeys(("gain", "true_gain", "best_gain", "true_media", "recommended", "best"))
    planned = {channel["channel"]: channel for channel in budget["channels"]}
    current, recommended, low, high = (
        np.array([planned[name][of] for name in true.channels])
        for of in ("spend_current", "spend_recommended", "low", "high")
    )

    def revenue(spend: FloatArray) -> float:
        return true.revenue(spend / current)

    best = best_budget(revenue, low, high, [current, recommended])
    before = revenue(current)
    return {
        "gain": budget["gain"],
        "true_gain": revenue(recommended) - before,
        "best_gain": revenue(best) - before,
        "true_media": before - revenue(0.0 * current),
        "recommended": (recommended / current).tolist(),
        "best": (best / current).tolist(),
    }


def best_budget(revenue: Revenue, low: FloatArray, high: FloatArray, known: Sequence[FloatArray]) -> FloatArray:
    """The spend (C,) of the same total as the first of `known` that brings most, within bounds (C,).

    From each of `known` and from random budgets, by sequential quadratic programming (Kraft 1988). Not worse than the
    best of `known`.
    """
    from scipy.optimize import minimize

    rng = np.random.default_rng(START_SEED)
    total = float(known[0].sum())
    starts = [*known, *(spread(rng.uniform(low, high), low, high, total) for _ in range(RANDOM_STARTS))]
    unit = known[0]
    worth = SCALE * abs(revenue(unit))

    def loss(multipliers: FloatArray) -> float:
        return -revenue(multipliers * unit) / worth

    def slope(multipliers: FloatArray) -> FloatArray:
        at = loss(multipliers)
        steps = STEP * np.eye(len(unit))
        return np.array([(loss(multipliers + step) - at) / STEP for step in steps])

    found = list(known)
    for start in starts:
        ended = minimize(
            loss,
            start / unit,
            jac=slope,
            method="SLSQP",
            bounds=list(zip(low / unit, high / unit, strict=True)),
            constraints={
                "type": "eq",
                "fun": lambda m: (m @ unit - total) / total,
                "jac": lambda _m: unit / total,
            },
            options={"ftol": 1e-10},
        )
        found.append(spread(ended.x * unit, low, high, total))
    return max(found, key=revenue)


def spread(spend: FloatArray, low: FloatArray, high: FloatArray, total: float) -> FloatArray:
    """The spend (C,) with this total within bounds whose shares of the room between them are shifted alike."""
    from scipy.optimize import brentq

    room = high - low

    def shifted(by: float) -> FloatArray:
        return np.clip(spend + by * room, low, high)

    return shifted(brentq(lambda by: float(shifted(by).sum()) - total, -2.0, 2.0, xtol=1e-15))


if __name__ == "__main__":
    serve_step({"study": study})
