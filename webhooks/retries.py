"""When a message that was not taken is tried again. Source of the pauses: the Standard Webhooks specification."""

import datetime as dt
import secrets
from email.utils import parsedate_to_datetime

# After each try that failed; the tenth, a good three days later, is the last.
DELAYS = (
    dt.timedelta(seconds=5),
    dt.timedelta(minutes=5),
    dt.timedelta(minutes=30),
    dt.timedelta(hours=2),
    dt.timedelta(hours=5),
    dt.timedelta(hours=10),
    dt.timedelta(hours=14),
    dt.timedelta(hours=20),
    dt.timedelta(hours=24),
)
TRIES = len(DELAYS) + 1
# Up to this share of a pause is added, so that what failed together does not come back together.
JITTER = 0.2
LONGEST_RETRY_AFTER = dt.timedelta(hours=1)
# An endpoint that has failed so often in a row is asked no more than once in so long, whatever waits for it.
FAILURES_BEFORE_REST = 3
REST = dt.timedelta(minutes=1)
# One to which nothing was delivered for so long is disabled as soon as a message is out of tries.
DISABLED_AFTER = dt.timedelta(days=5)


def next_try(*, tries: int, now: dt.datetime, retry_after: dt.timedelta | None = None) -> dt.datetime | None:
    """Return when to try again after `tries` tries that failed; None after the last one.

    Not before the receiver wants (`retry_after`), as far as `LONGEST_RETRY_AFTER`.
    """
    if tries >= TRIES:
        return None
    delay = DELAYS[tries - 1] * (1 + secrets.SystemRandom().uniform(0, JITTER))
    return now + max(delay, within_bounds(retry_after))


def rest_until(*, failures: int, now: dt.datetime, retry_after: dt.timedelta | None = None) -> dt.datetime | None:
    """Return until when an endpoint is left alone after that many failures in a row; None where it need not be."""
    rest = REST if failures >= FAILURES_BEFORE_REST else dt.timedelta()
    rest = max(rest, within_bounds(retry_after))
    return now + rest if rest else None


def within_bounds(retry_after: dt.timedelta | None) -> dt.timedelta:
    """What a receiver asks for, but never less than nothing nor more than `LONGEST_RETRY_AFTER`."""
    return min(max(retry_after or dt.timedelta(), dt.timedelta()), LONGEST_RETRY_AFTER)


def parse_retry_after(text: str | None, *, now: dt.datetime) -> dt.timedelta | None:
    """Return how long a `Retry-After` header (seconds, or a date) asks to wait; None for what says neither."""
    text = (text or "").strip()
    if text.isascii() and text.isdigit():
        return dt.timedelta(seconds=int(text[:9]))
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return (at if at.tzinfo else at.replace(tzinfo=dt.UTC)) - now
