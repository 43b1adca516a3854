"""What media did in a window of periods, per posterior draw: contributions, incremental outcome, responses.

Two questions are kept apart. *Contribution*: how much of the expected outcome of the window's periods is owed to a
medium, whenever its money was spent; baseline and contributions add up to the expected outcome. *Incremental outcome*:
what would be missing, in the window and after it, had the medium been zero in the window; ROI is this over the window's
spend. They are linked by carry-over: contribution = incremental - carry-over behind the window + carry-in from before
(but for outcomes with bounds, below).

An outcome with bounds is no sum: its quantities are means over the window's periods, and what media add together is
shared out among them by what each adds to the log odds. (Along the straight line from no media to all media, this is
each one's integrated marginal effect: Aumann, Shapley 1974.)
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from weightings.methods.posterior import Fitted, blocks_of

FloatArray: TypeAlias = npt.NDArray[np.float64]

MULTIPLIERS = np.round(np.arange(0, 2.21, 0.1), 1)  # of the response curves
MORE = 1.01  # +1% spend, for marginal ROI


@dataclass(frozen=True, slots=True)
class Window:
    """The periods `start` to `stop` (not included) of the outcome."""

    start: int
    stop: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.stop:
            raise ValueError("A window has at least one period.")

    @property
    def periods(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True, eq=False)
class Quantities:
    """Per draw, in the outcome's unit; (S, P) by medium unless said otherwise.

    `expected`: (S,) the window's expected outcome. `baseline`: (S,) the part of it that is not owed to media.
    `contribution`, `incremental`, `carry_over` (the part of `incremental` behind the window): see the module.
    `marginal`: what 1% more of the window's spend would add, times 100.
    `spend`: (P,) of the window, account currency, 0 for organic media. `exposure`: (P,) of the window.
    """

    window: Window
    media: tuple[str, ...]
    expected: FloatArray
    baseline: FloatArray
    contribution: FloatArray
    incremental: FloatArray
    carry_over: FloatArray
    marginal: FloatArray
    spend: FloatArray
    exposure: FloatArray

    @property
    def carry_in(self) -> FloatArray:
        """What media from before the window contribute in it; not of an outcome with bounds, where this is no sum."""
        return self.contribution - self.incremental + self.carry_over

    @property
    def share(self) -> FloatArray:
        """Contribution as a share of the expected outcome; with the baseline's share they add up to 1.

        Of no outcome at all nothing is owed to media.
        """
        shares = np.zeros_like(self.contribution)
        np.divide(self.contribution, self.expected[:, None], out=shares, where=self.expected[:, None] != 0)
        return shares

    @property
    def baseline_share(self) -> FloatArray:
        return np.asarray(1.0 - self.share.sum(axis=1))

    @property
    def return_on_spend(self) -> FloatArray:
        """Incremental outcome per unit of spend: ROI where the outcome is money. NaN without spend."""
        return self.incremental / _or_nan(self.spend)

    @property
    def marginal_return(self) -> FloatArray:
        """What the next unit of spend would add: mROI where the outcome is money. NaN without spend."""
        return self.marginal / _or_nan(self.spend)

    @property
    def cost_per_incremental(self) -> FloatArray:
        """CPIK: spend per incremental unit of outcome. NaN without spend, infinite where nothing was added."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(_or_nan(self.spend) / self.incremental)

    def together(self) -> "Quantities":
        """All media with spend as one: what they added in each draw, on what was spent on all of them."""
        paid = self.spend > 0

        def of_paid(values: FloatArray) -> FloatArray:
            return np.asarray(values[..., paid].sum(axis=-1, keepdims=True))

        return replace(
            self,
            media=("All paid media",),
            contribution=of_paid(self.contribution),
            incremental=of_paid(self.incremental),
            carry_over=of_paid(self.carry_over),
            marginal=of_paid(self.marginal),
            spend=of_paid(self.spend),
            exposure=of_paid(self.exposure),
        )

    @property
    def effectiveness(self) -> FloatArray:
        """Incremental outcome per unit of exposure. NaN without exposure."""
        return self.incremental / _or_nan(self.exposure)

    @property
    def efficiency(self) -> FloatArray:
        """(share of paid media's incremental outcome / share of their spend) x 100; 100 is par. NaN without spend."""
        paid = self.spend > 0
        total = self.incremental[:, paid].sum(axis=1, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(100 * (self.incremental / total) / (_or_nan(self.spend) / self.spend.sum()))


def quantities(fitted: Fitted, window: Window, *, spend: FloatArray, exposure: FloatArray) -> Quantities:
    """All quantities of a window, from every draw. `spend`, `exposure`: (P,) of the window."""
    responses = response_grid(fitted, window, (1.0, MORE))
    expected, baseline, contribution = _explained(fitted, window)
    within, behind = responses[:, :, 0, 0], responses[:, :, 0, 1]
    more = responses[:, :, 1].sum(axis=2) - within - behind
    return Quantities(
        window=window,
        media=fitted.media,
        expected=expected,
        baseline=baseline,
        contribution=contribution,
        incremental=within + behind,
        carry_over=behind,
        marginal=more / (MORE - 1),
        spend=spend,
        exposure=exposure,
    )


def response_grid(fitted: Fitted, window: Window, multipliers: Sequence[float] | FloatArray) -> FloatArray:
    """What each medium adds when its amounts in the window are multiplied, its flighting as it was: (S, P, M, 2).

    Against the same world with none of it in the window; in the window's periods, and behind them. After the last
    period of the data there are no media but what carries over.
    """
    begin, amounts = media_around(fitted, window)
    ahead = window.start - begin
    inside = np.zeros(amounts.shape[-1], np.bool_)
    inside[fitted.lead + ahead : fitted.lead + ahead + window.periods] = True
    without = np.where(inside, 0.0, amounts)
    draws, media = len(fitted.sigma), len(fitted.media)
    grid = np.empty((draws, media, len(multipliers), 2))
    for block in blocks_of(draws, 4 * amounts.size):
        others = all_but_each(fitted, begin, block, fitted.added(block, amounts))
        nothing = outcome_where(fitted, block, others, fitted.added(block, without))
        for place, multiplier in enumerate(multipliers):
            scaled = fitted.added(block, np.where(inside, multiplier * amounts, amounts))
            change = outcome_where(fitted, block, others, scaled) - nothing
            grid[block, :, place, 0] = change[:, :, ahead : ahead + window.periods].sum(axis=2)
            grid[block, :, place, 1] = change[:, :, ahead + window.periods :].sum(axis=2)
    return grid / _divisor(fitted, window)


def contributions(fitted: Fitted, draws: slice) -> tuple[FloatArray, FloatArray, FloatArray]:
    """By period: expected outcome (s, T), baseline (s, T) and each medium's contribution (s, P, T), in the outcome."""
    added = fitted.added(draws, fitted.amounts)
    baseline = fitted.baseline[draws]
    if fitted.scale.bounds is None:
        unit = fitted.scale.unit
        contribution = added * unit
        return (baseline * unit) + contribution.sum(axis=1), baseline * unit, contribution
    sigma = fitted.sigma[draws][:, None]
    together = added.sum(axis=1)
    expected, alone = (fitted.scale.expected(scaled, sigma) for scaled in (baseline + together, baseline))
    share = np.divide(added, together[:, None], out=np.zeros_like(added), where=together[:, None] > 0)
    return expected, alone, share * (expected - alone)[:, None]


def _explained(fitted: Fitted, window: Window) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The window's expected outcome (S,), baseline (S,) and contributions (S, P)."""
    draws, media = len(fitted.sigma), len(fitted.media)
    expected, baseline, contribution = np.empty(draws), np.empty(draws), np.empty((draws, media))
    inside = slice(window.start, window.stop)
    for block in blocks_of(draws, 4 * fitted.amounts.size):
        by_period = contributions(fitted, block)
        expected[block] = by_period[0][:, inside].sum(axis=1)
        baseline[block] = by_period[1][:, inside].sum(axis=1)
        contribution[block] = by_period[2][:, :, inside].sum(axis=2)
    divisor = _divisor(fitted, window)
    return expected / divisor, baseline / divisor, contribution / divisor


def _divisor(fitted: Fitted, window: Window) -> float:
    """What sums over the window's periods are divided by: outcomes with bounds are averaged."""
    return 1.0 if fitted.scale.bounds is None else float(window.periods)


def media_around(fitted: Fitted, window: Window) -> tuple[int, FloatArray]:
    """The period of the outcome to begin at, and amounts from `lead` periods before it to `tail` behind the window.

    A model with a lead knows all that matters from there on, and one without remembers everything from the start. After
    the data's end there is nothing.
    """
    begin = window.start if fitted.lead else 0
    behind = max(window.stop + fitted.tail - (fitted.amounts.shape[-1] - fitted.lead), 0)
    padded = np.pad(fitted.amounts, [(0, 0)] * (fitted.amounts.ndim - 1) + [(0, behind)])
    return begin, padded[..., begin : window.stop + fitted.lead + fitted.tail]


def all_but_each(fitted: Fitted, begin: int, block: slice, added: FloatArray) -> FloatArray:
    """For outcomes with bounds, what there is beside each medium (s, P, N): the baseline and all other media.

    After the data's end the baseline is taken to stay where it was. Outcomes without bounds do not need it: (0,).
    """
    if fitted.scale.bounds is None:
        return np.zeros(0)
    baseline = fitted.baseline[block][:, begin:][:, : added.shape[2]]
    missing = added.shape[2] - baseline.shape[1]
    baseline = np.concatenate([baseline, np.repeat(baseline[:, -1:], missing, axis=1)], axis=1)
    return np.asarray(baseline[:, None] + added.sum(axis=1, keepdims=True) - added)


def outcome_where(fitted: Fitted, block: slice, others: FloatArray, added: FloatArray) -> FloatArray:
    """The expected outcome (s, P, N) where a medium adds this, up to what does not depend on it."""
    if fitted.scale.bounds is None:
        return added * fitted.scale.unit
    return fitted.scale.expected(others + added, fitted.sigma[block][:, None, None])


def _or_nan(values: FloatArray) -> FloatArray:
    return np.where(values > 0, values, np.nan)
