"""Look up, or create, what rows refer to by name: channels, campaigns, traffic sources, segments, goals and so on."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Max

from accounts.models import Workspace
from marketing.grouping import CHANNEL_TYPES
from marketing.importing.errors import FileRejected
from marketing.models import Campaign, Channel, Control, Goal, Outcome, Segment, TrafficSource

Names = Iterable[str]
TYPE_HINTS = (  # the first that fits holds: direct mail before direct
    (Channel.Type.OFFLINE, r"tv|radio|print|out.of.home|d?ooh|billboards?|direct mail|cinema|events?"),
    (Channel.Type.OWNED, r"e-?mails?|newsletters?|sms|push|crm|app"),
    (Channel.Type.ORGANIC, r"organic|direct|referrals?|seo|unassigned"),
)


@dataclass(slots=True)
class Dimensions:
    """Ids by name for one workspace, remembered for the length of an import. Names match without regard to case."""

    workspace: Workspace
    _known: dict[type, dict[str, int]] = field(default_factory=dict)
    _sources: dict[tuple[int, str, str, int], int] = field(default_factory=dict)

    def channels(self, names: Names) -> dict[str, int]:
        return self._ids(Channel, names)

    def campaigns(self, names: Names) -> dict[str, int]:
        return self._ids(Campaign, names)

    def segments(self, names: Names) -> dict[str, int]:
        return self._ids(Segment, names)

    def goals(self, names: Names) -> dict[str, int]:
        return self._ids(Goal, names)

    def outcomes(self, names: Names) -> dict[str, int]:
        return self._ids(Outcome, names)

    def controls(self, names: Names) -> dict[str, int]:
        return self._ids(Control, names)

    def default_goal(self) -> int:
        """Return the id of the goal that conversions without a goal count towards. Raises FileRejected if none is."""
        goal = Goal.objects.filter(workspace=self.workspace, is_default=True).first()
        if goal is None:
            raise FileRejected("Some rows name no goal, and the workspace has no default goal. Fill in the goals.")
        return goal.pk

    def traffic_source(self, channel: str, source: str, medium: str, campaign: str) -> int:
        """Return the id of the traffic source that these names describe ("" for what a row does not say)."""
        channel_id = self.channels([channel])[channel] if channel else 0
        campaign_id = self.campaigns([campaign])[campaign] if campaign else 0
        key = (channel_id, source, medium, campaign_id)
        if key not in self._sources:
            told = {"channel_id": channel_id or None, "campaign_id": campaign_id or None}
            same = TrafficSource.objects.filter(workspace=self.workspace, source=source, medium=medium, **told)
            found = same.first() or TrafficSource.objects.create(
                workspace=self.workspace, source=source, medium=medium, **told
            )
            self._sources[key] = found.pk
        return self._sources[key]

    def _ids(self, model: type, names: Names) -> dict[str, int]:
        known = self._known.get(model)
        if known is None:
            rows = model.objects.filter(workspace=self.workspace).values_list("name", "pk")  # type: ignore[attr-defined]
            known = self._known[model] = {name.lower(): pk for name, pk in rows}
        wanted = {name: name.lower() for name in names}
        for name, folded in wanted.items():
            if folded not in known:
                known[folded] = self._create(model, name).pk
        return {name: known[folded] for name, folded in wanted.items()}

    def _create(self, model: type, name: str) -> Channel | Campaign | Segment | Goal | Outcome | Control:
        if model is Channel:
            return create_channel(workspace=self.workspace, name=name, type=guess_type(name))
        created: Campaign = model.objects.create(workspace=self.workspace, name=name)  # type: ignore[attr-defined]
        return created


def create_channel(*, workspace: Workspace, name: str, type: Channel.Type) -> Channel:  # noqa: A002 - the field's name
    """Create a channel with the next free colour."""
    last = Channel.objects.filter(workspace=workspace).aggregate(last=Max("colour_slot"))["last"]
    slot = 0 if last is None else last + 1
    return Channel.objects.create(workspace=workspace, name=name, type=type, colour_slot=slot)


def guess_type(name: str) -> Channel.Type:
    """Guess a new channel's type from its name; paid unless the name says otherwise. People can correct it."""
    if name in CHANNEL_TYPES:
        return Channel.Type(CHANNEL_TYPES[name])
    return next(
        (kind for kind, words in TYPE_HINTS if re.search(rf"\b({words})\b", name, re.IGNORECASE)), Channel.Type.PAID
    )
