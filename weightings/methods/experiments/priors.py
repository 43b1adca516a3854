"""Experiments as priors of a channel's return: what is believed of it beforehand, and what was measured, in one.

Return on spend counts what media carry over. So of a lift that counts the share p of the effect,
lift / spend ~ Normal(p ROI, standard error / spend). p is 1 of a lift that counts all; of one that counts the test's
days alone it is the share that falls within them. With the log-normal prior of the ROI this makes a density that is
summed up by the mean and the spread of its logarithm: log-normal again. For a lift that is clearly positive that is a
mean of logarithms weighted by precision. One around zero or below, which no log-normal has, lowers the ROI as far as it
is precise; and one that says nothing changes nothing.

Saturation is left out: the return of the test's days is taken for that of all days.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from marketing.frames import MediaPanel
from weightings.methods.adstock import delayed_weights, geometric_weights
from weightings.methods.baseline import DAYS_PER_PERIOD
from weightings.methods.experiments.lifts import Reading, period_days
from weightings.methods.media_mix import DELAY, RETENTION, AdstockName
from weightings.methods.outcome_scale import NODES, WEIGHTS
from weightings.methods.priors import EffectPrior, LogNormal

FloatArray: TypeAlias = npt.NDArray[np.float64]

HALF_LIFE_WEEKS = 52  # of how much an experiment's age is held against it
POINTS, REFINEMENTS = 2001, 4
NEGLIGIBLE_LOG = 40.0  # below the highest log density there is nothing to count
REACH = 10.0  # standard deviations


@dataclass(frozen=True, eq=False)
class LikelyCarryOver:
    """Carry-over as the priors have it: `weights` (K, L) of the lags, each as `probable` (K,) as it says."""

    weights: FloatArray
    probable: FloatArray


@dataclass(frozen=True, eq=False)
class MeasuredReturn:
    """A return of `mean` with a standard error. `captured`: (K,), the share of the effect that it counts."""

    mean: float
    error: float
    captured: FloatArray


@dataclass(frozen=True)
class Adjustment:
    """What Meridian makes of an experiment's return for its duration, age and spend.

    `captured`: the share of the effect that the test counted. `gamma`: what the mean is multiplied by, 1 / captured.
    `tau_duration`, `tau_recency`, `tau_spend`: what each adds to the variance, as a share of it.
    """

    captured: float
    gamma: float
    tau_duration: float
    tau_recency: float
    tau_spend: float

    def mean(self, measured: float) -> float:
        return self.gamma * measured

    def error(self, standard_error: float) -> float:
        return float(standard_error * np.sqrt(1 + self.tau_duration + self.tau_recency + self.tau_spend))


def adjustment(
    weights: FloatArray,
    *,
    periods: int,
    weeks_since_end: float,
    channel_spend_per_day: float,
    experiment_spend_per_day: float,
) -> Adjustment:
    """How much less is to be made of a test that was short, is old, or was of other spend than the channel's usual.

    `weights`: (L,) of the lags. `periods`: for how long the test counted, 1 at least. All spend is above 0. A test that
    counted for longer than carry-over lasts has missed nothing.

    Source: Meridian 2.1, `meridian/model/calibration/roi.py`.
    """
    captured = float(weights[:periods].sum() / weights.sum())
    kept = 0.5 ** (max(weeks_since_end, 0.0) / HALF_LIFE_WEEKS)
    less, more = sorted((channel_spend_per_day, experiment_spend_per_day))
    return Adjustment(captured, 1 / captured, (1 - captured) / captured, (1 - kept) / kept, more / less - 1)


def with_experiments(
    panel: MediaPanel,
    effects: Sequence[EffectPrior],
    readings: Sequence[Reading],
    likely: LikelyCarryOver,
    *,
    adjusted: bool,
    size: float,
) -> list[EffectPrior]:
    """The priors of all media, paid ones first, with the experiments that enter them as such.

    `adjusted`: as Meridian would have it. `size`: the outcome in all, of which effects may be shares.
    """
    found = list(effects)
    measured: dict[str, list[MeasuredReturn]] = {}
    for reading in readings:
        if reading.route == "prior":
            of_channel = measured.setdefault(reading.experiment.channel, [])
            of_channel.append(measured_return(panel, reading, likely, adjusted=adjusted))
    for name, returns in measured.items():
        place = panel.channels.index(name)
        # What a return of 1 is as an effect of this kind.
        per_return = 1.0
        if found[place].kind == "contribution":
            per_return = float(panel.spend[panel.history :, place].sum()) / size
        shift = float(np.log(per_return))
        believed = LogNormal(found[place].prior.location - shift, found[place].prior.spread)
        after = combined(believed, returns, likely.probable)
        found[place] = EffectPrior(found[place].kind, LogNormal(after.location + shift, after.spread))
    return found


def likely_carry_over(adstock: AdstockName, lags: int, shapes: Mapping[str, tuple[float, float]]) -> LikelyCarryOver:
    """Carry-over at the nodes of a quadrature over its priors: `shapes`, location and spread by block of parameters."""
    location, spread = shapes[RETENTION]
    retention = 0.5 * (1 + np.tanh(0.5 * (location + spread * NODES)))
    if adstock == "geometric":
        return LikelyCarryOver(geometric_weights(retention, lags), WEIGHTS)
    location, spread = shapes[DELAY]
    delay = np.exp(location + spread * NODES)
    count = len(NODES)
    return LikelyCarryOver(
        delayed_weights(np.repeat(retention, count), np.tile(delay, count), lags), np.outer(WEIGHTS, WEIGHTS).ravel()
    )


def captured_share(amounts: FloatArray, weights: FloatArray) -> FloatArray:
    """The share of the effect of amounts (W,) in W periods that falls in these periods, for weights (K, L): (K,)."""
    periods, lags = len(amounts), weights.shape[1]
    ahead = np.minimum(np.arange(periods)[::-1], lags - 1)
    return np.asarray(np.cumsum(weights, axis=1)[:, ahead] @ amounts / amounts.sum())


def flighting(panel: MediaPanel, reading: Reading) -> FloatArray:
    """How a test's media were spread over its periods (W,): as in the data, or evenly where these do not know."""
    window = reading.window
    if window is None:
        periods = reading.experiment.days / DAYS_PER_PERIOD[panel.granularity]
        whole = int(np.ceil(periods))
        return np.append(np.ones(whole - 1), periods - (whole - 1))
    exposure = panel.exposure[panel.history + window.start : panel.history + window.stop, window.place]
    amounts = exposure * window.shares
    return np.asarray(amounts if amounts.sum() > 0 else window.shares)


