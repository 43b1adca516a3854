"""Forecasts: by hand, by brute force, and against the model that has later periods of which it knows no outcome."""

import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.weightings.forecasts import LAGS, WEEKS, market, nothing, some_draws, with_coefficients
from tests.weightings.worlds import panel
from weightings.methods.fitting import predictive
from weightings.methods.forecasting.forecast import bands, forecast
from weightings.methods.forecasting.forecast_plan import Plan, flighting_of
from weightings.methods.media_mix import MediaMixModel
from weightings.methods.outcome_scale import OutcomeScale
from weightings.methods.posterior import posterior_of
from weightings.methods.preparing import Choices, prepare
from weightings.methods.quantities import Window
from weightings.methods.storing import pack_panel, pack_posterior, unpack_panel, unpack_posterior

FloatArray = npt.NDArray[np.float64]


# Media


def test_the_datas_flighting_planned_again_adds_what_it_would_have_added() -> None:
    of = market()
    posterior = some_draws(of)
    plan = Plan(spend=flighting_of(of, Window(10, 30)), organic={"Blog": of.organic_exposure[16:36, 0]})
    found = forecast(of, posterior, plan, knots=6)
    amounts = np.hstack([posterior.amounts[:, -(LAGS - 1) :], posterior.amounts[:, LAGS - 1 + 10 : LAGS - 1 + 30]])
    added = posterior.added(slice(0, 20), amounts) * posterior.scale.unit
    np.testing.assert_allclose(found.contribution, added, rtol=1e-9)
    # Once the carry-in is over, it is what it was.
    then = posterior.added(slice(0, 20), posterior.amounts)[:, :, 10 + LAGS - 1 : 30] * posterior.scale.unit
    np.testing.assert_allclose(found.contribution[:, :, LAGS - 1 :], then, rtol=1e-9)


def test_no_spend_leaves_the_baseline_and_what_carries_over() -> None:
    of = replace(market(), organic=(), organic_exposure=np.zeros((WEEKS + 6, 0)), organic_units=())
    posterior = some_draws(of)
    found = forecast(of, posterior, Plan(spend=nothing(8)), knots=6)
    carried = posterior.added(slice(0, 20), np.pad(posterior.amounts, ((0, 0), (0, 8))))[:, :, WEEKS:]
    np.testing.assert_allclose(found.contribution, carried * posterior.scale.unit, rtol=1e-9)
    np.testing.assert_allclose(found.expected, found.baseline + found.contribution.sum(axis=1), rtol=1e-12)
    assert found.contribution[:, :, : LAGS - 1].min() > 0
    assert not found.contribution[:, :, LAGS - 1 :].any()
    np.testing.assert_array_equal(found.quantities.incremental, 0.0)
    np.testing.assert_allclose(found.quantities.carry_in, found.contribution.sum(axis=2), rtol=1e-9)
    np.testing.assert_array_equal(found.added, 0.0)


def test_what_a_plan_adds_counts_what_comes_behind_it() -> None:
    """One channel, no carry-in: the last week's money works on after the horizon."""
    spend = np.zeros((WEEKS, 1))
    spend[:20, 0] = 100.0
    of = panel(np.random.default_rng(1).normal(500, 10, WEEKS), spend)
    posterior = replace(with_coefficients(of, 0), model=MediaMixModel(of.channels, 3), beta=np.array([[60.0]]))
    posterior = replace(posterior, amounts=np.hstack([np.ones((1, 2)), spend.T / 100]))
    found = forecast(of, posterior, Plan(spend=np.array([[0.0], [200.0]])), knots=0)
    # Carry-over of 1, 1/2, 1/4 of 7/4; S(x) = x / (x + 1); the usual amount is 100.
    stock = 2 * np.array([4, 2, 1]) / 7
    each = 60 * stock / (stock + 1)
    np.testing.assert_allclose(found.contribution[0, 0], [0.0, each[0]])
    assert found.quantities.incremental[0, 0] == pytest.approx(each.sum())
    assert found.quantities.carry_over[0, 0] == pytest.approx(each[1:].sum())
    assert found.quantities.return_on_spend[0, 0] == pytest.approx(each.sum() / 200)
    assert found.added[0] == pytest.approx(each.sum())
    assert found.reach[0] == pytest.approx(2.0)
    assert found.beyond == ("Channel 1",)


