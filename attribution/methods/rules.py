"""Rule-based attribution models, all computed in one pass over the touches.

Definitions follow docs/methods: the credit of a journey sums to one conversion and to its value, whatever the model.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from marketing.frames import BoolColumn, Float64Column, Int64Column, Journeys

MICROSECONDS_PER_DAY = 86_400_000_000
BLOCKS = 32  # partial sums added up in a fixed order: the answer does not depend on the number of threads
RECONCILED_WITHIN = 1e-9  # relative to the conversions and the value to be credited


class RuleKind(IntEnum):
    """The shapes of rule that the compiled loop knows."""

    POSITION = 0
    LINEAR = 1
    TIME_DECAY = 2
    LAST_NON_DIRECT = 3


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
        if not all(np.isfinite(weight) and weight >= 0 for weight in weights):
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
    # Here, not above: numba takes a second to import, and pages that only name the models must not wait for it.
    from attribution.methods.rule_kernel import add_credit

    _check(journeys, models, group_of_source, groups, direct_source)
    kinds = np.array([model.kind for model in models], np.int64)
    weights = np.array([(model.first, model.middle, model.last) for model in models], np.float64).reshape(-1, 3)
    half_life_us = np.array([model.half_life_days for model in models], np.float64) * MICROSECONDS_PER_DAY
    columns = [
        _read_only(column)
        for column in (
            journeys.start,
            journeys.stop,
            journeys.converted,
            journeys.value,
            journeys.touches.touched_at,
            journeys.touches.source,
            group_of_source.astype(np.int64),
            direct_source,
            kinds,
            weights,
            half_life_us,
        )
    ]
    edges = np.linspace(0, len(journeys), BLOCKS + 1).astype(np.int64)

    def credit_of_block(block: int) -> Float64Column:
        credit = np.zeros((len(models), groups + 1, 2))
        add_credit(credit, edges[block], edges[block + 1], *columns)
        return credit

    total = np.zeros((len(models), groups + 1, 2))
    for credit in _map_blocks(credit_of_block, threads):
        total += credit
    return RuleCredit(tuple(model.name for model in models), total[:, :, 0].copy(), total[:, :, 1].copy())
