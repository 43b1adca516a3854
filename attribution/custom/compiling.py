"""A custom model over the traffic sources of a workspace: what runs credit by, and what previews show."""

from collections.abc import Mapping

from accounts.models import Workspace
from attribution.methods.custom import CompiledCustom, compile_custom
from attribution.methods.custom_definition import CustomDefinition
from attribution.methods.rules import RuleKind, RuleModel
from marketing.channel_index import channel_index
from marketing.frames import SourceLookup
from marketing.importing.dimensions import guess_type
from marketing.models import Interaction

INTERACTION_CODES: Mapping[str, int] = {each.name.lower(): each.value for each in Interaction}


def custom_rule_model(
    *, workspace: Workspace, name: str, definition: CustomDefinition, sources: SourceLookup
) -> RuleModel:
    """Return the rule model, by this name, that the definition makes of the workspace's sources; two queries."""
    custom = compiled(workspace=workspace, definition=definition, sources=sources)
    return RuleModel(name, RuleKind.CUSTOM, custom=custom)


def compiled(*, workspace: Workspace, definition: CustomDefinition, sources: SourceLookup) -> CompiledCustom:
    """Compile a definition for these sources. Channels are known by their former names, too; two queries.

    The type of a channel that only a grouping names is guessed from its name.
    """
    index = channel_index(workspace=workspace)
    known = {name: index.named(name) for name in sources.channels}
    return compile_custom(
        definition,
        channels=sources.channels,
        channel_of_source=sources.channel,
        campaigns=sources.campaigns,
        campaign_of_source=sources.campaign,
        channel_types={name: str(channel.type if channel else guess_type(name)) for name, channel in known.items()},
        interaction_codes=INTERACTION_CODES,
        former_names={former: index.channels[index.counted_for(pk)].name for former, pk in index.ids.items()},
    )
