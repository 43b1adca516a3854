"""Rising curves from 0, known at some places, read between them: one curve for each channel and draw.

A response curve may begin infinitely steep (a Hill slope below 1) or flat (above 1), where no polynomial follows it.
The logarithm of the response by the logarithm of the multiplier is gently bent throughout. So it is this that a cubic
spline goes through, its slopes limited to what keeps a cubic monotone (Fritsch, Carlson 1980, SIAM Journal on Numerical
Analysis 17(2)); before the first place behind 0 the curve is the power of the multiplier that it is there.
"""

from dataclasses import dataclass
from typing import Self, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]

LEAST_SHARE = 1e-14  # of a curve's last value: below it there is only rounding
NEAREST = 1e-6  # of the first place: 0 for logarithms
ROUGHNESS = 1e-6  # of a curve's last value: falling by less than that is rounding


@dataclass(frozen=True, eq=False)
class Curves:
    """C channels' curves in each of S draws, rising from 0 at multiplier 0.

    `places`: (M,) multipliers above 0, rising. `last`: (C, S) the value at the last. `table`: (C, M, 2, S), the
    logarithm of the value as a share of `last`, and its slope by the logarithm of the multiplier.
    """

    places: FloatArray
    last: FloatArray
    table: FloatArray

    @classmethod
    def through(cls, multipliers: FloatArray, values: FloatArray) -> Self:
        """Curves through `values` (S, C, 1 + M) at `multipliers` (1 + M,), from 0 on.

        Raises ValueError unless multipliers rise from 0 with at least two behind it, and values are finite, 0 at 0, and
        never fall.
        """
        _require_rising(multipliers, values)
        places = multipliers[1:]
        values = np.maximum.accumulate(np.maximum(np.transpose(values, (1, 2, 0))[:, 1:], 0.0), axis=1)
        last = np.ascontiguousarray(values[:, -1])
        shares = np.divide(values, last[:, None], out=np.ones_like(values), where=last[:, None] > 0)
        logs = np.log(np.maximum(shares, LEAST_SHARE))
        return cls(places, last, np.stack([logs, _monotone_slopes(np.log(places), logs)], axis=2))

    @property
    def reach(self) -> float:
        """The largest multiplier that can be read."""
        return float(self.places[-1])

    def at(self, multipliers: FloatArray) -> FloatArray:
        """Values (C, S) at one multiplier for each channel (C,)."""
        before, basis = self._between(multipliers)
        values = np.empty_like(self.last)
        for channel, place in enumerate(before):
            np.dot(basis[0, :, channel], self._known(channel, place), out=values[channel])
        np.exp(values, out=values)
        values *= self.last
        values[multipliers <= 0] = 0.0
        return values

    def with_slopes(self, multipliers: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Values and their derivatives by the multiplier, each (C, S), at one multiplier for each channel (C,).

        At 0 the derivative, which may be infinite there, is that a millionth of the first place further on.
        """
        before, basis = self._between(multipliers)
        values, slopes = np.empty_like(self.last), np.empty_like(self.last)
        for channel, place in enumerate(before):
            known = self._known(channel, place)
            np.dot(basis[0, :, channel], known, out=values[channel])
            np.dot(basis[1, :, channel], known, out=slopes[channel])
        np.exp(values, out=values)
        values *= self.last
        slopes *= values
        slopes /= np.maximum(multipliers, NEAREST * self.places[0])[:, None]
        values[multipliers <= 0] = 0.0
        return values, slopes

    def along(self, channel: int, multipliers: FloatArray) -> FloatArray:
        """One channel's values (K, S) at many multipliers (K,)."""
        logs = np.empty((len(multipliers), self.last.shape[1]))
        before, basis = self._between(multipliers)
        for place in np.unique(before):
            mine = before == place
            logs[mine] = basis[0][:, mine].T @ self._known(channel, place)
        return np.asarray(np.exp(logs) * self.last[channel] * (multipliers > 0)[:, None])

    def _known(self, channel: int, place: int) -> FloatArray:
        """Value and slope at a place and at the next one, (4, S)."""
        known: FloatArray = self.table[channel, place : place + 2].reshape(4, -1)
        return known

    def _between(self, multipliers: FloatArray) -> tuple[IntArray, FloatArray]:
        """The place (K,) before each multiplier, and what the four numbers known there count: (2, 4, K).

        In the value, and in its slope. Before the first place they are its value and slope alone.
        """
        inside = np.log(np.clip(multipliers, NEAREST * self.places[0], self.reach))
        logs = np.log(self.places)
        before = np.clip(np.searchsorted(logs, inside, side="right") - 1, 0, len(logs) - 2).astype(np.int64)
        width = logs[before + 1] - logs[before]
        t = np.clip((inside - logs[before]) / width, 0.0, 1.0)
        ahead = np.minimum(inside - logs[0], 0.0)
        value = [
            (1 + 2 * t) * (1 - t) ** 2,
            width * t * (1 - t) ** 2 + ahead,
            t**2 * (3 - 2 * t),
            width * t**2 * (t - 1),
        ]
        slope = [-6 * t * (1 - t) / width, (1 - t) * (1 - 3 * t), 6 * t * (1 - t) / width, t * (3 * t - 2)]
        return before, np.array([value, slope])


def _monotone_slopes(places: FloatArray, values: FloatArray) -> FloatArray:
    """Slopes (C, M, S) of a monotone cubic through rising values (C, M, S) at places (M,)."""
    steps = np.diff(values, axis=1) / np.diff(places)[:, None]
    smooth = CubicSpline(places, values, axis=1)(places, 1) if len(places) > 2 else np.repeat(steps, 2, axis=1)
    largest = np.minimum(np.concatenate([steps[:, :1], steps], axis=1), np.concatenate([steps, steps[:, -1:]], axis=1))
    return np.asarray(np.clip(smooth, 0.0, 3 * largest))


def _require_rising(multipliers: FloatArray, values: FloatArray) -> None:
    if len(multipliers) < 3 or multipliers[0] != 0 or not np.all(np.diff(multipliers) > 0):
        raise ValueError("Response curves need multipliers that rise from 0, at least two of them above it.")
    if values.ndim != 3 or values.shape[2] != len(multipliers):
        raise ValueError(f"Responses must have shape (draws, channels, {len(multipliers)}), but have {values.shape}.")
    if not np.all(np.isfinite(values)):
        raise ValueError("Responses must be finite.")
    allowed = ROUGHNESS * np.abs(values[:, :, -1:])
    if np.any(np.abs(values[:, :, :1]) > allowed) or np.any(np.diff(values, axis=2) < -allowed):
        raise ValueError("Responses must be 0 at multiplier 0 and must not fall as it rises.")
