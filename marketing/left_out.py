"""What a media panel is built without because somebody says so: channels, controls and events; and what that means."""

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import F, FloatField, QuerySet, Sum, Value
from django.db.models.functions import Cast, Coalesce

from accounts.models import Workspace
from marketing.channel_index import channel_index
from marketing.frames import MediaPanel
from marketing.health.checks.findings import day_of, listed, quoted, share
from marketing.models import ChannelSpend, ControlValue, Import
from marketing.panel_building import PanelRemark
from marketing.panel_building.geo_rows import PanelPeriods
from marketing.panel_building.rhythm import LONGEST_MONTH
from marketing.selectors import load_events


@dataclass(frozen=True, slots=True)
class LeftOut:
    """`channels`: for each that is left out, by the name that it has now, the ids of those whose rows count for it.

    `controls`: names of controls and events.
    """

    channels: Mapping[str, frozenset[int]]
    controls: frozenset[str]

    def without_channels(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of the channels that stay in."""
        ids = frozenset[int]().union(*self.channels.values())
        return rows.exclude(channel__in=ids) if ids else rows

    def without_controls(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of the controls that stay in."""
        return rows.exclude(control__name__in=self.controls) if self.controls else rows


def left_out_of(workspace: Workspace, *, channels: Collection[str], controls: Collection[str]) -> LeftOut:
    """Return what these names stand for; one that no channel has, or had, stands for nothing."""
    if not channels:
        return LeftOut({}, frozenset(controls))
    index = channel_index(workspace=workspace)
    found = [channel for name in channels if (channel := index.named(name))]
    return LeftOut({channel.name: frozenset(index.counting_for(channel.pk)) for channel in found}, frozenset(controls))


def remarks_on(workspace: Workspace, left_out: LeftOut, panel: MediaPanel) -> list[PanelRemark]:
    """Say what it means that something is left out of a panel, where there was something of it in its periods."""
    periods = PanelPeriods.of(panel)
    first = day_of(periods.calendar.first_day(periods.outcome.period[:1])[0])
    last = day_of(periods.calendar.first_day(periods.outcome.period[-1:] + 1)[0] - 1)
    return [*_on_channels(workspace, left_out, first, last), *_on_controls(workspace, left_out, first, last)]


def _on_channels(workspace: Workspace, left_out: LeftOut, first: dt.date, last: dt.date) -> list[PanelRemark]:
    if not left_out.channels:
        return []
    rows = ChannelSpend.objects.filter(
        batch__workspace=workspace, batch__status=Import.Status.ACTIVE, shadowed=False, date__range=(first, last)
    )
    seen = Coalesce(F("impressions"), Value(0.0)) + Coalesce(F("clicks"), Value(0.0))
    sums = rows.order_by().values_list("channel").annotate(spent=Sum(Cast("spend", FloatField())), seen=Sum(seen))
    spent, acting = {}, set()
    for channel, spend, media in sums:
        spent[channel] = spend or 0.0
        acting |= {channel} if spend or media else set()
    there = {name: ids & acting for name, ids in left_out.channels.items() if ids & acting}
    if not there:
        return []
    part = sum(spent[channel] for ids in there.values() for channel in ids)
    of_spend = f" {_they(there)} {share(part / sum(spent.values()))} of all spend of that time." if part else ""
    return [
        PanelRemark(
            "left_out_channel", f"{_said(there, 'bring')} rise and fall with {_them(there)}.{of_spend}", tuple(there)
        )
    ]


def _on_controls(workspace: Workspace, left_out: LeftOut, first: dt.date, last: dt.date) -> list[PanelRemark]:
    if not left_out.controls:
        return []
    near = (first - dt.timedelta(LONGEST_MONTH), last)  # a row may speak for a month
    rows = ControlValue.objects.filter(
        batch__workspace=workspace, batch__status=Import.Status.ACTIVE, shadowed=False, date__range=near
    )
    named = rows.filter(control__name__in=left_out.controls).order_by().values_list("control__name", flat=True)
    there = {*named.distinct(), *(event.name for event in load_events(workspace=workspace, start=first, end=last))}
    found = sorted(there & left_out.controls)
    if not found:
        return []
    return [PanelRemark("left_out_control", f"{_said(found, 'move')} go along with {_them(found)}.", tuple(found))]


def _said(names: Collection[str], does: str) -> str:
    is_one = len(names) == 1
    what = f"it {does}s" if is_one else f"they {does}"
    named = listed(quoted(list(names)))
    return (
        f"{named} {'is' if is_one else 'are'} left out, as asked: what {what} counts as baseline, or for channels that"
    )


def _them(names: Collection[str]) -> str:
    return "it" if len(names) == 1 else "them"


def _they(names: Collection[str]) -> str:
    return "It has" if len(names) == 1 else "They have"
