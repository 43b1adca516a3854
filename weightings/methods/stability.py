"""How far a model has moved since the one before it: what it says channels returned, and the budget it recommends.

**Stability of returns** is 100 x (1 - D): D is the mean over the channels that both models have, by their share of
spend, of the Kolmogorov-Smirnov distance between the two posteriors of a channel's return on spend. 100 is the same
posterior twice; a channel whose posterior has moved by half its own standard deviation takes a fifth of its share of
spend away, and one whose posteriors do not meet at all takes all of it. Two fits of one model that differ by nothing
but the seed come to about 97, as draws are not the posterior itself.

**What has moved of a budget** is half the sum of the absolute differences of the channels' shares: the part of it that
would have to be taken from some channels and given to others to make one plan of the other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from weightings.methods.quantities import Quantities
from weightings.methods.scores import ks_distance

FloatArray: TypeAlias = npt.NDArray[np.float64]
Standing: TypeAlias = Literal["stable", "moved", "changed"]

STABLE, MOVED = 90.0, 80.0  # a mean shift of a quarter of a posterior standard deviation, and of half of one


@dataclass(frozen=True, eq=False)
class Returned:
    """What a model says of a channel: `spend` > 0 of its window, and draws (S,) of the return on it."""

    spend: float
    draws: FloatArray


@dataclass(frozen=True, kw_only=True)
class Moved:
    """`distance`: of the channel's two posteriors, 0 to 1. `weight`: its share of spend, the mean of both models'."""

    distance: float
    weight: float


@dataclass(frozen=True, kw_only=True)
class Stability:
    """`score`: 0 (nothing is as it was) to 100 (all is). `channels`: those of both models, the furthest moved first."""

    score: float
    channels: Mapping[str, Moved]

    @property
    def standing(self) -> Standing:
        """How far returns have moved on average: less than a quarter of a standard deviation, than a half, or more."""
        return "stable" if self.score >= STABLE else "moved" if self.score >= MOVED else "changed"


def returns_of(found: Quantities, names: Mapping[str, str]) -> dict[str, Returned]:
    """The return of each medium with spend whose draws are finite, by what `names` calls it; others are left out.

    So are media of which several have one name: nobody knows the draws of what they are together.
    """
    draws, called = found.return_on_spend, [names[name] for name in found.media]
    return {
        name: Returned(float(found.spend[place]), draws[:, place])
        for place, name in enumerate(called)
        if called.count(name) == 1 and found.spend[place] > 0 and np.all(np.isfinite(draws[:, place]))
    }


def stability(first: Mapping[str, Returned], second: Mapping[str, Returned]) -> Stability | None:
    """How alike two models are in what channels returned, whichever comes first; None without a channel in common."""
    common = [name for name in second if name in first]
    if not common:
        return None
    shares = [_shares({name: of[name].spend for name in common}) for of in (first, second)]
    moved = {
        name: Moved(
            distance=ks_distance(first[name].draws, second[name].draws),
            weight=(shares[0][name] + shares[1][name]) / 2,
        )
        for name in common
    }
    distance = sum(each.weight * each.distance for each in moved.values())
    furthest_first = sorted(moved, key=lambda name: (-moved[name].distance, name))
    return Stability(
        score=float(np.clip(100 * (1 - distance), 0.0, 100.0)),
        channels={name: moved[name] for name in furthest_first},
    )


def moved_share(first: Mapping[str, float], second: Mapping[str, float]) -> float | None:
    """The share of a budget, 0 to 1, that two plans give to other channels; None where one of them is of nothing.

    Spend by channel, 0 or more each; a channel that a plan does not name gets nothing in it.
    """
    if not (sum(first.values()) > 0 and sum(second.values()) > 0):
        return None
    before, after = _shares(first), _shares(second)
    apart = sum(abs(before.get(name, 0.0) - after.get(name, 0.0)) for name in {**before, **after})
    return float(min(apart / 2, 1.0))


def _shares(spend: Mapping[str, float]) -> dict[str, float]:
    total = sum(spend.values())
    return {name: amount / total for name, amount in spend.items()}
