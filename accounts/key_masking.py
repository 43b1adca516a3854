"""No secret in the logs, nor in reports of faults, wherever it was put: a header, an address, a local variable.

Masked are API keys, the tokens of links that open something without signing in, and passwords in URLs. What strangers
send forges no line of a log either, and moves no terminal's cursor.
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
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_PASSWORD = re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s:/@]*:)[^\s/@]+@", re.IGNORECASE)


def without_secrets(text: str) -> str:
    """Return `text` with "[secret]" in place of every secret whose form gives it away."""
    return _PASSWORD.sub(r"\1[secret]@", _TOKEN.sub(r"\1[secret]", mask(text)))


def as_one_entry(text: str) -> str:
    """Return `text` with control characters written out and each line but the first indented.

    So a line that begins with a time is one that the product wrote, whatever was in an address or in an exception.
    """
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text).replace("\n", "\n    ")


class MaskingFormatter(logging.Formatter):
    """Masks secrets in what is written: the message, and the traceback below it. Each record is one entry."""

    def format(self, record: logging.LogRecord) -> str:
        return as_one_entry(without_secrets(super().format(record)))


class MaskingReporter(ExceptionReporter):
    """Masks secrets in the report that Django makes of a fault, which has the variables of each frame."""

    def get_traceback_html(self) -> SafeString:
        return mark_safe(without_secrets(super().get_traceback_html()))  # noqa: S308 (as safe as it was)

    def get_traceback_text(self) -> SafeString:
        return mark_safe(without_secrets(super().get_traceback_text()))  # noqa: S308 (as safe as it was)
