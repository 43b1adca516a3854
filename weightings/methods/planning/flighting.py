"""When to spend: each channel's spend over a horizon, spread over its periods so that it adds as much as it can.

Saturation rewards an even spread and a curve that is S-shaped, bursts; carry-over ties each period to the next ones, to
those before the horizon and to those behind it. All of that is the fitted model's. Channels add up, so each is flighted
by itself, for the mean over draws. Curves may be S-shaped and the best is then sought from many flightings: as it is,
even, and in bursts.

Spend buys amounts at the horizon's mean price, whatever the period.
"""

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from weightings.methods.media_mix import HALF_SATURATION, RATE, SLOPE, MediaMixModel
from weightings.methods.planning.ascent import ascend, with_total
from weightings.methods.planning.budget import AS_NOW, BudgetWishes, Recommendation, recommend
from weightings.methods.planning.plans import CannotBePlanned, Planned, observed, planned_amounts, with_media
from weightings.methods.planning.surface import NOT_A_SUM, surface_of
from weightings.methods.posterior import Fitted, Posterior
from weightings.methods.quantities import Window, response_grid

FloatArray: TypeAlias = npt.NDArray[np.float64]

SEARCHED_DRAWS = 200  # evenly spaced; what is found is judged by all
FOLLOWED = 8  # flightings that are followed up
LENGTHS = (1, 2, 3, 4, 6, 8, 13, 26)  # of bursts, in periods
NEAREST = 1e-6  # of a medium's usual amount: where a curve is infinitely steep at 0, its slope is taken here
ROUNDING = 1e-9
NOT_FLIGHTED = (
    "Flighting can be optimised for the models “hill”, “delayed” and “logistic” of one market only. Keep it as it is, "
    "or fit one of these."
)


@dataclass(frozen=True, eq=False, kw_only=True)
class Flighting:
    """C channels' spend by period (C, H), account currency, `kept` as the plan's and `best`; and what that changes.

    `gain`: (S, C) what is added more, in the outcome's unit. `planned`: the model with the best flighting, in `window`.
    """

    channels: tuple[str, ...]
    window: Window
    kept: FloatArray
    best: FloatArray
    gain: FloatArray
    planned: Planned


def best_flighting(
    fitted: Fitted,
    window: Window,
    *,
    spend: FloatArray,
    budget: FloatArray | None = None,
    least: FloatArray | None = None,
    most: FloatArray | None = None,
) -> Flighting:
    """Flight a budget over the window's periods.

    `spend`: (C,) of the plan, of the paid media, which come first. `budget`: (C,) to flight, the same unless given.
    `least`, `most`: (C, H) in a period. Where a flighting that is kept lies between these, none that is found is worse.
    Raises CannotBePlanned for models of other families, for outcomes with bounds, and for limits that contradict.
    """
    posterior = _posterior(fitted)
    budget, kept_amounts = spend if budget is None else budget, planned_amounts(fitted, window)
    channels, periods = len(spend), window.periods
    low = np.zeros((channels, periods)) if least is None else least
    high = np.broadcast_to(budget[:, None], (channels, periods)) if most is None else most
    amounts, gain = kept_amounts.copy(), np.zeros((len(posterior.sigma), channels))
    kept, best = np.zeros((2, channels, periods))
    for place in range(channels):
        name, total = posterior.media[place], float(kept_amounts[place].sum())
        _require_limits(name, float(budget[place]), low[place], high[place], periods)
        if not (total > 0 and spend[place] > 0):
            if budget[place] > 0:
                raise CannotBePlanned(f"{name} has no spend in the plan, so no price is known for it. Leave it at 0.")
            continue
        price = spend[place] / total
        one = _Channel.of(posterior, place, _around(fitted, window, place), periods)
        before = kept_amounts[place] * (budget[place] / spend[place])
        after = _best(one, before, low[place] / price, high[place] / price)
        amounts[place], kept[place], best[place] = after, before * price, after * price
        gain[:, place] = one.added(after) - one.added(before)
    planned = with_media(fitted, window, amounts)
    return Flighting(
        channels=posterior.media[:channels], window=window, kept=kept, best=best, gain=gain, planned=planned
    )


