"""The density: the same as the model written out in full, whatever is padding, scale, order or missing."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from marketing.frames import MediaPanel
from tests.weightings.worlds import panel, world
from weightings.methods.baseline import TREND_SCALES
from weightings.methods.media_mix import MediaMixModel
from weightings.methods.posterior import posterior_of
from weightings.methods.preparing import Choices, Prepared, bucket, prepare

FloatArray = npt.NDArray[np.float64]
CHOICES = (
    Choices(),
    Choices(adstock="delayed"),
    Choices(saturation="logistic"),
    Choices(adstock="delayed", saturation="logistic", lags=5, knots=0),
)


def small_panel(*, missing: bool = False, **kwargs: Any) -> MediaPanel:
    """Forty weeks, two channels, a control; perhaps with gaps in the outcome."""
    rng = np.random.default_rng(5)
    spend = rng.gamma(2, 50, (44, 2)) * (rng.random((44, 2)) < 0.8)
    outcome = 3000 + 300 * np.sin(np.arange(40) / 8) + spend[4:].sum(axis=1) + rng.normal(0, 100, 40)
    if missing:
        outcome[[3, 17, 39]] = np.nan
    return panel(outcome, spend, history=4, controls=rng.normal(0, 1, (40, 1)), **kwargs)


def media_by_hand(prepared: Prepared, parameters: dict[str, FloatArray]) -> FloatArray:
    """What media add to the scaled outcome of each period, by loops: (T,)."""
    lead, periods = prepared.model.lags - 1, len(prepared.panel)
    total = np.zeros(periods)
    for c in range(len(prepared.model.media)):
        amounts = np.append(prepared.amounts[c], np.zeros(lead))
        curve = curve_by_hand(prepared, parameters, c, amounts)
        only_before = curve_by_hand(prepared, parameters, c, np.where(np.arange(len(amounts)) < lead, amounts, 0.0))
        added = np.sum(curve) - np.sum(only_before)
        total += parameters["effect"][c] * prepared.units[c] * curve[:periods] / added
    return total


def curve_by_hand(prepared: Prepared, parameters: dict[str, FloatArray], c: int, amounts: FloatArray) -> FloatArray:
    """S(A(x)) of one medium from the outcome's first period on: (T + L - 1,)."""
    model, lags = prepared.model, prepared.model.lags
    retention = parameters["retention"][c]
    delay = parameters["peak_delay"][c] if model.adstock == "delayed" else None
    weights = np.array([retention**lag if delay is None else retention ** ((lag - delay) ** 2) for lag in range(lags)])
    weights /= weights.sum()
    curve = []
    for t in range(lags - 1, len(amounts)):
        stock = sum(weights[lag] * amounts[t - lag] for lag in range(lags))
        if model.saturation == "hill":
            raised = stock ** parameters["slope"][c]
            curve.append(raised / (raised + parameters["half_saturation"][c] ** parameters["slope"][c]))
        else:
            curve.append(np.tanh(parameters["rate"][c] * stock / 2))
    return np.array(curve)


def written_out(prepared: Prepared, parameters: dict[str, FloatArray]) -> float:
    """The log likelihood with sigma^2 I + Z diag(s^2) Z', averaged over the trend's scales."""
    scaled = prepared.scale.scaled(prepared.panel.outcome)
    known = np.isfinite(scaled)
    residual = (scaled - media_by_hand(prepared, parameters))[known]
    columns = prepared.baseline.columns[known]
    noise = parameters["sigma"] ** 2 * np.eye(known.sum())
    each = [
        multivariate_normal(cov=noise + (columns * prepared.baseline.scales_at(scale) ** 2) @ columns.T).logpdf(
            residual
        )
        for scale in TREND_SCALES
    ]
    return float(logsumexp(each) - np.log(len(TREND_SCALES)))


@pytest.mark.parametrize("choices", CHOICES, ids=str)
@pytest.mark.parametrize("missing", [False, True], ids=["all known", "some missing"])
def test_the_collapsed_log_density_is_that_of_the_multivariate_normal(choices: Choices, missing: bool) -> None:
    prepared = prepare(small_panel(missing=missing), choices)
    rng = np.random.default_rng(0)
    for _ in range(5):
        position = rng.normal(0, 1, prepared.model.size)
        parameters = prepared.model.parameters(position, prepared.data["priors"])
        found = float(prepared.model.log_density(jnp.asarray(position), prepared.data))
        expected = written_out(prepared, parameters) - 0.5 * position @ position
        assert found == pytest.approx(expected, rel=1e-8, abs=1e-8)


def test_the_gradient_is_that_of_small_steps() -> None:
    prepared = prepare(small_panel(), Choices(adstock="delayed"))
    position = np.random.default_rng(1).normal(0, 0.5, prepared.model.size)

    @jax.jit
    def density(at: Any) -> Any:
        return prepared.model.log_density(at, prepared.data)

    gradient = np.asarray(jax.grad(density)(jnp.asarray(position)))
    steps = 1e-6 * np.eye(len(position))
    by_steps = [(float(density(position + step)) - float(density(position - step))) / 2e-6 for step in steps]
    np.testing.assert_allclose(gradient, by_steps, rtol=1e-5, atol=1e-5)


