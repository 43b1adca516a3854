"""Words, marks and categories that the examples of charts are made of."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta

from charts.colours import channel_colour
from charts.spec import Category, Mark, Series

Text = Callable[[float], str]

MINUS = "\N{MINUS SIGN}"
CHANNELS = ("Paid search", "Paid social", "Display", "Video", "Email", "Affiliates")
COLOURS = tuple(channel_colour(slot) for slot in range(len(CHANNELS)))


def euros(value: float) -> str:
    return f"{MINUS if value < 0 else ''}€{abs(value):,.0f}"


def thousands_of_euros(value: float) -> str:
    return f"{MINUS if value < 0 else ''}€{abs(value) / 1000:g} k" if value else "€0"


def ratio(value: float) -> str:
    return f"{value:.2f}"


def plain(value: float) -> str:
    return f"{value:g}"


def counted(value: float) -> str:
    return f"{value:,.0f}"


def percent(value: float) -> str:
    return f"{value:.1f}%"


def change(value: float) -> str:
    """Change in per cent, always with its sign."""
    return f"{MINUS if value < 0 else '+' if value > 0 else ''}{abs(value):g}%"


def marks_of(values: Sequence[float | None], text: Text) -> tuple[Mark | None, ...]:
    return tuple(None if value is None else Mark(value=value, text=text(value), href="#") for value in values)


def marks_with_interval(rows: Sequence[tuple[float, float, float] | None], text: Text) -> tuple[Mark | None, ...]:
    """Marks of (value, low, high)."""
    return tuple(
        None
        if row is None
        else Mark(
            value=row[0],
            text=text(row[0]),
            low=row[1],
            high=row[2],
            low_text=text(row[1]),
            high_text=text(row[2]),
            href="#",
        )
        for row in rows
    )


def extent(series: Sequence[Series]) -> list[float | None]:
    """Every number that series, not stacked, need room for."""
    marks = [mark for one in series for mark in one.marks if mark]
    return [number for mark in marks for number in (mark.value, mark.low, mark.high)]


def weeks(count: int, *, first: date = date(2025, 1, 6), every: int = 4) -> tuple[Category, ...]:
    """Categories of `count` weeks; the axis names the first and each `every`-th after it."""
    days = [first + timedelta(weeks=place) for place in range(count)]
    return tuple(
        Category(label=f"Week of {day.day} {day:%B %Y}", short=f"{day.day} {day:%b}", tick=place % every == 0, href="#")
        for place, day in enumerate(days)
    )


def named(labels: Sequence[str]) -> tuple[Category, ...]:
    return tuple(Category(label=label, href="#") for label in labels)
