"""The evidence behind an attribution result, as it is kept with the run: plain numbers and names, bounded in size."""

import datetime as dt
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from accounts.defaults import LONGEST_WINDOW_DAYS, WINDOW_DAYS
from attribution.labels import NONE
from attribution.methods.evidence import Role, Roles, roles, roles_of_paths
from attribution.methods.rules import LINEAR, RuleModel
from attribution.methods.sales_cycle import sales_cycle
from attribution.methods.stability import RANDOM_GROUPS, Stability, stability
from marketing.frames import BoolColumn, Float64Column, Int64Column, Journeys, PathTable
from marketing.journey_paths import JourneyPaths, merge_paths, path_table
from marketing.journeys import BEFORE_ALL_TIME
from marketing.path_statistics import (
    PERCENTILES,
    Lengths,
    collapse,
    groups_of_paths,
    lags,
    lengths,
    path_medians,
    top_paths,
)
from marketing.periods import Period, day_of_us, start_of_day_us
from mmm_project import formats

MOST_PATHS = 50
MOST_STEPS = 20  # of a path that are named: its first half and its last
MOST_TOUCHES, MOST_GROUPS_OF_A_PATH = 30, 15  # the last bins of the lengths
MOST_LAG_BINS = 30
MOST_ROLES = 30
MOST_STEADY = 12
MOST_MODELS = 12  # whose shares over time are kept
WEEKS_UP_TO_DAYS = 91
MONTHS_UP_TO_DAYS = 3 * 366
SHORTEST_PART_DAYS = 7
CLEAR_LEVEL = 0.05  # of any group being said to have moved where none has
HOLDS = 0.95
DATA_STARTS_AT = 0.001  # of customers, by their first touch: a few dates gone wrong do not make a history


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grouping:
    """What touches are grouped by: names of the groups, the group of each traffic source, which sources are Direct."""

    labels: Sequence[str]
    group_of_source: Int64Column
    direct_source: BoolColumn


def evidence_of(
    *,
    journeys: Journeys,
    labels: Sequence[str],
    group_of_source: Int64Column,
    direct_source: BoolColumn,
    models: Sequence[RuleModel],
    by_value: bool,
    period: Period,
    zone: ZoneInfo,
    window_days: int,
    confidence: float = 0.95,
    paths: JourneyPaths | None = None,
    previous_at: Int64Column | None = None,
) -> dict[str, Any]:
    """Return paths, lengths, lags, roles, shares over time and the sales cycle, as JSON.

    `journeys`: those that end in the `period`, of local days in `zone`, with their touches of `window_days`; paths get
    a conversion rate if there are null paths among them. `labels`: names of the G groups; `group_of_source`: (S,) int64
    index into them. `models`: the rule models whose shares are followed over time; linear where there are none.
    `by_value`: shares of value, not of conversions. `confidence`: level of the intervals of shares. `paths`: those of
    the journeys, where they are there already. `previous_at`: (J,) int64, microseconds, when the customer of each
    journey last converted before it; None where nobody did.

    All numbers are finite; None stands for what cannot be told. At most 50 paths, 30 groups and 60 parts of time are
    listed. Raises ValueError as `path_table` and `rule_credit` do, or if a conversion lies outside the period.
    """
    grouping = Grouping(labels=labels, group_of_source=group_of_source.astype(np.int64), direct_source=direct_source)
    if paths is None:
        paths = path_table(journeys=journeys, group_of_source=grouping.group_of_source, groups=len(labels))
    converted = journeys.converted
    without = converted & (journeys.start == journeys.stop)
    untouched = float(np.count_nonzero(without)), math.fsum(journeys.value[without])
    appears = roles(journeys=journeys, group_of_source=grouping.group_of_source, groups=len(labels)).counts.sum(axis=1)
    steady, told = _folded(grouping, appears, MOST_STEADY), _folded(grouping, appears, MOST_ROLES)
    # Journeys with one of the folded groups are not the sum of those with each, so they are counted anew.
    by_group = roles(journeys=journeys, group_of_source=told.group_of_source, groups=len(told.labels))
    return {
        "conversions": float(np.count_nonzero(converted)),
        "value": math.fsum(journeys.value[converted]),
        "paths": _paths(paths, labels, journeys, has_nulls=not converted.all()),
        "lengths": _all_lengths(paths.table, untouched),
        "lags": _lags(journeys, window_days),
        "roles": _roles(told.labels, by_group),
        "stability": _over_time(journeys, steady, models, by_value, period, zone, confidence),
        "sales_cycle": _sales_cycle(journeys, previous_at, window_days, zone),
    }


