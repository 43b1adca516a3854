"""The national media mix model as simulation-based calibration takes it: small markets of every kind of input."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from benchmarks.calibration.simulating import Simulated
from marketing.frames import MediaPanel
from tests.weightings.worlds import panel
from weightings.methods.fitting import predictive, prior_of
from weightings.methods.media_mix import SIGMA, MediaMixModel
from weightings.methods.posterior import Posterior, posterior_of
from weightings.methods.preparing import Choices, Prepared, prepare
from weightings.methods.quantities import Window, quantities

FloatArray: TypeAlias = npt.NDArray[np.float64]

WEEKS, HISTORY, QUARTER = 72, 6, 13
NOT_KNOWN = (20, 47)  # weeks


@dataclass(frozen=True, eq=False)
class National:
    """A market whose outcome is replaced by one that the model itself has drawn.

    All scales, units and priors are those of the market with the outcome that it came with.
    """

    name: str
    prepared: Prepared

    @property
    def target(self) -> MediaMixModel:
        return self.prepared.model

    @property
    def window(self) -> Window:
        """The last quarter."""
        return Window(WEEKS - QUARTER, WEEKS)

    @cached_property
    def quantities(self) -> tuple[str, ...]:
        paid = self.prepared.panel.channels
        return (
            *self.target.parameter_names,
            *(f"quarterly ROI of {name}" for name in paid),
            *(f"quarterly mROI of {name}" for name in paid),
            "quarterly media",
            "quarterly outcome",
            "baseline in the first week",
            "scale of the trend",
            "log likelihood",
        )

    def simulate(self, rng: np.random.Generator) -> Simulated:
        prior = prior_of(self.prepared, 1, rng)
        known = np.isfinite(self.prepared.panel.outcome)
        outcome = np.where(known, predictive(prior, rng)[0], np.nan)
        scaled = np.zeros_like(self.prepared.data["outcome"])
        scaled[:WEEKS] = np.where(known, self.prepared.scale.scaled(outcome), 0.0)
        given = replace(
            self.prepared,
            panel=replace(self.prepared.panel, outcome=outcome),
            data=self.prepared.data | {"outcome": scaled},
        )
        return Simulated(
            true=self._quantities(prior, outcome)[0],
            data=given.data,
            quantities=lambda positions, rng: self._quantities(posterior_of(given, positions, rng), outcome),
        )

    def _quantities(self, fitted: Posterior, outcome: FloatArray) -> FloatArray:
        """(S, Q), in the order of their names."""
        market = self.prepared.panel
        inside = slice(HISTORY + self.window.start, HISTORY + self.window.stop)
        spend = np.concatenate([market.spend[inside].sum(axis=0), np.zeros(len(market.organic))])
        found = quantities(fitted, self.window, spend=spend, exposure=spend)
        paid = len(market.channels)
        return np.column_stack(
            [
                *(fitted.parameters[block] for block in fitted.model.blocks),
                fitted.sigma,
                found.return_on_spend[:, :paid],
                found.marginal_return[:, :paid],
                found.contribution.sum(axis=1),
                found.expected,
                fitted.baseline[:, 0],
                fitted.trend_scale,
                log_likelihood(fitted, outcome),
            ]
        )


def log_likelihood(fitted: Posterior, outcome: FloatArray) -> FloatArray:
    """log p(outcome | all parameters, the baseline's among them), (S,): what only the joint posterior gets right."""
    expected = fitted.baseline + fitted.added(slice(None), fitted.amounts).sum(axis=1)
    known = np.isfinite(outcome)
    error = (fitted.scale.scaled(outcome) - expected)[:, known] / fitted.parameters[SIGMA][:, None]
    return np.asarray(-0.5 * (error**2).sum(axis=1) - known.sum() * np.log(fitted.sigma * np.sqrt(2 * np.pi)))


def geometric_hill() -> National:
    """Two paid media and an organic one, with weeks of media before the outcome, a control, and weeks not known."""
    market = _market(seed=1, history=HISTORY)
    rng = np.random.default_rng(2)
    outcome = market.outcome.copy()
    outcome[list(NOT_KNOWN)] = np.nan
    market = replace(
        market,
        outcome=outcome,
        organic=("Blog",),
        organic_exposure=rng.gamma(2.0, 500.0, (len(market.spend), 1)),
        organic_units=("clicks",),
        controls=("Price",),
        control=rng.normal(10, 1, (WEEKS, 1)),
    )
    return National("geometric, Hill", prepare(market, Choices()))


def delayed_logistic() -> National:
    """Two paid media, one of them flighted, and no more."""
    return National(
        "delayed, logistic",
        prepare(_market(seed=3, history=HISTORY), Choices(adstock="delayed", saturation="logistic")),
    )


def _market(*, seed: int, history: int) -> MediaPanel:
    """Two channels, the second on air in some months only; media of about a quarter of sales."""
    rng = np.random.default_rng(seed)
    weeks = WEEKS + history
    spend = rng.gamma(3.0, 1.0, (weeks, 2)) * np.array([4000.0, 3000.0])
    spend[:, 1] *= np.repeat(rng.random(weeks // 4 + 1) < 0.6, 4)[:weeks]
    season = 0.15 * np.sin(2 * np.pi * np.arange(WEEKS) / 52.18)
    sales = 60_000 * (1 + season + rng.normal(0, 0.05, WEEKS)) + 1.2 * spend[history:].sum(axis=1)
    return panel(sales, spend, history=history, names=("TV", "Search"))
