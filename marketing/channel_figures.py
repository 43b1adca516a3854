"""What each channel of a workspace stands for at present: its touches, its spend, and where its name comes from."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from django.core.cache import cache
from django.db.models import FloatField, Sum
from django.db.models.functions import Cast

from accounts.models import Workspace
from marketing import store
from marketing.channel_index import ChannelIndex
from marketing.data_versions import data_version
from marketing.frames import Int64Column
from marketing.models import ChannelSpend, Dataset, Import, PathChannel, TrafficSource
from marketing.sources import source_lookup

KEPT_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class ChannelFigures:
    """Of one channel and of those merged into it. `named`: rows name it; `grouped`: the grouping gives it traffic."""

    touches: int = 0
    spend: float = 0.0
    named: bool = False
    grouped: bool = False


NOTHING = ChannelFigures()


def touches_by_source(*, workspace: Workspace) -> Int64Column | None:
    """The number of visible touches of each traffic source, by its id; None while they are being counted."""
    imports = store.active_imports(workspace=workspace)[Dataset.TOUCHPOINTS]
    return store.count_by_id(workspace=workspace, table=store.TOUCHES, imports=imports, name="source")


def channel_figures(*, workspace: Workspace, index: ChannelIndex) -> Mapping[str, ChannelFigures] | None:
    """The figures of each channel that is not merged into another, by its name; None while touches are being counted.

    Among them are channels that only the grouping names so far: they get a row with the next daily cube. The figures
    are kept until the data change, as all traffic has to be grouped for them.
    """
    version = data_version(workspace=workspace, datasets=[Dataset.TOUCHPOINTS, Dataset.SPEND, Dataset.PATHS])
    key = f"channel-figures:{workspace.pk}:{version}"
    known: Mapping[str, ChannelFigures] | None = cache.get(key)
    if known is None:
        counts = touches_by_source(workspace=workspace)
        if counts is None:
            return None
        known = _figures(workspace, index, counts)
        cache.set(key, known, KEPT_SECONDS)
    return known


def _figures(workspace: Workspace, index: ChannelIndex, counts: Int64Column) -> dict[str, ChannelFigures]:
    lookup = source_lookup(workspace=workspace)
    ids = len(lookup.channel)
    stored = TrafficSource.objects.filter(workspace=workspace, pk__lt=ids)
    sources: list[tuple[int, int | None]] = list(stored.values_list("pk", "channel_id"))
    touches = np.bincount(lookup.channel[: len(counts)], counts[:ids], len(lookup.channels))
    grouped = {int(lookup.channel[source]) for source, explicit in sources if explicit is None}
    of_paths = PathChannel.objects.filter(batch__workspace=workspace, batch__status=Import.Status.ACTIVE)
    said = {explicit for _, explicit in sources if explicit is not None}
    named = {index.counted_for(pk) for pk in said.union(of_paths.values_list("channel_id", flat=True))}
    spend = _spend(workspace, index)
    figures = {}
    for place, name in enumerate(lookup.channels):
        channel = index.named(name)
        pk = 0 if channel is None else channel.pk
        figures[name] = ChannelFigures(
            touches=int(touches[place]),
            spend=spend.get(pk, 0.0),
            named=pk in named or pk in spend,
            grouped=place in grouped,
        )
    return figures


def _spend(workspace: Workspace, index: ChannelIndex) -> dict[int, float]:
    visible = ChannelSpend.objects.filter(
        batch__workspace=workspace, batch__status=Import.Status.ACTIVE, shadowed=False, spend__gt=0
    )
    spend: dict[int, float] = {}
    for channel, total in visible.order_by().values_list("channel").annotate(total=Sum(Cast("spend", FloatField()))):
        counted_for = index.counted_for(channel)
        spend[counted_for] = spend.get(counted_for, 0.0) + total
    return spend
