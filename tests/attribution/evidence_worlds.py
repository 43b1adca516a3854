"""Journeys for the tests of the evidence: drawn by hypothesis, or a shop of many customers by chance."""

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from marketing.frames import Int64Column, Journeys
from marketing.journeys import BEFORE_ALL_TIME, build_journeys
from tests.marketing.rows import DAY_US, Outcome, Touch, conversions_from, touches_from

# Four sources: two of group 0, of which source 0 is Direct; one of group 1; one of group 2.
LABELS = ("Email", "Search", "Display")
GROUP_OF_SOURCE = np.array([0, 1, 2, 0])
DIRECT_SOURCE = np.array([True, False, False, False])
WINDOW_DAYS = 30


def journeys_of(touches: Sequence[Touch], outcomes: Sequence[Outcome], *, window_days: int = WINDOW_DAYS) -> Journeys:
    """The journeys that end within 400 days of the epoch."""
    return build_journeys(
        touches=touches_from(touches),
        conversions=conversions_from(outcomes),
        goal=0,
        period_start_us=0,
        period_stop_us=400 * DAY_US,
        window_us=window_days * DAY_US,
    )


def previous_of(journeys: Journeys) -> Int64Column:
    """When the customer of each journey last converted before it, by plain loops over journeys of all time."""
    found = np.full(len(journeys), BEFORE_ALL_TIME, np.int64)
    last: dict[int, list[int]] = {}
    for j in np.argsort(journeys.anchor_at, kind="stable").tolist():
        earlier = last.setdefault(int(journeys.customer[j]), [])
        found[j] = max((at for at in earlier if at < journeys.anchor_at[j]), default=BEFORE_ALL_TIME)
        if journeys.converted[j]:
            earlier.append(int(journeys.anchor_at[j]))
    return found


@st.composite
def worlds(draw: st.DrawFn) -> Journeys:
    """Up to five customers, some without touches; times in quarters of a day, so that they often coincide."""
    times = st.integers(0, 240).map(lambda quarter: quarter * DAY_US // 4)
    touch = st.tuples(st.integers(0, 4), times, st.integers(0, 3)).map(lambda row: Touch(*row))
    outcome = st.tuples(
        st.integers(0, 5), times, st.integers(-20, 500).map(float), st.just(0), st.sampled_from([True, True, False])
    ).map(lambda row: Outcome(*row))
    return journeys_of(draw(st.lists(touch, max_size=40)), draw(st.lists(outcome, max_size=12)))


def paths_of(journeys: Journeys) -> list[list[int]]:
    """The groups of each journey's touches, oldest first, by plain loops."""
    return [
        [int(GROUP_OF_SOURCE[journeys.touches.source[i]]) for i in range(start, stop)]
        for start, stop in zip(journeys.start.tolist(), journeys.stop.tolist(), strict=True)
    ]


def shop(customers: int, *, seed: int, days: int = 364, changed_from_day: int | None = None) -> Journeys:
    """Customers who convert now and then after one to four touches.

    From `changed_from_day` on, Search makes way for Display in one touch of four.
    """
    rng = np.random.default_rng(seed)
    touches: list[Touch] = []
    outcomes: list[Outcome] = []
    for customer in range(customers):
        likes = rng.dirichlet([4.0, 4.0, 2.0])  # customers differ, so that those of one are alike
        for _ in range(1 + rng.geometric(0.6)):
            at = float(rng.uniform(20, days))
            outcomes.append(Outcome(customer, int(at * DAY_US), float(rng.lognormal(3, 0.5))))
            for source in rng.choice([3, 1, 2], size=rng.integers(1, 5), p=likes):
                is_replaced = changed_from_day is not None and at >= changed_from_day and rng.random() < 0.25
                chosen = 2 if is_replaced and source == 1 else int(source)
                touches.append(Touch(customer, int((at - rng.uniform(0, 5)) * DAY_US), chosen))
    return journeys_of(touches, outcomes)
