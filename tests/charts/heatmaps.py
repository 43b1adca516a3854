"""Heatmaps for tests, and what a reader of one must find in it."""

from typing import TypeAlias

import pytest

from charts import Axis, Category, ChartSpec, Colour, Kind, Mark, Series, Tick
from charts.heat import heat_class
from tests.charts.readings import HEATMAPS, Place

TWO_SIDED = Axis(
    title="Effect", low=-110.0, high=110.0, ticks=(Tick(-110.0, "−110"), Tick(0.0, "0"), Tick(110.0, "+110"))
)
SHARES = Axis(title="Share", low=0.0, high=0.6, ticks=(Tick(0.0, "0%"), Tick(0.6, "60%")))
Looks: TypeAlias = dict[Place, tuple[int, bool]]  # the class of each cell, and whether it is hatched
every_heatmap = pytest.mark.parametrize("chart", HEATMAPS.values(), ids=HEATMAPS.keys())


def signed(value: float) -> str:
    return f"{'−' if value < 0 else '+' if value > 0 else ''}{abs(value):g}"


def cell(value: float, half: float | None = None, *, is_thin: bool = False) -> Mark:
    """A cell, with an interval of so much on either side."""
    if half is None:
        return Mark(value=value, text=signed(value), is_thin=is_thin)
    low, high = value - half, value + half
    ends = {"low": low, "high": high, "low_text": f"{low:g}", "high_text": f"{high:g}"}
    return Mark(value=value, text=signed(value), is_thin=is_thin, **ends)  # type: ignore[arg-type]


def matrix(*rows: tuple[Mark | None, ...], axis: Axis = TWO_SIDED) -> ChartSpec:
    """A heatmap with these rows."""
    return ChartSpec(
        id="pairs",
        kind=Kind.HEATMAP,
        title="Email and social help each other",
        summary="Email and social bring 102 more together.",
        category_title="Channel",
        categories=tuple(Category(label=f"Row {place}") for place in range(len(rows))),
        series=tuple(
            Series(name=f"Column {place}", colour=Colour.ACCENT, marks=marks)
            for place, marks in enumerate(zip(*rows, strict=True))
        ),
        axis=axis,
    )


def marks(chart: ChartSpec) -> dict[Place, Mark]:
    return {
        (number, place): mark
        for number, series in enumerate(chart.series)
        for place, mark in enumerate(series.marks)
        if mark
    }


def looks(chart: ChartSpec) -> Looks:
    return {place: (heat_class(mark.value, chart.axis), mark.is_thin) for place, mark in marks(chart).items()}
