"""The way in for data: ask for an import, carry it out in the background, make it visible whole or not at all."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import plans
from accounts.audit import record
from accounts.models import User, Workspace
from jobs.actions import ring_deferred, submit
from jobs.handlers import JobDeferred, JobFailed, LeaseLost
from jobs.models import Job
from jobs.progress import Progress
from marketing.channel_index import channel_index
from marketing.importing import kept_files
from marketing.importing.announcing import announce_import
from marketing.importing.cells import Clock
from marketing.importing.checking import CheckedRows, Checker
from marketing.importing.days import follow_time_zone
from marketing.importing.demo import IMPORT_JOB, provide_file
from marketing.importing.dimensions import Dimensions
from marketing.importing.errors import FileRejected
from marketing.importing.inspection import inspect
from marketing.importing.kept_files import KeptFile
from marketing.importing.kept_rejects import keep_rejects
from marketing.importing.loading import load_rows
from marketing.importing.reading import Reading
from marketing.importing.removal import imports_to_clear, remove_rows
from marketing.importing.retention import forget_files
from marketing.importing.settle import (
    add_up_paths,
    admit_new_conversions,
    count_equal_figures,
    keep_measures_unsaid,
    restate,
    shadow_repeated_touches,
)
from marketing.importing.stored_rows import rows_stored
from marketing.importing.versions import datasets_touched, toggle_mark
from marketing.models import Dataset, Import
from mmm_project.problems import QuotaExceeded
from webhooks.event_types import EventType

ERRORS_KEPT = 100
NO_ROWS = "The file has a header but no rows."
SHARE_OF_LOADING = 0.8  # of the progress bar; the rest is settling duplicates


def request_import(
    *,
    workspace: Workspace,
    dataset: Dataset,
    file: Path,
    mapping: dict[str, str],
    by: User | None,
    origin: Import.Origin,
    reading: Reading | None = None,
    layout: str = "",
    ring: bool = True,
) -> Import:
    """Keep a copy of the file and queue its import, without a check before.

    `reading`: how the file is read; None lets the file tell. Raises FileRejected if it does not, or if its header does
    not fit the dataset, and FileTooLarge.
    """
    reading = reading or detect_reading(file, file_name=file.name)
    checker_for(workspace=workspace, path=file, dataset=dataset, mapping=mapping, reading=reading, layout=layout)
    with file.open("rb") as content:
        kept = kept_files.keep(content, workspace_id=workspace.pk, name=file.name)
    return queue_import(
        workspace=workspace,
        dataset=dataset,
        file_name=kept_files.shown_name(file.name),
        kept=kept,
        mapping=mapping,
        reading=reading.as_json(),
        layout=layout,
        by=by,
        origin=origin,
        ring=ring,
    )


def queue_import(
    *,
    workspace: Workspace,
    dataset: str,
    file_name: str,
    kept: KeptFile,
    mapping: dict[str, str],
    reading: dict[str, Any],
    layout: str,
    by: User | None,
    origin: str,
    warnings: Sequence[str] = (),
    ring: bool,
) -> Import:
    """Queue the import of a file that is kept already; `warnings` are of the file as a whole."""
    with transaction.atomic():
        batch = Import.objects.create(
            workspace=workspace,
            job=submit(workspace=workspace, kind=IMPORT_JOB, ring=ring),
            dataset=dataset,
            origin=origin,
            file_name=file_name,
            stored_file=kept.stored,
            checksum=kept.checksum,
            mapping=mapping,
            reading=reading,
            layout=layout,
            warnings=list(warnings),
            requested_by=by,
        )
        record(workspace=workspace, actor=by, action="import.requested", target=batch.file_name, dataset=dataset)
    return batch


def detect_reading(path: Path, *, file_name: str) -> Reading:
    """Return how the file is read. Raises FileRejected if the file alone does not tell."""
    inspection = inspect(path, file_name=file_name)
    if inspection.questions:
        raise FileRejected(inspection.questions[0].text)
    return inspection.reading


def checker_for(
    *,
    workspace: Workspace,
    path: Path,
    dataset: str,
    mapping: dict[str, str],
    reading: Reading,
    layout: str,
) -> Checker:
    """Return what checks the file's rows for the workspace. Raises FileRejected if its header does not fit."""
    clock = Clock(zone=workspace.zone, now=timezone.now(), currency=workspace.currency)
    return Checker(
        path=path,
        dataset=dataset,
        mapping=mapping,
        clock=clock,
        reading=reading,
        layout=layout,
        keep_raw=True,
        former_names=channel_index(workspace=workspace).former_names(),
    )


