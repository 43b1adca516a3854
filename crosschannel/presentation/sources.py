"""Where channels lead to and how they are coloured, by the names that a run knows them by."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from analyses.models import Run
from charts import Colour, channel_colour
from charts.colours import CHANNEL_COLOURS
from crosschannel.labels import channel_of, is_own_word, label_of
from marketing.channel_index import ChannelIndex, channel_index
from marketing.models import Channel


@dataclass(frozen=True, eq=False)
class Sources:
    """A run's channels at present: a channel may have been renamed or merged since."""

    run: Run
    index: ChannelIndex

    @classmethod
    def of(cls, run: Run) -> "Sources":
        """Look the workspace's channels up; two queries."""
        return cls(run, channel_index(workspace=run.workspace))

    def colour(self, name: str) -> Colour:
        """The channel's own colour; of what another grouping makes, one that is left, while there is one; else grey."""
        channel = self._channel(name)
        return self._of_groups.get(name, Colour.OTHER) if channel is None else channel_colour(channel.colour_slot)

    def href(self, name: str) -> str:
        """The page of the channel in the period and with the goal of the run, "" for what is no channel."""
        channel = self._channel(name)
        if channel is None:
            return ""
        asked = {name: self.run.params[name] for name in ("start", "end", "goal")}
        arguments = {"slug": self.run.workspace.slug, "channel_id": channel.pk}
        return f"{reverse('reports:channel', kwargs=arguments)}?{urlencode(asked)}"

    def pair_href(self, a: str, b: str) -> str:
        """The report of a pair in this run."""
        return f"{self._of_run('crosschannel:pair')}?{urlencode({'a': a, 'b': b})}"

    def journeys_href(self, **conditions: Any) -> str:
        """The journeys of this run that pass such conditions."""
        return f"{self._of_run('crosschannel:journeys')}?{urlencode(conditions, doseq=True)}"

    @property
    def colours(self) -> "Mapping[str, Colour]":
        """The colours of all channels by what results call them at present."""
        own = {label_of(channel.name): channel_colour(channel.colour_slot) for channel in self.index.standing()}
        return {**self._of_groups, **own}

    @cached_property
    def _of_groups(self) -> Mapping[str, Colour]:
        """The colours of channels that another grouping has made, those that most journeys meet first."""
        if "grouping" not in self.run.params:
            return {}
        met: list[str] = (self.run.result or {})["interactions"]["channels"]
        known = {name: channel for name in met if (channel := self._channel(name))}
        taken = {channel_colour(channel.colour_slot) for channel in known.values()}
        left = (colour for colour in CHANNEL_COLOURS if colour not in taken)
        return dict(zip((name for name in met if name not in known), left, strict=False))

    def _channel(self, name: str) -> Channel | None:
        return None if is_own_word(name) else self.index.named(channel_of(name))

    def _of_run(self, url_name: str) -> str:
        return reverse(url_name, kwargs={"slug": self.run.workspace.slug, "run_id": self.run.pk})
