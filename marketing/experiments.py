"""What experiments have measured, beside which models can be held."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

from django.db.models import QuerySet

from accounts.models import Workspace
from marketing.channel_index import ChannelIndex, channel_index
from marketing.models import Channel, Experiment, Import
from marketing.periods import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredLift:
    """An experiment's answer: incremental revenue for each unit of spend, with an interval."""

    channel: str
    period: Period
    roi: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VisibleExperiment:
    """An experiment as it was imported, of the channel that its rows count for. `geo`: "" for the whole market.

    `pk`: of its row, which `batch` brought in. `instead_of`: how many others of the same days and geo it stands for, of
    channels that have been merged since; they do not count.
    """

    pk: int
    batch: Import
    channel: str
    period: Period
    geo: str
    lift: float
    standard_error: float
    spend: float
    instead_of: int = 0


def visible_experiments(workspace: Workspace) -> list[VisibleExperiment]:
    """Every experiment of a workspace that counts, the earliest first: one of a channel, its days and its geo."""
    rows = list(_visible(workspace).select_related("batch"))
    index = channel_index(workspace=workspace)  # read after the rows, so that it knows all of their channels
    found = sorted(_by_test(rows, index), key=lambda same: (same[-1].start, same[-1].end, same[-1].pk))
    return [
        VisibleExperiment(
            pk=row.pk,
            batch=row.batch,
            channel=index.channels[index.counted_for(row.channel_id)].name,
            period=Period(row.start, row.end),
            geo=row.geo,
            lift=row.lift,
            standard_error=row.standard_error,
            spend=float(row.spend),
            instead_of=len(others),
        )
        for *others, row in found
    ]


def measured_lifts(
    workspace: Workspace, *, only: Channel | None = None, index: ChannelIndex | None = None, confidence: int = 0
) -> list[MeasuredLift]:
    """The newest experiment of each channel as incremental ROI, with intervals.

    `confidence`: their level in percent; the workspace's if it is 0. Experiments on a merged channel are those of the
    one that it was merged into.
    """
    visible = _visible(workspace)
    index = index or channel_index(workspace=workspace)
    if only is not None:
        visible = visible.filter(channel__in=index.counting_for(only.pk))
    quantile = NormalDist().inv_cdf(0.5 + (confidence or workspace.confidence) / 200)
    newest: dict[str, MeasuredLift] = {}
    counting = [same[-1] for same in _by_test(visible, index)]
    for row in sorted(counting, key=lambda row: (row.end, row.pk)):
        spend = float(row.spend)
        if not spend > 0:
            continue
        margin = quantile * row.standard_error / spend
        roi = row.lift / spend
        channel = index.channels[index.counted_for(row.channel_id)].name
        newest[channel] = MeasuredLift(
            channel=channel, period=Period(row.start, row.end), roi=roi, low=roi - margin, high=roi + margin
        )
    return list(newest.values())


def _visible(workspace: Workspace) -> QuerySet[Experiment]:
    rows = Experiment.objects.filter(batch__workspace=workspace, batch__status=Import.Status.ACTIVE, shadowed=False)
    return rows.order_by("batch_id", "pk")


def _by_test(rows: Iterable[Experiment], index: ChannelIndex) -> list[list[Experiment]]:
    """The rows of each channel, its days and its geo in their order; of merged channels there may be several.

    The last one counts, as the newest import does for one channel.
    """
    found: dict[tuple[Any, ...], list[Experiment]] = {}
    for row in rows:
        found.setdefault((index.counted_for(row.channel_id), row.start, row.end, row.geo), []).append(row)
    return list(found.values())
