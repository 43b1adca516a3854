"""Plans: the calendar, what they leave open, what spend buys, and what is refused."""

import datetime as dt
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketing.frames import Granularity, MediaPanel
from tests.weightings.worlds import panel
from weightings.methods.forecasting.forecast_plan import (
    Plan,
    carried_on,
    exposure_per_spend,
    flighting_of,
    laid_out,
    periods_after,
    spend_by_channel,
)
from weightings.methods.planning.plans import CannotBePlanned
from weightings.methods.quantities import Window

FloatArray = npt.NDArray[np.float64]
EPOCH = dt.date(1970, 1, 1)


def ending_on(last: dt.date, granularity: Granularity, periods: int = 60) -> MediaPanel:
    """A panel whose last period begins on this day, with one of everything."""
    rng = np.random.default_rng(61)
    of = panel(rng.normal(100, 5, periods), rng.gamma(2, 5, (periods, 2)), names=("TV", "Search"), history=0)
    days = {"day": 1, "week": 7}.get(granularity)
    if days:
        starts = (last - EPOCH).days + days * np.arange(1 - periods, 1, dtype=np.int64)
    else:
        months = np.datetime64(last, "M") + np.arange(1 - periods, 1)
        starts = months.astype("datetime64[D]").astype(np.int64)
    return replace(
        of,
        granularity=granularity,
        period_start=starts,
        organic=("Blog",),
        organic_exposure=np.arange(1000.0, 1000 + periods)[:, None],
        organic_units=("clicks",),
        controls=("Price",),
        control=np.arange(20.0, 20 + periods)[:, None],
        events=("Sale",),
        event=rng.random((periods, 1)),
        holidays=("Easter",),
        holiday=np.ones((periods, 1)),
    )


def dates(of: MediaPanel, periods: int) -> list[str]:
    return [(EPOCH + dt.timedelta(start)).isoformat() for start in periods_after(of, periods).tolist()]


WEEKLY = ending_on(dt.date(2025, 12, 17), "week")  # Wednesdays


# The calendar


def test_months_are_those_of_the_calendar() -> None:
    found = periods_after(ending_on(dt.date(2023, 12, 1), "month"), 15)
    assert (EPOCH + dt.timedelta(int(found[0]))) == dt.date(2024, 1, 1)
    assert np.diff(found).tolist() == [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31, 28]


def test_weeks_keep_their_weekday_over_the_new_year() -> None:
    assert dates(WEEKLY, 3) == ["2025-12-24", "2025-12-31", "2026-01-07"]


def test_days_follow_one_another_over_a_leap_day() -> None:
    assert dates(ending_on(dt.date(2024, 2, 27), "day"), 3) == ["2024-02-28", "2024-02-29", "2024-03-01"]


@given(
    last=st.dates(dt.date(1990, 1, 1), dt.date(2090, 1, 1)),
    granularity=st.sampled_from(["day", "week", "month"]),
    periods=st.integers(1, 60),
)
def test_periods_follow_the_last_one_without_gaps(last: dt.date, granularity: Granularity, periods: int) -> None:
    of = ending_on(last.replace(day=1) if granularity == "month" else last, granularity)
    lengths = np.diff(np.concatenate([of.period_start[-1:], periods_after(of, periods)]))
    assert len(lengths) == periods
    allowed = {"day": {1}, "week": {7}, "month": {28, 29, 30, 31}}[granularity]
    assert set(lengths.tolist()) <= allowed


# What is left open


def test_what_is_left_open_is_as_a_year_before() -> None:
    found = laid_out(WEEKLY, Plan(spend=np.zeros((52, 2))))
    np.testing.assert_array_equal(found.control[:, 0], WEEKLY.control[8:, 0])
    np.testing.assert_array_equal(found.exposure[:, 2], WEEKLY.organic_exposure[8:, 0])
    assert found.carried == ("Blog", "Price")
    assert not found.event.any()
    assert not found.holiday.any()


def test_in_a_second_year_the_last_one_comes_round_again() -> None:
    known = np.arange(30.0)[:, None]
    found = carried_on(np.full((24, 1), np.nan), known, "month")
    np.testing.assert_array_equal(found[:, 0], np.tile(np.arange(18.0, 30), 2))


