"""The outbox: who gets a row, once; how many a day; what can be sent again, and by whose word."""

import datetime as dt

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from accounts.models import AuditEvent, User, Workspace
from jobs.models import Job
from mmm_project.problems import Conflict, Invalid
from reports.deliveries.outbox import JOB_KIND, enable, enqueue, notify, resend, send_due
from reports.models import AlertEvent, Delivery, Occurrence, Recipient, Schedule
from tests.reports.deliveries.conftest import Enqueue, MakeEdition
from tests.reports.deliveries.steps import carry_out, fresh, job_of, tick
from tests.smtp_server import MailServer

Status = Delivery.Status


def test_each_recipient_gets_a_row_with_a_job(send: Enqueue, ann: Recipient, bob: Recipient) -> None:
    deliveries = send(ann, bob)
    assert [(each.email, each.status, each.recipient) for each in deliveries] == [
        ("ann@example.org", Status.WAITING, ann),
        ("bob@example.org", Status.WAITING, bob),
    ]
    assert {each.next_try_at for each in deliveries} == {timezone.now()}
    assert Job.objects.filter(kind=JOB_KIND, status=Job.Status.QUEUED).count() == 2


def test_the_same_occurrence_is_queued_once(
    send: Enqueue, make_edition: MakeEdition, ann: Recipient, bob: Recipient
) -> None:
    edition = make_edition()
    send(ann, edition=edition)
    assert [each.email for each in send(ann, bob, edition=edition)] == ["bob@example.org"]
    assert send(ann, bob, edition=edition) == []
    assert Job.objects.filter(kind=JOB_KIND).count() == Delivery.objects.count() == 2


def test_another_occurrence_is_another_mail(send: Enqueue, ann: Recipient, schedule: Schedule) -> None:
    send(ann)
    now = timezone.now()
    other = Occurrence.objects.create(schedule=schedule, due_at=now, claimed_at=now, manual=True)
    assert len(send(ann, occurrence=other)) == 1


def test_an_event_of_an_alert_is_queued_once(shop: Workspace, alert_event: AlertEvent) -> None:
    def queue() -> list[Delivery]:
        return enqueue(
            workspace=shop,
            purpose=Delivery.Purpose.ALERT,
            recipients=alert_event.alert.recipients.all(),
            subject="Revenue",
            body="It fell.",
            alert_event=alert_event,
        )

    assert [each.email for each in queue()] == ["carl@example.org"]
    assert queue() == []


def test_who_unsubscribed_or_was_rejected_gets_no_row(send: Enqueue, ann: Recipient, bob: Recipient) -> None:
    ann.unsubscribed_at = bob.rejected_at = timezone.now()
    assert send(ann, bob) == []
    assert not Job.objects.filter(kind=JOB_KIND).exists()


def test_nothing_is_queued_where_the_callers_transaction_is_undone(
    send: Enqueue, ann: Recipient, make_edition: MakeEdition
) -> None:
    edition = make_edition()
    with transaction.atomic():
        send(ann, edition=edition)
        transaction.set_rollback(True)
    assert not Delivery.objects.exists()
    assert not Job.objects.filter(kind=JOB_KIND).exists()


def test_a_workspace_sends_no_more_than_so_many_mails_a_day(
    send: Enqueue, schedule: Schedule, analyst: User, settings: Settings
) -> None:
    settings.MAILS_A_DAY = 2
    people = [Recipient.objects.create(schedule=schedule, email=f"p{place}@example.org") for place in range(3)]
    deliveries = send(*people)
    assert [each.status for each in deliveries] == [Status.WAITING, Status.WAITING, Status.FAILED]
    assert deliveries[2].error == "This workspace has sent 2 mails within a day. Send it again tomorrow."
    assert deliveries[2].job is None
    (notice,) = Delivery.objects.filter(purpose=Delivery.Purpose.NOTICE)
    assert (notice.email, notice.status) == (analyst.email, Status.WAITING)
    with pytest.raises(Invalid, match="within a day"):
        resend(delivery=deliveries[2], by=analyst)
    with time_machine.travel(timezone.now() + dt.timedelta(days=1, seconds=1), tick=False):
        assert resend(delivery=deliveries[2], by=analyst).status == Status.WAITING


