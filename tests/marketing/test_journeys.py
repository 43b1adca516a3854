from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketing.frames import NO_LEAD, Journeys
from marketing.journeys import build_journeys
from tests.marketing.rows import JourneyRow, Outcome, Touch, conversions_from, touches_from


def plain(journeys: Journeys) -> list[JourneyRow]:
    """The journeys as plain rows, with the dense index of the customer."""
    columns = (journeys.customer, journeys.anchor_at, journeys.converted, journeys.value, journeys.start, journeys.stop)
    return [
        JourneyRow(customer, anchor_at, converted, value, tuple(range(start, stop)))
        for customer, anchor_at, converted, value, start, stop in zip(*(c.tolist() for c in columns), strict=True)
    ]


def build(touches: list[Touch], outcomes: list[Outcome], **options: Any) -> Journeys:
    asked = {"goal": 0, "period_start_us": 0, "period_stop_us": 1000, "window_us": 1000} | options
    return build_journeys(touches=touches_from(touches), conversions=conversions_from(outcomes), **asked)


def paths(touches: list[Touch], outcomes: list[Outcome], **options: Any) -> list[JourneyRow]:
    return plain(build(touches, outcomes, **options))


# --- Paths to conversion ---


def test_window_includes_both_ends_to_the_microsecond() -> None:
    touches = [Touch(1, at) for at in (89, 90, 100, 101)]
    assert paths(touches, [Outcome(1, 100, 5.0)], window_us=10, null_paths=False) == [
        JourneyRow(0, 100, True, 5.0, (1, 2))
    ]


def test_window_of_zero_takes_only_touches_at_the_time_of_the_conversion() -> None:
    touches = [Touch(1, 99), Touch(1, 100), Touch(1, 100), Touch(1, 101)]
    assert paths(touches, [Outcome(1, 100)], window_us=0, null_paths=False) == [JourneyRow(0, 100, True, 0.0, (1, 2))]


def test_each_conversion_of_a_customer_takes_every_touch_of_its_own_window() -> None:
    touches = [Touch(1, 10), Touch(1, 20), Touch(1, 30)]
    assert paths(touches, [Outcome(1, 25), Outcome(1, 32)], window_us=15, null_paths=False) == [
        JourneyRow(0, 25, True, 0.0, (0, 1)),
        JourneyRow(0, 32, True, 0.0, (1, 2)),
    ]


def test_conversion_without_a_touch_in_its_window_has_an_empty_path() -> None:
    assert paths([Touch(1, 10)], [Outcome(1, 100, 3.0)], window_us=50) == [JourneyRow(0, 100, True, 3.0, ())]


def test_customers_without_any_touch_are_numbered_after_those_with_touches() -> None:
    touches = [Touch(2, 10), Touch(6, 10)]
    outcomes = [Outcome(1, 50), Outcome(6, 50), Outcome(7, 50), Outcome(7, 60)]
    journeys = build(touches, outcomes, null_paths=False)
    assert journeys.customer.tolist() == [2, 1, 3, 3]
    assert journeys.customers == 4
    assert [len(path.touches) for path in plain(journeys)] == [0, 1, 0, 0]


def test_only_conversions_to_the_goal_in_the_period_count_but_their_touches_may_precede_it() -> None:
    touches = [Touch(1, 95)]
    outcomes = [Outcome(1, 99), Outcome(1, 100), Outcome(1, 150, goal=1), Outcome(1, 199), Outcome(1, 200)]
    found = paths(touches, outcomes, period_start_us=100, period_stop_us=200, null_paths=False)
    assert found == [JourneyRow(0, 100, True, 0.0, (0,)), JourneyRow(0, 199, True, 0.0, (0,))]


def test_without_touches_every_conversion_has_an_empty_path() -> None:
    assert paths([], [Outcome(4, 5), Outcome(4, 6, converted=False)]) == [JourneyRow(0, 5, True, 0.0, ())]


def test_without_outcomes_there_are_only_null_paths() -> None:
    assert paths([Touch(4, 5)], []) == [JourneyRow(0, 5, False, 0.0, (0,))]


# --- Null paths ---


def test_last_touch_in_the_period_anchors_the_null_path_of_a_customer_who_does_not_convert() -> None:
    touches = [Touch(1, 89), Touch(1, 90), Touch(1, 100), Touch(1, 205)]
    assert paths(touches, [], period_start_us=95, period_stop_us=200, window_us=10) == [
        JourneyRow(0, 100, False, 0.0, (1, 2))
    ]


@pytest.mark.parametrize(("at", "count"), [(99, 0), (100, 1), (199, 1), (200, 0)])
def test_a_last_touch_anchors_a_null_path_only_within_the_period(at: int, count: int) -> None:
    assert len(paths([Touch(1, at)], [], period_start_us=100, period_stop_us=200)) == count


def test_customer_who_converts_has_no_null_path_from_touches_up_to_the_conversion() -> None:
    found = paths([Touch(1, 10), Touch(1, 20)], [Outcome(1, 20)])
    assert [path.converted for path in found] == [True]


