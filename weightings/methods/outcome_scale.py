"""The scale on which an outcome is modelled: as it is, or, where it has bounds, as log odds between them."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float64]

# Gauss-Hermite: the mean over the noise, exact to about 1e-6 of the range for log odds with noise up to 2.
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(25)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


class CannotBeModelled(ValueError):
    """Data that no model can be made of; the sentence says why, for whoever asked."""


@dataclass(frozen=True)
class OutcomeScale:
    """`scaled = (outcome or its log odds) / unit`. `count`: of known values, which says how near bounds they can be."""

    unit: float
    bounds: tuple[float, float] | None
    count: int

    def scaled(self, outcome: FloatArray) -> FloatArray:
        """What is modelled, NaN where the outcome is."""
        if self.bounds is None:
            return outcome / self.unit
        low, high = self.bounds
        share = (outcome - low) / (high - low)
        # A value at a bound has no log odds: drawn in by less than one value in all weighs.
        # Source: Smithson, Verkuilen 2006, Psychological Methods 11(1).
        share = (share * (self.count - 1) + 0.5) / self.count
        return np.log(share / (1 - share)) / self.unit

    def outcome(self, scaled: FloatArray) -> FloatArray:
        """The outcome of a scaled value: the inverse of `scaled`, within the bounds whatever the value."""
        if self.bounds is None:
            return scaled * self.unit
        low, high = self.bounds
        return low + (high - low) * self._drawn_out(_expit(scaled * self.unit))

    def expected(self, scaled: FloatArray, sigma: FloatArray) -> FloatArray:
        """The mean outcome where the scaled one is normal with mean `scaled` and standard deviation `sigma`."""
        if self.bounds is None:
            return scaled * self.unit
        total = np.zeros(np.broadcast_shapes(np.shape(scaled), np.shape(sigma)))
        for node, weight in zip(NODES, WEIGHTS, strict=True):
            total += weight * self.outcome(scaled + sigma * node)
        return total

    def _drawn_out(self, share: FloatArray) -> FloatArray:
        return np.clip((share * self.count - 0.5) / (self.count - 1), 0.0, 1.0)


def outcome_scale(outcome: FloatArray, bounds: tuple[float, float] | None) -> OutcomeScale:
    """The scale on which the known values vary by 1. Raises CannotBeModelled for fewer than two, or if none differs."""
    known = outcome[np.isfinite(outcome)]
    if len(known) < 2:
        raise CannotBeModelled("There are no values of the outcome to model.")
    spread = float(np.std(OutcomeScale(1.0, bounds, len(known)).scaled(known)))
    if not spread > 0:
        raise CannotBeModelled("The outcome is the same in every period: there is nothing to explain.")
    return OutcomeScale(spread, bounds, len(known))


def _expit(values: FloatArray) -> FloatArray:
    expit: FloatArray = 0.5 * (1 + np.tanh(0.5 * values))
    return expit
