"""What is not this request's fault nor the code's: the database is away or busy, or there is no room left."""

import errno
from dataclasses import dataclass
from typing import Any

from django.db import InterfaceError, OperationalError

STORAGE_FULL = "The server's storage is full. Ask whoever runs it to free some space, then try again."
# SQLSTATE of PostgreSQL: https://www.postgresql.org/docs/current/errcodes-appendix.html
_DISK_FULL = "53100"
_AWAY = ("08", "57P", "53300")  # connection exceptions, shutdowns and restarts, too many connections
_BUSY = ("40001", "40P01", "55P03")  # serialization failure, deadlock, lock not available


@dataclass(frozen=True)
class Outage:
    """What to answer while it lasts. `retry_after`: seconds until the next try; None where waiting mends nothing."""

    status: int
    code: str
    title: str
    detail: str
    retry_after: int | None


_FULL = Outage(507, "storage_full", "No room left", STORAGE_FULL, None)
_DATABASE_AWAY = Outage(
    503,
    "database_away",
    "Back in a moment",
    "The database cannot be reached at the moment, so it is not certain that this request was carried out. "
    "Try again in a few seconds.",
    5,
)
_DATABASE_BUSY = Outage(
    503, "database_busy", "Busy", "The database was too busy for this request. Try again in a few seconds.", 2
)


_IN_SQLITE = {"SQLITE_FULL": _FULL, "SQLITE_BUSY": _DATABASE_BUSY, "SQLITE_CANTOPEN": _DATABASE_AWAY}


def outage_of(error: BaseException | None) -> Outage | None:
    """Return what an exception says of the service's state; None where it is about anything else."""
    if isinstance(error, OSError):
        return _FULL if error.errno in (errno.ENOSPC, errno.EDQUOT) else None
    if isinstance(error, InterfaceError):
        return _DATABASE_AWAY
    if not isinstance(error, OperationalError):
        return None
    cause: Any = error.__cause__
    if hasattr(cause, "sqlstate"):
        return _in_postgresql(cause.sqlstate)
    return _IN_SQLITE.get(getattr(cause, "sqlite_errorname", ""))


def is_storage_full(error: BaseException) -> bool:
    """Whether the system, SQLite or PostgreSQL says that there is no room."""
    return outage_of(error) is _FULL


def _in_postgresql(sqlstate: str | None) -> Outage | None:
    # The client has no code for a server that does not answer, or no longer.
    if sqlstate is None or sqlstate.startswith(_AWAY):
        return _DATABASE_AWAY
    if sqlstate == _DISK_FULL:
        return _FULL
    return _DATABASE_BUSY if sqlstate in _BUSY else None
