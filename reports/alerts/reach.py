"""How far the figures of a workspace are known: by what days its files speak of, and how old the files are.

A file is as old as its upload, and what it says of the day on which it was handed over may be half of that day. Files
come one after another. And where conversions stop while other data go on, that is news, not a lack of it.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.db.models import Max
from django.db.models.functions import Coalesce

from accounts.models import Workspace
from attribution.cube.daily_cube import DailyCube
from marketing.models import ChannelSpend, Dataset, Import

# A channel that has no spend for longer is off, and not late: weekly files may be a week late. Nor is one late that
# spends now and then.
DAYS_UNTIL_OFF, FEWEST_DAYS_SPENT = 14, 7
# Of conversions that stop while touches or spend go on: a file that is a day or two late is no outage. Once the others
# are further ahead, the days without conversions are zeros, but for the last two.
DAYS_OF_GRACE = 2
A_DAY = dt.timedelta(1)


@dataclass(frozen=True, slots=True)
class File:
    """An active import: the last day that it speaks of, and when it was handed over."""

    dataset: str
    last_day: dt.date
    handed_over_at: dt.datetime
    activated_at: dt.datetime

    def whole_until(self, zone: ZoneInfo, last_day: dt.date | None = None) -> dt.date:
        """The last day that it certainly has all of; `last_day`: where these rows of it end."""
        return min(last_day or self.last_day, self.handed_over_at.astimezone(zone).date() - A_DAY)


@dataclass(frozen=True, slots=True)
class ChannelReach:
    """How far a channel's spend is known, and the days lately on which it spent something."""

    until: dt.date
    spent_on: frozenset[dt.date]

    def is_due(self, day: dt.date) -> bool:
        """Whether spend is to be expected of it on this day: it spent within two weeks before, on most days then."""
        last = max(self.spent_on, default=dt.date.min)
        lately = [each for each in self.spent_on if each > last - dt.timedelta(DAYS_UNTIL_OFF)]
        return last > day - dt.timedelta(DAYS_UNTIL_OFF) and len(lately) >= FEWEST_DAYS_SPENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """The last days of which all is known, none after `yesterday`; None where there are no such data.

    `conversions`: where they have stopped, with the days that count as known zeros. `conversions_there`: that of the
    conversions that are there. `last_conversions_day`: the last one with any, perhaps half there.
    """

    yesterday: dt.date
    touches: dt.date | None
    conversions: dt.date | None
    conversions_there: dt.date | None
    last_conversions_day: dt.date | None
    spend_by_channel: Mapping[int, ChannelReach]

    def spend(self, channels: Collection[int] | None = None) -> dt.date | None:
        """Up to when the spend of these channels, or of all, is known together.

        Those of which some is due are waited for; the days of another are zeros up to the end of all spend.
        """
        if not self.spend_by_channel:
            return None
        end = min(self.yesterday, max(reach.until for reach in self.spend_by_channel.values()))
        chosen = [reach for pk, reach in self.spend_by_channel.items() if channels is None or pk in channels]
        return min([end, *(reach.until for reach in chosen if reach.is_due(end))])


def active_files(workspace: Workspace) -> dict[int, File]:
    """Return what figures are made of, by the import's primary key. Read it before the cube: see `reach_of`."""
    datasets = [Dataset.TOUCHPOINTS, Dataset.CONVERSIONS, Dataset.SPEND, Dataset.MEDIA_TABLE]
    active = Import.objects.filter(
        workspace=workspace, status=Import.Status.ACTIVE, dataset__in=datasets, last_day__isnull=False
    )
    handed_over_at = Coalesce("upload__created_at", "created_at")
    return {
        pk: File(*row)
        for pk, *row in active.order_by().values_list("pk", "dataset", "last_day", handed_over_at, "activated_at")
    }


def reach_of(
    *, cube: DailyCube, files: Mapping[int, File], channels: Collection[int], zone: ZoneInfo, yesterday: dt.date
) -> Reach:
    """Return how far the figures of a cube reach. `files`: of before it was read; `channels`: all of the workspace.

    Of a cube that is being updated only what was there when it was asked for counts: the rest it may not have.
    """
    if cube.is_updating:
        files = {pk: file for pk, file in files.items() if file.activated_at <= cube.asked_at}
    spend = _spend(cube, files, channels, zone, yesterday)
    conversions = [file for file in files.values() if file.dataset == Dataset.CONVERSIONS]
    touches = _latest(
        (file.whole_until(zone) for file in files.values() if file.dataset == Dataset.TOUCHPOINTS), yesterday
    )
    there = _latest((file.whole_until(zone) for file in conversions), yesterday)
    others = _latest([touches, *(channel.until for channel in spend.values())], yesterday)
    last_conversions_day = max((file.last_day for file in conversions), default=None)
    stopped = others - dt.timedelta(DAYS_OF_GRACE) if others else None
    if stopped and last_conversions_day and stopped <= last_conversions_day:
        stopped = None  # that day may be half there: it is known with the days after it, or with the rest of it
    return Reach(
        yesterday=yesterday,
        touches=touches,
        conversions=_latest([there, stopped], yesterday) if there else None,
        conversions_there=there,
        last_conversions_day=last_conversions_day,
        spend_by_channel=spend,
    )


def _spend(
    cube: DailyCube, files: Mapping[int, File], channels: Collection[int], zone: ZoneInfo, yesterday: dt.date
) -> dict[int, ChannelReach]:
    """How far the spend of each channel is known that had any lately.

    By the rows, as one file may be about one channel; a row of zero says that it was zero.
    """
    if cube.spend_until is None:
        return {}
    # Who spent in the two weeks before the end of all spend, and how often in the two weeks before that day.
    since = min(cube.spend_until, yesterday) - dt.timedelta(2 * DAYS_UNTIL_OFF)
    rows = ChannelSpend.objects.filter(channel__in=channels, date__gte=since, spend__isnull=False, shadowed=False)
    days = rows.order_by().values_list("channel", "batch", "date").annotate(Max("spend"))
    until, spent_on = defaultdict[int, list[dt.date]](list), defaultdict[int, list[dt.date]](list)
    for channel, batch, day, spend in days:
        if batch in files:  # else it is no longer active, or not in the cube
            until[channel].append(files[batch].whole_until(zone, day))
            spent_on[channel] += [day] if spend else []
    return {channel: ChannelReach(max(until[channel]), frozenset(spent_on[channel])) for channel in until}


def _latest(days: Iterable[dt.date | None], at_most: dt.date) -> dt.date | None:
    """The latest of the days that are there, but none after `at_most`."""
    return max((min(day, at_most) for day in days if day is not None), default=None)
