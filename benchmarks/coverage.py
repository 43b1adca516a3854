"""How often intervals hold the truth: simulated customers who come back, thousands of data sets, every model.

The number of customers of a data set is a Poisson variable, as customers of a period come of their own accord: the
truth is what credit is on average over such data sets (for shares and removal effects, in the limit of many customers).
It is known from two thousand times as many customers as a data set has, so that its own error, a fiftieth of an
interval's standard error, moves no coverage.

`COVERAGE_REPLICATIONS` sets the number of data sets (2,000 by default). `python -m benchmarks.coverage table` prints
the kept figures as tables for the documentation.
"""

import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from attribution.methods.bootstrap import bootstrap
from attribution.methods.intervals import Interval, Sample, difference, interval
from attribution.methods.markov import MarkovModel
from attribution.methods.replicates import Model, Replicates
from attribution.methods.rules import RULE_MODELS
from attribution.methods.shapley import ShapleyModel
from benchmarks.harness import PEAK, Database, Measurement, run_step, serve_step
from marketing.frames import Journeys, Touches

Numbers: TypeAlias = npt.NDArray[np.float64]

SEED = 20260504
REPLICATIONS = int(os.environ.get("COVERAGE_REPLICATIONS", "2_000"))
REPLICATES = 1_000
EVERY_NTH_BY_JOURNEY = 4  # data sets whose journeys are also taken for independent: that result needs less precision
CUSTOMERS = 3_000  # of a data set, on average
CUSTOMERS_OF_TRUTH, PARTS_OF_TRUTH = 150_000, 40
LEVELS = (0.80, 0.90, 0.95, 0.99)
ONE_LEVEL = 0.95  # at which models are told apart
WITHIN_POINTS = {0.80: 2, 0.90: 2, 0.95: 2, 0.99: 1}

POPULARITY = np.array([0.26, 0.20, 0.16, 0.12, 0.10, 0.08, 0.05, 0.03])
PULL = np.array([0.5, 0.2, 0.9, -0.3, 0.0, 0.4, 0.7, -0.2])  # of a touch on the log odds of conversion
FAITHFUL = 0.5  # chance that a touch is by the customer's own favourite channel
LONGEST_PATH = 6
DIRECT_SALES = 0.01  # journeys that convert without any touch
DAY_US = 86_400_000_000

CHANNELS = len(POPULARITY)
MODELS: tuple[Model, ...] = (*RULE_MODELS.values(), MarkovModel("markov:1"), ShapleyModel("shapley"))
NAMES = [model.name for model in MODELS]
MEASURES = ("conversions", "value", "share of conversions", "share of value", "difference from last")


def run(_database: Database) -> list[Measurement]:
    figures = run_step(__name__, "study", os.environ)
    return [
        Measurement("data sets", figures["data sets"], ""),
        Measurement("  conversions in each, on average", figures["conversions"], ""),
        Measurement("  of each customer who converts, on average", figures["repeated"], ""),
        *(_measurement(name, covered) for name, covered in figures.items() if " | " in name),
        Measurement("the whole study, on one core", figures["seconds"], "s", at_most=900),
        Measurement("  peak memory", figures[PEAK], "MiB"),
    ]


def _measurement(name: str, covered: float) -> Measurement:
    """One coverage in percent: what is pooled over channels and models has to lie near its level."""
    what, by, percent = name.split(" | ")
    level = float(percent.rstrip("%")) / 100
    if by == "customers" and ", " not in what:
        low, high = 100 * level - WITHIN_POINTS[level], 100 * level + WITHIN_POINTS[level]
        return Measurement(name, covered, "%", at_least=low, at_most=high)
    return Measurement(name, covered, "%")


