"""Fitting the media mix model to a panel, looking at what the prior says, and trying the fit on periods held back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from marketing.frames import MediaPanel
from weightings.methods.baseline import TREND_SCALES, Baseline
from weightings.methods.geo.posterior import GeoPosterior
from weightings.methods.geo.preparing import GeoPrepared
from weightings.methods.outcome_scale import CannotBeModelled
from weightings.methods.posterior import Fitted, Posterior, blocks_of, media_and_beta, posterior_of
from weightings.methods.preparing import Choices, Prepared, prepare
from weightings.methods.sampling import Draws, OnProgress, SamplingError, Settings, sample, share_of_all

FloatArray: TypeAlias = npt.NDArray[np.float64]

TRYING = "Trying it on periods held back"
MOST_KEPT = 2000  # draws that quantities are computed from
BASELINE_STREAM, CHECK_STREAM, NOISE_STREAM, PRIOR_STREAM = 1, 2, 3, 4  # of random numbers, beside the chains'
FIRST_FOLD_STREAM = 10


def nobody_watches(_phase: str, _share: float) -> None:
    """Progress that nobody wants to hear of."""


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted model: how it was prepared, all draws, and the posterior of up to 2,000 of them."""

    prepared: Prepared
    draws: Draws
    posterior: Posterior


@dataclass(frozen=True, eq=False)
class GeoFit:
    """A fitted model of several geos: as `Fit`."""

    prepared: GeoPrepared
    draws: Draws
    posterior: GeoPosterior


@dataclass(frozen=True, eq=False)
class Fold:
    """A fit that did not know the outcome from period `origin` on, tried on the `horizon` periods from there.

    `observed`: (h,), NaN where not known. `predicted`: (S, h) draws of the outcome. `converged`: whether the fit was.
    """

    origin: int
    horizon: int
    observed: FloatArray
    predicted: FloatArray
    converged: bool


def fit(panel: MediaPanel, choices: Choices, settings: Settings, on_progress: OnProgress = nobody_watches) -> Fit:
    """Fit the model. Raises SamplingError, CannotBeModelled, and what progress raises."""
    return _fit(prepare(panel, choices), settings, on_progress)


def fit_without_experiments(
    fitted: Fit, choices: Choices, settings: Settings, on_progress: OnProgress = nobody_watches
) -> Fit:
    """Fit the model anew as if nothing had been measured of its panel. Raises as `fit` does.

    Lifts that entered the density have no precision now: the same program, which need not be compiled anew.
    """
    prepared = prepare(fitted.prepared.panel, replace(choices, experiments=()))
    data = {**prepared.data, **silenced(fitted.prepared.data)}
    return _fit(replace(prepared, data=data), settings, on_progress)


def silenced(data: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a density's data on lifts, with no precision left to any; nothing where there are none."""
    measured = data.get("experiments")
    return {"experiments": {**measured, "precision": np.zeros_like(measured["precision"])}} if measured else {}


def _fit(prepared: Prepared, settings: Settings, on_progress: OnProgress) -> Fit:
    draws = sample(prepared.model, prepared.data, settings, on_progress)
    return Fit(prepared, draws, posterior_of(prepared, thinned(draws), stream(settings.seed, BASELINE_STREAM)))


def stream(seed: int, number: int) -> np.random.Generator:
    """Random numbers of one purpose."""
    return np.random.default_rng([seed, number])


def thinned(draws: Draws) -> FloatArray:
    """At most 2,000 positions (S, D), the same number of each chain, evenly spaced."""
    chains, count, _size = draws.positions.shape
    kept = min(count, MOST_KEPT // chains)
    places = np.arange(kept) * count // kept
    return draws.positions[:, places].reshape(chains * kept, -1)


def predictive(fitted: Fitted, rng: np.random.Generator) -> FloatArray:
    """Draws of the outcome (S, T), noise included: within the outcome's bounds, if it has any."""
    noise = rng.standard_normal(fitted.baseline.shape)
    scaled = fitted.baseline + fitted.sigma[:, None] * noise
    for block in blocks_of(len(scaled), 4 * fitted.amounts.size):
        scaled[block] += fitted.added(block, fitted.amounts).sum(axis=1)
    return fitted.scale.outcome(scaled)


def rolling_origin(
    panel: MediaPanel,
    choices: Choices,
    settings: Settings,
    *,
    folds: int,
    horizon: int,
    on_progress: OnProgress = nobody_watches,
) -> list[Fold]:
    """Fit without the last periods and predict them: `horizon` of them, then twice as many held back, and so on.

    Media, controls and events of the periods held back are given, as they would be in a plan. Nothing is compiled anew:
    periods held back are periods of which the outcome is not known. Folds that would leave less than half of the
    periods to learn from, or nothing that can be modelled, are left out.
    """
    return held_back(
        panel.outcome,
        lambda origin, report: fit(until(panel, origin), choices, settings, report),
        seed=settings.seed,
        folds=folds,
        horizon=horizon,
        on_progress=on_progress,
    )


def held_back(
    observed: FloatArray,
    refit: Callable[[int, OnProgress], Fit | GeoFit],
    *,
    seed: int,
    folds: int,
    horizon: int,
    on_progress: OnProgress = nobody_watches,
) -> list[Fold]:
    """As `rolling_origin`, for whatever model: `refit` fits it without the outcomes from a period on."""
    found = []
    for fold in range(1, folds + 1):
        origin = len(observed) - fold * horizon
        if origin < len(observed) / 2:
            break
        try:
            fitted = refit(origin, _part(on_progress, (fold - 1) / folds, 1 / folds))
        except (CannotBeModelled, SamplingError):
            continue  # what is left cannot be modelled by itself: no reason to lose the fit to all of it
        ahead = slice(origin, origin + horizon)
        predicted = predictive(fitted.posterior, stream(seed, FIRST_FOLD_STREAM + fold))[:, ahead]
        found.append(Fold(origin, horizon, observed[ahead], predicted, fitted.draws.converged))
    return found


def until(panel: MediaPanel, origin: int) -> MediaPanel:
    """The panel with its outcomes not known from a period on."""
    outcome = panel.outcome.copy()
    outcome[origin:] = np.nan
    return replace(panel, outcome=outcome)


def whole_panel(prepared: Prepared) -> MediaPanel:
    """The panel that results are about."""
    return prepared.panel


def reported_baseline(prepared: Prepared) -> Baseline:
    """What the columns of a posterior are."""
    return prepared.baseline


def prior_of(prepared: Prepared, draws: int, rng: np.random.Generator) -> Posterior:
    """What the model takes for possible before it has seen the outcome: as a posterior, but drawn from the prior."""
    parameters = prepared.model.parameters(rng.standard_normal((draws, prepared.model.size)), prepared.data["priors"])
    beta = np.empty((draws, len(prepared.model.media)))
    for block in blocks_of(draws, 4 * prepared.amounts.size):
        beta[block] = media_and_beta(prepared, {name: values[block] for name, values in parameters.items()})[1]
    chosen = rng.integers(len(TREND_SCALES), size=draws)
    scales = np.stack([prepared.baseline.scales_at(scale) for scale in TREND_SCALES])[chosen]
    return Posterior(
        model=prepared.model,
        scale=prepared.scale,
        amounts=prepared.amounts,
        columns=prepared.baseline.columns,
        parameters=parameters,
        beta=beta,
        coefficients=rng.standard_normal(scales.shape) * scales,
        trend_scale=chosen,
    )


def _part(on_progress: OnProgress, done: float, share: float) -> Callable[[str, float], None]:
    return lambda phase, within: on_progress(TRYING, done + share * share_of_all(phase, within))
