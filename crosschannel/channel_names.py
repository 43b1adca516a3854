"""Which channels a question can name: the workspace's own, and those that its grouping makes of traffic."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Self

from accounts.models import Workspace
from crosschannel import path_text
from crosschannel.labels import channel_of
from marketing.channel_index import ChannelIndex, channel_index
from marketing.grouping import CHANNEL_TYPES, DIRECT, UNASSIGNED
from marketing.sources import OTHER, custom_rules

MOST_NAMED = 20  # in a sentence
MOST_COMPARED = 1000  # with a name that is not known: of thousands that takes a second


@dataclass(frozen=True, slots=True, eq=False)
class ChannelNames:
    """What channels are called under a grouping. `grouped`: those that it can make, by their name in lower case.

    `of_sources`: whether it makes channels of sources as well, of which only the data tell the names.
    """

    index: ChannelIndex
    grouped: Mapping[str, str]
    of_sources: bool

    @classmethod
    def of(cls, workspace: Workspace, grouping: str) -> Self:
        """Return the names under a grouping of `Workspace.Grouping`; two queries, three for the workspace's rules."""
        if grouping == Workspace.Grouping.GRANULAR:
            grouped = {DIRECT, OTHER}
        elif grouping == Workspace.Grouping.CUSTOM:
            rules = custom_rules(workspace=workspace)
            rest = CHANNEL_TYPES if rules.otherwise == "standard" else {UNASSIGNED}
            grouped = {*rest, *(rule.channel for rule in rules.rules)}
        else:
            grouped = set(CHANNEL_TYPES)
        return cls(
            index=channel_index(workspace=workspace),
            grouped={name.lower(): name for name in sorted(grouped)},
            of_sources=grouping == Workspace.Grouping.GRANULAR,
        )

    def known(self, name: str) -> str | None:
        """What the channel is called that has or had this name, or is called so in results; None without any."""
        for each in (name, channel_of(name)):
            channel = self.index.named(each)
            found = channel.name if channel else self.grouped.get(each.lower())
            if found is not None:
                return found
        return None

    def find(self, name: str) -> str | None:
        """As `known`, or the name itself where a source might be called so."""
        known = self.known(name)
        return name if known is None and self.of_sources and _may_be_a_source(name) else known

    def unknown(self, name: str) -> str:
        """Say that no channel is called so, and what may be meant."""
        sentence = f"There is no channel “{name[:60]}”."
        own = sorted(channel.name for channel in self.index.standing())
        names = {each.lower(): each for each in (*self.grouped.values(), *own[:MOST_COMPARED])}
        if near := [names[each] for each in get_close_matches(name.lower(), names)]:
            return f"{sentence} Did you mean {' or '.join(path_text.write([each], path_text.AND) for each in near)}?"
        listed = own or list(self.grouped.values())
        more = f" and {len(listed) - MOST_NAMED} more" if len(listed) > MOST_NAMED else ""
        return f"{sentence} Channels: {path_text.write(listed[:MOST_NAMED], path_text.AND)}{more}."


def _may_be_a_source(name: str) -> bool:
    """Whether it looks as `marketing.grouping.granular` writes a source, a medium and a campaign, perhaps cut off."""
    return name.count(" / ") >= 2 or "… " in name
