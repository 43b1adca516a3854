"""Logs as lines of JSON: one object a line, with what is being worked on, for programs that collect them."""

from typing import Any

from structlog.contextvars import merge_contextvars
from structlog.processors import EventRenamer, JSONRenderer, TimeStamper, format_exc_info
from structlog.stdlib import ExtraAdder, ProcessorFormatter, add_log_level, add_logger_name
from structlog.typing import EventDict, WrappedLogger

from accounts.key_masking import without_secrets

# Of what a record carries beside its message: Django puts whole requests there.
FIELDS = ("method", "route", "status", "ms")


class JsonLines(ProcessorFormatter):
    """Writes a record as one line of JSON, without secrets.

    Members: `timestamp` (ISO 8601, UTC), `level`, `logger`, `message`, `exception` (the traceback, without variables),
    `FIELDS`, and what was bound by `structlog.contextvars.bind_contextvars`: `request_id`, `user_id`, `workspace`,
    `error_id`, `task`, `job_id`, `job_kind`, `run_id`.
    """

    def __init__(self) -> None:
        super().__init__(
            processors=[
                merge_contextvars,
                ExtraAdder(allow=FIELDS),
                add_log_level,
                add_logger_name,
                TimeStamper(fmt="iso", utc=True),
                format_exc_info,
                ProcessorFormatter.remove_processors_meta,
                EventRenamer("message"),
                _mask,
                JSONRenderer(),
            ]
        )


def _mask(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """Mask each text by itself: in the line as a whole, a password in a URL could reach over a quotation mark."""
    return {name: _without_secrets(value) for name, value in line.items()}


def _without_secrets(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float) else without_secrets(str(value))
