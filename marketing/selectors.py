"""From the database to frames: the visible data of a workspace, what its sources mean, and which version it is."""

import datetime as dt
import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from django.db.models import FloatField, Max, Sum
from django.db.models.functions import Cast

from accounts.models import Workspace
from marketing import store
from marketing.frames import Conversions, Float64Column, Int64Column, Journeys, SourceLookup, Touches
from marketing.grouping import classify
from marketing.journeys import build_journeys
from marketing.models import (
    Campaign,
    Channel,
    ChannelSpend,
    Conversion,
    Dataset,
    DatasetVersion,
    Goal,
    Import,
    TrafficSource,
)
from marketing.periods import Period

MICROSECONDS_PER_DAY = 86_400_000_000
CHANGES_TOLERATED = 5  # in a row, while the data is being read
TOUCHES_SHARE = 0.9  # of the time that building both snapshots takes
UNKNOWN_VERSION = "0" * 32
NO_CAMPAIGN = "(not set)"
DIRECT = "direct"


@dataclass(frozen=True, slots=True, eq=False)
class JourneyData:
    """Journeys, and what the sources of their touches mean."""

    journeys: Journeys
    sources: SourceLookup


def data_version(*, workspace: Workspace, datasets: Collection[Dataset]) -> str:
    """A digest, 64 hexadecimal digits, of the visible data of these datasets and of the channel grouping.

    The same data gives the same digest, whatever happened in between: undoing an import restores the one before.
    """
    return data_versions(workspaces=[workspace], datasets=datasets)[workspace.pk]


def data_versions(*, workspaces: Collection[Workspace], datasets: Collection[Dataset]) -> dict[int, str]:
    """The data version of each workspace, by its primary key; one query for all of them."""
    known = DatasetVersion.objects.filter(workspace__in=workspaces, dataset__in=datasets)
    digests = {
        (workspace, dataset): digest
        for workspace, dataset, digest in known.values_list("workspace", "dataset", "digest")
    }
    versions = {}
    for workspace in workspaces:
        of_datasets = [
            (str(dataset), digests.get((workspace.pk, dataset), UNKNOWN_VERSION)) for dataset in sorted(set(datasets))
        ]
        # Besides the rows: what groups them into channels, and into days.
        meaning = [workspace.channel_grouping, workspace.timezone]
        versions[workspace.pk] = hashlib.sha256(json.dumps([of_datasets, meaning]).encode()).hexdigest()
    return versions


def load_touches(
    *,
    workspace: Workspace,
    imports: store.Imports | None = None,
    on_progress: store.OnProgress = store.nobody_watches,
) -> Touches:
    """The visible touchpoints of these imports (all active ones by default).

    Raises store.DataChanged if an import changed while its rows were read.
    """
    if imports is None:
        imports = store.active_imports(workspace=workspace)[Dataset.TOUCHPOINTS]
    columns = store.load(
        workspace=workspace,
        table=store.TOUCHES,
        imports=imports,
        names=("at", "source", "interaction"),
        on_progress=on_progress,
    )
    return Touches(
        customer_ids=columns["customer_ids"],
        offsets=columns["offsets"],
        touched_at=columns["at"],
        source=columns["source"],
        interaction=columns["interaction"],
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


def source_lookup(*, workspace: Workspace) -> SourceLookup:
    """What each traffic source resolves to: its explicit channel, else what the channel grouping makes of it.

    Indexed by the database id of the source; ids of other workspaces fall on the first channel and no campaign. The
    channels are the workspace's own in the order of their colours, then others that the grouping named.
    """
    channels = list(Channel.objects.filter(workspace=workspace).order_by("colour_slot").values_list("name", flat=True))
    channel_index = {name.casefold(): index for index, name in enumerate(channels)}
    campaigns = dict(Campaign.objects.filter(workspace=workspace).order_by("name").values_list("id", "name"))
    campaign_index = {None: 0} | {campaign: index for index, campaign in enumerate(campaigns, start=1)}
    sources = list(
        TrafficSource.objects.filter(workspace=workspace)
        .order_by("id")
        .values_list("id", "channel__name", "source", "medium", "campaign_id")
    )
    ids = 1 + sources[-1][0] if sources else 0
    channel_of_source, campaign_of_source = np.zeros(ids, np.uint16), np.zeros(ids, np.uint32)
    for source_id, explicit, source, medium, campaign in sources:
        name = explicit or classify(source, medium, campaigns.get(campaign, ""))
        if name.casefold() not in channel_index:
            channel_index[name.casefold()] = len(channels)
            channels.append(name)
        channel_of_source[source_id] = channel_index[name.casefold()]
        campaign_of_source[source_id] = campaign_index[campaign]
    return SourceLookup(
        channel=channel_of_source,
        campaign=campaign_of_source,
        channels=tuple(channels),
        campaigns=(NO_CAMPAIGN, *campaigns.values()),
        direct=np.array([name.casefold() == DIRECT for name in channels], np.bool_),
    )


def load_journeys(
    *,
    workspace: Workspace,
    goal: Goal,
    start: dt.date,
    end: dt.date,
    window_days: int,
    null_paths: bool = True,
    on_progress: store.OnProgress = store.nobody_watches,
) -> JourneyData:
    """The journeys that end in a period: local days of the workspace from `start` to `end`, both included.

    A day of the lookback window is 24 hours. All data is that of one set of active imports. `on_progress` gets a
    fraction now and then while a snapshot is being built, and may raise to stop it.

    Raises ValueError if the period ends before it starts or the window is negative, and store.DataChanged if imports
    kept being undone while they were read.
    """
    period_start_us, period_stop_us = Period(start, end).bounds_us(workspace.zone)
    touches, conversions = load_touches_and_conversions(workspace=workspace, on_progress=on_progress)
    journeys = build_journeys(
        touches=touches,
        conversions=conversions,
        goal=goal.pk,
        period_start_us=period_start_us,
        period_stop_us=period_stop_us,
        window_us=window_days * MICROSECONDS_PER_DAY,
        null_paths=null_paths,
    )
    return JourneyData(journeys=journeys, sources=source_lookup(workspace=workspace))


def load_touches_and_conversions(
    *, workspace: Workspace, on_progress: store.OnProgress = store.nobody_watches
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
    """What was spent on each channel and campaign on each day, in all geos together."""
    visible = ChannelSpend.objects.filter(
        batch__workspace=workspace, batch__status=Import.Status.ACTIVE, shadowed=False, spend__gt=0
    )
    rows = (
        visible.order_by("date", "channel_id", "campaign_id")
        .values_list("date", "channel_id", "campaign_id")
        .annotate(total=Sum(Cast("spend", FloatField())))
    )
    epoch = dt.date(1970, 1, 1)
    table = np.fromiter(
        (
            ((date - epoch).days, channel, campaign or 0, total)
            for date, channel, campaign, total in rows.iterator(chunk_size=10_000)
        ),
        [("day", "i8"), ("channel", "i8"), ("campaign", "i8"), ("spend", "f8")],
    )
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
