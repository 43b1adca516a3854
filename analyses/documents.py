"""A finished result for readers: what a page shows, and what every export of it is made from.

Presenters build a `Document` once, with all queries, wording and formatting done; pages and exporters only lay it out.
So every format carries the same numbers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from django.utils.text import slugify

from charts import Chart, require_unique_ids

RawCell: TypeAlias = str | int | float | None


@dataclass(frozen=True, slots=True)
class Figure:
    """A number (or a word) of a table: as shown, in full where that is shortened, and as a number."""

    text: str
    full: str = ""
    value: float | int | None = None

    @property
    def in_full(self) -> str:
        return self.full or self.text

    @property
    def sort_value(self) -> str | None:
        """The number as a program reads it, whatever the page's language."""
        return None if self.value is None else repr(float(self.value))


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of a table. `href`: the page about what `label` names. `cells`: one for each column after the label."""

    label: str
    cells: tuple[Figure, ...]
    href: str = ""
    is_total: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DataTable:
    """A table of figures; `columns` names the label's column first. `note` explains what is in it."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    note: str = ""

    @property
    def slug(self) -> str:
        """Its title as part of an element's id."""
        return slugify(self.title)

    def __post_init__(self) -> None:
        if wrong := [row.label for row in self.rows if len(row.cells) + 1 != len(self.columns)]:
            raise ValueError(f"The row “{wrong[0]}” of “{self.title}” does not fit its {len(self.columns)} columns.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A number that matters. `change`: against what it is compared with ("▲ +4.2% vs previous period")."""

    label: str
    figure: Figure
    unit: str = ""
    change: str = ""
    change_tone: str = ""  # good, bad or quiet

    @property
    def key(self) -> str:
        """Its label as the value of an attribute."""
        return slugify(self.label)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of a document under one heading: sentences, then charts, then tables."""

    title: str
    sentences: tuple[str, ...] = ()
    charts: tuple[Chart, ...] = ()
    tables: tuple[DataTable, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A result to be read, printed or taken away.

    `headline`: the finding. `facts`: what it is about and where it comes from, such as ("Period", "1-30 Jun 2026").
    `notes`: what has to be said with the numbers. `rows`: all numbers as one table in full precision, header first.
    `data`: the same for programs, as JSON. `file_name`: without an extension.
    """

    title: str
    subtitle: str
    headline: str
    workspace: str
    currency: str
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    rows: Sequence[Sequence[RawCell]]
    data: Mapping[str, Any]
    file_name: str
    cards: tuple[Card, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require_unique_ids(self.charts)

    @property
    def charts(self) -> tuple[Chart, ...]:
        return tuple(chart for section in self.sections for chart in section.charts)
