"""Erase a customer: the rows, the kept files that name them, and their columns in snapshots.

What is left is what there would be had the customer's rows never come: a row of somebody else that one of them had
shadowed (the same order id) counts again, and what counts has another version. It is done under the workspace's import
lock, some thousand rows at a time, so that nearly everybody is gone in one short transaction.
"""

import datetime as dt
import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Max, Min, Q, QuerySet
from django.db.models.functions import Greatest
from django.utils import timezone

from accounts.audit import record
from accounts.models import Workspace
from jobs.handlers import JobDeferred
from jobs.models import Job
from jobs.progress import Progress
from marketing import store
from marketing.importing import kept_files
from marketing.importing.columns import trimmed
from marketing.importing.customers import customer_ids
from marketing.importing.errors import FileRejected
from marketing.importing.files import read_chunks, read_header
from marketing.importing.reading import Reading
from marketing.importing.retention import forget_files, forget_upload
from marketing.importing.versions import toggle_mark
from marketing.models import Conversion, Customer, Dataset, Import, Touchpoint, Upload
from marketing.privacy import ERASED, customer_of, erasures, named

ROWS_AT_ONCE = 10_000  # SQLite takes no more than 32,766 parameters
WAITING = (Import.Status.PENDING, Import.Status.LOADING)
ABOUT_CUSTOMERS = (Dataset.TOUCHPOINTS, Dataset.CONVERSIONS)
SHARE_OF_FILES = 0.8  # of the progress bar
QUOTED = re.compile("“([^“”]+)”")  # a cell, in the reason why its row was rejected
REDACTED = "“(erased)”"
NOTED = "Rows of customers were erased at their request"

RowModel: TypeAlias = type[Touchpoint] | type[Conversion]


def run_erasure(job: Job, progress: Progress) -> None:
    """The job handler: erase the customer that the job was queued for. Safe to repeat."""
    workspace, customer_id = job.workspace, customer_of(job)
    if Import.objects.filter(workspace=workspace, status__in=WAITING, job__lt=job.pk).exists():
        raise JobDeferred  # they were on their way when it was asked for, and may bring more rows of the customer
    files = _remove_files(workspace, customer_id, progress)
    _redact_reasons(workspace, customer_id)
    progress("Erasing rows", SHARE_OF_FILES)
    for model in (Touchpoint, Conversion):
        while _erase_some(workspace, model, customer_id):
            progress("Erasing rows", SHARE_OF_FILES)
    store.discard_outdated(workspace=workspace)
    progress.complete(lambda: _finish(job, customer_id, files=files))


def _finish(job: Job, customer_id: int, *, files: int) -> None:
    """Forget the hash of the key as well, unless new rows have come in under it meanwhile."""
    with import_lock(job.workspace):
        held = any(model._default_manager.filter(customer=customer_id).exists() for model in (Touchpoint, Conversion))
        if not held:
            gone = Customer.objects.filter(pk=customer_id)
            gone._raw_delete(gone.db)  # noqa: SLF001 - nothing refers to it: looking for that again would cost more
    request = erasures(job.workspace).select_related("actor").get(detail__job=job.pk)
    record(workspace=job.workspace, actor=request.actor, action=ERASED, target=named(customer_id), files=files)


@dataclass(slots=True)
class _Change:
    """What erasing does to one import: rows that counted, and that did not, and their first and last moment."""

    counted: int = 0
    shadowed: int = 0
    moments: list[dt.datetime] = field(default_factory=list)


def _erase_some(workspace: Workspace, model: RowModel, customer_id: int) -> int:
    """Delete some of the customer's rows and return how many; 0 when none is left.

    Raises JobDeferred while an import is loading, or if the imports that count have changed in between.
    """
    before = _active(workspace)
    rows = list(_rows(model, customer_id).values_list("pk", "batch", "shadowed", "occurred_at")[:ROWS_AT_ONCE])
    if not rows:
        return 0
    heirs = _heirs(workspace, [pk for pk, *_ in rows]) if model is Conversion else {}
    changes: dict[int, _Change] = {}
    for _pk, batch, shadowed, at in rows:
        change = changes.setdefault(batch, _Change())
        change.shadowed += shadowed
        change.counted += not shadowed
        change.moments.append(at)
    with transaction.atomic(), import_lock(workspace) as locked:
        if _active(workspace, locked) != before:
            raise JobDeferred
        doomed = model._default_manager.filter(pk__in=[pk for pk, *_ in rows])
        doomed._raw_delete(doomed.db)  # noqa: SLF001 - nothing refers to such rows
        Conversion.objects.filter(pk__in=heirs).update(shadowed=False)
        counting = changes.keys() & before.keys()
        for touched in Import.objects.filter(pk__in=counting).select_related("workspace"):
            _take_off(touched, changes[touched.pk], model)
        for batch_id, count in Counter(heirs.values()).items():
            Import.objects.filter(pk=batch_id).update(
                accepted=F("accepted") + count, duplicates=Greatest(F("duplicates") - count, 0)
            )
        _move_on({batch for batch in counting if changes[batch].counted} | set(heirs.values()))
    return len(rows)


