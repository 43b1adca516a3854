"""Links in mails that work without signing in: to unsubscribe, and to a file that was too large to attach."""

import datetime as dt
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from django.core.signing import BadSignature, SignatureExpired, TimestampSigner
from django.urls import reverse

from mmm_project.problems import NotFound
from reports.models import Alert, Delivery, Recipient, Schedule

FILES_LAST = dt.timedelta(days=14)
UNSUBSCRIBING_LASTS = dt.timedelta(days=365)
SCHEDULE, ALERT = "schedule", "alert"
_UNSUBSCRIBE = TimestampSigner(salt="reports.unsubscribe", sep=".")
_FILE = TimestampSigner(salt="reports.delivered_file", sep=".")


class Expired(Exception):
    """The link is one of ours, and its time is over."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a link to unsubscribe is about: the mails of a schedule or an alert to an address, on its list or not."""

    about: Schedule | Alert
    email: str

    @property
    def recipient(self) -> Recipient | None:
        """Whoever has the address, also if removed from the list as unsubscribed; None for nobody."""
        return self.about.recipients.filter(email__iexact=self.email).first()


def site_url(path: str) -> str:
    """The whole address of a page of this installation, for mails."""
    return f"{settings.SITE_URL}{path}"


def unsubscribe_url(recipient: Recipient) -> str:
    """Whatever becomes of the list, and of the recipient's row in it, the link is about the same mails."""
    kind, about = (SCHEDULE, recipient.schedule_id) if recipient.schedule_id else (ALERT, recipient.alert_id)
    token = _UNSUBSCRIBE.sign_object([kind, str(about), recipient.email])
    return site_url(reverse("reports:unsubscribe", kwargs={"token": token}))


def file_url(delivery: Delivery, form: str) -> str:
    token = _FILE.sign(delivery.pk.hex)
    return site_url(reverse("reports:delivered_file", kwargs={"token": token, "form": form}))


def subscription_with(token: str) -> Subscription | None:
    """What the mail with this token was about; None where that schedule or alert has been deleted since.

    Raises NotFound for what is no token, and Expired.
    """
    with _refusing():
        kind, about_id, email = _UNSUBSCRIBE.unsign_object(token, max_age=UNSUBSCRIBING_LASTS)
    kinds: dict[str, type[Schedule] | type[Alert]] = {SCHEDULE: Schedule, ALERT: Alert}
    about = kinds[kind]._default_manager.select_related("workspace").filter(pk=about_id).first()
    return Subscription(about, email) if about else None


def delivery_of(token: str) -> Delivery | None:
    """The delivery whose mail had this token in its links; None where it is gone.

    Raises NotFound for what is no token, and Expired.
    """
    with _refusing():
        delivery_id = uuid.UUID(_FILE.unsign(token, max_age=FILES_LAST))
    known = Delivery.objects.select_related("workspace", "edition", "recipient")
    return known.filter(pk=delivery_id).first()


@contextmanager
def _refusing() -> Iterator[None]:
    """Say what is wrong with a token as the callers are to hear it."""
    try:
        yield
    except SignatureExpired:
        raise Expired from None
    except BadSignature:
        raise NotFound("There is nothing at this address. The link may have been cut off.") from None