def test_touches_after_the_last_conversion_form_a_null_path_of_their_own() -> None:
    touches = [Touch(1, 10), Touch(1, 20), Touch(1, 21), Touch(1, 30)]
    assert paths(touches, [Outcome(1, 5), Outcome(1, 20)])[2:] == [JourneyRow(0, 30, False, 0.0, (2, 3))]


def test_conversion_to_another_goal_or_outside_the_period_does_not_shorten_a_null_path() -> None:
    touches = [Touch(1, 10), Touch(1, 30)]
    outcomes = [Outcome(1, 20, goal=1), Outcome(1, 15)]
    found = paths(touches, outcomes, period_start_us=16)
    assert found == [JourneyRow(0, 30, False, 0.0, (0, 1))]


def test_each_outcome_that_did_not_convert_anchors_a_null_path_whatever_its_goal() -> None:
    touches = [Touch(1, 10), Touch(1, 20), Touch(1, 30)]
    outcomes = [Outcome(1, 20, 9.0, converted=False), Outcome(1, 25, goal=3, converted=False)]
    assert paths(touches, outcomes, window_us=10) == [
        JourneyRow(0, 20, False, 0.0, (0, 1)),
        JourneyRow(0, 25, False, 0.0, (1,)),
    ]


def test_outcome_that_did_not_convert_replaces_the_last_touch_as_anchor() -> None:
    assert paths([Touch(1, 10), Touch(1, 90)], [Outcome(1, 50, converted=False)]) == [
        JourneyRow(0, 50, False, 0.0, (0,))
    ]


def test_outcome_that_did_not_convert_outside_the_period_replaces_nothing() -> None:
    found = paths([Touch(1, 10)], [Outcome(1, 500, converted=False)], period_stop_us=100)
    assert found == [JourneyRow(0, 10, False, 0.0, (0,))]


def test_outcome_after_a_conversion_takes_only_later_touches() -> None:
    touches = [Touch(1, 10), Touch(1, 20), Touch(1, 30)]
    outcomes = [Outcome(1, 5, converted=False), Outcome(1, 20), Outcome(1, 40, converted=False)]
    assert paths(touches, outcomes) == [JourneyRow(0, 20, True, 0.0, (0, 1)), JourneyRow(0, 40, False, 0.0, (2,))]


def test_outcome_before_the_last_conversion_anchors_nothing() -> None:
    found = paths([Touch(1, 10), Touch(1, 60)], [Outcome(1, 20, converted=False), Outcome(1, 50)])
    assert [path.converted for path in found] == [True]


def test_null_paths_without_touches_are_dropped() -> None:
    outcomes = [Outcome(1, 100, converted=False), Outcome(2, 100, converted=False)]
    assert paths([Touch(1, 10)], outcomes, window_us=5) == []


def test_null_paths_can_be_left_out() -> None:
    assert paths([Touch(1, 10)], [Outcome(1, 20, converted=False)], null_paths=False) == []


# --- Leads ---


def leads(touches: list[Touch], outcomes: list[Outcome], **options: Any) -> list[int]:
    """When the lead of each journey was; the lead is goal 5."""
    lead_at = build(touches, outcomes, lead_goal=5, **options).lead_at
    assert lead_at is not None
    found: list[int] = lead_at.tolist()
    return found


def lead(customer: int, at: int, *, converted: bool = True) -> Outcome:
    return Outcome(customer, at, 0.0, 5, converted)


def test_the_lead_of_a_journey_is_the_last_at_or_before_its_end() -> None:
    outcomes = [lead(1, 10), lead(1, 20), Outcome(1, 20), Outcome(1, 25), lead(1, 30), lead(2, 24)]
    assert leads([Touch(1, 5)], outcomes, null_paths=False) == [20, 20]


def test_a_lead_counts_from_the_start_of_the_lookback_window_on_whatever_the_period() -> None:
    outcomes = [lead(1, 10), Outcome(1, 20), Outcome(1, 21)]
    assert leads([], outcomes, window_us=10, period_start_us=15) == [10, NO_LEAD]


def test_a_lead_that_was_not_reached_is_none() -> None:
    assert leads([], [lead(1, 10, converted=False), Outcome(1, 20)]) == [NO_LEAD]


def test_null_paths_know_their_leads_too() -> None:
    assert leads([Touch(1, 30), Touch(2, 30)], [lead(1, 20)]) == [20, NO_LEAD]


def test_journeys_know_of_no_leads_unless_asked() -> None:
    assert build([], [lead(1, 10), Outcome(1, 20)]).lead_at is None


# --- Refusals ---


def test_an_empty_period_is_refused() -> None:
    with pytest.raises(ValueError, match="period must start before it stops"):
        build([], [], period_start_us=5, period_stop_us=5)


def test_a_negative_window_is_refused() -> None:
    with pytest.raises(ValueError, match="window must not be negative"):
        build([], [], window_us=-1)


