"""What the ids in rows stand for: names as they count now, looked up for many rows at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import Model

from accounts.models import Workspace
from marketing.channel_index import ChannelIndex, channel_index
from marketing.models import Campaign, Control, Goal, Outcome, Segment, TrafficSource
from marketing.sources import grouping_of

NAMED: Mapping[str, type[Model]] = {
    "campaign_id": Campaign,
    "control_id": Control,
    "goal_id": Goal,
    "outcome_id": Outcome,
    "segment_id": Segment,
}


@dataclass(frozen=True, slots=True)
class Source:
    """A traffic source in plain names, None for what its rows do not say; `channel`: the id of the one they name."""

    channel: int | None
    source: str | None
    medium: str | None
    campaign: str | None


class Names:
    """The names of a workspace, as far as rows have asked for them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._known: dict[str, dict[int, str]] = {column: {} for column in NAMED}
        self._sources: dict[int, Source] = {}
        self._channels: dict[Source, dict[str, str | None]] = {}

    @cached_property
    def channels(self) -> ChannelIndex:
        return channel_index(workspace=self._workspace)

    @cached_property
    def _grouped(self) -> Any:
        return grouping_of(workspace=self._workspace)

    def learn(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Look up what these rows refer to and is not known yet: one query at most for each of their columns."""
        for column, known in self._known.items():
            if unknown := _ids(rows, column) - known.keys():
                known.update(NAMED[column]._default_manager.filter(pk__in=unknown).values_list("pk", "name"))
        if unknown := _ids(rows, "traffic_source_id") - self._sources.keys():
            columns = ("channel", "source", "medium", "campaign__name")
            for pk, channel, source, medium, campaign in TrafficSource.objects.filter(pk__in=unknown).values_list(
                "pk", *columns
            ):
                self._sources[pk] = Source(channel, source or None, medium or None, campaign)

    def of(self, row: Mapping[str, Any], column: str) -> str | None:
        """Return the name that the column of a row stands for; None if it is empty."""
        return None if row[column] is None else self._known[column][row[column]]

    def source(self, pk: int) -> Source:
        return self._sources[pk]

    def channel(self, pk: int) -> dict[str, str | None]:
        """Return the channel that rows of this one count for, and its own name where that is another."""
        stands_for = self.channels.counted_for(pk)
        original = None if stands_for == pk else self.channels.channels[pk].name
        return {"channel": self.channels.channels[stands_for].name, "original_channel": original}

    def channel_of(self, source: Source) -> dict[str, str | None]:
        """Return the channel that touches of this source count for: the one that they name, or by the grouping."""
        if source not in self._channels:
            self._channels[source] = self._placed(source)
        return self._channels[source]

    def _placed(self, source: Source) -> dict[str, str | None]:
        if source.channel is not None:
            return self.channel(source.channel)
        name = self._grouped(source.source or "", source.medium or "", source.campaign or "")
        known = self.channels.named(name)
        return {"channel": name if known is None else known.name, "original_channel": None}


def _ids(rows: Iterable[Mapping[str, Any]], column: str) -> set[int]:
    return {row[column] for row in rows if row.get(column) is not None}
