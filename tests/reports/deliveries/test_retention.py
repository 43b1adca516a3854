"""What is kept for 400 days and then removed at night: mails, and editions that newer ones have followed."""

import datetime as dt
from pathlib import Path

import pytest
import time_machine
from celery.schedules import crontab
from django.conf import settings as project
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks
from pytest_django.fixtures import Settings

from accounts.models import User, Workspace
from jobs.execution import execute
from jobs.models import Job
from reports.deliveries.outbox import JOB_KIND, resend
from reports.editions.snapshots import folder
from reports.models import Delivery, Edition, Occurrence, Recipient, Report, Schedule
from reports.tasks import remove_old
from reports.workspace_deletion import DELETION_JOB, request_deletion
from tests.reports.deliveries.conftest import Enqueue, MakeEdition
from tests.reports.deliveries.steps import carry_out
from tests.smtp_server import MailServer

DAY = dt.timedelta(days=1)
MINUTES = dt.timedelta(minutes=2)


def at_night(days: int) -> None:
    """What the scheduler does that many days later."""
    with time_machine.travel(timezone.now() + days * DAY, tick=False):
        remove_old()


@pytest.fixture
def weekly(shop: Workspace) -> Report:
    return Report.objects.create(workspace=shop, name="Weekly", period="last_week")


def of(report: Report | None, edition: Edition, days_ago: int) -> Edition:
    """The edition as one of a report, and as old as that."""
    Edition.objects.filter(pk=edition.pk).update(report=report, created_at=timezone.now() - days_ago * DAY)
    return edition


def left() -> set[Edition]:
    return set(Edition.objects.all())


def test_mails_are_removed_after_400_days(send: Enqueue, ann: Recipient, mail_server: MailServer) -> None:
    send(ann)
    carry_out()
    at_night(400)
    assert Delivery.objects.count() == 1
    at_night(401)
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("status", [Delivery.Status.WAITING, Delivery.Status.SENDING])
def test_a_mail_on_its_way_is_never_removed(send: Enqueue, ann: Recipient, status: str) -> None:
    (delivery,) = send(ann)
    Delivery.objects.filter(pk=delivery.pk).update(status=status)
    at_night(500)
    assert Delivery.objects.filter(pk=delivery.pk).exists()


def test_a_mail_that_was_sent_again_goes_with_the_last_of_its_copies(
    send: Enqueue, ann: Recipient, owner: User, mail_server: MailServer
) -> None:
    (first,) = send(ann)
    carry_out()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for days in (0, 300):
            clock.shift(days * DAY + MINUTES)
            resend(delivery=first, by=owner)
            carry_out()
    at_night(402)
    assert Delivery.objects.filter(resend_of=first).count() == 1
    assert Delivery.objects.filter(pk=first.pk).exists()
    at_night(702)
    assert not Delivery.objects.exists()


def test_a_workspace_goes_with_mails_that_were_sent_again(
    send: Enqueue, ann: Recipient, owner: User, shop: Workspace, mail_server: MailServer
) -> None:
    (first,) = send(ann)
    carry_out()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(2):
            clock.shift(MINUTES)
            resend(delivery=first, by=owner)
            carry_out()
        request_deletion(workspace=shop, by=owner, ring=False)
        execute(job_id=Job.objects.get(kind=DELETION_JOB).pk)
    assert not Workspace.objects.filter(pk=shop.pk).exists()


def test_jobs_of_mails_that_have_ended_are_removed(send: Enqueue, ann: Recipient, shop: Workspace) -> None:
    (delivery,) = send(ann)
    ended = Job.objects.create(
        workspace=shop, kind=JOB_KIND, status=Job.Status.DONE, finished_at=timezone.now() - dt.timedelta(hours=1)
    )
    other = Job.objects.create(workspace=shop, kind="analyses.run", status=Job.Status.DONE, finished_at=timezone.now())
    remove_old()
    assert set(Job.objects.filter(pk__in=[ended.pk, other.pk, delivery.job_id]).values_list("pk", flat=True)) == {
        other.pk,
        delivery.job_id,
    }


def test_an_edition_that_newer_ones_have_followed_is_removed_with_its_files_after_400_days(
    make_edition: MakeEdition,
    weekly: Report,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    old, kept = of(weekly, make_edition(), 401), of(weekly, make_edition(), 399)
    place, job_id = folder(old), old.job_id
    assert any(place.iterdir())
    with django_capture_on_commit_callbacks(execute=True):
        remove_old()
    assert left() == {kept}
    assert not place.exists()
    assert not Job.objects.filter(pk=job_id).exists()
    assert any(folder(kept).iterdir())


def test_the_newest_edition_of_a_report_stays_however_old_it_is(make_edition: MakeEdition, weekly: Report) -> None:
    of(weekly, make_edition(), 900)
    newest = of(weekly, make_edition(), 800)
    failed = of(weekly, make_edition(), 700)
    Edition.objects.filter(pk=failed.pk).update(snapshot="")
    remove_old()
    assert left() == {newest}


def test_the_newest_edition_of_a_schedule_without_a_report_stays(make_edition: MakeEdition, schedule: Schedule) -> None:
    for days in (900, 800):
        newest, due_at = of(None, make_edition(), days), timezone.now() - days * DAY
        Occurrence.objects.create(schedule=schedule, due_at=due_at, claimed_at=due_at, edition=newest)
    of(None, make_edition(), 401)  # of a report that was deleted
    remove_old()
    assert left() == {newest}
    assert Occurrence.objects.filter(schedule=schedule).count() == 2


def test_an_edition_that_is_being_made_or_mailed_stays(
    make_edition: MakeEdition, send: Enqueue, ann: Recipient, weekly: Report
) -> None:
    mailed, newest = of(weekly, make_edition(), 500), of(weekly, make_edition(), 1)
    send(ann, edition=mailed)
    made = of(weekly, make_edition(), 500)
    Job.objects.filter(pk=made.job_id).update(status=Job.Status.RUNNING)
    remove_old()
    assert left() == {mailed, newest, made}


def test_other_files_stay(
    make_edition: MakeEdition,
    weekly: Report,
    settings: Settings,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    of(weekly, make_edition(), 401)
    of(weekly, make_edition(), 1)
    stranger = Path(settings.MEDIA_ROOT) / "editions" / "999" / "x" / "1.json.gz"
    stranger.parent.mkdir(parents=True)
    stranger.touch()
    with django_capture_on_commit_callbacks(execute=True):
        remove_old()
    assert stranger.is_file()


def test_the_scheduler_asks_for_it_every_night() -> None:
    (entry,) = (entry for entry in project.CELERY_BEAT_SCHEDULE.values() if entry["task"] == "reports.tasks.remove_old")
    assert entry["schedule"] == crontab(hour="3", minute="50")
