"""Convergence of Markov chains, against ArviZ, a direct implementation of the paper, and chains of known worth."""

import warnings
from typing import Any

import matplotlib.style
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm, rankdata

from marketing.frames import Float64Table
from weightings.methods.convergence import Convergence, diagnose

seeds = st.integers(0, 2**32)


def independent(seed: int = 0, *, chains: int = 4, draws: int = 200, parameters: int = 3) -> Float64Table:
    return np.random.default_rng(seed).normal(size=(chains, draws, parameters))


def autocorrelated(by: float, *, draws: int = 500) -> Float64Table:
    """Stationary first-order autoregressions, whose mean is worth (1 - by) / (1 + by) of their draws."""
    steps = independent(draws=draws)
    steps[:, 0] /= np.sqrt(1 - by**2)
    for period in range(1, draws):
        steps[:, period] += by * steps[:, period - 1]
    return steps


def repeated(seed: int = 0) -> Float64Table:
    """A sampler that stays where it is half of the time."""
    draws = independent(seed)
    stays = np.random.default_rng(seed).random(draws.shape) < 0.5
    for period in range(1, draws.shape[1]):
        draws[:, period] = np.where(stays[:, period], draws[:, period - 1], draws[:, period])
    return draws


WORLDS = {
    "independent": independent(),
    "autocorrelated": autocorrelated(0.9),
    "alternating": autocorrelated(-0.8),
    "shifted": independent() + np.arange(4)[:, None, None],
    "of different widths": independent() * np.array([1, 1, 1, 5])[:, None, None],
    "heavy-tailed": np.random.default_rng(0).standard_cauchy((4, 300, 3)),
    "wandering": independent(draws=300).cumsum(axis=1),
    "of whole numbers": np.random.default_rng(0).poisson(2, (4, 100, 3)).astype(float),
    "of two values": np.random.default_rng(0).integers(0, 2, (4, 50, 3)).astype(float),
    "that stay": repeated(),
    "of an odd number of draws": independent(chains=3, draws=101),
    "of four draws": independent(chains=2, draws=4, parameters=40),
    "of five draws": independent(chains=2, draws=5, parameters=40),
    "of eight draws": independent(chains=2, draws=8, parameters=40),
    "of nine draws": independent(chains=3, draws=9, parameters=40),
    "of ten draws": independent(chains=2, draws=10, parameters=40),
}


def halves_of(chains: Float64Table) -> Float64Table:
    half = chains.shape[1] // 2
    return np.concatenate([chains[:, :half], chains[:, -half:]])


def scores_of(chains: Float64Table) -> Float64Table:
    ranks = rankdata(chains).reshape(chains.shape)
    return np.asarray(norm.ppf((ranks - 3 / 8) / (chains.size + 1 / 4)))


def r_hat_of(chains: Float64Table) -> float:
    length = chains.shape[1]
    within, between = chains.var(axis=1, ddof=1).mean(), length * chains.mean(axis=1).var(ddof=1)
    return float(np.sqrt(((length - 1) / length * within + between / length) / within))


def effective_draws_of(chains: Float64Table) -> float:
    """Vehtari et al. 2021, the section on effective sample size, by loops over lags; all draws where none differs."""
    count, length = chains.shape
    if np.ptp(chains) == 0:
        return chains.size
    centred = chains - chains.mean(axis=1, keepdims=True)

    def covariance(lag: int) -> float:
        return float((centred[:, : length - lag] * centred[:, lag:]).sum(axis=1).mean() / length)

    within = covariance(0) * length / (length - 1)
    pooled = covariance(0) + chains.mean(axis=1).var(ddof=1)
    rho = [1.0] + [1 - (within - covariance(lag)) / pooled for lag in range(1, length)]
    pairs = [rho[0] + rho[1]]
    while pairs[-1] > 0 and 2 * len(pairs) + 1 <= length - 2:
        pairs.append(rho[2 * len(pairs)] + rho[2 * len(pairs) + 1])
    at_the_cut = rho[2 * len(pairs) - 2]
    if pairs[-1] < 0:
        at_the_cut = max(at_the_cut, 0)
    monotone = [min(pairs[: pair + 1]) for pair in range(len(pairs) - 1)]
    tau = max(-1 + 2 * sum(monotone) + at_the_cut, 1 / np.log10(count * length))
    return float(count * length / tau)


