"""Files are kept as long as the workspace wishes and no longer; what an import still needs is not touched."""

import datetime as dt
import os
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import Workspace
from jobs.actions import submit
from jobs.models import Job
from marketing.importing import kept_files, uploads
from marketing.importing.retention import ORPHAN_HOURS, UPLOAD_DAYS, remove_expired_files
from marketing.models import Import, Upload
from marketing.tasks import remove_expired_files as remove_expired_files_task
from tests.factories import WorkspaceFactory
from tests.marketing.uploading import bring_in, check, kept_below, reloaded, spend_file, start

pytestmark = pytest.mark.usefixtures("media_root")
DAY = dt.timedelta(days=1)


def keep_for(workspace: Workspace, days: int) -> None:
    workspace.keep_files_days = days
    workspace.save(update_fields=["keep_files_days"])


def test_files_go_when_they_have_been_kept_for_as_long_as_the_workspace_wishes(
    shop: Workspace, media_root: Path
) -> None:
    keep_for(shop, 30)
    batch = bring_in(check(start(shop, spend_file())))
    assert batch.job.finished_at is not None
    assert remove_expired_files(now=batch.job.finished_at + 29 * DAY) == 0
    assert kept_below(media_root) == ["csv", "csv.rejects.csv"]
    assert remove_expired_files(now=batch.job.finished_at + 30 * DAY) == 1
    assert kept_below(media_root) == []
    batch.refresh_from_db()
    assert batch.file_removed_at is not None
    assert (batch.rejects_file, batch.accepted, batch.rejected, len(batch.errors)) == ("", 97, 3, 3)
    assert remove_expired_files(now=batch.job.finished_at + 31 * DAY) == 0


def test_a_workspace_that_keeps_no_files_has_none_once_an_import_has_ended(shop: Workspace, media_root: Path) -> None:
    keep_for(shop, 0)
    batch = bring_in(check(start(shop, spend_file())))
    assert batch.status == Import.Status.ACTIVE
    assert kept_below(media_root) == []
    assert batch.file_removed_at is not None


@pytest.mark.parametrize("status", [Import.Status.PENDING, Import.Status.LOADING])
def test_an_import_that_waits_or_runs_keeps_its_file(shop: Workspace, status: str) -> None:
    keep_for(shop, 0)
    batch = uploads.import_valid_rows(upload=check(start(shop, spend_file())), by=None, ring=False)
    Import.objects.filter(pk=batch.pk).update(status=status)
    assert remove_expired_files(now=timezone.now() + 400 * DAY) == 0
    assert kept_files.path_of(batch.stored_file).is_file()


def test_the_files_of_failed_and_undone_imports_go_too(shop: Workspace, media_root: Path) -> None:
    keep_for(shop, 7)
    for status in (Import.Status.FAILED, Import.Status.UNDONE):
        batch = bring_in(check(start(shop, spend_file())))
        Import.objects.filter(pk=batch.pk).update(status=status)
    assert remove_expired_files(now=timezone.now() + 8 * DAY) == 2
    assert kept_below(media_root) == []


def test_an_upload_that_nobody_imports_is_forgotten_after_a_week(shop: Workspace, media_root: Path) -> None:
    checked = check(start(shop, spend_file()))
    being_checked = start(shop, spend_file())
    uploads.request_check(upload=being_checked, ring=False)
    assert remove_expired_files(now=timezone.now() + (UPLOAD_DAYS - 1) * DAY) == 0
    assert remove_expired_files(now=timezone.now() + UPLOAD_DAYS * DAY) == 1
    assert list(Upload.objects.all()) == [being_checked]
    assert not kept_files.path_of(checked.stored_file).exists()
    assert kept_files.path_of(being_checked.stored_file).exists()


def test_an_upload_that_became_an_import_is_kept_with_it(shop: Workspace) -> None:
    upload = check(start(shop, spend_file()))
    batch = bring_in(upload)
    assert remove_expired_files(now=timezone.now() + (UPLOAD_DAYS + 1) * DAY) == 0
    assert reloaded(upload).batch == batch


def test_a_file_that_no_row_tells_of_goes_after_a_day(shop: Workspace, media_root: Path) -> None:
    kept = start(shop, spend_file())
    folder = kept_files.folder_of(shop.pk)
    old, fresh = folder / "left-by-a-crash.csv", folder / "just-being-written.csv"
    for path in (old, fresh, kept_files.path_of(kept.stored_file)):
        path.touch()
        if path != fresh:
            long_ago = (timezone.now() - dt.timedelta(hours=ORPHAN_HOURS + 1)).timestamp()
            os.utime(path, (long_ago, long_ago))
    remove_expired_files()
    assert sorted(path.name for path in folder.iterdir()) == sorted([fresh.name, Path(kept.stored_file).name])


def test_another_workspaces_wish_is_not_this_ones(shop: Workspace, media_root: Path) -> None:
    elsewhere = WorkspaceFactory.create()
    keep_for(shop, 365)
    keep_for(elsewhere, 7)
    bring_in(check(start(shop, "date,outcome,value\n2026-01-01,Sales,1\n")))
    bring_in(check(start(elsewhere, "date,outcome,value\n2026-01-01,Sales,1\n")))
    assert remove_expired_files(now=timezone.now() + 8 * DAY) == 1
    assert [path.parent.name for path in (media_root / "imports").rglob("*.csv")] == [str(shop.pk)]


def test_the_scheduler_has_it_done(shop: Workspace) -> None:
    batch = bring_in(check(start(shop, spend_file())))
    Job.objects.filter(pk=batch.job_id).update(finished_at=timezone.now() - 91 * DAY)
    remove_expired_files_task()
    batch.refresh_from_db()
    assert batch.file_removed_at is not None


def test_the_files_of_a_deleted_workspace_go_with_it(
    shop: Workspace, media_root: Path, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    bring_in(check(start(shop, spend_file())))
    submit(workspace=shop, kind="marketing.import", ring=False)
    (media_root / "snapshots" / str(shop.pk)).mkdir(parents=True)
    others = media_root / "imports" / "0"
    others.mkdir()
    pk = shop.pk
    with django_capture_on_commit_callbacks(execute=True):
        shop.delete()
    assert not [folder for folder in media_root.glob("*/*") if folder.name == str(pk)]
    assert others.is_dir()
