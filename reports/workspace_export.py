"""A workspace as one ZIP: all that it holds, written in the background, to be fetched for a week."""

import io
import json
import os
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Sum
from django.utils import timezone

from accounts.audit import record
from accounts.models import User, Workspace
from jobs.actions import submit
from jobs.models import Job
from jobs.progress import Progress
from marketing.models import Import
from mmm_project.tables import csv_lines
from reports.workspace_history import audit_of, deliveries_of, imports_of, runs_of, settings_of
from reports.workspace_rows import workspace_rows

EXPORT_JOB = "reports.export_workspace"
FOLDER = "exports"
KEPT = timedelta(days=7)
LIVE = (Job.Status.QUEUED, Job.Status.RUNNING)
LINES_AT_ONCE = 5_000
SHARE_OF_ROWS = 0.95  # of the progress bar; the rest is all but the datasets
HISTORY = (("imports", imports_of), ("runs", runs_of), ("deliveries", deliveries_of), ("audit", audit_of))
READ_ME = """\
{name}: everything that the workspace held on {at:%d %B %Y, %H:%M} UTC.

workspace.json   settings, plan, members, API keys (without their secrets), channels, goals, segments and other names,
                 reports, schedules and alerts with their recipients
*.csv            the rows of each dataset, under the names of its fields, so that they can be imported again; `import`
                 is the id of the import that brought a row, and `counts` whether it counts or another row says the same
imports.ndjson   the history of imports, one JSON object a line
runs.ndjson      the analyses: what was asked, and what came out
deliveries.ndjson  the mails that went out: what, to whom, when, and what came of it
audit.ndjson     the audit log

Customers are named by the keyed hashes of their keys: the keys themselves are not stored. Uploaded files are not in
here. Text in the CSV files that a spreadsheet would take for a formula begins with an apostrophe.
"""


@dataclass(frozen=True, kw_only=True)
class Export:
    """The newest export of a workspace. `path`, `size` (bytes) and `expires_at` are there once it can be fetched."""

    job: Job
    path: Path | None = None
    size: int = 0
    expires_at: datetime | None = None


def newest_export(workspace: Workspace) -> Export | None:
    """Return the export that was asked for last, unless it is done and its time is over."""
    job = Job.objects.filter(workspace=workspace, kind=EXPORT_JOB).order_by("-pk").first()
    if job is None or job.status != Job.Status.DONE or job.finished_at is None:
        return Export(job=job) if job else None
    path, expires_at = _place(workspace.pk, f"{job.pk}.zip"), job.finished_at + KEPT
    if expires_at <= timezone.now() or not path.is_file():
        return None
    return Export(job=job, path=path, size=path.stat().st_size, expires_at=expires_at)


def request_export(*, workspace: Workspace, by: User | None, ring: bool = True) -> Job:
    """Queue an export; if one is on its way already, return its job."""
    with transaction.atomic():
        Workspace.objects.select_for_update().get(pk=workspace.pk)
        live = Job.objects.filter(workspace=workspace, kind=EXPORT_JOB, status__in=LIVE).first()
        if live is not None:
            return live
        record(workspace=workspace, actor=by, action="workspace.export_requested", target=workspace.slug)
        return submit(workspace=workspace, kind=EXPORT_JOB, ring=ring)


def run_export(job: Job, progress: Progress) -> None:
    """The job handler: write the archive beside its place, and put it there when it is whole."""
    draft = _place(job.workspace_id, f"{job.pk}.{job.fence}.draft")
    draft.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with draft.open("wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
                _fill(archive, job.workspace, progress)
            file.flush()
            os.fsync(file.fileno())
        progress.complete(lambda: _publish(draft, job))
    finally:
        draft.unlink(missing_ok=True)


def remove_drafts(job: Job) -> None:
    """Run when an export fails or is cancelled: nothing of it stays."""
    for path in _place(job.workspace_id, "").glob(f"{job.pk}.*"):
        path.unlink(missing_ok=True)


def sweep_exports() -> None:
    """Remove the archives whose time is over, and drafts that a dead process left behind."""
    oldest = time.time() - KEPT.total_seconds()
    for path in (Path(settings.MEDIA_ROOT) / FOLDER).glob("*/*"):
        if path.is_file() and path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)


def _place(workspace_id: int, name: str) -> Path:
    return Path(settings.MEDIA_ROOT) / FOLDER / str(workspace_id) / name


def _publish(draft: Path, job: Job) -> None:
    """Put the archive in its place; earlier ones are not kept beside it."""
    place = draft.with_name(f"{job.pk}.zip")
    draft.rename(place)
    for other in place.parent.glob("*.zip"):
        if other != place:
            other.unlink(missing_ok=True)


def _fill(archive: zipfile.ZipFile, workspace: Workspace, progress: Progress) -> None:
    archive.writestr("README.txt", READ_ME.format(name=workspace.name, at=timezone.now()))
    archive.writestr("workspace.json", _json(settings_of(workspace), indent=1))
    active = Import.objects.filter(workspace=workspace, status=Import.Status.ACTIVE)
    total = max(active.aggregate(rows=Sum(F("accepted") + F("duplicates")))["rows"] or 0, 1)
    written = 0

    def report(lines: int) -> None:
        nonlocal written
        written += lines
        progress("Writing rows", SHARE_OF_ROWS * min(written / total, 1))

    for table in workspace_rows():
        lines = csv_lines(_headed(table.header, table.read(workspace)))
        _write(archive, f"{table.dataset}.csv", lines, report)
    for name, objects in HISTORY:
        progress("Writing the history", SHARE_OF_ROWS)
        _write(archive, f"{name}.ndjson", (f"{_json(each)}\n" for each in objects(workspace)), lambda _lines: None)


def _headed(header: Any, rows: Iterator[Any]) -> Iterator[Any]:
    yield header
    yield from rows


def _write(archive: zipfile.ZipFile, name: str, lines: Iterable[str], report: Callable[[int], None]) -> None:
    """Write a member of the archive line by line."""
    with (
        archive.open(name, "w", force_zip64=True) as member,
        io.TextIOWrapper(member, encoding="utf-8", newline="") as text,
    ):
        for number, line in enumerate(lines, start=1):
            text.write(line)
            if not number % LINES_AT_ONCE:
                report(LINES_AT_ONCE)


def _json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, default=str, indent=indent)
