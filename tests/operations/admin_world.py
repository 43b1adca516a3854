"""Rows of every model that the admin shows, as many as a test wants: all in one workspace, and about one person."""

import datetime as dt
from collections.abc import Iterator

from allauth.account.models import EmailAddress
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import Model
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from accounts.api_key_actions import create_api_key
from accounts.audit import record
from accounts.models import Invitation, Membership, Plan, PlanRequest, Role, User, Workspace
from analyses.models import Run
from attribution.models import CustomModel, CustomModelVersion
from jobs.models import Job
from marketing.models import Channel, Dataset, Goal, HealthReport, Import, SavedSegment
from mmm_project.admin_links import page_of
from reports.models import Alert, AlertEvent, Delivery, Edition, ExportFile, Occurrence, Recipient, Report, Schedule
from tests import factories
from tests.marketing.batches import add_upload
from webhooks.models import Attempt, Endpoint, Message
from webhooks.models import Delivery as HookDelivery
from weightings.models import Scenario

DAY = dt.date(2026, 6, 1)


def make_place() -> tuple[Workspace, User]:
    """The workspace and the person that all rows are about."""
    workspace = factories.WorkspaceFactory.create(name="Acme", slug="acme")
    person = factories.UserFactory.create(email="anna@example.com")
    Membership.objects.create(workspace=workspace, user=person, role=Role.OWNER)
    return workspace, person


def add_rows(workspace: Workspace, person: User, numbers: range) -> None:
    """For each number, a row of every model that the admin shows."""
    for number in numbers:
        _add_to_accounts(workspace, person, number)
        run = _add_work(workspace, person, number)
        _add_reports(workspace, person, run, number)
        _add_hooks(workspace, person)
        every, _ = IntervalSchedule.objects.get_or_create(every=number + 1, period=IntervalSchedule.SECONDS)
        PeriodicTask.objects.create(name=f"tick {number}", task="jobs.tasks.sweep_jobs", interval=every)
        Group.objects.create(name=f"Support {number}")


def _add_to_accounts(workspace: Workspace, person: User, number: int) -> None:
    other = factories.MembershipFactory.create(workspace=workspace, role=Role.ANALYST).user
    elsewhere = factories.WorkspaceFactory.create(slug=f"elsewhere-{number}")
    Membership.objects.create(workspace=elsewhere, user=person, role=Role.OWNER)
    EmailAddress.objects.create(user=person, email=f"anna{number}@example.com")
    plan = Plan.objects.create(code=f"plan-{number}", name=f"Plan {number}", rank=10 + number, features=["forecast"])
    PlanRequest.objects.create(workspace=workspace, plan=plan, requested_by=person, status="declined", decided_by=other)
    Invitation.objects.create(
        workspace=workspace,
        email=f"new{number}@example.com",
        role=Role.VIEWER,
        digest=f"{number:064x}",
        invited_by=person,
        expires_at=timezone.now(),
    )
    key, _ = create_api_key(workspace=workspace, created_by=person, name=f"ETL {number}", scopes=["runs:read"])
    record(workspace=workspace, action="thing.done", target=str(number), actor=other, api_key=key)


def _add_work(workspace: Workspace, person: User, number: int) -> Run:
    run = Run.objects.create(
        workspace=workspace,
        job=_job(workspace, "analyses.run"),
        kind="attribution",
        params={},
        fingerprint=f"{number}",
        requested_by=person,
        trigger=Run.Trigger.PAGE,
    )
    batch = Import.objects.create(
        workspace=workspace,
        job=_job(workspace, "import"),
        dataset=Dataset.SPEND,
        origin=Import.Origin.PAGE,
        file_name="rows.csv",
        requested_by=person,
        errors=[{"row": 7, "column": "spend", "reason": "“secret cell” is no number."}],
    )
    upload = add_upload(workspace, batch=batch)
    upload.check_job, upload.requested_by = _job(workspace, "check"), person
    upload.save()
    first = Channel.objects.filter(workspace=workspace).first()
    Channel.objects.create(workspace=workspace, name=f"Channel {number}", colour_slot=number, merged_into=first)
    Goal.objects.create(workspace=workspace, name=f"Goal {number}")
    SavedSegment.objects.create(workspace=workspace, name=f"Segment {number}", created_by=person)
    HealthReport.objects.create(workspace=Workspace.objects.get(slug=f"elsewhere-{number}"), day=DAY)
    model = CustomModel.objects.create(workspace=workspace, name=f"Model {number}", created_by=person)
    CustomModelVersion.objects.create(model=model, number=1, definition={}, created_by=person)
    Scenario.objects.create(workspace=workspace, run=run, name=f"Scenario {number}", plan={}, created_by=person)
    return run


