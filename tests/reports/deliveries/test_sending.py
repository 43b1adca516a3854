"""Mails on their way: what each answer of a real mail server leads to, and never two copies."""

import datetime as dt
from pathlib import Path

import pytest
import time_machine
from django.core import mail
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import User, Workspace
from jobs.execution import execute
from jobs.models import Job
from reports.deliveries.outbox import enqueue, notify
from reports.deliveries.pacing import PAUSE, one_at_a_time
from reports.deliveries.sending import BACKOFF
from reports.models import AlertEvent, Delivery, Recipient, Schedule
from reports.workspace_deletion import request_deletion
from tests.reports.deliveries.conftest import Enqueue
from tests.reports.deliveries.steps import carry_out, fresh, job_of, tick
from tests.smtp_server import MailServer, free_port, point_at, refuse_password, running_mail_server, silent_server

Status = Delivery.Status
MINUTE = dt.timedelta(minutes=1)


def notices() -> list[Delivery]:
    return list(Delivery.objects.filter(purpose=Delivery.Purpose.NOTICE).order_by("pk"))


def test_each_recipient_gets_one_mail(send: Enqueue, ann: Recipient, bob: Recipient, mail_server: MailServer) -> None:
    deliveries = send(ann, bob)
    carry_out()
    assert [received.recipient for received in mail_server.received] == ["ann@example.org", "bob@example.org"]
    assert {(fresh(each).status, fresh(each).attempts, fresh(each).error) for each in deliveries} == {("sent", 1, "")}
    assert fresh(deliveries[0]).sent_at == timezone.now()
    assert tick(dt.timedelta(days=1)) == 0
    assert len(mail_server.received) == 2
    assert not notices()


def test_a_job_that_is_delivered_twice_sends_once(send: Enqueue, ann: Recipient, mail_server: MailServer) -> None:
    (delivery,) = send(ann)
    for _ in range(3):
        execute(job_id=job_of(delivery))
    assert len(mail_server.received) == 1


def test_where_nobody_listens_it_is_tried_again_and_then_sent(
    send: Enqueue, ann: Recipient, mail_server: MailServer, settings: Settings
) -> None:
    settings.EMAIL_PORT = free_port()
    (delivery,) = send(ann)
    carry_out()
    waiting = fresh(delivery)
    assert (waiting.status, waiting.attempts) == (Status.WAITING, 1)
    assert waiting.error == "The mail server refused the connection."
    assert waiting.next_try_at == timezone.now() + MINUTE
    assert tick(MINUTE - dt.timedelta(seconds=1)) == 0
    settings.EMAIL_PORT = mail_server.port
    with time_machine.travel(timezone.now() + MINUTE, tick=False):
        assert tick() == 1
    assert (fresh(delivery).status, fresh(delivery).attempts, fresh(delivery).error) == (Status.SENT, 2, "")
    assert len(mail_server.received) == 1


def test_a_server_that_is_away_is_left_alone_for_a_moment(
    send: Enqueue, ann: Recipient, bob: Recipient, mail_server: MailServer, settings: Settings
) -> None:
    settings.EMAIL_PORT = free_port()
    deliveries = send(ann, bob)
    carry_out()
    assert [(fresh(each).status, fresh(each).attempts) for each in deliveries] == [("waiting", 1), ("waiting", 0)]
    assert fresh(deliveries[1]).next_try_at == timezone.now() + PAUSE
    settings.EMAIL_PORT = mail_server.port
    with time_machine.travel(timezone.now() + PAUSE, tick=False):
        tick()
        assert [received.recipient for received in mail_server.received] == ["bob@example.org"]


def test_a_mail_waits_in_the_queue_while_another_thread_speaks_to_the_server(
    send: Enqueue, ann: Recipient, mail_server: MailServer
) -> None:
    (delivery,) = send(ann)
    with one_at_a_time():
        carry_out()
        assert (fresh(delivery).status, fresh(delivery).attempts) == (Status.WAITING, 0)
        assert Job.objects.get(pk=job_of(delivery)).status == Job.Status.QUEUED
        assert tick() == 0
    carry_out()
    assert fresh(delivery).status == Status.SENT


