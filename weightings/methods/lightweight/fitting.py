"""LightweightMMM's models fitted to a panel by our sampler, and read like any other fitted model."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self, TypeAlias

import numpy as np
import numpy.typing as npt

from marketing.frames import Granularity, MediaPanel
from weightings.methods.fitting import nobody_watches, thinned
from weightings.methods.lightweight.model import Family, LightweightInputs, LightweightModel, scale_for_lightweight
from weightings.methods.outcome_scale import CannotBeModelled, OutcomeScale
from weightings.methods.sampling import Draws, OnProgress, Settings, sample

FloatArray: TypeAlias = npt.NDArray[np.float64]

TARGET_ACCEPT = 0.95  # at the usual 0.85 these posteriors still diverge here and there
FREQUENCY: Mapping[Granularity, int] = {"day": 365, "week": 52, "month": 12}
TAIL: Mapping[Granularity, int] = {"day": 91, "week": 26, "month": 6}  # behind which an adstock is taken to be over


class LightweightRefusal(CannotBeModelled):
    """What these models cannot do with a panel; the sentence says so."""


@dataclass(frozen=True, eq=False)
class LightweightPosterior:
    """S draws of one of the package's models; outcome and media in multiples of their means.

    `parameters`: by the package's site names, (S, ...). `features`: (T, F) scaled extra features, F may be 0.
    """

    panel: MediaPanel
    model: LightweightModel
    inputs: LightweightInputs
    parameters: Mapping[str, FloatArray]

    @property
    def media(self) -> tuple[str, ...]:
        return self.panel.channels

    @property
    def amounts(self) -> FloatArray:
        return self.inputs.media.T

    @property
    def lead(self) -> int:
        """None: these models know no media from before the first period."""
        return 0

    @property
    def tail(self) -> int:
        return TAIL[self.panel.granularity]

    @property
    def scale(self) -> OutcomeScale:
        return OutcomeScale(self.inputs.scaling.target, None, len(self.panel))

    @property
    def sigma(self) -> FloatArray:
        return self.parameters["sigma"][:, 0]

    @property
    def beta(self) -> FloatArray:
        return self.parameters["coef_media"]

    @property
    def baseline(self) -> FloatArray:
        """Intercept, trend, seasonality, weekdays and extra features: (S, T)."""
        time = np.arange(self.model.periods)
        found = (
            self.parameters["intercept"]
            + self.parameters["coef_trend"] * time ** self.parameters["expo_trend"][:, None]
        )
        degree = np.arange(1, self.model.degrees_seasonality + 1)
        angle = 2 * np.pi * np.outer(time, degree) / self.model.frequency
        waves = np.stack([np.sin(angle), np.cos(angle)], axis=-1)
        found = found + np.einsum("tdw,sdw->st", waves, self.parameters["gamma_seasonality"])
        if self.model.weekday:
            found = found + self.parameters["weekday"][:, time % 7]
        if self.inputs.extra_features is not None:
            found = found + self.parameters["coef_extra_features"] @ self.inputs.extra_features.T
        return np.asarray(found)

    def added(self, draws: slice, amounts: FloatArray) -> FloatArray:
        """What such amounts (P, N) would add in each period: (draws, P, N)."""
        of_block = {name: values[draws] for name, values in self.parameters.items()}
        transformed = self.model.media_transformed(of_block, amounts.T)
        return np.asarray(transformed.swapaxes(1, 2) * self.beta[draws][:, :, None])

    def take(self, draws: npt.NDArray[np.int64]) -> Self:
        """These draws only."""
        return replace(self, parameters={name: values[draws] for name, values in self.parameters.items()})


@dataclass(frozen=True, eq=False)
class LightweightFit:
    """A fitted model of the package: all draws, and the posterior of up to 2,000 of them."""

    draws: Draws
    posterior: LightweightPosterior


def fit_lightweight(
    panel: MediaPanel, family: Family, settings: Settings, on_progress: OnProgress = nobody_watches
) -> LightweightFit:
    """Fit one of the package's models, with its own priors. Raises LightweightRefusal, SamplingError, as `fit` does.

    Controls, events and holidays are its extra features. Media from before the outcome are not known to it.
    """
    _require_possible(panel)
    features = np.hstack([panel.control, panel.event, panel.holiday])
    spread = features.std(axis=0)
    features = (features - features.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    inputs = scale_for_lightweight(
        media=panel.exposure[panel.history :],
        target=panel.outcome,
        costs=panel.spend[panel.history :].sum(axis=0),
    )
    if features.shape[1]:
        inputs = LightweightInputs(inputs.media, inputs.target, inputs.media_prior, features, inputs.scaling)
    model = LightweightModel(
        family,
        periods=len(panel),
        channels=len(panel.channels),
        features=features.shape[1],
        frequency=FREQUENCY[panel.granularity],
        weekday=panel.granularity == "day",
        trend_at_end=True,  # the same posterior, without the funnel that the package's own coordinates make of it
    )
    data = model.data(inputs.media, inputs.target, inputs.media_prior, inputs.extra_features)
    draws = sample(model, data, replace(settings, target_accept=TARGET_ACCEPT), on_progress)
    parameters = model.constrain(thinned(draws))
    return LightweightFit(draws, LightweightPosterior(panel, model, inputs, parameters))


def _require_possible(panel: MediaPanel) -> None:
    if panel.bounds is not None:
        raise LightweightRefusal(
            "LightweightMMM's models know no bounds, and would predict values that cannot be. Choose the model “hill”, "
            "“delayed” or “logistic” for this outcome."
        )
    if not panel.channels:
        raise LightweightRefusal("LightweightMMM's models need media with spend, and there are none.")
    if not np.all(np.isfinite(panel.outcome)):
        missing = int(np.count_nonzero(~np.isfinite(panel.outcome)))
        raise LightweightRefusal(
            f"LightweightMMM's models need the outcome of every period, and {missing} are missing. Import them, or "
            "choose the model “hill”, “delayed” or “logistic”."
        )
    if panel.outcome.mean() <= 0:
        raise LightweightRefusal("LightweightMMM's models need an outcome whose mean is above zero.")
