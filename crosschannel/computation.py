"""Answering a cross-channel question: from a workspace's journeys, through the methods, to what a run keeps."""

import datetime as dt
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from accounts.models import Workspace
from analyses.asking import period_of
from analyses.errors import AnalysisError
from analyses.journeys import journeys_asked_for
from analyses.registry import Answer
from crosschannel import result
from crosschannel.labels import CONVERTING, CONVERTING_LABELS, PATH_FILTERS, channel_of, label_of
from crosschannel.methods.cells import Cells, count_cells
from crosschannel.methods.filters import PathFilter, filtered
from crosschannel.methods.firth import DidNotSettle
from crosschannel.methods.flows import flows_of, link_days
from crosschannel.methods.interactions import NOTHING, Interactions, interactions
from crosschannel.methods.matrices import first_last, time_to_convert, transitions
from crosschannel.methods.pairs import pair_details
from crosschannel.methods.walks import walk_of_journey, walks_of
from crosschannel.params import path_in_words
from marketing.frames import Int64Column, Journeys
from marketing.journey_paths import JourneyPaths, path_table
from marketing.path_statistics import lags
from marketing.periods import Period, start_of_day_us
from mmm_project import formats

# Of the progress bar: building the snapshot is the long part of a first run.
READ, FLOWED, COUNTED = 0.4, 0.6, 0.8
THREADS = min(4, os.cpu_count() or 1)  # more would leave nothing of a small machine for the pages
MOST_SEGMENTS = 20  # told apart as strata; further ones are one more
MOST_MONTHS = 13  # as strata: a year begins and ends within one; a longer period has quarters, for fuller cells
MOST_LAG_BINS = 30
MOST_NAMED = 30  # channels in a sentence
ONE_DAY = dt.timedelta(1)
GAP_EDGES_DAYS = (1.0, 2.0, 3.0, 5.0, 8.0, 15.0, 31.0, 61.0)

Report: TypeAlias = Callable[[str, float], None]  # phase, and how much of the whole is done


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """The journeys that are asked about, what their touches are grouped by, and what else is asked.

    `labels`: how results call these groups, no two alike. `group_of_source`: (S,) int64, index into `labels`.
    `segment`, `month`: (J,) int64, of each journey. `part_of_month`: (M,) int64, the part of the period, as a stratum,
    that each month belongs to.
    """

    journeys: Journeys
    labels: Sequence[str]
    group_of_source: Int64Column
    segment: Int64Column
    month: Int64Column
    part_of_month: Int64Column
    params: Mapping[str, Any]


def compute(workspace: Workspace, params: Mapping[str, Any], progress: Report) -> Answer:
    """Answer a question about a workspace's journeys. Raises AnalysisError where the data cannot answer it."""
    data = journeys_asked_for(
        workspace,
        params,
        with_segment=True,
        on_progress=lambda fraction: progress("Reading the data", READ * fraction),
    )
    starts = months_of(period_of(params))
    edges = np.array([start_of_day_us(part.start, workspace.zone) for part in starts], np.int64)
    question = Question(
        journeys=data.journeys,
        labels=[label_of(name) for name in data.sources.labels("channel")],
        group_of_source=data.sources.group_of_source("channel"),
        segment=first_segments(data.journeys),
        month=np.searchsorted(edges, data.journeys.anchor_at, side="right") - 1,
        part_of_month=parts_of(starts),
        params=params,
    )
    return answer(question, progress)


def answer(question: Question, progress: Report) -> Answer:
    """Answer a question whose journeys are at hand."""
    journeys, labels, params = question.journeys, question.labels, question.params
    progress("Following the journeys", READ)
    paths = path_table(journeys=journeys, group_of_source=question.group_of_source, groups=len(labels))
    wanted = _path_filter(params, labels, paths)
    asked = filtered(paths=paths, converted=journeys.converted, wanted=wanted)
    if not len(asked.table):
        raise AnalysisError(_nothing_passes(params), code="no_journeys")
    walks = walks_of(asked.table, steps=params["steps"], top=params["top"])
    flows = flows_of(walks)
    walk = walk_of_journey(walks=walks, path_of_journey=asked.path_of_journey, converted=journeys.converted)
    days = link_days(journeys=journeys, walk_of_journey=walk, walks=walks, flows=flows)
    chosen = journeys.take(np.flatnonzero(asked.path_of_journey >= 0))
    progress("Counting paths", FLOWED)
    found = {
        **result.totals(journeys, asked.table),
        "flows": result.flows(flows, days, labels),
        **result.paths(asked, chosen, labels),
        "first_last": result.first_last(first_last(asked.table), labels),
        "transitions": result.transitions(transitions(asked.table), labels),
        "lags": result.lags(lags(journeys=chosen, window_days=params["window_days"], most_bins=MOST_LAG_BINS), params),
        "time_to_convert": result.time_to_convert(
            time_to_convert(journeys=chosen, group_of_source=question.group_of_source, groups=len(labels)), labels
        ),
    }
    progress("Looking for interactions", COUNTED)
    cells, interplay, problem = interactions_of(question, paths)
    found |= result.interactions(cells, interplay, labels, params)
    found["interactions"]["problem"] = problem
    # Groups that no journey meets are never counted, and have the first bit where there is none for others.
    bit = np.full(len(labels), len(cells.channels) if cells.has_others else 0, np.int64)
    bit[list(cells.channels)] = np.arange(len(cells.channels))
    details = pair_details(
        journeys=journeys,
        group_of_source=bit[question.group_of_source],
        groups=cells.shares.shape[1],
        month=question.month,
        months=len(question.part_of_month),
        gap_edges_days=GAP_EDGES_DAYS,
    )
    return Answer(found, result.arrays(asked.table, walks, details, labels))


