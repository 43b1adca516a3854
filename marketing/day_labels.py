"""Days for people. Pure, so that checks and charts may say them too."""

import datetime as dt


def span_label(start: dt.date, end: dt.date) -> str:
    """The days from `start` to `end`, with en dashes: "3 May 2026", "1-30 Jun 2026", "20 May - 3 Jun 2026"."""
    if start == end:
        return f"{end:%-d %b %Y}"
    if (start.year, start.month) == (end.year, end.month):
        return f"{start.day}\N{EN DASH}{end:%-d %b %Y}"
    year = "" if start.year == end.year else " %Y"
    return f"{start.strftime('%-d %b' + year)} \N{EN DASH} {end:%-d %b %Y}"
