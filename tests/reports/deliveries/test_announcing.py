"""Webhooks are told that a mail server took the mail of a report, and not whose."""

from accounts.models import User, Workspace
from reports.deliveries.outbox import notify
from reports.models import Occurrence, Recipient
from tests.reports.deliveries.conftest import Enqueue
from tests.reports.deliveries.steps import carry_out
from tests.smtp_server import MailServer
from tests.webhooks.steps import an_endpoint, told
from webhooks.models import Message


def test_each_mail_of_a_report_is_told_when_it_was_taken(
    shop: Workspace, send: Enqueue, ann: Recipient, bob: Recipient, occurrence: Occurrence, mail_server: MailServer
) -> None:
    an_endpoint(shop)
    mail_server.rejected = {bob.email: "550 5.1.1 There is nobody of this name here"}
    to_ann, _ = sorted(send(ann, bob), key=lambda delivery: delivery.email)
    assert told() == []
    carry_out()
    assert to_ann.edition is not None
    (event,) = told()
    assert event == (
        "report.delivered",
        {
            "id": str(to_ann.pk),
            "status": "sent",
            "edition_id": str(to_ann.edition.pk),
            "schedule_id": str(occurrence.schedule_id),
            "due_at": "2026-03-30T07:00:00Z",
            "formats": ["csv"],
            "url": f"http://localhost:8000/api/v1/deliveries/{to_ann.pk}/",
        },
    )
    assert ann.email not in Message.objects.get().body


def test_a_notice_is_nothing_for_programs(shop: Workspace, owner: User, mail_server: MailServer) -> None:
    an_endpoint(shop)
    notify(workspace=shop, user=owner, subject="Something", body="Something happened.")
    carry_out()
    assert len(mail_server.received) == 1
    assert told() == []
