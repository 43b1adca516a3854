"""The types of channels, and which questions depend on them: no version of the data knows a channel's type."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from accounts.models import Workspace
from attribution.methods.custom_definition import parse
from marketing.channel_index import channel_index
from marketing.importing.dimensions import guess_type
from marketing.models import Channel

PARAM = "channel_types"  # what params of runs and of the cube call the types that were decided


def channel_types(*, workspace: Workspace, channels: Sequence[str]) -> dict[str, str]:
    """Return the type of each channel; a guess for those that only a grouping names so far."""
    index = channel_index(workspace=workspace)
    known = {name: index.named(name) for name in channels}
    return {name: channel.type if channel else guess_type(name) for name, channel in known.items()}


def decided_types(workspaces: Collection[int]) -> dict[int, dict[str, str]]:
    """Return the types that channels have other than their names suggest, by id, for each workspace that has any."""
    decided: dict[int, dict[str, str]] = {}
    if workspaces:
        known = Channel.objects.filter(workspace__in=workspaces).order_by("pk")
        for workspace, pk, name, kind in known.values_list("workspace", "pk", "name", "type"):
            if kind != guess_type(name):
                decided.setdefault(workspace, {})[str(pk)] = kind
    return decided


def looks_at_types(definition: Mapping[str, Any]) -> bool:
    """Whether credit under a custom model, as it is kept, depends on the types of channels."""
    meant = parse(definition)
    return bool(meant.channel_types) or any(rule.when.channel_type for rule in meant.rules)
