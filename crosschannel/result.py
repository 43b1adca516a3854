"""What a cross-channel run keeps: JSON of finite numbers and names, and, in a file, what its pages count from."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from crosschannel.labels import CONVERSION, DROP_OFF, OTHER, START
from crosschannel.methods import walks as walk_numbers
from crosschannel.methods.cells import Cells
from crosschannel.methods.flows import Flows
from crosschannel.methods.interactions import Interactions
from crosschannel.methods.matrices import QUARTILES, FirstLast, TimeToConvert
from crosschannel.methods.pairs import PairDetails
from crosschannel.methods.walks import Walks
from marketing.frames import Float64Column, Float64Table, Int64Column, Journeys, PathTable
from marketing.journey_paths import JourneyPaths
from marketing.path_statistics import PERCENTILES, Lags, path_medians

MOST_PATHS = 50  # in the JSON
MOST_KEPT_PATHS = 100_000  # in the file, to be searched
MOST_STEPS = 20  # of a path that are named: its first half and its last
MOST_TOUCHES = 30  # the last bin of the lengths
MOST_IN_MATRIX = 15
ENDS = {walk_numbers.OTHER: OTHER, walk_numbers.CONVERSION: CONVERSION, walk_numbers.DROP_OFF: DROP_OFF}


def totals(journeys: Journeys, table: PathTable) -> dict[str, Any]:
    """Journeys that pass the filters, and all of the question, with those conversions that no touch precedes."""
    untouched = journeys.start == journeys.stop
    return {
        "totals": {
            "journeys": float((table.conversions + table.nulls).sum()),
            "conversions": float(table.conversions.sum()),
            "value": math.fsum(table.value),
        },
        "all_journeys": {
            "journeys": int(np.count_nonzero(~untouched)),
            "conversions": int(np.count_nonzero(journeys.converted & ~untouched)),
            "value": math.fsum(journeys.value[journeys.converted & ~untouched]),
            "customers": int(np.count_nonzero(np.bincount(journeys.customer[~untouched]))),
            "conversions_without_touch": int(np.count_nonzero(untouched)),
            "value_without_touch": math.fsum(journeys.value[untouched]),
        },
    }


def flows(found: Flows, days: Float64Column, labels: Sequence[str]) -> list[dict[str, Any]]:
    """The links of the diagram: from a channel at a step (from 1) to one at the next, or to an end.

    `longer`: how many of the journeys go on after the last step that is shown, before they end.
    """
    columns = (
        found.step,
        found.source,
        found.target,
        found.journeys,
        found.conversions,
        found.value,
        found.longer,
        days,
    )
    return [
        {
            "step": step + 1,
            "from": _name(source, labels),
            "to": _name(target, labels),
            "ends": target in (walk_numbers.CONVERSION, walk_numbers.DROP_OFF),
            "journeys": journeys,
            "conversions": conversions,
            "value": value,
            "longer": longer,
            "median_days": _finite(median),
        }
        for step, source, target, journeys, conversions, value, longer, median in zip(
            *(column.tolist() for column in columns), strict=True
        )
    ]


def paths(asked: JourneyPaths, journeys: Journeys, labels: Sequence[str]) -> dict[str, Any]:
    """The paths that most journeys took, and journeys by how many touches they have.

    `journeys`: those that count, in the order in which `asked.path_of_journey` has them.
    """
    table = asked.table
    taken, length = table.conversions + table.nulls, np.diff(table.offsets)
    place = most_taken(table, MOST_PATHS)
    converting = place[table.conversions[place] > 0]
    path_of_journey = asked.path_of_journey[asked.path_of_journey >= 0]
    medians = path_medians(journeys=journeys, path_of_journey=path_of_journey, place=converting)
    days = dict(zip(converting.tolist(), medians[0].tolist(), strict=True))
    longest = min(int(length.max(initial=1)), MOST_TOUCHES)
    by_length = [
        np.bincount(np.minimum(length, longest), weight, longest + 1)[1:].tolist()
        for weight in (taken, table.conversions, table.value)
    ]
    return {
        "paths": [path_row(table, one, labels) | {"median_days": days.get(one)} for one in place.tolist()],
        "distinct_paths": len(table),
        "lengths": [
            {"touches": touches, "or_more": touches == MOST_TOUCHES, "journeys": n, "conversions": k, "value": value}
            for touches, (n, k, value) in enumerate(zip(*by_length, strict=True), start=1)
        ],
        "mean_touches": float(length @ taken / taken.sum()),
    }


def most_taken(table: PathTable, most: int) -> Int64Column:
    """The paths that most journeys took; of equal ones the shorter, then by their steps: (K,) int64, places."""
    taken, length = table.conversions + table.nulls, np.diff(table.offsets)
    place = np.arange(len(table))
    if len(place) > most:
        place = np.flatnonzero(taken >= np.partition(taken, -most)[-most])
    return place[np.lexsort((place, length[place], -taken[place]))[:most]]


def path_row(table: PathTable, place: int, labels: Sequence[str], *, most: int = MOST_STEPS) -> dict[str, Any]:
    """A path in words and figures; of one that is longer than `most` its first steps and its last."""
    steps = table.steps[table.offsets[place] : table.offsets[place + 1]].tolist()
    half = most // 2
    named = [*steps[:half], *steps[-half:]] if len(steps) > most else steps
    conversions, nulls = float(table.conversions[place]), float(table.nulls[place])
    return {
        "steps": [labels[step] for step in named],
        "left_out": len(steps) - len(named),  # between the first half of the steps and the last
        "touches": len(steps),
        "journeys": conversions + nulls,
        "conversions": conversions,
        "value": float(table.value[place]),
        "conversion_rate": conversions / (conversions + nulls),
    }


def first_last(found: FirstLast, labels: Sequence[str]) -> dict[str, Any]:
    """Journeys by their first channel (row) and their last (column); the lesser channels together."""
    size = found.journeys.sum(axis=0) + found.journeys.sum(axis=1)
    names, place = _folded(size, labels)
    return {
        "channels": names,
        "journeys": _fold(found.journeys, place, place, len(names)).tolist(),
        "conversions": _fold(found.conversions, place, place, len(names)).tolist(),
    }


def transitions(moves: Float64Table, labels: Sequence[str]) -> dict[str, Any]:
    """How often journeys move from each channel, and from their start, to each channel and to their ends."""
    groups = len(labels)
    names, place = _folded(moves[:groups].sum(axis=1), labels)
    rows = np.append(place, len(names))
    columns = np.append(place, [len(names), len(names) + 1])
    size = (len(names) + 1, len(names) + 2)
    counts = np.zeros(size)
    np.add.at(counts, (rows[:, None], columns[None, :]), moves)
    return {"from": [*names, START], "to": [*names, CONVERSION, DROP_OFF], "counts": counts.tolist()}


def lags(found: Lags, params: Mapping[str, Any]) -> dict[str, Any]:
    """Conversions by the days since their journey's first touch, and since its last."""
    edges = found.edges.tolist()
    bins = zip(edges[:-1], edges[1:], found.first.tolist(), found.last.tolist(), strict=True)
    ends = {"first_touch": found.first_percentiles, "last_touch": found.last_percentiles}
    return {
        "bins": [
            {"from_days": low, "to_days": min(high, params["window_days"]), "first": first, "last": last}
            for low, high, first, last in bins
        ],
        **{
            name: {f"p{level}": _finite(day) for level, day in zip(PERCENTILES, days.tolist(), strict=True)}
            for name, days in ends.items()
        },
    }


