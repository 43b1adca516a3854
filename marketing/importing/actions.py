"""The way in for data: ask for an import, carry it out in the background, make it visible whole or not at all."""

import datetime as dt
import hashlib
import shutil
import uuid
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.utils import timezone

from accounts import plans
from accounts.audit import record
from accounts.models import User, Workspace
from jobs.actions import submit
from jobs.handlers import JobDeferred, JobFailed, LeaseLost
from jobs.models import Job
from jobs.progress import Progress
from marketing.importing.cells import Clock
from marketing.importing.checking import CheckedRows, Checker
from marketing.importing.demo import IMPORT_JOB, provide_file
from marketing.importing.dimensions import Dimensions
from marketing.importing.errors import FileRejected
from marketing.importing.loading import load_rows
from marketing.importing.removal import imports_to_clear, remove_rows, ring_deferred
from marketing.importing.settle import (
    admit_new_conversions,
    keep_measures_unsaid,
    restate,
    shadow_repeated_touches,
)
from marketing.models import Dataset, DatasetVersion, Import
from mmm_project.problems import QuotaExceeded

ERRORS_KEPT = 100
SHARE_OF_LOADING = 0.8  # of the progress bar; the rest is settling duplicates
DATASETS_TOUCHED: dict[str, tuple[str, ...]] = {
    Dataset.MEDIA_TABLE: (Dataset.SPEND, Dataset.OUTCOMES, Dataset.CONTROLS),
}


def request_import(
    *,
    workspace: Workspace,
    dataset: Dataset,
    file: Path,
    mapping: dict[str, str],
    by: User | None,
    origin: Import.Origin,
    ring: bool = True,
) -> Import:
    """Keep a copy of the file and queue its import. Raises FileRejected if its header does not fit the dataset."""
    Checker(path=file, dataset=dataset, mapping=mapping, clock=_clock(workspace))
    kept = Path("imports") / str(workspace.pk) / f"{uuid.uuid4().hex}{file.suffix.lower()[:10]}"
    target = Path(settings.MEDIA_ROOT) / kept
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, target)
    with transaction.atomic():
        batch = Import.objects.create(
            workspace=workspace,
            job=submit(workspace=workspace, kind=IMPORT_JOB, ring=ring),
            dataset=dataset,
            origin=origin,
            file_name=file.name[-255:],
            stored_file=str(kept),
            checksum=_checksum(target),
            mapping=mapping,
            requested_by=by,
        )
        record(workspace=workspace, actor=by, action="import.requested", target=batch.file_name, dataset=dataset)
    return batch


def run_import(job: Job, progress: Progress) -> None:
    """Carry out an import: check and load in short transactions, settle duplicates, then make it visible in one."""
    batch = Import.objects.select_related("workspace").get(job=job)
    _take_import_lock(batch)
    failed = imports_to_clear().filter(workspace=batch.workspace, status=Import.Status.FAILED)
    for interrupted in (batch, *failed):
        _clear_up(interrupted, job, progress)
    try:
        path = Path(settings.MEDIA_ROOT) / batch.stored_file
        if batch.origin == Import.Origin.DEMO:
            progress("Building two years of demo data", 0)
            provide_file(batch)
        checker = Checker(path=path, dataset=batch.dataset, mapping=batch.mapping, clock=_clock(batch.workspace))
        counts = _load(batch, checker, job, progress)
    except FileRejected as error:
        raise JobFailed(str(error), code="file_rejected") from error
    except QuotaExceeded as refusal:
        raise JobFailed(refusal.detail, code=refusal.code) from refusal
    if not counts["accepted"]:
        raise JobFailed(_nothing_to_import(counts["rejected"], batch.errors), code="no_valid_rows")
    duplicates = shadow_repeated_touches(batch, after_each=lambda done: progress("Settling", _settling(done)))
    duplicates += admit_new_conversions(batch, after_each=lambda done: progress("Settling", _settling(done)))
    accepted, mapping = counts["accepted"] - duplicates, {field.name: name for field, name in checker.fields.items()}
    progress.complete(lambda: _activate(batch, accepted=accepted, duplicates=duplicates, mapping=mapping))
    ring_deferred(batch.workspace_id)


def _take_import_lock(batch: Import) -> None:
    """One import of a workspace loads at a time, so that settling duplicates sees a world at rest."""
    waiting = Import.objects.filter(pk=batch.pk, status__in=[Import.Status.PENDING, Import.Status.LOADING])
    try:
        with transaction.atomic():
            if not waiting.update(status=Import.Status.LOADING):
                raise JobFailed("This import has already ended. Import the file again.")
    except IntegrityError as error:
        raise JobDeferred from error


def _clear_up(batch: Import, job: Job, progress: Progress) -> None:
    """Remove the rows of an attempt that was interrupted: settling would take some of them for rows that hold."""
    removal = remove_rows(batch)
    while True:
        with transaction.atomic():
            _hold_claim(job)
            if next(removal, None) is None:
                return
        progress("Clearing up", 0)


