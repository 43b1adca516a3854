"""From the database and the snapshot to what the checks look at."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

import numpy as np
from django.db.models import Count, FloatField, Max, Min, Q, QuerySet, Sum
from django.db.models.functions import Cast
from django.utils import timezone

from accounts.models import Workspace
from marketing import store
from marketing.channel_index import ChannelIndex, channel_index
from marketing.frames import Conversions, Int64Column, SourceLookup, Touches
from marketing.health.channel_types import type_of_new, types_by_rules
from marketing.health.checks import Observations
from marketing.health.checks.journeys import FEWEST_DUPLICATES
from marketing.health.checks.observations import (
    ChannelSeen,
    ConversionsSeen,
    EventSeen,
    GoalSeen,
    ImportSeen,
    SeriesSeen,
    SourceSeen,
    SpendTally,
)
from marketing.health.checks.tallying import count_around, see_conversions, tally_touches
from marketing.models import (
    ChannelSpend,
    ControlValue,
    Conversion,
    Dataset,
    Goal,
    Import,
    OutcomeValue,
    Touchpoint,
    TrafficSource,
)
from marketing.periods import EPOCH, day_number, day_of_us, start_of_day_us, yesterday
from marketing.selectors import load_events, load_touches_and_conversions
from marketing.sources import source_lookup

LONGEST_DAYS = 1461  # four years up to the newest row: what is older is not looked at
ROWS_AT_ONCE = 10_000
READING_SHARE = 0.6  # of the progress: building the snapshot is the long part after an import
MOST_IMPORTS = 100  # whose repeated rows are counted: those with most

OnProgress = Callable[[float], None]


def gather(*, workspace: Workspace, on_progress: OnProgress = lambda _fraction: None) -> Observations | None:
    """Return what there is to look at up to yesterday; None for a workspace without any row before today.

    Raises store.DataChanged if imports kept being undone while they were read.
    """
    touches, conversions = load_touches_and_conversions(
        workspace=workspace, on_progress=lambda done: on_progress(READING_SHARE * done)
    )
    rows = _Rows(workspace)
    last = day_number(yesterday(now=timezone.now(), zone=workspace.zone))
    days = _days(workspace, touches, conversions, rows)
    if not days or min(days) > last:
        return None
    first = max(min(days), min(max(days), last) - LONGEST_DAYS + 1)
    starts = [start_of_day_us(EPOCH.date() + dt.timedelta(day), workspace.zone) for day in range(first, last + 2)]
    day_starts = np.array(starts, np.int64)
    lookup = source_lookup(workspace=workspace, touches=touches)
    index = channel_index(workspace=workspace)
    channels = _channels(workspace, index, lookup)
    place = _places(index, channels)
    sources, position_of_source = _sources(workspace, lookup)
    goals = list(Goal.objects.filter(workspace=workspace).order_by("pk"))
    spend = rows.spend_of(place, first, last)
    return Observations(
        first_day=first,
        yesterday=last,
        window_days=workspace.window_days,
        currency=workspace.currency,
        channels=channels,
        sources=sources,
        touches=tally_touches(
            touches=touches,
            day_starts=day_starts,
            first_day=first,
            position_of_source=position_of_source,
            on_progress=lambda done: on_progress(READING_SHARE + (1 - READING_SHARE) * done),
        ),
        goals=[GoalSeen(goal.name, goal.kind == Goal.Kind.SALE) for goal in goals],
        conversions=_by_place(
            see_conversions(
                touches=touches,
                conversions=conversions,
                day_starts=day_starts,
                first_day=first,
                window_days=workspace.window_days,
            ),
            goals,
        ),
        clock=count_around(
            touches=touches,
            conversions=conversions,
            is_sale=_of_ids([goal.pk for goal in goals], [goal.kind == Goal.Kind.SALE for goal in goals]),
            channel_of_source=lookup.channel.astype(np.int64),
            channels=len(channels),
        ),
        spend=spend,
        booked=rows.booked(place),
        outcomes=list(rows.series(OutcomeValue, "outcome", first, last)),
        controls=list(rows.series(ControlValue, "control", first, last)),
        events=[
            EventSeen(event.name, day_number(event.start), day_number(event.end))
            for event in load_events(workspace=workspace)
        ],
        imports=list(_imports(workspace)),
    )


def _days(workspace: Workspace, touches: Touches, conversions: Conversions, rows: "_Rows") -> list[int]:
    """The first and the last day of each table with rows."""
    columns = [column for column in (touches.touched_at, conversions.converted_at) if len(column)]
    moments = [int(at) for column in columns for at in (column.min(), column.max())]
    return [*(day_number(day_of_us(at, workspace.zone)) for at in moments), *rows.days()]


def _channels(workspace: Workspace, index: ChannelIndex, lookup: SourceLookup) -> list[ChannelSeen]:
    """The channels that touches resolve to, in the order of the look-up; those that stand on their own are first.

    One that only the grouping names so far is of the type that it will be created with.
    """
    types: dict[str, str] = {channel.name: channel.type for channel in index.standing()}
    by_rules = types_by_rules([workspace])[workspace.pk]
    return [ChannelSeen(name, types.get(name) or type_of_new(name, by_rules)) for name in lookup.channels]


def _places(index: ChannelIndex, channels: Sequence[ChannelSeen]) -> dict[int, int]:
    """The position of the channel that each channel's rows count for, by its database id."""
    position = {channel.name: place for place, channel in enumerate(channels)}
    counted = {pk: index.channels[index.counted_for(pk)].name for pk in index.channels}
    return {pk: position[name] for pk, name in counted.items() if name in position}


