"""Keeping health reports current: what every sweep looks at, and asks for."""

import datetime as dt

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts.models import Workspace
from jobs import actions as job_actions
from jobs.models import Job
from marketing.health.reports import JOB_KIND, today, versions
from marketing.models import HealthReport, Import

LIVE = (Job.Status.QUEUED, Job.Status.RUNNING)
# Imports on their way are waited for, as each would make the report outdated again; but not for ever.
LONGEST_WAIT_FOR_IMPORTS = dt.timedelta(minutes=10)
# A look that came to nothing is not taken again at once.
PAUSE_AFTER_FAILURE = dt.timedelta(minutes=10)


def keep_reports_current() -> None:
    """Ask for the report of each workspace whose data, settings or day have moved on; clear away old jobs.

    The same number of queries for any number of workspaces, beside what there is to do.
    """
    now = timezone.now()
    workspaces = _workspaces()
    if not workspaces:
        return
    jobs = _newest_jobs()
    present = versions(workspaces)
    kept = {report.workspace_id: report for report in HealthReport.objects.defer("report")}
    on_their_way = Import.objects.filter(status__in=[Import.Status.PENDING, Import.Status.LOADING])
    importing = set(on_their_way.order_by().values_list("workspace", flat=True))
    for workspace in workspaces:
        report, job = kept.get(workspace.pk), jobs.get(workspace.pk)
        if report and (report.data_version, report.day) == (present[workspace.pk], today(workspace)):
            continue
        if job is not None and _stands_in_the_way(job, now):
            continue
        if workspace.pk in importing and _is_waited_for(workspace, report, now):
            continue
        with transaction.atomic():
            job_actions.submit(workspace=workspace, kind=JOB_KIND)


def _workspaces() -> list[Workspace]:
    """The workspaces that hold data, or had some that their report still speaks of; with `data_since`."""
    active = Import.objects.filter(workspace=OuterRef("pk"), status=Import.Status.ACTIVE)
    reported = HealthReport.objects.filter(workspace=OuterRef("pk"))
    workspaces = Workspace.objects.filter(Exists(active) | Exists(reported))
    first = active.order_by("activated_at").values("activated_at")[:1]
    return list(workspaces.annotate(data_since=first).order_by("pk"))


def _newest_jobs() -> dict[int, Job]:
    """The newest report job of each workspace; older ones that have ended are forgotten."""
    newest: dict[int, Job] = {}
    for job in Job.objects.filter(kind=JOB_KIND).order_by("-pk"):
        if job.workspace_id not in newest:
            newest[job.workspace_id] = job
        elif job.finished:
            job_actions.forget(job=job)
    return newest


def _stands_in_the_way(job: Job, now: dt.datetime) -> bool:
    if job.status in LIVE:
        return True
    failed = job.status != Job.Status.DONE and job.finished_at is not None
    return failed and now - (job.finished_at or now) < PAUSE_AFTER_FAILURE


def _is_waited_for(workspace: Workspace, report: HealthReport | None, now: dt.datetime) -> bool:
    """Whether imports on their way are waited for: what can be seen, of report or data, is not too old yet."""
    since = report.computed_at if report else workspace.data_since  # type: ignore[attr-defined] # annotated
    return since is None or now - since < LONGEST_WAIT_FOR_IMPORTS