def _hold_claim(job: Job) -> None:
    """Keep the claim from passing on before the transaction ends, so that a stale worker cannot touch new rows."""
    ours = Job.objects.select_for_update().filter(pk=job.pk, fence=job.fence, status=Job.Status.RUNNING)
    if ours.first() is None:
        raise LeaseLost


def _load(batch: Import, checker: Checker, job: Job, progress: Progress) -> dict[str, int]:
    """Check and load the file chunk by chunk; keep count, and the first errors, on the import."""
    dimensions = Dimensions(batch.workspace)
    batch.accepted = batch.rejected = 0
    batch.errors = []
    stored = _rows_stored(batch.workspace)
    for rows in checker:
        with transaction.atomic():
            load_rows(batch, rows, dimensions)
            _hold_claim(job)
            _count(batch, rows)
        plans.require_rows(batch.workspace, stored=stored, added=batch.accepted)
        progress("Loading rows", SHARE_OF_LOADING * rows.fraction)
    return {"accepted": batch.accepted, "rejected": batch.rejected}


def _rows_stored(workspace: Workspace) -> int:
    active = Import.objects.filter(workspace=workspace, status=Import.Status.ACTIVE)
    return int(active.aggregate(rows=Sum("accepted"))["rows"] or 0)


def _count(batch: Import, rows: CheckedRows) -> None:
    batch.accepted += rows.count
    batch.rejected += len(rows.errors)
    room = ERRORS_KEPT - len(batch.errors)
    batch.errors += [
        {"row": error.row, "column": error.column, "reason": error.reason} for error in rows.errors[: max(room, 0)]
    ]
    first, last = _days_of(batch, rows)
    batch.first_day = min(filter(None, (batch.first_day, first)), default=None)
    batch.last_day = max(filter(None, (batch.last_day, last)), default=None)
    batch.save(update_fields=["accepted", "rejected", "errors", "first_day", "last_day"])


def _days_of(batch: Import, rows: CheckedRows) -> tuple[dt.date | None, dt.date | None]:
    """Return the first and last day that the rows speak of, in the workspace's zone."""
    if not rows.count:
        return None, None
    starts = next(rows.cells[name].values for name in ("date", "occurred_at", "start") if name in rows.cells)
    ends = rows.cells["end"].values if "end" in rows.cells else starts
    return _day(starts.min(), batch), _day(ends.max(), batch)


def _day(value: np.datetime64 | np.int64, batch: Import) -> dt.date:
    if isinstance(value, np.datetime64):
        day: dt.date = value.astype(object)
        return day
    return dt.datetime.fromtimestamp(int(value) / 1e6, batch.workspace.zone).date()


def _activate(batch: Import, *, accepted: int, duplicates: int, mapping: dict[str, str]) -> None:
    """Make the import's rows visible: one UPDATE of its status, figures restated and versions moved along with it.

    `mapping` is the whole one, with the columns that bear a field's own name.
    """
    keep_measures_unsaid(batch, fields=mapping)
    restate(batch)
    Import.objects.filter(pk=batch.pk, status=Import.Status.LOADING).update(
        status=Import.Status.ACTIVE,
        accepted=accepted,
        duplicates=duplicates,
        mapping=mapping,
        activated_at=timezone.now(),
    )
    for dataset in DATASETS_TOUCHED.get(batch.dataset, (batch.dataset,)):
        move_version(batch=batch, dataset=dataset)
    record(workspace=batch.workspace, actor=batch.requested_by, action="import.finished", target=batch.file_name)


def move_version(*, batch: Import, dataset: str) -> None:
    """Put the import into the dataset's version, or, as XOR is its own inverse, take it out again."""
    DatasetVersion.objects.get_or_create(workspace=batch.workspace, dataset=dataset)
    version = DatasetVersion.objects.select_for_update().get(workspace=batch.workspace, dataset=dataset)
    mark = hashlib.sha256(f"{dataset} import {batch.pk}".encode()).hexdigest()[:32]
    version.digest = f"{int(version.digest, 16) ^ int(mark, 16):032x}"
    version.save(update_fields=["digest"])


def _nothing_to_import(rejected: int, errors: list[dict[str, Any]]) -> str:
    if not rejected:
        return "The file has a header but no rows."
    first = errors[0]
    where = f", column “{first['column']}”" if first["column"] else ""
    return f"None of the {rejected:,} rows can be imported. The first: row {first['row']}{where}: {first['reason']}."


def _settling(done: float) -> float:
    return SHARE_OF_LOADING + (1 - SHARE_OF_LOADING) * done


def _clock(workspace: Workspace) -> Clock:
    return Clock(zone=workspace.zone, now=timezone.now())


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
