"""How long files are kept: what is no longer needed goes, bit by bit and safe to repeat."""

import datetime as dt

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Workspace
from jobs.models import Job
from marketing.importing import kept_files
from marketing.models import Import, Upload

UPLOAD_DAYS = 7  # a file that nobody has imported by then is forgotten
ORPHAN_HOURS = 24  # a file that no row tells of was left by a crash, unless it has only just been written
ENDED = (Import.Status.ACTIVE, Import.Status.FAILED, Import.Status.UNDONE)
LIVE = (Job.Status.QUEUED, Job.Status.RUNNING)


def remove_expired_files(*, now: dt.datetime | None = None) -> int:
    """Remove the files whose time is over, of every workspace; return how many imports and uploads lost theirs."""
    now = now or timezone.now()
    removed = sum(forget_upload(upload) for upload in _expired_uploads(now))
    for workspace in Workspace.objects.order_by("pk"):
        for batch in _expired_imports(workspace, now).iterator():
            forget_files(batch)
            removed += 1
        _remove_orphans(workspace, now)
    return removed


def forget_files(batch: Import) -> None:
    """Remove the file of an import that has ended, and its rejected rows; the counts and reasons stay."""
    if batch.origin == Import.Origin.DEMO:
        return  # it is one with the other files of the demo, and goes with them
    kept_files.remove(batch.stored_file, batch.rejects_file)
    Import.objects.filter(pk=batch.pk).update(file_removed_at=timezone.now(), rejects_file="")


def forget_upload(upload: Upload) -> bool:
    """Remove an upload that has not become an import, and its file. Returns whether it has."""
    with transaction.atomic():
        # Whoever imports it at this moment has it first, or finds it gone.
        unused = Upload.objects.select_for_update().filter(pk=upload.pk, batch=None).first()
        if unused is None:
            return False
        unused.delete()
    kept_files.remove(upload.stored_file, upload.rejects_file)
    return True


def _expired_imports(workspace: Workspace, now: dt.datetime) -> QuerySet[Import]:
    """Imports that have ended, and long enough ago: one that waits or runs needs its file."""
    ended_before = now - dt.timedelta(days=workspace.keep_files_days)
    kept = Import.objects.filter(workspace=workspace, file_removed_at=None).exclude(origin=Import.Origin.DEMO)
    # The job of an import that counts has ended with it; that of one that failed may be about to be tried again.
    return kept.filter(status__in=ENDED, job__status__in=Job.ENDED, job__finished_at__lte=ended_before)


def _expired_uploads(now: dt.datetime) -> QuerySet[Upload]:
    old = Upload.objects.filter(batch=None, created_at__lte=now - dt.timedelta(days=UPLOAD_DAYS))
    return old.exclude(check_job__status__in=LIVE)


def _remove_orphans(workspace: Workspace, now: dt.datetime) -> None:
    """Remove files that no row tells of: a process ended between writing one and noting it."""
    folder = kept_files.folder_of(workspace.pk)
    written_before = (now - dt.timedelta(hours=ORPHAN_HOURS)).timestamp()
    old = [path for path in folder.glob("*") if path.is_file() and path.stat().st_mtime < written_before]
    if not old:
        return
    known = {
        name
        for model in (Import, Upload)
        for names in model._default_manager.filter(workspace=workspace).values_list("stored_file", "rejects_file")
        for name in names
    }
    for path in old:
        if kept_files.stored_name(path) not in known:
            path.unlink(missing_ok=True)
