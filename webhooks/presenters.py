"""Endpoints, and what they were told, as people read them."""

import datetime as dt
import json
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from accounts.models import Workspace
from mmm_project import formats
from mmm_project.problems import NotFound
from webhooks.addresses import host_of
from webhooks.models import Attempt, Delivery, Endpoint
from webhooks.outbox import ON_ITS_WAY
from webhooks.retries import DELAYS

ROWS_ON_A_PAGE = 50
NOBODY = "somebody who has left"
# A page waits for what is about to happen, and not for a try in half an hour.
_SOON = DELAYS[0] * 2


@dataclass(frozen=True, slots=True)
class State:
    """A state in a sign and words, and the tone of its badge."""

    sign: str
    label: str
    tone: str


DELIVERY_STATES = {
    Delivery.Status.PENDING: State("…", "Waiting", ""),
    Delivery.Status.SENDING: State("…", "Being sent", "accent"),
    Delivery.Status.DELIVERED: State("✓", "Delivered", "good"),
    Delivery.Status.FAILED: State("✕", "Failed", "bad"),
    Delivery.Status.CANCELLED: State("–", "Not sent", ""),
}
NEW, WORKING = State("…", "Nothing sent yet", ""), State("✓", "Working", "good")
FAILING, DISABLED = State("!", "Failing", "bad"), State("–", "Disabled", "warn")


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant by the workspace's clock, and for machines."""

    words: str
    iso: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointCard:
    """An endpoint in a few lines. `remark`: a sentence about its state."""

    endpoint: Endpoint
    host: str
    href: str
    state: State
    remark: str
    events: str
    created: str
    signs_twice_until: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRow:
    """A message as a line of an endpoint's log."""

    message_id: str
    type: str
    label: str
    href: str
    at: Moment
    state: State
    outcome: str
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRow:
    """One try, with the beginning of what the receiver answered."""

    number: int
    at: Moment
    answer: str
    is_delivered: bool
    error: str
    body: str
    took: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPage:
    """A message to an endpoint with each try. `is_moving`: something is about to happen, so look again soon."""

    row: DeliveryRow
    payload: str
    requested_by: str
    attempts: list[AttemptRow]
    is_moving: bool
    may_be_sent_again: bool


def endpoints_of(workspace: Workspace) -> QuerySet[Endpoint]:
    """The endpoints of a workspace, the oldest first, with all that their cards need."""
    return Endpoint.objects.filter(workspace=workspace).select_related("workspace", "created_by").order_by("created_at")


def present_endpoint(endpoint: Endpoint) -> EndpointCard:
    """An endpoint whose workspace and creator are loaded; no query."""
    workspace = endpoint.workspace
    creator = endpoint.created_by.email if endpoint.created_by else NOBODY
    overlap = endpoint.previous_secret_until
    return EndpointCard(
        endpoint=endpoint,
        host=host_of(endpoint.url),
        href=reverse("webhooks:endpoint", kwargs={"slug": workspace.slug, "endpoint_id": endpoint.pk}),
        state=_state_of(endpoint),
        remark=_remark(endpoint),
        events=", ".join(endpoint.events),
        created=f"{_moment(endpoint.created_at, workspace).words} by {creator}",
        signs_twice_until=_moment(overlap, workspace).words if overlap and overlap > timezone.now() else "",
    )


def deliveries_of(endpoint: Endpoint, status: str = "") -> QuerySet[Delivery]:
    """What an endpoint was told, newest first; of one status, if that is given."""
    found = Delivery.objects.filter(endpoint=endpoint).select_related("message").order_by("-created_at", "-pk")
    return found.filter(status=status) if status else found


def present_rows(deliveries: Iterable[Delivery], endpoint: Endpoint) -> list[DeliveryRow]:
    """Lines for deliveries of the endpoint; no query."""
    return [_row(delivery, endpoint) for delivery in deliveries]


