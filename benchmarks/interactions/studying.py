"""The study itself, with two workers."""

import math
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np

from benchmarks.interactions import LESSER_WORLDS, LEVELS, PLANTED_WORLDS, WORLDS
from benchmarks.interactions.lesser_models import called_by
from benchmarks.interactions.worlds import CHANNELS, STEERED, USUAL, Confounding, World, world
from crosschannel.methods.cells import Cells, count_cells
from crosschannel.methods.interactions import interactions
from marketing.journey_paths import path_table

WORKERS = 2
PLANTED = 4
FIRST_PLANTED, FIRST_STEERED = 100_000, 200_000  # seeds
LESSER = {  # how each allows for length, and whether for strata
    "pairs and length": ("linear", False),
    "pairs and length in five buckets": ("five", False),
    "pairs and fine length": ("fine", False),
    "pairs, fine length, kind and month": ("fine", True),
}
Calls = Sequence[tuple[int, int, float]]


@dataclass(frozen=True)
class Outcome:
    """Of one world and level: the share of false calls, whether there is any, and the share of planted pairs found."""

    false_share: float
    any_false: bool
    found: float


def study() -> dict[str, float]:
    begun = time.monotonic()
    figures: dict[str, float] = {}
    with ProcessPoolExecutor(WORKERS, get_context("spawn")) as pool:
        outcomes = list(pool.map(_without, range(WORLDS), chunksize=10))
        for place, level in enumerate(LEVELS):
            any_false = [each[place].any_false for each in outcomes]
            _add(figures, f"no interaction | any call at q = {level:.2f}", any_false)
        for name, first, confounding in (("usual", FIRST_PLANTED, USUAL), ("steered", FIRST_STEERED, STEERED)):
            seeds = range(first, first + PLANTED_WORLDS)
            outcomes = list(pool.map(_planted, seeds, [confounding] * PLANTED_WORLDS, chunksize=10))
            for place, level in enumerate(LEVELS):
                of_level = [each[place] for each in outcomes]
                name_of = f"planted, {name} | {{}} at q = {level:.2f}"
                _add(figures, name_of.format("false discovery rate"), [each.false_share for each in of_level])
                _add(figures, name_of.format("power"), [each.found for each in of_level])
        seeds = range(FIRST_PLANTED, FIRST_PLANTED + LESSER_WORLDS)
        of_lesser = list(pool.map(_lesser, seeds, chunksize=5))
        for place, name in enumerate(LESSER):
            of_model = [each[place] for each in of_lesser]
            _add(figures, f"lesser, {name} | false discovery rate at q = 0.10", [each.false_share for each in of_model])
            _add(figures, f"lesser, {name} | power at q = 0.10", [each.found for each in of_model])
    return figures | {"seconds": time.monotonic() - begun}


def _add(figures: dict[str, float], name: str, shares: Sequence[float]) -> None:
    column = np.array(shares, np.float64)
    figures[name] = float(column.mean())
    figures[f"{name} | error"] = float(column.std(ddof=1) / math.sqrt(len(column)))


def _without(seed: int) -> list[Outcome]:
    return _outcomes(world(seed))


def _planted(seed: int, confounding: Confounding) -> list[Outcome]:
    return _outcomes(world(seed, planted=PLANTED, confounding=confounding))


def _outcomes(simulated: World) -> list[Outcome]:
    cells = cells_of(simulated)
    found = interactions(cells=cells, confidence=1 - LEVELS[0])
    pairs = [(cells.channels[a], cells.channels[b]) for a, b in found.pairs.tolist()]
    calls = list(zip(pairs, found.log_odds.tolist(), found.p_adjusted.tolist(), strict=True))
    return [
        _outcome([(*pair, effect) for pair, effect, p in calls if p <= level], simulated.planted) for level in LEVELS
    ]


def _lesser(seed: int) -> list[Outcome]:
    simulated = world(seed, planted=PLANTED)
    cells = cells_of(simulated)
    return [
        _outcome(called_by(cells, length=length, strata=strata, level=0.10), simulated.planted)
        for length, strata in LESSER.values()
    ]


def cells_of(simulated: World) -> Cells:
    """The cells of a world, as the product counts them."""
    paths = path_table(journeys=simulated.journeys, group_of_source=np.arange(CHANNELS), groups=CHANNELS)
    return count_cells(journeys=simulated.journeys, paths=paths, segment=simulated.kind, month=simulated.month)


def _outcome(calls: Calls, planted: dict[tuple[int, int], float]) -> Outcome:
    """A planted pair that is called with the wrong sign is a false call."""
    right = sum(planted.get((min(a, b), max(a, b)), 0.0) * effect > 0 for a, b, effect in calls)
    wrong = len(calls) - right
    return Outcome(wrong / max(len(calls), 1), wrong > 0, right / max(len(planted), 1))
