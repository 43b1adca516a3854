"""Files that take too long for a page to wait for: made by a worker, fetched for a week, then removed."""

import os
import time
import uuid
from datetime import timedelta
from importlib import import_module
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.audit import record
from accounts.models import ApiKey, User, Workspace
from analyses import registry
from analyses.documents import Document
from analyses.models import Run
from jobs import actions as job_actions
from jobs.models import Job
from jobs.progress import Progress
from mmm_project.problems import NotFound
from reports.branding.look import Look
from reports.branding.looks import asked_look
from reports.exports import FORMATS, format_of, safe_name, write
from reports.models import Branding, ExportFile

FILE_JOB = "reports.export_file"
FOLDER, DRAFT = "export_files", ".draft"
KEPT = timedelta(days=7)
ORPHANS_KEPT = KEPT + timedelta(days=1)
SWEPT_AT_ONCE = 200
LIVE = (Job.Status.QUEUED, Job.Status.RUNNING)


def request_file(
    *, run: Run, form: str, paper: str, by: User | None, api_key: ApiKey | None = None, ring: bool = True
) -> ExportFile:
    """Queue the making of a file; if there is one already, on its way or ready, return that.

    `paper`: "" for the workspace's own. Raises NotFound for an unknown format, Invalid for an unknown paper.
    """
    format_of(form)
    asked_look(run.workspace, paper)
    with transaction.atomic():
        Workspace.objects.select_for_update().get(pk=run.workspace_id)
        if (found := _usable(run, form, paper)) is not None:
            return found
        record(
            workspace=run.workspace,
            actor=by,
            api_key=api_key,
            action="export.requested",
            target=f"{form} of run {run.pk}",
        )
        job = job_actions.submit(workspace=run.workspace, kind=FILE_JOB, ring=ring)
        return ExportFile.objects.create(
            workspace=run.workspace, job=job, run=run, form=form, paper=paper, requested_by=by
        )


def _usable(run: Run, form: str, paper: str) -> ExportFile | None:
    """The newest file of this kind, unless it has ended without one, or is over, or its look has been changed."""
    files = ExportFile.objects.select_related("job").filter(workspace=run.workspace, run=run, form=form, paper=paper)
    newest = files.order_by("-created_at").first()
    if newest is None or newest.job.status in LIVE:
        return newest
    looks_otherwise = Branding.objects.filter(workspace=run.workspace, updated_at__gte=newest.created_at).exists()
    return None if looks_otherwise or place_of(newest) is None else newest


def place_of(file: ExportFile) -> Path | None:
    """Return where the finished file is; None where it is not ready, or no longer there."""
    if not file.path or file.expires_at is None or file.expires_at <= timezone.now():
        return None
    place = Path(settings.MEDIA_ROOT) / file.path
    return place if place.is_file() else None


def get_file(*, workspace: Workspace, file_id: uuid.UUID) -> ExportFile:
    """Return a file of the workspace. Raises NotFound."""
    files = ExportFile.objects.select_related("job", "run", "run__workspace", "workspace")
    found = files.filter(workspace=workspace, pk=file_id).first()
    if found is None:
        raise NotFound("There is no such file. Files that were prepared are kept for 7 days.")
    return found


def make_file(job: Job, progress: Progress) -> None:
    """The job handler: write the file beside its place, and put it there when it is whole. Safe to repeat."""
    files = ExportFile.objects.select_related("run__workspace", "run__job", "run__requested_by", "run__api_key")
    file = files.filter(job=job).first()
    if file is None:
        return  # its run has been deleted meanwhile
    progress("Reading the result", 0.05)
    document = registry.get(file.run.kind).document(file.run)
    draft = _folder(file.workspace_id) / f"{file.pk}.{job.fence}{DRAFT}"
    draft.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    progress(f"Writing the {FORMATS[file.form].label} file", 0.2)
    try:
        _write(draft, document, file.form, asked_look(file.run.workspace, file.paper))
        progress.complete(lambda: _publish(draft, file, document, job))
    finally:
        draft.unlink(missing_ok=True)


def _write(draft: Path, document: Document, form: str, look: Look) -> None:
    with draft.open("wb") as out:
        if FORMATS[form].streams:
            out.writelines(import_module(f"reports.exports.{FORMATS[form].module}").pieces(document))
        else:
            out.write(write(document, form, look))
        out.flush()
        os.fsync(out.fileno())


def _publish(draft: Path, file: ExportFile, document: Document, job: Job) -> None:
    """Put the file in its place, within the transaction that ends the job; what dead workers left of it goes."""
    place = draft.with_name(f"{file.pk}.{job.fence}.{file.form}")
    size = draft.stat().st_size
    _remove(file, but=draft)
    draft.rename(place)
    ExportFile.objects.filter(pk=file.pk).update(
        name=safe_name(f"{document.file_name}.{file.form}")[:255],
        path=str(place.relative_to(settings.MEDIA_ROOT)),
        bytes=size,
        expires_at=timezone.now() + KEPT,
    )


def remove_drafts(job: Job) -> None:
    """Run when making a file fails or is cancelled: nothing of it stays."""
    for file in ExportFile.objects.filter(job=job):
        _remove(file)


def sweep_files() -> None:
    """Remove the files whose time is over, and what dead processes and deleted runs left behind."""
    now = timezone.now()
    ended = Q(job__status__in=(Job.Status.FAILED, Job.Status.CANCELLED), created_at__lt=now - KEPT)
    over = ExportFile.objects.select_related("job").filter(Q(expires_at__lt=now) | ended)
    for file in over[:SWEPT_AT_ONCE]:
        with transaction.atomic():
            ExportFile.objects.filter(pk=file.pk).delete()
            job_actions.forget(job=file.job)
        _remove(file)
    _forget_orphans()


def _forget_orphans() -> None:
    """Remove the jobs and files whose rows went with their runs; drafts later, as a worker may be writing them."""
    for job in Job.objects.filter(kind=FILE_JOB, status__in=Job.ENDED, export_file=None)[:SWEPT_AT_ONCE]:
        job_actions.forget(job=job)
    oldest = time.time() - ORPHANS_KEPT.total_seconds()
    paths = [path for path in (Path(settings.MEDIA_ROOT) / FOLDER).glob("*/*") if path.is_file()]
    # Read after the files were listed: a row is there before its file.
    known = {str(pk) for pk in ExportFile.objects.values_list("pk", flat=True)} if paths else set()
    for path in paths:
        is_ownerless = path.name.partition(".")[0] not in known and path.suffix != DRAFT
        if is_ownerless or _is_older(path, oldest):
            path.unlink(missing_ok=True)


def _is_older(path: Path, oldest: float) -> bool:
    try:
        return path.stat().st_mtime < oldest
    except FileNotFoundError:  # another sweep was here
        return False


def _remove(file: ExportFile, *, but: Path | None = None) -> None:
    for path in _folder(file.workspace_id).glob(f"{file.pk}.*"):
        if path != but:
            path.unlink(missing_ok=True)


def _folder(workspace_id: int) -> Path:
    return Path(settings.MEDIA_ROOT) / FOLDER / str(workspace_id)
