"""How fresh and how complete each dataset is, without reading touchpoints or conversions themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Max, Min, Model, QuerySet
from django.utils import timezone

from accounts.models import Workspace
from marketing.models import ChannelSpend, ControlValue, Dataset, Import, OutcomeValue

RECENT_DAYS = 90
DAILY: dict[Dataset, type[Model]] = {
    Dataset.SPEND: ChannelSpend,
    Dataset.OUTCOMES: OutcomeValue,
    Dataset.CONTROLS: ControlValue,
}


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
    if not rows or first_day is None:
        return None
    since = max(first_day, today - timedelta(days=RECENT_DAYS))
    first, *others = (
        part.filter(date__gte=since, date__lt=today).order_by().values_list("date").distinct() for part in rows
    )
    present = first.union(*others).count()
    return max((today - since).days - present, 0)


def _daily_rows(workspace: Workspace, dataset: Dataset) -> list[QuerySet[Any]]:
    """Return the rows, by table, of a dataset that has some for each day, else nothing."""
    model = DAILY.get(dataset)
    if model is not None:
        visible = {"batch__workspace": workspace, "batch__status": Import.Status.ACTIVE, "shadowed": False}
        return [model._default_manager.filter(**visible)]
    if dataset == Dataset.MEDIA_TABLE:  # its rows may hold any of the three; restated elsewhere, they were there
        tables = Import.objects.filter(workspace=workspace, dataset=dataset, status=Import.Status.ACTIVE)
        return [model._default_manager.filter(batch__in=tables) for model in DAILY.values()]
    return []
