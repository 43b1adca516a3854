"""Which channel a row's channel, or a name, stands for: merges are followed, former names are known."""

from collections.abc import Mapping
from dataclasses import dataclass

from accounts.models import Workspace
from marketing.models import Channel, ChannelAlias

DIRECT = "direct"


@dataclass(frozen=True, slots=True, eq=False)
class ChannelIndex:
    """A workspace's channels at one moment. `channels`: all of them by id, in the order of their colours.

    `ids`: the id of the channel that bears a name, or bore it once, by the name in lower case.
    """

    channels: Mapping[int, Channel]
    ids: Mapping[str, int]

    def counted_for(self, channel_id: int) -> int:
        """The channel that rows of this one count for: itself, or the one that it was merged into in the end."""
        for _ in range(len(self.channels)):  # whatever the database holds, a circle ends
            target = self.channels[channel_id].merged_into_id
            if target is None or target not in self.channels:
                break
            channel_id = target
        return channel_id

    def named(self, name: str) -> Channel | None:
        """The channel that rows with this name count for; None if no channel was ever called that."""
        found = self.ids.get(name.lower())
        return None if found is None else self.channels[self.counted_for(found)]

    def former_names(self) -> dict[str, str]:
        """What each former name stands for: the name that its channel has now, both in lower case."""
        names = {name: self.channels[pk].name.lower() for name, pk in self.ids.items()}
        return {former: name for former, name in names.items() if former != name}

    def standing(self) -> list[Channel]:
        """The channels that are not merged into others."""
        return [channel for channel in self.channels.values() if channel.merged_into_id is None]

    def merged(self) -> dict[int, int]:
        """The channel that each merged one counts for."""
        return {pk: self.counted_for(pk) for pk, channel in self.channels.items() if channel.merged_into_id is not None}

    def counting_for(self, channel_id: int) -> list[int]:
        """The channels whose rows count for this one, itself among them."""
        return [pk for pk in self.channels if self.counted_for(pk) == channel_id]

    def is_direct(self, channel_id: int) -> bool:
        """Whether the channel is Direct, by its name or by one that it had."""
        return self.ids.get(DIRECT) == channel_id


def channel_index(*, workspace: Workspace) -> ChannelIndex:
    """Return the index of the workspace's channels; two queries."""
    channels = {channel.pk: channel for channel in Channel.objects.filter(workspace=workspace).order_by("colour_slot")}
    former = ChannelAlias.objects.filter(workspace=workspace).order_by("pk").values_list("name", "channel")
    ids = {name.lower(): channel for name, channel in former if channel in channels}
    return ChannelIndex(channels, ids | {channel.name.lower(): pk for pk, channel in channels.items()})
