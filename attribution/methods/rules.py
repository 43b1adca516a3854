"""Rule-based attribution models, all computed in one pass over the touches.

Definitions follow docs/methods: the credit of a journey sums to one conversion and to its value, whatever the model but
participation.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt

from attribution.methods.custom import CompiledCustom
from marketing.frames import MICROSECONDS_PER_DAY, BoolColumn, Float64Column, Int64Column, Journeys

BLOCKS = 32  # partial sums added up in a fixed order: the answer does not depend on the number of threads
RECONCILED_WITHIN = 1e-9  # relative to the conversions and the value to be credited


class RuleKind(StrEnum):
    """The shapes of rule that the compiled loop knows."""

    POSITION = "position"
    LINEAR = "linear"
    TIME_DECAY = "time_decay"
    LAST_NON_DIRECT = "last_non_direct"
    W = "w"  # as POSITION, and the touch before the lead has a weight of its own
    PARTICIPATION = "participation"  # everything to each group on the path
    SET_LINEAR = "set_linear"  # the same share to each group on the path, known as the simplified Shapley value
    CUSTOM = "custom"


@dataclass(frozen=True, slots=True)
class RuleModel:
    """One rule model.

    `first`, `middle`, `last`: weights of the first touch, of all touches between, and of the last (POSITION and W).
    Without a touch between, first and last are renormalised; the only touch of a path takes everything.
    `lead`: weight of the last touch at or before the lead (W). Where that is the first or the last touch too, its
    weights add up. A journey without such a touch is credited 40/20/40 (`journeys_without_lead_touch`).
    `half_life_days`: the age by which a touch weighs half (TIME_DECAY).
    `custom`: the compiled definition (CUSTOM).

    Raises ValueError for weights that are negative or leave nothing to a path of two, a half-life that is not
    a positive number, or a custom model without a definition.
    """

    name: str
    kind: RuleKind
    first: float = 0.0
    middle: float = 0.0
    last: float = 0.0
    lead: float = 0.0
    half_life_days: float = 7.0
    custom: CompiledCustom | None = None

    def __post_init__(self) -> None:
        weights = (self.first, self.middle, self.last, self.lead)
        if min(weights) < 0 or not np.isfinite(sum(weights)):
            raise ValueError(f"The position weights of {self.name} must be numbers of zero or more.")
        if self.kind in (RuleKind.POSITION, RuleKind.W) and self.first + self.last <= 0:
            raise ValueError(f"{self.name} must give weight to the first or the last touch.")
        if not (np.isfinite(self.half_life_days) and self.half_life_days > 0):
            raise ValueError(f"The half-life of {self.name} must be a positive number of days.")
        if (self.kind == RuleKind.CUSTOM) != (self.custom is not None):
            raise ValueError(f"{self.name} must have a definition if it is a custom model, and only then.")

    @property
    def adds_up(self) -> bool:
        """Whether the credit of all groups is the conversions that there are, neither more nor less."""
        return self.kind != RuleKind.PARTICIPATION


LAST = RuleModel("last", RuleKind.POSITION, last=1.0)
FIRST = RuleModel("first", RuleKind.POSITION, first=1.0)
LINEAR = RuleModel("linear", RuleKind.LINEAR)
TIME_DECAY = RuleModel("time_decay", RuleKind.TIME_DECAY)
POSITION = RuleModel("position", RuleKind.POSITION, first=0.4, middle=0.2, last=0.4)
LAST_NON_DIRECT = RuleModel("last_non_direct", RuleKind.LAST_NON_DIRECT)
# Those of the daily cube, which the dashboard shows.
RULE_MODELS = {model.name: model for model in (LAST, FIRST, LINEAR, TIME_DECAY, POSITION, LAST_NON_DIRECT)}

J_SHAPE = RuleModel("j_shape", RuleKind.POSITION, first=0.2, middle=0.2, last=0.6)
INVERSE_J = RuleModel("inverse_j", RuleKind.POSITION, first=0.6, middle=0.2, last=0.2)
W_SHAPE = RuleModel("w_shape", RuleKind.W, first=0.3, middle=0.1, last=0.3, lead=0.3)
PARTICIPATION = RuleModel("participation", RuleKind.PARTICIPATION)
SIMPLIFIED_SHAPLEY = RuleModel("shapley:simplified", RuleKind.SET_LINEAR)
MORE_RULE_MODELS = {model.name: model for model in (J_SHAPE, INVERSE_J, W_SHAPE, PARTICIPATION, SIMPLIFIED_SHAPLEY)}


def time_decay(half_life_days: float, name: str = "") -> RuleModel:
    """Time decay with another half-life, called `time_decay:14` unless it gets a name. Raises ValueError if not > 0."""
    return RuleModel(name or f"time_decay:{half_life_days:g}", RuleKind.TIME_DECAY, half_life_days=half_life_days)


def position(first: float, middle: float, last: float, name: str = "") -> RuleModel:
    """Position based with other weights, called `position:30-40-30` unless it gets a name.

    Raises ValueError for weights that are negative or leave nothing to a path of two.
    """
    name = name or f"position:{first:g}-{middle:g}-{last:g}"
    return RuleModel(name, RuleKind.POSITION, first=first, middle=middle, last=last)


@dataclass(frozen=True, slots=True, eq=False)
class RuleCredit:
    """Credit by model and group; the last column is "(none)", for conversions without a touch in their window.

    `models`: names of the M models. `conversions`: (M, groups+1) float64. `value`: the same shape, account currency.
    `not_adding_up`: names of those whose credit is more than there is, because each group gets the whole.
    """

    models: tuple[str, ...]
    conversions: Float64Column
    value: Float64Column
    not_adding_up: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Whether every model hands out exactly the conversions and the value there are.

    `credited_conversions`, `credited_value`: by model, "(none)" included, without the models that do not add up. The
    differences are the largest absolute ones over these models. `ok`: each within 1e-9, relative to the conversions and
    to the sum of absolute values.
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
    Raises ValueError if a group or a source is out of bounds, two models have one name, or a custom model was compiled
    for other sources.
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
    return RuleCredit(
        models=tuple(model.name for model in models),
        conversions=credit[:, :, 0].copy(),
        value=credit[:, :, 1].copy(),
        not_adding_up=frozenset(model.name for model in models if not model.adds_up),
    )


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
    credit_journeys = credit_adder(journeys, stratum, models, group_of_source, groups, direct_source)
    shape = (len(models), strata * (groups + 1), 2)
    edges = np.linspace(0, len(journeys), blocks + 1).astype(np.int64)

    def credit_of_block(block: int) -> Float64Column:
        credit = np.zeros(shape)
        credit_journeys(credit, int(edges[block]), int(edges[block + 1]))
        return credit

    total = np.zeros(shape)
    for credit in _map_blocks(credit_of_block, blocks, threads):
        total += credit
    return total.reshape(len(models), strata, groups + 1, 2)


def credit_adder(
    journeys: Journeys,
    stratum: Int64Column,
    models: Sequence[RuleModel],
    group_of_source: Int64Column,
    groups: int,
    direct_source: BoolColumn,
) -> Callable[[Float64Column, int, int], None]:
    """What adds the credit of a range of journeys to (M, strata * (groups+1), 2) cells.

    Nothing is checked: indices out of bounds are the caller's to find. The bootstrap calls it for some customers at a
    time, each a stratum.
    """
    passes, stop = [], 0
    # One pass over the touches for each run of models that one loop knows.
    for _, models_of_loop in groupby(models, _loop_of):
        run = list(models_of_loop)
        start, stop = stop, stop + len(run)
        passes.append((slice(start, stop), *_loop(run, journeys, stratum, group_of_source, direct_source)))

    def add(credit: Float64Column, first_journey: int, stop_journey: int) -> None:
        for rows, loop, columns in passes:
            loop(credit[rows], first_journey, stop_journey, groups + 1, *columns)

    return add


def _loop_of(model: RuleModel) -> str:
    """A name for the loop that credits the model; each custom model has one for itself."""
    if model.custom is not None:
        return f"custom {model.name}"
    return "more" if model.kind in (RuleKind.W, RuleKind.PARTICIPATION, RuleKind.SET_LINEAR) else "usual"


def _loop(
    models: Sequence[RuleModel],
    journeys: Journeys,
    stratum: Int64Column,
    group_of_source: Int64Column,
    direct_source: BoolColumn,
) -> tuple[Callable[..., None], tuple[npt.NDArray[Any], ...]]:
    """The compiled loop that credits these models, all of one `_loop_of`, and the columns that it reads."""
    # Here, not above: numba takes a second to import, and pages that only name the models must not wait for it.
    from attribution.methods.rule_kernel import KIND_CODES, MORE_KIND_CODES, add_credit, add_more_credit

    touches, of_source = journeys.touches, group_of_source.astype(np.int64)
    paths = (journeys.start, journeys.stop, journeys.converted, journeys.value, stratum.astype(np.int64))
    if (custom := models[0].custom) is not None:
        from attribution.methods.custom_kernel import add_custom_credit

        of_touches = (journeys.anchor_at, touches.touched_at, touches.source, touches.interaction, of_source)
        return add_custom_credit, _read_only(*paths, *of_touches, *custom.columns())
    codes = KIND_CODES | MORE_KIND_CODES
    kinds = np.array([codes[model.kind] for model in models], np.int64)
    weights = np.array([(model.first, model.middle, model.last, model.lead) for model in models], np.float64)
    if models[0].kind in MORE_KIND_CODES:
        lead_at = np.empty(0, np.int64) if journeys.lead_at is None else journeys.lead_at
        return add_more_credit, _read_only(
            *paths, touches.touched_at, touches.source, of_source, lead_at, kinds, weights
        )
    half_life_us = np.array([model.half_life_days * MICROSECONDS_PER_DAY for model in models], np.float64)
    return add_credit, _read_only(
        *paths, touches.touched_at, touches.source, of_source, direct_source, kinds, weights, half_life_us
    )


def journeys_without_lead_touch(journeys: Journeys) -> int:
    """How many converted journeys with touches have none at or before a lead, so that W credits them 40/20/40."""
    asked = np.flatnonzero(journeys.converted & (journeys.stop > journeys.start))
    if journeys.lead_at is None:
        return len(asked)
    first_touch = journeys.touches.touched_at[journeys.start[asked]]
    return int(np.count_nonzero(journeys.lead_at[asked] < first_touch))


def reconcile(*, credit: RuleCredit, journeys: Journeys) -> Reconciliation:
    """Compare the credit that each model hands out with the conversions and the value of the journeys.

    Models that do not add up, such as participation, are left out.
    """
    value = journeys.value[journeys.converted]
    conversions, total_value = len(value), math.fsum(value)
    compared = [row for row, name in enumerate(credit.models) if name not in credit.not_adding_up]
    names = [credit.models[row] for row in compared]
    credited_conversions, credited_value = (
        by_group[compared].sum(axis=1) for by_group in (credit.conversions, credit.value)
    )
    difference_conversions = float(np.abs(credited_conversions - conversions).max(initial=0.0))
    difference_value = float(np.abs(credited_value - total_value).max(initial=0.0))
    return Reconciliation(
        total_conversions=conversions,
        total_value=total_value,
        credited_conversions=dict(zip(names, credited_conversions.tolist(), strict=True)),
        credited_value=dict(zip(names, credited_value.tolist(), strict=True)),
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
    for model in models:
        if model.custom is not None and len(model.custom.source_factor) != sources:
            raise ValueError(f"{model.name} was compiled for {len(model.custom.source_factor)} sources, not {sources}.")


def _read_only(*columns: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], ...]:
    """Contiguous read-only views: memory maps and arrays then have one type, and one compilation serves both."""
    views = [np.ascontiguousarray(column).view() for column in columns]
    for view in views:
        view.flags.writeable = False
    return tuple(views)


def _map_blocks(credit_of_block: Callable[[int], Float64Column], blocks: int, threads: int) -> Iterator[Float64Column]:
    """Credit of each block in order, computed by as many threads."""
    if threads == 1:
        yield from map(credit_of_block, range(blocks))
        return
    with ThreadPoolExecutor(threads) as pool:
        yield from pool.map(credit_of_block, range(blocks))