def test_what_was_refused_for_its_number_does_not_count(
    send: Enqueue, ann: Recipient, bob: Recipient, schedule: Schedule, settings: Settings
) -> None:
    settings.MAILS_A_DAY = 0
    assert [each.status for each in send(ann)] == [Status.FAILED]
    settings.MAILS_A_DAY = 1
    assert [each.status for each in send(bob)] == [Status.WAITING]


def test_another_workspaces_mails_do_not_count(
    send: Enqueue, ann: Recipient, bob: Recipient, outsider: User, settings: Settings
) -> None:
    settings.MAILS_A_DAY = 1
    (delivery,) = send(ann)
    elsewhere = Workspace.objects.get(slug="elsewhere")
    Delivery.objects.filter(pk=delivery.pk).update(workspace=elsewhere)
    assert [each.status for each in send(bob)] == [Status.WAITING]


def test_a_notice_goes_to_one_person_once_about_one_thing(shop: Workspace, owner: User, occurrence: Occurrence) -> None:
    def tell(about: Occurrence | None) -> Delivery | None:
        return notify(workspace=shop, user=owner, subject="Not sent", body="It failed.", occurrence=about)

    assert tell(occurrence) is not None
    assert tell(occurrence) is None
    assert tell(None) is not None
    assert tell(None) is not None


def test_a_mail_that_failed_is_sent_again_as_another_delivery(
    send: Enqueue, ann: Recipient, owner: User, mail_server: MailServer
) -> None:
    mail_server.answer_to_data = "554 No"
    (first,) = send(ann)
    carry_out()
    mail_server.answer_to_data = "250 OK"
    again = resend(delivery=first, by=owner)
    assert (again.resend_of, again.requested_by, again.edition) == (first, owner, first.edition)
    carry_out()
    assert (fresh(first).status, fresh(again).status) == (Status.FAILED, Status.SENT)
    assert len(mail_server.to("ann@example.org")) == 1
    event = AuditEvent.objects.get(action="delivery.sent_again")
    assert (event.actor, event.target, event.detail["of"]) == (owner, "ann@example.org", str(first.pk))


@pytest.mark.parametrize(
    ("status", "is_allowed"),
    [
        (Status.SENT, True), (Status.FAILED, True), (Status.UNKNOWN, True),
        (Status.WAITING, False), (Status.SENDING, False), (Status.REJECTED, False), (Status.WITHDRAWN, False),
    ],
)  # fmt: skip
def test_what_can_be_sent_again(send: Enqueue, ann: Recipient, owner: User, status: str, is_allowed: bool) -> None:
    (delivery,) = send(ann)
    Delivery.objects.filter(pk=delivery.pk).update(status=status)
    if is_allowed:
        resend(delivery=delivery, by=owner)
    else:
        with pytest.raises(Conflict, match="Only what was sent"):
            resend(delivery=delivery, by=owner)
    assert Delivery.objects.count() == 1 + is_allowed


def test_two_clicks_send_it_again_once(send: Enqueue, ann: Recipient, owner: User) -> None:
    (delivery,) = send(ann)
    Delivery.objects.filter(pk=delivery.pk).update(status=Status.UNKNOWN)
    resend(delivery=delivery, by=owner)
    with pytest.raises(Conflict, match="being sent again already"):
        resend(delivery=delivery, by=owner)


def test_a_mail_is_sent_again_once_a_minute(
    send: Enqueue, ann: Recipient, owner: User, mail_server: MailServer
) -> None:
    (first,) = send(ann)
    carry_out()
    again = resend(delivery=first, by=owner)
    carry_out()
    for delivery in (first, fresh(again)):
        with pytest.raises(Conflict, match="within the last minute"):
            resend(delivery=delivery, by=owner)
    with time_machine.travel(timezone.now() + dt.timedelta(seconds=61), tick=False):
        resend(delivery=first, by=owner)
        carry_out()
    assert len(mail_server.to("ann@example.org")) == 3


