"""LightweightMMM's models in our sampler: its documented transforms, its density, its posterior."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
import pytest
from django.conf import settings as project
from lightweight_mmm import media_transforms, models
from numpyro.infer.util import potential_energy

from tests.weightings.lightweight_package import (
    RECORDED_ADSTOCK_FIT,
    StraightTrendModel,
    Summary,
    distances,
    fit_by_package,
    quantities,
    simulated,
    straight_trend,
    summary,
    worst_r_hat,
)
from weightings.methods import sampling
from weightings.methods.lightweight.model import Family, LightweightModel, scale_for_lightweight

FloatArray = npt.NDArray[np.float64]

FAMILIES: tuple[Family, ...] = ("hill_adstock", "adstock", "carryover")
UNWANTED = {"tensorflow", "seaborn", "matplotlib", "sklearn", "statsmodels", "arviz", "pandas"}


def sample(model: LightweightModel, data: Mapping[str, FloatArray], seed: int) -> FloatArray:
    """Positions (chains, draws, D), by our sampler: as many as it takes.

    That is 2,000 a chain at least: fewer may have missed a long tail, and their errors then know nothing of it.
    """
    drawn = sampling.sample(
        model, data, sampling.Settings(seed=seed, target_accept=0.95, draws=2000, most_draws=20_000)
    )
    assert drawn.converged
    return drawn.positions


def random_data(model: LightweightModel, rng: np.random.Generator) -> dict[str, FloatArray]:
    """Scaled data for the model, a fifth of the media zero."""
    media = rng.gamma(1, 1, (model.periods, model.channels)) * (rng.random((model.periods, model.channels)) < 0.8)
    features = rng.normal(1, 0.3, (model.periods, model.features)) if model.features else None
    return model.data(media, rng.normal(1, 0.2, model.periods), rng.uniform(0.2, 2, model.channels), features)


def test_importing_the_adapter_loads_no_plotting_and_no_tensorflow() -> None:
    script = "import sys, weightings.methods.lightweight.model; print(*{n.partition('.')[0] for n in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=project.BASE_DIR, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not UNWANTED & set(done.stdout.split())


# The transforms, by hand


def test_adstock_carries_over_and_is_normalised() -> None:
    media = jnp.array([[1.0], [0.0], [0.0], [2.0]])
    found = media_transforms.adstock(media, lag_weight=jnp.array([0.5]), normalise=True)
    np.testing.assert_array_equal(found[:, 0], [0.5, 0.25, 0.125, 1.0625])


def test_carryover_spreads_an_impulse_around_its_delayed_peak() -> None:
    impulse = jnp.zeros((30, 1)).at[0].set(1.0)
    found = media_transforms.carryover(impulse, jnp.array([0.5]), jnp.array([1.0]), number_lags=13)
    head = [0.24219309760553157, 0.48438619521106313, 0.24219309760553157, 0.030274137200691446]
    np.testing.assert_allclose(found[:4, 0], head, rtol=1e-14)
    np.testing.assert_allclose(found.sum(), 1.0, rtol=1e-14)
    np.testing.assert_array_equal(found[13:, 0], 0.0)


@pytest.mark.parametrize("slope", [0.3, 1.0, 8.0])
def test_hill_is_a_half_at_half_saturation_and_zero_at_zero(slope: float) -> None:
    found = media_transforms.hill(jnp.array([[0.7], [0.0]]), jnp.array([0.7]), jnp.array([slope]))
    np.testing.assert_allclose(found[:, 0], [0.5, 0.0], atol=1e-15)


def test_hill_is_one_where_its_power_is_too_small_for_a_number() -> None:
    assert media_transforms.hill(jnp.array([[1e6]]), jnp.array([1e-6]), jnp.array([90.0])) == 1.0


def test_an_exponent_leaves_zero_at_zero() -> None:
    found = media_transforms.apply_exponent_safe(jnp.array([[0.0], [4.0], [1.0]]), jnp.array([0.5]))
    np.testing.assert_array_equal(found[:, 0], [0.0, 2.0, 1.0])


# The transforms, against NumPy


def plain_adstock(media: FloatArray, lag_weight: FloatArray) -> FloatArray:
    found = np.empty_like(media)
    for t, row in enumerate(media):
        found[t] = row + (lag_weight * found[t - 1] if t else 0.0)
    return found * (1 - lag_weight)


def plain_transform(family: Family, parameters: Mapping[str, FloatArray], media: FloatArray) -> FloatArray:
    if family == "adstock":
        return plain_adstock(media, parameters["lag_weight"]) ** parameters["exponent"]
    if family == "hill_adstock":
        power = plain_adstock(media, parameters["lag_weight"]) ** parameters["slope"]
        return power / (power + parameters["half_max_effective_concentration"] ** parameters["slope"])
    lag = np.arange(13)[:, None]
    weights = parameters["ad_effect_retention_rate"] ** ((lag - parameters["peak_effect_delay"]) ** 2)
    weights /= weights.sum(axis=0)
    found = np.zeros_like(media)
    for t in range(len(media)):
        for back in range(min(t + 1, 13)):
            found[t] += weights[back] * media[t - back]
    return found ** parameters["exponent"]


@pytest.mark.parametrize("periods", [5, 20, 104])
@pytest.mark.parametrize("family", FAMILIES)
def test_media_are_transformed_as_documented(family: Family, periods: int) -> None:
    rng = np.random.default_rng(3)
    model = LightweightModel(family, periods, 3)
    draws = model.constrain(rng.uniform(-2, 2, (4, model.size)))
    media = random_data(model, rng)["media"]
    found = model.media_transformed(draws, media)
    assert found.shape == (4, periods, 3)
    for i in range(4):
        expected = plain_transform(family, {name: values[i] for name, values in draws.items()}, media)
        np.testing.assert_allclose(found[i], expected, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("family", FAMILIES)
def test_gradients_are_finite_where_media_are_zero(family: Family) -> None:
    rng = np.random.default_rng(4)
    model = LightweightModel(family, 40, 2)
    data = random_data(model, rng)
    data["media"][:10] = 0.0
    data["media"][:, 1] = 0.0
    gradient = jax.jit(jax.grad(model.log_density, argnums=(0, 1)))
    for _ in range(20):
        by_position, by_data = gradient(model.initial(rng), data)
        assert np.all(np.isfinite(by_position))
        assert np.all(np.isfinite(by_data["media"]))


# The density


SHAPES: list[Any] = [
    {},
    {"features": 1, "weekday": True, "frequency": 365},
    pytest.param({"features": 2}, marks=pytest.mark.full),
    pytest.param({"weekday": True, "frequency": 365}, marks=pytest.mark.full),
]


def by_site(model: LightweightModel, position: FloatArray) -> dict[str, FloatArray]:
    """Cut a position into the package's sites by the names of its coordinates."""
    blocks: dict[str, list[float]] = {}
    for name, value in zip(model.parameter_names, position, strict=True):
        blocks.setdefault(name.partition("[")[0], []).append(value)
    shapes: dict[str, tuple[int, ...]] = {"expo_trend": (), "gamma_seasonality": (model.degrees_seasonality, 2)}
    return {name: np.reshape(values, shapes.get(name, (-1,))) for name, values in blocks.items()}


