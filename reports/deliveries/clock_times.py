"""Instants by a clock on the wall, for mails and for the pages of schedules."""

import datetime as dt
from zoneinfo import ZoneInfo


def instant_in_words(instant: dt.datetime, zone: ZoneInfo) -> str:
    """An instant by the clock of a zone: "Mon 30 Nov 2026, 09:00 (UTC+01:00)"."""
    local = instant.astimezone(zone)
    return f"{local:%a %-d %b %Y, %H:%M} (UTC{offset_in_words(local)})"


def offset_in_words(local: dt.datetime) -> str:
    """How far a local time is ahead of UTC: "+01:00", with a minus where it is behind."""
    minutes = round((local.utcoffset() or dt.timedelta()).total_seconds() / 60)
    sign = "+" if minutes >= 0 else "\N{MINUS SIGN}"
    return f"{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
