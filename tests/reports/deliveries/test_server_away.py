"""A mail server that is away costs one try at a time, however many mails wait, and leaves no jobs behind."""

import datetime as dt
from collections import Counter

import pytest
import time_machine
from django.db.models import Sum
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import Workspace
from jobs.models import Job
from reports.deliveries import letters, pacing
from reports.deliveries.mime import Mail
from reports.deliveries.outbox import JOB_KIND, send_due
from reports.models import Delivery, Recipient, Schedule
from tests.reports.deliveries.conftest import Enqueue
from tests.reports.deliveries.steps import carry_out, fresh, tick
from tests.smtp_server import MailServer, free_port

Status = Delivery.Status
SECONDS = dt.timedelta(seconds=1)


@pytest.fixture
def composed(monkeypatch: pytest.MonkeyPatch) -> list[Delivery]:
    """The deliveries whose mails were put together, once for each time."""
    found: list[Delivery] = []
    compose = letters.compose

    def noted(delivery: Delivery) -> Mail:
        found.append(delivery)
        return compose(delivery)

    monkeypatch.setattr(letters, "compose", noted)
    return found


@pytest.fixture
def crowd(schedule: Schedule) -> list[Recipient]:
    return [Recipient.objects.create(schedule=schedule, email=f"p{number:02}@example.org") for number in range(20)]


def jobs_ever(workspace: Workspace) -> int:
    """How many jobs there have been, by the number that the next one gets."""
    probe = Job.objects.create(workspace=workspace, kind="probe")
    probe.delete()
    return probe.pk or 0


def test_ten_minutes_away_cost_a_try_each_half_minute(
    send: Enqueue,
    crowd: list[Recipient],
    shop: Workspace,
    composed: list[Delivery],
    mail_server: MailServer,
    settings: Settings,
) -> None:
    settings.EMAIL_PORT = free_port()
    before = jobs_ever(shop)
    send(*crowd)
    carry_out()
    assert len(composed) == 1
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(60):
            clock.shift(10 * SECONDS)
            tick()
        tries = Delivery.objects.aggregate(tries=Sum("attempts"))["tries"]
        assert 15 <= tries <= 21
        assert len(composed) == tries
        assert jobs_ever(shop) - before <= len(crowd) + 25
        assert not Job.objects.filter(kind=JOB_KIND).exists()
        settings.EMAIL_PORT = mail_server.port
        for _ in range(60):
            clock.shift(30 * SECONDS)
            tick()
    assert Counter(received.recipient for received in mail_server.received) == {one.email: 1 for one in crowd}
    assert not Job.objects.filter(kind=JOB_KIND).exists()


def test_while_it_is_away_nothing_is_composed_or_submitted(
    send: Enqueue, ann: Recipient, composed: list[Delivery], mail_server: MailServer
) -> None:
    pacing.note_away()
    (delivery,) = send(ann)
    carry_out()
    assert not composed
    assert (fresh(delivery).status, fresh(delivery).attempts, fresh(delivery).job) == (Status.WAITING, 0, None)
    assert send_due(timezone.now() + dt.timedelta(hours=1)) == 0


def test_after_a_pause_one_mail_looks_whether_it_is_back_and_then_the_others_go(
    send: Enqueue, crowd: list[Recipient], mail_server: MailServer
) -> None:
    pacing.note_away()
    send(*crowd)
    carry_out()
    with time_machine.travel(timezone.now() + pacing.PAUSE, tick=False):
        assert send_due(timezone.now()) == 1
        assert send_due(timezone.now()) == 0  # one is on its way
        carry_out()
        assert len(mail_server.received) == 1
        assert tick() == len(crowd) - 1
    assert len(mail_server.received) == len(crowd)


def test_a_server_that_refuses_a_mail_is_there(send: Enqueue, crowd: list[Recipient], mail_server: MailServer) -> None:
    mail_server.rejected = {one.email: "451 4.7.1 Later" for one in crowd}
    pacing.note_away()
    send(*crowd)
    carry_out()
    with time_machine.travel(timezone.now() + pacing.PAUSE, tick=False):
        assert [tick(), tick()] == [1, len(crowd) - 1]


@pytest.mark.parametrize("answer", ["250 OK", "554 5.6.0 This is spam", "451 4.3.2 Not now"])
def test_a_job_goes_once_its_mail_has_moved_on(
    send: Enqueue, ann: Recipient, mail_server: MailServer, answer: str
) -> None:
    mail_server.answer_to_data = answer
    (delivery,) = send(ann)
    (job,) = Job.objects.filter(kind=JOB_KIND)
    carry_out()
    assert fresh(delivery).attempts == 1
    assert fresh(delivery).job is None
    assert not Job.objects.filter(pk=job.pk).exists()


def test_a_job_goes_with_a_mail_that_was_deleted(send: Enqueue, ann: Recipient, mail_server: MailServer) -> None:
    send(ann)
    Delivery.objects.all().delete()
    carry_out()
    assert not Job.objects.filter(kind=JOB_KIND).exists()
    assert not mail_server.received
