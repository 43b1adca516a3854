"""Customers with journeys in plain terms, for tests of what is drawn anew customer by customer."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from attribution.methods.replicates import LANES
from marketing.frames import Float64Column, Journeys, Touches
from tests.marketing.rows import DAY_US


class Path(NamedTuple):
    """A journey: the sources it touches, a day apart, and what came of it."""

    sources: tuple[int, ...]
    converted: bool = True
    value: float = 1.0


Customers = Mapping[int, Sequence[Path]]  # by database id


def journeys_of(customers: Customers) -> Journeys:
    """The journeys of these customers, those without a single touch after the others, as `build_journeys` has them."""
    touched = sorted(key for key, paths in customers.items() if any(path.sources for path in paths))
    untouched = sorted(set(customers) - set(touched))
    start, stop, customer, anchor_at, converted, value = [], [], [], [], [], []
    source: list[int] = []
    offsets = [0]
    for dense, key in enumerate([*touched, *untouched]):
        for number, path in enumerate(customers[key]):
            start.append(len(source))
            source += path.sources
            stop.append(len(source))
            customer.append(dense)
            anchor_at.append(number * 100 * DAY_US)
            converted.append(path.converted)
            value.append(path.value if path.converted else 0.0)
        if dense < len(touched):
            offsets.append(len(source))
    return Journeys(
        touches=Touches(
            customer_ids=np.array(touched, np.int64),
            offsets=np.array(offsets, np.int64),
            touched_at=np.arange(len(source)) * DAY_US,
            source=np.array(source, np.uint32),
            interaction=np.zeros(len(source), np.uint8),
        ),
        start=np.array(start, np.int64),
        stop=np.array(stop, np.int64),
        customer=np.array(customer, np.int64),
        customers=len(customers),
        anchor_at=np.array(anchor_at, np.int64),
        converted=np.array(converted, np.bool_),
        value=np.array(value, np.float64),
        untouched_ids=np.array(untouched, np.int64),
    )


def random_customers(seed: int, customers: int, sources: int) -> dict[int, list[Path]]:
    """Customers with one to four journeys of none to five touches, a third of which convert."""
    rng = np.random.default_rng(seed)
    made: dict[int, list[Path]] = {}
    for key in rng.choice(10**12, customers, replace=False):
        made[int(key)] = [
            Path(
                tuple(int(source) for source in rng.integers(0, sources, rng.integers(0, 6))),
                bool(rng.random() < 1 / 3),
                float(np.round(rng.lognormal(3, 1), 2)),
            )
            for _ in range(rng.integers(1, 5))
        ]
    return made


def weights(ids: Sequence[int], number: int, seed: int = 5) -> Float64Column:
    """What a pass weighs customers by: (C, LANES)."""
    from attribution.methods.bootstrap_kernel import weights_of_customers

    filled = np.empty((len(ids), LANES))
    weights_of_customers(filled, seed, np.array(ids, np.int64), number)
    return filled