def evidence_of_paths(
    *, table: PathTable, labels: Sequence[str], untouched: tuple[float, float] = (0.0, 0.0)
) -> dict[str, Any]:
    """Return paths, lengths and roles of aggregated paths, which have neither times nor customers, as JSON.

    `untouched`: conversions without a path, and their value.
    """
    paths = JourneyPaths(table, np.arange(len(table)))
    grouping = Grouping(
        labels=labels, group_of_source=np.arange(table.groups), direct_source=np.zeros(table.groups, np.bool_)
    )
    told = _folded(grouping, roles_of_paths(table).counts.sum(axis=1), MOST_ROLES)
    folded = merge_paths(
        offsets=table.offsets,
        steps=told.group_of_source[table.steps],
        groups=len(told.labels),
        conversions=table.conversions,
        value=table.value,
        nulls=table.nulls,
    )
    return {
        "conversions": math.fsum((*table.conversions, untouched[0])),
        "value": math.fsum((*table.value, untouched[1])),
        "paths": _paths(paths, labels, None, has_nulls=bool(table.nulls.any())),
        "lengths": _all_lengths(table, untouched),
        "roles": _roles(told.labels, roles_of_paths(folded.table)),
    }


def parts_of(period: Period) -> tuple[str, list[Period]]:
    """Cut a period into weeks, months or quarters, whichever suits its length; the parts' name and days.

    Weeks are seven days each, counted back from the end. What is left over at either edge and shorter than a week
    belongs to its neighbour.
    """
    if period.days <= WEEKS_UP_TO_DAYS:
        unit = "week"
        starts = [period.end - dt.timedelta(7 * weeks - 1) for weeks in range(period.days // 7, 0, -1)]
    else:
        unit = "month" if period.days <= MONTHS_UP_TO_DAYS else "quarter"
        starts = [day for day in _firsts_of_months(period) if unit == "month" or day.month % 3 == 1]
    starts = sorted({period.start, *starts})
    if len(starts) > 1 and (starts[1] - starts[0]).days < SHORTEST_PART_DAYS:
        del starts[1]
    if len(starts) > 1 and (period.end - starts[-1]).days + 1 < SHORTEST_PART_DAYS:
        del starts[-1]
    ends = [*(start - dt.timedelta(1) for start in starts[1:]), period.end]
    return unit, [Period(start, end) for start, end in zip(starts, ends, strict=True)]


def _firsts_of_months(period: Period) -> Iterator[dt.date]:
    day = period.start.replace(day=1)
    while day <= period.end:
        if day >= period.start:
            yield day
        day = (day + dt.timedelta(31)).replace(day=1)


def _folded(grouping: Grouping, size: Int64Column, most: int) -> Grouping:
    """The same touches in at most `most` groups: those of the largest `size`, and the others as one."""
    seen = np.flatnonzero(size)
    largest = seen[np.argsort(-size[seen], kind="stable")]
    kept = largest if len(largest) <= most else largest[: most - 1]
    place = np.full(len(grouping.labels), len(kept), np.int64)
    place[kept] = np.arange(len(kept))
    others = len(seen) - len(kept)
    named = [grouping.labels[group] for group in kept]
    return replace(
        grouping,
        labels=[*named, f"{formats.count(others, 'other')}"],
        group_of_source=place[grouping.group_of_source],
    )


def _paths(paths: JourneyPaths, labels: Sequence[str], journeys: Journeys | None, *, has_nulls: bool) -> dict[str, Any]:
    collapsed = collapse(paths)
    table = collapsed.table
    top = top_paths(table=table, most=MOST_PATHS)
    days: list[float | None] = [None] * len(top.steps)
    touches = days
    if journeys is not None:
        medians = path_medians(journeys=journeys, path_of_journey=collapsed.path_of_journey, place=top.place)
        days, touches = (column.tolist() for column in medians)
    half = MOST_STEPS // 2
    listed = []
    for rank, (place, steps) in enumerate(zip(top.place, top.steps, strict=True)):
        conversions, nulls = float(table.conversions[place]), float(table.nulls[place])
        named = [labels[step] for step in ((*steps[:half], *steps[-half:]) if len(steps) > MOST_STEPS else steps)]
        listed.append(
            {
                "steps": named,
                "left_out": len(steps) - len(named),  # between the first half of the steps and the last
                "conversions": conversions,
                "value": float(table.value[place]),
                "share": conversions / top.conversions,
                "median_days": days[rank],
                "median_touches": touches[rank],
                "null_paths": nulls if has_nulls else None,
                "conversion_rate": conversions / (conversions + nulls) if has_nulls else None,
            }
        )
    return {
        "top": listed,
        "distinct": top.distinct,
        "with_touches": top.conversions,
        "shown_conversions": math.fsum(table.conversions[top.place]),
        "has_null_paths": has_nulls,
    }


def _all_lengths(table: PathTable, untouched: tuple[float, float]) -> dict[str, Any]:
    touches, total = np.diff(table.offsets), float(table.conversions.sum())
    found = {
        name: lengths(length=length, conversions=table.conversions, value=table.value, untouched=untouched, most=most)
        for name, length, most in (
            ("touches", touches, MOST_TOUCHES),
            ("groups", groups_of_paths(table), MOST_GROUPS_OF_A_PATH),
        )
    }
    return {
        "touches": _lengths(found["touches"], MOST_TOUCHES),
        "groups": _lengths(found["groups"], MOST_GROUPS_OF_A_PATH),
        "mean_touches": float(touches @ table.conversions) / total if total else None,
        "median_touches": _weighted_median(touches, table.conversions) if total else None,
    }


def _weighted_median(values: Int64Column, weights: Float64Column) -> float:
    """The smallest value that half of the weight does not exceed."""
    order = np.argsort(values, kind="stable")
    return float(values[order][np.searchsorted(weights[order].cumsum(), weights.sum() / 2)])


def _lengths(found: Lengths, most: int) -> list[dict[str, Any]]:
    rows = zip(found.conversions.tolist(), found.value.tolist(), strict=True)
    return [
        {"length": length, "or_more": length == most, "conversions": conversions, "value": value}
        for length, (conversions, value) in enumerate(rows)
    ]


def _lags(journeys: Journeys, window_days: int) -> dict[str, Any]:
    found = lags(journeys=journeys, window_days=window_days, most_bins=MOST_LAG_BINS)
    edges = found.edges.tolist()
    bins = zip(edges[:-1], edges[1:], found.first.tolist(), found.last.tolist(), strict=True)
    return {
        "bins": [
            {"from_days": low, "to_days": min(high, window_days), "first": first, "last": last}
            for low, high, first, last in bins
        ],
        "first_touch": _percentiles(found.first_percentiles),
        "last_touch": _percentiles(found.last_percentiles),
    }


def _percentiles(days: Float64Column) -> dict[str, float | None]:
    return {f"p{level}": _finite(value) for level, value in zip(PERCENTILES, days.tolist(), strict=True)}


def _roles(labels: Sequence[str], found: Roles) -> dict[str, Any]:
    """`labels`: of the folded groups, the last of which are all others."""
    rows = zip(labels, found.counts.tolist(), found.first, found.middle, found.last, found.mostly, strict=True)
    return {
        "groups": [
            {
                "group": label,
                "is_one": place < len(labels) - 1,
                "journeys": math.fsum(counts),
                **dict(zip(map(str, Role), counts, strict=True)),
                "first": float(first),
                "middle": float(middle),
                "last": float(last),
                "mostly": mostly and str(mostly),
            }
            for place, (label, counts, first, middle, last, mostly) in enumerate(rows)
            if any(counts)
        ]
    }


def _over_time(
    journeys: Journeys,
    grouping: Grouping,
    models: Sequence[RuleModel],
    by_value: bool,
    period: Period,
    zone: ZoneInfo,
    confidence: float,
) -> dict[str, Any]:
    unit, parts = parts_of(period)
    edges = [*(start_of_day_us(part.start, zone) for part in parts), period.bounds_us(zone)[1]]
    found = stability(
        journeys=journeys,
        edges_us=np.array(edges, np.int64),
        models=[*models][:MOST_MODELS] or [LINEAR],
        group_of_source=grouping.group_of_source,
        groups=len(grouping.labels),
        direct_source=grouping.direct_source,
        by_value=by_value,
    )
    part = np.searchsorted(edges, journeys.anchor_at[journeys.converted], side="right") - 1
    value = np.bincount(part, journeys.value[journeys.converted], len(parts)).tolist()
    conversions = np.bincount(part, minlength=len(parts)).tolist()
    return {
        "unit": unit,
        "of": "value" if by_value else "conversions",
        "confidence": confidence,
        "parts": [
            {"start": one.start.isoformat(), "end": one.end.isoformat(), "conversions": count, "value": amount}
            for one, count, amount in zip(parts, conversions, value, strict=True)
        ],
        "models": {
            name: list(_shares(found, row, grouping.labels, confidence)) for row, name in enumerate(found.models)
        },
    }


def _shares(found: Stability, row: int, labels: Sequence[str], confidence: float) -> Iterator[dict[str, Any]]:
    """Yield the shares of each group that a model credits, the smaller groups as one, "(none)" last."""
    from scipy.special import stdtrit  # here: pages must not wait for it

    reach = float(stdtrit(RANDOM_GROUPS - 1, 0.5 + confidence / 2)) * found.standard_error[row]
    share = found.share[row]
    # Shares of conversions lie between none and all, whatever the normal interval says.
    judged = np.count_nonzero(np.isfinite(found.p_value[row]))  # Bonferroni: any of so many may move by chance
    low, high = np.maximum(share - reach, np.minimum(share, 0.0)), np.minimum(share + reach, np.maximum(share, 1.0))
    for group, label in enumerate([*labels, NONE]):
        if not np.nan_to_num(share[:, group]).any():
            continue
        yield {
            "group": label,
            "is_one": group < len(labels) - 1,
            "shares": [_finite(number) for number in share[:, group].tolist()],
            "low": [_finite(number) for number in low[:, group].tolist()],
            "high": [_finite(number) for number in high[:, group].tolist()],
            "moved": float(found.moved[row, group]),
            "by_chance": float(found.by_chance[row, group]),
            "p_value": _finite(float(found.p_value[row, group])),
            "is_clear": bool(found.p_value[row, group] * judged < CLEAR_LEVEL),
        }


def _sales_cycle(
    journeys: Journeys, previous_at: Int64Column | None, window_days: int, zone: ZoneInfo
) -> dict[str, Any]:
    touches = journeys.touches
    starts = touches.touched_at[touches.offsets[:-1][np.diff(touches.offsets) > 0]]
    if not len(starts):
        return {"window_days": window_days, "longest_days": LONGEST_WINDOW_DAYS, "touches": 0}
    data_starts_us = int(np.quantile(starts, DATA_STARTS_AT, method="inverted_cdf"))
    found = sales_cycle(
        journeys=journeys,
        windows=(*WINDOW_DAYS, window_days, LONGEST_WINDOW_DAYS),
        data_starts_us=data_starts_us,
        previous_at=np.full(len(journeys), BEFORE_ALL_TIME) if previous_at is None else previous_at,
    )
    total = int(found.touches[-1])
    windows = [
        {
            "days": days,
            "is_preset": days in WINDOW_DAYS,
            "touches": int(found.touches[place]),
            "share_seen": int(found.touches[place]) / total if total else None,
            "held": _finite(float(found.held[place])),
            "conversions_outside": int(found.outside[place]),
            "touches_before_previous": int(found.repeated[place]),
        }
        for place, days in enumerate(found.windows)
    ]
    return {
        "window_days": window_days,
        "longest_days": LONGEST_WINDOW_DAYS,
        "touches": total,
        "conversions": found.conversions,
        "windows": windows,
        "holds": HOLDS,
        "smallest_preset": found.smallest(WINDOW_DAYS, HOLDS),
        "data_starts": day_of_us(data_starts_us, zone).isoformat(),
        "seen_days": found.seen_days,
        "fully_seen": found.fully_seen,
    }


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None
