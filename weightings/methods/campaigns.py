"""What campaigns of one medium added, by a model that knows the medium as a whole.

In each period a campaign is the part of the medium's amounts that its share of the medium's spend is. Two questions are
kept apart. *Incremental outcome*: what would be missing, in a window and behind it, had the campaign's part of the
window's amounts been zero, all others as they were. With saturation these do not add up. *Fair split*: what the medium
as a whole added, shared out among its campaigns so that it does.

The split follows all of them from nothing to what they were, in proportion, and gives each what it adds on the way
(Aumann, Shapley 1974). In period n the medium's adstock is then `b_n + tau v_n`, with tau from 0 to 1, `b_n` what is
left of media from outside the window and `v_n = sum_k v_kn` what those of the window and its K campaigns come to; what
it adds is a function g of that alone. So campaign k gets

    sum_n integral_0^1 g'(b_n + tau v_n) v_kn dtau = sum_n (v_kn / v_n) (g(b_n + v_n) - g(b_n)):

of what the medium adds in each period, the campaign's share of its adstock.
"""

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from weightings.methods.adstock import adstock, lagged
from weightings.methods.media_mix import SIGMA
from weightings.methods.posterior import Posterior, blocks_of
from weightings.methods.quantities import Window, all_but_each, media_around, outcome_where

FloatArray: TypeAlias = npt.NDArray[np.float64]

WHOLE_WITHIN = 1e-9  # of 1, that shares may be off


@dataclass(frozen=True, eq=False)
class CampaignEffects:
    """Of K campaigns of a medium in a window, per draw, in the outcome's unit (its mean over the window, with bounds).

    `incremental`: (S, K) what would be missing without each. `to_come`: (S, K) what of it falls behind the last period
    of the data. `split`: (S, K) what the medium added, `medium` (S,), shared out: it adds up to that.
    """

    incremental: FloatArray
    to_come: FloatArray
    split: FloatArray
    medium: FloatArray

    def of(self, campaign: int) -> "CampaignEffects":
        """Those of one campaign: (S,) each."""
        return CampaignEffects(
            self.incremental[:, campaign], self.to_come[:, campaign], self.split[:, campaign], self.medium
        )


def campaign_effects(fitted: Posterior, place: int, window: Window, shares: FloatArray) -> CampaignEffects:
    """What each campaign of the medium at `place` added in `window`, carry-over behind it included, in every draw.

    `shares`: (K, window.periods) float64 >= 0 of the medium's amounts in each period, adding up to 1 wherever there are
    any. Raises ValueError for shares that are none, and for a model of several geos, whose amounts are by geo.
    """
    begin, amounts = media_around(fitted, window)
    if amounts.ndim != 2:
        raise ValueError("Campaigns can be told apart in models of one market only.")
    inside = slice(fitted.lead + window.start - begin, fitted.lead + window.start - begin + window.periods)
    _require_shares(shares, amounts[place, inside])
    parts = np.zeros((len(shares), amounts.shape[1]))
    parts[:, inside] = shares * amounts[place, inside]
    # What the medium does as it was, with nothing in the window, and without each campaign: as if it were K + 2 media.
    # Nothing is zero to the last digit: a Hill curve may be so steep there that what rounding leaves would count.
    worlds = np.repeat(amounts[[place]], len(shares) + 2, axis=0)
    worlds[1, inside] = 0.0
    worlds[2:, inside] *= np.maximum(1 - shares, 0.0)
    alike = _copies(fitted, place, len(worlds))
    past = lagged(parts.T, fitted.model.lags)[:, :, fitted.lead :]
    draws, count = len(fitted.sigma), len(shares)
    incremental, to_come, split = (np.empty((draws, count)) for _ in range(3))
    found = CampaignEffects(incremental, to_come, split, np.empty(draws))
    seen = fitted.amounts.shape[-1] - fitted.lead - begin  # periods of the data from `begin` on
    for block in blocks_of(draws, 4 * worlds.size):
        others = (
            all_but_each(fitted, begin, block, fitted.added(block, amounts)) if fitted.scale.bounds else np.zeros(0)
        )
        mine = others[:, [place]] if others.ndim > 1 else others
        outcome = outcome_where(fitted, block, mine, alike.added(block, worlds))
        missing = outcome[:, :1] - outcome[:, 2:]
        change = outcome[:, 0] - outcome[:, 1]
        found.incremental[block] = missing.sum(axis=2)
        found.to_come[block] = missing[:, :, seen:].sum(axis=2)
        found.medium[block] = change.sum(axis=1)
        found.split[block] = np.einsum("skn,sn->sk", _shares_of_stock(fitted, place, block, past), change)
    divisor = 1.0 if fitted.scale.bounds is None else float(window.periods)
    return CampaignEffects(
        found.incremental / divisor, found.to_come / divisor, found.split / divisor, found.medium / divisor
    )


def _require_shares(shares: FloatArray, amounts: FloatArray) -> None:
    if shares.ndim != 2 or shares.shape[1:] != amounts.shape:
        raise ValueError(f"Shares of shape {shares.shape} do not fit {len(amounts)} periods.")
    if not np.all(shares >= 0):
        raise ValueError("Shares must not be negative.")
    if np.any(np.abs(shares.sum(axis=0)[amounts > 0] - 1) > WHOLE_WITHIN):
        raise ValueError("Shares must add up to 1 in each period in which there is something to share.")


def _copies(fitted: Posterior, place: int, count: int) -> Posterior:
    """A model of `count` media that all respond as the one at `place` does."""
    parameters = {
        name: values if name == SIGMA else np.repeat(values[:, [place]], count, axis=1)
        for name, values in fitted.parameters.items()
    }
    names = tuple(f"{fitted.media[place]} {number}" for number in range(count))
    return replace(
        fitted,
        model=replace(fitted.model, media=names),
        parameters=parameters,
        beta=np.repeat(fitted.beta[:, [place]], count, axis=1),
    )


def _shares_of_stock(fitted: Posterior, place: int, block: slice, past: FloatArray) -> FloatArray:
    """Which share of the adstock of all campaigns each has in each period: (s, K, N), 0 where there is none."""
    parameters = {name: values[block] for name, values in fitted.parameters.items()}
    weights = np.asarray(fitted.model.carry_over(parameters))[:, [place]]
    stock = adstock(past, np.broadcast_to(weights, (len(weights), len(past), weights.shape[2])))
    total = stock.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(stock, total, out=np.zeros_like(stock), where=total > 0))
