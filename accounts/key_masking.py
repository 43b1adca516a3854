"""No secret in the logs, nor in reports of faults, wherever it was put: a header, an address, a local variable.

Masked are API keys, the tokens of links that open something without signing in, and passwords in URLs.
"""

import logging
import re

from django.utils.safestring import SafeString, mark_safe
from django.views.debug import ExceptionReporter

from accounts.api_keys import mask

_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
# The addresses of invitations, of mailed files, of ways out of a mailing, and of allauth's own mails. Pages of the same
# name call their rows by numbers and UUIDs, which are no secrets.
_TOKEN = re.compile(
    rf"(/(?:invitations|deliveries|unsubscribe|confirm-email|reset/key)/)(?!{_UUID})[^/\s\"'<>]{{16,}}", re.IGNORECASE
)
_PASSWORD = re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s:/@]*:)[^\s/@]+@", re.IGNORECASE)


def without_secrets(text: str) -> str:
    """Return `text` with "[secret]" in place of every secret whose form gives it away."""
    return _PASSWORD.sub(r"\1[secret]@", _TOKEN.sub(r"\1[secret]", mask(text)))


class MaskingFormatter(logging.Formatter):
    """Masks secrets in what is written: the message, and the traceback below it."""

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))


class MaskingReporter(ExceptionReporter):
    """Masks secrets in the report that Django makes of a fault, which has the variables of each frame."""

    def get_traceback_html(self) -> SafeString:
        return mark_safe(without_secrets(super().get_traceback_html()))  # noqa: S308 (as safe as it was)

    def get_traceback_text(self) -> SafeString:
        return mark_safe(without_secrets(super().get_traceback_text()))  # noqa: S308 (as safe as it was)
