"""How fresh and how complete each dataset is, without reading touchpoints or conversions themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Max, Min, QuerySet
from django.utils import timezone

from accounts.models import Workspace
from marketing.models import ChannelSpend, ControlValue, Dataset, Import, OutcomeValue

RECENT_DAYS = 90


@dataclass(frozen=True)
class Freshness:
    """One dataset: when it was last imported, which days its imports speak of, and how many recent days have no row.

    `missing_days` counts days since the first one, of the last 90; None where a day without rows means nothing.
    """

    dataset: Dataset
    last_import_at: datetime
    first_day: date | None
    last_day: date | None
    missing_days: int | None

    @property
    def label(self) -> str:
        return str(self.dataset.label)


def dataset_freshness(*, workspace: Workspace) -> Sequence[Freshness]:
    """Return the freshness of every dataset that has active imports, in the order of `Dataset`."""
    today = timezone.now().astimezone(workspace.zone).date()
    by_dataset = {
        row["dataset"]: row
        for row in Import.objects.filter(workspace=workspace, status=Import.Status.ACTIVE)
        .order_by("dataset")
        .values("dataset")
        .annotate(last_import_at=Max("activated_at"), first=Min("first_day"), last=Max("last_day"))
    }
    return [
        Freshness(
            dataset=dataset,
            last_import_at=row["last_import_at"],
            first_day=row["first"],
            last_day=row["last"],
            missing_days=_missing_days(workspace, dataset, first_day=row["first"], today=today),
        )
        for dataset in Dataset
        if (row := by_dataset.get(dataset.value))
    ]


def _missing_days(workspace: Workspace, dataset: Dataset, *, first_day: date | None, today: date) -> int | None:
    """Count the days without rows, from `first_day` but at most 90 days ago, up to yesterday: today is not over."""
    rows = _daily_rows(workspace, dataset)
    if rows is None or first_day is None:
        return None
    since = max(first_day, today - timedelta(days=RECENT_DAYS))
    present = rows.filter(shadowed=False, date__gte=since, date__lt=today).values("date").distinct().count()
    return max((today - since).days - present, 0)


def _daily_rows(
    workspace: Workspace, dataset: Dataset
) -> QuerySet[ChannelSpend] | QuerySet[OutcomeValue] | QuerySet[ControlValue] | None:
    """Return the rows of a dataset that has one for each day, else None."""
    if dataset == Dataset.SPEND:
        return ChannelSpend.objects.filter(channel__workspace=workspace)
    if dataset in (Dataset.OUTCOMES, Dataset.MEDIA_TABLE):  # a media table has an outcome on every row
        return OutcomeValue.objects.filter(outcome__workspace=workspace)
    if dataset == Dataset.CONTROLS:
        return ControlValue.objects.filter(control__workspace=workspace)
    return None
