"""What webhooks are told of imports, in the transaction in which it happens."""

from django.urls import reverse_lazy

from marketing.models import Import
from webhooks.event_types import EventType
from webhooks.events import announce


def announce_import(batch: Import, event: EventType, status: Import.Status) -> None:
    """Tell that the import has come to this status."""
    announce(
        workspace=batch.workspace,
        event=event,
        data={"id": batch.pk, "dataset": batch.dataset, "status": status.value},
        path=reverse_lazy("marketing:api_import", kwargs={"import_id": batch.pk}),
    )
