"""The outcome of a media panel and what else moves it: what is known of it, what is refused, controls and events."""

from typing import Any

import numpy as np
import pytest

from marketing.frames import Granularity
from marketing.panel_building import DaySeries, LoadedPanel, MediaRows, PanelChoice, too_short
from tests.marketing.panel_rows import (
    LATE,
    MONDAY,
    SALES,
    WEEKS,
    build,
    by_week,
    firsts_of_months,
    media,
    noise,
    on_days,
    problem_of,
    remarks_of,
    sentence_of,
    series,
)


def without(one: DaySeries, *places: int) -> DaySeries:
    return one.where(~np.isin(np.arange(len(one.day)), places))


def test_a_week_that_lacks_a_day_is_not_known_and_said_to_be() -> None:
    loaded = build(without(SALES, 24, 80))
    assert np.flatnonzero(np.isnan(loaded.panel.outcome)).tolist() == [3, 11]
    assert sentence_of(loaded, "missing_periods").startswith(
        "“Sales” is not known for 2 of 20 whole weeks, the first being 25–31 Jan 2021."
    )


def test_a_week_without_its_row_is_not_known() -> None:
    loaded = build(without(series("Sales", by_week(noise(0)), step=7), 5))
    assert np.flatnonzero(np.isnan(loaded.panel.outcome)).tolist() == [5]


def test_more_than_a_tenth_of_missing_weeks_is_refused() -> None:
    problem = problem_of(without(SALES, 24, 80, 100))
    assert problem.code == "missing_periods"
    assert "not known for 3 of 20 whole weeks" in problem.sentence


def test_missing_weeks_count_also_where_they_end_the_panel() -> None:
    """The last week is not whole, so it does not count; the one before it is missing, although nothing follows it."""
    loaded = build(without(SALES, 7 * 18 + 1, 7 * 19 + 6))
    assert len(loaded.panel) == 18
    assert "for 1 of 19 whole weeks" in sentence_of(loaded, "missing_periods")


def test_an_outcome_without_any_whole_week_is_refused() -> None:
    weekdays_only = SALES.where((SALES.day - MONDAY) % 7 < 5)
    problem = problem_of(weekdays_only)
    assert problem.code == "no_whole_periods"
    assert "with 0 where there was nothing" in problem.sentence


def test_an_outcome_without_values_is_refused() -> None:
    assert problem_of(on_days("Sales", [])).code == "no_values"
    assert problem_of(start=LATE).code == "no_values"
    assert problem_of(series("Sales", [1, 2, 3], step=7), start=MONDAY + 15, end=MONDAY + 18).code == "no_values"


def test_a_constant_outcome_is_refused() -> None:
    problem = problem_of(series("Sales", [0.1] * 7 * WEEKS))
    assert (problem.code, "“Sales” is 0.7 in every week" in problem.sentence) == ("constant_outcome", True)


@pytest.mark.parametrize(("granularity", "needed", "wished"), [("day", 365, 730), ("week", 52, 104), ("month", 24, 36)])
def test_how_many_periods_are_too_few(granularity: Granularity, needed: int, wished: int) -> None:
    found = [too_short(granularity, periods) for periods in (0, needed - 1, needed, wished - 1, wished)]
    assert found == ["blocked", "blocked", "warn", "warn", None]


def of_weeks(weeks: int) -> tuple[DaySeries, MediaRows]:
    return series("Sales", noise(0, weeks), step=7), media(series("TV", noise(1, weeks), step=7))


def test_too_few_weeks_are_refused_and_few_are_remarked_on() -> None:
    problem = problem_of(*of_weeks(51), short_allowed=False)
    assert problem.code == "too_short"
    assert "known for 51 whole weeks; a media mix model needs 52" in problem.sentence
    assert {remark.code for remark in build(*of_weeks(52), short_allowed=False).remarks} == {"short"}
    assert build(*of_weeks(104), short_allowed=False).remarks == ()


def test_too_few_weeks_may_be_allowed_but_not_less_than_eight() -> None:
    assert "A model needs 52." in sentence_of(build(*of_weeks(8)), "short")
    assert "needs 8" in problem_of(*of_weeks(7)).sentence


def test_a_share_is_averaged_over_the_days_of_a_period() -> None:
    percent = series("Awareness", noise(0)).value / 10
    panel = build(series("Awareness", percent.tolist()), is_share=True).panel
    assert panel.outcome == pytest.approx(percent.reshape(-1, 7).mean(axis=1), rel=1e-15)
    assert panel.bounds == (0, 100)
    assert build(series("Awareness", (percent / 100).tolist()), is_share=True).panel.bounds == (0, 1)


def test_other_bounds_can_be_chosen() -> None:
    panel = build(bounds=(-5, 1000)).panel
    assert panel.bounds == (-5, 1000)
    assert panel.outcome == pytest.approx(np.array(by_week(noise(0))) / 7, rel=1e-15)


