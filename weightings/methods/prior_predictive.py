"""What beliefs about returns imply before any model is fitted: for each channel, and for all media together.

From totals alone, without carry-over and saturation: the share of channel c, with spend s_c, of the outcome y is
ROI_c s_c / y, so that of all media is a sum of independent log-normals. It is drawn by Latin hypercube, each channel's
return at the middles of N equally probable steps in random order (McKay, Beckman, Conover 1979), so that of one channel
alone it is exact up to the steps.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from weightings.methods.priors import ROI, LogNormal, is_one_currency, usual_share

FloatArray: TypeAlias = npt.NDArray[np.float64]

DRAWS = 10_000
# Of the logarithm of a return. Data tell it to 0.6 or so: they move what is believed this firmly by a tenth of the way.
NARROW = 0.2


@dataclass(frozen=True, kw_only=True)
class ExpectedReturn:
    """What is believed of a channel's ROI, the outcome in money for each unit of `spend`. `usual`: nobody said so."""

    channel: str
    spend: float
    prior: LogNormal
    usual: bool

    @property
    def loses(self) -> float:
        """How probable it is that the channel brings less than it costs."""
        return self.prior.below(1.0)

    @property
    def is_narrow(self) -> bool:
        """Whether it is believed so firmly that data can hardly move it."""
        return self.prior.spread < NARROW


@dataclass(frozen=True, eq=False, kw_only=True)
class PriorPredictive:
    """`returns`: of channels with spend, in their order. `shares`: (N,) of the outcome, all media, ascending.

    `money_doubted`: spend seems to be in another currency, so that shares are believed where nobody says a return.
    """

    returns: tuple[ExpectedReturn, ...]
    shares: FloatArray
    money_doubted: bool

    def share(self, probability: float) -> float:
        """The share of the outcome that media take at most with this probability."""
        return float(np.quantile(self.shares, probability))

    @property
    def more_than_all(self) -> float:
        """How probable it is that media bring more than the whole outcome."""
        return float(np.mean(self.shares > 1))


def prior_predictive(
    *,
    spend: Mapping[str, float],
    organic: Sequence[str],
    outcome: float,
    effects: Mapping[str, LogNormal],
    rng: np.random.Generator,
    draws: int = DRAWS,
) -> PriorPredictive:
    """Return what is implied by `effects`, ROI by channel, and by the usual beliefs about all other media.

    `spend`: above 0, of each channel in the days that a model learns from; `outcome`: in money, of the same days, above
    0. As `preparing.effect_kinds` has it, a channel of which nobody says a return has the usual ROI, or the usual share
    of the outcome where spend seems to be in another currency; a medium without spend has a share in any case.
    """
    total = sum(spend.values())
    expected = sum(effects.get(name, LogNormal(*ROI)).median * amount for name, amount in spend.items())
    doubted = bool(spend) and not is_one_currency(expected=expected, outcome=outcome)
    returns = tuple(
        ExpectedReturn(
            channel=name,
            spend=amount,
            prior=effects.get(name)
            or (usual_share(amount / total).times(outcome / amount) if doubted else LogNormal(*ROI)),
            usual=name not in effects,
        )
        for name, amount in spend.items()
    )
    shares = [one.prior.times(one.spend / outcome) for one in returns] + [usual_share(None)] * len(organic)
    return PriorPredictive(returns=returns, shares=_sum_of(shares, rng, draws), money_doubted=doubted)


def _sum_of(parts: Sequence[LogNormal], rng: np.random.Generator, draws: int) -> FloatArray:
    """Independent log-normals added up, (N,), ascending."""
    from scipy.special import ndtri

    steps = ndtri((np.arange(draws) + 0.5) / draws)
    added = np.zeros(draws)
    for part in parts:
        added += np.exp(part.location + part.spread * rng.permutation(steps))
    return np.sort(added)
