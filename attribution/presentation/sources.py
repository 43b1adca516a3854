"""Where the groups of an attribution result lead to: the pages of channels and campaigns, and their colours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from accounts.models import Workspace
from attribution.cube.kept_models import choice_of, is_kept_daily
from attribution.presentation.presenters import Group
from charts import Colour, channel_colour
from marketing.channel_index import channel_index
from marketing.models import Campaign
from marketing.sources import NO_CAMPAIGN


@dataclass(frozen=True, slots=True)
class Source:
    """What the workspace knows of a channel or campaign: the address of its page, and its colour."""

    href: str = ""
    colour: Colour = Colour.OTHER


class Sources:
    """Where the groups of a run lead to, with the run's filters kept; two queries at most."""

    def __init__(self, workspace: Workspace, params: Mapping[str, Any], groups: Sequence[Group]) -> None:
        names = {group.label for group in groups if group.is_one}
        kept = {"start": params["start"], "end": params["end"]}
        if is_kept_daily(params["model"][0]):  # those pages know no others
            kept["model"] = choice_of(params["model"][0])
        if "goal" in params:
            kept["goal"] = params["goal"]
        self._query = urlencode(kept)
        self._slug = workspace.slug
        self._by_name: dict[str, Source] = {}
        if params["dimension"] == "channel":
            index = channel_index(workspace=workspace)
            for name in names:  # those of when the run was computed: a channel may have been renamed or merged since
                if channel := index.named(name):
                    href = self._href("reports:channel", channel_id=channel.pk)
                    self._by_name[name] = Source(href, channel_colour(channel.colour_slot))
        elif params["dimension"] == "campaign":
            # By its name alone, a campaign called “(not set)” is not to be told from touches without a campaign.
            for campaign in Campaign.objects.filter(workspace=workspace, name__in=names - {NO_CAMPAIGN}):
                self._by_name[campaign.name] = Source(self._href("reports:campaign", campaign_id=campaign.pk))

    def of(self, group: Group) -> Source:
        """Return what is known of a group; of folded ones, and of names that are no longer there, nothing."""
        return self._by_name.get(group.label, Source()) if group.is_one else Source()

    @property
    def colours(self) -> dict[str, Colour]:
        """The colours of the groups that are known, by name."""
        return {name: source.colour for name, source in self._by_name.items()}

    @property
    def hrefs(self) -> dict[str, str]:
        """The addresses of the groups that are known, by name."""
        return {name: source.href for name, source in self._by_name.items()}

    def _href(self, name: str, **arguments: int) -> str:
        return f"{reverse(name, kwargs={'slug': self._slug, **arguments})}?{self._query}"
