"""What is said by mail to whoever answers for a webhook that the product has disabled."""

from typing import Any

from django.urls import reverse

from reports.deliveries.links import site_url
from reports.deliveries.mime import one_line
from reports.deliveries.outbox import notify, whom_to_tell
from webhooks.addresses import host_of
from webhooks.models import Endpoint
from webhooks.signals import endpoint_disabled


def connect() -> None:
    """Listen to it."""
    endpoint_disabled.connect(say_that_it_is_disabled, dispatch_uid="reports.deliveries.webhook_disabled")


def say_that_it_is_disabled(*, endpoint: Endpoint, sentence: str, **_: Any) -> None:
    """Tell whoever set it up, or else the owners, in the transaction that disables it."""
    host, workspace = host_of(endpoint.url), endpoint.workspace
    page = reverse("webhooks:endpoint", kwargs={"slug": workspace.slug, "endpoint_id": endpoint.pk})
    body = "\n\n".join(
        [
            f"The webhook of {one_line(workspace.name)} to {host} is disabled: no events are sent to it any more.",
            one_line(sentence),
            f"Its page shows what was tried. It can be enabled there once the receiver answers: {site_url(page)}",
        ]
    )
    for user in whom_to_tell(workspace, endpoint.created_by):
        notify(workspace=workspace, user=user, subject=f"Webhook disabled: {host}", body=body)
