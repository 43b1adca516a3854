"""One channel's spend changes and the total stays: the others take the difference, in proportion to what they have."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from weightings.methods.planning.plans import CannotBePlanned

FloatArray: TypeAlias = npt.NDArray[np.float64]

CENT = 0.01  # account currency: to which plans are kept
LEAST_WEIGHT = 1e-9  # of the total: what a channel with nothing has, should no other be able to take more


def rebalanced(
    spend: FloatArray,
    *,
    total: float,
    low: FloatArray,
    high: FloatArray,
    locked: npt.NDArray[np.bool_],
    changed: int | None = None,
    usual: FloatArray | None = None,
) -> FloatArray:
    """Spend (C,) that adds up to `total` to the cent, between `low` and `high` (C,).

    `locked`: (C,) those that keep their spend, whatever it is. `changed`: the one that was set and keeps it as well, as
    far as the others can make up for it. The others keep their proportions to one another, but for their limits.
    `usual`: (C,) the proportions of those that have nothing. Raises CannotBePlanned where no such spend exists.
    """
    found = np.where(locked, spend, np.clip(spend, low, high))
    free = ~locked
    rest = total - float(found[locked].sum())
    _require_room(rest, low[free], high[free], total, locked)
    if changed is not None and free[changed]:
        others = free.copy()
        others[changed] = False
        least, most = rest - float(high[others].sum()), rest - float(low[others].sum())
        found[changed] = np.clip(found[changed], max(least, low[changed]), min(most, high[changed]))
        rest -= float(found[changed])
        free = others
    if free.any():
        weights = found[free] + LEAST_WEIGHT * _shares(usual, free) * max(total, CENT)
        found[free] = _filled(weights, rest, low[free], high[free])
    return to_the_cent(found, total, low, high, free)


def _require_room(rest: float, low: FloatArray, high: FloatArray, total: float, locked: npt.NDArray[np.bool_]) -> None:
    if low.sum() - CENT / 2 <= rest <= high.sum() + CENT / 2:
        return
    held = total - rest
    if not len(low):
        raise CannotBePlanned(
            f"Every channel is locked, and together they have {held:,.2f}, not {total:,.2f}. Unlock one, or let the "
            "total change."
        )
    what = f"the locked channels have {held:,.2f}, and the others " if locked.any() else "the channels "
    raise CannotBePlanned(
        f"The total cannot be {total:,.2f}: {what}can have from {low.sum():,.2f} to {high.sum():,.2f}. Change the "
        "total, the limits or the locks."
    )


def _shares(usual: FloatArray | None, free: npt.NDArray[np.bool_]) -> FloatArray:
    count = int(free.sum())
    if usual is None or not usual[free].sum() > 0:
        return np.full(count, 1 / count)
    return np.asarray(usual[free] / usual[free].sum())


def _filled(weights: FloatArray, total: float, low: FloatArray, high: FloatArray) -> FloatArray:
    """Multiples of the weights, cut off at limits, that add up to the total: exact, as sums of pieces of lines."""
    with np.errstate(divide="ignore", invalid="ignore"):  # a channel that never had anything has no weight
        corners = np.unique(np.concatenate([low / weights, high / weights, [0.0]]))
    corners = corners[np.isfinite(corners)]
    sums = np.array([np.clip(corner * weights, low, high).sum() for corner in corners])
    after = int(np.searchsorted(sums, total, side="left"))
    if after == 0:
        return np.asarray(np.clip(corners[0] * weights, low, high))
    if after == len(corners):
        return np.asarray(np.clip(corners[-1] * weights, low, high))
    rise = sums[after] - sums[after - 1]
    share = (total - sums[after - 1]) / rise if rise > 0 else 0.0
    factor = corners[after - 1] + share * (corners[after] - corners[after - 1])
    return np.asarray(np.clip(factor * weights, low, high))


def to_the_cent(
    spend: FloatArray, total: float, low: FloatArray, high: FloatArray, free: npt.NDArray[np.bool_]
) -> FloatArray:
    """The same in whole cents where it is free; what that leaves goes to the free channels that have most room."""
    found = np.where(free, np.round(spend / CENT) * CENT, spend)
    missing = total - float(found.sum())
    for place in sorted(np.flatnonzero(free), key=lambda one: -spend[one]):
        room = high[place] - found[place] if missing > 0 else low[place] - found[place]
        step = min(missing, room) if missing > 0 else max(missing, room)
        found[place] += step
        missing -= step
    return np.asarray(np.round(found, 6))