def _rows(model: RowModel, customer_id: int) -> QuerySet[Touchpoint] | QuerySet[Conversion]:
    """The customer's rows; those of an import that is coming in were sent after the erasure was asked for."""
    return model._default_manager.filter(customer=customer_id).exclude(batch__status__in=WAITING)


def _heirs(workspace: Workspace, doomed: list[int]) -> dict[int, int]:
    """Return row -> import of the rows of others that count once these conversions are gone.

    Only an order id can be somebody else's too: all other keys name the customer.
    """
    held = Conversion.objects.filter(
        pk__in=doomed, shadowed=False, order_id__isnull=False, batch__status=Import.Status.ACTIVE
    )
    orders = set(held.values_list("goal", "order_id"))
    if not orders:
        return {}
    repeating = Import.objects.filter(
        workspace=workspace, dataset=Dataset.CONVERSIONS, status=Import.Status.ACTIVE, duplicates__gt=0
    )
    equal = Conversion.objects.filter(
        batch__in=list(repeating.values_list("pk", flat=True)),
        shadowed=True,
        order_id__in={order for _goal, order in orders},
    )
    heirs: dict[tuple[int, str | None], tuple[int, int]] = {}
    mine = set(doomed)
    for pk, batch, goal, order in equal.order_by("pk").values_list("pk", "batch", "goal", "order_id"):
        if (goal, order) in orders and pk not in mine:
            heirs.setdefault((goal, order), (pk, batch))
    return dict(heirs.values())


def _take_off(batch: Import, change: _Change, model: RowModel) -> None:
    """Have the counts and days of an import that counts tell of the rows that are left."""
    batch.accepted = max(batch.accepted - change.counted, 0)
    batch.duplicates = max(batch.duplicates - change.shadowed, 0)
    days = {moment.astimezone(batch.workspace.zone).date() for moment in change.moments}
    if days & {batch.first_day, batch.last_day}:
        left = model._default_manager.filter(batch=batch).aggregate(first=Min("occurred_at"), last=Max("occurred_at"))
        batch.first_at, batch.last_at = left["first"], left["last"]
        batch.first_day = left["first"] and left["first"].astimezone(batch.workspace.zone).date()
        batch.last_day = left["last"] and left["last"].astimezone(batch.workspace.zone).date()
    today = timezone.now().astimezone(batch.workspace.zone).date()
    others = [sentence for sentence in batch.warnings if not sentence.startswith(NOTED)]
    batch.warnings = [*others, f"{NOTED}, last on {today:%-d %B %Y}. The counts are without them."]
    batch.save(update_fields=["accepted", "duplicates", "first_day", "last_day", "first_at", "last_at", "warnings"])


def _move_on(imports: set[int]) -> None:
    """Note that other rows of these imports count than before: in snapshots, and in the version of the data."""
    Import.objects.filter(pk__in=imports).update(revision=F("revision") + 1)
    for batch in Import.objects.filter(pk__in=imports).select_related("workspace").order_by("pk"):
        mark = f"{batch.dataset} import {batch.pk} erased to {batch.revision}"
        toggle_mark(workspace=batch.workspace, dataset=batch.dataset, mark=mark)


def _active(workspace: Workspace, locked: Import | None = None) -> dict[int, int]:
    """The revision of each import that counts, `locked` among them if it did: while these are the same, so are rows."""
    active = Import.objects.filter(workspace=workspace, status=Import.Status.ACTIVE)
    revisions = dict(active.order_by().values_list("pk", "revision"))
    if locked is not None and locked.status == Import.Status.ACTIVE:
        revisions[locked.pk] = locked.revision
    return revisions