def measured_return(panel: MediaPanel, reading: Reading, likely: LikelyCarryOver, *, adjusted: bool) -> MeasuredReturn:
    """What a test says of the channel's return; `adjusted`: as Meridian would have it."""
    experiment = reading.experiment
    mean, error = experiment.lift / experiment.spend, experiment.error / experiment.spend
    whole = np.ones(len(likely.probable))
    if not adjusted:
        within = reading.counts == "within"
        captured = captured_share(flighting(panel, reading), likely.weights) if within else whole
        return MeasuredReturn(mean, error, captured)
    starts, ends = period_days(panel)
    of_channel = panel.spend[panel.history :, panel.channels.index(experiment.channel)].sum()
    counted = max(round(experiment.days / DAYS_PER_PERIOD[panel.granularity]), 1)
    found = adjustment(
        likely.probable @ likely.weights,
        periods=counted + reading.behind(likely.weights.shape[1] - 1),
        weeks_since_end=float(ends[-1] - experiment.end) / 7,
        channel_spend_per_day=float(of_channel) / float(ends[-1] - starts[0] + 1),
        experiment_spend_per_day=experiment.spend / experiment.days,
    )
    return MeasuredReturn(found.mean(mean), found.error(error), whole)


def combined(believed: LogNormal, measured: Sequence[MeasuredReturn], probable: FloatArray) -> LogNormal:
    """The log-normal with the mean and spread of log ROI given all that was measured.

    `probable`: (K,) of each carry-over. By the trapezoidal rule, on a grid that closes in on where the density is.
    """
    ends = [believed.location - REACH * believed.spread, believed.location + REACH * believed.spread]
    positive = [one.mean / share for one in measured for share in (one.captured.min(), 1.0) if one.mean > 0]
    ends += [float(np.log(value)) for value in positive]
    low, high = min(ends) - 1, max(ends) + 1
    for _ in range(REFINEMENTS):
        grid = np.linspace(low, high, POINTS)
        density = _log_density(grid, believed, measured, probable)
        near = np.flatnonzero(density > density.max() - NEGLIGIBLE_LOG)
        low, high = grid[max(near[0] - 1, 0)], grid[min(near[-1] + 1, POINTS - 1)]
    grid = np.linspace(low, high, POINTS)
    density = _log_density(grid, believed, measured, probable)
    weights = np.exp(density - density.max())
    weights /= weights.sum()
    location = float(weights @ grid)
    return LogNormal(location, float(np.sqrt(weights @ (grid - location) ** 2)))


def _log_density(
    log_return: FloatArray, believed: LogNormal, measured: Sequence[MeasuredReturn], probable: FloatArray
) -> FloatArray:
    """log p of (N,) log returns, up to a constant; what the carry-over is, which tests share, summed out."""
    by_carry_over = np.zeros((len(probable), len(log_return)))
    for one in measured:
        missed = (one.mean - one.captured[:, None] * np.exp(log_return)) / one.error
        by_carry_over -= 0.5 * missed**2
    from_tests = logsumexp(by_carry_over, axis=0, b=probable[:, None])
    return np.asarray(from_tests - 0.5 * ((log_return - believed.location) / believed.spread) ** 2)