def run_import(job: Job, progress: Progress) -> None:
    """Carry out an import: check and load in short transactions, settle duplicates, then make it visible in one."""
    batch = Import.objects.select_related("workspace").get(job=job)
    _take_import_lock(batch)
    failed = imports_to_clear().filter(workspace=batch.workspace, status=Import.Status.FAILED)
    for interrupted in (batch, *failed):
        _clear_up(interrupted, job, progress)
    try:
        checker = _open(batch, progress)
        counts = _load(batch, checker, job, progress)
    except FileNotFoundError as error:
        raise JobFailed(kept_files.IS_GONE, code="file_is_gone") from error
    except FileRejected as error:
        raise JobFailed(str(error), code="file_rejected") from error
    except QuotaExceeded as refusal:
        raise JobFailed(refusal.detail, code=refusal.code) from refusal
    if not counts["accepted"]:
        raise JobFailed(_nothing_to_import(counts["rejected"], batch.errors), code="no_valid_rows")
    duplicates = shadow_repeated_touches(batch, after_each=lambda done: progress("Settling", _settling(done)))
    duplicates += admit_new_conversions(batch, after_each=lambda done: progress("Settling", _settling(done)))
    add_up_paths(batch)
    mapping = {field.name: name for field, name in checker.fields.items()}
    batch.accepted, batch.duplicates, batch.mapping = counts["accepted"] - duplicates, duplicates, mapping
    batch.warnings += checker.warnings  # to those of the file as a whole
    progress.complete(lambda: _activate(batch))
    ring_deferred(workspace_id=batch.workspace_id)
    if not batch.workspace.keep_files_days:
        forget_files(batch)


def _open(batch: Import, progress: Progress) -> Checker:
    path = kept_files.path_of(batch.stored_file)
    if batch.origin == Import.Origin.DEMO:
        progress("Building two years of demo data", 0)
        provide_file(batch)
    # Imports that were queued before the way of reading was kept, and those of the demo, have none.
    reading = Reading.from_json(batch.reading) if batch.reading else detect_reading(path, file_name=batch.file_name)
    return checker_for(
        workspace=batch.workspace,
        path=path,
        dataset=batch.dataset,
        mapping=batch.mapping,
        reading=reading,
        layout=batch.layout,
    )


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
    removal = remove_rows(batch, holds_lock=True)
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
    # An attempt that was interrupted may have created some names already.
    dimensions = Dimensions(batch.workspace, created=batch.created_names)
    batch.accepted = batch.rejected = 0
    batch.errors, batch.first_day, batch.last_day, batch.first_at, batch.last_at = [], None, None, None, None
    stored = rows_stored(batch.workspace)
    with keep_rejects(batch.stored_file, checker.header) as rejects:
        for rows in checker:
            with transaction.atomic():
                load_rows(batch, rows, dimensions)
                _hold_claim(job)
                _count(batch, rows)
            rejects.write(rows.errors)
            plans.require_rows(batch.workspace, stored=stored, added=batch.accepted)
            progress("Loading rows", SHARE_OF_LOADING * rows.fraction)
    batch.rejects_file = kept_files.rejects_of(batch.stored_file) if rejects.count else ""
    batch.save(update_fields=["rejects_file"])
    return {"accepted": batch.accepted, "rejected": batch.rejected}


