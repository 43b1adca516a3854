"""Recipients of schedules and alerts in JSON. Nothing here says by which link somebody unsubscribes."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from reports.models import Alert, Recipient, Schedule

UNSUBSCRIBED, REJECTED = "unsubscribed", "rejected"


class UnreachedSerializer(serializers.Serializer[Any]):
    """Somebody on the list who gets nothing. `id`: by which a rejected address is enabled again."""

    id = serializers.IntegerField()
    email = serializers.EmailField()
    reason = serializers.ChoiceField([UNSUBSCRIBED, REJECTED])
    since = serializers.DateTimeField()
    detail = serializers.CharField(allow_blank=True, help_text="What the mail server said, where it said anything.")


class WithRecipients(serializers.Serializer[Any]):
    """What has a list of recipients: the list, and who of it gets nothing. Needs them fetched as `on_list`."""

    recipients = serializers.SerializerMethodField(help_text="All addresses of the list.")
    unreached = serializers.SerializerMethodField(help_text="Who of them gets nothing, and why.")

    @extend_schema_field(serializers.ListField(child=serializers.EmailField()))
    def get_recipients(self, about: Schedule | Alert) -> list[str]:
        return [recipient.email for recipient in _on_list(about)]

    @extend_schema_field(UnreachedSerializer(many=True))
    def get_unreached(self, about: Schedule | Alert) -> list[Any]:
        unreached = [entry for recipient in _on_list(about) if (entry := _unreached(recipient))]
        return list(UnreachedSerializer(unreached, many=True).data)


class RecipientSerializer(serializers.ModelSerializer[Recipient]):
    """Somebody on the list of a schedule or of an alert."""

    schedule = serializers.UUIDField(source="schedule_id", allow_null=True)
    alert = serializers.UUIDField(source="alert_id", allow_null=True)

    class Meta:
        model = Recipient
        fields = ("id", "email", "schedule", "alert", "unsubscribed_at", "rejected_at", "rejected_because")


def _on_list(about: Schedule | Alert) -> list[Recipient]:
    recipients = [recipient for recipient in about.recipients.all() if recipient.removed_at is None]
    return sorted(recipients, key=lambda recipient: recipient.pk)


def _unreached(recipient: Recipient) -> dict[str, Any] | None:
    if recipient.unsubscribed_at is not None:
        reason, since, detail = UNSUBSCRIBED, recipient.unsubscribed_at, ""
    elif recipient.rejected_at is not None:
        reason, since, detail = REJECTED, recipient.rejected_at, recipient.rejected_because
    else:
        return None
    return {"id": recipient.pk, "email": recipient.email, "reason": reason, "since": since, "detail": detail}
