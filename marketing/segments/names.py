"""What the names in a definition stand for in a workspace."""

from collections import defaultdict

from accounts.models import Workspace
from marketing.channel_index import channel_index
from marketing.frames import SourceLookup
from marketing.models import Segment
from marketing.segments.definition import Definition, Named, What
from marketing.segments.evaluation import Codes


def codes(*, workspace: Workspace, sources: SourceLookup, definition: Definition) -> Codes:
    """Return what the names that the definition uses stand for; at most three queries.

    A channel that was renamed or merged since is found by its old name too: a segment outlives both.
    """
    channels = {name.casefold(): frozenset([place]) for place, name in enumerate(sources.channels)}
    if unknown := [name for name in _channel_names(definition) if name.casefold() not in channels]:
        index = channel_index(workspace=workspace)
        for name in unknown:
            now = index.named(name)
            if now is not None and now.name.casefold() in channels:
                channels[name.casefold()] = channels[now.name.casefold()]
    attributes: dict[str, set[int]] = defaultdict(set)
    if definition.looks_at(What.ATTRIBUTE):
        for pk, name in Segment.objects.filter(workspace=workspace).values_list("pk", "name"):
            attributes[name.casefold()].add(pk)
    return Codes(channels=channels, attributes={name: frozenset(pks) for name, pks in attributes.items()})


def attribute_names(*, workspace: Workspace) -> list[str]:
    """Return the kinds of customer that the data names."""
    return list(Segment.objects.filter(workspace=workspace).order_by("name").values_list("name", flat=True))


def _channel_names(definition: Definition) -> list[str]:
    of_channels = (What.CHANNELS, What.FIRST_CHANNEL, What.ACQUIRED_BY)
    return [
        name
        for condition in definition.conditions
        if isinstance(condition, Named) and condition.what in of_channels
        for name in condition.names
    ]