def test_more_than_was_ever_seen_is_flagged() -> None:
    of = market()
    most = of.spend.max(axis=0)
    plan = Plan(spend=np.array([most * [1.0, 1.001], most * [0.5, 0.0]]), organic={"Blog": [0.0, 0.0]})
    found = forecast(of, some_draws(of), plan, knots=6)
    assert found.beyond == ("Search",)
    np.testing.assert_allclose(found.reach, [1.0, 1.001, 0.0])


@pytest.mark.parametrize("bounded", [False, True], ids=["amount", "bounded"])
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_whatever_is_planned_adds_up(bounded: bool, data: st.DataObject) -> None:
    of, posterior = _MARKETS[bounded], _DRAWS[bounded]
    periods = data.draw(st.integers(1, 52))
    rng = np.random.default_rng(data.draw(st.integers(0, 10**6)))
    scale = data.draw(st.sampled_from([0.0, 0.3, 1.0, 50.0]))
    plan = Plan(
        spend=scale * rng.gamma(2, 50, (periods, 2)) * (rng.random((periods, 2)) < 0.7),
        organic={"Blog": rng.gamma(2, 500, periods)},
        controls={"Price": rng.normal(20, 10, periods)},
        events={"Sale": rng.random(periods)},
        holidays={"Easter": np.ones(periods)},
    )
    found = forecast(of, posterior, plan, knots=6)
    np.testing.assert_allclose(found.baseline + found.contribution.sum(axis=1), found.expected, rtol=1e-9)
    np.testing.assert_allclose(found.total(found.expected), found.quantities.expected, rtol=1e-9)
    np.testing.assert_allclose(found.total(found.baseline), found.quantities.baseline, rtol=1e-9)
    np.testing.assert_allclose(found.total(found.contribution), found.quantities.contribution, rtol=1e-9, atol=1e-9)
    assert np.all(found.added >= -1e-9)
    if bounded:
        assert found.predicted.min() >= 0.0
        assert found.predicted.max() <= 100.0
        for mean in (found.expected, found.baseline):  # over the noise, in floating point
            assert mean.min() >= -1e-9
            assert mean.max() <= 100.0 + 1e-9
    else:
        np.testing.assert_allclose(found.added, found.quantities.incremental[:, :2].sum(axis=1), rtol=1e-9, atol=1e-9)
    low, median, high = bands(found.total(found.predicted), 0.9)
    assert low <= median <= high


def test_a_bounded_plan_is_set_against_no_spend_at_all() -> None:
    """By two forecasts: with the plan and without it, far enough ahead that nothing carries over behind them."""
    of, posterior = _MARKETS[True], _DRAWS[True]
    rest: dict[str, Any] = {"organic": {"Blog": [300.0] * 20}, "controls": {"Price": [20.0] * 20}}
    spend = flighting_of(of, Window(20, 40))
    spend[-LAGS:] = 0.0
    with_plan = forecast(of, posterior, Plan(spend=spend, **rest), knots=6)
    without = forecast(of, posterior, Plan(spend=nothing(20), **rest), knots=6)
    np.testing.assert_allclose(with_plan.added, (with_plan.expected - without.expected).mean(axis=1), rtol=1e-9)
    np.testing.assert_allclose(with_plan.total(with_plan.predicted), with_plan.predicted.mean(axis=1))


def test_a_bounded_outcome_by_hand() -> None:
    """One channel of which half comes a week later, behind the horizon, where the baseline stays."""
    spend = np.zeros((WEEKS, 1))
    spend[5] = 100.0
    of = panel(np.random.default_rng(1).uniform(20, 40, WEEKS), spend, bounds=(10.0, 60.0), is_money=False)
    posterior = with_coefficients(of, 0, intercept=[-2.0])
    posterior = replace(
        posterior,
        model=MediaMixModel(of.channels, 2),
        scale=OutcomeScale(1.0, of.bounds, 10**12),
        amounts=np.hstack([np.zeros((1, 1)), spend.T / 100]),
        parameters={**posterior.parameters, "retention": np.ones((1, 1))},
        beta=np.array([[2.0]]),
    )
    found = forecast(of, posterior, Plan(spend=np.array([[0.0], [0.0], [200.0]])), knots=0)
    with_half = 10 + 50 / (1 + np.exp(2 - 2 * 0.5))  # S(x) = x / (x + 1) of one usual amount
    without = 10 + 50 / (1 + np.exp(2))
    np.testing.assert_allclose(found.expected[0], [without, without, with_half])
    np.testing.assert_allclose(found.contribution[0, 0], [0.0, 0.0, with_half - without], atol=1e-9)
    assert found.total(found.expected)[0] == pytest.approx((2 * without + with_half) / 3)
    assert found.added[0] == pytest.approx(2 * (with_half - without) / 3)
    assert found.quantities.incremental[0, 0] == pytest.approx(2 * (with_half - without) / 3)
    assert found.quantities.carry_over[0, 0] == pytest.approx((with_half - without) / 3)