def study() -> dict[str, float]:
    """Coverage of every interval in `REPLICATIONS` data sets, in percent."""
    started = time.process_time()
    true = truth()
    held: dict[str, list[float]] = defaultdict(list)
    conversions, repeated = [], []
    for number in range(REPLICATIONS):
        rng = np.random.default_rng([SEED, number])
        journeys = simulate(rng, int(rng.poisson(CUSTOMERS)))
        drawn = replicates_of(journeys, seed=number)
        tally(held, "customers", true, drawn)
        conversions.append(float(drawn.total_conversions.estimate))
        repeated.append(conversions[-1] / drawn.converting_customers)
        if number % EVERY_NTH_BY_JOURNEY == 0:
            tally(held, "journeys", true, replicates_of(by_journey(journeys), seed=number))
    return {
        "data sets": float(REPLICATIONS),
        "conversions": float(np.mean(conversions)),
        "repeated": float(np.mean(repeated)),
        **{name: 100 * float(np.mean(shares)) for name, shares in held.items()},
        "seconds": time.process_time() - started,
    }


def tally(held: dict[str, list[float]], by: str, true: Mapping[str, Numbers], drawn: Replicates) -> None:
    """Add which share of the channels' intervals hold the truth: of each measure, together and by model."""
    for level in LEVELS:
        at = f" | {by} | {100 * level:.0f}%"
        for measure, found in intervals_of(drawn, level).items():
            holds = (found.low <= true[measure]) & (true[measure] <= found.high)
            held[f"{measure}{at}"].append(holds.mean())
            if measure not in ("removal effect", "difference from last"):
                held[f"all credit and shares{at}"].append(holds.mean())
                held[f"{measure}, smallest channel{at}"].append(holds[:, -1].mean())
            if level == ONE_LEVEL and by == "customers" and holds.ndim == 2:
                for model, of_model in zip(NAMES[-len(holds) :], holds, strict=True):
                    held[f"{measure}, {model}{at}"].append(of_model.mean())


def intervals_of(drawn: Replicates, level: float) -> dict[str, Interval]:
    """Of each measure, (models, channels): what is credited to "(none)" is the same under all models, and left out."""
    found = {
        "conversions": drawn.interval_of_conversions(level),
        "value": drawn.interval_of_value(level),
        "share of conversions": drawn.interval_of_share(level, by_value=False),
        "share of value": drawn.interval_of_share(level, by_value=True),
        "difference from last": interval(_from_last(drawn), level),
    }
    found = {measure: Interval(each.low[:, :CHANNELS], each.high[:, :CHANNELS]) for measure, each in found.items()}
    return found | {
        "removal effect": interval(drawn.explained["markov:1"]["removal_effect"], level, at_least=0.0, at_most=1.0)
    }


def _from_last(drawn: Replicates) -> Sample:
    credited = drawn.credited_conversions
    others, last = (Sample(lanes, credited.groups_left_out) for lanes in (credited.lanes[:, 1:], credited.lanes[:, :1]))
    return difference(others, last)


def truth() -> dict[str, Numbers]:
    """What each interval should hold, from many customers."""
    conversions, value = np.zeros((2, len(MODELS), CHANNELS + 1))
    total_conversions, total_value, effect = np.zeros(1), np.zeros(1), np.zeros(CHANNELS)
    for part in range(PARTS_OF_TRUTH):
        rng = np.random.default_rng([SEED + 1, part])
        drawn = replicates_of(simulate(rng, CUSTOMERS_OF_TRUTH), seed=0, replicates=2)
        conversions += drawn.credited_conversions.estimate
        value += drawn.credited_value.estimate
        total_conversions += drawn.total_conversions.estimate
        total_value += drawn.total_value.estimate
        effect += drawn.explained["markov:1"]["removal_effect"].estimate / PARTS_OF_TRUTH
    per_data_set = CUSTOMERS / (CUSTOMERS_OF_TRUTH * PARTS_OF_TRUTH)
    conversions, value = conversions[:, :CHANNELS], value[:, :CHANNELS]
    return {
        "conversions": conversions * per_data_set,
        "value": value * per_data_set,
        "share of conversions": conversions / total_conversions,
        "share of value": value / total_value,
        "difference from last": (conversions[1:] - conversions[:1]) * per_data_set,
        "removal effect": effect,
    }


def replicates_of(journeys: Journeys, *, seed: int, replicates: int = REPLICATES) -> Replicates:
    return bootstrap(
        journeys=journeys,
        models=MODELS,
        group_of_source=np.arange(CHANNELS),
        groups=CHANNELS,
        direct_source=np.arange(CHANNELS) == 0,
        replicates=replicates,
        seed=seed,
    )