def _count(batch: Import, rows: CheckedRows) -> None:
    batch.accepted += rows.count
    batch.rejected += len(rows.errors)
    room = ERRORS_KEPT - len(batch.errors)
    batch.errors += [
        {"row": error.row, "column": error.column, "reason": error.reason} for error in rows.errors[: max(room, 0)]
    ]
    first, last = days_of(rows, batch.workspace)
    batch.first_day = min(filter(None, (batch.first_day, first)), default=None)
    batch.last_day = max(filter(None, (batch.last_day, last)), default=None)
    if rows.count and (times := rows.cells.get("occurred_at")):
        batch.first_at = min(filter(None, (batch.first_at, _moment(times.values.min()))))
        batch.last_at = max(filter(None, (batch.last_at, _moment(times.values.max()))))
    counted = ["accepted", "rejected", "errors", "first_day", "last_day", "first_at", "last_at"]
    batch.save(update_fields=[*counted, "created_names"])


def days_of(rows: CheckedRows, workspace: Workspace) -> tuple[dt.date | None, dt.date | None]:
    """Return the first and last day that the rows speak of, in the workspace's zone."""
    if not rows.count:
        return None, None
    starts = next((rows.cells[name].values for name in ("date", "occurred_at", "start") if name in rows.cells), None)
    if starts is None:
        return None, None  # paths of no day in particular
    ends = rows.cells["end"].values if "end" in rows.cells else starts
    if ends.dtype.kind == "M":  # an event may have no end: it is that day's
        ends = np.where(np.isnat(ends), starts, ends)
        starts, ends = starts[~np.isnat(starts)], ends[~np.isnat(ends)]
        if not len(starts):
            return None, None
    return _day(starts.min(), workspace), _day(ends.max(), workspace)


def _day(value: np.datetime64 | np.int64, workspace: Workspace) -> dt.date:
    if isinstance(value, np.datetime64):
        day: dt.date = value.astype(object)
        return day
    return _moment(value).astimezone(workspace.zone).date()


def _moment(microseconds: np.int64) -> dt.datetime:
    return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=int(microseconds))


def _activate(batch: Import) -> None:
    """Make the import's rows visible: one UPDATE of its status, figures restated and versions moved along with it.

    Its mapping is by now the whole one, with the columns that bear a field's own name.
    """
    keep_measures_unsaid(batch, fields=batch.mapping)
    repeated = count_equal_figures(batch)
    restate(batch)
    Import.objects.filter(pk=batch.pk, status=Import.Status.LOADING).update(
        status=Import.Status.ACTIVE,
        accepted=batch.accepted - repeated,
        duplicates=batch.duplicates + repeated,
        mapping=batch.mapping,
        warnings=batch.warnings,
        activated_at=timezone.now(),
    )
    follow_time_zone(Import.objects.filter(pk=batch.pk), zone=Workspace.objects.get(pk=batch.workspace_id).zone)
    for dataset in datasets_touched(batch):
        move_version(batch=batch, dataset=dataset)
    record(workspace=batch.workspace, actor=batch.requested_by, action="import.finished", target=batch.file_name)
    announce_import(batch, EventType.IMPORT_FINISHED, Import.Status.ACTIVE)


def move_version(*, batch: Import, dataset: str) -> None:
    """Put the import into the dataset's version, or, as XOR is its own inverse, take it out again."""
    toggle_mark(workspace=batch.workspace, dataset=dataset, mark=f"{dataset} import {batch.pk}")


def _nothing_to_import(rejected: int, errors: list[dict[str, Any]]) -> str:
    if not rejected:
        return NO_ROWS
    first = errors[0]
    where = f", column “{first['column']}”" if first["column"] else ""
    reason = f"row {first['row']}{where}: {first['reason']}."
    if rejected == 1:
        return f"The only row cannot be imported: {reason}"
    return f"None of the {rejected:,} rows can be imported. The first: {reason}"


def _settling(done: float) -> float:
    return SHARE_OF_LOADING + (1 - SHARE_OF_LOADING) * done
