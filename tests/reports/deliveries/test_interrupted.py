"""Workers that die or fall behind, and several at once: no mail is sent twice, and each ends in a state."""

import datetime as dt
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.utils import timezone

from jobs import actions as job_actions
from jobs.execution import execute
from jobs.handlers import LeaseLost
from jobs.models import Job
from jobs.progress import Progress
from reports.deliveries.outbox import JOB_KIND, send_due
from reports.deliveries.sending import deliver
from reports.models import Delivery, Recipient
from tests.reports.deliveries.conftest import Enqueue
from tests.reports.deliveries.steps import carry_out, fresh, job_of
from tests.smtp_server import MailServer

Status = Delivery.Status


def test_a_mail_whose_worker_died_while_sending_is_unknown_and_not_sent_again(
    send: Enqueue, ann: Recipient, mail_server: MailServer
) -> None:
    (delivery,) = send(ann)
    job = job_actions.claim(job_id=job_of(delivery))
    assert job is not None
    Delivery.objects.filter(pk=delivery.pk).update(status=Status.SENDING, attempts=1)
    job_actions.sweep(now=timezone.now() + dt.timedelta(hours=1))  # nobody has prolonged the claim
    carry_out()
    assert fresh(delivery).status == Status.UNKNOWN
    assert fresh(delivery).error.startswith("Sending was interrupted while the mail server was being spoken to")
    assert not mail_server.to("ann@example.org")


def test_a_mail_whose_worker_died_three_times_ends_in_a_sentence(
    send: Enqueue, ann: Recipient, mail_server: MailServer
) -> None:
    (delivery,) = send(ann)
    for hours in (1, 2, 3):
        assert job_actions.claim(job_id=job_of(delivery))
        job_actions.sweep(now=timezone.now() + dt.timedelta(hours=hours))
    assert fresh(delivery).status == Status.FAILED
    assert fresh(delivery).error.startswith("The worker stopped three times")
    carry_out()
    assert not mail_server.to("ann@example.org")


def test_a_worker_that_has_lost_its_claim_takes_no_mail(send: Enqueue, ann: Recipient, mail_server: MailServer) -> None:
    (delivery,) = send(ann)
    stale = job_actions.claim(job_id=job_of(delivery))
    assert stale is not None
    job_actions.sweep(now=timezone.now() + dt.timedelta(hours=1))
    mail_server.answer_to_data = "451 Later"
    carry_out()  # by another worker, which has to try again
    mail_server.answer_to_data = "250 OK"
    with pytest.raises(LeaseLost):
        deliver(stale, Progress(stale))
    assert (fresh(delivery).status, fresh(delivery).attempts) == (Status.WAITING, 1)
    assert not mail_server.received


def at_once(times: int, act: Callable[[], object]) -> list[object]:
    """Call it in so many threads at once, each with a database connection of its own."""
    start = threading.Barrier(times)

    def call(_: int) -> object:
        start.wait()
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(call, range(times)))


@pytest.mark.django_db(transaction=True)
def test_two_ticks_at_once_make_one_job(send: Enqueue, ann: Recipient, mail_server: MailServer) -> None:
    (delivery,) = send(ann)
    Job.objects.filter(pk=job_of(delivery)).update(status=Job.Status.DONE)
    now = timezone.now()
    assert sorted(at_once(4, lambda: send_due(now)), key=str) == [0, 0, 0, 1]
    assert Job.objects.filter(kind=JOB_KIND, status=Job.Status.QUEUED).count() == 1
    carry_out()
    assert len(mail_server.received) == 1


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_send_one_mail(send: Enqueue, ann: Recipient, mail_server: MailServer) -> None:
    (delivery,) = send(ann)
    at_once(4, lambda: execute(job_id=job_of(delivery)))
    assert len(mail_server.received) == 1
    assert fresh(delivery).status == Status.SENT
