"""Rule-based attribution models, all computed in one pass over the touches.

Definitions follow docs/methods: the credit of a journey sums to one conversion and to its value, whatever the model.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from marketing.frames import BoolColumn, Float64Column, Int64Column, Journeys

MICROSECONDS_PER_DAY = 86_400_000_000
BLOCKS = 32  # partial sums added up in a fixed order: the answer does not depend on the number of threads
RECONCILED_WITHIN = 1e-9  # relative to the conversions and the value to be credited


class RuleKind(StrEnum):
    """The shapes of rule that the compiled loop knows."""

    POSITION = "position"
    LINEAR = "linear"
    TIME_DECAY = "time_decay"
    LAST_NON_DIRECT = "last_non_direct"


@dataclass(frozen=True, slots=True)
class RuleModel:
    """One rule model.

    `first`, `middle`, `last`: weights of the first touch, of all touches between, and of the last (POSITION). Without
    a touch between, first and last are renormalised; the only touch of a path takes everything.
    `half_life_days`: the age by which a touch weighs half (TIME_DECAY).

    Raises ValueError for weights that are negative or leave nothing to a path of two, or a half-life that is not
    a positive number.
    """

    name: str
    kind: RuleKind
    first: float = 0.0
    middle: float = 0.0
    last: float = 0.0
    half_life_days: float = 7.0

    def __post_init__(self) -> None:
        weights = (self.first, self.middle, self.last)
        if min(weights) < 0 or not np.isfinite(sum(weights)):
            raise ValueError(f"The position weights of {self.name} must be numbers of zero or more.")
        if self.kind == RuleKind.POSITION and self.first + self.last <= 0:
            raise ValueError(f"{self.name} must give weight to the first or the last touch.")
        if not (np.isfinite(self.half_life_days) and self.half_life_days > 0):
            raise ValueError(f"The half-life of {self.name} must be a positive number of days.")


LAST = RuleModel("last", RuleKind.POSITION, last=1.0)
FIRST = RuleModel("first", RuleKind.POSITION, first=1.0)
LINEAR = RuleModel("linear", RuleKind.LINEAR)
TIME_DECAY = RuleModel("time_decay", RuleKind.TIME_DECAY)
POSITION = RuleModel("position", RuleKind.POSITION, first=0.4, middle=0.2, last=0.4)
LAST_NON_DIRECT = RuleModel("last_non_direct", RuleKind.LAST_NON_DIRECT)
RULE_MODELS = {model.name: model for model in (LAST, FIRST, LINEAR, TIME_DECAY, POSITION, LAST_NON_DIRECT)}


@dataclass(frozen=True, slots=True, eq=False)
class RuleCredit:
    """Credit by model and group; the last column is "(none)", for conversions without a touch in their window.

    `models`: names of the M models. `conversions`: (M, groups+1) float64. `value`: the same shape, account currency.
    """

    models: tuple[str, ...]
    conversions: Float64Column
    value: Float64Column


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Whether every model hands out exactly the conversions and the value there are.

    `credited_conversions`, `credited_value`: by model, "(none)" included. The differences are the largest absolute
    ones over the models. `ok`: each within 1e-9, relative to the conversions and to the sum of absolute values.
    """

    total_conversions: int
    total_value: float
    credited_conversions: dict[str, float]
    credited_value: dict[str, float]
    largest_difference_conversions: float
    largest_difference_value: float
    ok: bool


def rule_credit(
    *,
    journeys: Journeys,
    models: Sequence[RuleModel],
    group_of_source: Int64Column,
    groups: int,
    direct_source: BoolColumn,
    threads: int = 1,
) -> RuleCredit:
    """Credit every converted journey to the groups of its touches under each model.

    `group_of_source`: (S,) int64, the group (channel or campaign), in `0..groups-1`, of each traffic source.
    `direct_source`: (S,) bool, which sources are Direct. Null paths count for nothing.
    `threads` share the work in fixed blocks: the result is the same to the last bit whatever their number.

    Time O(M x touches in converted journeys); memory O(M x groups) for each block in the making.
    Raises ValueError if a group or a source is out of bounds, or two models have one name.
    """
    whole = np.zeros(len(journeys), np.int64)
    credit = credit_cells(
        journeys=journeys,
        stratum=whole,
        strata=1,
        models=models,
        group_of_source=group_of_source,
        groups=groups,
        direct_source=direct_source,
        blocks=BLOCKS,
        threads=threads,
    )[:, 0]
    return RuleCredit(tuple(model.name for model in models), credit[:, :, 0].copy(), credit[:, :, 1].copy())


