"""The sales cycle: worked by hand, against plain loops, and what is recovered where the data begin too late."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.methods.sales_cycle import LEAST_SEEN, SalesCycle, sales_cycle
from marketing.frames import Journeys
from marketing.journeys import BEFORE_ALL_TIME, build_journeys, previous_conversions
from tests.attribution.evidence_worlds import journeys_of, previous_of, worlds
from tests.marketing.rows import DAY_US, Outcome, Touch, conversions_from, touches_from

PRESETS = (7, 14, 30)
LONGEST = 60


def cycle_of(journeys: Journeys, *, starts_at_day: float = -1000) -> SalesCycle:
    return sales_cycle(
        journeys=journeys,
        windows=(*PRESETS, LONGEST),
        data_starts_us=int(starts_at_day * DAY_US),
        previous_at=previous_of(journeys),
    )


def many(ages_days: list[float], *, customers: int = LEAST_SEEN, at_day: int = 100, window_days: int = 7) -> Journeys:
    """As many customers who all convert on one day after touches of these ages."""
    at = at_day * DAY_US
    touches = [Touch(c, at - int(age * DAY_US), 1) for c in range(customers) for age in ages_days]
    return journeys_of(touches, [Outcome(c, at) for c in range(customers)], window_days=window_days)


def test_touches_before_the_window_of_the_journeys_are_counted() -> None:
    found = cycle_of(many([0, 3, 10, 40, 61]))
    assert found.windows == (7, 14, 30, 60)
    assert found.touches.tolist() == [60, 90, 90, 120]
    assert found.outside.tolist() == [30, 30, 30, 0]
    assert found.held.tolist() == pytest.approx([0.5, 0.75, 0.75, 1.0])
    assert (found.seen_days, found.fully_seen, found.conversions) == (60, 30, 30)
    assert found.smallest(PRESETS, 0.95) is None
    assert found.smallest(PRESETS, 0.75) == 14


def test_a_touch_exactly_as_old_as_a_window_is_within() -> None:
    assert cycle_of(many([7.0])).touches.tolist() == [30, 30, 30, 30]
    assert cycle_of(many([7.0])).held[0] == 1.0
    journeys = journeys_of([Touch(0, 0, 1)], [Outcome(0, 7 * DAY_US + 1)])
    assert cycle_of(journeys).touches.tolist() == [0, 1, 1, 1]


def test_touches_after_the_conversion_and_null_paths_count_for_nothing() -> None:
    touches = [Touch(0, 10 * DAY_US, 1), Touch(0, 12 * DAY_US, 1), Touch(1, 10 * DAY_US, 1)]
    found = cycle_of(journeys_of(touches, [Outcome(0, 11 * DAY_US)]))
    assert found.touches.tolist() == [1, 1, 1, 1]
    assert found.conversions == 1


def test_customers_without_any_touch_are_conversions_all_the_same() -> None:
    found = cycle_of(journeys_of([Touch(0, 0, 1)], [Outcome(0, DAY_US), Outcome(9, DAY_US), Outcome(10, DAY_US)]))
    assert (found.conversions, found.touches[-1]) == (3, 1)


def test_a_cycle_begins_after_the_previous_conversion() -> None:
    touches = [Touch(c, day * DAY_US, 1) for c in range(30) for day in (10, 20, 31)]
    outcomes = [Outcome(c, day * DAY_US) for c in range(30) for day in (20, 40)]
    found = cycle_of(journeys_of(touches, outcomes))
    # Ages are 10 and 0 days of the first conversion; 30, 20 and 9 of the second, of which only the last is its own.
    assert (found.touches / 30).tolist() == [1, 3, 5, 5]
    assert (found.repeated / 30).tolist() == [2, 2, 0, 0]
    assert found.held.tolist() == pytest.approx([1 / 3, 1, 1, 1])


@given(
    outcomes=st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 9), st.just(1.0), st.integers(0, 1), st.booleans()), max_size=20
    ),
    seen=st.sets(st.integers(0, 3)),
)
def test_previous_conversions_are_those_to_the_same_goal(
    outcomes: list[tuple[int, int, float, int, bool]], seen: set[int]
) -> None:
    rows = [Outcome(*row)._replace(at=row[1] * DAY_US) for row in outcomes]
    conversions = conversions_from(rows)
    journeys = build_journeys(
        touches=touches_from([Touch(customer, 0) for customer in seen]),
        conversions=conversions,
        goal=1,
        period_start_us=5 * DAY_US,  # earlier conversions count as well
        period_stop_us=10 * DAY_US,
        window_us=DAY_US,
    )
    found = previous_conversions(journeys=journeys, conversions=conversions, goal=1)
    for customer, anchor_at, previous in zip(journeys.customer_ids(), journeys.anchor_at, found, strict=True):
        earlier = [row.at for row in rows if row.customer == customer and row.goal == 1 and row.converted]
        assert previous == max((at for at in earlier if at < anchor_at), default=BEFORE_ALL_TIME)


@given(journeys=worlds())
def test_counts_equal_plain_loops(journeys: Journeys) -> None:
    within, outside = [0] * 4, [0] * 4
    windows = (*PRESETS, LONGEST)
    for j in np.flatnonzero(journeys.converted).tolist():
        customer = journeys.customer[j]
        if customer >= len(journeys.touches.customer_ids):
            continue
        first, stop = journeys.touches.offsets[customer : customer + 2]
        ages = [int(journeys.anchor_at[j] - at) for at in journeys.touches.touched_at[first:stop]]
        seen = [age for age in ages if 0 <= age <= LONGEST * DAY_US]
        for place, days in enumerate(windows):
            within[place] += sum(age <= days * DAY_US for age in seen)
            outside[place] += any(age > days * DAY_US for age in seen)
    found = cycle_of(journeys)
    assert found.touches.tolist() == within
    assert found.outside.tolist() == outside


@given(ages=st.lists(st.floats(0, 80), min_size=1, max_size=6))
def test_a_longer_window_never_holds_less_and_the_plain_share_where_all_is_seen(ages: list[float]) -> None:
    found = cycle_of(many(ages))
    if not found.touches[-1]:
        assert np.isnan(found.held).all()
        return
    assert found.held == pytest.approx(found.touches / found.touches[-1])
    assert all(shorter <= longer for shorter, longer in pairwise(found.held.tolist()))


def test_what_the_data_cannot_see_is_not_judged() -> None:
    """Seen 40 days back, 14 days can be judged by twice their length; that 30 days hold what is seen says little."""
    found = cycle_of(many([1, 10, 20, 35]), starts_at_day=60)
    assert (found.seen_days, found.fully_seen) == (40, 0)
    assert found.held.tolist() == pytest.approx([0.25, 0.5, np.nan, np.nan], nan_ok=True)


def test_few_conversions_or_a_late_start_leave_nothing_to_judge_by() -> None:
    few = cycle_of(many([1, 10], customers=LEAST_SEEN - 1))
    late = cycle_of(many([1, 10]), starts_at_day=100)
    for found in (few, late):
        assert found.seen_days == 0
        assert np.isnan(found.held).all()
        assert found.smallest(PRESETS, 0.95) is None


def test_the_share_of_a_short_history_is_recovered() -> None:
    """Touches 0 to 60 days before conversions, of which data that begin with the first conversion hide half."""
    rng = np.random.default_rng(3)
    touches, outcomes = [], []
    for customer in range(3000):
        at = float(rng.uniform(0, 70))
        outcomes.append(Outcome(customer, int(at * DAY_US)))
        ages = [age for age in rng.uniform(0, 60, 3) if age <= at]
        touches += [Touch(customer, int((at - age) * DAY_US), 1) for age in ages]
    found = cycle_of(journeys_of(touches, outcomes, window_days=7), starts_at_day=0)
    truth = np.array([7, 14, 30, 60]) / 60
    assert found.seen_days == 60
    assert found.held == pytest.approx(truth, abs=0.03)
    naive = found.touches / found.touches[-1]
    assert naive[1] > truth[1] + 0.1  # what the plain share would have said
