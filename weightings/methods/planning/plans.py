"""A fitted model with other media than it was fitted to: scaled, flighted otherwise, or after the data's end.

What a plan's media do is then asked as it is of the data: `weightings.methods.quantities`.
"""

from dataclasses import dataclass, replace
from typing import Self, TypeAlias

import numpy as np
import numpy.typing as npt

from weightings.methods.outcome_scale import OutcomeScale
from weightings.methods.posterior import Fitted
from weightings.methods.quantities import Window

FloatArray: TypeAlias = npt.NDArray[np.float64]


class CannotBePlanned(ValueError):
    """A plan, a budget or a scenario that there is no answer for; the sentence says why, and what to do."""


@dataclass(frozen=True, eq=False)
class Planned:
    """`fitted` with other `amounts` (..., P, lead + N) and `baseline` (S, N), on the model's scale."""

    fitted: Fitted
    amounts: FloatArray
    baseline: FloatArray

    @property
    def media(self) -> tuple[str, ...]:
        return self.fitted.media

    @property
    def lead(self) -> int:
        return self.fitted.lead

    @property
    def tail(self) -> int:
        return self.fitted.tail

    @property
    def scale(self) -> OutcomeScale:
        return self.fitted.scale

    @property
    def sigma(self) -> FloatArray:
        return self.fitted.sigma

    def added(self, draws: slice, amounts: FloatArray) -> FloatArray:
        return self.fitted.added(draws, amounts)

    def take(self, draws: npt.NDArray[np.int64]) -> Self:
        return replace(self, fitted=self.fitted.take(draws), baseline=self.baseline[draws])


def after_the_data(fitted: Fitted, pattern: Window, baseline: FloatArray) -> tuple[Planned, Window]:
    """The periods that follow the data, with the media of `pattern`, as many periods of the data; and which these are.

    `baseline`: (S, H) on the model's scale, of the H periods. What carries over from the data's last periods counts.
    Raises CannotBePlanned where the two do not have the same number of periods, or the pattern is not in the data.
    """
    if baseline.shape != (len(fitted.sigma), pattern.periods):
        raise CannotBePlanned(
            f"The baseline must have {pattern.periods} periods in each of {len(fitted.sigma)} draws, as many as are "
            f"planned, but has the shape {baseline.shape}."
        )
    periods = fitted.baseline.shape[1]
    amounts = np.concatenate([fitted.amounts, planned_amounts(fitted, pattern)], axis=-1)
    planned = Planned(fitted, amounts, np.concatenate([fitted.baseline, baseline], axis=1))
    return planned, Window(periods, periods + pattern.periods)


def with_media(fitted: Fitted, window: Window, amounts: FloatArray) -> Planned:
    """With these amounts (..., P, H) in the window's periods, and all others as they were."""
    changed = fitted.amounts.copy()
    changed[..., _inside(fitted, window)] = amounts
    return Planned(fitted, changed, fitted.baseline)


def scaled(fitted: Fitted, window: Window, multipliers: FloatArray) -> Planned:
    """With each medium's amounts in the window multiplied, its flighting as it was. `multipliers`: (P,)."""
    return with_media(fitted, window, planned_amounts(fitted, window) * multipliers[:, None])


def planned_amounts(fitted: Fitted, window: Window) -> FloatArray:
    """The amounts (..., P, H) of the window's periods."""
    return fitted.amounts[..., _inside(fitted, window)]


def observed_range(fitted: Fitted, window: Window) -> FloatArray:
    """What the window's amounts can be multiplied by until one is more than was ever seen in a period: (P,).

    Beyond it, responses are extrapolated. Infinite for media with nothing in the window; where there are several
    places, of the first of them to get there.
    """
    seen, planned = observed(fitted).amounts.max(axis=-1), planned_amounts(fitted, window).max(axis=-1)
    ranges = np.divide(seen, planned, out=np.full(seen.shape, np.inf), where=planned > 0)
    return np.asarray(ranges.reshape(-1, ranges.shape[-1]).min(axis=0))


def observed(fitted: Fitted) -> Fitted:
    """The model with the media that it was fitted to."""
    while isinstance(fitted, Planned):
        fitted = fitted.fitted
    return fitted


def _inside(fitted: Fitted, window: Window) -> slice:
    if window.stop > fitted.baseline.shape[1]:
        raise CannotBePlanned(
            f"The period to plan ends with period {window.stop}, and there are {fitted.baseline.shape[1]}. Choose one "
            "within them."
        )
    return slice(fitted.lead + window.start, fitted.lead + window.stop)
