"""Custom models, as runs and the cube keep them, made ready for a workspace's traffic sources."""

from collections.abc import Mapping, Sequence
from typing import Any

from accounts.models import Workspace
from attribution.custom_compiling import custom_rule_model
from attribution.methods.custom_definition import parse
from attribution.methods.rules import RuleModel
from marketing.channel_index import channel_index
from marketing.frames import SourceLookup
from marketing.importing.dimensions import guess_type


def custom_rule(*, workspace: Workspace, name: str, definition: Mapping[str, Any], sources: SourceLookup) -> RuleModel:
    """Return the rule model that a custom model's definition, as it is kept, means for these sources."""
    return custom_rule_model(workspace=workspace, name=name, definition=parse(definition), sources=sources)


def channel_types(*, workspace: Workspace, channels: Sequence[str]) -> dict[str, str]:
    """Return the type of each channel; a guess for those that only a grouping names so far."""
    index = channel_index(workspace=workspace)
    known = {name: index.named(name) for name in channels}
    return {name: channel.type if channel else guess_type(name) for name, channel in known.items()}
