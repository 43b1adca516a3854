"""What a media mix model takes for likely before it has seen any outcome."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from marketing.frames import Granularity
from weightings.methods.media_mix import DELAY, EFFECT, HALF_SATURATION, RATE, RETENTION, SLOPE

FloatArray: TypeAlias = npt.NDArray[np.float64]
EffectKind: TypeAlias = Literal["roi", "contribution", "log_odds"]

SPREAD_OF_90_PERCENT = 1.6448536269514722  # standard normal deviations on each side

# Of a ROI where nobody says more: median 1.2, 90% between 0.3 and 5.4, as Google's Meridian has it.
ROI = (0.2, 0.9)
# Of all media's share of the outcome together, where there is no money to compare with; and of one without spend.
PAID_SHARE, ORGANIC_SHARE, SHARE_SPREAD = 0.25, 0.03, 1.0
# Of a medium's mean change of the log odds of a bounded outcome.
LOG_ODDS = (np.log(0.1), 1.0)
# The share of the outcome that all media together take at the median of the ROI prior, within which it is believed
# that spend and outcome are in one currency.
BELIEVABLE_SHARE = (0.005, 0.95)

# Location and spread of the logit of the retention from one period to the next.
RETENTIONS: Mapping[Granularity, tuple[float, float]] = {"day": (1.5, 1.0), "week": (-0.6, 1.1), "month": (-2.2, 1.0)}
# Median of the delay of the peak, in periods, and the spread of its logarithm.
DELAYS: Mapping[Granularity, tuple[float, float]] = {
    "day": (np.log(4.0), 0.8),
    "week": (np.log(0.8), 0.8),
    "month": (np.log(0.2), 0.8),
}
HALF_SATURATIONS = (0.0, 0.7)  # of the logarithm, in multiples of the medium's usual amount
SLOPES = (np.log(1.2), 0.35)
RATES = (0.0, 0.7)
SIGMA = (np.log(0.4), 0.8)  # of the outcome's standard deviation


@dataclass(frozen=True)
class LogNormal:
    """A positive number whose logarithm is normal with this location and spread."""

    location: float
    spread: float

    @classmethod
    def from_range(cls, *, median: float, low: float, high: float) -> "LogNormal":
        """Of which half lies below `median` and 90% between `low` and `high`.

        As no log-normal fits every such three, it takes the median, and the mean of the two spreads. Raises ValueError
        unless 0 < low < median < high.
        """
        if not 0 < low < median < high < np.inf:
            raise ValueError("A range must be of positive numbers, the median between its ends.")
        return cls(float(np.log(median)), float(np.log(high / low)) / (2 * SPREAD_OF_90_PERCENT))

    @property
    def median(self) -> float:
        return float(np.exp(self.location))

    def below(self, value: float) -> float:
        """How probable it is that the number is less than `value`, which is above 0."""
        return NormalDist(self.location, self.spread).cdf(float(np.log(value)))

    def times(self, factor: float) -> "LogNormal":
        """The number multiplied by this, which is above 0."""
        return LogNormal(self.location + float(np.log(factor)), self.spread)

    def interval(self, level: float = 0.9) -> tuple[float, float]:
        """The central interval that holds this share."""
        from scipy.special import ndtri

        reach = self.spread * float(ndtri(0.5 + level / 2))
        return float(np.exp(self.location - reach)), float(np.exp(self.location + reach))


@dataclass(frozen=True)
class EffectPrior:
    """What is believed of a medium's effect: its ROI, its share of the outcome, or its mean change of log odds."""

    kind: EffectKind
    prior: LogNormal


@dataclass(frozen=True, eq=False)
class Priors:
    """`effects`: one for each medium. `shapes`: location and spread of each other block of parameters, for all media.

    `sigma`: of the noise, in standard deviations of the outcome.
    """

    effects: tuple[EffectPrior, ...]
    shapes: Mapping[str, tuple[float, float]]
    sigma: LogNormal = field(default_factory=lambda: LogNormal(*SIGMA))

    def arrays(self, blocks: tuple[str, ...]) -> dict[str, FloatArray]:
        """Locations and spreads as `MediaMixModel.parameters` takes them."""
        count = len(self.effects)
        found = {
            f"{EFFECT}_location": np.array([effect.prior.location for effect in self.effects], np.float64),
            f"{EFFECT}_spread": np.array([effect.prior.spread for effect in self.effects], np.float64),
            "sigma_location": np.array(self.sigma.location),
            "sigma_spread": np.array(self.sigma.spread),
        }
        for block in blocks:
            if block != EFFECT:
                location, spread = self.shapes[block]
                found[f"{block}_location"], found[f"{block}_spread"] = np.full(count, location), np.full(count, spread)
        return found


def is_one_currency(*, expected: float, outcome: float) -> bool:
    """Whether media of which this much is expected in all are believed to be paid in the currency of the outcome."""
    low, high = BELIEVABLE_SHARE
    return low * outcome <= expected <= high * outcome


def usual_share(share_of_spend: float | None) -> LogNormal:
    """What is believed of a medium's share of the outcome, by its share of all spend; None of one without spend."""
    share = ORGANIC_SHARE if share_of_spend is None else PAID_SHARE * share_of_spend
    return LogNormal(float(np.log(share)), SHARE_SPREAD)


def shape_priors(granularity: Granularity) -> dict[str, tuple[float, float]]:
    """The priors of carry-over and saturation by block of parameters."""
    return {
        RETENTION: RETENTIONS[granularity],
        DELAY: DELAYS[granularity],
        HALF_SATURATION: HALF_SATURATIONS,
        SLOPE: SLOPES,
        RATE: RATES,
    }
