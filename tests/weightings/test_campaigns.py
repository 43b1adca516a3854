"""What campaigns of a channel added: by hand, by brute force, and adding up."""

from functools import cache

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from tests.weightings import surfaces
from weightings.methods.campaigns import CampaignEffects, campaign_effects
from weightings.methods.media_mix import MediaMixModel
from weightings.methods.outcome_scale import OutcomeScale
from weightings.methods.posterior import Posterior
from weightings.methods.quantities import Window, response_grid

FloatArray = npt.NDArray[np.float64]
PERIODS, LAGS, DRAWS, PLACE = surfaces.PERIODS, surfaces.LAGS, 12, 1
WINDOWS = [Window(0, PERIODS), Window(8, 15), Window(PERIODS - 2, PERIODS), Window(6, 7)]
windows = st.tuples(st.integers(0, PERIODS - 1), st.integers(1, PERIODS)).map(
    lambda ends: Window(ends[0], min(sum(ends), PERIODS))
)


@cache
def market(bounded: bool = False, saturation: str = "hill") -> Posterior:
    posterior, _spend = surfaces.fitted(
        draws=DRAWS,
        bounded=bounded,
        saturation="logistic" if saturation == "logistic" else "hill",
        adstock="geometric" if saturation == "logistic" else "delayed",
    )
    return posterior


def shares(campaigns: int, window: Window, seed: int = 5) -> FloatArray:
    """Of each period's spend, by campaign; some campaigns pause."""
    rng = np.random.default_rng(seed)
    amounts = rng.gamma(1, 1, (campaigns, window.periods)) * (rng.random((campaigns, window.periods)) < 0.7)
    amounts[0] += 0.01  # somebody is always on
    return np.asarray(amounts / amounts.sum(axis=0))


def one_medium(amounts: list[float], *, lags: int, retention: float = 0.5) -> Posterior:
    """One draw of x / (1 + x), times 2 of a unit of 10."""
    periods = len(amounts) - lags + 1
    return Posterior(
        model=MediaMixModel(("TV",), lags),
        scale=OutcomeScale(10.0, None, 50),
        amounts=np.array([amounts]),
        columns=np.ones((periods, 1)),
        parameters={
            "effect": np.ones((1, 1)),
            "retention": np.full((1, 1), retention),
            "half_saturation": np.ones((1, 1)),
            "slope": np.ones((1, 1)),
            "sigma": np.ones(1),
        },
        beta=np.full((1, 1), 2.0),
        coefficients=np.zeros((1, 1)),
        trend_scale=np.zeros(1, np.int64),
    )


def test_without_carry_over_two_campaigns_of_one_and_two_are_known_by_hand() -> None:
    found = campaign_effects(one_medium([3.0], lags=1), 0, Window(0, 1), np.array([[1 / 3], [2 / 3]]))
    # 3 saturates to 3/4, 2 to 2/3 and 1 to 1/2; all times 20.
    assert found.medium == pytest.approx([15.0])
    assert found.incremental[0] == pytest.approx([20 * (3 / 4 - 2 / 3), 20 * (3 / 4 - 1 / 2)])
    assert found.split[0] == pytest.approx([5.0, 10.0])
    assert found.to_come[0].tolist() == [0, 0]


def test_with_carry_over_the_later_campaign_shares_what_is_left_of_the_earlier_one() -> None:
    # Half as much is left a period later: weights 2/3 and 1/3. Nothing from before, 3 in each of two periods.
    found = campaign_effects(one_medium([0.0, 3.0, 3.0], lags=2), 0, Window(0, 2), np.array([[1.0, 0.0], [0.0, 1.0]]))
    # Stocks: 2, then 1 + 2, then 1 behind the data. x / (1 + x): 2/3, 3/4, 1/2.
    assert found.medium == pytest.approx([20 * (2 / 3 + 3 / 4 + 1 / 2)])
    assert found.split[0] == pytest.approx([20 * (2 / 3 + 3 / 4 / 3), 20 * (3 / 4 * 2 / 3 + 1 / 2)])
    assert found.incremental[0] == pytest.approx([20 * (2 / 3 + 3 / 4 - 2 / 3), 20 * (3 / 4 - 1 / 2 + 1 / 2)])
    assert found.to_come[0] == pytest.approx([0.0, 10.0])