def time_to_convert(found: TimeToConvert, labels: Sequence[str]) -> list[dict[str, Any]]:
    """Days from each channel's first touch to the conversion, the channel of most conversions first."""
    order = np.argsort(-found.journeys, kind="stable")
    return [
        {
            "channel": labels[group],
            "conversions": int(found.journeys[group]),
            **{f"p{level}": days for level, days in zip(QUARTILES, found.quartiles[group].tolist(), strict=True)},
        }
        for group in order.tolist()
        if found.journeys[group]
    ]


def interactions(cells: Cells, found: Interactions, labels: Sequence[str], params: Mapping[str, Any]) -> dict[str, Any]:
    """Every pair that could be looked at, the clearest first, and what was looked at in all."""
    names = [labels[group] for group in cells.channels]
    order = np.lexsort((-np.abs(found.effect), found.p_value))
    return {
        "pairs": [_pair(found, place, names) for place in order.tolist()],
        "interactions": {
            "channels": names,
            "confidence": params["confidence"],
            "false_discovery_rate": (100 - params["confidence"]) / 100,
            "looked_at": len(found.pairs),
            "too_rare": found.too_rare,
            "unidentified": [sorted((names[one], names[other])) for one, other in found.unidentified.tolist()],
            "cells": len(cells),
        },
    }


