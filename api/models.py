"""What the API remembers of requests."""

from typing import Any, ClassVar

from django.db import models

from accounts.models import User, Workspace


class IdempotentRequest(models.Model):
    """A POST with an `Idempotency-Key`, and how it was answered: who sends it again is told the same, once done.

    `status` is null while it is being answered. `claim` names the attempt that may write the answer; should its
    process die, another attempt may claim the row once `claimed_until` has passed.
    """

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="idempotent_requests")
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of method, address and body.")
    claim = models.UUIDField()
    claimed_until = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True)
    headers: Any = models.JSONField(default=dict)
    body = models.TextField(blank=True, help_text="JSON as it was sent; empty: none.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["created_at"], name="idempotent_request_age")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "user", "key"], name="idempotent_request_once")
        ]

    def __str__(self) -> str:
        return f"{self.key} of {self.user_id} in {self.workspace_id}"