def package_log_density(model: LightweightModel, data: Mapping[str, FloatArray]) -> Callable[[Any], Any]:
    """The package's density of values by site, compiled."""
    transform = {
        "adstock": models.transform_adstock,
        "hill_adstock": models.transform_hill_adstock,
        "carryover": models.transform_carryover,
    }[model.family]
    arguments = {
        "media_data": data["media"],
        "target_data": data["target"],
        "media_prior": data["media_prior"],
        "extra_features": data.get("extra_features"),
        "degrees_seasonality": model.degrees_seasonality,
        "frequency": model.frequency,
        "transform_function": transform,
        "custom_priors": {},
        "weekday_seasonality": model.weekday,
    }
    return jax.jit(lambda blocks: -potential_energy(models.media_mix_model, (), arguments, blocks))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("family", FAMILIES)
def test_the_density_is_that_of_the_packages_model(family: Family, shape: dict[str, Any]) -> None:
    rng = np.random.default_rng(5)
    model = LightweightModel(family, 30, 2, **shape)
    data = random_data(model, rng)
    density, expected = jax.jit(model.log_density), package_log_density(model, data)
    for _ in range(3):
        position = rng.uniform(-2, 2, model.size)
        np.testing.assert_allclose(density(position, data), expected(by_site(model, position)), rtol=1e-10)


def test_the_trend_at_the_end_is_another_coordinate_of_the_same_density() -> None:
    rng = np.random.default_rng(6)
    own = LightweightModel("adstock", 30, 2)
    model = replace(own, trend_at_end=True)
    data = random_data(model, rng)
    position = rng.uniform(-2, 2, model.size)
    draws = model.constrain(position)
    place = model.parameter_names.index("trend_at_end[0]")
    moved = position.copy()
    moved[place] = draws["coef_trend"][0]
    np.testing.assert_allclose(draws["coef_trend"][0] * 29 ** draws["expo_trend"], position[place], rtol=1e-12)
    found, expected = jax.jit(model.log_density)(position, data), jax.jit(own.log_density)(moved, data)
    np.testing.assert_allclose(found, expected - draws["expo_trend"] * np.log(29), rtol=1e-12)


def test_parameters_are_named_and_on_their_supports() -> None:
    model = LightweightModel("hill_adstock", 30, 2, features=1, weekday=True)
    draws = model.constrain(np.random.default_rng(1).normal(size=(3, 5, model.size)))
    assert sum(values[0, 0].size for values in draws.values()) == model.size == len(set(model.parameter_names))
    assert {"coef_media[1]", "expo_trend", "gamma_seasonality[1,0]", "weekday[6]"} <= set(model.parameter_names)
    assert draws["gamma_seasonality"].shape == (3, 5, 2, 2)
    assert draws["coef_media"].min() > 0
    assert draws["expo_trend"].min() > 0.5
    assert draws["expo_trend"].max() < 1.5
    assert draws["lag_weight"].max() < 1