def _pair(found: Interactions, place: int, names: Sequence[str]) -> dict[str, Any]:
    a, b = sorted((names[bit] for bit in found.pairs[place].tolist()), key=lambda name: (name.casefold(), name))
    return {
        "a": a,
        "b": b,
        "effect_per_1000": float(found.effect[place]),
        "low": float(found.low[place]),
        "high": float(found.high[place]),
        "p_value": float(found.p_value[place]),
        "p_adjusted": float(found.p_adjusted[place]),
        "verdict": str(found.verdict[place]),
        "journeys_both": int(found.journeys_both[place]),
        "log_odds": float(found.log_odds[place]),
        "standard_error": float(found.standard_error[place]),
    }


def arrays(
    table: PathTable, walks: Walks, details: PairDetails, labels: Sequence[str]
) -> dict[str, npt.NDArray[np.generic]]:
    """What the pages about paths, links and pairs count from. `crosschannel.stored` reads it."""
    kept = np.sort(most_taken(table, MOST_KEPT_PATHS))
    length = np.diff(table.offsets)[kept]
    begins = np.repeat(table.offsets[:-1][kept], length)
    within = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
    small = np.uint16 if len(labels) < 2**16 else np.uint32
    return {
        "labels": np.array(labels, np.str_),
        "path_offsets": np.concatenate([[0], np.cumsum(length)]).astype(np.int64),
        "path_steps": table.steps[begins + within].astype(small),
        "path_conversions": table.conversions[kept],
        "path_value": table.value[kept],
        "path_nulls": table.nulls[kept],
        "path_walk": walks.walk_of_path[kept].astype(np.int32),
        "walk_groups": walks.groups,
        "walk_steps": walks.steps,
        "walk_longer": walks.longer,
        "walk_conversions": walks.conversions,
        "walk_value": walks.value,
        "walk_nulls": walks.nulls,
        **{f"pair_{name}": getattr(details, name) for name in PAIR_ARRAYS},
        "pair_total_value": np.array(details.total_value),
    }


PAIR_ARRAYS = (
    *("journeys", "conversions", "value", "first_journeys", "first_conversions", "first_customers", "gap_journeys"),
    *("month_journeys", "month_conversions", "total_journeys", "total_conversions", "order_moments"),
)


def _folded(size: Float64Column, labels: Sequence[str]) -> tuple[list[str], Int64Column]:
    """Names of the largest groups that occur, further ones as one; and the place of each group (G,) among them."""
    seen = [int(group) for group in np.argsort(-size, kind="stable") if size[group] > 0]
    kept = seen if len(seen) <= MOST_IN_MATRIX else seen[: MOST_IN_MATRIX - 1]
    place = np.full(len(labels), len(kept), np.int64)
    place[kept] = np.arange(len(kept))
    if len(kept) == len(seen):
        place[size <= 0] = 0  # nothing of theirs is counted
        return [labels[group] for group in kept], place
    return [*(labels[group] for group in kept), OTHER], place


def _fold(table: Float64Table, rows: Int64Column, columns: Int64Column, size: int) -> Float64Table:
    folded = np.zeros((size, size))
    np.add.at(folded, (rows[:, None], columns[None, :]), table)
    return folded


def _name(group: int, labels: Sequence[str]) -> str:
    return ENDS.get(group) or labels[group]


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None
