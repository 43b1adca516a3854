"""Whom events are told, what was told, and how each telling went. Only this package writes these rows."""

import secrets
import uuid
from typing import Any, ClassVar

from django.db import models

from accounts.models import User, Workspace
from webhooks.event_types import EventType

LONGEST_URL = 500
LONGEST_DESCRIPTION = 200


def new_message_id() -> str:
    return f"msg_{secrets.token_hex(16)}"


class Endpoint(models.Model):
    """An address of the workspace's that events are posted to.

    `secret`: encrypted (`webhooks.signing`), as is `previous_secret`, which signs beside it until
    `previous_secret_until`. `disabled_because`: what to tell people where the product disabled it; "" where one of them
    did. `failing_since`: of the first failure after which nothing has been delivered; `failures` counts them.
    `rests_until`: nothing is sent before that.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="webhook_endpoints")
    url = models.CharField("URL", max_length=LONGEST_URL)
    description = models.CharField(max_length=LONGEST_DESCRIPTION, blank=True)
    events: Any = models.JSONField(default=list)
    secret = models.TextField()
    previous_secret = models.TextField(blank=True)
    previous_secret_until = models.DateTimeField(null=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    disabled_at = models.DateTimeField(null=True)
    disabled_because = models.TextField(blank=True)
    failing_since = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)
    rests_until = models.DateTimeField(null=True)
    last_tried_at = models.DateTimeField(null=True)
    last_delivered_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["created_at"]

    def __str__(self) -> str:
        return f"webhook {self.pk}"  # its URL may hold a password of the receiver's


class Message(models.Model):
    """Something that happened, in the words in which every endpoint is told; never changed.

    `id`: the `webhook-id` of each attempt. `body`: the JSON text that is signed and sent.
    """

    id = models.CharField(primary_key=True, max_length=40, default=new_message_id, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="webhook_messages")
    type = models.CharField(max_length=40, choices=EventType.choices)
    body = models.TextField()
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.type} {self.pk}"


class Delivery(models.Model):
    """The telling of one message to one endpoint.

    It is claimed (pending -> sending) before the receiver is spoken to; one that is found in sending after its claim
    has run out was interrupted, and is sent again under the same id. `cancelled`: the endpoint was disabled, or wanted
    the event no longer, before it was sent. `attempts`: all that there were; the newest one's number is the fence of
    its claim. `tries`: those since it was announced, or asked for again by `requested_by`.
    """

    class Status(models.TextChoices):
        PENDING = "pending"
        SENDING = "sending"
        DELIVERED = "delivered"
        FAILED = "failed"
        CANCELLED = "cancelled"

    # Without a constraint in the database: should somebody delete an endpoint at the moment in which an event is
    # announced, what happened is to be committed all the same. Such a row is never due, and goes with its message.
    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="deliveries", db_constraint=False)
    message = models.ForeignKey(Message, models.CASCADE, related_name="deliveries")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True)
    claimed_until = models.DateTimeField(null=True)
    response_status = models.PositiveSmallIntegerField(null=True)
    error = models.TextField(blank=True)
    requested_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "deliveries"
        ordering: ClassVar = ["-created_at"]
        indexes: ClassVar = [
            models.Index(fields=["status", "next_try_at"], name="webhook_outbox"),
            models.Index(fields=["endpoint", "-created_at"], name="webhook_log"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["endpoint", "message"], name="webhook_message_once_per_endpoint")
        ]

    def __str__(self) -> str:
        return f"{self.message_id} ({self.status})"


class Attempt(models.Model):
    """One try to hand a message over. `response_body`: its beginning. `error`: a sentence; "" where it was taken."""

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="log")
    number = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    response_status = models.PositiveSmallIntegerField(null=True)
    response_body = models.TextField(blank=True)
    error = models.TextField(blank=True)
    duration_ms = models.PositiveIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["-number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["delivery", "number"], name="webhook_attempt_once")]

    def __str__(self) -> str:
        return f"attempt {self.number} of {self.delivery_id}"