def test_blocks_of_draws_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    of, posterior, plan = _MARKETS[True], _DRAWS[True], Plan(spend=np.full((9, 2), 80.0))
    whole = forecast(of, posterior, plan, knots=6)
    monkeypatch.setattr("weightings.methods.posterior.BLOCK_BYTES", 1)
    one_by_one = forecast(of, posterior, plan, knots=6)
    for name in ("expected", "baseline", "predicted", "added"):
        np.testing.assert_allclose(getattr(one_by_one, name), getattr(whole, name), rtol=1e-12)


# The noise, and the model as a whole


def test_a_longer_forecast_begins_as_a_shorter_one() -> None:
    of = market()
    posterior = some_draws(of)
    spend = flighting_of(of, Window(0, 30))
    short, long = (forecast(of, posterior, Plan(spend=spend[:periods]), knots=6, seed=3) for periods in (11, 30))
    np.testing.assert_allclose(long.predicted[:, :11], short.predicted, rtol=1e-12)
    np.testing.assert_allclose(long.contribution[:, :, :11], short.contribution, rtol=1e-9, atol=1e-12)
    other = forecast(of, posterior, Plan(spend=spend[:11]), knots=6, seed=4)
    assert not np.allclose(other.predicted, short.predicted)
    again = forecast(of, posterior, Plan(spend=spend[:11]), knots=6, seed=3)
    np.testing.assert_array_equal(again.predicted, short.predicted)


def test_predictions_have_the_noise_of_their_draw() -> None:
    of = market()
    many = with_coefficients(of, 0, intercept=[500.0]).take(np.zeros(20_000, np.int64))
    sigma = np.where(np.arange(20_000) < 10_000, 1.0, 30.0)
    many = replace(many, parameters={**many.parameters, "sigma": sigma})
    found = forecast(of, many, Plan(spend=nothing(4)), knots=0)
    noise = found.predicted - found.expected
    np.testing.assert_allclose(noise[:10_000].std(axis=0), 1.0, rtol=0.04)
    np.testing.assert_allclose(noise[10_000:].std(axis=0), 30.0, rtol=0.04)
    assert np.all(np.abs(np.corrcoef(noise[10_000:].T) - np.eye(4)) < 0.05)
    np.testing.assert_allclose(bands(noise[10_000:], 0.9)[2], 30 * 1.645, rtol=0.05)


