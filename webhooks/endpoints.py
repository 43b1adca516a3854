"""Every change to a workspace's endpoints: atomic, audited, and checked before anything is sent there."""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.audit import changes_between, record
from accounts.models import User, Workspace
from mmm_project.problems import Conflict, Invalid, NotFound
from webhooks import addresses, outbox, signals
from webhooks.addresses import AddressRefused, host_of
from webhooks.event_types import SUBSCRIBABLE, EventType
from webhooks.events import announce_to
from webhooks.models import LONGEST_DESCRIPTION, Delivery, Endpoint
from webhooks.signing import new_secret, seal

MOST_ENDPOINTS = 10
# For so long after a new secret was made, the one before signs beside it.
OVERLAP = dt.timedelta(hours=24)


def find_endpoint(*, workspace: Workspace, endpoint_id: uuid.UUID) -> Endpoint:
    """Return an endpoint of the workspace. Raises NotFound."""
    found = Endpoint.objects.select_related("workspace", "created_by").filter(workspace=workspace, pk=endpoint_id)
    endpoint = found.first()
    if endpoint is None:
        raise NotFound("There is no such webhook in this workspace.")
    return endpoint


def create_endpoint(
    *, workspace: Workspace, url: str, events: Sequence[str], by: User | None, description: str = ""
) -> tuple[Endpoint, str]:
    """Create an endpoint; return it with its secret, which cannot be shown again.

    Raises Invalid, by field, for a URL that nothing may be sent to, for no or unknown events, and for one endpoint too
    many.
    """
    chosen = _clean(url=url, events=events, description=description)
    _require_reachable(url)  # before the transaction: names may take seconds to look up
    secret = new_secret()
    with transaction.atomic():
        Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)  # of two at once, one counts the other
        if Endpoint.objects.filter(workspace=workspace).count() >= MOST_ENDPOINTS:
            raise Invalid(f"A workspace has at most {MOST_ENDPOINTS} webhooks. Delete one that is no longer needed.")
        endpoint = Endpoint.objects.create(
            workspace=workspace,
            url=url,
            description=description.strip(),
            events=chosen,
            secret=seal(secret),
            created_by=by,
        )
        _record(endpoint, "webhook.created", by, events=chosen)
    return endpoint, secret


def change_endpoint(
    *, endpoint: Endpoint, url: str, events: Sequence[str], by: User | None, description: str = ""
) -> None:
    """Change where an endpoint is and what it is told; what waits goes to the new URL. Raises Invalid, by field."""
    chosen = _clean(url=url, events=events, description=description)
    if url != endpoint.url:
        _require_reachable(url)
    with transaction.atomic():
        stored = outbox.lock(endpoint)
        before, moved = _as_recorded(stored), url != stored.url
        if moved:
            stored.failing_since, stored.failures, stored.rests_until = None, 0, None
        stored.url, stored.events, stored.description = url, chosen, description.strip()
        stored.save(update_fields=["url", "events", "description", "failing_since", "failures", "rests_until"])
        outbox.withdraw(stored, because=outbox.NOT_WANTED, but=outbox.wanted_by(stored))
        changes = changes_between(before, _as_recorded(stored))
        if changes or moved:
            # Of a URL on the same host, only that it is another one: the rest of it may hold a password.
            _record(stored, "webhook.changed", by, changes=changes, url_changed=moved)


@transaction.atomic
def rotate_secret(*, endpoint: Endpoint, by: User | None) -> str:
    """Give the endpoint a new secret and return it; the one before signs beside it for `OVERLAP`.

    One that was still signing beside the one before ends now.
    """
    stored = outbox.lock(endpoint)
    secret = new_secret()
    stored.previous_secret, stored.previous_secret_until = stored.secret, timezone.now() + OVERLAP
    stored.secret = seal(secret)
    stored.save(update_fields=["secret", "previous_secret", "previous_secret_until"])
    _record(stored, "webhook.secret_rotated", by)
    return secret


@transaction.atomic
def disable_endpoint(*, endpoint: Endpoint, by: User | None) -> None:
    """Send nothing to the endpoint any more; what waits is cancelled. One that is disabled stays as it is."""
    stored = outbox.lock(endpoint)
    if _stop(stored, because=""):
        _record(stored, "webhook.disabled", by)


