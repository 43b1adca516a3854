"""What the traffic sources of a workspace mean: its channel grouping, and the channel and campaign of each."""

from collections import Counter
from collections.abc import Mapping

import numpy as np

from accounts.models import Workspace
from marketing import store
from marketing.channel_index import DIRECT, ChannelIndex, channel_index
from marketing.frames import SourceLookup, Touches, UInt32Column
from marketing.grouping import classify, granular
from marketing.grouping_rules import Grouping, Rules, parse_rules
from marketing.models import Campaign, ChannelGrouping, Dataset, TrafficSource

NO_CAMPAIGN = "(not set)"
MOST_GROUPS = 5_000  # that a grouping makes channels of; the rarest of more are one channel together
OTHER = "Other"


def grouping_of(*, workspace: Workspace, name: str = "") -> Grouping:
    """What makes channels of the workspace's traffic that names none: (source, medium, campaign) -> channel.

    `name`: another grouping than that of the workspace's settings, as `Workspace.Grouping` names it.
    """
    name = name or workspace.channel_grouping
    if name == Workspace.Grouping.GRANULAR:
        return granular
    if name == Workspace.Grouping.CUSTOM:
        return custom_rules(workspace=workspace).classify
    return classify


def custom_rules(*, workspace: Workspace) -> Rules:
    """The workspace's own rules, whether they count at present or not."""
    stored = ChannelGrouping.objects.filter(workspace=workspace).values_list("rules", flat=True).first()
    return parse_rules(stored or [])


def source_lookup(
    *, workspace: Workspace, touches: Touches | None = None, grouping: Grouping | None = None
) -> SourceLookup:
    """What each traffic source resolves to: its explicit channel, else what the channel grouping makes of it.

    Merged channels are those that they were merged into, former names those that bear them now. Indexed by the
    database id of the source; ids of other workspaces fall on the first channel and no campaign. The channels are the
    workspace's own in the order of their colours, then others that the grouping named.

    `grouping`: another one than the workspace's. `touches`: those to count where a grouping makes more than
    `MOST_GROUPS` channels, of which only the most frequent stay; without any, all of the workspace's are read.
    """
    index = channel_index(workspace=workspace)
    campaigns = dict(Campaign.objects.filter(workspace=workspace).order_by("name").values_list("id", "name"))
    campaign_index = {None: 0} | {campaign: place for place, campaign in enumerate(campaigns, start=1)}
    sources: list[tuple[int, int | None, str, str, int | None]] = list(
        TrafficSource.objects.filter(workspace=workspace)
        .order_by("id")
        .values_list("id", "channel_id", "source", "medium", "campaign_id")
    )
    grouping = grouping or grouping_of(workspace=workspace)
    grouped = {
        source_id: grouping(source, medium, campaigns.get(campaign, "") if campaign else "")
        for source_id, explicit, source, medium, campaign in sources
        if explicit is None
    }
    if len({name.lower() for name in grouped.values()}) > MOST_GROUPS:
        kept = _most_frequent(grouped, _source_of_touches(workspace) if touches is None else touches.source)
        grouped = {source_id: name if name.lower() in kept else OTHER for source_id, name in grouped.items()}
    channels = _Channels(index)
    ids = 1 + sources[-1][0] if sources else 0
    channel_of_source, campaign_of_source = np.zeros(ids, np.uint16), np.zeros(ids, np.uint32)
    for source_id, explicit, _, _, campaign in sources:
        channel_of_source[source_id] = (
            channels.place_of_name(grouped[source_id]) if explicit is None else channels.place_of(explicit)
        )
        campaign_of_source[source_id] = campaign_index[campaign]
    return SourceLookup(
        channel=channel_of_source,
        campaign=campaign_of_source,
        channels=tuple(channels.names),
        campaigns=(NO_CAMPAIGN, *campaigns.values()),
        direct=np.array(channels.direct, np.bool_),
    )


class _Channels:
    """The channels that sources resolve to, numbered: those that stand on their own, then what a grouping named."""

    def __init__(self, index: ChannelIndex) -> None:
        standing = index.standing()
        self.names = [channel.name for channel in standing]
        self.direct = [index.is_direct(channel.pk) for channel in standing]
        self._index = index
        self._place_by_id = {channel.pk: place for place, channel in enumerate(standing)}
        self._place_by_name: dict[str, int] = {}

    def place_of(self, channel_id: int) -> int:
        return self._place_by_id[self._index.counted_for(channel_id)]

    def place_of_name(self, name: str) -> int:
        folded = name.lower()
        if folded not in self._place_by_name:
            known = self._index.named(name)
            if known is None:
                self._place_by_name[folded] = len(self.names)
                self.names.append(name)
                self.direct.append(folded == DIRECT)
            else:
                self._place_by_name[folded] = self._place_by_id[known.pk]
        return self._place_by_name[folded]


def _source_of_touches(workspace: Workspace) -> UInt32Column:
    """The source of every visible touch. Raises store.DataChanged if an import changed while its rows were read."""
    imports = store.active_imports(workspace=workspace)[Dataset.TOUCHPOINTS]
    return store.load(workspace=workspace, table=store.TOUCHES, imports=imports, names=("source",))["source"]


def _most_frequent(grouped: Mapping[int, str], source: UInt32Column) -> set[str]:
    """The `MOST_GROUPS` names, in lower case, with most touches; of equals, those first in the alphabet."""
    touches_of_source = np.bincount(source, minlength=1 + max(grouped))
    frequency: Counter[str] = Counter()
    for source_id, name in grouped.items():
        frequency[name.lower()] += int(touches_of_source[source_id])
    return set(sorted(frequency, key=lambda name: (-frequency[name], name))[:MOST_GROUPS])
