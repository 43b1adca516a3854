"""Clear away the rows of imports that failed or were undone, in transactions short enough for others to write."""

from collections.abc import Iterator

from django.db.models import QuerySet

from jobs.models import Job
from marketing.models import (
    ChannelSpend,
    ControlValue,
    Conversion,
    Experiment,
    Import,
    ImportedRow,
    OutcomeValue,
    Touchpoint,
)

ROWS_AT_ONCE = 20_000
ROW_MODELS: tuple[type[ImportedRow], ...] = (
    Touchpoint,
    Conversion,
    ChannelSpend,
    OutcomeValue,
    ControlValue,
    Experiment,
)


def abandon_import(job: Job) -> None:
    """Mark the import of a failed or cancelled job; the sweep removes its rows."""
    Import.objects.filter(job=job).update(status=Import.Status.FAILED)


def sweep_failed_imports() -> None:
    """Remove some rows of an import that failed or was undone; called every few seconds, until none are left.

    Where an import is loading, that one does it: the two would wait for each other.
    """
    loading = Import.objects.filter(status=Import.Status.LOADING).values("workspace")
    batch = imports_to_clear().exclude(workspace__in=loading).first()
    if batch is not None and next(remove_rows(batch), 0) == 0:
        Import.objects.filter(pk=batch.pk).update(accepted=0)


def imports_to_clear() -> QuerySet[Import]:
    """Return the imports that failed or were undone and may have rows left, oldest first."""
    ended = [Import.Status.FAILED, Import.Status.UNDONE]
    return Import.objects.filter(status__in=ended, accepted__gt=0).order_by("pk")


def remove_rows(batch: Import) -> Iterator[int]:
    """Delete the import's rows a chunk at a time, yielding the size of each."""
    for model in ROW_MODELS:
        rows = model._default_manager.filter(batch=batch)
        while ids := list(rows.values_list("pk", flat=True)[:ROWS_AT_ONCE]):
            model._default_manager.filter(pk__in=ids).delete()
            yield len(ids)
