"""What a chart shows, whoever draws it: categories along one axis, series of marks along the other.

Every kind is laid out this way, because it is how PowerPoint and Excel keep their own charts: a line's categories are
the days or weeks, a histogram's are its bins, a dot plot's are what is compared. A category axis is evenly spaced, so
the categories of a line must be evenly spaced in time.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from charts.colours import Colour

_ID = re.compile(r"[a-z][a-z0-9-]*")
SUMS_WITHIN = 1e-6  # of the longest reach of a waterfall


class Kind(StrEnum):
    """How marks are drawn. Further kinds (curves, dumbbell) come with their pages."""

    LINE = "line"  # one line a series, with a ribbon where its marks have intervals
    AREA = "area"  # areas stacked on each other; with one series a plain area
    BARS = "bars"  # grouped, or `stacked`; upright, or `horizontal`; with whiskers where marks have intervals
    DOTS = "dots"  # one dot a series in each category's row, with whiskers where marks have intervals
    HISTOGRAM = "histogram"  # bars without gaps; one series; the categories are the bins
    WATERFALL = "waterfall"  # steps in rows, each from where the one above ends, to totals; one series, no intervals
    HEATMAP = "heatmap"  # a matrix: categories are rows, series are columns, the axis is the scale of the colours


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One value of a series.

    `text`: the value as people read it, with its unit ("€1,234"). `low`, `high`: its interval, both or neither, and
    `low_text`, `high_text` as people read them. `detail`: further lines of the tooltip. `href`: where a click leads.
    `colour`: where it differs from the series'. `is_total`: of a waterfall, that it stands on zero and is what the
    steps before it come to. `is_thin`: that there is little evidence for it, for which a heatmap hatches its cell.
    """

    value: float
    text: str
    low: float | None = None
    high: float | None = None
    low_text: str = ""
    high_text: str = ""
    detail: tuple[str, ...] = ()
    href: str = ""
    colour: Colour | None = None
    is_total: bool = False
    is_thin: bool = False

    def __post_init__(self) -> None:
        numbers = [number for number in (self.value, self.low, self.high) if number is not None]
        if not all(math.isfinite(number) for number in numbers):
            raise ValueError(f"A mark must be finite: {numbers}.")
        if (self.low is None) != (self.high is None):
            raise ValueError("An interval has a low and a high end, or neither.")
        if self.low is not None and not (self.low_text and self.high_text):
            raise ValueError("An interval is also given in words.")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"An interval must not end ({self.high}) below its start ({self.low}).")

    @property
    def with_interval(self) -> str:
        """The mark as people read it, such as "2.4 (1.9–3.1)", or with signs "−2.4 (−3.1 to +0.2)"."""
        if self.low is None:
            return self.text
        has_sign = any(text.startswith(("+", "\N{MINUS SIGN}")) for text in (self.low_text, self.high_text))
        return f"{self.text} ({self.low_text}{' to ' if has_sign else '–'}{self.high_text})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """A place on the category axis. `tick`: whether the axis names it (of many days, only some); `short`: how."""

    label: str
    short: str = ""
    tick: bool = True
    href: str = ""

    @property
    def tick_text(self) -> str:
        return self.short or self.label


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Marks of one name and colour, one for each category; None is a gap. `dashed`: what is compared with."""

    name: str
    colour: Colour
    marks: tuple[Mark | None, ...]
    dashed: bool = False

    @property
    def is_a_point(self) -> bool:
        """Whether there is one mark at most, through which no line can be drawn."""
        return sum(mark is not None for mark in self.marks) <= 1


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled place on the value axis."""

    value: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """The value axis, from `low` to `high`. `title` says what is measured and in which unit."""

    title: str
    low: float
    high: float
    ticks: tuple[Tick, ...]

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"An axis must rise, not go from {self.low} to {self.high}.")


@dataclass(frozen=True, slots=True)
class TableCell:
    """A value in the table of a chart: as a number, as people read it, and where it leads."""

    value: float | None
    text: str
    href: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The numbers of a chart: one row a category; `columns` names the cells after the row's label."""

    category_title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Category, tuple[TableCell, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartSpec:
    """A chart.

    `id`: unique on its page, such as "roas-by-channel". `title`: the finding; `subtitle`: what is shown, its unit,
    period and interval level. `summary`: one sentence for people who do not see the chart. `category_title`: what the
    categories are. `interval`: the level of the marks' intervals ("95% interval"), "" without any.

    Raises ValueError if marks and categories do not match, a mark or tick lies outside the axis, bars or areas do not
    start at zero, a total is not what the steps before it come to, or the axis of a heatmap neither starts at zero nor
    reaches as far below it as above.
    """

    id: str
    kind: Kind
    title: str
    summary: str
    category_title: str
    categories: tuple[Category, ...]
    series: tuple[Series, ...]
    axis: Axis
    subtitle: str = ""
    interval: str = ""
    stacked: bool = False
    horizontal: bool = False

    def __post_init__(self) -> None:
        require_id(self.id)
        if not self.series or not self.categories:
            raise ValueError(f"The chart “{self.id}” has no series or no categories; show why instead of a chart.")
        if len({series.name for series in self.series}) < len(self.series):
            raise ValueError(f"Two series of the chart “{self.id}” have one name.")
        for series in self.series:
            if len(series.marks) != len(self.categories):
                raise ValueError(
                    f"“{series.name}” has {len(series.marks)} marks for {len(self.categories)} categories."
                )
        if self.kind in (Kind.HISTOGRAM, Kind.WATERFALL) and len(self.series) > 1:
            raise ValueError(f"A {self.kind} has one series.")
        if self.kind == Kind.WATERFALL:
            self._require_sums()
        if self.kind == Kind.HEATMAP and self.axis.low not in (0.0, -self.axis.high):
            raise ValueError(f"The scale of “{self.id}” must be symmetric around zero, or start there.")
        self._require_room()

    def _require_sums(self) -> None:
        if self.has_intervals:
            raise ValueError("A waterfall draws no intervals: say them in details.")
        reach = max((abs(end) for step in self.steps if step for end in step), default=0.0)
        so_far = 0.0
        for category, mark in zip(self.categories, self.series[0].marks, strict=True):
            if mark and mark.is_total and abs(mark.value - so_far) > SUMS_WITHIN * reach:
                raise ValueError(f"“{category.label}” is {mark.value}, but the steps before it come to {so_far}.")
            so_far = mark.value if mark and mark.is_total else so_far + (mark.value if mark else 0.0)

    def _require_room(self) -> None:
        low, high = self.axis.low, self.axis.high
        if self.kind in (Kind.BARS, Kind.AREA, Kind.HISTOGRAM, Kind.WATERFALL) and not low <= 0 <= high:
            raise ValueError(f"The axis of the chart “{self.id}” must hold zero, where bars and areas start.")
        slack = 1e-9 * (high - low)
        if beyond := [extent for extent in self._extents() if not low - slack <= extent <= high + slack]:
            raise ValueError(f"{beyond[0]} lies outside the axis of the chart “{self.id}” ({low} to {high}).")

    def _extents(self) -> Iterator[float]:
        yield from (tick.value for tick in self.axis.ticks)
        if self.kind == Kind.WATERFALL:
            yield from (end for step in self.steps if step for end in step)
            return
        if self.kind == Kind.HEATMAP:  # intervals are said, and have no colour
            yield from (mark.value for series in self.series for mark in series.marks if mark)
            return
        if self.adds_up:
            for place in range(len(self.categories)):
                values = [mark.value for series in self.series if (mark := series.marks[place])]
                yield math.fsum(value for value in values if value > 0)
                yield math.fsum(value for value in values if value < 0)
            return
        for series in self.series:
            for mark in filter(None, series.marks):
                yield from (number for number in (mark.value, mark.low, mark.high) if number is not None)

    @property
    def adds_up(self) -> bool:
        """Whether the series are drawn on top of each other."""
        return self.kind == Kind.AREA or (self.kind == Kind.BARS and self.stacked)

    @property
    def has_rows_of_bars(self) -> bool:
        """Whether bars lie on their side, a category in each row."""
        return self.kind == Kind.WATERFALL or (self.kind == Kind.BARS and self.horizontal)

    @property
    def in_rows(self) -> bool:
        """Whether the categories are rows, with the value axis below them."""
        return self.kind == Kind.DOTS or self.has_rows_of_bars

    @property
    def steps(self) -> tuple[tuple[float, float] | None, ...]:
        """Where each mark of a waterfall begins and ends: at the end of the one before it; a total begins at zero."""
        found: list[tuple[float, float] | None] = []
        so_far = 0.0
        for mark in self.series[0].marks:
            start = 0.0 if mark and mark.is_total else so_far
            so_far = start + mark.value if mark else so_far
            found.append((start, so_far) if mark else None)
        return tuple(found)

    @property
    def has_intervals(self) -> bool:
        return any(mark.low is not None for series in self.series for mark in series.marks if mark)

    @property
    def panels(self) -> "tuple[ChartSpec, ...]":
        """The chart itself, as small multiples have several."""
        return (self,)

    def table(self) -> Table:
        """Return every number of the chart: for each series its value and, where there are any, its interval.

        A heatmap's table has its columns, not three for each: intervals stand behind their values, in brackets.
        """
        if self.kind == Kind.HEATMAP:
            return self._matrix()
        columns: list[str] = []
        cells: list[list[TableCell]] = [[] for _ in self.categories]
        for series in self.series:
            columns.append(series.name)
            with_interval = any(mark and mark.low is not None for mark in series.marks)
            if with_interval:
                columns += [f"{series.name}, low", f"{series.name}, high"]
            for row, mark in zip(cells, series.marks, strict=True):
                row.append(TableCell(mark.value, mark.text) if mark else _GAP)
                if with_interval:
                    row += [_GAP, _GAP] if mark is None or mark.low is None else _interval(mark)
        rows = tuple((category, tuple(row)) for category, row in zip(self.categories, cells, strict=True))
        return Table(category_title=self.category_title, columns=tuple(columns), rows=rows)

    def _matrix(self) -> Table:
        lines = zip(*(series.marks for series in self.series), strict=True)
        cells = (
            tuple(TableCell(mark.value, mark.with_interval, mark.href) if mark else _GAP for mark in line)
            for line in lines
        )
        return Table(
            category_title=self.category_title,
            columns=tuple(series.name for series in self.series),
            rows=tuple(zip(self.categories, cells, strict=True)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallMultiples:
    """Several charts of one kind of thing side by side, under one title. Each panel keeps its own axis."""

    id: str
    title: str
    summary: str
    panels: tuple[ChartSpec, ...]
    subtitle: str = ""

    def __post_init__(self) -> None:
        require_id(self.id)
        ids = [self.id, *(panel.id for panel in self.panels)]
        if len(set(ids)) < len(ids):
            raise ValueError(f"Two panels of “{self.id}” have one id.")


_GAP = TableCell(None, "\N{EN DASH}")


def _interval(mark: Mark) -> list[TableCell]:
    return [TableCell(mark.low, mark.low_text), TableCell(mark.high, mark.high_text)]


def require_id(name: str) -> None:
    """Raise ValueError if this cannot be the id of a chart."""
    if not _ID.fullmatch(name):
        raise ValueError(f"“{name}” cannot be the id of a chart: lower-case letters, digits and hyphens only.")
