"""Clear away what nothing sees any more: rows of imports that failed or were undone, and names that came with them."""

from collections.abc import Iterator

from django.db import IntegrityError, models, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import Workspace
from jobs.actions import ring_deferred
from jobs.models import Job
from marketing.importing.announcing import announce_import
from marketing.importing.unused_names import remove_unused_names
from marketing.models import (
    Campaign,
    Channel,
    ChannelAlias,
    ChannelSpend,
    Control,
    ControlValue,
    Conversion,
    Customer,
    Event,
    Experiment,
    Import,
    Outcome,
    OutcomeValue,
    PathChannel,
    PathCount,
    Segment,
    Touchpoint,
    TrafficSource,
)
from webhooks.event_types import EventType

ROWS_AT_ONCE = 20_000
ROW_MODELS: tuple[type[models.Model], ...] = (
    Touchpoint,
    Conversion,
    ChannelSpend,
    OutcomeValue,
    ControlValue,
    Experiment,
    Event,
    PathCount,
    PathChannel,
)
ENDED = (Import.Status.FAILED, Import.Status.UNDONE)
WITH_ROWS = Q(rows_removed_at=None)  # of an import that has ended
# In an order in which nothing that is left refers to what is gone.
NAMES: tuple[type[models.Model], ...] = (
    Customer,
    TrafficSource,
    Campaign,
    Segment,
    ChannelAlias,
    Channel,
    Outcome,
    Control,
)


def abandon_import(job: Job) -> None:
    """Mark the import of a failed or cancelled job; the sweep removes its rows."""
    Import.objects.filter(job=job).update(status=Import.Status.FAILED)
    for batch in Import.objects.filter(job=job).select_related("workspace"):
        announce_import(batch, EventType.IMPORT_FINISHED, Import.Status.FAILED)
    ring_deferred(workspace_id=job.workspace_id)


def sweep_ended_imports() -> None:
    """Remove some rows of an import that failed or was undone; called every few seconds, until none are left.

    Where an import is loading, that one does it: the two would wait for each other.
    """
    loading = Import.objects.filter(status=Import.Status.LOADING).values("workspace")
    batch = imports_to_clear().exclude(workspace__in=loading).first()
    if batch is not None:
        next(remove_rows(batch), 0)


def imports_to_clear() -> QuerySet[Import]:
    """Return the imports that failed or were undone and may have rows left, oldest first."""
    return Import.objects.filter(WITH_ROWS, status__in=ENDED).order_by("pk")


def remove_rows(batch: Import, *, holds_lock: bool = False) -> Iterator[int]:
    """Delete the import's rows a chunk at a time, yielding the size of each; at the end, note that they are gone.

    With the last of an ended import's rows in the workspace, names go that came with them. While an import of the
    workspace is loading, that is left to the next sweep; unless `holds_lock`: the caller is that import, and has not
    looked up any names yet.
    """
    for model in ROW_MODELS:
        rows = model._default_manager.filter(batch=batch)
        while ids := list(rows.values_list("pk", flat=True)[:ROWS_AT_ONCE]):
            model._default_manager.filter(pk__in=ids).delete()
            yield len(ids)
    if holds_lock:
        with transaction.atomic():
            _note_removal(batch)
        return
    status = Import.objects.filter(pk=batch.pk).values_list("status", flat=True).first()  # None: its workspace is gone
    with transaction.atomic():
        if status in ENDED and _take_import_lock(batch, status):
            Import.objects.filter(pk=batch.pk).update(status=status)  # the lock is held until the transaction ends
            _note_removal(batch)


def _take_import_lock(batch: Import, status: str) -> bool:
    """Hold the workspace's one place for an import at work, as this import, until the transaction ends."""
    try:
        with transaction.atomic():
            return bool(Import.objects.filter(pk=batch.pk, status=status).update(status=Import.Status.LOADING))
    except IntegrityError:
        return False


def _note_removal(batch: Import) -> None:
    """Note that the rows are gone, and remove the names that came with them if no others are left to be removed."""
    if not Import.objects.filter(pk=batch.pk, status__in=ENDED).update(rows_removed_at=timezone.now()):
        return
    # Nobody can change channels and goals meanwhile.
    workspace = Workspace.objects.select_for_update(no_key=True).get(pk=batch.workspace_id)
    ended = Import.objects.filter(workspace=workspace, status__in=ENDED)
    if not ended.filter(WITH_ROWS).exists():
        remove_unused_names(workspace, ended)


def remove_names(workspace: Workspace) -> bool:
    """Remove the customers, channels, campaigns and so on of a workspace without data; its goals are settings.

    Returns whether it was without: an import that is on its way, counts or has rows left keeps every name.
    """
    with transaction.atomic():
        # No import can be added meanwhile: its row would refer to this one.
        Workspace.objects.select_for_update().get(pk=workspace.pk)
        imports = Import.objects.filter(workspace=workspace)
        if imports.filter(WITH_ROWS | ~Q(status__in=ENDED)).exists():
            return False
        # No row refers to the names, then. Looking for some, as a deletion by RESTRICT does, would read the
        # touchpoints of all workspaces: they have no index by source.
        for model in NAMES:
            rows = model._default_manager.filter(workspace=workspace)
            rows._raw_delete(rows.db)  # noqa: SLF001
    return True
