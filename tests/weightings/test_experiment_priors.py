"""Experiments as priors of returns: held against quadrature, draws, hand-worked numbers and Meridian's."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given as having
from hypothesis import settings
from hypothesis import strategies as st
from scipy import integrate, stats

from tests.weightings.lifts import TESTS, experiment, market
from weightings.methods.experiments.lifts import Experiment, read
from weightings.methods.experiments.priors import (
    MeasuredReturn,
    adjustment,
    captured_share,
    combined,
    likely_carry_over,
    measured_return,
)
from weightings.methods.media_mix import MediaMixModel
from weightings.methods.preparing import Choices, prepare
from weightings.methods.priors import LogNormal, shape_priors

FloatArray = npt.NDArray[np.float64]
CERTAIN = np.ones(1)


def test_the_share_of_an_effect_within_a_window_worked_out_by_hand() -> None:
    """Weights .5, .3, .2: of the first week's media all is seen, of the second's .8, of the third's .5."""
    weights = np.array([[0.5, 0.3, 0.2]])
    np.testing.assert_allclose(captured_share(np.array([1.0]), weights), [0.5])
    np.testing.assert_allclose(captured_share(np.ones(3), weights), [(1 + 0.8 + 0.5) / 3])
    np.testing.assert_allclose(captured_share(np.array([4.0, 0.0, 1.0]), weights), [(4 + 0.5) / 5])
    np.testing.assert_allclose(captured_share(np.ones(50), weights), [(48 + 0.8 + 0.5) / 50])
    np.testing.assert_allclose(captured_share(np.ones(3), np.array([[1.0]])), [1.0])


@pytest.mark.parametrize("adstock", ["geometric", "delayed"])
def test_likely_carry_over_is_that_of_many_draws(adstock: Any) -> None:
    shapes = shape_priors("week")
    likely = likely_carry_over(adstock, 13, shapes)
    assert likely.probable.sum() == pytest.approx(1.0)
    model = MediaMixModel(("TV",), 13, adstock)
    priors = {f"{block}_location": np.array([location]) for block, (location, _spread) in shapes.items()}
    priors |= {f"{block}_spread": np.array([spread]) for block, (_location, spread) in shapes.items()}
    priors |= {f"{name}_{what}": np.zeros(1) for name in ("effect", "sigma") for what in ("location", "spread")}
    priors |= {"sigma_location": np.array(0.0), "sigma_spread": np.array(0.0)}
    z = np.random.default_rng(0).normal(0, 1, (40_000, model.size))
    weights = model.carry_over(model.parameters(z, priors))[:, 0]
    np.testing.assert_allclose(likely.probable @ likely.weights, weights.mean(axis=0), atol=0.005)


def integrated(believed: LogNormal, measured: list[MeasuredReturn], probable: FloatArray) -> tuple[float, float]:
    """The mean and spread of log ROI by adaptive quadrature."""

    def posterior(log_return: float, power: int) -> float:
        by_share = [
            weight
            * np.prod([stats.norm.pdf(one.mean, one.captured[k] * np.exp(log_return), one.error) for one in measured])
            for k, weight in enumerate(probable)
        ]
        return float(log_return**power * sum(by_share) * stats.norm.pdf(log_return, believed.location, believed.spread))

    ends = (believed.location - 8 * believed.spread, believed.location + 8 * believed.spread)
    at = [float(np.log(one.mean)) for one in measured if one.mean > 0]
    zeroth, first, second = (
        integrate.quad(posterior, *ends, args=(power,), points=at, limit=500)[0] for power in (0, 1, 2)
    )
    return first / zeroth, float(np.sqrt(second / zeroth - (first / zeroth) ** 2))


BELIEVED = LogNormal(0.2, 0.9)


@pytest.mark.parametrize(
    "measured",
    [
        [(2.0, 0.4)],
        [(2.0, 0.02)],
        [(0.3, 0.5)],
        [(-0.5, 0.4)],
        [(0.0, 0.1)],
        [(2.0, 0.4), (1.0, 0.3), (-0.1, 1.0)],
    ],
    ids=str,
)
def test_the_combined_belief_is_that_of_quadrature(measured: list[tuple[float, float]]) -> None:
    shares, probable = np.array([0.6, 0.8, 1.0]), np.array([0.2, 0.5, 0.3])
    returns = [MeasuredReturn(mean, error, shares) for mean, error in measured]
    found = combined(BELIEVED, returns, probable)
    location, spread = integrated(BELIEVED, returns, probable)
    assert found.location == pytest.approx(location, abs=1e-5)
    assert found.spread == pytest.approx(spread, rel=1e-3)