def test_periods_without_a_year_before_have_the_mean() -> None:
    found = carried_on(np.full((52, 2), np.nan), np.stack([np.arange(40.0), np.full(40, 3.0)], axis=1), "week")
    np.testing.assert_array_equal(found[:12, 0], 19.5)
    np.testing.assert_array_equal(found[12:, 0], np.arange(40.0))
    np.testing.assert_array_equal(found[:, 1], 3.0)


def test_what_is_given_is_taken_as_it_is() -> None:
    plan = Plan(
        spend=np.ones((2, 2)),
        organic={"Blog": [5.0, 0.0]},
        controls={"Price": [-3.0, 4.0]},
        events={"Sale": [0.0, 1.0]},
        holidays={"Easter": [7, 0], "May Day": [0, 1], "Carnival": [0, 0]},
    )
    found = laid_out(WEEKLY, plan)
    np.testing.assert_array_equal(found.exposure, [[1, 1, 5], [1, 1, 0]])
    np.testing.assert_array_equal(found.control, [[-3], [4]])
    np.testing.assert_array_equal(found.event, [[0], [1]])
    np.testing.assert_array_equal(found.holiday, [[7], [0]])
    assert found.carried == ()
    assert found.unknown_holidays == ("May Day",)


# Spend, and what it buys


def with_impressions(exposure: FloatArray, spend: FloatArray) -> MediaPanel:
    return replace(
        WEEKLY,
        spend=np.stack([spend, spend], axis=1),
        exposure=np.stack([exposure, spend], axis=1),
        exposure_units=("impressions", "spend"),
    )


def test_spend_buys_what_it_bought_in_the_last_year_that_had_some() -> None:
    spend, exposure = np.full(60, 10.0), np.full(60, 5000.0)
    exposure[:8] = 1e9  # more than a year ago
    exposure[30:] = 2500.0
    spend[50:] = 0.0  # free, or not there: it says nothing about prices
    of = with_impressions(exposure, spend)
    spent = slice(0, 50)  # the year up to week 49 begins before the data
    expected = exposure[spent].sum() / spend[spent].sum()
    np.testing.assert_allclose(exposure_per_spend(of, np.ones((1, 2))), [expected, 1.0])
    spend[50:] = 10.0
    of = with_impressions(exposure, spend)
    expected = (22 * 5000 + 30 * 2500) / (52 * 10)
    np.testing.assert_allclose(exposure_per_spend(of, np.ones((1, 2))), [expected, 1.0])
    found = laid_out(of, Plan(spend=np.array([[3.0, 4.0]]))).exposure
    np.testing.assert_allclose(found[0, :2], [3 * expected, 4.0])


def test_nobody_knows_what_first_spend_buys() -> None:
    of = with_impressions(np.full(60, 5.0), np.zeros(60))
    assert laid_out(of, Plan(spend=np.zeros((1, 2)))).exposure[0, 0] == 0.0
    with pytest.raises(CannotBePlanned, match="Nobody knows what spend on “TV” buys"):
        laid_out(of, Plan(spend=np.ones((1, 2))))


def test_a_windows_flighting_is_multiplied_and_comes_round_again() -> None:
    of = replace(
        WEEKLY,
        history=10,
        outcome=WEEKLY.outcome[10:],
        control=WEEKLY.control[10:],
        event=WEEKLY.event[10:],
        holiday=WEEKLY.holiday[10:],
    )
    np.testing.assert_array_equal(flighting_of(of, Window(2, 6)), of.spend[12:16])
    found = flighting_of(of, Window(2, 5), multiples=np.array([2.0, 0.5]), periods=7)
    np.testing.assert_allclose(found, of.spend[[12, 13, 14, 12, 13, 14, 12]] * [2.0, 0.5])
    for wrong in (-1.0, np.nan, np.array([1.0, np.inf])):
        with pytest.raises(CannotBePlanned, match="multiplied by 0 or more"):
            flighting_of(of, Window(2, 5), multiples=wrong)
    with pytest.raises(CannotBePlanned, match="ends with period 51, but the data have 50"):
        flighting_of(of, Window(2, 51))


