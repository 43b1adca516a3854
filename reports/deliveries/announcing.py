"""What webhooks are told of mails, in the transaction in which it happens: never to whom they went."""

from django.urls import reverse_lazy

from reports.models import Delivery
from webhooks.event_types import EventType
from webhooks.events import announce, instant


def announce_delivery(delivery: Delivery) -> None:
    """Tell that a mail server has taken the mail of a report; alerts and notices are nothing for programs."""
    if delivery.purpose != Delivery.Purpose.REPORT:
        return
    occurrence = delivery.occurrence
    announce(
        workspace=delivery.workspace,
        event=EventType.REPORT_DELIVERED,
        data={
            "id": str(delivery.pk),
            "status": Delivery.Status.SENT.value,
            "edition_id": str(delivery.edition_id) if delivery.edition_id else None,
            "schedule_id": str(occurrence.schedule_id) if occurrence else None,
            "due_at": instant(occurrence.due_at) if occurrence else None,
            "formats": delivery.formats,
        },
        path=reverse_lazy("reports:api_delivery", kwargs={"delivery_id": delivery.pk}),
    )