def test_an_outcome_out_of_its_bounds_is_refused() -> None:
    percent = [101.5, *(value / 10 for value in noise(0)[1:])]
    problem = problem_of(series("Sales", percent), is_share=True)
    assert problem.code == "out_of_bounds"
    assert "“Sales” is 101.5 on 4 Jan 2021, but must lie between 0 and 100" in problem.sentence
    with pytest.raises(ValueError, match="lower bound"):
        PanelChoice(granularity="week", bounds=(1, 1))


def test_days_of_fewer_geos_are_remarked_on() -> None:
    geos = np.full(7 * WEEKS, 3)
    assert remarks_of(build(geos=geos)) == {}
    geos[[30, 31]] = 2
    assert "of 3 geos at most, but of fewer in 2 of 140 rows" in sentence_of(build(geos=geos), "geos_vary")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -1e19])
@pytest.mark.parametrize("of", ["Sales", "Price"])
def test_outcomes_and_controls_that_are_no_numbers_are_refused(of: str, value: float) -> None:
    wrong = series(of, [*noise(0)[:12], value, *noise(0)[13:]])
    problem = problem_of(wrong) if of == "Sales" else problem_of(rows={"controls": [wrong]})
    assert problem.sentence.startswith(f"“{of}” is {value:g} on 16 Jan 2021")


def test_an_outcome_may_be_negative() -> None:
    assert build(series("Sales", [-value for value in noise(0)])).panel.outcome.max() < 0


# What else moves the outcome


def with_controls(*controls: DaySeries, **choice: Any) -> LoadedPanel:
    return build(rows={"controls": controls}, **choice)


def test_controls_are_means_of_days_and_gaps_between_are_straight_lines() -> None:
    days = [MONDAY + 14, MONDAY + 16, MONDAY + 28, *range(MONDAY + 35, LATE - 21)]
    values = [10.0, 20.0, 21.0, *([30.0] * (len(days) - 3))]
    loaded = with_controls(on_days("Price", days, values))
    column = loaded.panel.control[:, 0].tolist()
    assert column == [15, 15, 15, 18, 21, *([30.0] * 15)]
    assert "“Price” is not known for 6 of 20 weeks" in sentence_of(loaded, "filled_control")


def test_controls_without_a_value_or_without_variation_are_left_out() -> None:
    loaded = with_controls(
        series("Price", noise(7)),
        series("Old", noise(8), start=MONDAY - 1000),
        series("Flat", [0.1] * 7 * WEEKS),
    )
    assert loaded.panel.controls == ("Price",)
    assert loaded.panel.control[:, 0] == pytest.approx(np.array(by_week(noise(7))) / 7)
    assert remarks_of(loaded) == {"silent_control": ("Old",), "constant_control": ("Flat",)}


@pytest.mark.parametrize("granularity", ["day", "week"])
def test_a_weekly_control_counts_for_the_days_of_its_week(granularity: Granularity) -> None:
    values = noise(7, WEEKS)
    loaded = with_controls(series("Price", values, step=7), granularity=granularity)
    assert (
        loaded.panel.control[:, 0].tolist()
        == (np.repeat(values, 7) if granularity == "day" else np.array(values)).tolist()
    )
    assert remarks_of(loaded) == ({"coarse_control": ("Price",)} if granularity == "day" else {})


def test_a_monthly_control_counts_for_the_days_of_its_month() -> None:
    loaded = with_controls(on_days("Rate", firsts_of_months(6), [1, 2, 3, 4, 5, 6]))
    column = loaded.panel.control[:, 0]
    assert column[:5] == pytest.approx([1, 1, 1, 1, 2])
    assert column[8] == pytest.approx((3 * 7) / 7), "1–7 March"
    assert column[12] == pytest.approx((3 * 3 + 4 * 4) / 7), "29 March to 4 April"
    assert remarks_of(loaded) == {"coarse_control": ("Rate",)}


def test_events_are_shares_of_the_days_of_a_period_and_days_count_once() -> None:
    days = np.array([MONDAY - 1, MONDAY, MONDAY + 1, MONDAY + 1, MONDAY + 7, LATE], np.int64)
    panel = build(rows={"events": {"Strike": days, "Later": np.array([LATE + 3])}}).panel
    assert panel.events == ("Strike",)
    assert panel.event[:, 0].tolist() == [2 / 7, 1 / 7, *([0.0] * 18)]


def test_holidays_are_counts_of_days() -> None:
    panel = build(rows={"holidays": {"Eid": np.array([MONDAY + 8, MONDAY + 9]), "Gone": np.array([MONDAY - 1])}}).panel
    assert panel.holidays == ("Eid",)
    assert panel.holiday[:, 0].tolist() == [0, 2, *([0.0] * 18)]