def stop_by_itself(endpoint: Endpoint, *, because: str) -> None:
    """Disable a locked endpoint without anybody's asking, and let others tell people why. `because`: a sentence."""
    if _stop(endpoint, because=because):
        _record(endpoint, "webhook.disabled", None, because=because)
        signals.endpoint_disabled.send(sender=Endpoint, endpoint=endpoint, sentence=because)


def enable_endpoint(*, endpoint: Endpoint, by: User | None) -> None:
    """Send to the endpoint again, from the next event on. Raises Conflict where its URL may not be sent to."""
    try:
        addresses.resolve(addresses.parse(endpoint.url))
    except AddressRefused as refusal:
        raise Conflict(f"It stays disabled. {refusal}") from refusal
    with transaction.atomic():
        stored = outbox.lock(endpoint)
        if stored.disabled_at is None:
            return
        stored.disabled_at, stored.disabled_because = None, ""
        stored.failing_since, stored.failures, stored.rests_until = None, 0, None
        stored.save(
            update_fields=["disabled_at", "disabled_because", "failing_since", "failures", "rests_until"],
        )
        _record(stored, "webhook.enabled", by)


@transaction.atomic
def delete_endpoint(*, endpoint: Endpoint, by: User | None) -> None:
    """Delete an endpoint with its log."""
    stored = outbox.lock(endpoint)
    _record(stored, "webhook.deleted", by)
    stored.delete()


@transaction.atomic
def send_test(*, endpoint: Endpoint, by: User | None) -> Delivery:
    """Send the endpoint a ping. Raises Conflict while it is disabled, and while another one is on its way."""
    stored = outbox.lock(endpoint)
    if stored.disabled_at is not None:
        raise Conflict("This endpoint is disabled. Enable it first.")
    tests = Delivery.objects.filter(endpoint=stored, message__type=EventType.PING, status__in=outbox.ON_ITS_WAY)
    if tests.exists():
        raise Conflict("A test event is on its way already.")
    outbox.wake(stored)
    _record(stored, "webhook.tested", by)
    return announce_to(stored, event=EventType.PING, data={"id": str(stored.pk), "status": "test"}, by=by)


def _clean(*, url: str, events: Sequence[str], description: str) -> list[str]:
    """Return the events in their usual order. Raises Invalid, by field."""
    errors: dict[str, list[str]] = {}
    try:
        addresses.parse(url)
    except AddressRefused as refusal:
        errors["url"] = [str(refusal)]
    if not events or not set(events) <= set(SUBSCRIBABLE):
        errors["events"] = [f"Choose from {', '.join(SUBSCRIBABLE)}." if events else "Choose at least one event."]
    if len(description.strip()) > LONGEST_DESCRIPTION:
        errors["description"] = [f"Use at most {LONGEST_DESCRIPTION} characters."]
    if errors:
        raise Invalid("This webhook cannot be saved.", errors=errors)
    return [event.value for event in SUBSCRIBABLE if event in events]


def _require_reachable(url: str) -> None:
    try:
        addresses.resolve(addresses.parse(url))
    except AddressRefused as refusal:
        raise Invalid("This webhook cannot be saved.", errors={"url": [str(refusal)]}) from refusal


def _stop(endpoint: Endpoint, *, because: str) -> bool:
    if endpoint.disabled_at is not None:
        return False
    endpoint.disabled_at, endpoint.disabled_because = timezone.now(), because
    endpoint.save(update_fields=["disabled_at", "disabled_because"])
    outbox.withdraw(endpoint, because=outbox.DISABLED)
    return True


def _as_recorded(endpoint: Endpoint) -> dict[str, object]:
    return {"host": host_of(endpoint.url), "events": endpoint.events, "description": endpoint.description}


def _record(endpoint: Endpoint, action: str, by: User | None, **detail: Any) -> None:
    """Note a change under the endpoint's host: what else its URL says may be a password."""
    target = host_of(endpoint.url)
    record(workspace=endpoint.workspace, actor=by, action=action, target=target, endpoint=str(endpoint.pk), **detail)
