"""Attribution computed in parts of the customers: statistics of each part, added up, and finished as those of one.

All that models are computed from are sums over customers: how often each path was taken, what rule models credit, and
both again in each replicate of the bootstrap, whose weights depend on the seed and the customer alone. So every part is
counted by itself, wherever it lies; sums of whole numbers are the same to the last bit, sums of money but for rounding.

Paths come first (`count_paths`, `merge_paths_of_parts`), as only all of them together say which transitions of a chain
and which sets of channels there are; then replicates, as many at a time as there is memory for (`weigh_customers`,
`add_weighed`).
"""

import math
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt

from attribution.methods.bootstrap import Sums, add_block
from attribution.methods.crediting import Method, drawn_anew
from attribution.methods.customer_statistics import sorted_customers
from attribution.methods.path_features import PathFeatures, PathModel, path_features
from attribution.methods.replicates import LANES
from attribution.methods.rules import RuleModel, journeys_without_lead_touch, rule_credit
from marketing.frames import BoolColumn, Float64Column, Int64Column, Journeys, PathTable
from marketing.journey_paths import JourneyPaths, merge_paths, path_table

Arrays = Mapping[str, npt.NDArray[Any]]

# What is counted of the journeys of a part, in this order.
CONVERSIONS, VALUE, SIZE, UNTOUCHED, UNTOUCHED_VALUE, WITHOUT_LEAD, CONVERTING = range(7)
NOWHERE = -1
COUNT = np.uint32  # of a feature in one part and replicate: a whole number


class TablesChanged(Exception):
    """A part's customers are not those that it had when its paths were counted."""


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What is asked of every part alike; the arguments of `rule_credit` and `bootstrap` by their names there."""

    methods: tuple[Method, ...]
    group_of_source: Int64Column
    groups: int
    direct_source: BoolColumn
    seed: int

    @property
    def rules(self) -> list[RuleModel]:
        return [method for method in self.methods if isinstance(method, RuleModel)]

    @property
    def path_models(self) -> list[PathModel]:
        """The models whose replicates are computed from what is counted along paths."""
        return [model for model in drawn_anew(self.methods) if not isinstance(model, RuleModel)]


@dataclass(frozen=True, slots=True, eq=False)
class Merged:
    """The statistics of all parts together, and where those of each part belong.

    `table`: the distinct paths. `features`: what path models count along them; None without such models. `of_rules`:
    (2, rule models, G+1) float64, conversions and value that each rule model hands out. `totals`: (7,) float64,
    CONVERSIONS to CONVERTING: conversions, their value, the sum of its absolute amounts, conversions without a touch,
    their value, conversions with a touch but none before a lead, and customers who converted.
    `feature_of_part`: by part, (F,) int64, where each of its features is among `features`, NOWHERE if it never occurs.
    `paths_of_part`: by part, the checksum of its paths.
    """

    table: PathTable
    features: PathFeatures | None
    of_rules: Float64Column
    totals: Float64Column
    feature_of_part: Mapping[int, Int64Column]
    paths_of_part: Mapping[int, int]

    def bytes_of_pass(self, asked: Asked) -> int:
        """What one pass of all parts takes: 64 replicates each, before they are added up."""
        parts = len(self.feature_of_part)
        features = sum(map(len, self.feature_of_part.values()))
        return LANES * (2 * parts * _cells(asked) * 8 + features * np.dtype(COUNT).itemsize)


def count_paths(*, journeys: Journeys, asked: Asked) -> Arrays:
    """Count a part's paths, and credit its conversions by the rule models.

    `journeys`: all of some customers, those of no other. Returns arrays for `merge_paths_of_parts`. Raises ValueError
    as `rule_credit` and `path_table` do. Time O(M x touches + P log P).
    """
    paths, features = _paths_and_features(journeys, asked)
    credit = rule_credit(
        journeys=journeys,
        models=asked.rules,
        group_of_source=asked.group_of_source,
        groups=asked.groups,
        direct_source=asked.direct_source,
    )
    table = paths.table
    return {
        "offsets": table.offsets,
        "steps": table.steps.astype(np.uint32),
        "weights": np.stack([table.conversions, table.value, table.nulls]),
        "of_rules": np.stack([credit.conversions, credit.value]),
        "totals": totals_of(journeys),
        "occurs_at": np.zeros((3, 0), np.int64) if features is None else _occurrences(features),
        "checksum": np.array(_checksum(table)),
    }


def totals_of(journeys: Journeys) -> Float64Column:
    """What there is to credit, (7,) float64: CONVERSIONS to CONVERTING, as `Merged.totals` has them."""
    value = journeys.value[journeys.converted]
    untouched = journeys.value[journeys.converted & (journeys.start == journeys.stop)]
    totals = np.zeros(CONVERTING + 1)
    totals[CONVERSIONS], totals[VALUE], totals[SIZE] = len(value), math.fsum(value), math.fsum(np.abs(value))
    totals[UNTOUCHED], totals[UNTOUCHED_VALUE] = len(untouched), math.fsum(untouched)
    totals[WITHOUT_LEAD] = journeys_without_lead_touch(journeys)
    totals[CONVERTING] = len(np.unique(journeys.customer[journeys.converted]))
    return totals


def merge_paths_of_parts(*, parts: Mapping[int, Arrays], asked: Asked) -> Merged:
    """Merge what `count_paths` found in each part, by the part's number. Time O(L + P log P) for P paths of L steps."""
    found = [parts[number] for number in sorted(parts)]
    lengths = np.concatenate([np.empty(0, np.int64), *(np.diff(part["offsets"]) for part in found)])
    weights = np.concatenate([np.empty((3, 0)), *(part["weights"] for part in found)], axis=1)
    merged = merge_paths(
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        steps=np.concatenate([np.empty(0, np.int64), *(part["steps"] for part in found)]).astype(np.int64),
        groups=asked.groups,
        conversions=weights[0],
        value=weights[1],
        nulls=weights[2],
    )
    features = path_features(paths=merged.table, models=asked.path_models) if asked.path_models else None
    feature_of_part, first_path = {}, 0
    for number in sorted(parts):
        behind = first_path + len(parts[number]["offsets"]) - 1
        feature_of_part[number] = _features_at(
            features, merged.path_of_journey[first_path:behind], parts[number]["occurs_at"]
        )
        first_path = behind
    return Merged(
        table=merged.table,
        features=features,
        of_rules=sum((part["of_rules"] for part in found), np.zeros((2, len(asked.rules), asked.groups + 1))),
        totals=sum((part["totals"] for part in found), np.zeros(CONVERTING + 1)),
        feature_of_part=feature_of_part,
        paths_of_part={number: int(part["checksum"]) for number, part in parts.items()},
    )


