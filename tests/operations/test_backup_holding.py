"""A restored installation goes on with its work, and sends nothing again that may have been sent since its backup."""

import datetime as dt

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.core import mail
from django.utils import timezone

from accounts.models import AuditEvent, Membership, Role, Workspace
from jobs.actions import claim, submit
from jobs.models import Job
from marketing.models import Dataset
from operations.backups.holding import hold
from operations.models import Heartbeat
from reports.alerts.checking import check_due
from reports.deliveries import outbox
from reports.models import Alert, Delivery, Edition, Occurrence, Report, Schedule
from reports.schedules.actions import create_schedule
from reports.schedules.contents import Content
from reports.schedules.tick import claim_due
from tests.factories import MembershipFactory
from tests.marketing.batches import add_import
from tests.operations.test_backup_archive import manifest
from tests.reports.schedules.conftest import DAILY, settings_of
from tests.weightings.test_reminders import a_run
from webhooks.models import Delivery as HookDelivery
from webhooks.models import Endpoint, Message
from weightings.models import StaleReminder
from weightings.refresh.reminders import remind_of_stale_models

MADE, RESTORED = dt.datetime(2026, 4, 13, 5, tzinfo=dt.UTC), dt.datetime(2026, 4, 16, 12, tzinfo=dt.UTC)
BACKUP = manifest(made_at=MADE.isoformat())


@pytest.fixture
def membership(workspace: Workspace) -> Membership:
    member: Membership = MembershipFactory.create(workspace=workspace, role=Role.OWNER, user__email="ann@example.com")
    return member


@pytest.fixture
def schedule(membership: Membership) -> Schedule:
    """One of every day at 09:00 in Berlin, whose next time at the backup was two hours later."""
    text = {"id": "note", "kind": "text", "title": "Note", "params": {"text": "All is well."}}
    report = Report.objects.create(workspace=membership.workspace, name="Note", period="last_7", blocks=[text])
    settings = settings_of(content=Content(report=report), recurrence=DAILY)
    with time_machine.travel(MADE, tick=False):
        return create_schedule(workspace=membership.workspace, settings=settings, by=membership)


def restore() -> None:
    with time_machine.travel(RESTORED, tick=False):
        hold(BACKUP)


def add_mail(workspace: Workspace, status: Delivery.Status) -> Delivery:
    return Delivery.objects.create(
        workspace=workspace, purpose=Delivery.Purpose.NOTICE, email="a@example.com", status=status, next_try_at=MADE
    )


@pytest.mark.parametrize("status", [Delivery.Status.WAITING, Delivery.Status.SENDING])
def test_mails_that_waited_say_so_and_are_sent_by_hand_only(membership: Membership, status: Delivery.Status) -> None:
    kept = add_mail(membership.workspace, status)
    restore()
    kept.refresh_from_db()
    assert (kept.status, kept.next_try_at) == (Delivery.Status.UNKNOWN, None)
    assert "the backup of 2026-04-13 05:00 UTC" in kept.error
    assert outbox.send_due(RESTORED + dt.timedelta(days=1)) == 0
    kept.email = membership.user.email
    kept.save(update_fields=["email"])
    assert outbox.resend(delivery=kept, by=None).status == Delivery.Status.WAITING


def test_mails_that_had_been_sent_stay_as_they_are(workspace: Workspace) -> None:
    kept = add_mail(workspace, Delivery.Status.SENT)
    restore()
    kept.refresh_from_db()
    assert (kept.status, kept.error) == (Delivery.Status.SENT, "")


def test_what_became_due_since_does_not_go_out_and_the_next_time_does(schedule: Schedule) -> None:
    assert schedule.next_run_at == dt.datetime(2026, 4, 13, 7, tzinfo=dt.UTC)
    restore()
    schedule.refresh_from_db()
    assert schedule.next_run_at == dt.datetime(2026, 4, 17, 7, tzinfo=dt.UTC)
    assert claim_due(RESTORED) == 0
    assert claim_due(schedule.next_run_at) == 1
    assert Occurrence.objects.get().missed == 0


