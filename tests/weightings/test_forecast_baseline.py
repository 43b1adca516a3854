"""The baseline in the periods after the data: by hand, and the trend's walk against walks drawn step by step."""

import datetime as dt
from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest

from marketing.frames import MediaPanel
from tests.weightings.forecasts import WEEKS, market, nothing, some_draws, with_coefficients
from weightings.methods.baseline import TREND_SCALES, baseline_of
from weightings.methods.forecasting.forecast import forecast
from weightings.methods.forecasting.forecast_plan import Plan

FloatArray = npt.NDArray[np.float64]
EPOCH = dt.date(1970, 1, 1)


def day(year: int, month: int, of_month: int) -> int:
    return (dt.date(year, month, of_month) - EPOCH).days


def test_season_control_event_and_holiday_by_hand() -> None:
    of = market()
    season = [10.0, -4, 0, 0, 0, 3, 0, 0]
    posterior = with_coefficients(of, 0, intercept=[500.0], season=season, Price=[7.0], Sale=[70.0], Easter=[-9.0])
    plan = Plan(
        spend=nothing(3),
        controls={"Price": [20.0, 30.0, 25.0]},
        events={"Sale": [0, 2 / 7, 0]},
        holidays={"Easter": [0.0, 0.0, 2.0]},
    )
    found = forecast(of, posterior, plan, knots=0)
    first = int(of.period_start[-1]) + 7
    expected = []
    for week, (price, sale, easter) in enumerate([(20, 0, 0), (30, 2 / 7, 0), (25, 0, 2)]):
        angle = 2 * np.pi * (first + 7 * week + 3.5) / 365.25
        waves = 10 * np.sin(angle) - 4 * np.cos(angle) + 3 * np.cos(3 * angle)
        control = 7 * (price - of.control.mean()) / of.control.std()
        expected.append(500 + waves + control + 70 * sale - 9 * easter)
    np.testing.assert_array_equal(found.plan.period_start, first + 7 * np.arange(3))
    np.testing.assert_allclose(found.expected[0], expected, rtol=1e-12)
    np.testing.assert_allclose(found.predicted, found.expected)  # there is no noise
    assert found.total(found.expected)[0] == pytest.approx(sum(expected))


def test_data_of_less_than_a_year_have_no_season_ahead_either() -> None:
    of = market(weeks=40)
    found = forecast(of, with_coefficients(of, 0, intercept=[500.0]), Plan(spend=nothing(52)), knots=0)
    np.testing.assert_allclose(found.expected, 500.0)


def test_weekdays_are_those_of_the_calendar() -> None:
    of = market(weeks=40, granularity="day")
    effects = [10.0, 20, 30, 40, 50, 60, 70]  # from Monday on
    found = forecast(of, with_coefficients(of, 0, weekday=effects), Plan(spend=nothing(10)), knots=0)
    for place, start in enumerate(found.plan.period_start.tolist()):
        weekday = (EPOCH + dt.timedelta(start)).weekday()
        assert found.expected[0, place] == pytest.approx(effects[weekday] - 40)


def test_a_straight_line_goes_on() -> None:
    of = market()
    posterior = with_coefficients(of, 2, intercept=[500.0], trend=[59.0])  # 1 a week
    found = forecast(of, posterior, Plan(spend=nothing(20)), knots=2)
    np.testing.assert_allclose(found.expected[0], posterior.baseline[0, -1] + np.arange(1, 21))
    assert found.model.columns.shape[1] == posterior.columns.shape[1]


def test_no_knots_are_no_trend() -> None:
    of = market()
    posterior = with_coefficients(of, 0, intercept=[500.0])
    np.testing.assert_allclose(forecast(of, posterior, Plan(spend=nothing(20)), knots=0).expected, 500.0)