def test_after_the_fifth_try_it_has_failed_and_the_owner_is_told_once(
    send: Enqueue, ann: Recipient, bob: Recipient, analyst: User, mail_server: MailServer
) -> None:
    mail_server.rejected = {one.email: "451 4.3.0 Try again later" for one in (ann, bob)}
    deliveries = send(ann, bob)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        carry_out()
        for pause in BACKOFF:
            assert {fresh(each).next_try_at for each in deliveries} == {timezone.now() + pause}
            clock.shift(pause)
            tick()
        assert [(fresh(each).status, fresh(each).attempts) for each in deliveries] == [(Status.FAILED, 5)] * 2
        assert "“451 4.3.0 Try again later”" in fresh(deliveries[0]).error
        (notice,) = notices()
        assert notice.email == analyst.email
        carry_out()
    (received,) = mail_server.to("analyst@example.com")
    assert received.message["Subject"] == "Not delivered: Weekly report"
    assert "“Weekly report” of Acme could not be delivered to ann@example.org after 5 tries." in received.text()
    assert "451 4.3.0" in received.text()
    assert "/w/acme/settings/deliveries/" in received.text()
    assert "List-Unsubscribe" not in received.message


def test_the_pauses_between_tries_are_as_promised() -> None:
    assert [pause // MINUTE for pause in BACKOFF] == [1, 5, 30, 120]


def test_a_notice_that_fails_brings_no_notice(shop: Workspace, owner: User, mail_server: MailServer) -> None:
    mail_server.rejected = {"owner@example.com": "550 5.1.1 No such user"}
    notify(workspace=shop, user=owner, subject="Not delivered", body="Something failed.")
    carry_out()
    (notice,) = notices()
    assert notice.status == Status.REJECTED


def test_the_owners_are_told_where_whoever_made_the_schedule_has_left(
    send: Enqueue, ann: Recipient, schedule: Schedule, owner: User, analyst: User, mail_server: MailServer
) -> None:
    schedule.workspace.memberships.filter(user=analyst).delete()
    mail_server.answer_to_data = "554 5.6.0 This is spam"
    send(ann)
    carry_out()
    assert [notice.email for notice in notices()] == [owner.email]


def test_an_address_that_is_rejected_gets_no_more_mails(
    send: Enqueue, ann: Recipient, bob: Recipient, schedule: Schedule, mail_server: MailServer
) -> None:
    mail_server.rejected = {"ann@example.org": "550 5.1.1 No such user here"}
    of_ann, of_bob = send(ann, bob)
    carry_out()
    assert (fresh(of_ann).status, fresh(of_ann).attempts) == (Status.REJECTED, 1)
    assert fresh(of_bob).status == Status.SENT
    ann.refresh_from_db()
    assert ann.rejected_at == timezone.now()
    assert ann.rejected_because == "The mail server rejected this address: “550 5.1.1 No such user here”."
    assert [notice.email for notice in notices()] == ["analyst@example.com"]
    again = send(*schedule.recipients.all(), occurrence=None)
    assert [delivery.email for delivery in again] == ["bob@example.org"]


@pytest.mark.parametrize(
    ("answer", "status", "is_disabled"),
    [
        ("550 5.1.1 No such user", Status.REJECTED, True),
        ("553 Mailbox name not allowed", Status.REJECTED, True),
        ("550 5.7.1 Relaying denied", Status.FAILED, False),
        ("530 5.7.0 Authentication required", Status.WAITING, False),
        ("450 4.2.1 Mailbox busy", Status.WAITING, False),
    ],
)
def test_only_answers_about_the_address_disable_it(
    send: Enqueue, ann: Recipient, mail_server: MailServer, answer: str, status: str, is_disabled: bool
) -> None:
    mail_server.rejected = {"ann@example.org": answer}
    (delivery,) = send(ann)
    carry_out()
    ann.refresh_from_db()
    assert (fresh(delivery).status, ann.rejected_at is not None) == (status, is_disabled)
    assert answer in fresh(delivery).error
    assert not mail_server.to("ann@example.org")


@pytest.mark.parametrize(
    ("setting", "answer", "status", "words"),
    [
        ("answer_to_sender", "550 5.7.1 Not from you", Status.WAITING, "does not let this installation send"),
        ("answer_to_sender", "552 5.3.4 Too large", Status.FAILED, "MAIL_ATTACHMENT_MB"),
        ("answer_to_data", "451 4.3.2 Not now", Status.WAITING, "did not take the message"),
        ("answer_to_data", "554 5.6.0 This is spam", Status.FAILED, "did not take the message"),
        ("answer_to_data", "552 5.3.4 Too large", Status.FAILED, "MAIL_ATTACHMENT_MB"),
    ],
)
def test_what_the_server_answers_is_certain(
    send: Enqueue, ann: Recipient, mail_server: MailServer, setting: str, answer: str, status: str, words: str
) -> None:
    setattr(mail_server, setting, answer)
    (delivery,) = send(ann)
    carry_out()
    assert fresh(delivery).status == status
    assert answer in fresh(delivery).error
    assert words in fresh(delivery).error


def test_a_wrong_password_is_said_and_tried_again(send: Enqueue, ann: Recipient, settings: Settings) -> None:
    with running_mail_server(authenticator=refuse_password, auth_require_tls=False) as server:
        point_at(settings, server.port)
        settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "mmm", "wrong"
        (delivery,) = send(ann)
        carry_out()
    assert fresh(delivery).status == Status.WAITING
    assert "refused the name or the password" in fresh(delivery).error
    assert "wrong" not in fresh(delivery).error
    assert not server.received


def test_a_server_that_says_nothing_has_got_nothing(send: Enqueue, ann: Recipient, settings: Settings) -> None:
    with silent_server() as port:
        point_at(settings, port)
        settings.EMAIL_TIMEOUT = 0.3
        (delivery,) = send(ann)
        carry_out()
    assert (fresh(delivery).status, fresh(delivery).attempts) == (Status.WAITING, 1)
    assert fresh(delivery).error == "The mail server did not answer in time."


def test_a_server_that_falls_silent_before_the_message_has_got_nothing(
    send: Enqueue, ann: Recipient, mail_server: MailServer, settings: Settings
) -> None:
    settings.EMAIL_TIMEOUT = 0.3
    mail_server.stalls_at_recipient = True
    (delivery,) = send(ann)
    carry_out()
    assert fresh(delivery).status == Status.WAITING
    assert fresh(delivery).error == "The mail server did not answer in time."


@pytest.mark.parametrize("how", ["stalls_after_data", "hangs_up_after_data"])
def test_a_server_that_falls_silent_after_the_message_leaves_it_unknown_and_it_is_not_sent_again(
    send: Enqueue, ann: Recipient, mail_server: MailServer, settings: Settings, how: str
) -> None:
    settings.MAIL_PATIENCE_SECONDS = 0.3
    setattr(mail_server, how, True)
    (delivery,) = send(ann)
    carry_out()
    assert (fresh(delivery).status, fresh(delivery).attempts) == (Status.UNKNOWN, 1)
    assert "may have arrived or not" in fresh(delivery).error
    assert not Job.objects.filter(pk=job_of(delivery)).exists()
    assert tick(dt.timedelta(days=2)) in (0, 1)  # the notice to the owner alone
    assert len(mail_server.to("ann@example.org")) == 1
    assert [notice.email for notice in notices()] == ["analyst@example.com"]


def test_whoever_unsubscribes_before_it_is_sent_gets_nothing(
    send: Enqueue, ann: Recipient, mail_server: MailServer
) -> None:
    (delivery,) = send(ann)
    Recipient.objects.filter(pk=ann.pk).update(unsubscribed_at=timezone.now())
    carry_out()
    assert (fresh(delivery).status, fresh(delivery).attempts) == (Status.WITHDRAWN, 0)
    assert fresh(delivery).error == "The recipient unsubscribed before it was sent."
    assert not mail_server.received
    assert not notices()


def test_whoever_is_removed_before_it_is_sent_gets_nothing(
    send: Enqueue, ann: Recipient, mail_server: MailServer
) -> None:
    (delivery,) = send(ann)
    ann.delete()
    carry_out()
    assert fresh(delivery).status == Status.WITHDRAWN
    assert not mail_server.received


def test_a_report_that_was_deleted_before_it_is_sent_fails_with_a_sentence(
    send: Enqueue, ann: Recipient, mail_server: MailServer
) -> None:
    (delivery,) = send(ann)
    assert delivery.edition is not None
    delivery.edition.delete()
    carry_out()
    assert (fresh(delivery).status, fresh(delivery).attempts) == (Status.FAILED, 0)
    assert fresh(delivery).error == "The report was deleted before it was sent."
    assert not mail_server.to("ann@example.org")


def test_a_report_whose_file_is_lost_fails_with_a_sentence(
    send: Enqueue, ann: Recipient, mail_server: MailServer, settings: Settings
) -> None:
    (delivery,) = send(ann)
    assert delivery.edition is not None
    (Path(settings.MEDIA_ROOT) / delivery.edition.snapshot).unlink()
    carry_out()
    assert fresh(delivery).status == Status.FAILED
    assert "cannot be read any more" in fresh(delivery).error
    assert not mail_server.to("ann@example.org")


def test_without_a_mail_server_it_does_not_pretend_to_be_sent(
    send: Enqueue, ann: Recipient, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    (delivery,) = send(ann)
    carry_out()
    assert (fresh(delivery).status, fresh(delivery).sent_at) == (Status.FAILED, None)
    assert "No mail server is set up" in fresh(delivery).error
    assert "EMAIL_URL" in fresh(delivery).error
    assert capsys.readouterr().out == ""
    assert not notices()


def test_other_backends_of_django_get_the_same_mail(send: Enqueue, ann: Recipient) -> None:
    send(ann)
    carry_out()
    (message,) = mail.outbox
    assert message.to == ["ann@example.org"]
    assert message.message()["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_nothing_goes_out_of_a_workspace_that_is_being_deleted(
    send: Enqueue, ann: Recipient, bob: Recipient, shop: Workspace, owner: User, mail_server: MailServer
) -> None:
    queued, waiting = send(ann, bob)
    Delivery.objects.filter(pk=waiting.pk).update(job=None)
    request_deletion(workspace=shop, by=owner, ring=False)
    tick()
    assert not mail_server.received
    assert {fresh(queued).status, fresh(waiting).status} == {Status.FAILED}


def test_a_mail_of_an_alert_says_its_words_and_can_be_unsubscribed(
    shop: Workspace, alert_event: AlertEvent, mail_server: MailServer
) -> None:
    enqueue(
        workspace=shop,
        purpose=Delivery.Purpose.ALERT,
        recipients=alert_event.alert.recipients.all(),
        subject="Revenue fell below 100",
        body="Revenue was 80 on 30 March.\n\nSee http://localhost/w/acme/dashboard/.",
        alert_event=alert_event,
    )
    carry_out()
    (received,) = mail_server.received
    assert received.message["List-Id"] == f"<alert-{alert_event.alert_id}.reports.localhost>"
    assert "Revenue was 80 on 30 March." in received.text()
    assert '<a href="http://localhost/w/acme/dashboard/"' in received.text("html")
    assert "/unsubscribe/" in received.text()
