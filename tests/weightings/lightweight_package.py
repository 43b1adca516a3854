"""LightweightMMM as its users run it, on a simulated dataset, and how far two samples of a posterior are apart."""

import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from numpyro.diagnostics import effective_sample_size
from numpyro.distributions import Normal, Uniform
from scipy.stats import beta

from weightings.methods.convergence import diagnose
from weightings.methods.lightweight.model import Family, LightweightInputs, LightweightModel, scale_for_lightweight

FloatArray = npt.NDArray[np.float64]
ByName = Mapping[str, npt.NDArray[Any]]
Summary = dict[str, tuple[float, float]]  # what -> estimate, Monte Carlo standard error

TRANSFORM_PARAMETERS = {
    "adstock": ("lag_weight", "exponent"),
    "hill_adstock": ("lag_weight", "half_max_effective_concentration", "slope"),
    "carryover": ("ad_effect_retention_rate", "peak_effect_delay", "exponent"),
}

# What `fit_by_package` found for adstock on `simulated()`, `straight_trend()`: 4 chains of 1,000 draws after 500, R-hat
# up to 1.01. The full tests fit anew; this takes two minutes.
RECORDED_ADSTOCK_FIT: Summary = {
    "mean of coef_media[0]": (0.24948, 0.0012),
    "5% of coef_media[0]": (0.18009, 0.0016),
    "95% of coef_media[0]": (0.33481, 0.0022),
    "mean of coef_media[1]": (0.22239, 0.0013),
    "5% of coef_media[1]": (0.14929, 0.0017),
    "95% of coef_media[1]": (0.31811, 0.004),
    "mean of coef_media[2]": (0.18393, 0.0045),
    "5% of coef_media[2]": (0.065483, 0.0021),
    "95% of coef_media[2]": (0.41871, 0.041),
    "mean of lag_weight[0]": (0.34378, 0.0011),
    "5% of lag_weight[0]": (0.23735, 0.0031),
    "95% of lag_weight[0]": (0.44747, 0.0025),
    "mean of lag_weight[1]": (0.67175, 0.0014),
    "5% of lag_weight[1]": (0.55702, 0.0039),
    "95% of lag_weight[1]": (0.76777, 0.0022),
    "mean of lag_weight[2]": (0.75055, 0.0038),
    "5% of lag_weight[2]": (0.50973, 0.0076),
    "95% of lag_weight[2]": (0.97172, 0.003),
    "mean of exponent[0]": (0.80935, 0.0023),
    "5% of exponent[0]": (0.64378, 0.0035),
    "95% of exponent[0]": (0.96592, 0.0033),
    "mean of exponent[1]": (0.88662, 0.0022),
    "5% of exponent[1]": (0.69, 0.0075),
    "95% of exponent[1]": (0.99364, 0.00069),
    "mean of exponent[2]": (0.88016, 0.0017),
    "5% of exponent[2]": (0.67177, 0.0059),
    "95% of exponent[2]": (0.99319, 0.00064),
    "mean of contribution[0]": (24.152, 0.099),
    "5% of contribution[0]": (18.115, 0.17),
    "95% of contribution[0]": (31.713, 0.19),
    "mean of contribution[1]": (21.959, 0.12),
    "5% of contribution[1]": (14.96, 0.12),
    "95% of contribution[1]": (31.118, 0.38),
    "mean of contribution[2]": (16.881, 0.26),
    "5% of contribution[2]": (6.6234, 0.21),
    "95% of contribution[2]": (33.622, 1.4),
}


def straight_trend() -> dict[str, Any]:
    """Priors that keep the trend's exponent at 1: along it the posterior is a funnel that the package gets lost in."""
    return {"expo_trend": Uniform(0.99, 1.01), "coef_trend": Normal(0.0, 0.01)}


@dataclass(frozen=True)
class StraightTrendModel(LightweightModel):
    """The model with the priors `straight_trend`, given to the package in the way that it documents."""

    def _arguments(self, data: Mapping[str, Any]) -> dict[str, Any]:
        return super()._arguments(data) | {"custom_priors": straight_trend()}