def test_spend_by_name_is_in_the_panels_order() -> None:
    found = spend_by_channel(WEEKLY, {"Search": [1, 2, 3], "TV": [4, 5, 6]})
    np.testing.assert_array_equal(found, [[4, 1], [5, 2], [6, 3]])
    with pytest.raises(CannotBePlanned, match=r"No spend is planned for “TV”\. Say 0"):
        spend_by_channel(WEEKLY, {"Search": [1, 2, 3]})
    with pytest.raises(CannotBePlanned, match="no channel “Radio”, only “TV” and “Search”"):
        spend_by_channel(WEEKLY, {"Search": [1], "TV": [1], "Radio": [1]})
    with pytest.raises(CannotBePlanned, match="“TV” must have 3 numbers, one for each week of the plan, but it has 2"):
        spend_by_channel(WEEKLY, {"Search": [1, 2, 3], "TV": [4, 5]})


# What is refused


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"spend": np.zeros((4, 3))}, "periods by 2 channels, but it has the shape .4, 3."),
        ({"spend": np.zeros(4)}, "periods by 2 channels, but it has the shape .4,."),
        ({"spend": np.zeros((0, 2))}, "1 to 52 weeks, but this one has 0"),
        ({"spend": np.zeros((53, 2))}, "1 to 52 weeks, but this one has 53"),
        ({"spend": np.array([[0, 0], [0, -5.0]])}, "“Search” is -5 in the week from 31 Dec 2025. Give"),
        ({"spend": np.full((1, 2), np.nan)}, "spend of “TV” is nan in the week from 24 Dec 2025"),
        ({"spend": np.full((1, 2), np.inf)}, "spend of “TV” is inf"),
        ({"organic": {"TV": [1, 1]}}, "no organic medium “TV”, only “Blog”. Leave it out"),
        ({"organic": {"Blog": [1, -1]}}, "organic medium “Blog” is -1 in the week from 31 Dec 2025"),
        ({"controls": {"price": [1, 1]}}, "no control “price”, only “Price”"),
        ({"controls": {"Price": [1]}}, "control “Price” must have 2 numbers, one for each week of the plan"),
        ({"controls": {"Price": [1, np.nan]}}, "control “Price” is nan in the week from 31 Dec 2025. Give a number."),
        ({"events": {"Launch": [1, 1]}}, "no event “Launch”, only “Sale”"),
        ({"events": {"Sale": [0, 2]}}, "event “Sale” is 2 in the week .* of 0 or more and at most 1"),
        ({"holidays": {"Easter": [8, 0]}}, "holiday “Easter” is 8 .* at most 7"),
        ({"holidays": {"Easter": [-1, 0]}}, "holiday “Easter” is -1"),
    ],
)  # fmt: skip
def test_a_plan_that_makes_no_sense_is_refused(changed: dict[str, Any], said: str) -> None:
    plan = Plan(**({"spend": np.zeros((2, 2))} | changed))
    with pytest.raises(CannotBePlanned, match=said):
        laid_out(WEEKLY, plan)


def test_a_model_without_controls_says_so() -> None:
    of = replace(WEEKLY, controls=(), control=np.zeros((60, 0)))
    with pytest.raises(CannotBePlanned, match="no control “Price”, nor any other"):
        laid_out(of, Plan(spend=np.zeros((1, 2)), controls={"Price": [1.0]}))


@pytest.mark.parametrize(("granularity", "most"), [("day", 364), ("week", 52), ("month", 24)])
def test_a_plan_reaches_a_year_or_24_months(granularity: Granularity, most: int) -> None:
    of = ending_on(dt.date(2025, 6, 1), granularity)
    assert len(laid_out(of, Plan(spend=np.zeros((most, 2)))).period_start) == most
    with pytest.raises(CannotBePlanned, match=f"1 to {most} {granularity}s, but this one has {most + 1}"):
        laid_out(of, Plan(spend=np.zeros((most + 1, 2))))


def test_a_holiday_has_no_more_days_than_its_month() -> None:
    of = ending_on(dt.date(2024, 12, 1), "month")
    assert laid_out(of, Plan(spend=np.zeros((2, 2)), holidays={"Easter": [31, 28]})).holiday[1, 0] == 28
    with pytest.raises(CannotBePlanned, match=r"“Easter” is 29 in the month from 1 Feb 2025\..* at most 28"):
        laid_out(of, Plan(spend=np.zeros((2, 2)), holidays={"Easter": [31, 29]}))