def by_the_paper(chains: Float64Table) -> tuple[float, float, float]:
    """R-hat, bulk and tail ESS of one parameter, (chains, draws)."""
    halves = halves_of(chains)
    folded = np.abs(halves - np.median(halves))
    with np.errstate(invalid="ignore", divide="ignore"):
        r_hat = float(np.fmax(r_hat_of(scores_of(halves)), r_hat_of(scores_of(folded))))
    in_tails = [(chains <= np.quantile(chains, part)).astype(np.float64) for part in (0.05, 0.95)]
    tails = [effective_draws_of(halves_of(in_tail)) for in_tail in in_tails]
    return r_hat, effective_draws_of(scores_of(halves)), min(tails)


def of_one_parameter(found: Convergence, parameter: int) -> tuple[float, float, float]:
    return float(found.r_hat[parameter]), float(found.bulk_ess[parameter]), float(found.tail_ess[parameter])


@pytest.fixture(scope="module")
def arviz() -> Any:
    """ArviZ 0.21, which sets up plotting when it is imported, and looks for a module that Matplotlib has moved."""
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")
        if not hasattr(matplotlib.style, "core"):
            patch.setattr(matplotlib.style, "core", matplotlib.style, raising=False)
        module = pytest.importorskip("arviz", reason="ArviZ is not installed.")
    if not module.__version__.startswith("0."):
        pytest.skip("From 1.0 on, ArviZ takes no plain arrays.")
    return module


def test_two_equal_chains_that_rise_have_the_r_hat_and_worth_worked_out_by_hand() -> None:
    """1 2 3 4 twice: of eight draws the ranks are 1.5, 3.5, 5.5, 7.5, with scores -1.0968, -0.3087, 0.3087, 1.0968.

    The four halves have the variance (1.0968 - 0.3087)^2 / 2 = 0.3106, and their means, -0.70275 and 0.70275 twice
    each, 0.6585. R-hat = sqrt((2 x 0.6585 / 0.3106 + 1) / 2) = 1.619. No lag is long enough for a second pair of
    autocorrelations, so that the draws are worth the most that is allowed, 8 log10 8.
    """
    found = diagnose(np.array([[1.0, 2, 3, 4], [1, 2, 3, 4]])[:, :, None])
    assert found.r_hat == pytest.approx([1.619], abs=5e-4)
    assert found.bulk_ess == pytest.approx([8 * np.log10(8)])


@pytest.mark.parametrize("world", WORLDS)
def test_diagnostics_equal_those_of_arviz(arviz: Any, world: str) -> None:
    draws = WORLDS[world]
    found = diagnose(draws)
    for parameter in range(draws.shape[2]):
        one = draws[:, :, parameter]
        assert of_one_parameter(found, parameter) == pytest.approx(
            (arviz.rhat(one, method="rank"), arviz.ess(one, method="bulk"), arviz.ess(one, method="tail")), rel=1e-8
        )


@pytest.mark.parametrize("world", WORLDS)
def test_diagnostics_equal_a_direct_implementation_of_the_paper(world: str) -> None:
    draws = WORLDS[world]
    found = diagnose(draws)
    for parameter in range(min(draws.shape[2], 3)):
        assert of_one_parameter(found, parameter) == pytest.approx(by_the_paper(draws[:, :, parameter]), rel=1e-8)


@given(seed=seeds, chains=st.integers(1, 4), draws=st.integers(4, 60), decimals=st.integers(1, 3))
def test_diagnostics_of_any_small_sample_equal_the_paper(seed: int, chains: int, draws: int, decimals: int) -> None:
    # Where a quantile falls on a draw exactly, rounding decides what a direct implementation makes of it.
    draws += (chains * draws - 1) % 20 == 0
    sample = independent(seed, chains=chains, draws=draws, parameters=1).round(decimals)
    assert of_one_parameter(diagnose(sample), 0) == pytest.approx(by_the_paper(sample[:, :, 0]), rel=1e-8, nan_ok=True)


@given(seed=seeds, power=st.sampled_from([1, 3, 5]), scale=st.floats(0.1, 10), shift=st.floats(-5, 5))
def test_what_rests_on_ranks_does_not_change_with_a_rising_map(
    seed: int, power: int, scale: float, shift: float
) -> None:
    draws = independent(seed, draws=50).round(6)
    mapped = shift + scale * np.exp(draws / 4) ** power
    assert diagnose(mapped).bulk_ess.tolist() == diagnose(draws).bulk_ess.tolist()
    assert diagnose(mapped).tail_ess.tolist() == diagnose(draws).tail_ess.tolist()


