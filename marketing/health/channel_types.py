"""Of which type a channel is that a grouping names but that has no row yet, so that its type can be judged already."""

from collections.abc import Collection, Mapping
from functools import lru_cache

from accounts.models import Workspace
from marketing.grouping_rules import parse_rules
from marketing.importing.dimensions import guess_type
from marketing.models import Channel, ChannelGrouping


def types_by_rules(workspaces: Collection[Workspace]) -> dict[int, Mapping[str, str]]:
    """The types that each workspace's own rules say, where they count, by the channel's name in lower case."""
    custom = [each for each in workspaces if each.channel_grouping == Workspace.Grouping.CUSTOM]
    rules = dict(ChannelGrouping.objects.filter(workspace__in=custom).values_list("workspace", "rules"))
    return {each.pk: parse_rules(rules.get(each.pk, [])).types for each in workspaces}


def type_of_new(name: str, by_rules: Mapping[str, str]) -> str:
    """The type that a channel of this name is created with, by the rules of its workspace."""
    return by_rules.get(name.lower()) or _guess(name)


@lru_cache(maxsize=50_000)
def _guess(name: str) -> Channel.Type:
    """A sweep asks for the channels of all workspaces, which are thousands where each source is one."""
    return guess_type(name)