def test_clearly_positive_returns_are_combined_by_precision_of_their_logarithms() -> None:
    measured = [MeasuredReturn(2.0, 0.02, CERTAIN), MeasuredReturn(2.05, 0.04, CERTAIN)]
    logs = [(BELIEVED.location, BELIEVED.spread), (np.log(2.0), 0.02 / 2.0), (np.log(2.05), 0.04 / 2.05)]
    precisions = np.array([1 / spread**2 for _location, spread in logs])
    found = combined(BELIEVED, measured, CERTAIN)
    expected = np.dot(precisions, [location for location, _spread in logs]) / precisions.sum()
    assert found.location == pytest.approx(expected, abs=0.0005)
    assert found.spread == pytest.approx(precisions.sum() ** -0.5, rel=0.01)


def test_a_vague_return_changes_nothing_and_one_at_or_below_zero_lowers() -> None:
    vague = combined(BELIEVED, [MeasuredReturn(3.0, 1e9, CERTAIN)], CERTAIN)
    assert vague.location == pytest.approx(0.2, abs=1e-6)
    assert vague.spread == pytest.approx(0.9, rel=1e-6)
    medians = [combined(BELIEVED, [MeasuredReturn(mean, 0.5, CERTAIN)], CERTAIN).median for mean in (1, 0, -1, -5)]
    assert BELIEVED.median > medians[0] > medians[1] > medians[2] > medians[3] > 0


def test_what_carries_over_out_of_the_window_is_added_and_makes_less_sure() -> None:
    certain = combined(BELIEVED, [MeasuredReturn(1.0, 0.01, CERTAIN)], CERTAIN)
    half = combined(BELIEVED, [MeasuredReturn(1.0, 0.01, 0.5 * CERTAIN)], CERTAIN)
    unsure = combined(BELIEVED, [MeasuredReturn(1.0, 0.01, np.array([0.4, 0.6]))], np.array([0.5, 0.5]))
    assert half.median == pytest.approx(2 * certain.median, rel=1e-3)
    assert half.spread == pytest.approx(certain.spread, rel=0.01)
    assert unsure.spread > 10 * half.spread


@settings(max_examples=25)
@having(st.floats(-8, 8), st.floats(0.1, 3), st.floats(0.01, 1))
def test_the_belief_is_of_the_same_shape_in_every_unit(log_factor: float, mean: float, error: float) -> None:
    factor = np.exp(log_factor)
    one = combined(BELIEVED, [MeasuredReturn(mean, error, CERTAIN)], CERTAIN)
    other = combined(
        LogNormal(BELIEVED.location + log_factor, BELIEVED.spread),
        [MeasuredReturn(mean * factor, error * factor, CERTAIN)],
        CERTAIN,
    )
    assert other.location == pytest.approx(one.location + log_factor, abs=1e-8)
    assert other.spread == pytest.approx(one.spread, rel=1e-6)


def test_a_test_outside_the_data_is_a_belief_with_its_days_spread_evenly() -> None:
    given = market()
    test = experiment(start=-100, days=17, lift=300.0, standard_error=50.0, spend=200.0)
    (reading,) = read(given, [test], "auto", "within")
    likely = likely_carry_over("geometric", 13, shape_priors("week"))
    measured = measured_return(given, reading, likely, adjusted=False)
    assert (measured.mean, measured.error) == (1.5, 0.25)
    np.testing.assert_allclose(measured.captured, captured_share(np.array([1, 1, 3 / 7]), likely.weights))
    prepared = prepare(given, Choices(experiments=(test,), lifts_count="within"))
    expected = combined(BELIEVED, [measured], likely.probable)
    assert prepared.priors.effects[0].prior == expected
    assert prepared.priors.effects[1].prior == BELIEVED
    assert "experiments" not in prepared.data


@pytest.mark.parametrize("test", [TESTS[0], experiment(start=-100, days=17, lift=300.0, spend=200.0)], ids=str)
def test_a_lift_that_counts_all_over_its_spend_is_the_return(test: Experiment) -> None:
    """Whatever is believed of carry-over; combined with the belief by precision of logarithms."""
    given, test = market(), replace(test, standard_error=0.02 * test.lift)
    mean = test.lift / test.spend
    precisions = np.array([1 / BELIEVED.spread**2, 1 / 0.02**2])
    expected = precisions @ [BELIEVED.location, np.log(mean)] / precisions.sum()
    for choices in (Choices(), Choices(lags=3), Choices(adstock="delayed")):
        prepared = prepare(given, replace(choices, experiments=(test,), experiments_as="prior"))
        assert prepared.readings[0].counts == "all"
        prior = prepared.priors.effects[0].prior
        assert prior.location == pytest.approx(expected, abs=0.001)
        assert prior.spread == pytest.approx(precisions.sum() ** -0.5, rel=0.01)
        exact = combined(BELIEVED, [MeasuredReturn(mean, 0.02 * mean, CERTAIN)], CERTAIN)
        assert (prior.location, prior.spread) == pytest.approx((exact.location, exact.spread), rel=1e-12)