def interactions_of(question: Question, paths: JourneyPaths) -> tuple[Cells, Interactions, str]:
    """Look at all pairs of channels, over all journeys whatever is asked of their paths: a choice by path or by
    outcome would bring about interactions. Where the estimate does not settle there are none, and a sentence says so.
    """
    part = question.part_of_month[question.month]
    cells = count_cells(journeys=question.journeys, paths=paths, segment=question.segment, month=part)
    try:
        found = interactions(cells=cells, confidence=question.params["confidence"] / 100, threads=THREADS)
    except DidNotSettle as error:
        return (
            cells,
            NOTHING,
            f"The model of interactions found no stable answer: {error} A longer period may have one.",
        )
    return cells, found, ""


def months_of(period: Period) -> list[Period]:
    """The calendar months of a period, the first and the last cut where it begins and ends."""
    first_days = [period.start]
    while (following := _next_month(first_days[-1])) <= period.end:
        first_days.append(following)
    last_days = [*(day - ONE_DAY for day in first_days[1:]), period.end]
    return [Period(start, end) for start, end in zip(first_days, last_days, strict=True)]


def parts_of(months: Sequence[Period]) -> Int64Column:
    """The part of the period that each month belongs to, from 0: itself, or, of many months, its calendar quarter."""
    if len(months) <= MOST_MONTHS:
        return np.arange(len(months))
    quarters: Int64Column = np.array(
        [4 * month.start.year + (month.start.month - 1) // 3 for month in months], np.int64
    )
    return np.asarray(quarters - quarters[0])


def first_segments(journeys: Journeys) -> Int64Column:
    """The kind of customer that each journey's first touch came with, as a stratum: (J,) int64.

    0 where nobody said; the kinds of most journeys are numbered, further ones are one more.
    """
    if journeys.touches.segment is None or not len(journeys.touches.segment):
        return np.zeros(len(journeys), np.int64)
    has_touch = journeys.start < journeys.stop
    said = np.zeros(len(journeys), np.int64)
    said[has_touch] = journeys.touches.segment[journeys.start[has_touch]]
    count = np.bincount(said)
    stratum = np.full(len(count), MOST_SEGMENTS, np.int64)
    ranked = [kind for kind in np.argsort(-count, kind="stable")[:MOST_SEGMENTS] if count[kind]]
    stratum[ranked] = np.arange(len(ranked))
    return stratum[said]


def _next_month(day: dt.date) -> dt.date:
    return (day.replace(day=1) + dt.timedelta(31)).replace(day=1)


def _path_filter(params: Mapping[str, Any], labels: Sequence[str], paths: JourneyPaths) -> PathFilter:
    """Return what is asked of paths, by the numbers of the groups. Raises AnalysisError for a channel nobody met."""
    number = {name(label).casefold(): group for name in (str, channel_of) for group, label in enumerate(labels)}
    met = set(np.unique(paths.table.steps).tolist())
    groups: dict[str, tuple[int, ...]] = {}
    for name, label in PATH_FILTERS.items():
        asked = params.get(name, ())
        if unknown := [channel for channel in asked if number.get(channel.casefold()) not in met]:
            known = ", ".join(sorted(labels[group] for group in met)[:MOST_NAMED])
            raise AnalysisError(
                f"{label}: no journey of this period meets “{unknown[0]}”. Channels that journeys meet: {known}.",
                code="no_journeys",
            )
        groups[name] = tuple(number[channel.casefold()] for channel in asked)
    converting = params.get("converting")
    return PathFilter(
        contains=groups["path_contains"],
        in_order=groups["path_order"],
        starts=groups["path_starts"],
        ends=groups["path_ends"],
        converting=None if converting is None else converting == CONVERTING,
        min_journeys=params.get("min_journeys", 1),
    )


def _nothing_passes(params: Mapping[str, Any]) -> str:
    filters = [
        f"{label.lower()} {path_in_words(name, params[name])}" for name, label in PATH_FILTERS.items() if name in params
    ]
    if "converting" in params:
        filters.append(CONVERTING_LABELS[params["converting"]].lower())
    if "min_journeys" in params:
        filters.append(f"paths of at least {formats.count(params['min_journeys'], 'journey')}")
    asked = f" ({'; '.join(filters)})" if filters else ""
    return f"No journey of this period passes the filters{asked}. Loosen them, or choose a longer period."
