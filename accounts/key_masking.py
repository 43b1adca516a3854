"""No API key in the logs, nor in reports of faults, wherever it was put: a header, an address, a local variable."""

import logging

from django.utils.safestring import SafeString, mark_safe
from django.views.debug import ExceptionReporter

from accounts.api_keys import mask


class MaskingFormatter(logging.Formatter):
    """Masks keys in what is written: the message, and the traceback below it."""

    def format(self, record: logging.LogRecord) -> str:
        return mask(super().format(record))


class MaskingReporter(ExceptionReporter):
    """Masks keys in the report that Django makes of a fault, which has the variables of each frame."""

    def get_traceback_html(self) -> SafeString:
        return mark_safe(mask(super().get_traceback_html()))  # noqa: S308 (as safe as it was)

    def get_traceback_text(self) -> SafeString:
        return mark_safe(mask(super().get_traceback_text()))  # noqa: S308 (as safe as it was)
