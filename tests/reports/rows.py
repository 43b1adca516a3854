"""One row of each model of reports, for tests that only need that there is one."""

import datetime as dt
from dataclasses import dataclass

from django.utils import timezone

from accounts.models import Workspace
from jobs.models import Job
from reports.models import (
    Alert,
    AlertEvent,
    Branding,
    Delivery,
    Edition,
    ExportFile,
    Occurrence,
    Recipient,
    Report,
    Schedule,
)
from tests.weightings.results import finished


@dataclass(frozen=True)
class Rows:
    report: Report
    edition: Edition
    schedule: Schedule
    alert: Alert
    delivery: Delivery
    export_file: ExportFile


def add_rows(workspace: Workspace, *, name: str = "Monthly review") -> Rows:
    """A report with an edition that has failed, which a schedule sent somebody; an alert; a file; a look."""
    now = timezone.now()
    report = Report.objects.create(
        workspace=workspace,
        name=name,
        period="previous_month",
        blocks=[{"id": "text", "kind": "text", "title": name, "params": {"text": name}}],
    )
    edition = Edition.objects.create(
        workspace=workspace,
        report=report,
        job=_job(workspace, "reports.edition", Job.Status.FAILED),
        title=name,
        start=dt.date(2026, 6, 1),
        end=dt.date(2026, 6, 30),
        definition={"blocks": report.blocks, "comparison": "none", "campaign": None, "formats": []},
        trigger=Edition.Trigger.SCHEDULE,
    )
    schedule = Schedule.objects.create(
        workspace=workspace,
        name=name,
        report=report,
        period="previous_month",
        formats=["pdf"],
        frequency=Schedule.Frequency.MONTHLY,
        month_day=1,
        time=dt.time(9),
        zone="Europe/Berlin",
        next_run_at=now + dt.timedelta(days=30),
    )
    occurrence = Occurrence.objects.create(schedule=schedule, due_at=now, claimed_at=now, edition=edition)
    recipient = Recipient.objects.create(schedule=schedule, email="reader@example.com")
    alert = Alert.objects.create(
        workspace=workspace,
        name=name,
        metric=Alert.Metric.REVENUE,
        condition=Alert.Condition.BELOW,
        threshold=100,
        watched_from=dt.date(2026, 6, 1),
    )
    Recipient.objects.create(alert=alert, email="watcher@example.com")
    AlertEvent.objects.create(alert=alert, day=dt.date(2026, 6, 30), value=90.0, sentence=f"{name} is low.")
    delivery = Delivery.objects.create(
        workspace=workspace,
        purpose=Delivery.Purpose.REPORT,
        occurrence=occurrence,
        edition=edition,
        recipient=recipient,
        email=recipient.email,
        subject=name,
        formats=["pdf"],
        status=Delivery.Status.SENT,
        job=_job(workspace, "reports.deliver", Job.Status.DONE),
        sent_at=now,
    )
    run = finished(workspace)
    run.fingerprint = name
    run.job.save()
    run.save()
    export_file = ExportFile.objects.create(
        workspace=workspace, job=_job(workspace, "reports.export_file", Job.Status.DONE), run=run, form="pdf"
    )
    Branding.objects.get_or_create(workspace=workspace, defaults={"colour": "#123456", "paper": Branding.Paper.LETTER})
    return Rows(report, edition, schedule, alert, delivery, export_file)


def _job(workspace: Workspace, kind: str, status: Job.Status) -> Job:
    return Job.objects.create(workspace=workspace, kind=kind, status=status, finished_at=timezone.now())
