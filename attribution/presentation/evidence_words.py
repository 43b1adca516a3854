"""Figures and words that the sections of the evidence share."""

import datetime as dt
from collections.abc import Sequence

from analyses.documents import Figure
from marketing.periods import Period
from mmm_project import formats


def count(value: float) -> Figure:
    return Figure(formats.count(value), value=value)


def number(value: float) -> Figure:
    return Figure(formats.count(round(value, 1)), formats.count(value), value)


def percent(share: float) -> Figure:
    return Figure(formats.percent(share), f"{share:.6%}", share)


def points(share: float) -> Figure:
    return Figure(f"{100 * share:.1f} points", value=100 * share)


def money(value: float, currency: str) -> Figure:
    return Figure(formats.round_money(value, currency), formats.money(value, currency), value)


def days(number: float) -> str:
    return formats.count(round(number, 1), "day")


def touches(number: float) -> str:
    text = formats.count(round(number, 1))
    return "1 touch" if text == "1" else f"{text} touches"


def part_label(part: Period) -> str:
    """A part of a period: "Mar 2026" or "Jan-Mar 2026" (with an en dash) where it is whole months, else its days."""
    starts, after = part.start, part.end + dt.timedelta(1)
    if starts.day != 1 or after.day != 1 or starts.year != part.end.year:
        return part.label
    return f"{starts:%b %Y}" if starts.month == part.end.month else f"{starts:%b}\N{EN DASH}{part.end:%b %Y}"


def listed(names: Sequence[str]) -> str:
    """Names as a sentence has them: "Email", "Email and Search", "Email, Search and Display"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
