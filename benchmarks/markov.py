"""Exact Markov attribution: order 1 straight from journeys, higher orders and many channels from distinct paths."""

import os
import time
from collections.abc import Callable

import numpy as np

from attribution.methods.bayesian_markov import bayesian_markov
from attribution.methods.chain import chain_of
from attribution.methods.markov import MarkovCredit, MarkovModel, markov_credit, markov_credit_of_journeys
from benchmarks.harness import PEAK, ROWS, Database, Measurement, run_step, serve_step
from marketing.frames import BoolColumn, Int64Column, Journeys, PathTable, Touches
from marketing.journey_paths import merge_paths, path_table

SEED = 20260504
CHANNELS, MANY_CHANNELS = 20, 200
PATHS = ROWS // 10
REPLICATES, DRAWS = 1_000, 2_000
STAYS, LEAVES = 0.3, 0.22  # a touch of the same channel again, and no further touch: 4.5 touches a path
CONVERTING = 0.1


def run(_database: Database) -> list[Measurement]:
    few = run_step(__name__, "few_channels", os.environ)
    many = run_step(__name__, "many_channels", os.environ)
    return [
        Measurement("touchpoints", few["touches"], ""),
        Measurement(f"order 1 of {CHANNELS} channels, from journeys, one thread", few["serial_s"], "s"),
        Measurement("  two threads", few["threads_s"], "s", at_most=1),
        Measurement("distinct paths of these", few["paths_s"], "s"),
        Measurement("  order 2 from the paths, one thread", few["order_2_s"], "s"),
        Measurement("  order 3 from the paths, one thread", few["order_3_s"], "s"),
        Measurement(f"{REPLICATES:,} chains of order 1 solved", few["replicates_s"], "s"),
        Measurement(f"Bayesian Markov from the paths, {DRAWS:,} draws", few["bayesian_s"], "s"),
        Measurement("  peak memory, the journeys' own included", few[PEAK], "MiB"),
        Measurement(f"paths of {MANY_CHANNELS} channels", PATHS, ""),
        Measurement("  states of order 2", many["states"], ""),
        Measurement("  moves between them", many["moves"], ""),
        Measurement("  distinct paths and order 2, one thread", many["serial_s"], "s"),
        Measurement("  two threads", many["threads_s"], "s", at_most=10),
        Measurement("  peak memory", many[PEAK], "MiB"),
    ]


def few_channels() -> dict[str, float]:
    offsets, steps, converted = walk(np.random.default_rng(SEED), CHANNELS, int(ROWS * LEAVES))
    journeys = _journeys(offsets, steps, converted)
    groups = np.arange(CHANNELS)

    def credit(order: int, threads: int) -> MarkovCredit:
        return markov_credit_of_journeys(
            journeys=journeys,
            group_of_source=groups,
            groups=CHANNELS,
            model=MarkovModel("markov", order),
            threads=threads,
        )

    credit(1, 1)  # compiles
    figures = {
        "touches": len(steps),
        "serial_s": _seconds(lambda: credit(1, 1)),
        "threads_s": _seconds(lambda: credit(1, 2)),
    }
    _warm_up()
    figures["paths_s"] = _seconds(lambda: path_table(journeys=journeys, group_of_source=groups, groups=CHANNELS))
    paths = path_table(journeys=journeys, group_of_source=groups, groups=CHANNELS).table
    for order in (2, 3):
        model = MarkovModel("markov", order)
        figures[f"order_{order}_s"] = _seconds(lambda: markov_credit(paths=paths, model=model))  # noqa: B023 - called at once
    chain = chain_of(paths=paths, order=1)
    counts = chain.counts(paths.conversions, paths.nulls)
    replicates = np.stack([counts * (1 + replicate / REPLICATES) for replicate in range(REPLICATES)])
    figures["replicates_s"] = _seconds(lambda: chain.removal_effects(replicates))
    figures["bayesian_s"] = _seconds(lambda: bayesian_markov(paths=paths, draws=DRAWS, seed=SEED))
    return figures


def many_channels() -> dict[str, float]:
    offsets, steps, converted = walk(np.random.default_rng(SEED), MANY_CHANNELS, PATHS)
    _warm_up()

    def paths() -> PathTable:
        return _paths(MANY_CHANNELS, offsets, steps, converted)

    def credit(threads: int) -> MarkovCredit:
        return markov_credit(paths=paths(), model=MarkovModel("markov", 2), threads=threads)

    graph = chain_of(paths=paths(), order=2).graph
    return {
        "serial_s": _seconds(lambda: credit(1)),
        "threads_s": _seconds(lambda: credit(2)),
        "states": graph.states,
        "moves": graph.moves,
    }


def walk(rng: np.random.Generator, channels: int, paths: int) -> tuple[Int64Column, Int64Column, BoolColumn]:
    """Paths along a random chain in which some channels are common, and the same one often follows.

    Returns offsets, (P+1,), steps and which paths convert, (P,).
    """
    popular = rng.dirichlet(np.full(channels, 2.0))
    moves = (1 - STAYS) * rng.dirichlet(4.0 * channels * popular, channels) + STAYS * np.eye(channels)
    # One ascending column for all rows: row c's cumulative shares, plus c.
    cumulative = (np.cumsum(moves, axis=1).clip(max=1 - 1e-12) + np.arange(channels)[:, None]).ravel()
    lengths = rng.geometric(LEAVES, paths)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    steps = np.empty(offsets[-1], np.int64)
    walking, at = np.arange(paths), rng.choice(channels, paths, p=popular)
    for step in range(int(lengths.max())):
        steps[offsets[walking] + step] = at
        goes_on = lengths[walking] > step + 1
        walking, at = walking[goes_on], at[goes_on]
        found = np.searchsorted(cumulative, at + rng.random(len(at)), side="right")
        at = np.minimum(found - at * channels, channels - 1)
    converts = rng.uniform(0.0, 2 * CONVERTING, channels)
    return offsets, steps, rng.random(paths) < converts[steps[offsets[1:] - 1]]


def _paths(groups: int, offsets: Int64Column, steps: Int64Column, converted: BoolColumn) -> PathTable:
    won = converted.astype(np.float64)
    return merge_paths(
        offsets=offsets, steps=steps, groups=groups, conversions=won, value=50 * won, nulls=1 - won
    ).table


def _journeys(offsets: Int64Column, steps: Int64Column, converted: BoolColumn) -> Journeys:
    """One journey a customer."""
    customers, touches = len(converted), len(steps)
    return Journeys(
        touches=Touches(
            customer_ids=np.arange(customers),
            offsets=offsets,
            touched_at=np.arange(touches),
            source=steps.astype(np.uint32),
            interaction=np.zeros(touches, np.uint8),
        ),
        start=offsets[:-1],
        stop=offsets[1:],
        customer=np.arange(customers),
        customers=customers,
        anchor_at=np.arange(customers),
        converted=converted,
        value=np.where(converted, 50.0, 0.0),
    )


def _warm_up() -> None:
    """Compile what large chains need."""
    paths = _paths(50, *walk(np.random.default_rng(SEED), 50, 2_000))
    markov_credit(paths=paths, model=MarkovModel("markov", 2))


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    serve_step({"few_channels": few_channels, "many_channels": many_channels})
