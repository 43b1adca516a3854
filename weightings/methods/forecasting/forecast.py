"""What the outcome will be in the periods after the data if a plan is carried out: the posterior predictive, per draw.

The model of the horizon is the fitted one, its draws continued: the season, weekdays, holidays, events and controls at
the coming dates with the coefficients they have; media with their carry-over from the last periods of the data. The
**trend** starts where each draw has it in the last period and wanders on as a random walk, as far in a year as it does
in that draw, bending at knots as far apart as those of the data: so its mean stays where it is, and its uncertainty
grows with the square root of time. A trend of two knots is a straight line and goes on as one, with the uncertainty of
its slope alone; no knots are no trend.

What a result is computed from is what a run has stored: a panel, its posterior, and the knots that were asked for.
Source of the form: Harvey 1989, Forecasting, Structural Time Series Models and the Kalman Filter.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from marketing.frames import MediaPanel
from weightings.methods.baseline import TREND_SCALES, Baseline, baseline_ahead, baseline_of
from weightings.methods.forecasting.forecast_plan import Plan, PlanAhead, laid_out, periods_after
from weightings.methods.posterior import Posterior, blocks_of
from weightings.methods.preparing import with_tail
from weightings.methods.quantities import Quantities, Window, contributions, quantities
from weightings.methods.summaries import bounds

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]

TREND_STREAM, NOISE_STREAM = 5, 6  # of random numbers, beside those of `weightings.methods.fitting`
ALIKE = 1e-6  # relative: stored numbers and those computed anew
JUST_BEYOND = 1e-9  # relative: rounding is no extrapolation


@dataclass(frozen=True, eq=False, kw_only=True)
class Forecast:
    """S draws of H periods, in the outcome's unit.

    `plan`: what was planned and carried. `model`: the posterior whose periods are those of the horizon; its baseline's
    last columns are the trend's steps to come. `expected`, `baseline`: (S, H). `predicted`: (S, H), with the noise.
    `quantities`: of the whole horizon, each medium against none of it there, with what it adds behind the horizon.
    `added`: (S,) what all paid media of the plan add together, in the horizon and behind it, against no spend at all.
    `reach`: (P,) the largest planned exposure of a period over the largest in the data; infinite beyond none.
    """

    plan: PlanAhead
    model: Posterior
    expected: FloatArray
    baseline: FloatArray
    predicted: FloatArray
    quantities: Quantities
    added: FloatArray
    reach: FloatArray

    @cached_property
    def contribution(self) -> FloatArray:
        """By medium and period: (S, P, H). With the baseline they add up to what is expected."""
        return contributions(self.model, slice(0, len(self.model.sigma)))[2]

    @property
    def beyond(self) -> tuple[str, ...]:
        """Media of which a period has more than any period of the data: what they add there is extrapolated."""
        further = self.reach > 1 + JUST_BEYOND
        return tuple(name for name, is_further in zip(self.model.media, further, strict=True) if is_further)

    def total(self, by_period: FloatArray) -> FloatArray:
        """Over the horizon: (..., H) -> (...), summed; the mean for an outcome with bounds, which does not add up."""
        return np.asarray(by_period.sum(axis=-1) if self.model.scale.bounds is None else by_period.mean(axis=-1))


def forecast(
    panel: MediaPanel, posterior: Posterior, plan: Plan | PlanAhead, *, knots: int | None, seed: int = 0
) -> Forecast:
    """The outcome in the periods after the panel if the plan is carried out; one that is laid out is taken as it is.

    `knots`: what the fit was given. Raises CannotBePlanned where the plan does not fit, and ValueError where the
    posterior is not one of this panel and these knots.
    """
    scales = _media_scales(panel, posterior, knots)
    ahead = laid_out(panel, plan) if isinstance(plan, Plan) else plan
    model = continued(panel, posterior, ahead, scales, knots=knots, rng=np.random.default_rng([seed, TREND_STREAM]))
    draws, periods = model.baseline.shape
    # Period by period, so that a longer forecast begins as a shorter one.
    noise = np.random.default_rng([seed, NOISE_STREAM]).standard_normal((periods, draws)).T
    expected, baseline, predicted = (np.empty((draws, periods)) for _ in range(3))
    for block in blocks_of(draws, 4 * model.amounts.size):
        expected[block], baseline[block], _contribution = contributions(model, block)
        scaled = model.baseline[block] + model.added(block, model.amounts).sum(axis=1)
        predicted[block] = model.scale.outcome(scaled + model.sigma[block, None] * noise[block])
    organic = np.zeros(len(panel.organic))
    return Forecast(
        plan=ahead,
        model=model,
        expected=expected,
        baseline=baseline,
        predicted=predicted,
        quantities=quantities(
            model,
            Window(0, periods),
            spend=np.concatenate([ahead.spend.sum(axis=0), organic]),
            exposure=ahead.exposure.sum(axis=0),
        ),
        added=_added_together(model, len(panel.channels)),
        reach=_reach(panel, ahead),
    )


def continued(
    panel: MediaPanel,
    posterior: Posterior,
    ahead: PlanAhead,
    media_scales: FloatArray,
    *,
    knots: int | None,
    rng: np.random.Generator,
) -> Posterior:
    """The posterior with the H periods of the plan for its own, the last `lead` of the data before them.

    `media_scales`: (P,) the exposure that is 1 in the posterior's amounts.
    """
    columns, walk = baseline_ahead(
        panel,
        period_start=periods_after(panel, len(ahead.period_start) + len(panel)),
        holiday=ahead.holiday,
        event=ahead.event,
        control=ahead.control,
        knots=knots,
    )
    before = posterior.amounts[:, posterior.amounts.shape[1] - posterior.lead :]
    return replace(
        posterior,
        amounts=np.hstack([before, ahead.exposure.T / media_scales[:, None]]),
        columns=np.hstack([columns, walk.columns]),
        coefficients=np.hstack([posterior.coefficients, steps_of(walk, posterior.trend_scale, rng)]),
    )


def steps_of(walk: Baseline, trend_scale: IntArray, rng: np.random.Generator) -> FloatArray:
    """The trend's steps to come, (S, W), drawn from the prior of each draw's scale. `trend_scale`: (S,)."""
    # Step by step, so that a longer forecast begins as a shorter one.
    normal = rng.standard_normal((len(walk.scales), len(trend_scale))).T
    return np.asarray(normal * walk.scales * np.array(TREND_SCALES)[trend_scale][:, None])


def bands(draws: FloatArray, level: float) -> FloatArray:
    """The low end, the median and the high end, (3, ...), of the central interval of draws (S, ...) at a level."""
    return np.asarray(np.quantile(draws, bounds(level), axis=0))


def _media_scales(panel: MediaPanel, posterior: Posterior, knots: int | None) -> FloatArray:
    """The exposure (P,) that is 1 in the posterior's amounts. Raises ValueError if these are not the panel's."""
    exposure = np.hstack([panel.exposure, panel.organic_exposure])[panel.history :].T
    amounts = posterior.amounts[:, posterior.lead :]
    if posterior.media == (*panel.channels, *panel.organic) and exposure.shape == amounts.shape:
        active = amounts.any(axis=1)
        scales = np.where(active, exposure.sum(axis=1), 1.0) / np.where(active, amounts.sum(axis=1), 1.0)
        columns = baseline_of(panel, level=0.0, knots=knots).columns
        fits = np.all(scales > 0) and _alike(amounts * scales[:, None], exposure)
        if fits and _alike(columns, posterior.columns):
            return scales
    raise ValueError(
        "The model was not fitted to these data with these knots. Give the panel and the knots that are stored with "
        "it, or run the model again."
    )


def _alike(found: FloatArray, expected: FloatArray) -> bool:
    return found.shape == expected.shape and np.allclose(found, expected, rtol=ALIKE, atol=ALIKE)


def _reach(panel: MediaPanel, ahead: PlanAhead) -> FloatArray:
    """The largest exposure planned in a period over the largest in the data: (P,)."""
    largest = np.hstack([panel.exposure, panel.organic_exposure]).max(axis=0)
    planned = ahead.exposure.max(axis=0)
    beyond_none = np.where(planned > 0, np.inf, 0.0)
    return np.where(largest > 0, planned / np.where(largest > 0, largest, 1.0), beyond_none)


def _added_together(model: Posterior, paid: int) -> FloatArray:
    """What the first `paid` media add together in the horizon and behind it, (S,), against none of them there.

    After the horizon there are no media but what carries over, and the baseline is taken to stay where it was.
    """
    amounts = with_tail(model.amounts, model.tail)
    without = amounts.copy()
    without[:paid, model.lead :] = 0.0
    draws, periods = model.baseline.shape
    added = np.empty(draws)
    for block in blocks_of(draws, 4 * amounts.size):
        baseline = np.pad(model.baseline[block], ((0, 0), (0, model.tail)), mode="edge")
        sigma = model.sigma[block, None]
        with_plan, with_none = (
            model.scale.expected(baseline + model.added(block, given).sum(axis=1), sigma)
            for given in (amounts, without)
        )
        added[block] = (with_plan - with_none).sum(axis=1)
    return added if model.scale.bounds is None else added / periods
