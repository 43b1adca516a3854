"""From the database to frames: the visible data of a workspace."""

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import islice

import numpy as np
from django.db.models import FloatField, Max, Q, Sum
from django.db.models.functions import Cast

from accounts.models import Workspace
from marketing import store
from marketing.channel_index import channel_index
from marketing.frames import (
    MICROSECONDS_PER_DAY,
    Conversions,
    Float64Column,
    Int64Column,
    Journeys,
    PathTable,
    SourceLookup,
    Touches,
)
from marketing.journeys import build_journeys, previous_conversions
from marketing.models import (
    ChannelSpend,
    Conversion,
    Dataset,
    Event,
    Goal,
    Import,
    Interaction,
    PathCount,
)
from marketing.periods import Period
from marketing.segments import names as segment_names
from marketing.segments.definition import Definition, What
from marketing.segments.evaluation import returning_customers, select
from marketing.sources import grouping_of, source_lookup

TOUCH_COLUMNS, CONVERSION_COLUMNS = ("at", "source", "interaction"), ("at", "goal", "value", "converted")
CHANGES_TOLERATED = 5  # in a row, while the data is being read
PATHS_AT_ONCE = 20_000  # are Python objects before they are columns
TOUCHES_SHARE = 0.9  # of the time that building both snapshots takes


@dataclass(frozen=True, slots=True, eq=False)
class JourneyData:
    """Journeys, and what the sources of their touches mean. `whole`: all of the period, whatever the segment.

    `conversions`: those of all goals and times, among them those to the `goal` (its database id) of the journeys.
    """

    journeys: Journeys
    sources: SourceLookup
    whole: Journeys
    conversions: Conversions
    goal: int

    def previous_at(self) -> Int64Column:
        """When the customer of each journey last converted before it: (J,) int64, as `previous_conversions` has it."""
        return previous_conversions(journeys=self.journeys, conversions=self.conversions, goal=self.goal)


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
    grouping: str = "",
    views: bool = True,
    lead_goal: Goal | None = None,
    with_segment: bool = False,
    on_progress: store.OnProgress = store.nobody_watches,
) -> JourneyData:
    """The journeys that end in a period: local days of the workspace from `start` to `end`, both included.

    Of these, only those that the segment holds, if one is given. A day of the lookback window is 24 hours. All data is
    that of one set of active imports. `grouping`: how channels are grouped, as `Workspace.Grouping` names it; as in the
    workspace's settings where it is "". Without `views`, touches that are impressions are left out as if they had never
    been imported, also of null paths and of what the segment looks at. With a `lead_goal`, each journey knows its last
    lead (`Journeys.lead_at`). `with_segment`: its touches know the kind of customer that they came with, whether or not
    the segment looks at it. `on_progress` gets a fraction now and then while a snapshot is being built, and
    may raise to stop it.

    Raises ValueError if the period ends before it starts or the window is negative, and store.DataChanged if imports
    kept being undone while they were read.
    """
    period_start_us, period_stop_us = Period(start, end).bounds_us(workspace.zone)
    touches, conversions = load_touches_and_conversions(
        workspace=workspace,
        with_segment=with_segment or (segment is not None and segment.looks_at(What.ATTRIBUTE)),
        on_progress=on_progress,
    )
    whole = build_journeys(
        touches=touches if views else touches.where(touches.interaction != Interaction.IMPRESSION),
        conversions=conversions,
        goal=goal.pk,
        period_start_us=period_start_us,
        period_stop_us=period_stop_us,
        window_us=window_days * MICROSECONDS_PER_DAY,
        null_paths=null_paths,
        lead_goal=lead_goal.pk if lead_goal else None,
    )
    grouped = grouping_of(workspace=workspace, name=grouping) if grouping else None
    sources = source_lookup(workspace=workspace, touches=touches, grouping=grouped)
    if segment is None:
        return JourneyData(journeys=whole, sources=sources, whole=whole, conversions=conversions, goal=goal.pk)
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
    return JourneyData(
        journeys=whole.take(np.flatnonzero(chosen)),
        sources=sources,
        whole=whole,
        conversions=conversions,
        goal=goal.pk,
    )


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


@dataclass(frozen=True, slots=True, eq=False)
class CampaignSpend:
    """Visible spend of one channel, one row for each day and campaign, sorted by day: (S,) int64 days since 1970-01-01.

    `campaign`: database ids, 0 for none. `spend`: (S,) float64, account currency. `names`: of the campaigns by id.
    """

    day: Int64Column
    campaign: Int64Column
    spend: Float64Column
    names: Mapping[int, str]


