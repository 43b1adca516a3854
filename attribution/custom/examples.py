"""What a custom model makes of single journeys: a few examples in a workspace's channels, or journeys that are given.

The weights come from the very loop that credits whole data, so what is shown here is what a run does.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from accounts.models import Workspace
from attribution.custom.compiling import INTERACTION_CODES, compiled
from attribution.methods.custom import touch_weights
from attribution.methods.custom_definition import CustomDefinition
from marketing.channel_index import channel_index
from marketing.frames import MICROSECONDS_PER_DAY, SourceLookup
from marketing.sources import NO_CAMPAIGN
from mmm_project import formats


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """A touch of an example: how long before the conversion, by which channel, campaign and kind of interaction."""

    channel: str
    days_before: float
    interaction: str = "unspecified"
    campaign: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """A journey, oldest touch first, and the share of each touch: they add up to 1, or are all 0."""

    touches: tuple[Touch, ...]
    shares: tuple[float, ...]

    @property
    def leaves_nothing(self) -> bool:
        """Whether no touch has any weight, so that such a journey is credited to “(none)”."""
        return not any(self.shares)


def weigh(*, workspace: Workspace, definition: CustomDefinition, journeys: Sequence[Sequence[Touch]]) -> list[Weighed]:
    """Return each journey with the shares of its touches, put in the order of time."""
    ordered = [tuple(sorted(touches, key=lambda touch: -touch.days_before)) for touches in journeys]
    sources = _sources([touch for touches in ordered for touch in touches])
    custom = compiled(workspace=workspace, definition=definition, sources=sources)
    weighed, first = [], 0
    for touches in ordered:
        shares = touch_weights(
            custom,
            touched_at=np.array([-round(touch.days_before * MICROSECONDS_PER_DAY) for touch in touches], np.int64),
            source=np.arange(first, first + len(touches), dtype=np.uint32),
            interaction=np.array([INTERACTION_CODES[touch.interaction] for touch in touches], np.uint8),
            anchor_at=0,
        )
        weighed.append(Weighed(touches=touches, shares=tuple(shares.tolist())))
        first += len(touches)
    return weighed


def _sources(touches: Sequence[Touch]) -> SourceLookup:
    """A traffic source for each touch, in their order."""
    channels = list(dict.fromkeys(touch.channel for touch in touches))
    campaigns = list(dict.fromkeys(touch.campaign for touch in touches if touch.campaign))
    return SourceLookup(
        channel=np.array([channels.index(touch.channel) for touch in touches], np.uint16),
        campaign=np.array(
            [1 + campaigns.index(touch.campaign) if touch.campaign else 0 for touch in touches], np.uint32
        ),
        channels=tuple(channels),
        campaigns=(NO_CAMPAIGN, *campaigns),
        direct=np.zeros(len(channels), np.bool_),  # which no custom model asks
    )


def examples(*, workspace: Workspace) -> list[tuple[Touch, ...]]:
    """Return the example journeys: one touch, three over three weeks, and six; in the workspace's own channels."""
    pick = _Picker(workspace)
    display, email, direct = pick("Display"), pick("Email"), pick("Direct")
    search, social = pick("Paid Search"), pick("Paid Social")
    return [
        (Touch(channel=search, days_before=3, interaction="click"),),
        (
            Touch(channel=display, days_before=20, interaction="impression"),
            Touch(channel=email, days_before=5, interaction="open"),
            Touch(channel=direct, days_before=0, interaction="visit"),
        ),
        (
            Touch(channel=display, days_before=28, interaction="impression"),
            Touch(channel=search, days_before=21, interaction="click"),
            Touch(channel=email, days_before=14, interaction="open"),
            Touch(channel=social, days_before=9, interaction="click"),
            Touch(channel=search, days_before=3, interaction="click"),
            Touch(channel=direct, days_before=0, interaction="visit"),
        ),
    ]


class _Picker:
    """Finds the workspace's channel for a usual name: the one called that, else one that no other name stands for."""

    def __init__(self, workspace: Workspace) -> None:
        self._index = index = channel_index(workspace=workspace)
        usual = ("Display", "Email", "Direct", "Paid Search", "Paid Social")
        known = [channel for name in usual if (channel := index.named(name))]
        self._spare = [channel.name for channel in index.standing() if channel not in known]

    def __call__(self, usual: str) -> str:
        if channel := self._index.named(usual):
            return channel.name
        return self._spare.pop(0) if self._spare else usual


def label(touch: Touch, *, with_kind: bool) -> str:
    """Return “Email, 5 days before”, or with the kind of interaction “Email, 5 days before (open)”."""
    days = formats.count(touch.days_before, "day")
    when = f"{days} before" if touch.days_before else "at the conversion"
    kind = f" ({touch.interaction.replace('_', ' ')})" if with_kind else ""
    return f"{touch.channel}, {when}{kind}"