def test_models_that_are_equal_hash_the_same_and_start_by_the_generator() -> None:
    one, other = LightweightModel("adstock", 30, 2), LightweightModel("adstock", 30, 2)
    assert one == other
    assert hash(one) == hash(other)
    np.testing.assert_array_equal(one.initial(np.random.default_rng(1)), other.initial(np.random.default_rng(1)))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"media": -np.ones((4, 2))}, "must not be negative"),
        ({"media": np.ones((4, 3))}, "must have shape"),
        ({"target": np.full(4, np.nan)}, "must be finite"),
        ({"media_prior": np.zeros(2)}, "must be positive"),
        ({"extra_features": np.ones((4, 1))}, "must have shape"),
    ],
)
def test_data_that_do_not_fit_are_refused(changed: dict[str, FloatArray], message: str) -> None:
    fitting = {"media": np.ones((4, 2)), "target": np.ones(4), "media_prior": np.ones(2)}
    with pytest.raises(ValueError, match=message):
        LightweightModel("adstock", 4, 2).data(**(fitting | changed))


def test_a_model_that_the_package_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="no model 'hill'"):
        LightweightModel("hill", 4, 2)  # type: ignore[arg-type]


# Scaling


def test_scaling_is_the_packages_own_and_can_be_taken_back() -> None:
    from lightweight_mmm.preprocessing import CustomScaler

    rng = np.random.default_rng(2)
    raw = {
        "media": rng.gamma(1, 1000, (20, 3)),
        "target": rng.normal(5e4, 1e4, 20),
        "costs": rng.uniform(1e4, 1e6, 3),
        "extra_features": rng.normal(3, 1, (20, 2)),
    }
    scaled = scale_for_lightweight(**raw)
    for name, values in raw.items():
        found = getattr(scaled, {"costs": "media_prior"}.get(name, name))
        np.testing.assert_allclose(found, CustomScaler(divide_operation=jnp.mean).fit_transform(values), rtol=1e-14)
        np.testing.assert_allclose(found * getattr(scaled.scaling, name), values, rtol=5e-16)


def test_a_channel_without_media_cannot_be_scaled() -> None:
    with pytest.raises(ValueError, match="media cannot be scaled"):
        scale_for_lightweight(media=np.zeros((4, 1)), target=np.ones(4), costs=np.ones(1))


# The posterior


def our_summary(model: LightweightModel) -> Summary:
    """Of the draws by our sampler, given the simulated data."""
    inputs = simulated()
    positions = sample(model, model.data(inputs.media, inputs.target, inputs.media_prior), 1)
    flat = model.media_transformed(model.constrain(positions.reshape(-1, model.size)), inputs.media)
    transformed = flat.reshape(*positions.shape[:2], *flat.shape[1:])
    return summary(quantities(model.family, model.constrain(positions), transformed))


def package_summary(
    monkeypatch: pytest.MonkeyPatch, family: Family, priors: Mapping[str, Any], *, warmup: int, draws: int
) -> Summary:
    """Of the draws by the package's own fit, given the same.

    Skips, and says so, where its sampler has not converged.
    """
    by_site, diverged = fit_by_package(
        monkeypatch, family, simulated(), chains=4, warmup=warmup, draws=draws, custom_priors=priors
    )
    found = quantities(family, by_site, by_site["media_transformed"])
    others = {name: by_site[name].reshape(4, draws) for name in ("coef_trend", "expo_trend", "sigma", "intercept")}
    r_hat = worst_r_hat(found | others)
    if r_hat > 1.01:
        pytest.skip(f"The package's sampler has not converged, {family}: R-hat {r_hat:.3f}, {diverged} divergences.")
    return summary(found)


@pytest.mark.full
def test_the_posterior_agrees_with_a_recorded_fit_of_the_package() -> None:
    found = distances(our_summary(StraightTrendModel("adstock", 104, 3, trend_at_end=True)), RECORDED_ADSTOCK_FIT)
    assert max(found.values()) < 4


@pytest.mark.full
@pytest.mark.parametrize("family", FAMILIES)
def test_the_posterior_agrees_with_the_packages_own_fit(monkeypatch: pytest.MonkeyPatch, family: Family) -> None:
    theirs = package_summary(monkeypatch, family, straight_trend(), warmup=500, draws=1000)
    found = distances(our_summary(StraightTrendModel(family, 104, 3, trend_at_end=True)), theirs)
    assert max(found.values()) < 4


@pytest.mark.full
@pytest.mark.parametrize("family", FAMILIES)
def test_the_posterior_agrees_under_the_packages_own_priors(monkeypatch: pytest.MonkeyPatch, family: Family) -> None:
    ours = our_summary(LightweightModel(family, 104, 3, trend_at_end=True))
    found = distances(ours, package_summary(monkeypatch, family, {}, warmup=500, draws=500))
    assert max(found.values()) < 4