def simulated(periods: int = 104, channels: int = 3) -> LightweightInputs:
    """Weekly media in bursts, geometric adstock, a linear trend, a season of 52 weeks and noise."""
    rng = np.random.default_rng(7)
    media = rng.gamma(0.5, 1, (periods, channels)) * np.array([1e3, 2e4, 300.0])[:channels]
    adstocked = np.zeros((periods, channels))
    for t in range(periods):
        adstocked[t] = media[t] / media.mean(axis=0) + np.array([0.3, 0.6, 0.5])[:channels] * adstocked[t - 1]
    week = np.arange(periods)
    baseline = 1 + 0.5 * week / periods + 0.1 * np.sin(2 * np.pi * week / 52)
    effect = adstocked**0.9 @ np.array([0.35, 0.2, 0.15])[:channels]
    target = 5000 * (baseline + effect + 0.3 * rng.normal(size=periods))
    return scale_for_lightweight(media=media, target=target, costs=np.array([3e5, 2e5, 1e5])[:channels])


def fit_by_package(
    monkeypatch: pytest.MonkeyPatch,
    family: Family,
    inputs: LightweightInputs,
    *,
    chains: int,
    warmup: int,
    draws: int,
    custom_priors: Mapping[str, Any],
) -> tuple[dict[str, npt.NDArray[Any]], int]:
    """Draws by site, (chains, draws, ...), of `LightweightMMM.fit`, and how many of them diverged.

    One of its modules imports TensorFlow to open files, which we do not have: it gets an empty stand-in.
    """
    tensorflow, io = ModuleType("tensorflow"), ModuleType("tensorflow.io")
    io.gfile = None  # type: ignore[attr-defined]
    tensorflow.io = io  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tensorflow", tensorflow)
    monkeypatch.setitem(sys.modules, "tensorflow.io", io)
    from lightweight_mmm.lightweight_mmm import LightweightMMM

    fitted = LightweightMMM(model_name=family)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="There are not enough devices to run parallel chains")
        fitted.fit(
            media=inputs.media,
            media_prior=inputs.media_prior,
            target=inputs.target,
            number_warmup=warmup,
            number_samples=draws,
            number_chains=chains,
            custom_priors=dict(custom_priors),
            seed=1,
        )
    by_site = fitted._mcmc.get_samples(group_by_chain=True)
    diverged = int(fitted._mcmc.get_extra_fields()["diverging"].sum())
    return {name: np.asarray(values) for name, values in by_site.items()}, diverged


def quantities(family: Family, draws: ByName, media_transformed: FloatArray) -> dict[str, FloatArray]:
    """What is compared, each (chains, draws): coefficients, transform parameters and contributions, by channel."""
    by_name = {name: draws[name] for name in ("coef_media", *TRANSFORM_PARAMETERS[family])}
    by_name["contribution"] = media_transformed.sum(axis=-2) * draws["coef_media"]
    return {f"{name}[{c}]": values[..., c] for name, values in by_name.items() for c in range(values.shape[-1])}


def worst_r_hat(by_name: Mapping[str, FloatArray]) -> float:
    return float(np.max(diagnose(np.stack(list(by_name.values()), axis=-1)).r_hat))


def summary(by_name: Mapping[str, FloatArray]) -> Summary:
    """The mean, the 5% and the 95% quantile of each quantity, with their Monte Carlo standard errors."""
    found = {}
    for name, draws in by_name.items():
        found[f"mean of {name}"] = (float(draws.mean()), _error_of_mean(draws))
        for p in (0.05, 0.95):
            found[f"{p:.0%} of {name}"] = (float(np.quantile(draws, p)), _error_of_quantile(draws, p))
    return found


def distances(ours: Summary, theirs: Summary) -> dict[str, float]:
    """|difference| in Monte Carlo standard errors."""
    assert ours.keys() == theirs.keys()
    return {
        name: abs(ours[name][0] - theirs[name][0]) / float(np.hypot(ours[name][1], theirs[name][1])) for name in ours
    }


def _error_of_mean(draws: FloatArray) -> float:
    return float(draws.std() / np.sqrt(effective_sample_size(draws)))


def _error_of_quantile(draws: FloatArray, p: float) -> float:
    """Half the distance between the order statistics one standard error either side. Source: Vehtari et al. 2021."""
    below = effective_sample_size((draws <= np.quantile(draws, p)).astype(float))
    low, high = beta.ppf((0.15866, 0.84134), below * p + 1, below * (1 - p) + 1)
    return float(np.diff(np.quantile(draws, (low, high)))[0] / 2)
