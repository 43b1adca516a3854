"""The top of a smooth function of amounts that lie between bounds and have a total.

Spectral projected gradients: steps as long as the curvature along the last one suggests, projected onto what is
allowed, and taken if they are not much below the last few. Source: Birgin, Martinez, Raydan 2000, SIAM Journal on
Optimization 10(4).
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float64]

MOST_STEPS, REMEMBERED, SUFFICIENT = 300, 8, 1e-4
SHORTEST, LONGEST = 1e-8, 1e8  # steps, in multiples of the gradient
AT_TOP = 1e-9  # that a step of one gradient changes any amount by
HALVINGS = 40


def with_total(wanted: FloatArray, total: float, low: FloatArray, high: FloatArray) -> FloatArray:
    """The amounts (N,) nearest to `wanted` that lie between `low` and `high` (N,) and add up to `total`.

    All move by the same, as far as bounds let them. Source: Brucker 1984, Operations Research Letters 3(3). The total
    must be one that the bounds can add up to; rounding is forgiven.
    """
    turns = np.sort(np.concatenate([wanted - low, wanted - high]))
    sums = np.clip(wanted - turns[:, None], low, high).sum(axis=1)  # falls from that of `high` to that of `low`
    shift = np.interp(-total, -sums, turns)
    return np.asarray(np.clip(wanted - shift, low, high))


def ascend(
    value: Callable[[FloatArray], tuple[float, FloatArray]],
    start: FloatArray,
    project: Callable[[FloatArray], FloatArray],
) -> tuple[FloatArray, float]:
    """A local maximum (N,), and its value. `value`: with its gradient (N,). `start` must be allowed."""
    at = best = start
    reached, gradient = value(at)
    highest, recent, step = reached, [reached], 1.0 / max(float(np.abs(gradient).max()), SHORTEST)
    for _ in range(MOST_STEPS):
        if np.abs(project(at + gradient) - at).max() < AT_TOP:
            break
        direction = project(at + step * gradient) - at
        rise, share = float(gradient @ direction), 1.0
        for _ in range(HALVINGS):
            found, slope = value(at + share * direction)
            if found >= min(recent) + SUFFICIENT * share * rise:
                break
            share /= 2
        else:
            break
        moved, turned = share * direction, gradient - slope
        curvature = float(moved @ turned)
        step = float(np.clip(moved @ moved / curvature, SHORTEST, LONGEST)) if curvature > 0 else LONGEST
        at, gradient, recent = at + moved, slope, [*recent[1 - REMEMBERED :], found]
        if found > highest:
            best, highest = at, found
    return best, highest
