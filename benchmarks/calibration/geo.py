"""The geo model as simulation-based calibration takes it: a few small geos, with gaps in their outcomes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from benchmarks.calibration.simulating import Simulated
from marketing.frames import MediaPanel
from tests.weightings.geo_worlds import geo_panel
from weightings.methods.geo.fitting import prior_parameters, with_prior_baseline
from weightings.methods.geo.model import DEVIATION, SHARED, SPREAD, GeoMediaMixModel
from weightings.methods.geo.posterior import GeoPosterior, geo_posterior_of
from weightings.methods.geo.preparing import GeoPrepared, prepare_geos
from weightings.methods.media_mix import SIGMA
from weightings.methods.posterior import Posterior
from weightings.methods.preparing import Choices
from weightings.methods.quantities import Window, quantities

FloatArray: TypeAlias = npt.NDArray[np.float64]
Parameters: TypeAlias = Mapping[str, FloatArray]

GEOS, WEEKS, HISTORY, QUARTER = 3, 40, 4, 13


@dataclass(frozen=True, eq=False)
class Geos:
    """Geos whose outcomes are replaced by ones that the model itself has drawn.

    All scales, units and priors are those of the geos with the outcomes that they came with.
    """

    name: str
    prepared: GeoPrepared

    @property
    def target(self) -> GeoMediaMixModel:
        return self.prepared.model

    @property
    def window(self) -> Window:
        """The last quarter."""
        return Window(WEEKS - QUARTER, WEEKS)

    @cached_property
    def quantities(self) -> tuple[str, ...]:
        geos, paid = self.target.geos, self.prepared.panel.panels[0].channels
        return (
            *self.target.parameter_names,
            *(f"quarterly ROI of {name}" for name in paid),
            *(f"quarterly mROI of {name}" for name in paid),
            *(f"quarterly ROI of {name} in {geos[0]}" for name in paid),
            "quarterly media",
            "quarterly outcome",
            f"quarterly outcome in {geos[-1]}",
            *(f"baseline in the first week in {geo}" for geo in geos),
            "scale of the trend",
            "log likelihood",
        )

    def simulate(self, rng: np.random.Generator) -> Simulated:
        parameters = prior_parameters(self.prepared, 1, rng)
        truth = with_prior_baseline(self.prepared, parameters, rng)
        outcome = np.stack([expected(truth.of_geo(place))[0] for place in range(GEOS)])
        outcome += parameters[SIGMA].T * rng.standard_normal((GEOS, WEEKS))
        outcome += parameters[SHARED] * rng.standard_normal(WEEKS)
        given = with_outcome(self.prepared, outcome)

        def ranked(positions: FloatArray, rng: np.random.Generator) -> FloatArray:
            drawn = self.target.parameters(positions, self.prepared.data["priors"])
            return self._quantities(drawn, geo_posterior_of(given, positions, rng), outcome)

        return Simulated(self._quantities(parameters, truth, outcome)[0], given.data, ranked)

    def _quantities(self, parameters: Parameters, fitted: GeoPosterior, outcome: FloatArray) -> FloatArray:
        """(S, Q), in the order of their names."""
        first, last = fitted.of_geo(0), fitted.of_geo(GEOS - 1)
        national, paid = self.prepared.national, len(self.prepared.national.channels)
        found = quantities(fitted, self.window, **self._spent(national))
        in_first = quantities(first, self.window, **self._spent(self.prepared.panel.panels[0]))
        in_last = quantities(last, self.window, **self._spent(self.prepared.panel.panels[-1]))
        draws = len(fitted.beta)
        return np.column_stack(
            [
                *(fitted.parameters[block] for block in fitted.model.blocks),
                parameters[SPREAD],
                parameters[DEVIATION].reshape(draws, -1),
                parameters[SHARED],
                parameters[SIGMA],
                found.return_on_spend[:, :paid],
                found.marginal_return[:, :paid],
                in_first.return_on_spend[:, :paid],
                found.contribution.sum(axis=1),
                found.expected,
                in_last.expected,
                *(fitted.of_geo(place).baseline[:, 0] for place in range(GEOS)),
                fitted.trend_scale,
                geo_log_likelihood(self.prepared, parameters, fitted, outcome),
            ]
        )

    def _spent(self, panel: MediaPanel) -> dict[str, FloatArray]:
        inside = slice(HISTORY + self.window.start, HISTORY + self.window.stop)
        spend = panel.spend[inside].sum(axis=0)
        return {"spend": spend, "exposure": spend}


def expected(fitted: Posterior) -> FloatArray:
    """Baseline and media on the model's scale: (S, T)."""
    return np.asarray(fitted.baseline + fitted.added(slice(None), fitted.amounts).sum(axis=1))


def with_outcome(prepared: GeoPrepared, scaled: FloatArray) -> GeoPrepared:
    """The same geos, with this outcome per size on the model's scale (G, T) where theirs is known."""
    panel = prepared.panel
    known = np.isfinite(prepared.scaled)
    outcome = np.where(known, scaled, np.nan) * prepared.unit * panel.sizes[:, None]
    panels = tuple(replace(each, outcome=mine) for each, mine in zip(panel.panels, outcome, strict=True))
    data = np.zeros_like(prepared.data["outcome"])
    data[:, : scaled.shape[1]] = np.where(known, scaled, 0.0)
    return replace(prepared, panel=replace(panel, panels=panels), data=prepared.data | {"outcome": data})


def geo_log_likelihood(
    prepared: GeoPrepared, parameters: Parameters, fitted: GeoPosterior, outcome: FloatArray
) -> FloatArray:
    """log p(outcome | all parameters and the baselines'), (S,): only the noise that geos share is integrated out.

    By period the residuals of the geos of which the outcome is known are normal with the covariance
    diag(sigma^2) + tau^2 11'.
    """
    error = outcome - np.stack([expected(fitted.of_geo(place)) for place in range(len(outcome))], axis=1)
    known = np.isfinite(prepared.scaled)
    found = np.zeros(len(error))
    for period in np.flatnonzero(known.any(axis=0)):
        here = known[:, period]
        covariance = parameters[SHARED][:, None, None] ** 2 + np.stack(
            [np.diag(noise) for noise in parameters[SIGMA][:, here] ** 2]
        )
        missed = error[:, here, period]
        along = np.linalg.solve(covariance, missed[:, :, None])[:, :, 0]
        found -= 0.5 * ((missed * along).sum(axis=1) + np.linalg.slogdet(2 * np.pi * covariance)[1])
    return found


def small_geos() -> Geos:
    """Three geos, two media with weeks before the outcome, a control, and weeks not known of one geo or of all."""
    market = geo_panel(geos=GEOS, weeks=WEEKS, history=HISTORY, missing=True)
    return Geos("three geos", prepare_geos(market, Choices()))
