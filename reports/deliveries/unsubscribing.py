"""Recipients who unsubscribe, or subscribe again, by the links of their mails; nobody is signed in then."""

from django.db import transaction
from django.utils import timezone

from accounts.audit import record
from reports.deliveries.outbox import subscription_of
from reports.models import Recipient


@transaction.atomic
def unsubscribe(*, recipient: Recipient) -> None:
    """Send nothing more to this recipient of one schedule or alert; once is enough."""
    if Recipient.objects.filter(pk=recipient.pk, unsubscribed_at=None).update(unsubscribed_at=timezone.now()):
        _note("recipient.unsubscribed", recipient)


@transaction.atomic
def subscribe_again(*, recipient: Recipient) -> None:
    """Take an unsubscription back, if there is one."""
    if Recipient.objects.filter(pk=recipient.pk, unsubscribed_at__isnull=False).update(unsubscribed_at=None):
        _note("recipient.subscribed_again", recipient)


def _note(action: str, recipient: Recipient) -> None:
    about = subscription_of(recipient)
    record(workspace=about.workspace, action=action, target=recipient.email, of=about.name)
