"""Axes with round ticks: the smallest steps of 1, 2, 2.5 or 5 times a power of ten that keep them few."""

import math
from collections.abc import Callable, Iterable

from charts.spec import Axis, Tick

MOST_TICKS = 6
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


def axis(
    values: Iterable[float | None],
    *,
    title: str,
    text: Callable[[float], str],
    zero: bool = True,
    whole: bool = False,
) -> Axis:
    """Return an axis whose ticks enclose `values` (gaps are left out), from zero if `zero`, in whole steps if `whole`.

    Without values, or with one value only, the axis has the length of one step. Raises ValueError for a value that is
    not finite.
    """
    known = [float(value) for value in values if value is not None]
    if not all(math.isfinite(value) for value in known):
        raise ValueError("The values of an axis must be finite.")
    low, high = min(known, default=0.0), max(known, default=0.0)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if low == high:
        high = low + (abs(low) or 1.0)
    step = _step((high - low) / (MOST_TICKS - 1), whole=whole)
    # A hair of tolerance: 0.3 / 0.1 is not 3 in binary, and must not add a tick beyond the last value.
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    positions = [_round(place * step) for place in range(first, last + 1)]
    return Axis(
        title=title,
        low=positions[0],
        high=positions[-1],
        ticks=tuple(Tick(position, text(position)) for position in positions),
    )


def _step(least: float, *, whole: bool) -> float:
    if whole and least <= 1:
        return 1.0
    magnitude = 10.0 ** math.floor(math.log10(least))
    candidates = (factor * magnitude for factor in _STEPS)
    return next(step for step in candidates if step >= least * (1 - 1e-9) and (not whole or step == int(step)))


def _round(value: float) -> float:
    """Remove the error of multiplying a step: 3 * 0.1 becomes 0.3."""
    return float(f"{value:.12g}")