def with_budget(found: Flighting, fitted: Fitted, *, spend: FloatArray, budget: FloatArray) -> Flighting:
    """The same flightings with another budget (C,), and what they change then. `spend`: (C,) of the plan."""
    paid, flighted = len(spend), found.best.sum(axis=1)
    of_best = np.divide(budget, flighted, out=np.ones_like(flighted), where=flighted > 0)[:, None]
    of_plan = np.divide(budget, spend, out=np.ones_like(flighted), where=spend > 0)[:, None]
    before, after = planned_amounts(fitted, found.window).copy(), planned_amounts(found.planned, found.window).copy()
    before[:paid] *= of_plan
    after[:paid] *= of_best
    kept, best = (with_media(fitted, found.window, amounts) for amounts in (before, after))
    added = [response_grid(each, found.window, (1.0,))[:, :paid].sum(axis=(2, 3)) for each in (kept, best)]
    return replace(found, kept=found.kept * of_best, best=found.best * of_best, gain=added[1] - added[0], planned=best)


def _best(one: "_Channel", kept: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """The best amounts (H,) with the same total, between two limits."""
    total, some = float(kept.sum()), one.some()
    if total <= 0:
        return kept

    def project(wanted: FloatArray) -> FloatArray:
        return with_total(wanted, total, low, high)

    starts = [project(start) for start in _starts(kept)]
    starts = sorted(starts, key=lambda start: some.value(start)[0], reverse=True)[:FOLLOWED]
    found = [start for each in starts for start in (each, ascend(some.value, each, project)[0])]
    return max([project(kept), *found], key=lambda each: float(one.added(each).mean()))


def _starts(kept: FloatArray) -> list[FloatArray]:
    """Flightings (H,) with the same total: as it is, even, in one burst, and in bursts so many periods apart."""
    periods, total = len(kept), float(kept.sum())
    period = np.arange(periods)
    shapes = [kept, np.ones(periods)]
    for length in (length for length in LENGTHS if length < periods):
        first = np.arange(0, periods - length + 1, max(1, length // 4))
        shapes += [((period >= start) & (period < start + length)).astype(np.float64) for start in first]
        for apart in (2 * length, 3 * length):
            firsts = range(0, min(apart, periods), max(1, apart // 4))
            shapes += [((period - start) % apart < length).astype(np.float64) for start in firsts]
    return [shape * (total / shape.sum()) for shape in shapes if shape.any()]


@dataclass(frozen=True, eq=False)
class _Channel:
    """One medium of a model in S draws. `amounts`: (L - 1 + H + L - 1,) of it, before, in and behind the horizon.

    `weights`: (S, L) of the lags. `scale`: (S,) what it adds where it is wholly saturated, in the outcome's unit.
    `shape`: by block (S,).
    """

    model: MediaMixModel
    amounts: FloatArray
    periods: int
    weights: FloatArray
    scale: FloatArray
    shape: dict[str, FloatArray]

    @classmethod
    def of(cls, posterior: Posterior, place: int, amounts: FloatArray, periods: int) -> "_Channel":
        weights = np.asarray(posterior.model.carry_over(posterior.parameters)[:, place])
        blocks = (HALF_SATURATION, SLOPE) if posterior.model.saturation == "hill" else (RATE,)
        shape = {block: posterior.parameters[block][:, place] for block in blocks}
        return cls(posterior.model, amounts, periods, weights, posterior.beta[:, place] * posterior.scale.unit, shape)

    def some(self) -> "_Channel":
        """The same in fewer draws, evenly spaced."""
        draws = len(self.scale)
        kept = np.arange(min(draws, SEARCHED_DRAWS)) * draws // min(draws, SEARCHED_DRAWS)
        shape = {block: values[kept] for block, values in self.shape.items()}
        return _Channel(self.model, self.amounts, self.periods, self.weights[kept], self.scale[kept], shape)

    def added(self, planned: FloatArray) -> FloatArray:
        """What is added in the horizon and behind it (S,) by amounts (H,), with what is added without them."""
        return np.asarray(self._saturated(self._stock(planned)).sum(axis=1) * self.scale)

    def value(self, planned: FloatArray) -> tuple[float, FloatArray]:
        """The mean of the same, and its gradient (H,), in multiples of the largest that could be in a period."""
        stock = self._stock(planned)
        unit = float(self.scale.mean()) or 1.0
        by_stock = self._steepness(stock) * self.scale[:, None] / (unit * len(self.scale))
        by_lag = by_stock.T @ self.weights  # (N, L): through the period n, of what was spent l periods before
        gradient = np.array([by_lag.diagonal(-start)[: self.model.lags].sum() for start in range(self.periods)])
        return float((self._saturated(stock).sum(axis=1) * self.scale).mean()) / unit, gradient

    def _stock(self, planned: FloatArray) -> FloatArray:
        """Adstocked amounts (S, H + L - 1) in the horizon and behind it."""
        lags = self.model.lags
        amounts = self.amounts.copy()
        amounts[lags - 1 : lags - 1 + self.periods] = planned
        windows = np.lib.stride_tricks.sliding_window_view(amounts, lags)[:, ::-1]
        return np.asarray(self.weights @ windows.T)

    def _saturated(self, stock: FloatArray) -> FloatArray:
        shape = {block: values[:, None] for block, values in self.shape.items()}
        return np.asarray(self.model.saturate(stock[:, None], shape))[:, 0]

    def _steepness(self, stock: FloatArray) -> FloatArray:
        """The derivative of the saturation curve by the stock, (S, N)."""
        saturated = self._saturated(np.maximum(stock, NEAREST))
        if self.model.saturation == "hill":
            return self.shape[SLOPE][:, None] * saturated * (1 - saturated) / np.maximum(stock, NEAREST)
        return self.shape[RATE][:, None] / 2 * (1 - saturated**2)


def _around(fitted: Fitted, window: Window, place: int) -> FloatArray:
    """One medium's amounts from `lead` periods before the window to `tail` behind it; none after the data's end."""
    found = fitted.amounts[place, window.start : window.stop + fitted.lead + fitted.tail]
    return np.pad(found, (0, window.periods + fitted.lead + fitted.tail - len(found)))


def _posterior(fitted: Fitted) -> Posterior:
    posterior = observed(fitted)
    if not isinstance(posterior, Posterior) or posterior.amounts.ndim != 2:
        raise CannotBePlanned(NOT_FLIGHTED)
    if posterior.scale.bounds is not None:
        raise CannotBePlanned(NOT_A_SUM)
    return posterior


def _require_limits(name: str, budget: float, low: FloatArray, high: FloatArray, periods: int) -> None:
    if low.shape != (periods,) or high.shape != (periods,):
        raise CannotBePlanned(f"The limits of {name} must be given for each of {periods} periods.")
    if not (np.isfinite(budget) and budget >= 0):
        raise CannotBePlanned(f"Spend on {name} must be 0 or more, but is {budget:,.2f}.")
    if not np.all((low >= 0) & (low <= high)) or np.any(np.isnan(high)):
        raise CannotBePlanned(f"In each period the least spend on {name} must be 0 or more, and no more than the most.")
    if low.sum() > budget * (1 + ROUNDING) or high.sum() < budget * (1 - ROUNDING):
        raise CannotBePlanned(
            f"The periods of {name} can have from {low.sum():,.2f} to {high.sum():,.2f} in all, and its spend is "
            f"{budget:,.2f}. Change the limits, or the spend."
        )


def recommend_with_flighting(
    fitted: Fitted,
    window: Window,
    *,
    spend: FloatArray,
    wishes: BudgetWishes = AS_NOW,
    least: FloatArray | None = None,
    most: FloatArray | None = None,
) -> tuple[Recommendation, Flighting | None]:
    """A budget and its flighting, one after the other: the budget, when to spend it, and the budget again.

    `spend`: (C,) of the current plan. `least`, `most`: as `best_flighting` takes them. Never worth less, to the
    objective, than the best budget with its flighting kept, which is what there is where the flighting is None.
    """
    surface = surface_of(fitted, window, spend=spend)
    kept = recommend(surface, wishes)
    flighting = best_flighting(fitted, window, spend=spend, budget=kept.recommended, least=least, most=most)
    flighted = surface_of(flighting.planned, window, spend=kept.recommended)
    high = np.minimum(kept.high, flighted.most)
    limits = {
        name: (float(min(low, top)), float(top)) for name, low, top in zip(kept.channels, kept.low, high, strict=True)
    }
    found = recommend(flighted, BudgetWishes(goal=kept.goal, objective=kept.objective, limits=limits))
    if found.objective_recommended < kept.objective_recommended:
        return kept, None
    return (
        replace(
            found,
            current=kept.current,
            outcome_current=kept.outcome_current,
            added_current=kept.added_current,
        ),
        flighting,
    )
