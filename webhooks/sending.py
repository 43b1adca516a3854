"""One message to one endpoint: claimed, handed over outside any transaction, and what came of it written down."""

import datetime as dt
import logging
import uuid
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from webhooks import outbox, retries
from webhooks.endpoints import stop_by_itself
from webhooks.models import Attempt, Delivery, Endpoint
from webhooks.signing import SecretUnreadable, signed_headers, unseal
from webhooks.transport import Answer, post

logger = logging.getLogger(__name__)

USER_AGENT = "MixedMediaModeling-Webhooks/1"
# A claim outlasts its try by this much: whoever has it writes what came of it meanwhile.
SECONDS_TO_WRITE = 50
CANDIDATES = 50  # of which other workers may take some at the same moment
INTERRUPTED = "Sending was interrupted by a restart on our side, so this attempt may have arrived or not."
CANNOT_SIGN = (
    "The signing secret cannot be read, because the key of this installation has changed. Rotate the secret, then send "
    "this again."
)
OUR_FAULT = "Something went wrong on our side."
GONE = "The receiver answered 410 Gone: it wants no more events."
FAILED_TOO_LONG = "Nothing could be delivered for five days. The last time: {}"


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that one worker has taken for one attempt, with all that it takes to send it.

    `attempt`: the fence. Whoever took the delivery over has a higher one. `sealed`: the secrets that sign, encrypted.
    """

    delivery_id: int
    endpoint_id: uuid.UUID
    attempt: int
    message_id: str
    body: str
    url: str
    sealed: tuple[str, ...]


def claim_next() -> Claim | None:
    """Take the next delivery that is due; None where nothing is. Endpoints that were tried long ago come first."""
    now = timezone.now()
    waiting = outbox.due(now).order_by(F("endpoint__last_tried_at").asc(nulls_first=True), "next_try_at", "pk")
    for delivery_id, endpoint_id in waiting.values_list("pk", "endpoint")[:CANDIDATES]:
        if claim := _claim(delivery_id, endpoint_id, now):
            return claim
    return None


def hand_over(claim: Claim) -> Answer:
    """Sign and post what was claimed; asks no database, so that any thread may do it."""
    try:
        secrets = [unseal(claim.sealed[0]), *_still_readable(claim.sealed[1:])]
    except SecretUnreadable:
        return Answer(error=CANNOT_SIGN)
    signed = signed_headers(message_id=claim.message_id, body=claim.body, at=timezone.now(), secrets=secrets)
    headers = {"Content-Type": "application/json", "User-Agent": USER_AGENT, **signed}
    return post(url=claim.url, headers=headers, body=claim.body.encode(), seconds=settings.WEBHOOK_SECONDS)


@transaction.atomic
def conclude(claim: Claim, answer: Answer) -> None:
    """Write what came of an attempt, unless its endpoint was deleted or its claim taken over meanwhile."""
    locked = Endpoint.objects.select_for_update(of=("self",), no_key=True).select_related("workspace")
    endpoint = locked.filter(pk=claim.endpoint_id).first()
    ours = Delivery.objects.filter(pk=claim.delivery_id, status=Delivery.Status.SENDING, attempts=claim.attempt)
    delivery = ours.first()
    if endpoint is not None and delivery is not None:
        _note(endpoint, delivery, answer, timezone.now())


def recover(now: dt.datetime) -> int:
    """Have what was interrupted sent again, under the same id; return how many there were."""
    found = 0
    for delivery in outbox.interrupted(now):
        claim = Claim(delivery.pk, delivery.endpoint_id, delivery.attempts, delivery.message_id, "", "", ())
        conclude(claim, Answer(error=INTERRUPTED))
        found += 1
    return found


@transaction.atomic
def _claim(delivery_id: int, endpoint_id: uuid.UUID, now: dt.datetime) -> Claim | None:
    """Take a delivery, if it waits still and nothing else is being sent to its endpoint; None where another was first.

    The endpoint is locked, so that of two workers one finds what the other has taken.
    """
    locked = Endpoint.objects.select_for_update(no_key=True)
    endpoint = locked.filter(pk=endpoint_id, disabled_at=None).first()
    if endpoint is None or endpoint.deliveries.filter(status=Delivery.Status.SENDING).exists():
        return None
    ours = Delivery.objects.filter(pk=delivery_id, status=Delivery.Status.PENDING, next_try_at__lte=now)
    if outbox.cancel(ours.exclude(message__type__in=outbox.wanted_by(endpoint)), because=outbox.NOT_WANTED):
        return None
    claimed_until = now + dt.timedelta(seconds=settings.WEBHOOK_SECONDS + SECONDS_TO_WRITE)
    taken = {"status": Delivery.Status.SENDING, "next_try_at": None, "claimed_until": claimed_until}
    if not ours.update(**taken, attempts=F("attempts") + 1, tries=F("tries") + 1):
        return None
    Endpoint.objects.filter(pk=endpoint.pk).update(last_tried_at=now)
    delivery = Delivery.objects.select_related("message").get(pk=delivery_id)
    overlap = endpoint.previous_secret_until
    previous = (endpoint.previous_secret,) if overlap is not None and overlap > now else ()
    return Claim(
        delivery_id=delivery.pk,
        endpoint_id=endpoint.pk,
        attempt=delivery.attempts,
        message_id=delivery.message_id,
        body=delivery.message.body,
        url=endpoint.url,
        sealed=(endpoint.secret, *previous),
    )


def _still_readable(sealed: tuple[str, ...]) -> list[str]:
    """The secrets of before, but for those whose key is lost: the newest one signs all the same."""
    secrets = []
    for one in sealed:
        try:
            secrets.append(unseal(one))
        except SecretUnreadable:
            logger.warning("A previous secret of a webhook cannot be read any more")
    return secrets


def _note(endpoint: Endpoint, delivery: Delivery, answer: Answer, now: dt.datetime) -> None:
    """Move delivery and endpoint on, in the caller's transaction, which has locked the endpoint."""
    Attempt.objects.create(
        delivery=delivery,
        number=delivery.attempts,
        at=now,
        response_status=answer.status,
        response_body=answer.body,
        error=answer.error,
        duration_ms=answer.duration_ms,
    )
    delivery.claimed_until, delivery.response_status, delivery.error = None, answer.status, answer.error
    if answer.is_delivered:
        delivery.status, delivery.delivered_at = Delivery.Status.DELIVERED, now
    else:
        _after_failure(endpoint, delivery, answer, now)
    delivery.save(update_fields=["status", "claimed_until", "response_status", "error", "delivered_at", "next_try_at"])
    if answer.error != INTERRUPTED:  # which says nothing about the receiver
        _note_on_endpoint(endpoint, delivery, answer, now)