def _sources(workspace: Workspace, lookup: SourceLookup) -> tuple[list[SourceSeen], Int64Column]:
    """The traffic sources, and the position of each among them by its database id."""
    described = TrafficSource.objects.filter(workspace=workspace).order_by("pk")
    rows = [
        row
        for row in described.values_list("pk", "channel_id", "source", "medium", "campaign__name")
        if row[0] < len(lookup.channel)
    ]
    sources = [
        SourceSeen(int(lookup.channel[pk]), channel is not None, source, medium, campaign or "")
        for pk, channel, source, medium, campaign in rows
    ]
    return sources, _of_ids([row[0] for row in rows], range(len(rows)))


def _of_ids(ids: Sequence[int], values: Sequence[Any]) -> Any:
    """An array indexed by database id; ids that are not named are 0."""
    table = np.zeros(max(ids, default=0) + 1, np.asarray(values).dtype if len(values) else np.int64)
    table[list(ids)] = list(values)
    return table


def _by_place(seen: ConversionsSeen, goals: Sequence[Goal]) -> ConversionsSeen:
    """The same conversions with the position of their goal instead of its database id."""
    place: Int64Column = _of_ids([goal.pk for goal in goals], range(len(goals)))
    return ConversionsSeen(seen.day, place[seen.goal], seen.value, seen.touches)