def test_media_from_outside_the_window_count_for_nobody() -> None:
    # 6 in the period before leaves 2; 3 in the window add 2 to it, and leave 1.
    found = campaign_effects(one_medium([6.0, 3.0], lags=2), 0, Window(0, 1), np.array([[0.25], [0.75]]))
    added = 20 * (4 / 5 - 2 / 3) + 20 * 1 / 2
    assert found.medium == pytest.approx([added])
    assert found.split[0] == pytest.approx([added / 4, added * 3 / 4])


def outcome(posterior: Posterior, draw: int, amounts: FloatArray) -> FloatArray:
    """The expected outcome of each period for amounts (P, LAGS - 1 + N), by loops."""
    parameters = {name: values[draw] for name, values in posterior.parameters.items()}
    periods = amounts.shape[1] - (LAGS - 1)
    baseline = posterior.columns @ posterior.coefficients[draw]
    total = np.append(baseline, np.full(periods - len(baseline), baseline[-1]))
    for c in range(len(posterior.media)):
        weights = np.asarray(posterior.model.carry_over(parameters))[c]
        for t in range(periods):
            stock = sum(weights[lag] * amounts[c, LAGS - 1 + t - lag] for lag in range(LAGS))
            if posterior.model.saturation == "logistic":
                curve = np.tanh(parameters["rate"][c] * stock / 2)
            else:
                raised = stock ** parameters["slope"][c]
                curve = raised / (raised + parameters["half_saturation"][c] ** parameters["slope"][c])
            total[t] += posterior.beta[draw, c] * curve
    if posterior.scale.bounds is None:
        return np.asarray(total * posterior.scale.unit)
    return posterior.scale.expected(total, np.full(periods, parameters["sigma"]))


def with_tail(posterior: Posterior) -> FloatArray:
    return np.pad(posterior.amounts, ((0, 0), (0, LAGS - 1)))


@pytest.mark.parametrize("kind", ["hill", "logistic", "bounded"])
@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_the_incremental_outcome_is_what_would_be_missing_without_the_campaign(kind: str, window: Window) -> None:
    posterior = market(kind == "bounded", "hill" if kind == "bounded" else kind)
    parts = shares(3, window)
    found = campaign_effects(posterior, PLACE, window, parts)
    divisor = window.periods if kind == "bounded" else 1
    inside = slice(LAGS - 1 + window.start, LAGS - 1 + window.stop)
    for draw in (0, 7):
        factual = outcome(posterior, draw, with_tail(posterior))
        for campaign, share in enumerate(parts):
            without = with_tail(posterior)
            without[PLACE, inside] *= 1 - share
            missing = factual - outcome(posterior, draw, without)
            incremental, to_come = missing.sum() / divisor, missing[PERIODS:].sum() / divisor
            assert found.incremental[draw, campaign] == pytest.approx(incremental, rel=1e-7, abs=1e-9)
            assert found.to_come[draw, campaign] == pytest.approx(to_come, rel=1e-7, abs=1e-9)


@pytest.mark.parametrize("kind", ["hill", "logistic", "bounded"])
def test_the_fair_split_is_what_each_adds_on_the_way_from_nothing_to_all(kind: str) -> None:
    """The integral of Aumann and Shapley, by quadrature of numerical derivatives."""
    posterior = market(kind == "bounded", "hill" if kind == "bounded" else kind)
    window = Window(8, 15)
    parts = shares(3, window)
    found = campaign_effects(posterior, PLACE, window, parts)
    divisor = window.periods if kind == "bounded" else 1
    inside = slice(LAGS - 1 + window.start, LAGS - 1 + window.stop)
    amounts = with_tail(posterior)

    def reached(draw: int, along: float, campaign: int, further: float) -> float:
        scaled = amounts.copy()
        scaled[PLACE, inside] *= along + further * parts[campaign]
        return float(outcome(posterior, draw, scaled).sum())

    for draw in (2,) if kind == "bounded" else (2, 9):
        for campaign in range(3):

            def slope(along: float, draw: int = draw, campaign: int = campaign) -> float:
                step = 1e-4 * min(along, 1.0)
                ahead, back = (reached(draw, along, campaign, side * step) for side in (1, -1))
                return (ahead - back) / (2 * step)

            # From nearly nothing: a Hill curve may be infinitely steep at zero, which quadrature stays away from.
            by_quadrature, _error = quad(lambda root: slope(root**4) * 4 * root**3, 1e-3, 1.0, limit=60, epsrel=1e-4)
            assert found.split[draw, campaign] == pytest.approx(by_quadrature / divisor, rel=2e-3, abs=1e-4)


