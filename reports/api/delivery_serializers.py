"""Deliveries in JSON. The links of a mail, by which its recipient unsubscribes, are in the mail alone."""

from collections.abc import Iterator, Sequence

from django.urls import reverse
from rest_framework import serializers

from mmm_project.tables import Cell
from reports.exports import FORMATS
from reports.models import Delivery

CSV_FIELDS = (
    "id",
    "created_at",
    "sent_at",
    "purpose",
    "status",
    "email",
    "subject",
    "formats",
    "attempts",
    "error",
    "schedule",
    "alert",
    "edition",
    "resend_of",
    "requested_by",
)


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    """One mail to one person. `error`: what went wrong, or why it was not sent, as a sentence; empty if nothing did."""

    url = serializers.SerializerMethodField()
    workspace = serializers.CharField(source="workspace.slug")
    formats = serializers.ListField(
        child=serializers.ChoiceField(list(FORMATS)), help_text="What is attached, or linked where it is too large."
    )
    schedule = serializers.UUIDField(source="occurrence.schedule_id", default=None, allow_null=True)
    due_at = serializers.DateTimeField(source="occurrence.due_at", default=None, allow_null=True)
    alert = serializers.UUIDField(source="alert_event.alert_id", default=None, allow_null=True)
    edition = serializers.UUIDField(source="edition_id", allow_null=True)
    recipient = serializers.IntegerField(
        source="recipient_id", allow_null=True, help_text="Null for notices, and for who is on the list no more."
    )
    resend_of = serializers.UUIDField(source="resend_of_id", allow_null=True)
    requested_by = serializers.CharField(
        source="requested_by.email", default=None, allow_null=True, help_text="Who sent it again."
    )

    class Meta:
        model = Delivery
        fields: tuple[str, ...] = (
            "id",
            "url",
            "workspace",
            "purpose",
            "status",
            "email",
            "recipient",
            "subject",
            "formats",
            "schedule",
            "due_at",
            "alert",
            "edition",
            "attempts",
            "next_try_at",
            "error",
            "resend_of",
            "requested_by",
            "created_at",
            "sent_at",
        )

    def get_url(self, delivery: Delivery) -> str:
        return reverse("reports:api_delivery", kwargs={"delivery_id": delivery.pk})


def csv_rows(deliveries: Iterator[Delivery]) -> Iterator[Sequence[Cell]]:
    """Yield a line for each delivery, after the header."""
    yield CSV_FIELDS
    for delivery in deliveries:
        said = DeliverySerializer(delivery).data
        said["formats"] = " ".join(said["formats"])
        yield [said[name] for name in CSV_FIELDS]