def test_media_that_were_zero_have_finite_gradients() -> None:
    spend = np.random.default_rng(2).gamma(2, 50, (60, 2))
    spend[:30, 0] = 0.0
    spend[:, 1] = 0.0
    prepared = prepare(panel(np.random.default_rng(3).normal(1000, 50, 60), spend), Choices())
    position = jnp.zeros(prepared.model.size)
    assert np.all(np.isfinite(jax.grad(lambda at: prepared.model.log_density(at, prepared.data))(position)))


@pytest.mark.parametrize("factor", [1e-6, 0.01, 1e5])
def test_the_currency_changes_nothing(factor: float) -> None:
    given = small_panel()
    other = replace(given, outcome=given.outcome * factor, spend=given.spend * factor, exposure=given.exposure * factor)
    position = jnp.asarray(np.random.default_rng(4).normal(0, 1, prepare(given, Choices()).model.size))
    first, second = (prepare(each, Choices()) for each in (given, other))
    assert float(first.model.log_density(position, first.data)) == pytest.approx(
        float(second.model.log_density(position, second.data)), rel=1e-9
    )


def test_the_order_of_channels_changes_nothing() -> None:
    given = small_panel()
    turned = replace(
        given, channels=given.channels[::-1], spend=given.spend[:, ::-1].copy(), exposure=given.exposure[:, ::-1].copy()
    )
    first, second = prepare(given, Choices()), prepare(turned, Choices())
    position = np.random.default_rng(4).normal(0, 1, first.model.size)
    blocks = position[:-1].reshape(-1, 2)[:, ::-1]
    swapped = np.append(blocks.ravel(), position[-1])
    assert float(first.model.log_density(jnp.asarray(position), first.data)) == pytest.approx(
        float(second.model.log_density(jnp.asarray(swapped), second.data)), rel=1e-10
    )


def test_padding_changes_nothing() -> None:
    prepared = prepare(small_panel(), Choices())
    position = jnp.asarray(np.random.default_rng(6).normal(0, 1, prepared.model.size))
    data = dict(prepared.data)
    for name in ("outcome", "known", "counted"):
        data[name] = np.pad(data[name], (0, 7))
    data["lagged"] = np.pad(data["lagged"], ((0, 0), (0, 0), (0, 7)))
    data["directions"] = np.pad(data["directions"], ((0, 3), (0, 7)))
    data["rotations"] = np.pad(data["rotations"], ((0, 0), (0, 3), (0, 3)))
    data["singular_values"] = np.pad(data["singular_values"], ((0, 0), (0, 3)))
    assert float(prepared.model.log_density(position, data)) == pytest.approx(
        float(prepared.model.log_density(position, prepared.data)), rel=1e-12
    )


def test_buckets_hold_their_length_and_little_more() -> None:
    for length in range(1, 2000):
        assert length <= bucket(length) <= max(1.125 * length, length + 1)
    assert bucket(156) == bucket(153) == 160


def test_models_are_one_program_whatever_their_channels_are_called() -> None:
    first, second = MediaMixModel(("A", "B"), 13), MediaMixModel(("C", "D"), 13)
    assert first == second
    assert hash(first) == hash(second)
    assert first != MediaMixModel(("A", "B"), 13, "delayed")
    assert first != MediaMixModel(("A", "B", "C"), 13)


def test_history_is_used_and_what_is_unknown_is_taken_to_be_as_at_first() -> None:
    given = small_panel()
    amounts = prepare(given, Choices()).amounts * prepare(given, Choices()).media_scales[:, None]
    np.testing.assert_allclose(amounts[:, 12:], given.exposure[4:].T)
    np.testing.assert_allclose(amounts[:, 8:12], given.exposure[:4].T)
    first = np.where(given.exposure[0] > 0, given.exposure[:12].mean(axis=0), 0.0)
    np.testing.assert_allclose(amounts[:, :8], np.repeat(first[:, None], 8, axis=1))


def test_a_medium_that_was_off_when_the_data_begin_is_taken_to_have_been_off_before() -> None:
    spend = np.random.default_rng(2).gamma(2, 50, (60, 2))
    spend[:9, 0] = 0.0
    amounts = prepare(panel(np.random.default_rng(3).normal(1000, 50, 60), spend), Choices()).amounts
    np.testing.assert_array_equal(amounts[0, :12], 0.0)
    assert np.all(amounts[1, :12] > 0)


