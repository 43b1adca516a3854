"""Mails in every state, and the links of some: for the pages of deliveries and of unsubscribing."""

import datetime as dt
from collections.abc import Mapping

from django.utils import timezone

from accounts.models import User, Workspace
from reports.deliveries.links import unsubscribe_url
from reports.models import Delivery, Occurrence, Recipient, Schedule

REFUSED = "The mail server did not take the message: “554 5.6.0 This looks like spam”."
REJECTED = "The mail server rejected this address: “550 5.1.1 There is nobody of this name here”."
UNKNOWN = (
    "The connection to the mail server ended after the message was handed over and before it was confirmed, so it may "
    "have arrived or not. Ask the recipient, and send it again if it has not."
)
ERRORS = {
    Delivery.Status.WAITING: "The mail server did not answer in time.",
    Delivery.Status.FAILED: REFUSED,
    Delivery.Status.REJECTED: REJECTED,
    Delivery.Status.UNKNOWN: UNKNOWN,
    Delivery.Status.WITHDRAWN: "The recipient unsubscribed before it was sent.",
}


def delivery_cases(shop: Workspace, owner: User) -> tuple[dict[str, object], dict[str, Mapping[str, object]]]:
    """Keep mails of every state; return what arguments of URLs stand for, and cases with tokens of mails."""
    now = timezone.now()
    schedule = Schedule.objects.create(
        workspace=shop,
        name="What every mail can come to",
        kind="dashboard",
        period="last_7",
        formats=["pdf"],
        frequency=Schedule.Frequency.DAILY,
        time=dt.time(9),
        zone="Europe/Berlin",
        next_run_at=now + dt.timedelta(days=1),
        created_by=owner,
    )
    occurrence = Occurrence.objects.create(schedule=schedule, due_at=now, claimed_at=now)
    by_status = {}
    for status in Delivery.Status:
        recipient = Recipient.objects.create(
            schedule=schedule,
            email=f"{status}.somebody.with.a.long.name@a-company-of-some-length.example.com",
            rejected_at=now if status == Delivery.Status.REJECTED else None,
            rejected_because=REJECTED if status == Delivery.Status.REJECTED else "",
            unsubscribed_at=now if status == Delivery.Status.WITHDRAWN else None,
        )
        by_status[status] = Delivery.objects.create(
            workspace=shop,
            purpose=Delivery.Purpose.ALERT,
            occurrence=occurrence,
            recipient=recipient,
            email=recipient.email,
            subject="What every mail can come to: 1–7 Jun 2026",
            status=status,
            attempts=5 if status == Delivery.Status.FAILED else 1,
            error=ERRORS.get(status, ""),
            next_try_at=now + dt.timedelta(minutes=5) if status == Delivery.Status.WAITING else None,
            sent_at=now if status == Delivery.Status.SENT else None,
        )
    sent, failed = by_status[Delivery.Status.SENT], by_status[Delivery.Status.FAILED]
    withdrawn = by_status[Delivery.Status.WITHDRAWN]
    cases: dict[str, Mapping[str, object]] = {
        "of a mail": {"token": _token(sent)},
        "of somebody who has unsubscribed": {"token": _token(withdrawn)},
    }
    return {"delivery_id": failed.pk, "recipient_id": by_status[Delivery.Status.REJECTED].recipient_id}, cases


def _token(delivery: Delivery) -> str:
    assert delivery.recipient is not None
    return unsubscribe_url(delivery.recipient).split("/")[-2]
