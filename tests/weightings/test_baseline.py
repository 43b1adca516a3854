"""The baseline's columns, by hand."""

import datetime as dt
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from marketing.frames import Granularity, MediaPanel
from tests.weightings.worlds import FIRST_MONDAY, panel
from weightings.methods.baseline import TREND_SCALES, baseline_ahead, baseline_of, knot_count

FloatArray = npt.NDArray[np.float64]
RNG = np.random.default_rng(0)


def columns(group: str, granularity: str = "week", periods: int = 60, **kwargs: int) -> FloatArray:
    given = panel(RNG.normal(10, 1, periods), RNG.gamma(2, 1, (periods, 1)), granularity=granularity)  # type: ignore[arg-type]
    found = baseline_of(given, level=10.0, **kwargs)
    return found.columns[:, [name == group for name in found.groups]]


def test_a_weekday_is_one_against_the_mean_of_the_week() -> None:
    weekdays = columns("weekday", "day", 14)
    assert FIRST_MONDAY % 7 == 4  # 1970-01-01 was a Thursday
    assert weekdays.shape == (14, 7)
    np.testing.assert_allclose(weekdays[0], [6 / 7, *[-1 / 7] * 6])  # a Monday
    np.testing.assert_allclose(weekdays[6], [*[-1 / 7] * 6, 6 / 7])
    np.testing.assert_array_equal(weekdays[:7], weekdays[7:])


def test_weeks_have_no_weekdays() -> None:
    assert columns("weekday").shape[1] == 0


def test_a_season_comes_round_in_a_year() -> None:
    season = columns("season", "day", 800)
    assert season.shape[1] == 8
    np.testing.assert_allclose(season[0], season[365], atol=0.05)
    middle = (FIRST_MONDAY + 0.5) / 365.25
    np.testing.assert_allclose(season[0, :2], [np.sin(2 * np.pi * middle), np.cos(2 * np.pi * middle)])
    np.testing.assert_allclose(season[0, 6:], [np.sin(8 * np.pi * middle), np.cos(8 * np.pi * middle)])


def test_months_have_two_waves_and_less_than_a_year_has_none() -> None:
    assert columns("season", "month", 30).shape[1] == 4
    assert columns("season", "week", 40).shape[1] == 0


def test_a_trend_steps_from_knot_to_knot_and_stays() -> None:
    trend = columns("trend", knots=3)
    assert trend.shape[1] == 2
    steps = trend - trend[0]
    np.testing.assert_allclose(steps[:30, 0], np.arange(30) / 29, atol=1e-12)
    np.testing.assert_allclose(steps[29:, 0], 1.0)
    np.testing.assert_allclose(steps[:30, 1], 0.0, atol=1e-12)
    np.testing.assert_allclose(steps[-1], 1.0)
    np.testing.assert_allclose(trend.mean(axis=0), 0.0, atol=1e-12)


def test_a_trend_wanders_as_far_in_a_year_however_many_knots_it_has() -> None:
    for knots in (3, 7, 20):
        given = panel(RNG.normal(10, 1, 160), RNG.gamma(2, 1, (160, 1)))
        found = baseline_of(given, level=10.0, knots=knots)
        is_trend = np.array([group == "trend" for group in found.groups])
        assert np.sum(found.scales_at(0.5)[is_trend] ** 2) == pytest.approx(0.25 * 159 * 7 / 365.25)
        np.testing.assert_array_equal(found.scales_at(0.5)[~is_trend], found.scales[~is_trend])
    assert min(TREND_SCALES) < 0.1 < 1 < max(TREND_SCALES)


def test_no_knots_are_no_trend_and_more_than_periods_are_one_in_each() -> None:
    assert columns("trend", knots=0).shape[1] == 0
    assert columns("trend", knots=50, granularity="month", periods=24).shape[1] == 23


@pytest.mark.parametrize(("periods", "knots"), [(8, 2), (40, 6), (156, 21), (400, 24)])
def test_knots_come_with_the_length_of_the_data(periods: int, knots: int) -> None:
    assert knot_count(panel(RNG.normal(0, 1, periods), RNG.gamma(2, 1, (periods, 1)))) == knots