def simulate(rng: np.random.Generator, customers: int) -> Journeys:
    """Customers with one to some fifteen journeys each, who differ in their favourite channel, in how readily they buy
    and in what they spend.
    """
    journeys_of_customer = 1 + rng.negative_binomial(0.7, 0.45, customers)
    customer = np.repeat(np.arange(customers), journeys_of_customer)
    favourite = rng.choice(CHANNELS, customers, p=POPULARITY)
    readiness, budget = rng.normal(-2.6, 1.0, customers), rng.normal(3.5, 0.5, customers)
    journeys = len(customer)
    direct_sale = rng.random(journeys) < DIRECT_SALES
    length = np.where(direct_sale, 0, np.minimum(rng.geometric(0.45, journeys), LONGEST_PATH))
    journey = np.repeat(np.arange(journeys), length)
    touches = len(journey)
    is_faithful = rng.random(touches) < FAITHFUL
    source = np.where(is_faithful, favourite[customer[journey]], rng.choice(CHANNELS, touches, p=POPULARITY))
    log_odds = readiness[customer] + np.bincount(journey, PULL[source], minlength=journeys) + 0.25 * length
    converted = direct_sale | (rng.random(journeys) < 1 / (1 + np.exp(-log_odds)))
    stop = np.cumsum(length)
    frame = Touches(
        customer_ids=np.arange(customers),
        offsets=np.concatenate([[0], np.cumsum(np.bincount(customer, length, customers))]).astype(np.int64),
        touched_at=np.cumsum(rng.exponential(3 * DAY_US, touches).astype(np.int64) + 1),
        source=source.astype(np.uint32),
        interaction=np.zeros(touches, np.uint8),
    )
    return Journeys(
        touches=frame,
        start=stop - length,
        stop=stop,
        customer=customer,
        customers=customers,
        anchor_at=np.arange(journeys),
        converted=converted,
        value=np.where(converted, np.exp(rng.normal(budget[customer], 0.8)), 0.0),
    )


def by_journey(journeys: Journeys) -> Journeys:
    """The same journeys, each as though of a customer of its own."""
    number, touches = len(journeys), journeys.touches
    frame = Touches(
        customer_ids=np.arange(number),
        offsets=np.append(journeys.start, len(touches.source)),
        touched_at=touches.touched_at,
        source=touches.source,
        interaction=touches.interaction,
    )
    return Journeys(
        touches=frame,
        start=journeys.start,
        stop=journeys.stop,
        customer=np.arange(number),
        customers=number,
        anchor_at=journeys.anchor_at,
        converted=journeys.converted,
        value=journeys.value,
    )


def tables(measurements: Sequence[Mapping[str, Any]]) -> str:
    """The kept coverages as Markdown: of measures by level and by who is drawn anew, then of models at one level."""
    held = {tuple(each["what"].split(" | ")): each["value"] for each in measurements if " | " in each["what"]}
    levels = [f"{100 * level:.0f}%" for level in LEVELS]
    lines = ["| Interval of | drawn anew | " + " | ".join(levels) + " |", "|---" * (2 + len(levels)) + "|"]
    for by, _, what in sorted({(by, what.startswith("all"), what) for what, by, _ in held}):
        if all((what, by, level) in held for level in levels):
            lines.append(f"| {what} | {by} | " + " | ".join(f"{held[what, by, level]:.1f}" for level in levels) + " |")
    percent = f"{100 * ONE_LEVEL:.0f}%"
    lines += ["", f"| {percent} interval of | " + " | ".join(MEASURES) + " |", "|---" * (1 + len(MEASURES)) + "|"]
    for model in NAMES:
        cells = [held.get((f"{measure}, {model}", "customers", percent)) for measure in MEASURES]
        lines.append(f"| {model} | " + " | ".join("" if cell is None else f"{cell:.1f}" for cell in cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    if sys.argv[1:] == ["table"]:
        kept = json.loads(Path(__file__).with_name("results").joinpath("coverage.json").read_text())
        print(tables(kept["sqlite"]["measurements"]))
    else:
        serve_step({"study": study})