# --- Against an independent brute force ---


def brute_force(
    touches: list[Touch], outcomes: list[Outcome], *, goal: int, period: tuple[int, int], window: int
) -> list[JourneyRow]:
    """Every journey by plain loops, with database ids of customers."""
    touches = sorted(touches, key=lambda touch: (touch.customer, touch.at))
    outcomes = [row for row in outcomes if period[0] <= row.at < period[1]]
    found = []
    for customer in {touch.customer for touch in touches} | {row.customer for row in outcomes}:
        mine = [(i, touch.at) for i, touch in enumerate(touches) if touch.customer == customer]
        won = [row for row in outcomes if row.customer == customer and row.converted and row.goal == goal]
        lost = [row for row in outcomes if row.customer == customer and not row.converted]
        for row in won:
            path = tuple(i for i, at in mine if 0 <= row.at - at <= window)
            found.append(JourneyRow(customer, row.at, True, row.value, path))
        last_won = max((row.at for row in won), default=-(10**9))
        in_period = [at for _, at in mine if period[0] <= at < period[1]]
        anchors = [row.at for row in lost] if lost else in_period[-1:]
        for anchor in anchors:
            path = tuple(i for i, at in mine if 0 <= anchor - at <= window and at > last_won)
            if path:
                found.append(JourneyRow(customer, anchor, False, 0.0, path))
    return sorted(found)


TIMES = st.integers(0, 25)
CUSTOMERS = st.integers(-3, 3)
TOUCH_ROWS = st.lists(st.builds(Touch, CUSTOMERS, TIMES, st.just(0)), max_size=30)
OUTCOME_ROWS = st.lists(
    st.builds(Outcome, CUSTOMERS, TIMES, st.floats(-5, 100), st.integers(0, 1), st.booleans()), max_size=12
)
PERIODS = st.tuples(st.integers(0, 12), st.integers(13, 26))


@settings(deadline=None, max_examples=200)
@given(touches=TOUCH_ROWS, outcomes=OUTCOME_ROWS, period=PERIODS, window=st.integers(0, 26))
def test_journeys_equal_the_brute_force(
    touches: list[Touch], outcomes: list[Outcome], period: tuple[int, int], window: int
) -> None:
    journeys = build(touches, outcomes, period_start_us=period[0], period_stop_us=period[1], window_us=window)
    known = sorted({touch.customer for touch in touches})
    converted = {
        row.customer for row in outcomes if row.converted and row.goal == 0 and period[0] <= row.at < period[1]
    }
    ids = known + sorted(converted - set(known))
    found = sorted(path._replace(customer=ids[path.customer]) for path in plain(journeys))
    assert found == brute_force(touches, outcomes, goal=0, period=period, window=window)
    assert journeys.customers == len(ids)


@settings(deadline=None, max_examples=100)
@given(touches=TOUCH_ROWS, outcomes=OUTCOME_ROWS, period=PERIODS, window=st.integers(0, 26))
def test_leads_equal_the_brute_force(
    touches: list[Touch], outcomes: list[Outcome], period: tuple[int, int], window: int
) -> None:
    journeys = build(
        touches, outcomes, period_start_us=period[0], period_stop_us=period[1], window_us=window, lead_goal=1
    )
    expected = []
    for customer, anchor in zip(journeys.customer_ids().tolist(), journeys.anchor_at.tolist(), strict=True):
        mine = [row.at for row in outcomes if row.customer == customer and row.goal == 1 and row.converted]
        expected.append(max((at for at in mine if 0 <= anchor - at <= window), default=NO_LEAD))
    assert journeys.lead_at is not None
    assert journeys.lead_at.tolist() == expected


def test_long_histories_and_many_customers_equal_the_brute_force() -> None:
    rng = np.random.default_rng(4)
    touches = [Touch(int(c), int(at)) for c, at in zip(rng.geometric(0.3, 600), rng.integers(0, 500, 600), strict=True)]
    outcomes = [
        Outcome(int(c), int(at), 1.0, 0, bool(won))
        for c, at, won in zip(rng.integers(0, 12, 60), rng.integers(0, 500, 60), rng.random(60) < 0.6, strict=True)
    ]
    journeys = build(touches, outcomes, period_start_us=50, period_stop_us=450, window_us=40)
    found = [path[1:] for path in plain(journeys)]
    expected = [path[1:] for path in brute_force(touches, outcomes, goal=0, period=(50, 450), window=40)]
    assert sorted(found) == sorted(expected)


def test_searching_in_several_chunks_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    touches = [Touch(customer, at) for customer in range(20) for at in (1, 4, 9)]
    outcomes = [Outcome(customer, 5) for customer in range(0, 20, 3)]
    at_once = paths(touches, outcomes)
    monkeypatch.setattr("marketing.journeys.SEARCHED_AT_ONCE", 3)
    assert paths(touches, outcomes) == at_once
