"""What beliefs imply before a model is fitted, against closed forms."""

from statistics import NormalDist

import numpy as np
import pytest

from weightings.methods import priors
from weightings.methods.prior_predictive import PriorPredictive, prior_predictive
from weightings.methods.priors import LogNormal

BELIEVED = LogNormal.from_range(median=1.5, low=0.5, high=4.5)


def implied(
    spend: dict[str, float], effects: dict[str, LogNormal], *, organic: int = 0, **kwargs: float
) -> PriorPredictive:
    return prior_predictive(
        spend=spend,
        organic=[f"Organic {place}" for place in range(organic)],
        outcome=kwargs.get("outcome", 1000.0),
        effects=effects,
        rng=np.random.default_rng(1),
    )


def test_of_one_channel_the_share_is_its_return_times_spend_over_the_outcome() -> None:
    found = implied({"TV": 200.0}, {"TV": BELIEVED})
    for probability in (0.05, 0.25, 0.5, 0.75, 0.95):
        exact = np.exp(BELIEVED.location + BELIEVED.spread * NormalDist().inv_cdf(probability)) * 200 / 1000
        assert found.share(probability) == pytest.approx(exact, rel=1e-3)
    assert found.more_than_all == pytest.approx(1 - BELIEVED.below(5.0), abs=2e-4)


def test_a_channel_loses_money_as_often_as_its_return_is_below_one() -> None:
    (one,) = implied({"TV": 200.0}, {"TV": BELIEVED}).returns
    assert one.loses == pytest.approx(NormalDist().cdf(-np.log(1.5) * 2 * 1.6448536269514722 / np.log(9)), rel=1e-12)
    assert (one.prior, one.usual) == (BELIEVED, False)


def test_channels_add_up_on_average_and_organic_media_are_among_them() -> None:
    spend, effects = {"TV": 100.0, "Search": 300.0}, {"TV": LogNormal(0.0, 0.3), "Search": LogNormal(0.2, 0.4)}
    organic = LogNormal(float(np.log(priors.ORGANIC_SHARE)), priors.SHARE_SPREAD)
    means = [np.exp(one.location + one.spread**2 / 2) for one in (*effects.values(), organic)]
    found = implied(spend, effects, organic=1)
    assert found.shares.mean() == pytest.approx(0.1 * means[0] + 0.3 * means[1] + means[2], rel=5e-3)
    variances = [
        (share * mean) ** 2 * np.expm1(spread**2)
        for share, mean, spread in zip((0.1, 0.3, 1.0), means, (0.3, 0.4, priors.SHARE_SPREAD), strict=True)
    ]
    assert found.shares.var() == pytest.approx(sum(variances), rel=0.05)


def test_of_whom_nobody_says_anything_the_usual_is_believed() -> None:
    known, other = implied({"TV": 100.0, "Search": 300.0}, {"TV": BELIEVED}).returns
    assert (known.usual, other.usual) == (False, True)
    assert other.prior == LogNormal(*priors.ROI)


@pytest.mark.parametrize("outcome", [1e6, 10.0])
def test_where_spend_is_no_money_of_that_currency_shares_are_believed(outcome: float) -> None:
    found = implied({"TV": 100.0, "Search": 300.0}, {}, outcome=outcome)
    assert found.money_doubted
    for one, share in zip(found.returns, (0.25, 0.75), strict=True):
        assert one.prior.median * one.spend / outcome == pytest.approx(share * priors.PAID_SHARE)
        assert one.prior.spread == priors.SHARE_SPREAD
    assert not implied({"TV": 100.0, "Search": 300.0}, {}).money_doubted


@pytest.mark.parametrize(("high", "is_narrow"), [(1.9, True), (1.95, False)])
def test_a_range_in_which_the_higher_end_is_less_than_twice_the_lower_is_narrow(high: float, is_narrow: bool) -> None:
    prior = LogNormal.from_range(median=high**0.5, low=1.0, high=high)
    (one,) = implied({"TV": 200.0}, {"TV": prior}).returns
    assert one.is_narrow is is_narrow


def test_the_same_generator_draws_the_same() -> None:
    one, other = (implied({"TV": 100.0, "Search": 300.0}, {}) for _ in range(2))
    assert one.shares.tolist() == other.shares.tolist()