def _add_reports(workspace: Workspace, person: User, run: Run, number: int) -> None:
    now, name = timezone.now(), f"Review {number}"
    report = Report.objects.create(workspace=workspace, name=name, period="last_7", created_by=person)
    edition = Edition.objects.create(
        workspace=workspace,
        report=report,
        job=_job(workspace, "reports.edition"),
        title=name,
        start=DAY,
        end=DAY,
        definition={},
        requested_by=person,
        trigger=Edition.Trigger.SCHEDULE,
    )
    schedule = Schedule.objects.create(
        workspace=workspace,
        name=name,
        report=report,
        period="last_7",
        frequency=Schedule.Frequency.DAILY,
        time=dt.time(9),
        zone="UTC",
        next_run_at=now,
        created_by=person,
    )
    occurrence = Occurrence.objects.create(schedule=schedule, due_at=now, claimed_at=now, edition=edition)
    recipient = Recipient.objects.create(schedule=schedule, email="reader@example.com")
    channel = Channel.objects.get(workspace=workspace, name=f"Channel {number}")
    alert = Alert.objects.create(
        workspace=workspace,
        name=name,
        metric=Alert.Metric.SPEND,
        channel=channel,
        goal=Goal.objects.get(workspace=workspace, name=f"Goal {number}"),
        condition=Alert.Condition.ANOMALY,
        watched_from=DAY,
        created_by=person,
    )
    event = AlertEvent.objects.create(alert=alert, day=DAY, value=1.0, sentence="Odd.")
    Delivery.objects.create(
        workspace=workspace,
        purpose=Delivery.Purpose.REPORT,
        occurrence=occurrence,
        edition=edition,
        alert_event=event,
        recipient=recipient,
        email=recipient.email,
        subject=name,
        status=Delivery.Status.FAILED,
        job=_job(workspace, "reports.deliver"),
        requested_by=person,
    )
    ExportFile.objects.create(
        workspace=workspace, job=_job(workspace, "reports.export_file"), run=run, form="pdf", requested_by=person
    )


def _add_hooks(workspace: Workspace, person: User) -> None:
    now = timezone.now()
    endpoint = Endpoint.objects.create(
        workspace=workspace, url="https://hooks.example.com/", secret="sealed", created_by=person
    )
    message = Message.objects.create(workspace=workspace, type="run.finished", body="{}", created_at=now)
    delivery = HookDelivery.objects.create(endpoint=endpoint, message=message, created_at=now, requested_by=person)
    Attempt.objects.create(delivery=delivery, number=1, at=now)


def _job(workspace: Workspace, kind: str) -> Job:
    return Job.objects.create(workspace=workspace, kind=kind, status=Job.Status.FAILED, finished_at=timezone.now())


def pages() -> Iterator[tuple[str, str]]:
    """Yield the address of each list, and of the page and the history of the oldest row on it, with what to call it.

    Raises AssertionError for a model that `add_rows` does not know of.
    """
    for model in admin.site._registry:
        row: Model | None = model._default_manager.order_by("pk").first()
        assert row is not None, f"Add rows of {model._meta.label} to tests/operations/admin_world.py."
        page = page_of(row)
        yield f"{model._meta.label} list", page.removesuffix(f"{page.split('/')[-3]}/change/")
        yield f"{model._meta.label} page", page
        yield f"{model._meta.label} history", page.replace("/change/", "/history/")
