"""Delete a workspace: for its members it is gone at once, and a job then removes what it held, bit by bit.

The last transaction takes away the workspace's own row, and with it that of the job which does so. Audit events stay.
"""

import shutil
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet, RestrictedError

from accounts.audit import record
from accounts.closing import close_workspace
from accounts.models import AuditEvent, User, Workspace
from analyses import runs
from jobs import actions as job_actions
from jobs.handlers import JobDeferred
from jobs.models import Job
from jobs.progress import Progress
from marketing.importing.removal import remove_rows
from marketing.models import Customer, Import
from reports.models import Alert, Branding, Delivery, Edition, ExportFile, Report, Schedule
from webhooks import retention as webhooks

DELETION_JOB = "reports.delete_workspace"
REQUESTED = "workspace.deletion_requested"
LIVE = (Job.Status.QUEUED, Job.Status.RUNNING)
CUSTOMERS_AT_ONCE = 20_000
RUNS_AT_ONCE = 200
IMPORTS_AT_ONCE = 500
REPORTS_AT_ONCE = 500
JOBS_AT_ONCE = 1_000
SHARE_OF_ROWS = 0.8  # of the progress bar


def request_deletion(*, workspace: Workspace, by: User | None, ring: bool = True) -> Job:
    """Shut everybody out and queue the deletion; asked again, return the job there is, or another if it failed."""
    with transaction.atomic():
        stored = Workspace.objects.select_for_update().get(pk=workspace.pk)
        if live := Job.objects.filter(workspace=stored, kind=DELETION_JOB, status__in=LIVE).first():
            return live
        first = _requests(stored).last()
        slug = first.target if first else stored.slug  # closing changes it
        _stop_others(stored)
        close_workspace(workspace=stored)
        job = job_actions.submit(workspace=stored, kind=DELETION_JOB, ring=ring)
        record(workspace=stored, actor=by, action=REQUESTED, target=slug, name=stored.name, job=job.pk)
    return job


def run_deletion(job: Job, progress: Progress) -> None:
    """The job handler: remove rows, runs, imports and files, then the workspace itself. Safe to repeat."""
    workspace = job.workspace
    _stop_others(workspace, but=job)
    if Job.objects.filter(workspace=workspace, status=Job.Status.RUNNING).exclude(pk=job.pk).exists():
        raise JobDeferred  # they have been told to stop
    imports = Import.objects.filter(workspace=workspace)
    imports.filter(status=Import.Status.ACTIVE).update(
        status=Import.Status.UNDONE
    )  # nothing computes with them any more
    _delete_rows(imports, progress)
    _delete_customers(workspace, progress)
    _delete_reports(workspace, progress)
    while webhooks.forget_some(workspace=workspace, at_once=REPORTS_AT_ONCE):
        progress("Deleting webhooks", SHARE_OF_ROWS)
    while runs.forget_some(workspace=workspace, at_once=RUNS_AT_ONCE):
        progress("Deleting runs", SHARE_OF_ROWS)
    while some := list(imports.order_by("pk").values_list("pk", flat=True)[:IMPORTS_AT_ONCE]):
        Import.objects.filter(pk__in=some).delete()
        progress("Deleting the history", SHARE_OF_ROWS)
    try:
        while job_actions.forget_some(workspace=workspace, at_once=JOBS_AT_ONCE):
            progress("Deleting the history", SHARE_OF_ROWS)
    except RestrictedError as error:
        raise JobDeferred from error  # a run was asked for, and answered, in between
    _remove_files(workspace.pk)
    workspace_id = workspace.pk
    progress.complete(lambda: _delete_workspace(workspace))
    _remove_files(workspace_id)  # what a straggler wrote meanwhile


def being_deleted(slug: str) -> Workspace | None:
    """Return the closed workspace that had this slug, if its rows are still there."""
    asked = AuditEvent.objects.filter(action=REQUESTED, target=slug, workspace__isnull=False)
    request = asked.select_related("workspace").first()
    return request.workspace if request else None


def _requests(workspace: Workspace) -> QuerySet[AuditEvent]:
    """The requests to delete the workspace, newest first."""
    return AuditEvent.objects.filter(workspace=workspace, action=REQUESTED)


def _stop_others(workspace: Workspace, but: Job | None = None) -> None:
    live = Job.objects.filter(workspace=workspace, status__in=LIVE)
    others = live.exclude(pk=but.pk) if but else live
    for other in others.select_related("workspace"):
        job_actions.request_cancel(job=other, by=None)


def _delete_rows(imports: QuerySet[Import], progress: Progress) -> None:
    left = list(imports.order_by("pk").only("pk", "accepted", "duplicates"))
    total = max(sum(batch.accepted + batch.duplicates for batch in left), 1)
    deleted = 0
    for batch in left:
        for count in remove_rows(batch):
            deleted += count
            progress("Deleting rows", SHARE_OF_ROWS * min(deleted / total, 1))


def _delete_customers(workspace: Workspace, progress: Progress) -> None:
    customers = Customer.objects.filter(workspace=workspace)
    while some := list(customers.values_list("pk", flat=True)[:CUSTOMERS_AT_ONCE]):
        gone = Customer.objects.filter(pk__in=some)
        gone._raw_delete(gone.db)  # noqa: SLF001 - no row refers to them any more: looking for some costs a scan each
        progress("Deleting customers", SHARE_OF_ROWS)


def _delete_reports(workspace: Workspace, progress: Progress) -> None:
    """Delete reports and what went out of them, which hold on to their jobs; what refers to others goes first."""
    for model in (Delivery, Schedule, Alert, ExportFile, Edition, Report, Branding):
        rows: QuerySet[Any] = model._default_manager.filter(workspace=workspace)
        while some := list(rows.values_list("pk", flat=True)[:REPORTS_AT_ONCE]):
            rows.filter(pk__in=some).delete()
            progress("Deleting reports", SHARE_OF_ROWS)


def _delete_workspace(workspace: Workspace) -> None:
    request = _requests(workspace).select_related("actor").first()
    slug, actor = (request.target, request.actor) if request else (workspace.slug, None)
    Workspace.objects.filter(pk=workspace.pk).delete()
    record(workspace=None, actor=actor, action="workspace.deleted", target=slug)


def _remove_files(workspace_id: int) -> None:
    """Remove the workspace's folder from each kind of file below MEDIA_ROOT, where every workspace has one."""
    for folder in Path(settings.MEDIA_ROOT).glob(f"*/{workspace_id}"):
        shutil.rmtree(folder, ignore_errors=True)