def test_a_schedule_that_is_not_due_stays_as_it_is(schedule: Schedule) -> None:
    later = RESTORED + dt.timedelta(hours=1)
    Schedule.objects.filter(pk=schedule.pk).update(next_run_at=later)
    restore()
    schedule.refresh_from_db()
    assert schedule.next_run_at == later


def test_a_report_that_was_being_made_is_made_and_not_sent(schedule: Schedule) -> None:
    job = submit(workspace=schedule.workspace, kind="reports.edition", ring=False)
    edition = Edition.objects.create(
        workspace=schedule.workspace,
        job=job,
        start="2026-04-01",
        end="2026-04-02",
        definition={},
        trigger=Edition.Trigger.SCHEDULE,
    )
    occurrence = Occurrence.objects.create(schedule=schedule, due_at=MADE, claimed_at=MADE, edition=edition)
    restore()
    occurrence.refresh_from_db()
    assert occurrence.problem.startswith("It waited when the backup")
    assert Job.objects.get(pk=job.pk).status == Job.Status.QUEUED


@pytest.mark.parametrize("status", [HookDelivery.Status.PENDING, HookDelivery.Status.SENDING])
def test_messages_to_webhooks_that_waited_are_cancelled(workspace: Workspace, status: HookDelivery.Status) -> None:
    endpoint = Endpoint.objects.create(workspace=workspace, url="https://example.com", events=[], secret="sealed")
    message = Message.objects.create(workspace=workspace, type="ping", body="{}", created_at=MADE)
    delivery = HookDelivery.objects.create(
        endpoint=endpoint, message=message, status=status, next_try_at=MADE, created_at=MADE
    )
    restore()
    delivery.refresh_from_db()
    assert (delivery.status, delivery.next_try_at) == (HookDelivery.Status.CANCELLED, None)
    assert "may have been sent or not" in delivery.error


def test_alerts_tell_of_no_day_before_the_restore(workspace: Workspace) -> None:
    alert = Alert.objects.create(
        workspace=workspace,
        name="Spend",
        metric=Alert.Metric.SPEND,
        condition=Alert.Condition.ABOVE,
        threshold=1,
        watched_from=MADE.date(),
    )
    restore()
    alert.refresh_from_db()
    assert alert.watched_from == RESTORED.date()
    assert check_due(RESTORED) == 0


def test_reminders_that_became_due_are_not_sent(membership: Membership) -> None:
    add_import(membership.workspace, Dataset.SPEND)
    run = a_run(membership.workspace)
    hold(BACKUP)
    assert StaleReminder.objects.get().run == run
    remind_of_stale_models()
    assert not mail.outbox


def test_jobs_that_were_running_wait_for_a_worker_and_lose_no_attempt(workspace: Workspace) -> None:
    running, cancelled = (submit(workspace=workspace, kind="reports.export_file", ring=False) for _ in range(2))
    for job in (running, cancelled):
        claim(job_id=job.pk)
    Job.objects.filter(pk=cancelled.pk).update(cancel_requested=True)
    restore()
    running.refresh_from_db()
    cancelled.refresh_from_db()
    assert (running.status, running.attempt, running.lease_until) == (Job.Status.QUEUED, 0, None)
    assert cancelled.status == Job.Status.CANCELLED


def test_everybody_signs_in_again_and_the_restore_is_on_record(workspace: Workspace) -> None:
    Session.objects.create(session_key="x", session_data="", expire_date=timezone.now() + dt.timedelta(days=1))
    Heartbeat.objects.create(name="worker lost 1", kind="worker", started_at=MADE, seen_at=MADE)
    restore()
    assert not Session.objects.exists()
    assert not Heartbeat.objects.exists()
    event = AuditEvent.objects.get(action="installation.restored")
    assert event.target == "backup of 2026-04-13 05:00 UTC"