@pytest.mark.parametrize("knots", [None, 0, 2, 3, 8, WEEKS])
def test_the_baseline_starts_where_it_was(knots: int | None) -> None:
    """With a trend alone: in each draw a period ahead is no farther away than a period's walk."""
    of = market()
    some = some_draws(of, 200, knots=knots)
    only_trend = np.array([group in ("intercept", "trend") for group in baseline_of(of, level=0.0, knots=knots).groups])
    smooth = replace(some, coefficients=some.coefficients * only_trend)
    found = forecast(of, smooth, Plan(spend=nothing(9), organic={"Blog": [0.0] * 9}), knots=knots)
    # Walks of no length: the columns alone.
    still = found.model.coefficients.copy()
    still[:, smooth.columns.shape[1] :] = 0.0
    ahead = still @ found.model.columns.T
    slope = smooth.baseline[:, -1] - smooth.baseline[:, -2] if knots == 2 else np.zeros(200)
    np.testing.assert_allclose(ahead, smooth.baseline[:, -1:] + slope[:, None] * np.arange(1, 10), atol=1e-9)
    walk = found.model.baseline - ahead
    spread = np.array(TREND_SCALES)[smooth.trend_scale][:, None] * np.sqrt(7 * np.arange(1, 10) / 365.25)
    assert np.all(np.abs(walk) <= 5 * spread)
    assert walk.any() == (knots not in (0, 2))


def walks(of: MediaPanel, scale: int, knots: int, periods: int, draws: int = 10_000) -> FloatArray:
    """The baselines (S, H) ahead of draws of one scale, less where they were."""
    one = with_coefficients(of, knots, intercept=[500.0])
    many = replace(one.take(np.zeros(draws, np.int64)), trend_scale=np.full(draws, scale))
    return forecast(of, many, Plan(spend=nothing(periods)), knots=knots, seed=7).baseline - 500.0


@pytest.mark.parametrize("scale", [0, 2, 4])
def test_the_trend_wanders_on_as_its_closed_form_says(scale: int) -> None:
    """Sixty weeks with 3 knots at 0, 29, 59: the next ones come 29 and 59 weeks after the last period."""
    found = walks(market(), scale, 3, 40)
    of_year, first, second = TREND_SCALES[scale] ** 2, 29 * 7 / 365.25, 30 * 7 / 365.25
    weeks = np.arange(1, 41)
    expected = of_year * np.where(weeks <= 29, (weeks / 29) ** 2 * first, first + ((weeks - 29) / 30) ** 2 * second)
    np.testing.assert_allclose(found.var(axis=0), expected, rtol=0.05)
    np.testing.assert_array_less(np.abs(found.mean(axis=0)), 5 * np.sqrt(expected / len(found)))
    together = np.corrcoef(found[:, 28], found[:, 38] - found[:, 28])[0, 1]
    assert abs(together) < 5 / np.sqrt(len(found))


def test_the_walk_is_the_one_that_is_simulated_step_by_step() -> None:
    """Quantiles and covariances of walks drawn by loops, with months of unequal length between the knots."""
    starts = np.array([day(2022 + place // 12, 1 + place % 12, 1) for place in range(26)], np.int64)
    of = market(weeks=20, granularity="month")
    of = replace(of, period_start=starts)
    found = walks(of, 3, 7, 12)
    positions = [place * 19 // 6 for place in range(6, 12)]  # of all months, from the last one of the data on
    days = [day(2022 + (6 + place) // 12, 1 + (6 + place) % 12, 1) for place in positions]
    rng = np.random.default_rng(40)
    drawn = np.empty((10_000, 12))
    for draw in range(len(drawn)):
        levels = [0.0]
        for before, after in pairwise(days):
            levels.append(levels[-1] + rng.normal(0, 1.5 * np.sqrt((after - before) / 365.25)))
        drawn[draw] = np.interp(19 + np.arange(1, 13), positions, levels)
    assert positions[-1] >= 19 + 12
    np.testing.assert_allclose(np.cov(found.T), np.cov(drawn.T), atol=0.06 * drawn[:, -1].var())
    spread = drawn.std(axis=0)
    for level in (0.05, 0.5, 0.95):
        gap = np.abs(np.quantile(found, level, axis=0) - np.quantile(drawn, level, axis=0))
        assert np.all(gap < 0.12 * spread)  # four standard errors
