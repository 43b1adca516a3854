"""The list of recipients of a schedule or an alert: who is on it, and who stays unsubscribed whatever becomes of it."""

from collections.abc import Iterable, Sequence

from django.db.models import QuerySet
from django.utils import timezone

from reports.models import Alert, Recipient, Schedule

UNSUBSCRIBED = "gets nothing until they subscribe again by the link in a mail"


def listed(about: Schedule | Alert) -> QuerySet[Recipient]:
    """Those who are on the list, also those who have unsubscribed or cannot be reached."""
    return about.recipients.filter(removed_at=None)


def change_list(*, about: Schedule | Alert, addresses: Sequence[str]) -> tuple[list[str], list[str]]:
    """Make these addresses the list, in the caller's transaction; return those added and those removed.

    `addresses`: in canonical form. Those that stay keep what is known of them, and who has unsubscribed stays so, also
    when removed and added again.
    """
    # Locked, so that nobody unsubscribes between being read and being removed.
    known = {recipient.email: recipient for recipient in about.recipients.select_for_update(no_key=True)}
    before = {email for email, recipient in known.items() if recipient.removed_at is None}
    added, removed = [email for email in addresses if email not in before], sorted(before - set(addresses))
    gone = about.recipients.filter(email__in=removed)
    gone.filter(unsubscribed_at=None).delete()
    gone.update(removed_at=timezone.now())
    about.recipients.filter(email__in=added).update(removed_at=None)
    about.recipients.bulk_create([_recipient(about, email) for email in added if email not in known])
    return added, removed


def keep_as_unsubscribed(*, about: Schedule | Alert, email: str) -> Recipient:
    """Note, in the caller's transaction, that somebody who is not on the list is to get nothing if ever they are."""
    recipient, now = _recipient(about, email), timezone.now()
    recipient.unsubscribed_at, recipient.removed_at = now, now
    recipient.save()
    return recipient


def sentences_of_unsubscribed(about: Schedule | Alert, addresses: Iterable[str]) -> list[str]:
    """A sentence for each of these addresses whose owner has unsubscribed, on the list or not."""
    found = about.recipients.filter(unsubscribed_at__isnull=False, email__in=list(addresses)).order_by("email")
    return [f"{email} has unsubscribed and {UNSUBSCRIBED}." for email in found.values_list("email", flat=True)]


def _recipient(about: Schedule | Alert, email: str) -> Recipient:
    if isinstance(about, Schedule):
        return Recipient(schedule=about, email=email)
    return Recipient(alert=about, email=email)
