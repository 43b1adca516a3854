"""Fitting the model of several geos, looking at what its prior says, and trying the fit on periods held back.

The same functions as those of `weightings.methods.fitting`, so that who calls them need not know which model it is.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from marketing.frames import GeoPanel, MediaPanel
from weightings.methods.baseline import TREND_SCALES, Baseline
from weightings.methods.fitting import (
    BASELINE_STREAM,
    Fold,
    GeoFit,
    held_back,
    nobody_watches,
    silenced,
    stream,
    thinned,
    until,
)
from weightings.methods.geo.model import SHARED
from weightings.methods.geo.posterior import GeoPosterior, assembled, geo_media_and_beta, geo_posterior_of
from weightings.methods.geo.preparing import GeoPrepared, prepare_geos
from weightings.methods.posterior import blocks_of
from weightings.methods.preparing import Choices
from weightings.methods.sampling import OnProgress, Settings, sample

FloatArray: TypeAlias = npt.NDArray[np.float64]


def fit(panel: GeoPanel, choices: Choices, settings: Settings, on_progress: OnProgress = nobody_watches) -> GeoFit:
    """Fit the model. Raises SamplingError, CannotBeModelled, and what progress raises."""
    return _fit(prepare_geos(panel, choices), settings, on_progress)


def fit_without_experiments(
    fitted: GeoFit, choices: Choices, settings: Settings, on_progress: OnProgress = nobody_watches
) -> GeoFit:
    """Fit the model anew as if nothing had been measured of its panel: as `fitting.fit_without_experiments`."""
    prepared = prepare_geos(fitted.prepared.panel, replace(choices, experiments=()))
    data = {**prepared.data, **silenced(fitted.prepared.data)}
    return _fit(replace(prepared, data=data), settings, on_progress)


def _fit(prepared: GeoPrepared, settings: Settings, on_progress: OnProgress) -> GeoFit:
    draws = sample(prepared.model, prepared.data, settings, on_progress)
    posterior = geo_posterior_of(prepared, thinned(draws), stream(settings.seed, BASELINE_STREAM))
    return GeoFit(prepared, draws, posterior)


def rolling_origin(
    panel: GeoPanel,
    choices: Choices,
    settings: Settings,
    *,
    folds: int,
    horizon: int,
    on_progress: OnProgress = nobody_watches,
) -> list[Fold]:
    """Fit without the last periods of any geo and predict what all add up to, as `fitting.rolling_origin` does."""

    def refit(origin: int, report: OnProgress) -> GeoFit:
        known = replace(panel, panels=tuple(until(each, origin) for each in panel.panels))
        return fit(known, choices, settings, report)

    observed = panel.national().outcome
    return held_back(observed, refit, seed=settings.seed, folds=folds, horizon=horizon, on_progress=on_progress)


def prior_of(prepared: GeoPrepared, draws: int, rng: np.random.Generator) -> GeoPosterior:
    """What the model takes for possible before it has seen the outcome: as a posterior, but drawn from the prior."""
    return with_prior_baseline(prepared, prior_parameters(prepared, draws, rng), rng)


def with_prior_baseline(
    prepared: GeoPrepared, parameters: Mapping[str, FloatArray], rng: np.random.Generator
) -> GeoPosterior:
    """Such parameters, as `GeoMediaMixModel.parameters` has them of many draws, with baselines from the prior."""
    geos, _periods, width = prepared.own.shape
    draws = len(parameters[SHARED])
    beta = np.empty((draws, len(prepared.model.media), geos))
    for block in blocks_of(draws, 4 * prepared.amounts.size):
        beta[block] = geo_media_and_beta(prepared, {name: values[block] for name, values in parameters.items()})[1]
    chosen = rng.integers(len(TREND_SCALES), size=draws)
    scales = np.stack([prepared.baseline.scales_at(scale) for scale in TREND_SCALES])[chosen]
    coefficients = rng.standard_normal((draws, scales.shape[1] + geos * width))
    coefficients[:, : scales.shape[1]] *= scales
    return assembled(prepared, parameters, beta, coefficients, chosen)


def prior_parameters(prepared: GeoPrepared, draws: int, rng: np.random.Generator) -> dict[str, FloatArray]:
    """Parameters of so many draws from the prior, as `GeoMediaMixModel.parameters` has them."""
    return prepared.model.parameters(prior_positions(prepared, draws, rng), prepared.data["priors"])


def prior_positions(prepared: GeoPrepared, draws: int, rng: np.random.Generator) -> FloatArray:
    """Positions (draws, D) from the prior: standard normal all but sigma, which is normal around a level."""
    positions, priors = rng.standard_normal((draws, prepared.model.size)), prepared.data["priors"]
    geos = len(prepared.model.geos)
    level = priors["sigma_spread"] * rng.standard_normal((draws, 1))
    away = level + priors["sigma_geo_spread"] * positions[:, -geos:]
    positions[:, -geos:] = away / priors["sigma_unit"]
    return positions


def whole_panel(prepared: GeoPrepared) -> MediaPanel:
    """All markets as one panel."""
    return prepared.national


def reported_baseline(prepared: GeoPrepared) -> Baseline:
    """What the columns of a GeoPosterior are: the common ones, then those of each geo."""
    sizes, (geos, periods, width) = prepared.panel.sizes, prepared.own.shape
    own = (prepared.own * sizes[:, None, None]).swapaxes(0, 1).reshape(periods, geos * width)
    names = ("intercept", *(f"control: {name}" for name in prepared.national.controls))
    return Baseline(
        columns=np.hstack([np.tensordot(sizes, prepared.common, 1), own]),
        scales=np.append(prepared.baseline.scales, np.ones(geos * width)),
        groups=(*prepared.baseline.groups, *(names * geos)),
    )