def load_campaign_spend(*, workspace: Workspace, channel: str, start: dt.date) -> CampaignSpend:
    """What was spent on each campaign of a channel from a day on, in all geos together.

    `channel`: a name that the channel has or had. What is merged into it counts as its own. Days without spend are left
    out; nothing is there of a channel that is not known.
    """
    index = channel_index(workspace=workspace)
    known = index.named(channel)
    rows = (
        ChannelSpend.objects.filter(
            batch__workspace=workspace,
            batch__status=Import.Status.ACTIVE,
            shadowed=False,
            spend__gt=0,
            date__gte=start,
            channel__in=[] if known is None else index.counting_for(known.pk),
        )
        .order_by("date", "campaign_id")
        .values_list("date", "campaign_id", "campaign__name")
        .annotate(total=Sum(Cast("spend", FloatField())))
    )
    found = list(rows.iterator(chunk_size=10_000))
    epoch = dt.date(1970, 1, 1)
    return CampaignSpend(
        day=np.array([(date - epoch).days for date, *_ in found], np.int64),
        campaign=np.array([campaign or 0 for _, campaign, *_ in found], np.int64),
        spend=np.array([total for *_, total in found], np.float64),
        names={campaign: name for _, campaign, name, _ in found if campaign},
    )


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


def load_paths(
    *, workspace: Workspace, start: dt.date | None = None, end: dt.date | None = None
) -> tuple[PathTable, tuple[str, ...]]:
    """The visible paths of the dataset `paths`, each once, and the names of the channels that are its groups.

    Those whose day is from `start` to `end`, both included and None for no bound, and all that have no day. Days are
    added up; merged channels are those that they count for. Paths are sorted by length, then step by step.
    """
    visible = PathCount.objects.filter(batch__workspace=workspace, batch__status=Import.Status.ACTIVE, shadowed=False)
    if start is not None:
        visible = visible.filter(Q(date=None) | Q(date__gte=start))
    if end is not None:
        visible = visible.filter(Q(date=None) | Q(date__lte=end))
    rows = visible.order_by().values_list("channels", "conversions", Cast("value", FloatField()), "nulls")
    stream = rows.iterator(chunk_size=PATHS_AT_ONCE)
    lengths, ids, weights = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [np.empty((0, 3))]
    while chunk := list(islice(stream, PATHS_AT_ONCE)):
        channels = np.frombuffer(b"".join(row[0] for row in chunk), PathCount.CHANNEL_DTYPE)
        ids.append(channels.astype(np.int64))
        lengths.append(np.array([len(row[0]) for row in chunk], np.int64) // channels.itemsize)
        weights.append(np.array([row[1:] for row in chunk], np.float64))
    steps, names = _named_steps(workspace, np.concatenate(ids))
    return _path_table(np.concatenate(lengths), steps, np.concatenate(weights), groups=len(names)), names


def _named_steps(workspace: Workspace, ids: Int64Column) -> tuple[Int64Column, tuple[str, ...]]:
    """The place of each channel id (L,) among the channels that are met, in the order of their colours; their names."""
    index = channel_index(workspace=workspace)
    distinct, place = np.unique(ids, return_inverse=True)
    counted = [index.counted_for(pk) for pk in distinct.tolist()]
    met = [pk for pk in index.channels if pk in set(counted)]
    group = {pk: place for place, pk in enumerate(met)}
    return np.array([group[pk] for pk in counted], np.int64)[place], tuple(index.channels[pk].name for pk in met)


def _path_table(lengths: Int64Column, steps: Int64Column, weights: Float64Column, *, groups: int) -> PathTable:
    """Paths of R rows as distinct ones. `lengths`: (R,); `weights`: (R, 3), conversions, value and nulls."""
    first = np.concatenate([[0], np.cumsum(lengths)])
    path_of_row, paths = np.zeros(len(lengths), np.int64), 0
    found_lengths, found_steps = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for length in np.unique(lengths).tolist():
        rows = np.flatnonzero(lengths == length)
        # As bytes, the highest first, paths of one length compare as they do step by step.
        written = steps[first[rows, None] + np.arange(length)].astype(">u4").view(f"S{4 * length}")[:, 0]
        distinct, place = np.unique(written, return_inverse=True)
        path_of_row[rows] = paths + place
        paths += len(distinct)
        found_lengths.append(np.full(len(distinct), length))
        found_steps.append(distinct.view(">u4").astype(np.int64))
    # Added up in an order that is not the database's: sums of floats depend on theirs.
    order = np.lexsort((*weights.T, path_of_row))
    conversions, value, nulls = (
        np.bincount(path_of_row[order], column[order], paths).astype(np.float64) for column in weights.T
    )
    offsets = np.concatenate([[0], np.cumsum(np.concatenate(found_lengths))])
    return PathTable(offsets, np.concatenate(found_steps), groups, conversions, value, nulls)