def test_what_the_user_expects_is_combined_and_not_replaced() -> None:
    given, own = market(), LogNormal(np.log(3.0), 0.3)
    choices = Choices(effects={"Channel 1": own}, experiments=TESTS[:1], experiments_as="prior")
    prepared = prepare(given, choices)
    (reading,) = prepared.readings
    likely = likely_carry_over("geometric", 13, shape_priors("week"))
    expected = combined(own, [measured_return(given, reading, likely, adjusted=False)], likely.probable)
    assert prepared.priors.effects[0].prior == expected


def test_a_belief_about_a_share_of_the_outcome_is_moved_by_the_return_that_it_stands_for() -> None:
    given = replace(market(), is_money=False)
    plain, calibrated = (
        prepare(given, Choices(experiments=tests, experiments_as="prior")) for tests in ((), TESTS[:1])
    )
    before, after = (prepared.priors.effects[0] for prepared in (plain, calibrated))
    assert (before.kind, after.kind) == ("contribution", "contribution")
    per_return = np.log(given.spend[:, 0].sum() / given.outcome.sum())
    likely = likely_carry_over("geometric", 13, shape_priors("week"))
    measured = measured_return(given, calibrated.readings[0], likely, adjusted=False)
    as_return = combined(
        LogNormal(before.prior.location - per_return, before.prior.spread), [measured], likely.probable
    )
    assert after.prior.location == pytest.approx(as_return.location + per_return)
    assert after.prior.spread == pytest.approx(as_return.spread)


def test_meridians_adjustment_of_a_short_old_and_large_test() -> None:
    """Meridian 2.1's own functions, evaluated for 4 weeks of twice the usual spend that ended half a year ago."""
    found = adjustment(
        0.5 ** np.arange(9.0), periods=4, weeks_since_end=26, channel_spend_per_day=1000, experiment_spend_per_day=2000
    )
    assert found.captured == pytest.approx(0.9393346379647749, rel=1e-9)
    assert found.gamma == pytest.approx(1.0645833333333334, rel=1e-9)
    assert found.tau_duration == pytest.approx(0.0645833333333334, rel=1e-9)
    assert found.tau_recency == pytest.approx(0.414213562373095, rel=1e-9)
    assert found.tau_spend == pytest.approx(1.0, rel=1e-9)
    assert found.mean(2.0) == pytest.approx(2.129166666666667, rel=1e-9)
    assert found.error(0.4) == pytest.approx(0.6297678169873628, rel=1e-9)


def test_a_long_recent_test_of_usual_spend_is_taken_as_it_is() -> None:
    found = adjustment(
        0.5 ** np.arange(4.0), periods=60, weeks_since_end=-3, channel_spend_per_day=50, experiment_spend_per_day=50
    )
    assert (found.mean(2.0), found.error(0.4)) == (2.0, 0.4)


def test_the_adjusted_prior_takes_days_spend_and_age_from_the_panel() -> None:
    given = market()
    test = experiment(start=70, days=28, spend=300.0)
    (reading,) = read(given, [test], "adjusted_prior", "within")
    likely = likely_carry_over("geometric", 13, shape_priors("week"))
    found = measured_return(given, reading, likely, adjusted=True)
    expected = adjustment(
        likely.probable @ likely.weights,
        periods=4,
        weeks_since_end=(280 - 98) / 7,
        channel_spend_per_day=given.spend[:, 0].sum() / 280,
        experiment_spend_per_day=300 / 28,
    )
    assert found.mean == pytest.approx(expected.mean(3.0))
    assert found.error == pytest.approx(expected.error(100 / 300))
    assert np.all(found.captured == 1)
    choices = Choices(experiments=(test,), experiments_as="adjusted_prior", lifts_count="within")
    prepared = prepare(given, choices)
    assert prepared.priors.effects[0].prior == combined(BELIEVED, [found], likely.probable)
    assert "experiments" not in prepared.data


def test_a_lift_that_counts_all_is_not_adjusted_for_how_long_it_was() -> None:
    given = market()
    (reading,) = read(given, [experiment(start=70, days=28, spend=300.0)], "adjusted_prior")
    likely = likely_carry_over("geometric", 13, shape_priors("week"))
    found = measured_return(given, reading, likely, adjusted=True)
    per_day = given.spend[:, 0].sum() / 280
    low, high = sorted([per_day, 300 / 28])
    assert found.mean == 3.0
    # 26 weeks old: the variance is 2^(26/52) times as large, and what its spend per day is off by more.
    assert found.error == pytest.approx(100 / 300 * np.sqrt(2**0.5 + high / low - 1))