def test_a_forecast_is_what_the_model_says_of_later_periods_that_it_does_not_know() -> None:
    """The same positions, once in a model of 105 weeks that is continued, once in one of 129 that knows 105 of them.

    By design the two differ in general: the longer model's knots lie elsewhere, its controls are standardised over more
    periods, and its ROI is one of more spend. Here knots of both are 8 weeks apart, the media go round in three weeks,
    and there is no control. What is left is where the trend's columns are centred, which an intercept makes up for.
    """
    weeks, ahead, history, draws = 105, 24, 12, 6000
    rng = np.random.default_rng(50)
    spend = np.tile(rng.gamma(2, 50, (3, 2)), ((weeks + ahead + history) // 3, 1))
    wander = np.cumsum(rng.normal(0, 25, weeks))
    season = 150 * np.sin(2 * np.pi * np.arange(weeks) / 52)
    outcome = np.append(3000 + wander + season + rng.normal(0, 60, weeks), np.full(ahead, np.nan))
    event = np.zeros((weeks + ahead, 1))
    event[[3, 40, 80, 110, 120]] = 1.0
    later = replace(panel(outcome, spend, history=history), events=("Sale",), event=event)
    known = weeks + history
    now = replace(
        later,
        period_start=later.period_start[:known],
        outcome=outcome[:weeks],
        spend=spend[:known],
        exposure=spend[:known],
        organic_exposure=later.organic_exposure[:known],
        control=later.control[:weeks],
        event=later.event[:weeks],
        holiday=later.holiday[:weeks],
    )
    shorter, longer = prepare(now, Choices(knots=14)), prepare(later, Choices(knots=17))
    positions = rng.normal(0, 0.5, (1, shorter.model.size)).repeat(draws, axis=0)
    fitted, whole = (posterior_of(each, positions, np.random.default_rng(51)) for each in (shorter, longer))
    np.testing.assert_allclose(fitted.beta, whole.beta, rtol=1e-9)
    plan = Plan(spend=spend[known:], events={"Sale": event[weeks:, 0]})
    found = forecast(now, fitted, plan, knots=14, seed=52)
    unit = whole.scale.unit
    predicted = predictive(whole, np.random.default_rng(53))
    for ours, theirs in ((found.baseline, whole.baseline * unit), (found.predicted, predicted)):
        theirs = theirs[:, weeks:]
        spread = theirs.std(axis=0)
        assert np.all(np.abs(ours.mean(axis=0) - theirs.mean(axis=0)) < 4 * spread * np.sqrt(2 / draws))
        np.testing.assert_allclose(ours.std(axis=0), spread, rtol=0.06)
        for level in (0.05, 0.95):
            gap = np.quantile(ours, level, axis=0) - np.quantile(theirs, level, axis=0)
            assert np.all(np.abs(gap) < 0.1 * spread)
    added = whole.added(slice(0, 1), whole.amounts)[0, :, weeks:] * unit
    np.testing.assert_allclose(found.contribution[0], added, rtol=1e-9)


def test_a_stored_model_forecasts_what_it_did() -> None:
    of, posterior = _MARKETS[False], _DRAWS[False]
    described, arrays = pack_panel(of)
    told, more = pack_posterior(posterior)
    plan = Plan(spend=np.full((5, 2), 80.0))
    stored = forecast(unpack_panel(described, arrays), unpack_posterior(told, more), plan, knots=6)
    np.testing.assert_array_equal(stored.predicted, forecast(of, posterior, plan, knots=6).predicted)


def test_one_draw_of_one_period() -> None:
    of, posterior = _MARKETS[False], _DRAWS[False].take(np.array([3]))
    found = forecast(of, posterior, Plan(spend=np.full((1, 2), 80.0)), knots=6)
    assert found.predicted.shape == (1, 1)
    assert found.contribution.shape == (1, 3, 1)


def test_organic_media_alone_can_be_forecast() -> None:
    of = market()
    without = (WEEKS + 6, 0)
    of = replace(of, channels=(), spend=np.zeros(without), exposure=np.zeros(without), exposure_units=())
    found = forecast(of, some_draws(of), Plan(spend=np.zeros((4, 0))), knots=6)
    assert found.contribution.shape == (20, 1, 4)
    np.testing.assert_array_equal(found.added, 0.0)
    assert found.quantities.incremental.min() > 0


def test_other_data_or_other_knots_are_refused() -> None:
    of, posterior, plan = _MARKETS[False], _DRAWS[False], Plan(spend=nothing(4))
    for other, knots in (
        (of, 7),
        (of, None),
        (replace(of, spend=2 * of.spend, exposure=of.exposure[::-1].copy()), 6),
        (replace(of, exposure=0 * of.exposure), 6),
        (replace(of, control=of.control**2), 6),
        (replace(of, channels=("TV", "Radio")), 6),
        (market(weeks=WEEKS + 1), 6),
    ):
        with pytest.raises(ValueError, match="not fitted to these data with these knots"):
            forecast(other, posterior, plan, knots=knots)


def test_a_forecast_needs_no_jax() -> None:
    modules = ("weightings.methods.forecasting.forecast", "weightings.methods.forecasting.backtest")
    code = f"import sys, {', '.join(modules)}; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


_MARKETS = {bounded: market(bounded=bounded) for bounded in (False, True)}
_DRAWS = {bounded: some_draws(of) for bounded, of in _MARKETS.items()}