def find_delivery(*, endpoint: Endpoint, message_id: str) -> Delivery:
    """The telling of a message to the endpoint. Raises NotFound."""
    found = Delivery.objects.filter(endpoint=endpoint).select_related("message", "requested_by")
    # What can be no id is not looked for: PostgreSQL refuses a text with a NUL in it.
    delivery = found.filter(message=message_id).first() if message_id.isprintable() else None
    if delivery is None:
        raise NotFound("There is no such message of this webhook. Messages are kept for 30 days.")
    return delivery


def present_delivery(delivery: Delivery, endpoint: Endpoint) -> DeliveryPage:
    """A message to an endpoint with each try: one query."""
    now = timezone.now()
    is_next = delivery.next_try_at is not None and delivery.next_try_at <= now + _SOON
    return DeliveryPage(
        row=_row(delivery, endpoint),
        payload=json.dumps(json.loads(delivery.message.body), indent=2, ensure_ascii=False),
        requested_by=delivery.requested_by.email if delivery.requested_by else "",
        attempts=[_attempt(attempt, endpoint.workspace) for attempt in delivery.log.order_by("-number")],
        is_moving=delivery.status == Delivery.Status.SENDING
        or (delivery.status == Delivery.Status.PENDING and is_next and endpoint.rests_until is None),
        may_be_sent_again=delivery.status not in ON_ITS_WAY and endpoint.disabled_at is None,
    )


def _state_of(endpoint: Endpoint) -> State:
    if endpoint.disabled_at is not None:
        return DISABLED
    if endpoint.failing_since is not None:
        return FAILING
    return WORKING if endpoint.last_delivered_at else NEW


def _remark(endpoint: Endpoint) -> str:
    if endpoint.disabled_at is not None:
        since = _moment(endpoint.disabled_at, endpoint.workspace).words
        return f"Since {since}. {endpoint.disabled_because or 'Somebody disabled it.'}"
    if endpoint.failing_since is not None:
        since = _moment(endpoint.failing_since, endpoint.workspace).words
        times = formats.count(endpoint.failures, "time")
        return f"Since {since}, {times} in a row. After five days it is disabled, once a message is out of tries."
    if endpoint.last_delivered_at is not None:
        return f"Last delivered {_moment(endpoint.last_delivered_at, endpoint.workspace).words}."
    return "A test event shows whether it answers."


def _row(delivery: Delivery, endpoint: Endpoint) -> DeliveryRow:
    workspace = endpoint.workspace
    where = {"slug": workspace.slug, "endpoint_id": endpoint.pk, "message_id": delivery.message_id}
    return DeliveryRow(
        message_id=delivery.message_id,
        type=delivery.message.type,
        label=delivery.message.get_type_display(),
        href=reverse("webhooks:message", kwargs=where),
        at=_moment(delivery.created_at, workspace),
        state=DELIVERY_STATES[Delivery.Status(delivery.status)],
        outcome=_outcome(delivery, workspace),
        attempts=delivery.attempts,
    )


def _outcome(delivery: Delivery, workspace: Workspace) -> str:
    """What became of it, and what comes next."""
    if delivery.status == Delivery.Status.DELIVERED:
        return f"The receiver answered {delivery.response_status}."
    if delivery.status == Delivery.Status.PENDING and delivery.tries and delivery.next_try_at:
        return f"{delivery.error} Next try: {_moment(delivery.next_try_at, workspace).words}."
    return delivery.error


def _attempt(attempt: Attempt, workspace: Workspace) -> AttemptRow:
    return AttemptRow(
        number=attempt.number,
        at=_moment(attempt.at, workspace, seconds=True),
        answer=str(attempt.response_status) if attempt.response_status else "No answer",
        is_delivered=not attempt.error,
        error=attempt.error,
        body=attempt.response_body,
        took=f"{formats.count(attempt.duration_ms)} ms",
    )


def _moment(at: dt.datetime, workspace: Workspace, *, seconds: bool = False) -> Moment:
    there = at.astimezone(workspace.zone)
    return Moment(f"{there:%-d %b %Y, %H:%M:%S}" if seconds else f"{there:%-d %b %Y, %H:%M}", at.isoformat())
