"""The bootstrap of rule models and of a Markov chain: time for 1,000 replications, and memory."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from attribution.methods.bootstrap import bootstrap
from attribution.methods.markov import MarkovModel
from attribution.methods.replicates import Model
from attribution.methods.rules import RULE_MODELS
from benchmarks.harness import ROWS, Database, Measurement, run_step, serve_step
from marketing.frames import Journeys, Touches

SEED = 20260503
JOURNEYS = ROWS // 10
CHANNELS, CAMPAIGNS = 20, 5_000
REPLICATES, REPLICATES_OF_CAMPAIGNS = 1_000, 200
JOURNEYS_PER_CUSTOMER = 1.3
TOUCHES_PER_JOURNEY = 3.2
CONVERTING = 0.2
DAY_US = 86_400_000_000

RULES: list[Model] = list(RULE_MODELS.values())
CHAIN: list[Model] = [MarkovModel("markov:1")]


def run(_database: Database) -> list[Measurement]:
    channels = run_step(__name__, "channels", os.environ)
    campaigns = run_step(__name__, "campaigns", os.environ)
    return [
        Measurement("journeys", JOURNEYS, ""),
        Measurement(
            f"{REPLICATES:,} replications, six rule models and Markov, two threads", channels["both_s"], "s", at_most=60
        ),
        Measurement("  one thread", channels["both_serial_s"], "s"),
        Measurement("  rule models only, one thread", channels["rules_s"], "s"),
        Measurement("  Markov only, one thread", channels["chain_s"], "s"),
        Measurement("  memory above the journeys", channels["added_mib"], "MiB"),
        Measurement(
            f"{REPLICATES_OF_CAMPAIGNS} replications of {CAMPAIGNS:,} campaigns, rule models", campaigns["rules_s"], "s"
        ),
        Measurement("  the replicates themselves", campaigns["replicates_mib"], "MiB"),
        Measurement("  memory above these and the journeys", campaigns["added_mib"], "MiB", at_most=400),
    ]


def channels() -> dict[str, float]:
    """Every way of asking, on the same journeys."""
    journeys = simulate(np.random.default_rng(SEED), JOURNEYS, CHANNELS)
    warm_up(journeys, CHANNELS)
    before = _reset_peak_mib()
    figures = {
        "rules_s": _seconds(journeys, CHANNELS, RULES, REPLICATES, 1),
        "chain_s": _seconds(journeys, CHANNELS, CHAIN, REPLICATES, 1),
        "both_serial_s": _seconds(journeys, CHANNELS, RULES + CHAIN, REPLICATES, 1),
        "both_s": _seconds(journeys, CHANNELS, RULES + CHAIN, REPLICATES, 2),
    }
    return figures | {"added_mib": _peak_mib() - before}


def campaigns() -> dict[str, float]:
    journeys = simulate(np.random.default_rng(SEED), JOURNEYS, CAMPAIGNS)
    warm_up(journeys, CAMPAIGNS)
    before = _reset_peak_mib()
    seconds = _seconds(journeys, CAMPAIGNS, RULES, REPLICATES_OF_CAMPAIGNS, 1)
    replicates_mib = 16 * (REPLICATES_OF_CAMPAIGNS + 128) * len(RULES) * (CAMPAIGNS + 1) / 2**20
    return {
        "rules_s": seconds,
        "replicates_mib": replicates_mib,
        "added_mib": _peak_mib() - before - replicates_mib,
    }


def simulate(rng: np.random.Generator, journeys: int, groups: int) -> Journeys:
    """Journeys of customers who come back now and then, through groups of which few have most touches."""
    customers = int(journeys / JOURNEYS_PER_CUSTOMER)
    customer = np.sort(np.concatenate([np.arange(customers), rng.integers(0, customers, journeys - customers)]))
    length = rng.geometric(1 / TOUCHES_PER_JOURNEY, journeys)
    stop = np.cumsum(length)
    touches = int(stop[-1])
    popularity = np.arange(1, groups + 1) ** -0.7
    touched_at = np.cumsum(rng.exponential(2 * DAY_US, touches).astype(np.int64))
    converted = rng.random(journeys) < CONVERTING
    ids = np.unique(rng.integers(0, 2**63 - 1, customers + 1_000))[:customers]
    frame = Touches(
        customer_ids=ids,
        offsets=np.concatenate([[0], np.cumsum(np.bincount(customer, length, customers))]).astype(np.int64),
        touched_at=touched_at,
        source=rng.choice(groups, touches, p=popularity / popularity.sum()).astype(np.uint32),
        interaction=np.zeros(touches, np.uint8),
    )
    return Journeys(
        touches=frame,
        start=stop - length,
        stop=stop,
        customer=customer,
        customers=customers,
        anchor_at=touched_at[stop - 1] + 1,
        converted=converted,
        value=np.where(converted, rng.lognormal(4.0, 1.0, journeys), 0.0),
    )


def warm_up(journeys: Journeys, groups: int) -> None:
    """Compile, or read from disk what was compiled before."""
    models = RULES + CHAIN if groups == CHANNELS else RULES
    _seconds(journeys.take(np.arange(min(1_000, len(journeys)))), groups, models, 2, 1)


def _seconds(journeys: Journeys, groups: int, models: Sequence[Model], replicates: int, threads: int) -> float:
    started = time.perf_counter()
    bootstrap(
        journeys=journeys,
        models=models,
        group_of_source=np.arange(groups),
        groups=groups,
        direct_source=np.arange(groups) == 0,
        replicates=replicates,
        seed=SEED,
        threads=threads,
    )
    return time.perf_counter() - started


def _reset_peak_mib() -> float:
    """Let the peak of memory begin anew at what is in use now, and return that."""
    Path("/proc/self/clear_refs").write_text("5")
    return _peak_mib()


def _peak_mib() -> float:
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 1024


if __name__ == "__main__":
    serve_step({"channels": channels, "campaigns": campaigns})