def _after_failure(endpoint: Endpoint, delivery: Delivery, answer: Answer, now: dt.datetime) -> None:
    if endpoint.disabled_at is not None:
        delivery.status = Delivery.Status.CANCELLED
        return
    if answer.error == INTERRUPTED and delivery.tries < retries.TRIES:
        delivery.status, delivery.next_try_at = Delivery.Status.PENDING, now
        return
    again = retries.next_try(tries=delivery.tries, now=now, retry_after=answer.retry_after)
    if answer.is_gone or again is None:
        delivery.status = Delivery.Status.FAILED
    else:
        delivery.status, delivery.next_try_at = Delivery.Status.PENDING, again


def _note_on_endpoint(endpoint: Endpoint, delivery: Delivery, answer: Answer, now: dt.datetime) -> None:
    if answer.is_delivered:
        endpoint.failing_since, endpoint.failures, endpoint.rests_until = None, 0, None
        endpoint.last_delivered_at = now
    else:
        endpoint.failing_since, endpoint.failures = endpoint.failing_since or now, endpoint.failures + 1
        endpoint.rests_until = retries.rest_until(failures=endpoint.failures, now=now, retry_after=answer.retry_after)
    endpoint.save(update_fields=["failing_since", "failures", "rests_until", "last_delivered_at"])
    if answer.is_gone:
        stop_by_itself(endpoint, because=GONE)
    elif _has_failed_too_long(endpoint, delivery, now):
        stop_by_itself(endpoint, because=FAILED_TOO_LONG.format(answer.error))


def _has_failed_too_long(endpoint: Endpoint, delivery: Delivery, now: dt.datetime) -> bool:
    """Whether nothing was delivered for so long, and not because there was nothing to deliver.

    That is: this message is out of tries, or one that nobody asked for again has waited all that time, as it may where
    many wait.
    """
    long_ago = now - retries.DISABLED_AFTER
    if endpoint.failing_since is None or endpoint.failing_since > long_ago:
        return False
    waiting = endpoint.deliveries.filter(status=Delivery.Status.PENDING, tries=F("attempts"))
    return delivery.status == Delivery.Status.FAILED or waiting.filter(created_at__lte=long_ago).exists()