@contextmanager
def import_lock(workspace: Workspace) -> Iterator[Import | None]:
    """Hold the workspace's one place for an import at work, as one that has ended, until the transaction ends.

    Yields that import as it was; None if the workspace never had one. Raises JobDeferred while an import is loading.
    """
    ended = Import.objects.filter(workspace=workspace).exclude(status__in=WAITING).order_by("pk").first()
    if ended is None:
        yield None
        return
    row = Import.objects.filter(pk=ended.pk)
    try:
        with transaction.atomic():
            if not row.filter(status=ended.status).update(status=Import.Status.LOADING):
                raise JobDeferred  # somebody else has just changed it
    except IntegrityError as error:
        raise JobDeferred from error
    ended.refresh_from_db(fields=["revision"])
    yield ended
    row.update(status=ended.status)


def _remove_files(workspace: Workspace, customer_id: int, progress: Progress) -> int:
    """Remove the kept files that name the customer, and return how many there were."""
    holding = {
        batch
        for model in (Touchpoint, Conversion)
        for batch in _rows(model, customer_id).order_by().values_list("batch", flat=True).distinct()
    }
    kept = Import.objects.filter(workspace=workspace, file_removed_at=None, dataset__in=ABOUT_CUSTOMERS)
    kept = kept.exclude(status__in=WAITING).exclude(origin=Import.Origin.DEMO)
    # Where every row of the file counts, its rows tell whether it names the customer; else the file has to be read.
    unsure = kept.filter(~Q(status=Import.Status.ACTIVE) | Q(rejected__gt=0)).exclude(pk__in=holding)
    imports = [*kept.filter(pk__in=holding), *unsure]
    uploads = Upload.objects.filter(workspace=workspace, batch=None)
    files: list[Import | Upload] = [*imports, *uploads]
    removed = 0
    for done, file in enumerate(files):
        progress("Looking through kept files", SHARE_OF_FILES * done / len(files))
        if isinstance(file, Upload):
            removed += _names(file, customer_id) and forget_upload(file)
        elif file.pk in holding or _names(file, customer_id):
            forget_files(file)
            removed += 1
    return removed


def _redact_reasons(workspace: Workspace, customer_id: int) -> None:
    """Take the key out of the reasons of rejected rows that quote it, as where its column was mapped wrongly."""
    kept: tuple[tuple[type[Import] | type[Upload], str], ...] = ((Import, "errors"), (Upload, "findings"))
    for model, name in kept:
        rows = model._default_manager.filter(workspace=workspace).exclude(**{f"{name}__in": ([], {})})
        for row in rows.only("pk", name).iterator():
            text = json.dumps(getattr(row, name), ensure_ascii=False)
            keys = [key for key in set(QUOTED.findall(text)) if _is_among([key.strip()], workspace.pk, customer_id)]
            if keys:
                for key in keys:
                    text = text.replace(f"“{key}”", REDACTED)
                setattr(row, name, json.loads(text))
                row.save(update_fields=[name])


def _names(file: Import | Upload, customer_id: int) -> bool:
    """Whether a cell of the file is the key of the customer; also if the file cannot be read, so that nobody knows."""
    path = kept_files.path_of(file.stored_file)
    reading = Reading.from_json(file.reading)
    with suppress(FileNotFoundError):
        try:
            columns = [name for name in read_header(path, reading) if name]
            mapped = [file.mapping["customer"]] if file.mapping.get("customer") in columns else []
            for chunk in read_chunks(path, reading, columns=mapped or columns, keep_raw=True):
                cells = chunk.columns.values() if mapped or chunk.raw is None else chunk.raw.columns
                if any(_holds(column, file.workspace_id, customer_id) for column in cells):
                    return True
                unread = sorted({cell.strip() for error in chunk.errors for cell in error.cells})
                if _is_among(unread, file.workspace_id, customer_id):
                    return True
        except FileRejected:
            return True
    return False


def _holds(column: pa.Array, workspace_id: int, customer_id: int) -> bool:
    if pa.types.is_nested(column.type):
        return False
    distinct = pc.unique(trimmed(column))
    return _is_among(distinct.to_pylist(), workspace_id, customer_id)


def _is_among(keys: list[str], workspace_id: int, customer_id: int) -> bool:
    ids = customer_ids(keys, workspace_id=workspace_id, secret=settings.CUSTOMER_HASH_KEY)
    return bool((ids == customer_id).any())
