"""Links in mails that work without signing in: to unsubscribe, and to a file that was too large to attach."""

import datetime as dt
import uuid

from django.conf import settings
from django.core.signing import BadSignature, SignatureExpired, TimestampSigner
from django.urls import reverse

from mmm_project.problems import NotFound
from reports.models import Delivery, Recipient

FILES_LAST = dt.timedelta(days=14)
UNSUBSCRIBING_LASTS = dt.timedelta(days=365)
_UNSUBSCRIBE = TimestampSigner(salt="reports.unsubscribe", sep=".")
_FILE = TimestampSigner(salt="reports.delivered_file", sep=".")


class Expired(Exception):
    """The link is one of ours, and its time is over."""


def site_url(path: str) -> str:
    """The whole address of a page of this installation, for mails."""
    return f"{settings.SITE_URL}{path}"


def unsubscribe_url(recipient: Recipient) -> str:
    token = _UNSUBSCRIBE.sign(str(recipient.pk))
    return site_url(reverse("reports:unsubscribe", kwargs={"token": token}))


def file_url(delivery: Delivery, form: str) -> str:
    token = _FILE.sign(delivery.pk.hex)
    return site_url(reverse("reports:delivered_file", kwargs={"token": token, "form": form}))


def recipient_of(token: str) -> Recipient | None:
    """The recipient who got this token by mail; None where the recipient has been removed since.

    Raises NotFound for what is no token, and Expired.
    """
    recipient_id = int(_unsigned(_UNSUBSCRIBE, token, UNSUBSCRIBING_LASTS))
    known = Recipient.objects.select_related("schedule__workspace", "alert__workspace")
    return known.filter(pk=recipient_id).first()


def delivery_of(token: str) -> Delivery | None:
    """The delivery whose mail had this token in its links; None where it is gone.

    Raises NotFound for what is no token, and Expired.
    """
    delivery_id = uuid.UUID(_unsigned(_FILE, token, FILES_LAST))
    known = Delivery.objects.select_related("workspace", "edition", "recipient")
    return known.filter(pk=delivery_id).first()


def _unsigned(signer: TimestampSigner, token: str, lasts: dt.timedelta) -> str:
    try:
        return signer.unsign(token, max_age=lasts)
    except SignatureExpired:
        raise Expired from None
    except BadSignature:
        raise NotFound("There is nothing at this address. The link may have been cut off.") from None