def credit_cells(
    *,
    journeys: Journeys,
    stratum: Int64Column,
    strata: int,
    models: Sequence[RuleModel],
    group_of_source: Int64Column,
    groups: int,
    direct_source: BoolColumn,
    blocks: int = 1,
    threads: int = 1,
) -> npt.NDArray[np.float64]:
    """Credit by model, stratum and group: (M, strata, groups+1, 2) float64, conversions and value.

    `stratum`: (J,) int64, in `0..strata-1`, what each journey is added up under (its day, say). The other arguments are
    those of `rule_credit`. Each of the `blocks` needs memory for all cells.

    Raises ValueError as `rule_credit` does, and if a stratum is out of bounds.
    """
    _check(journeys, models, group_of_source, groups, direct_source)
    if len(stratum) != len(journeys) or (len(stratum) and not 0 <= stratum.min() <= stratum.max() < strata):
        raise ValueError(f"Every journey must have a stratum between 0 and {strata - 1}.")
    # Here, not above: numba takes a second to import, and pages that only name the models must not wait for it.
    from attribution.methods.rule_kernel import KIND_CODES, add_credit

    shape = (len(models), strata * (groups + 1), 2)
    columns = _read_only(
        *(journeys.start, journeys.stop, journeys.converted, journeys.value, stratum.astype(np.int64)),
        *(journeys.touches.touched_at, journeys.touches.source),
        *(group_of_source.astype(np.int64), direct_source),
        np.array([KIND_CODES[model.kind] for model in models], np.int64),
        np.array([(model.first, model.middle, model.last) for model in models], np.float64).reshape(-1, 3),
        np.array([model.half_life_days * MICROSECONDS_PER_DAY for model in models], np.float64),
    )
    edges = np.linspace(0, len(journeys), blocks + 1).astype(np.int64)

    def credit_of_block(block: int) -> Float64Column:
        credit = np.zeros(shape)
        add_credit(credit, edges[block], edges[block + 1], groups + 1, *columns)
        return credit

    total = np.zeros(shape)
    for credit in _map_blocks(credit_of_block, blocks, threads):
        total += credit
    return total.reshape(len(models), strata, groups + 1, 2)


def reconcile(*, credit: RuleCredit, journeys: Journeys) -> Reconciliation:
    """Compare the credit that each model hands out with the conversions and the value of the journeys."""
    value = journeys.value[journeys.converted]
    conversions, total_value = len(value), math.fsum(value)
    credited_conversions, credited_value = credit.conversions.sum(axis=1), credit.value.sum(axis=1)
    difference_conversions = float(np.abs(credited_conversions - conversions).max(initial=0.0))
    difference_value = float(np.abs(credited_value - total_value).max(initial=0.0))
    return Reconciliation(
        total_conversions=conversions,
        total_value=total_value,
        credited_conversions=dict(zip(credit.models, credited_conversions.tolist(), strict=True)),
        credited_value=dict(zip(credit.models, credited_value.tolist(), strict=True)),
        largest_difference_conversions=difference_conversions,
        largest_difference_value=difference_value,
        # Value may cancel out (refunds), so its difference is measured against the sum of absolute values.
        ok=difference_conversions <= RECONCILED_WITHIN * conversions
        and difference_value <= RECONCILED_WITHIN * float(np.abs(value).sum()),
    )


def _check(
    journeys: Journeys,
    models: Sequence[RuleModel],
    group_of_source: Int64Column,
    groups: int,
    direct_source: BoolColumn,
) -> None:
    """Raise ValueError where the compiled loop, which checks nothing, would read or write out of bounds."""
    if len({model.name for model in models}) < len(models):
        raise ValueError("Each rule model may be asked for once only.")
    sources = len(group_of_source)
    if len(direct_source) != sources:
        raise ValueError(
            f"There are {sources} traffic sources with a group, but {len(direct_source)} known as Direct or not."
        )
    if sources and not 0 <= group_of_source.min() <= group_of_source.max() < groups:
        raise ValueError(f"Every traffic source must belong to a group between 0 and {groups - 1}.")
    source = journeys.touches.source
    if len(source) and source.max() >= sources:
        raise ValueError(f"A touch has traffic source {source.max()}, but only {sources} are known.")


def _read_only(*columns: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
    """Contiguous read-only views: memory maps and arrays then have one type, and one compilation serves both."""
    views = [np.ascontiguousarray(column).view() for column in columns]
    for view in views:
        view.flags.writeable = False
    return views


def _map_blocks(credit_of_block: Callable[[int], Float64Column], blocks: int, threads: int) -> Iterator[Float64Column]:
    """Credit of each block in order, computed by as many threads."""
    if threads == 1:
        yield from map(credit_of_block, range(blocks))
        return
    with ThreadPoolExecutor(threads) as pool:
        yield from pool.map(credit_of_block, range(blocks))
