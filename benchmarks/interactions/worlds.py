"""Simulated journeys whose interactions are known, and whose length, mix and customers confound them.

Customers differ in a readiness to buy that nobody sees. It brings more touches, more conversions and, for some
channels, other touches; kinds of customer, which the data know, and months prefer other channels and convert at other
rates; longer journeys convert more often, but less so with every touch; channels are met several times in a row.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from marketing.frames import BoolColumn, Int64Column, Journeys, Touches

CHANNELS = 10
CUSTOMERS = 12_000
KINDS = (0.6, 0.28, 0.12)  # of customers, with readiness and touches rising
MONTHS = 3
LONGEST = 25


@dataclass(frozen=True, slots=True)
class Confounding:
    """How strongly what is not an interaction looks like one.

    `readiness`: log odds of converting, per standard deviation of readiness. `touches`: log of expected touches, alike.
    `steering`: of the channels that readiness prefers, log odds of being the next touch. `season`: of months, alike.
    """

    readiness: float = 0.8
    touches: float = 0.35
    steering: float = 0.5
    season: float = 0.5


USUAL = Confounding()
STEERED = Confounding(readiness=1.2, touches=0.6, steering=1.2)


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """Journeys over CHANNELS sources, with their strata (J,), and the log odds of the planted pairs."""

    journeys: Journeys
    kind: Int64Column
    month: Int64Column
    planted: dict[tuple[int, int], float]


def world(seed: int, *, planted: int = 0, log_odds: float = 0.6, confounding: Confounding = USUAL) -> World:
    """Simulate about 18,000 journeys; `planted` pairs have `log_odds`, every other one with a minus."""
    rng = np.random.default_rng([20261127, seed])
    chosen = rng.permutation(list(combinations(range(CHANNELS), 2)))[:planted]
    pairs = {(int(a), int(b)): log_odds * (1 if n % 2 else -1) for n, (a, b) in enumerate(chosen)}
    kind_of = rng.choice(len(KINDS), CUSTOMERS, p=KINDS)
    readiness_of = rng.normal(0.0, 1.0, CUSTOMERS)
    popularity = rng.normal(0.0, 0.7, CHANNELS)
    by_kind = rng.normal(0.0, 0.8, (len(KINDS), CHANNELS))
    by_month = 0.6 * confounding.season * rng.normal(0.0, 1.0, (MONTHS, CHANNELS))
    steered = confounding.steering * rng.normal(0.0, 1.0, CHANNELS) * (rng.random(CHANNELS) < 0.4)
    own_effect = rng.normal(0.15, 0.35, CHANNELS)

    customer = np.repeat(np.arange(CUSTOMERS), 1 + rng.poisson(0.5 * np.exp(0.4 * readiness_of - 0.08)))
    count = len(customer)
    kind, readiness = kind_of[customer], readiness_of[customer]
    month = rng.integers(0, MONTHS, count)
    expected = 1.3 * np.exp(confounding.touches * readiness + 0.35 * kind) * rng.gamma(2.0, 0.5, count)
    length = np.minimum(1 + rng.poisson(expected), LONGEST)
    journey = np.repeat(np.arange(count), length)
    taste = popularity + by_kind[kind[journey]] + by_month[month[journey]] + steered * readiness[journey, None]
    channel = _repeated(rng, np.argmax(taste + rng.gumbel(size=taste.shape), axis=1), journey)

    met = np.zeros((count, CHANNELS), np.bool_)
    met[journey, channel] = True
    odds = -3.0 + np.array([0.0, 0.5, 0.9])[kind] + confounding.season * np.array([-0.4, 0.0, 0.6])[month]
    odds += confounding.readiness * readiness + met @ own_effect + 0.9 * np.log(length)
    odds += sum(effect * (met[:, a] & met[:, b]) for (a, b), effect in pairs.items())
    converted = rng.random(count) < 1 / (1 + np.exp(-odds))
    return World(_journeys(customer, length, channel, converted), kind, month, pairs)


def _repeated(rng: np.random.Generator, channel: Int64Column, journey: Int64Column) -> Int64Column:
    """A quarter of all touches but the first of a journey are by the channel of the touch before."""
    is_first = np.append(True, journey[1:] != journey[:-1])
    own = is_first | (rng.random(len(channel)) >= 0.25)
    return channel[np.maximum.accumulate(np.where(own, np.arange(len(channel)), 0))]


def _journeys(customer: Int64Column, length: Int64Column, channel: Int64Column, converted: BoolColumn) -> Journeys:
    """Journeys one after the other, sorted by customer; a touch each microsecond."""
    ends = np.cumsum(length)
    touches = Touches(
        customer_ids=np.arange(CUSTOMERS),
        offsets=np.append(0, np.cumsum(np.bincount(customer, length, CUSTOMERS).astype(np.int64))),
        touched_at=np.arange(len(channel)),
        source=channel.astype(np.uint32),
        interaction=np.zeros(len(channel), np.uint8),
    )
    return Journeys(
        touches=touches,
        start=ends - length,
        stop=ends,
        customer=customer,
        customers=CUSTOMERS,
        anchor_at=ends,
        converted=converted,
        value=converted.astype(np.float64),
    )