def with_the_rest(given: MediaPanel, periods: int, **kwargs: int) -> tuple[FloatArray, FloatArray, tuple[str, ...]]:
    """The baseline of a panel's last periods, from the panel without them and from the panel itself; and its groups."""
    known = len(given) - periods
    shorter = replace(
        given,
        period_start=given.period_start[:known],
        outcome=given.outcome[:known],
        spend=given.spend[:known],
        exposure=given.exposure[:known],
        organic_exposure=given.organic_exposure[:known],
        control=given.control[:known],
        event=given.event[:known],
        holiday=given.holiday[:known],
    )
    days = given.period_start[known:]
    step = int(days[-1] - days[-2])
    ahead, _walk = baseline_ahead(
        shorter,
        period_start=np.concatenate([days, days[-1] + step * np.arange(1, len(given) + 1)]),
        holiday=given.holiday[known:],
        event=given.event[known:],
        control=given.control[known:],
        **kwargs,
    )
    whole = baseline_of(given, level=10.0, **kwargs)
    return ahead, whole.columns[known:], whole.groups


@pytest.mark.parametrize("granularity", ["day", "week", "month"])
def test_ahead_of_the_data_columns_are_those_of_data_that_reach_there(granularity: Granularity) -> None:
    """The date's and the names'; a control of the same mean and spread in both is standardised alike."""
    control = np.tile([2.0, 4.0], 225)[:, None]
    given = panel(RNG.normal(10, 1, 450), RNG.gamma(2, 1, (450, 1)), granularity=granularity, controls=control)
    given = replace(
        given, events=("Sale",), event=RNG.random((450, 1)), holidays=("Easter",), holiday=RNG.random((450, 1))
    )
    ahead, whole, groups = with_the_rest(given, 20, knots=0)
    assert ahead.shape == whole.shape
    assert {"intercept", "season", "event: Sale", "holiday: Easter", "control: Control 1"} <= set(groups)
    np.testing.assert_allclose(ahead, whole, rtol=1e-12)


def test_a_straight_line_has_the_same_steps_ahead() -> None:
    given = panel(RNG.normal(10, 1, 60), RNG.gamma(2, 1, (60, 1)))
    ahead, _whole, groups = with_the_rest(given, 9, knots=2)
    trend = ahead[:, [group == "trend" for group in groups]]
    np.testing.assert_allclose(trend[:, 0], 0.5 + np.arange(1, 10) / 50)  # 51 periods, half a step above their mean


def test_the_steps_ahead_are_as_long_as_the_time_between_their_knots() -> None:
    """Twenty months with 7 knots, every 19/6 months: the next ones come 3, 6, 9, 12 (and 15) months after the last."""
    starts = np.array([dt.date(2022 + place // 12, 1 + place % 12, 1).toordinal() for place in range(60)], np.int64)
    starts -= dt.date(1970, 1, 1).toordinal()
    given = panel(RNG.normal(10, 1, 20), RNG.gamma(2, 1, (20, 1)), granularity="month")
    given = replace(given, period_start=starts[:20])  # to August 2023
    none = np.zeros((10, 0))
    _columns, walk = baseline_ahead(given, period_start=starts[20:], holiday=none, event=none, control=none, knots=7)
    days = [
        (dt.date(2023, 11, 1) - dt.date(2023, 8, 1)).days,
        (dt.date(2024, 2, 1) - dt.date(2023, 11, 1)).days,
        (dt.date(2024, 5, 1) - dt.date(2024, 2, 1)).days,
        (dt.date(2024, 8, 1) - dt.date(2024, 5, 1)).days,
    ]
    np.testing.assert_allclose(walk.scales, np.sqrt(np.array(days) / 365.25))
    np.testing.assert_allclose(walk.scales_at(1.5), 1.5 * walk.scales)
    by_hand = [[min(max((month - knot) / 3, 0.0), 1.0) for knot in (0, 3, 6, 9)] for month in range(1, 11)]
    np.testing.assert_allclose(walk.columns, by_hand, atol=1e-12)