def test_notices_that_are_sent_again_count_among_the_mails_of_a_day(
    shop: Workspace, owner: User, mail_server: MailServer, settings: Settings
) -> None:
    settings.MAILS_A_DAY = 2
    notice = notify(workspace=shop, user=owner, subject="Not sent", body="It failed.")
    assert notice is not None
    carry_out()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(2):
            clock.shift(dt.timedelta(minutes=2))
            resend(delivery=notice, by=owner)
            carry_out()
        clock.shift(dt.timedelta(minutes=2))
        with pytest.raises(Invalid, match="2 mails within a day"):
            resend(delivery=notice, by=owner)
        assert notify(workspace=shop, user=owner, subject="Not sent", body="It failed, too.")
        carry_out()
    assert [received.message["Subject"] for received in mail_server.received] == ["Not sent"] * 4


def test_who_unsubscribed_was_rejected_or_removed_is_not_sent_to_again(
    send: Enqueue, ann: Recipient, owner: User
) -> None:
    (delivery,) = send(ann)
    Delivery.objects.filter(pk=delivery.pk).update(status=Status.SENT)
    now = timezone.now()
    for change, words in (
        ({"unsubscribed_at": now}, "has unsubscribed"),
        ({"unsubscribed_at": None, "rejected_at": now}, "was rejected"),
    ):
        Recipient.objects.filter(pk=ann.pk).update(**change)
        with pytest.raises(Conflict, match=words):
            resend(delivery=delivery, by=owner)
    ann.delete()
    with pytest.raises(Conflict, match="no longer among the recipients"):
        resend(delivery=delivery, by=owner)


def test_who_was_removed_and_is_on_the_list_again_is_sent_to_again(
    send: Enqueue, ann: Recipient, schedule: Schedule, owner: User
) -> None:
    (delivery,) = send(ann)
    Delivery.objects.filter(pk=delivery.pk).update(status=Status.SENT)
    ann.delete()
    anew = Recipient.objects.create(schedule=schedule, email="ann@example.org")
    assert resend(delivery=delivery, by=owner).recipient == anew


def test_a_report_that_is_gone_is_not_sent_again(send: Enqueue, ann: Recipient, owner: User) -> None:
    (delivery,) = send(ann)
    Delivery.objects.filter(pk=delivery.pk).update(status=Status.SENT, edition=None)
    with pytest.raises(Conflict, match="has been deleted"):
        resend(delivery=delivery, by=owner)


def test_a_notice_is_not_sent_again_to_somebody_who_has_left(shop: Workspace, owner: User, analyst: User) -> None:
    notice = notify(workspace=shop, user=analyst, subject="Not sent", body="It failed.")
    assert notice is not None
    Delivery.objects.update(status=Status.FAILED)
    shop.memberships.filter(user=analyst).delete()
    with pytest.raises(Conflict, match="no longer a member"):
        resend(delivery=notice, by=owner)


def test_an_address_that_was_rejected_gets_mails_again_once_it_is_allowed(
    send: Enqueue, make_edition: MakeEdition, ann: Recipient, owner: User, mail_server: MailServer
) -> None:
    mail_server.rejected = {"ann@example.org": "550 No such user"}
    send(ann)
    carry_out()
    mail_server.rejected = {}
    ann.refresh_from_db()
    enable(recipient=ann, by=owner)
    enable(recipient=ann, by=owner)
    ann.refresh_from_db()
    assert (ann.rejected_at, ann.rejected_because) == (None, "")
    send(ann, occurrence=None)
    carry_out()
    assert len(mail_server.to("ann@example.org")) == 1
    assert AuditEvent.objects.filter(action="recipient.enabled", actor=owner, target="ann@example.org").count() == 1


def test_a_mail_whose_job_is_gone_gets_another(send: Enqueue, ann: Recipient, mail_server: MailServer) -> None:
    (delivery,) = send(ann)
    Job.objects.filter(pk=job_of(delivery)).delete()
    assert tick() == 1
    assert fresh(delivery).status == Status.SENT


def test_a_tick_with_nothing_to_do_asks_one_question(
    send: Enqueue, ann: Recipient, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    send(ann)
    with django_assert_num_queries(1):
        assert send_due(timezone.now()) == 0
