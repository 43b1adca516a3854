"""What a budget makes as much of as it can, the mean of what is added or its lower end; and what it has to keep to."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float64]
ObjectiveName: TypeAlias = Literal["mean", "quantile", "cvar"]


@dataclass(frozen=True)
class Objective:
    """The mean of draws; their quantile at `share`; or `cvar`, the mean of those up to that quantile.

    The two at the lower end are cautious: they count what a plan would bring if it went badly. `share`: of draws, 10%
    unless given, so that it goes worse in one case of ten. Without ties `cvar` is the conditional value at risk of
    `risk` at a confidence of 1 - share; draws that tie with the quantile count once for each rank.
    """

    name: ObjectiveName = "mean"
    share: float = 0.1

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise ValueError(f"The share of draws that go worse must be between 0 and 1, but is {self.share}.")

    def of(self, totals: FloatArray) -> FloatArray:
        """Of draws along the last axis: (..., S) -> (...)."""
        if self.name == "mean":
            return np.asarray(totals.mean(axis=-1))
        place, rank = self.rank(totals.shape[-1])
        if self.name == "cvar":
            return np.asarray(np.partition(totals, rank, axis=-1)[..., : rank + 1].mean(axis=-1))
        above = min(rank + 1, totals.shape[-1] - 1)
        ordered = np.partition(totals, above, axis=-1)
        upper = ordered[..., above]
        lower = ordered[..., : rank + 1].max(axis=-1)
        return np.asarray(lower + (place - rank) * (upper - lower))

    def weights(self, totals: FloatArray, smoothing: float = 0.0) -> FloatArray:
        """What each draw (S,) counts: they add up to 1, and the objective changes by the draws' changes times them.

        `smoothing`: for a quantile, the standard deviation, as a share of draws, of ranks around it that count as well.
        """
        draws = len(totals)
        if self.name == "mean":
            return np.full(draws, 1 / draws)
        place, rank = self.rank(draws)
        weights = np.zeros(draws)
        if self.name == "cvar":
            weights[np.argpartition(totals, rank)[: rank + 1]] = 1 / (rank + 1)
        elif smoothing:
            by_rank = np.exp(-0.5 * ((np.arange(draws) - place) / (smoothing * draws)) ** 2)
            weights[np.argsort(totals, kind="stable")] = by_rank / by_rank.sum()
        else:
            above = min(rank + 1, draws - 1)
            ordered = np.argpartition(totals, (rank, above))
            weights[ordered[rank]] += 1 - (place - rank)
            weights[ordered[above]] += place - rank
        return weights

    def rank(self, draws: int) -> tuple[float, int]:
        """Where the quantile lies among ranks from 0, as `numpy.quantile` has it; and the rank below."""
        place = (draws - 1) * self.share
        return place, int(place)


MEAN = Objective()


@dataclass(frozen=True)
class FixedTotal:
    """Spend exactly this over the horizon, all its periods together, account currency."""

    spend: float


@dataclass(frozen=True)
class TargetReturn:
    """As much as possible while what is added is at least so much per unit of spend: ROI where the outcome is money.

    What is added is counted as the objective counts it: by a cautious one, the return is this if it goes badly.
    """

    at_least: float


@dataclass(frozen=True)
class TargetMarginalReturn:
    """Spend until the next unit of it would add less than this: what is added, less so much per unit, is largest."""

    at_least: float


Goal: TypeAlias = FixedTotal | TargetReturn | TargetMarginalReturn