def effects(window: Window, parts: FloatArray, *, bounded: bool = False) -> CampaignEffects:
    return campaign_effects(market(bounded), PLACE, window, parts)


@given(windows, st.integers(1, 5), st.integers(0, 99), st.booleans())
def test_fair_shares_add_up_to_what_the_channel_added(window: Window, campaigns: int, seed: int, bounded: bool) -> None:
    found = effects(window, shares(campaigns, window, seed), bounded=bounded)
    of_channel = response_grid(market(bounded), window, (1.0,))[:, PLACE, 0].sum(axis=1)
    np.testing.assert_allclose(found.medium, of_channel, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.split.sum(axis=1), of_channel, rtol=1e-9, atol=1e-9)
    assert (found.split >= -1e-9).all()
    assert (found.incremental >= -1e-9).all()
    assert (found.to_come <= found.incremental + 1e-9).all()


@given(windows, st.booleans())
def test_a_campaign_that_is_all_of_the_channel_added_all_that_it_did(window: Window, bounded: bool) -> None:
    found = effects(window, np.ones((1, window.periods)), bounded=bounded)
    np.testing.assert_allclose(found.incremental[:, 0], found.medium, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.split[:, 0], found.medium, rtol=1e-9, atol=1e-9)


@given(windows, st.integers(0, 99))
def test_equal_campaigns_get_the_same_and_one_that_was_off_gets_nothing(window: Window, seed: int) -> None:
    share = shares(2, window, seed)[0]
    found = effects(window, np.stack([share / 2, share / 2, 1 - share, 0 * share]))
    np.testing.assert_allclose(found.split[:, 0], found.split[:, 1], rtol=1e-9)
    np.testing.assert_allclose(found.incremental[:, 0], found.incremental[:, 1], rtol=1e-9)
    assert np.abs(found.split[:, 3]).max() == 0
    assert np.abs(found.incremental[:, 3]).max() == pytest.approx(0, abs=1e-9)


@given(windows, st.integers(0, 99), st.floats(0.1, 0.9))
def test_dividing_a_campaign_changes_nobodys_fair_share(window: Window, seed: int, part: float) -> None:
    one, other = shares(2, window, seed)
    whole = effects(window, np.stack([one, other]))
    divided = effects(window, np.stack([part * one, (1 - part) * one, other]))
    np.testing.assert_allclose(divided.split[:, :2].sum(axis=1), whole.split[:, 0], rtol=1e-9)
    np.testing.assert_allclose(divided.split[:, 2], whole.split[:, 1], rtol=1e-9)


@given(windows, st.integers(2, 5), st.integers(0, 99))
def test_where_more_always_adds_less_the_increments_fall_short_of_the_whole(
    window: Window, campaigns: int, seed: int
) -> None:
    posterior = market(saturation="logistic")  # concave from zero on
    found = campaign_effects(posterior, PLACE, window, shares(campaigns, window, seed))
    assert (found.incremental.sum(axis=1) <= found.medium * (1 + 1e-9)).all()
    assert (found.incremental <= found.split * (1 + 1e-9)).all()


def test_campaigns_in_an_order_of_their_own_keep_their_numbers() -> None:
    parts = shares(4, WINDOWS[0])
    found, other = effects(WINDOWS[0], parts), effects(WINDOWS[0], parts[::-1].copy())
    np.testing.assert_allclose(found.split, other.split[:, ::-1], rtol=1e-12)
    np.testing.assert_allclose(found.of(2).incremental, other.of(1).incremental, rtol=1e-12)


@pytest.mark.parametrize(
    ("parts", "complaint"),
    [
        (np.ones((2, 3)), "do not fit"),
        (np.ones(7), "do not fit"),
        (np.stack([np.full(7, 1.5), np.full(7, -0.5)]), "negative"),
        (np.full((2, 7), 0.4), "add up to 1"),
        (np.full((1, 7), np.nan), "negative"),
    ],
)
def test_shares_that_are_none_are_refused(parts: FloatArray, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        effects(Window(8, 15), parts)


def test_where_there_is_nothing_to_share_shares_need_not_add_up() -> None:
    found = campaign_effects(one_medium([0.0, 3.0], lags=1), 0, Window(0, 2), np.array([[0.0, 1.0]]))
    assert found.split[0] == pytest.approx([15.0])
