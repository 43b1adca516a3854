"""How experiments are read: the periods that hold their days, and whether they are measurements, beliefs or neither."""

import datetime as dt
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given as having
from hypothesis import strategies as st

from tests.weightings.lifts import TESTS, density, experiment, market
from tests.weightings.worlds import panel
from weightings.methods.experiments.lifts import Experiment, Use, experiment_window, period_days, read
from weightings.methods.preparing import Choices, prepare


@pytest.mark.parametrize(
    ("start", "days", "periods", "shares"),
    [
        (0, 7, (0, 1), [1.0]),
        (3, 1, (0, 1), [1 / 7]),
        (6, 2, (0, 2), [1 / 7, 1 / 7]),
        (5, 16, (0, 3), [2 / 7, 1.0, 1.0]),
        (273, 7, (39, 40), [1.0]),
    ],
)
def test_days_become_shares_of_weeks(start: int, days: int, periods: tuple[int, int], shares: list[float]) -> None:
    window = experiment_window(market(), experiment(start=start, days=days))
    assert window is not None
    assert (window.start, window.stop) == periods
    assert window.shares.tolist() == pytest.approx(shares)


@pytest.mark.parametrize(("start", "days"), [(-1, 5), (274, 7), (-10, 400), (300, 5)])
def test_a_window_that_is_not_wholly_in_the_data_is_none(start: int, days: int) -> None:
    assert experiment_window(market(), experiment(start=start, days=days)) is None
    (reading,) = read(market(), [experiment(start=start, days=days)], "auto")
    assert (reading.route, reading.modelled) == ("prior", None)
    assert "not all in the weeks that the model of “Sales” learns from" in reading.why


def test_days_of_history_are_not_days_of_the_outcome() -> None:
    whole = market()
    given = panel(whole.outcome[4:], whole.spend, history=4)
    assert experiment_window(given, experiment(start=27)) is None
    window = experiment_window(given, experiment(start=28, days=7))
    assert window is not None
    assert window.start == 0
    assert window.spend == pytest.approx(given.spend[4, 0])


def test_months_have_their_own_lengths() -> None:
    months = np.arange("2023-11", "2024-04", dtype="datetime64[M]").astype("datetime64[D]").astype(np.int64)
    given = replace(panel(np.arange(5.0), np.ones((5, 1)), granularity="month"), period_start=months)
    starts, ends = period_days(given)
    assert (ends - starts + 1).tolist() == [30, 31, 31, 29, 31]
    leap = dt.date(2024, 2, 29).toordinal() - dt.date(1970, 1, 1).toordinal()
    window = experiment_window(given, replace(experiment(), start=leap, end=leap + 1))
    assert window is not None
    assert window.shares.tolist() == pytest.approx([1 / 29, 1 / 31])


def test_by_day_every_day_is_a_period() -> None:
    given = panel(np.arange(50.0), np.ones((50, 1)), granularity="day")
    window = experiment_window(given, experiment(start=45, days=5))
    assert window is not None
    assert (window.start, window.stop, window.spend) == (45, 50, 5.0)


@having(st.integers(0, 279), st.integers(1, 280))
def test_shares_of_periods_add_up_to_the_days(start: int, days: int) -> None:
    test = experiment(start=start, days=min(days, 280 - start))
    window = experiment_window(market(), test)
    assert window is not None
    assert 7 * window.shares.sum() == pytest.approx(test.days)
    assert np.all((window.shares > 0) & (window.shares <= 1))


@pytest.mark.parametrize(
    ("times", "route"), [(0.01, "likelihood"), (1.0, "likelihood"), (1.04, "likelihood"), (1.06, "prior")]
)
def test_a_test_of_more_than_was_spent_is_a_belief(times: float, route: str) -> None:
    given = market()
    window = experiment_window(given, experiment())
    assert window is not None
    (reading,) = read(given, [experiment(spend=times * window.spend)], "auto")
    assert reading.route == route
    assert (reading.modelled is None) == (route == "prior")
    assert ("Check the spend of both" in reading.why) == (route == "prior")


def test_a_test_on_days_without_spend_in_the_data_is_a_belief() -> None:
    given = market()
    spend = given.spend.copy()
    spend[1:6, 0] = 0.0
    (reading,) = read(replace(given, spend=spend, exposure=spend), [experiment()], "auto")
    assert reading.route == "prior"
    assert reading.why.endswith("the data have no spend of the channel in them.")


@pytest.mark.parametrize(
    ("change", "test", "use", "why"),
    [
        ({"bounds": (0.0, 1e6)}, experiment(), "likelihood", "“Sales” has bounds"),
        ({"is_money": False}, experiment(), "auto", "lifts are taken to be in money, and “Sales” is not"),
        ({}, experiment("Radio"), "auto", "the channel has no spend in these data"),
        ({}, experiment(spend=0.0), "prior", "nothing was spent on it"),
    ],
)
def test_what_cannot_be_used_says_why(change: dict[str, Any], test: Experiment, use: Use, why: str) -> None:
    given = replace(market(), **change)
    (reading,) = read(given, [test], use)
    assert reading.route is None
    assert why in reading.why
    position = np.zeros(prepare(given, Choices(lags=5)).model.size)
    assert density(prepare(given, Choices(lags=5, experiments=(test,), experiments_as=use)), position) == density(
        prepare(given, Choices(lags=5)), position
    )


def test_a_standard_error_below_a_hundredth_of_the_lift_is_raised_and_remarked_on() -> None:
    tests = [
        experiment(lift=lift, standard_error=error, **more)
        for lift, error, more in (
            (900.0, 8.9, {}),
            (-900.0, 8.9, {"start": -100}),
            (900.0, 9.0, {}),
            (900.0, 8.9, {"channel": "Radio"}),
        )
    ]
    assert [test.error for test in tests] == [9.0] * 4
    used, belief, precise, unused = read(market(), tests, "auto")
    (raised,) = used.remarks
    assert raised == (
        "The standard error of the experiment on “Channel 1” (13 Jan – 9 Feb 2022) is below 1% of its lift, and is "
        "taken to be 1% of it: hardly any lift is known better."
    )
    assert belief.remarks[0] == belief.why
    assert belief.remarks[1].startswith("The standard error of the experiment on “Channel 1” (25 Sep")
    assert precise.remarks == ()
    assert unused.remarks == (unused.why,)


def test_experiments_are_used_for_other_outcomes_if_asked_for() -> None:
    assert [reading.route for reading in read(replace(market(), is_money=False), TESTS, "likelihood")] == [
        "likelihood"
    ] * 3


@pytest.mark.parametrize(
    "wrong",
    [{"lift": np.nan}, {"standard_error": 0.0}, {"standard_error": np.inf}, {"spend": -1.0}, {"days": 0}],
    ids=str,
)
def test_numbers_that_are_none_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="An experiment on “Channel 1” must have finite numbers"):
        experiment(**wrong)