def weigh_customers(*, journeys: Journeys, asked: Asked, passes: Sequence[int]) -> Arrays:
    """Add up a part's customers, weighed as in each of these passes of the bootstrap.

    Returns arrays for `add_weighed`. Time O(passes x (touches + customers)); memory for all of the passes.
    """
    paths, features = _paths_and_features(journeys, asked)
    customers = sorted_customers(
        journeys=journeys,
        rules=asked.rules,
        group_of_source=asked.group_of_source,
        groups=asked.groups,
        direct_source=asked.direct_source,
        path_of_journey=None if features is None else paths.path_of_journey,
        features=features,
    )
    sums = [Sums.of(customers, number) for number in passes]
    for place in range(len(customers.edges) - 1):
        block = customers.statistics(place)
        for one in sums:
            add_block(block, features, asked.seed, one)
    return {
        "cells": np.stack([one.cells for one in sums]),
        "counts": np.stack([_whole(one.counts) for one in sums]),
        "checksum": np.array(_checksum(paths.table)),
    }


def add_weighed(
    *, parts: Iterable[tuple[int, Arrays]], merged: Merged, asked: Asked, passes: Sequence[int]
) -> list[Sums]:
    """Add up what `weigh_customers` found in each part. Raises TablesChanged if a part is not what it was."""
    counts = 0 if merged.features is None else merged.features.number
    sums = [Sums(number, np.zeros((_cells(asked), 2, LANES)), np.zeros((counts, LANES))) for number in passes]
    waiting = dict(merged.paths_of_part)
    for number, part in parts:
        if waiting.pop(number, None) != int(part["checksum"]):
            raise TablesChanged
        feature = merged.feature_of_part[number]
        occurs = np.flatnonzero(feature != NOWHERE)
        for place, one in enumerate(sums):
            np.add(one.cells, part["cells"][place], out=one.cells)
            # No two features of a part are the same, so that none of these additions is lost.
            one.counts[feature[occurs]] += part["counts"][place][occurs]
    if waiting:
        raise TablesChanged
    return sums


def pack(arrays: Arrays) -> bytes:
    """Arrays as bytes, which hold nothing but numbers."""
    buffer = BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type] # numpy takes a name for its own argument
    return buffer.getvalue()


def unpack(data: Any) -> Arrays:
    """What `pack` was given, from bytes or a buffer of them. Raises ValueError for what would have to be executed."""
    with np.load(BytesIO(data), allow_pickle=False) as found:
        return {name: found[name] for name in found.files}


def _cells(asked: Asked) -> int:
    """As `Customers.cells`: what there was to credit takes the last two."""
    return len(asked.rules) * (asked.groups + 1) + 2


def _whole(counts: Float64Column) -> npt.NDArray[np.uint32]:
    if counts.max(initial=0.0) > np.iinfo(COUNT).max:
        raise ValueError("A part has more touches than its counts can hold: cut the customers into more parts.")
    return counts.astype(COUNT)


def _paths_and_features(journeys: Journeys, asked: Asked) -> tuple[JourneyPaths, PathFeatures | None]:
    paths = path_table(journeys=journeys, group_of_source=asked.group_of_source, groups=asked.groups)
    models = asked.path_models
    return paths, path_features(paths=paths.table, models=models) if models else None


def _occurrences(features: PathFeatures) -> Int64Column:
    """Where each feature occurs first, (3, F): a path, its end (0 for conversion), and the place in its row.

    Rows of a path list their features in the same order among whatever other paths, so that this tells which feature
    it is among those of all parts.
    """
    first = np.full(features.number, NOWHERE, np.int64)
    first[features.features[::-1]] = np.arange(len(features.features))[::-1]
    path, end = np.nonzero(features.row_of_path >= 0)
    row = np.searchsorted(features.offsets, first, side="right") - 1
    found = np.stack([path[row], end[row], first - features.offsets[row]]) if len(path) else np.empty((3, len(first)))
    return np.where(first >= 0, found, NOWHERE).astype(np.int64)


def _features_at(features: PathFeatures | None, path_of_part: Int64Column, occurs_at: Int64Column) -> Int64Column:
    """Which of all `features` are those that occur there in a part, whose paths are these of the merged table."""
    feature = np.full(occurs_at.shape[1], NOWHERE, np.int64)
    if features is None:
        return feature
    occurs = np.flatnonzero(occurs_at[0] != NOWHERE)
    path, end, place = occurs_at[:, occurs]
    row = features.row_of_path[path_of_part[path], end]
    feature[occurs] = features.features[features.offsets[row] + place]
    return feature


def _checksum(table: PathTable) -> int:
    found = 0
    for column in (table.offsets, table.steps, table.conversions, table.nulls):
        found = zlib.crc32(np.ascontiguousarray(column).data, found)
    return found
