"""From the database to frames: the visible data of a workspace, and what its sources mean."""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from django.db.models import FloatField, Max, Sum
from django.db.models.functions import Cast

from accounts.models import Workspace
from marketing import store
from marketing.channel_index import DIRECT, ChannelIndex, channel_index
from marketing.frames import Conversions, Float64Column, Int64Column, Journeys, SourceLookup, Touches
from marketing.grouping import classify, granular
from marketing.grouping_rules import Grouping, Rules, parse_rules
from marketing.journeys import build_journeys
from marketing.models import (
    Campaign,
    ChannelGrouping,
    ChannelSpend,
    Conversion,
    Dataset,
    Event,
    Goal,
    Import,
    TrafficSource,
)
from marketing.periods import Period
from marketing.segments import names as segment_names
from marketing.segments.definition import Definition, What
from marketing.segments.evaluation import returning_customers, select

MICROSECONDS_PER_DAY = 86_400_000_000
CHANGES_TOLERATED = 5  # in a row, while the data is being read
TOUCHES_SHARE = 0.9  # of the time that building both snapshots takes
NO_CAMPAIGN = "(not set)"
MOST_GROUPS = 5_000  # that a grouping makes channels of; the rarest of more are one channel together
OTHER = "Other"


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
        names=("at", "source", "interaction", *(("segment",) if with_segment else ())),
        on_progress=on_progress,
    )
    return Touches(
        customer_ids=columns["customer_ids"],
        offsets=columns["offsets"],
        touched_at=columns["at"],
        source=columns["source"],
        interaction=columns["interaction"],
        segment=columns.get("segment"),
    )


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
        names=("at", "goal", "value", "converted"),
        on_progress=on_progress,
    )
    return Conversions(
        customer_ids=np.repeat(columns["customer_ids"], np.diff(columns["offsets"])),
        converted_at=columns["at"],
        goal=columns["goal"],
        value=columns["value"],
        converted=columns["converted"],
    )


def grouping_of(*, workspace: Workspace) -> Grouping:
    """What makes channels of the workspace's traffic that names none: (source, medium, campaign) -> channel."""
    if workspace.channel_grouping == Workspace.Grouping.GRANULAR:
        return granular
    if workspace.channel_grouping == Workspace.Grouping.CUSTOM:
        return custom_rules(workspace=workspace).classify
    return classify


def custom_rules(*, workspace: Workspace) -> Rules:
    """The workspace's own rules, whether they count at present or not."""
    stored = ChannelGrouping.objects.filter(workspace=workspace).values_list("rules", flat=True).first()
    return parse_rules(stored or [])


def source_lookup(
    *, workspace: Workspace, touches: Touches | None = None, grouping: Grouping | None = None
) -> SourceLookup:
    """What each traffic source resolves to: its explicit channel, else what the channel grouping makes of it.

    Merged channels are those that they were merged into, former names those that bear them now. Indexed by the
    database id of the source; ids of other workspaces fall on the first channel and no campaign. The channels are the
    workspace's own in the order of their colours, then others that the grouping named.

    `grouping`: another one than the workspace's. `touches`: those to count where a grouping makes more than
    `MOST_GROUPS` channels, of which only the most frequent stay; without any, all of the workspace's are read.
    """
    index = channel_index(workspace=workspace)
    campaigns = dict(Campaign.objects.filter(workspace=workspace).order_by("name").values_list("id", "name"))
    campaign_index = {None: 0} | {campaign: place for place, campaign in enumerate(campaigns, start=1)}
    sources: list[tuple[int, int | None, str, str, int | None]] = list(
        TrafficSource.objects.filter(workspace=workspace)
        .order_by("id")
        .values_list("id", "channel_id", "source", "medium", "campaign_id")
    )
    grouping = grouping or grouping_of(workspace=workspace)
    grouped = {
        source_id: grouping(source, medium, campaigns.get(campaign, "") if campaign else "")
        for source_id, explicit, source, medium, campaign in sources
        if explicit is None
    }
    if len({name.lower() for name in grouped.values()}) > MOST_GROUPS:
        kept = _most_frequent(grouped, touches or load_touches(workspace=workspace))
        grouped = {source_id: name if name.lower() in kept else OTHER for source_id, name in grouped.items()}
    channels = _Channels(index)
    ids = 1 + sources[-1][0] if sources else 0
    channel_of_source, campaign_of_source = np.zeros(ids, np.uint16), np.zeros(ids, np.uint32)
    for source_id, explicit, _, _, campaign in sources:
        channel_of_source[source_id] = (
            channels.place_of_name(grouped[source_id]) if explicit is None else channels.place_of(explicit)
        )
        campaign_of_source[source_id] = campaign_index[campaign]
    return SourceLookup(
        channel=channel_of_source,
        campaign=campaign_of_source,
        channels=tuple(channels.names),
        campaigns=(NO_CAMPAIGN, *campaigns.values()),
        direct=np.array(channels.direct, np.bool_),
    )


class _Channels:
    """The channels that sources resolve to, numbered: those that stand on their own, then what a grouping named."""

    def __init__(self, index: ChannelIndex) -> None:
        standing = index.standing()
        self.names = [channel.name for channel in standing]
        self.direct = [index.is_direct(channel.pk) for channel in standing]
        self._index = index
        self._place_by_id = {channel.pk: place for place, channel in enumerate(standing)}
        self._place_by_name: dict[str, int] = {}

    def place_of(self, channel_id: int) -> int:
        return self._place_by_id[self._index.counted_for(channel_id)]

    def place_of_name(self, name: str) -> int:
        folded = name.lower()
        if folded not in self._place_by_name:
            known = self._index.named(name)
            if known is None:
                self._place_by_name[folded] = len(self.names)
                self.names.append(name)
                self.direct.append(folded == DIRECT)
            else:
                self._place_by_name[folded] = self._place_by_id[known.pk]
        return self._place_by_name[folded]


def _most_frequent(grouped: Mapping[int, str], touches: Touches) -> set[str]:
    """The `MOST_GROUPS` names, in lower case, with most touches; of equals, those first in the alphabet."""
    touches_of_source = np.bincount(touches.source, minlength=1 + max(grouped))
    frequency: Counter[str] = Counter()
    for source_id, name in grouped.items():
        frequency[name.lower()] += int(touches_of_source[source_id])
    return set(sorted(frequency, key=lambda name: (-frequency[name], name))[:MOST_GROUPS])


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
