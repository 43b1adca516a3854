"""What experiments have measured, beside which models can be held."""

from dataclasses import dataclass
from statistics import NormalDist

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

    `pk`: of its row, which `batch` brought in.
    """

    pk: int
    batch: Import
    channel: str
    period: Period
    geo: str
    lift: float
    standard_error: float
    spend: float


def visible_experiments(workspace: Workspace) -> list[VisibleExperiment]:
    """Every visible experiment of a workspace, the earliest first."""
    rows = list(_visible(workspace).select_related("batch").order_by("start", "end", "pk"))
    index = channel_index(workspace=workspace)  # read after the rows, so that it knows all of their channels
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
        )
        for row in rows
    ]


def measured_lifts(
    workspace: Workspace, *, only: Channel | None = None, index: ChannelIndex | None = None, confidence: int = 0
) -> list[MeasuredLift]:
    """The newest experiment of each channel as incremental ROI, with intervals.

    `confidence`: their level in percent; the workspace's if it is 0. Experiments on a merged channel are those of the
    one that it was merged into.
    """
    visible = _visible(workspace).filter(spend__gt=0)
    index = index or channel_index(workspace=workspace)
    if only is not None:
        visible = visible.filter(channel__in=index.counting_for(only.pk))
    quantile = NormalDist().inv_cdf(0.5 + (confidence or workspace.confidence) / 200)
    newest: dict[str, MeasuredLift] = {}
    for row in visible.order_by("end", "pk"):
        spend = float(row.spend)
        margin = quantile * row.standard_error / spend
        roi = row.lift / spend
        channel = index.channels[index.counted_for(row.channel_id)].name
        newest[channel] = MeasuredLift(
            channel=channel, period=Period(row.start, row.end), roi=roi, low=roi - margin, high=roi + margin
        )
    return list(newest.values())


def _visible(workspace: Workspace) -> QuerySet[Experiment]:
    return Experiment.objects.filter(batch__workspace=workspace, batch__status=Import.Status.ACTIVE, shadowed=False)
