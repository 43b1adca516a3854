"""Spend shared out among channels exactly, on a lattice, where what they add is a sum: whatever the curves' shape.

Dynamic programming: the best that c channels can do with n units is the best, over what the last of them gets, of that
and what the others can do with the rest. Source: Bellman 1957, Dynamic Programming, chapter 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from weightings.methods.planning.surface import ResponseSurface

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]

MOST_AT_ONCE = 2**22  # numbers of one temporary array


@dataclass(frozen=True, eq=False)
class Lattice:
    """Amounts of spend in units of `step`, account currency, above `low` (C,).

    `spend`: for each channel (K_c,), from its low to its high end: the last step is cut short there. `added`: for each
    (K_c, S), what that adds.
    """

    low: FloatArray
    step: float
    spend: tuple[FloatArray, ...]
    added: tuple[FloatArray, ...]

    @classmethod
    def of(cls, surface: ResponseSurface, low: FloatArray, high: FloatArray, step: float) -> "Lattice":
        """Between `low` and `high` (C,). `step`: above 0."""
        units = np.ceil((high - low) / step - 1e-9).astype(np.int64)
        spend = tuple(
            np.minimum(low[place] + step * np.arange(count + 1), high[place]) for place, count in enumerate(units)
        )
        return cls(low, step, spend, tuple(surface.along(place, each) for place, each in enumerate(spend)))

    @property
    def units(self) -> int:
        """How many units all channels can take together."""
        return sum(len(each) - 1 for each in self.spend)

    def values(self, weights: FloatArray) -> list[FloatArray]:
        """For each channel (B, K_c): what is added, by B ways (B, S) of weighing draws."""
        return [weights @ each.T for each in self.added]

    def at(self, units: IntArray) -> FloatArray:
        """The spend (..., C) that is so many units (..., C)."""
        return np.stack([each[units[..., place]] for place, each in enumerate(self.spend)], axis=-1)


@dataclass(frozen=True, eq=False)
class Allocations:
    """The best that can be done with 0, 1, ... N units. `value`: (B, 1 + N). `chosen`: by channel (B, 1 + N)."""

    value: FloatArray
    chosen: tuple[IntArray, ...]

    def units(self, problem: int, total: int) -> IntArray:
        """What each channel gets (C,) of so many units."""
        found = np.empty(len(self.chosen), np.int64)
        for place in reversed(range(len(self.chosen))):
            found[place] = self.chosen[place][problem, total]
            total -= int(found[place])
        return found


def allocate(values: Sequence[FloatArray], most: int) -> Allocations:
    """Share out up to `most` units, in B problems at once. `values`: for each channel (B, K_c), by its units from 0.

    Where units can be shared out in several ways that are as good, later channels get fewer. Totals above what all
    channels take have the value minus infinity.
    """
    problems = len(values[0])
    value = np.zeros((problems, 1))
    chosen = []
    for each in values:
        value, units = _one_more(value, each, most)
        chosen.append(np.pad(units, ((0, 0), (0, most + 1 - units.shape[1]))))
    missing = most + 1 - value.shape[1]
    return Allocations(np.pad(value, ((0, 0), (0, missing)), constant_values=-np.inf), tuple(chosen))


def _one_more(value: FloatArray, added: FloatArray, most: int) -> tuple[FloatArray, IntArray]:
    """With one channel more: (B, n), (B, k) -> the best value (B, min(n + k - 1, 1 + most)), and the units it takes."""
    problems, width = added.shape
    totals = min(value.shape[1] + width - 1, most + 1)
    behind = max(totals - value.shape[1], 0)
    padded = np.pad(value, ((0, 0), (width - 1, behind)), constant_values=-np.inf)
    best, units = np.empty((problems, totals)), np.empty((problems, totals), np.int64)
    at_once = max(1, MOST_AT_ONCE // (totals * width))
    for start in range(0, problems, at_once):
        some = slice(start, start + at_once)
        # Along the last axis, what the others have left if this one takes 0, 1, ... units.
        left = sliding_window_view(padded[some], width, axis=1)[:, :totals, ::-1]
        sums = left + added[some, None, :]
        units[some] = sums.argmax(axis=2)
        best[some] = np.take_along_axis(sums, units[some, :, None], axis=2)[:, :, 0]
    return best, units
