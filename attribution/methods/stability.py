"""How steady the credit of each group is over time, against what chance alone would move.

The parts of a period are months or weeks. Customers are dealt into random groups, credit is added up by part and random
group in one pass, and the spread between random groups tells how far a share moves by chance: customers who convert
several times stay together. Source: Wolter 2007, Introduction to Variance Estimation, chapter 2 (random groups).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attribution.methods.rules import RuleModel, credit_cells
from marketing.frames import BoolColumn, Float64Column, Int64Column, Journeys

RANDOM_GROUPS = 32
LEAST_CREDIT_A_PART = 10.0  # conversions, on average: below, the share of a group is too coarse to be judged


@dataclass(frozen=True, slots=True, eq=False)
class Stability:
    """Shares of credit by model, part and group; the last group is "(none)", conversions without a touch.

    `share`: (M, P, G+1) float64 of the part's conversions or value; NaN where the part has none. `standard_error`: the
    same shape. `moved`: (M, G+1) how far the shares of the parts lie from the share of the whole period (root mean
    square, each part weighing as much as it holds). `by_chance`: (M, G+1) how far they would lie if nothing changed.
    `p_value`: (M, G+1) of movement that large without any change (F test); NaN where there is too little to judge by.
    """

    models: tuple[str, ...]
    share: Float64Column
    standard_error: Float64Column
    moved: Float64Column
    by_chance: Float64Column
    p_value: Float64Column


def stability(
    *,
    journeys: Journeys,
    edges_us: Int64Column,
    models: Sequence[RuleModel],
    group_of_source: Int64Column,
    groups: int,
    direct_source: BoolColumn,
    by_value: bool = False,
) -> Stability:
    """Credit shares in each part of a period.

    `edges_us`: (P+1,) int64, ascending; part p holds the conversions from `edges_us[p]` up to, not including, the next.
    The other arguments are those of `attribution.methods.rules.rule_credit`. `by_value`: shares of value, not of
    conversions. Time and memory are those of `rule_credit` with P x 32 times the cells.

    Raises ValueError as `rule_credit` does, and if a conversion lies outside the parts.
    """
    kept = np.flatnonzero(journeys.converted)
    chosen = journeys if len(kept) == len(journeys) else journeys.take(kept)
    parts = len(edges_us) - 1
    part = np.searchsorted(edges_us, chosen.anchor_at, side="right") - 1
    if len(part) and not 0 <= part.min() <= part.max() < parts:
        raise ValueError("Every conversion must lie within the parts of the period.")
    stratum = part * RANDOM_GROUPS + _random_group(chosen.customer)
    cells = credit_cells(
        journeys=chosen,
        stratum=stratum,
        strata=parts * RANDOM_GROUPS,
        models=models,
        group_of_source=group_of_source,
        groups=groups,
        direct_source=direct_source,
    ).reshape(len(models), parts, RANDOM_GROUPS, groups + 1, 2)
    weights = chosen.value if by_value else np.ones(len(chosen))
    totals = np.bincount(stratum, weights, parts * RANDOM_GROUPS).astype(np.float64).reshape(parts, RANDOM_GROUPS)
    return _judged(tuple(model.name for model in models), cells[..., int(by_value)], totals, cells[..., 0].sum((1, 2)))


def _judged(
    names: tuple[str, ...], credit: Float64Column, totals: Float64Column, conversions: Float64Column
) -> Stability:
    """Shares and tests from `credit` (M, P, K, G+1), `totals` (P, K) and credited `conversions` (M, G+1)."""
    parts = len(totals)
    by_part = totals.sum(axis=1)
    known = by_part > 0
    size = np.where(known, by_part, np.nan)[:, None]
    share = credit.sum(axis=2) / size
    residuals = credit - share[:, :, None, :] * totals[:, :, None]
    spread = (residuals**2).sum(axis=2) * RANDOM_GROUPS / (RANDOM_GROUPS - 1)
    variance = spread / size**2
    weight = np.where(known, by_part, 0.0)[:, None] / max(float(by_part[known].sum()), np.finfo(float).tiny)
    whole = np.nansum(weight * share, axis=1, keepdims=True)
    moved = np.sqrt(np.nansum(weight * (share - whole) ** 2, axis=1))
    # Without any change, a part's variance is in proportion to one over its size: all parts estimate one number, and
    # the weighted squares above come to (parts - 1) times it over the whole, on average.
    freedom = int(known.sum()) - 1
    pooled = np.nansum(variance * size, axis=1) / max(freedom + 1, 1)
    by_chance = np.sqrt(np.maximum(freedom, 0) * pooled / max(float(by_part[known].sum()), np.finfo(float).tiny))
    judged = (conversions >= LEAST_CREDIT_A_PART * parts) & (by_chance > 0) & (freedom > 0)
    p_value = np.full(moved.shape, np.nan)
    if judged.any():
        from scipy.special import fdtrc

        ratio = (moved[judged] / by_chance[judged]) ** 2
        p_value[judged] = fdtrc(freedom, (freedom + 1) * (RANDOM_GROUPS - 1), ratio)
    return Stability(names, share, np.sqrt(variance), moved, by_chance, p_value)


def _random_group(customer: Int64Column) -> npt.NDArray[np.int64]:
    """Deal customers into random groups by their number alone (the finaliser of splitmix64)."""
    mixed = customer.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((mixed ^ (mixed >> np.uint64(31))) % np.uint64(RANDOM_GROUPS)).astype(np.int64)
