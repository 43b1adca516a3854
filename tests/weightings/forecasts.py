"""Markets with some of everything, and models of them that are not fitted: what forecasts are tried on."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from marketing.frames import MediaPanel
from tests.weightings.worlds import panel
from weightings.methods.baseline import baseline_of
from weightings.methods.fitting import prior_of
from weightings.methods.media_mix import MediaMixModel
from weightings.methods.outcome_scale import OutcomeScale
from weightings.methods.posterior import Posterior
from weightings.methods.preparing import Choices, prepare

FloatArray = npt.NDArray[np.float64]
WEEKS, LAGS = 60, 5


def market(*, weeks: int = WEEKS, bounded: bool = False, history: int = 6, seed: int = 31, **kwargs: Any) -> MediaPanel:
    """Two channels, and some of everything else."""
    rng = np.random.default_rng(seed)
    spend = rng.gamma(2, 50, (weeks + history, 2)) * (rng.random((weeks + history, 2)) < 0.8)
    outcome = 30 + 10 * rng.random(weeks) if bounded else 3000 + spend[history:].sum(axis=1) + rng.normal(0, 100, weeks)
    found = panel(
        outcome,
        spend,
        history=history,
        bounds=(0.0, 100.0) if bounded else None,
        is_money=not bounded,
        controls=rng.normal(20, 4, (weeks, 1)),
        control_names=("Price",),
        names=("TV", "Search"),
        **kwargs,
    )
    organic = rng.gamma(2, 500, (weeks + history, 1))
    some = np.zeros((weeks, 1))
    some[[5, 18]] = 1.0
    return replace(
        found,
        organic=("Blog",),
        organic_exposure=organic,
        organic_units=("clicks",),
        events=("Sale",),
        event=some / 7,
        holidays=("Easter",),
        holiday=some,
    )


def some_draws(of: MediaPanel, draws: int = 20, *, knots: int | None = 6) -> Posterior:
    """Draws to compute with; what they are likely is of no matter here, so they come from the prior."""
    return prior_of(prepare(of, Choices(lags=LAGS, knots=knots)), draws, np.random.default_rng(32))


def with_coefficients(of: MediaPanel, knots: int, **by_group: list[float]) -> Posterior:
    """One draw of a model whose media do nothing, on the outcome's own scale; coefficients that nobody gives are 0."""
    columns = baseline_of(of, level=0.0, knots=knots)
    coefficients = np.zeros(len(columns.groups))
    for group, values in by_group.items():
        wanted = [name.rpartition(": ")[2] == group for name in columns.groups]
        coefficients[wanted] = values
    exposure = np.hstack([of.exposure, of.organic_exposure]).T
    media = len(exposure)
    return Posterior(
        model=MediaMixModel((*of.channels, *of.organic), 1),
        scale=OutcomeScale(1.0, of.bounds, 50),
        amounts=exposure[:, of.history :],
        columns=columns.columns,
        parameters={
            "retention": np.full((1, media), 0.5),
            "half_saturation": np.ones((1, media)),
            "slope": np.ones((1, media)),
            "sigma": np.array([0.0]),
        },
        beta=np.zeros((1, media)),
        coefficients=coefficients[None],
        trend_scale=np.array([4]),
    )


def nothing(periods: int, channels: int = 2) -> FloatArray:
    return np.zeros((periods, channels))