@given(seed=seeds, scale=st.sampled_from([-1024.0, -1.0, 0.5, 4096.0]))
def test_r_hat_does_not_change_with_the_unit_or_the_sign(seed: int, scale: float) -> None:
    draws = independent(seed, draws=50) + np.arange(4)[:, None, None] * 0.2
    assert diagnose(draws * scale).r_hat == pytest.approx(diagnose(draws).r_hat, rel=1e-12)


@given(seed=seeds)
def test_neither_the_order_of_chains_nor_other_parameters_matter(seed: int) -> None:
    draws = repeated(seed)[:, :40]
    found, shuffled = diagnose(draws), diagnose(draws[::-1])
    for parameter in range(3):
        alone = of_one_parameter(diagnose(draws[:, :, parameter, None]), 0)
        assert of_one_parameter(found, parameter) == pytest.approx(alone, rel=1e-12)
        assert of_one_parameter(shuffled, parameter) == pytest.approx(alone, rel=1e-12)


@pytest.mark.parametrize("by", [0.0, 0.5, 0.8])
def test_autocorrelated_draws_are_worth_what_theory_says(by: float) -> None:
    found = diagnose(autocorrelated(by, draws=20_000))
    assert found.r_hat == pytest.approx(np.ones(3), abs=5e-3)
    assert found.bulk_ess == pytest.approx(np.full(3, 80_000 * (1 - by) / (1 + by)), rel=0.15)


def test_a_chain_elsewhere_and_a_chain_of_another_width_are_both_found() -> None:
    assert (diagnose(WORLDS["shifted"]).r_hat > 1.4).all()
    assert (diagnose(WORLDS["of different widths"]).r_hat > 1.1).all()
    assert (diagnose(WORLDS["independent"]).r_hat < 1.01).all()


def test_a_parameter_that_never_moves_has_no_r_hat_and_the_worth_of_its_draws() -> None:
    found = diagnose(np.full((4, 51, 1), 0.3))
    assert np.isnan(found.r_hat).all()
    assert not (found.r_hat <= 1.01).any()
    assert (found.bulk_ess[0], found.tail_ess[0]) == (200, 200)


def test_arviz_treats_a_parameter_that_never_moves_the_same(arviz: Any) -> None:
    constant = np.full((4, 51), 0.3)
    with np.errstate(invalid="ignore"):
        assert np.isnan(arviz.rhat(constant, method="rank"))
    assert (arviz.ess(constant, method="bulk"), arviz.ess(constant, method="tail")) == (200, 200)


def test_chains_that_stand_still_in_different_places_never_agree() -> None:
    draws = np.repeat(np.array([0.1, 0.7, 0.7, 0.2])[:, None, None], 50, axis=1)
    assert diagnose(draws).r_hat.tolist() == [np.inf]
    assert diagnose(draws).bulk_ess[0] < 10


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_a_draw_that_is_no_number_leaves_its_parameter_without_diagnostics(broken: float) -> None:
    draws = independent()
    spoilt = draws.copy()
    spoilt[2, 7, 1] = broken
    found = diagnose(spoilt)
    assert np.isnan(of_one_parameter(found, 1)).all()
    for parameter in (0, 2):
        assert of_one_parameter(found, parameter) == of_one_parameter(diagnose(draws), parameter)
    assert spoilt[2, 7, 1] == pytest.approx(broken, nan_ok=True)  # the caller's draws are left as they were


def test_one_chain_is_compared_with_itself() -> None:
    steady, rising = independent(chains=1), independent(chains=1) + np.linspace(0, 5, 200)[None, :, None]
    assert (diagnose(steady).r_hat < 1.05).all()
    assert (diagnose(rising).r_hat > 1.5).all()


def test_chains_too_short_for_a_diagnosis_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 4 draws, but these have 3"):
        diagnose(np.zeros((4, 3, 2)))


@pytest.mark.parametrize("shape", [(4, 100), (0, 100, 2), (4, 100, 0)])
def test_draws_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"\(chains, draws, parameters\), none 0, but they have"):
        diagnose(np.zeros(shape))
