"""From the database to frames: the visible data of a workspace."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from django.db.models import FloatField, Max, Sum
from django.db.models.functions import Cast

from accounts.models import Workspace
from marketing import store
from marketing.channel_index import channel_index
from marketing.frames import Conversions, Float64Column, Int64Column, Journeys, SourceLookup, Touches
from marketing.journeys import build_journeys
from marketing.models import (
    ChannelSpend,
    Conversion,
    Dataset,
    Event,
    Goal,
    Import,
)
from marketing.periods import Period
from marketing.segments import names as segment_names
from marketing.segments.definition import Definition, What
from marketing.segments.evaluation import returning_customers, select
from marketing.sources import source_lookup

TOUCH_COLUMNS, CONVERSION_COLUMNS = ("at", "source", "interaction"), ("at", "goal", "value", "converted")
MICROSECONDS_PER_DAY = 86_400_000_000
CHANGES_TOLERATED = 5  # in a row, while the data is being read
TOUCHES_SHARE = 0.9  # of the time that building both snapshots takes


@dataclass(frozen=True, slots=True, eq=False)
class JourneyData:
    """Journeys, and what the sources of their touches mean. `whole`: all of the period, whatever the segment."""

    journeys: Journeys
    sources: SourceLookup
    whole: Journeys


def load_touches(
    *,
    workspace: Workspace,
    imports: store.Imports | None = None,
    with_segment: bool = False,
    on_progress: store.OnProgress = store.nobody_watches,
) -> Touches:
    """The visible touchpoints of these imports (all active ones by default), with their segment if asked for.

    Raises store.DataChanged if an import changed while its rows were read.
    """
    if imports is None:
        imports = store.active_imports(workspace=workspace)[Dataset.TOUCHPOINTS]
    columns = store.load(
        workspace=workspace,
        table=store.TOUCHES,
        imports=imports,
        names=(*TOUCH_COLUMNS, *(("segment",) if with_segment else ())),
        on_progress=on_progress,
    )
    return Touches.from_columns(columns)


def load_conversions(
    *,
    workspace: Workspace,
    imports: store.Imports | None = None,
    on_progress: store.OnProgress = store.nobody_watches,
) -> Conversions:
    """The visible conversions, of all goals, of these imports (all active ones by default).

    Raises store.DataChanged if an import changed while its rows were read.
    """
    if imports is None:
        imports = store.active_imports(workspace=workspace)[Dataset.CONVERSIONS]
    columns = store.load(
        workspace=workspace,
        table=store.CONVERSIONS,
        imports=imports,
        names=CONVERSION_COLUMNS,
        on_progress=on_progress,
    )
    return Conversions.from_columns(columns)


def load_journeys(
    *,
    workspace: Workspace,
    goal: Goal,
    start: dt.date,
    end: dt.date,
    window_days: int,
    null_paths: bool = True,
    segment: Definition | None = None,
    on_progress: store.OnProgress = store.nobody_watches,
) -> JourneyData:
    """The journeys that end in a period: local days of the workspace from `start` to `end`, both included.

    Of these, only those that the segment holds, if one is given. A day of the lookback window is 24 hours. All data is
    that of one set of active imports. `on_progress` gets a fraction now and then while a snapshot is being built, and
    may raise to stop it.

    Raises ValueError if the period ends before it starts or the window is negative, and store.DataChanged if imports
    kept being undone while they were read.
    """
    period_start_us, period_stop_us = Period(start, end).bounds_us(workspace.zone)
    touches, conversions = load_touches_and_conversions(
        workspace=workspace,
        with_segment=segment is not None and segment.looks_at(What.ATTRIBUTE),
        on_progress=on_progress,
    )
    whole = build_journeys(
        touches=touches,
        conversions=conversions,
        goal=goal.pk,
        period_start_us=period_start_us,
        period_stop_us=period_stop_us,
        window_us=window_days * MICROSECONDS_PER_DAY,
        null_paths=null_paths,
    )
    sources = source_lookup(workspace=workspace, touches=touches)
    if segment is None:
        return JourneyData(journeys=whole, sources=sources, whole=whole)
    chosen = select(
        definition=segment,
        journeys=whole,
        sources=sources,
        codes=segment_names.codes(workspace=workspace, sources=sources, definition=segment),
        returning=returning_customers(
            journeys=whole,
            conversions=conversions,
            goal=goal.pk,
            period_start_us=period_start_us,
            period_stop_us=period_stop_us,
        )
        if segment.looks_at(What.CUSTOMER)
        else None,
    )
    return JourneyData(journeys=whole.take(np.flatnonzero(chosen)), sources=sources, whole=whole)


def load_touches_and_conversions(
    *,
    workspace: Workspace,
    with_segment: bool = False,
    on_progress: store.OnProgress = store.nobody_watches,
) -> tuple[Touches, Conversions]:
    """Touches and conversions of the imports that were active at one moment.

    Raises store.DataChanged if imports kept being undone while they were read.
    """
    for attempt in range(1, CHANGES_TOLERATED + 1):
        active = store.active_imports(workspace=workspace)
        try:
            return (
                load_touches(
                    workspace=workspace,
                    imports=active[Dataset.TOUCHPOINTS],
                    with_segment=with_segment,
                    on_progress=lambda done: on_progress(TOUCHES_SHARE * done),
                ),
                load_conversions(
                    workspace=workspace,
                    imports=active[Dataset.CONVERSIONS],
                    on_progress=lambda done: on_progress(TOUCHES_SHARE + (1 - TOUCHES_SHARE) * done),
                ),
            )
        except store.DataChanged:
            if attempt == CHANGES_TOLERATED:
                raise
    raise AssertionError("unreachable")


@dataclass(frozen=True, slots=True, eq=False)
class DailySpend:
    """Visible spend, one row for each day, channel and campaign, sorted by day: (S,) int64 days since 1970-01-01.

    `channel`, `campaign`: database ids, campaign 0 for none. `spend`: (S,) float64, account currency.
    """

    day: Int64Column
    channel: Int64Column
    campaign: Int64Column
    spend: Float64Column


def load_daily_spend(*, workspace: Workspace) -> DailySpend:
    """What was spent on each channel and campaign on each day, in all geos together; merged channels as one."""
    visible = ChannelSpend.objects.filter(
        batch__workspace=workspace, batch__status=Import.Status.ACTIVE, shadowed=False, spend__gt=0
    )
    rows = (
        visible.order_by("date", "channel_id", "campaign_id")
        .values_list("date", "channel_id", "campaign_id")
        .annotate(total=Sum(Cast("spend", FloatField())))
    )
    epoch = dt.date(1970, 1, 1)
    merged = channel_index(workspace=workspace).merged()
    table = np.fromiter(
        (
            ((date - epoch).days, merged.get(channel, channel), campaign or 0, total)
            for date, channel, campaign, total in rows.iterator(chunk_size=10_000)
        ),
        [("day", "i8"), ("channel", "i8"), ("campaign", "i8"), ("spend", "f8")],
    )
    if merged:  # of a day and campaign there may be several rows then
        keys, place = np.unique(table[["day", "channel", "campaign"]], return_inverse=True)
        added_up = np.empty(len(keys), table.dtype)
        for name in ("day", "channel", "campaign"):
            added_up[name] = keys[name]
        added_up["spend"] = np.bincount(place, table["spend"], len(keys))
        table = added_up
    return DailySpend(*(np.ascontiguousarray(table[name]) for name in ("day", "channel", "campaign", "spend")))


def last_conversion_day(*, workspace: Workspace, goal: Goal) -> dt.date | None:
    """The local day of the last visible conversion with this goal; None without any. Reads all of them."""
    visible = Conversion.objects.filter(
        goal=goal, converted=True, shadowed=False, batch__status=Import.Status.ACTIVE, batch__workspace=workspace
    )
    last: dt.datetime | None = visible.aggregate(last=Max("occurred_at"))["last"]
    return last.astimezone(workspace.zone).date() if last else None


def data_ends(*, workspace: Workspace, datasets: Collection[Dataset]) -> dt.date | None:
    """The last local day that the active imports of these datasets speak of; None without any."""
    active = Import.objects.filter(workspace=workspace, dataset__in=datasets, status=Import.Status.ACTIVE)
    last_day: dt.date | None = active.aggregate(last=Max("last_day"))["last"]
    return last_day


def load_events(*, workspace: Workspace, start: dt.date | None = None, end: dt.date | None = None) -> list[Event]:
    """The visible events that touch the days from `start` to `end`, both included and None for no bound; by day."""
    visible = Event.objects.filter(workspace=workspace, shadowed=False, batch__status=Import.Status.ACTIVE)
    if start is not None:
        visible = visible.filter(end__gte=start)
    if end is not None:
        visible = visible.filter(start__lte=end)
    return list(visible.order_by("start", "name", "geo"))
