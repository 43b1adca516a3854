"""Recipients who unsubscribe, or subscribe again, by the links of their mails; nobody is signed in then."""

from django.db import transaction
from django.utils import timezone

from accounts.audit import record
from reports.deliveries.links import Subscription
from reports.deliveries.recipients import keep_as_unsubscribed


@transaction.atomic
def unsubscribe(*, subscription: Subscription) -> None:
    """Send nothing more of one schedule or alert to this address; once is enough.

    That holds for an address that was taken off the list before, too: it may be added again.
    """
    if not _lock(subscription):
        return
    recipient = subscription.recipient
    if recipient is None:
        keep_as_unsubscribed(about=subscription.about, email=subscription.email)
    elif recipient.unsubscribed_at is None:
        recipient.unsubscribed_at = timezone.now()
        recipient.save(update_fields=["unsubscribed_at"])
    else:
        return
    _note("recipient.unsubscribed", subscription)


@transaction.atomic
def subscribe_again(*, subscription: Subscription) -> None:
    """Take an unsubscription back, if there is one of somebody on the list."""
    unsubscribed = subscription.about.recipients.filter(
        email__iexact=subscription.email, removed_at=None, unsubscribed_at__isnull=False
    )
    if unsubscribed.update(unsubscribed_at=None):
        _note("recipient.subscribed_again", subscription)


def _lock(subscription: Subscription) -> bool:
    """Let nobody change the list meanwhile; False where it has just been deleted."""
    about = subscription.about
    # First of all rows, as whatever changes the list locks it.
    return type(about)._default_manager.select_for_update(no_key=True).filter(pk=about.pk).first() is not None


def _note(action: str, subscription: Subscription) -> None:
    about = subscription.about
    record(workspace=about.workspace, action=action, target=subscription.email, of=about.name)
