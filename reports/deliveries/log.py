"""The log of deliveries as people read it: who got what, when, and what became of it."""

import datetime as dt
import uuid
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.urls import reverse

from accounts.models import Membership, Workspace
from accounts.permissions import Permission, allows
from mmm_project.problems import NotFound, NotPermitted
from reports.deliveries.outbox import source_of, subscription_of
from reports.models import Alert, Delivery, Recipient, Schedule

ROWS_ON_A_PAGE = 50
NOT_YOURS = "This belongs to a schedule or an alert of somebody else. Ask them, or an owner or admin of the workspace."
_CAN_BE_SENT_AGAIN = (Delivery.Status.SENT, Delivery.Status.FAILED, Delivery.Status.UNKNOWN)


@dataclass(frozen=True, slots=True)
class State:
    """What became of a mail in a sign and words, and the tone of its badge."""

    sign: str
    label: str
    tone: str


STATES = {
    Delivery.Status.WAITING: State("…", "Waiting", ""),
    Delivery.Status.SENDING: State("…", "Being sent", "accent"),
    Delivery.Status.SENT: State("✓", "Sent", "good"),
    Delivery.Status.FAILED: State("✕", "Failed", "bad"),
    Delivery.Status.REJECTED: State("✕", "Address rejected", "bad"),
    Delivery.Status.UNKNOWN: State("?", "May not have arrived", "warn"),
    Delivery.Status.WITHDRAWN: State("–", "Not sent", ""),
}
_OF_NOTICES = "Notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRow:
    """A mail as a line of the log. `outcome`: a sentence. `recipient_id`: of an address that may be allowed again."""

    delivery_id: uuid.UUID
    email: str
    subject: str
    href: str
    about: str
    at: str
    at_iso: str
    attempts: int
    state: State
    outcome: str
    may_be_sent_again: bool
    recipient_id: int | None


def deliveries_of(of: Workspace | Schedule | Alert) -> QuerySet[Delivery]:
    """The deliveries of a whole workspace, of a schedule or of an alert, newest first, with all that rows need."""
    if isinstance(of, Schedule):
        found = Delivery.objects.filter(workspace=of.workspace_id, occurrence__schedule=of)
    elif isinstance(of, Alert):
        found = Delivery.objects.filter(workspace=of.workspace_id, alert_event__alert=of)
    else:
        found = Delivery.objects.filter(workspace=of)
    related = ("workspace", "occurrence__schedule", "alert_event__alert", "edition", "recipient", "requested_by")
    return found.select_related(*related).order_by("-created_at", "email")


def delivery_rows(
    of: Workspace | Schedule | Alert, *, membership: Membership, most: int = ROWS_ON_A_PAGE
) -> list[DeliveryRow]:
    """The newest deliveries as lines of the log, with what this member may do about each: one query."""
    return rows_of(deliveries_of(of)[:most], membership=membership)


def rows_of(deliveries: "QuerySet[Delivery] | list[Delivery]", *, membership: Membership) -> list[DeliveryRow]:
    """Lines for deliveries from `deliveries_of`."""
    return [_row(delivery, membership) for delivery in deliveries]


def may_change(delivery: Delivery, membership: Membership) -> bool:
    """Whether the member may send this again: what is their own, or with the permission for other people's."""
    if allows(membership.role, Permission.SCHEDULE_ANY):
        return True
    about = source_of(delivery)
    return allows(membership.role, Permission.SCHEDULE_OWN) and (
        about is not None and about.created_by_id == membership.user_id
    )


def require_change(delivery: Delivery, membership: Membership) -> None:
    """Raise NotPermitted unless `may_change`."""
    if not may_change(delivery, membership):
        raise NotPermitted(NOT_YOURS)


def require_change_of_recipient(recipient: Recipient, membership: Membership) -> None:
    """Raise NotPermitted unless the schedule or alert is the member's own, or they may change other people's."""
    is_own = subscription_of(recipient).created_by_id == membership.user_id
    if not allows(membership.role, Permission.SCHEDULE_OWN if is_own else Permission.SCHEDULE_ANY):
        raise NotPermitted(NOT_YOURS)


def get_delivery(*, workspace: Workspace, delivery_id: uuid.UUID) -> Delivery:
    """A delivery of the workspace. Raises NotFound."""
    found = deliveries_of(workspace).filter(pk=delivery_id).first()
    if found is None:
        raise NotFound("There is no such delivery in this workspace.")
    return found


def get_recipient(*, workspace: Workspace, recipient_id: int) -> Recipient:
    """A recipient of a schedule or an alert of the workspace. Raises NotFound."""
    known = Recipient.objects.select_related("schedule__workspace", "alert__workspace")
    found = known.filter(pk=recipient_id).first() if recipient_id < 2**63 else None
    if found is None or subscription_of(found).workspace_id != workspace.pk:
        raise NotFound("There is no such recipient in this workspace.")
    return found


def _row(delivery: Delivery, membership: Membership) -> DeliveryRow:
    workspace, about = delivery.workspace, source_of(delivery)
    may = may_change(delivery, membership)
    recipient = delivery.recipient
    page = {"slug": workspace.slug, "edition_id": delivery.edition_id}
    at = delivery.sent_at or delivery.created_at
    return DeliveryRow(
        delivery_id=delivery.pk,
        email=delivery.email,
        subject=delivery.subject,
        href=reverse("reports:edition", kwargs=page) if delivery.edition_id else "",
        about=_OF_NOTICES if delivery.purpose == Delivery.Purpose.NOTICE else (about.name if about else ""),
        at=_moment(at, workspace.zone),
        at_iso=at.isoformat(),
        attempts=delivery.attempts,
        state=STATES[Delivery.Status(delivery.status)],
        outcome=_outcome(delivery, workspace.zone),
        may_be_sent_again=may and delivery.status in _CAN_BE_SENT_AGAIN and _is_reachable(delivery),
        recipient_id=recipient.pk if may and recipient is not None and recipient.rejected_at is not None else None,
    )


def _is_reachable(delivery: Delivery) -> bool:
    """Whether somebody would get it: the same that sending it again checks, as far as the row tells."""
    if delivery.purpose == Delivery.Purpose.NOTICE:
        return True
    if delivery.purpose == Delivery.Purpose.REPORT and delivery.edition_id is None:
        return False
    recipient = delivery.recipient
    return recipient is not None and recipient.unsubscribed_at is None and recipient.rejected_at is None


def _outcome(delivery: Delivery, zone: ZoneInfo) -> str:
    """What became of it, and what comes next."""
    again = f"Sent again by {delivery.requested_by.email}. " if delivery.resend_of_id and delivery.requested_by else ""
    if delivery.status == Delivery.Status.SENT:
        return f"{again}The mail server took it."
    if delivery.status == Delivery.Status.WAITING and delivery.attempts and delivery.next_try_at:
        return f"{again}{delivery.error} Next try: {_moment(delivery.next_try_at, zone)}."
    return f"{again}{delivery.error}".strip()


def _moment(at: dt.datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%-d %b %Y, %H:%M}"
