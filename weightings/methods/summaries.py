"""Draws summarised: median, mean, and the central interval at the chosen level."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float64]
Summary: TypeAlias = dict[str, float | None]

LARGEST = 8  # media whose contributions are shown one by one; of the others it is said what they are together
NOTHING: Summary = {"median": None, "mean": None, "low": None, "high": None}


def summary(draws: FloatArray, level: float) -> Summary:
    """Of (S,) draws; all None where they are not finite, such as a return on no spend."""
    if not np.all(np.isfinite(draws)):
        return dict(NOTHING)
    low, median, high = np.quantile(draws, bounds(level))
    return {"median": float(median), "mean": float(draws.mean()), "low": float(low), "high": float(high)}


def bounds(level: float) -> Sequence[float]:
    """The quantiles of the low end, the middle and the high end."""
    return ((1 - level) / 2, 0.5, (1 + level) / 2)


def rounded(values: FloatArray) -> list[float | None]:
    """Numbers for JSON, full precision; None for what is not finite."""
    return [float(value) if np.isfinite(value) else None for value in values]


def spread_over(draws: int, most: int) -> npt.NDArray[np.int64]:
    """At most so many draws, evenly spaced."""
    kept = min(draws, most)
    return np.arange(kept) * draws // kept