@dataclass(frozen=True, slots=True)
class _Rows:
    """The visible rows of the datasets that have days."""

    workspace: Workspace

    def days(self) -> Iterator[int]:
        """The first and the last day of each table with rows."""
        for model in (ChannelSpend, OutcomeValue, ControlValue):
            span = self._visible(model).aggregate(first=Min("date"), last=Max("date"))
            if span["first"] is not None:
                yield from (day_number(span["first"]), day_number(span["last"]))

    def spend_of(self, place: Mapping[int, int], first: int, last: int) -> SpendTally:
        """Spend by channel and day; a merged channel's is that of the one which it counts for.

        Raises store.DataChanged for a channel that was created while everything was read.
        """
        measures = ("spend", "impressions", "clicks")
        sums = {f"{name}_sum": Sum(Cast(name, FloatField())) for name in measures}
        rows = (
            self._between(ChannelSpend, first, last)
            .values_list("channel_id", "date")
            .annotate(**sums)
            .values_list("channel_id", "date", *sums)
        )
        table: dict[tuple[int, int], list[float]] = {}
        for channel, date, *amounts in rows.iterator(chunk_size=ROWS_AT_ONCE):
            if channel not in place:
                raise store.DataChanged
            key = (place[channel], day_number(date))
            known = table.setdefault(key, [np.nan] * len(measures))
            for position, amount in enumerate(amounts):
                if amount is not None:
                    known[position] = np.nan_to_num(known[position]) + amount
        keys, amounts_by_key = sorted(table), [table[key] for key in sorted(table)]
        columns = np.array(amounts_by_key, np.float64).reshape(-1, len(measures))
        return SpendTally(
            np.array([channel for channel, _ in keys], np.int64),
            np.array([day for _, day in keys], np.int64),
            *(np.ascontiguousarray(columns[:, position]) for position in range(len(measures))),
        )

    def booked(self, place: Mapping[int, int]) -> dict[str, int]:
        """The channel that each campaign's spend is booked on; of several, that with the largest spend."""
        rows = (
            self._visible(ChannelSpend)
            .filter(campaign__isnull=False, spend__gt=0)
            .values_list("channel_id", "campaign__name")
            .annotate(total=Sum(Cast("spend", FloatField())))
        )
        by_spend = sorted(rows, key=lambda row: row[2])
        return {name.strip().lower(): place[channel] for channel, name, _ in by_spend if channel in place}

    def series(
        self, model: type[OutcomeValue] | type[ControlValue], named: str, first: int, last: int
    ) -> Iterator[SeriesSeen]:
        """Yield each outcome or control with its value by day."""
        is_money = (f"{named}__is_money",) if named == "outcome" else ()
        rows = (
            self._between(model, first, last)
            .values_list(f"{named}__name", *is_money, "date")
            .annotate(total=Sum("value"))
            .order_by(f"{named}__name", "date")
        )
        days: dict[tuple[Any, ...], list[tuple[int, float]]] = {}
        for *key, date, total in rows.iterator(chunk_size=ROWS_AT_ONCE):
            days.setdefault(tuple(key), []).append((day_number(date), total))
        for (name, *money), known in days.items():
            yield SeriesSeen(
                name,
                np.array([day for day, _ in known], np.int64),
                np.array([value for _, value in known], np.float64),
                is_money=bool(money and money[0]),
            )

    def _between(self, model: Any, first: int, last: int) -> QuerySet[Any]:
        epoch = EPOCH.date()
        bounds = (epoch + dt.timedelta(first), epoch + dt.timedelta(last))
        return self._visible(model).filter(date__range=bounds)

    def _visible(self, model: Any) -> QuerySet[Any]:
        visible: QuerySet[Any] = model.objects.filter(
            batch__workspace=self.workspace, batch__status=Import.Status.ACTIVE, shadowed=False
        ).order_by()
        return visible


def _imports(workspace: Workspace) -> Iterator[ImportSeen]:
    """Yield the active imports of touches and conversions with rows that were there already, those with most first."""
    active = Import.objects.filter(workspace=workspace, status=Import.Status.ACTIVE, duplicates__gte=FEWEST_DUPLICATES)
    for dataset, model in ((Dataset.TOUCHPOINTS, Touchpoint), (Dataset.CONVERSIONS, Conversion)):
        names = dict(
            active.filter(dataset=dataset).order_by("-duplicates").values_list("pk", "file_name")[:MOST_IMPORTS]
        )
        repeated = list(
            model.objects.filter(batch__in=names, shadowed=True)
            .order_by("batch")
            .values_list("batch")
            .annotate(rows=Count("pk"), first=Min("occurred_at"), last=Max("occurred_at"))
        )
        if not repeated:
            continue
        within = (Q(batch=batch, occurred_at__range=(first, last)) for batch, _, first, last in repeated)
        counted = dict(
            model.objects.filter(reduce(or_, within), shadowed=False)
            .order_by()
            .values_list("batch")
            .annotate(rows=Count("pk"))
        )
        for batch, rows, first, last in repeated:
            days = (day_number(at.astimezone(workspace.zone).date()) for at in (first, last))
            yield ImportSeen(dataset.value, names[batch], rows, counted.get(batch, 0), *days)
