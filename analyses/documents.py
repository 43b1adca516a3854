"""A finished result for readers: what a page shows, and what every export of it is made from.

Presenters build a `Document` once, with all queries, wording and formatting done; pages and exporters only lay it out.
So every format carries the same numbers.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from django.utils.text import slugify

from charts import Chart, require_unique_ids
from mmm_project.formats import MINUS

NO_FIGURE = BETWEEN = "\N{EN DASH}"

RawCell: TypeAlias = str | int | float | None
InBrief: TypeAlias = Literal["all", "sentences", "nothing"]
RawRows: TypeAlias = Iterable[Sequence[RawCell]]


@dataclass(frozen=True, slots=True)
class Figure:
    """A number (or a word) of a table: as shown, in full where that is shortened, and as a number.

    `low`, `high`: its interval, both or neither, and `low_text`, `high_text` as people read them.
    """

    text: str
    full: str = ""
    value: float | int | None = None
    low: float | None = None
    high: float | None = None
    low_text: str = ""
    high_text: str = ""

    @property
    def interval(self) -> str:
        """Its interval as people read it ("1,450–1,620", "−12 to +3"), "" without one."""
        if self.low is None:
            return ""
        has_sign = any(text.startswith(("+", MINUS)) for text in (self.low_text, self.high_text))
        return f"{self.low_text}{' to ' if has_sign else BETWEEN}{self.high_text}"

    @property
    def in_full(self) -> str:
        return self.full or self.text

    @property
    def with_interval(self) -> str:
        """Its text, followed by its interval if it has one."""
        return f"{self.text} ({self.interval})" if self.interval else self.text

    @property
    def parts(self) -> "tuple[Figure, Figure, Figure]":
        """Itself, and the ends of its interval as figures of their own; a dash where it has none."""
        if self.low is None or self.high is None:
            return self, Figure(NO_FIGURE), Figure(NO_FIGURE)
        ends = Figure(self.low_text, value=self.low), Figure(self.high_text, value=self.high)
        return replace(self, low=None, high=None), *ends

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

    @property
    def text_columns(self) -> frozenset[int]:
        """The places of columns that say words: that of the labels, 0, and those without any number."""
        cells = zip(*(row.cells for row in self.rows), strict=True)
        return frozenset(
            {0}
            | {
                place
                for place, column in enumerate(cells, start=1)
                if all(figure.value is None for figure in column) and any(figure.text != NO_FIGURE for figure in column)
            }
        )

    def with_figures(self, first: int, behind: int) -> "DataTable":
        """The table with the figures of these columns only, counted without that of the labels."""
        return replace(
            self,
            columns=(self.columns[0], *self.columns[1:][first:behind]),
            rows=tuple(replace(row, cells=row.cells[first:behind]) for row in self.rows),
        )

    @property
    def with_bounds(self) -> "DataTable":
        """The table with the ends of intervals as columns of their own, as programs read them."""
        bounded = [
            place
            for place, column in enumerate(zip(*(row.cells for row in self.rows), strict=True))
            if any(figure.low is not None for figure in column)
        ]
        if not bounded:
            return self
        columns = [self.columns[0]]
        for place, column in enumerate(self.columns[1:]):
            columns += [column, f"{column}, low", f"{column}, high"] if place in bounded else [column]
        return replace(
            self,
            columns=tuple(columns),
            rows=tuple(
                replace(
                    row,
                    cells=tuple(
                        part
                        for place, figure in enumerate(row.cells)
                        for part in (figure.parts if place in bounded else (figure,))
                    ),
                )
                for row in self.rows
            ),
        )

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
    """A part of a document under one heading: sentences, then charts, then tables.

    `part`: the block of a report that it belongs to, "" in a document about one thing. `in_brief`: what of it a report
    has that shows key results only.
    """

    title: str
    sentences: tuple[str, ...] = ()
    charts: tuple[Chart, ...] = ()
    tables: tuple[DataTable, ...] = ()
    part: str = ""
    in_brief: "InBrief" = "all"

    @property
    def remarks(self) -> tuple[str, ...]:
        """Its sentences, but for those that the title of one of its charts says."""
        said = {chart.title.removesuffix(".") for chart in self.charts}
        return tuple(sentence for sentence in self.sentences if sentence.removesuffix(".") not in said)


def in_detail(sections: Iterable[Section], *, said: bool = False) -> tuple[Section, ...]:
    """Return the sections as such that a report in brief leaves out, but for their sentences where those are `said`."""
    return tuple(replace(section, in_brief="sentences" if said else "nothing") for section in sections)


@dataclass(frozen=True, slots=True)
class LazyRows:
    """Rows that are made while they are read, anew by each reader, so that nobody has to hold them all."""

    make: Callable[[], RawRows]

    def __iter__(self) -> Iterator[Sequence[RawCell]]:
        return iter(self.make())


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A result to be read, printed or taken away.

    `headline`: the finding. `facts`: what it is about and where it comes from, such as ("Period", "1-30 Jun 2026").
    `notes`: what has to be said with the numbers. `rows`: all numbers as one table in full precision, header first.
    There may be very many: each reader goes through them once. `data`: the same for programs, as JSON. `file_name`:
    without an extension. `definitions`: the terms that it uses, each with what it means here. `method`: how the numbers
    were computed, in paragraphs.
    """

    title: str
    subtitle: str
    headline: str
    workspace: str
    currency: str
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    rows: RawRows
    data: Mapping[str, Any]
    file_name: str
    cards: tuple[Card, ...] = ()
    notes: tuple[str, ...] = ()
    definitions: tuple[tuple[str, str], ...] = ()
    method: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require_unique_ids(self.charts)

    @property
    def charts(self) -> tuple[Chart, ...]:
        return tuple(chart for section in self.sections for chart in section.charts)