def test_baseline_draws_are_those_of_the_normal_equations() -> None:
    """With media and sigma held, the coefficients are normal with a known mean and covariance."""
    prepared = prepare(small_panel(missing=True), Choices(knots=0))
    position = np.random.default_rng(7).normal(0, 0.5, prepared.model.size)
    draws = posterior_of(prepared, np.tile(position, (20_000, 1)), np.random.default_rng(8))
    parameters = prepared.model.parameters(position, prepared.data["priors"])
    scaled = prepared.scale.scaled(prepared.panel.outcome)
    known = np.isfinite(scaled)
    residual = (scaled - media_by_hand(prepared, parameters))[known]
    columns, sigma = prepared.baseline.columns[known], parameters["sigma"]
    covariance = np.linalg.inv(columns.T @ columns / sigma**2 + np.diag(1 / prepared.baseline.scales**2))
    mean = covariance @ columns.T @ residual / sigma**2
    error = np.sqrt(np.diag(covariance) / len(draws.coefficients))
    np.testing.assert_array_less(np.abs(draws.coefficients.mean(axis=0) - mean), 5 * error)
    np.testing.assert_allclose(np.cov(draws.coefficients.T), covariance, atol=0.05 * np.diag(covariance).max())


def test_the_trends_scale_is_drawn_by_its_probability() -> None:
    prepared = prepare(world("walk", 3).panel, Choices())
    position = np.zeros(prepared.model.size)
    draws = posterior_of(prepared, np.tile(position, (20_000, 1)), np.random.default_rng(9))
    parameters = prepared.model.parameters(position, prepared.data["priors"])
    residual = prepared.scale.scaled(prepared.panel.outcome) - media_by_hand(prepared, parameters)
    columns, noise = prepared.baseline.columns, parameters["sigma"] ** 2 * np.eye(len(residual))
    logs = np.array(
        [
            multivariate_normal(cov=noise + (columns * prepared.baseline.scales_at(s) ** 2) @ columns.T).logpdf(
                residual
            )
            for s in TREND_SCALES
        ]
    )
    expected = np.exp(logs - logsumexp(logs))
    found = np.bincount(draws.trend_scale, minlength=len(TREND_SCALES)) / 20_000
    np.testing.assert_allclose(found, expected, atol=0.02)


@pytest.mark.full
def test_the_uncollapsed_model_sampled_in_full_agrees() -> None:
    """Every coefficient of the baseline as a parameter of NUTS, against collapsed draws and exact reconstruction."""
    import numpyro
    from numpyro import distributions as dist
    from numpyro.infer import MCMC, NUTS

    from weightings.methods.fitting import fit
    from weightings.methods.sampling import Settings

    given = small_panel()
    fitted = fit(given, Choices(knots=3), Settings(seed=1, draws=2000, ess=2000, threads=2))
    prepared, data = fitted.prepared, fitted.prepared.data
    columns = jnp.asarray(prepared.baseline.columns)
    scales = jnp.asarray(np.stack([prepared.baseline.scales_at(scale) for scale in TREND_SCALES]))
    outcome = jnp.asarray(prepared.scale.scaled(given.outcome))

    def in_full() -> None:
        position = numpyro.sample("position", dist.Normal(0, 1).expand([prepared.model.size]).to_event(1))
        parameters = prepared.model.parameters(position, data["priors"], jnp)
        unit = numpyro.sample("unit", dist.Normal(0, 1).expand([len(TREND_SCALES), columns.shape[1]]).to_event(2))
        saturated = prepared.model.saturated(jnp.asarray(data["lagged"]), parameters, jnp) * data["counted"]
        before = prepared.model.saturated(jnp.asarray(data["lagged_before"]), parameters, jnp)
        media = prepared.model.beta(parameters, data["unit"], saturated, before, jnp) @ saturated[:, : len(given)]
        # The scale is summed out; coefficients of each scale have their own draws.
        baselines = (unit * scales) @ columns.T
        logs = dist.Normal(baselines + media, parameters["sigma"]).log_prob(outcome).sum(axis=1)
        numpyro.factor("outcome", jax.scipy.special.logsumexp(logs))
        numpyro.deterministic("weights", jax.nn.softmax(logs))
        numpyro.deterministic("baselines", baselines)

    own = MCMC(
        NUTS(in_full, target_accept_prob=0.95),
        num_warmup=2000,
        num_samples=5000,
        num_chains=2,
        chain_method="sequential",
        progress_bar=False,
    )
    own.run(jax.random.key(2))
    samples = own.get_samples()
    theirs = np.asarray(samples["position"])
    for level in (0.1, 0.5, 0.9):
        np.testing.assert_allclose(
            np.quantile(theirs, level, axis=0), np.quantile(fitted.draws.flat, level, axis=0), atol=0.15
        )
    weights, baselines = np.asarray(samples["weights"]), np.asarray(samples["baselines"])
    mean = np.einsum("sg,sgt->t", weights, baselines) / len(weights)
    spread = np.sqrt(np.einsum("sg,sgt->t", weights, baselines**2) / len(weights) - mean**2)
    np.testing.assert_allclose(fitted.posterior.baseline.mean(axis=0), mean, atol=0.15 * spread.max())
    np.testing.assert_allclose(fitted.posterior.baseline.std(axis=0), spread, rtol=0.15)
