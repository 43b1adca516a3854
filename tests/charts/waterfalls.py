"""Waterfalls of every sort, and how a program that stacks bars is read: where each bar is, and which way it went."""

from collections.abc import Mapping, Sequence

import pytest

from charts import Category, ChartSpec, Colour, Kind, Mark, Series, axis
from charts.examples import EXAMPLES
from tests.charts.readings import Readings


def waterfall(*values: float | None, total: bool = True) -> ChartSpec:
    """Steps of these values, a gap where there is None, and their total."""
    ends = [sum(value or 0.0 for value in values[: place + 1]) for place in range(len(values))]
    marks = [None if value is None else Mark(value=value, text=_text(value)) for value in values]
    if total:
        marks.append(Mark(value=ends[-1], text=_text(ends[-1]), is_total=True))
    return ChartSpec(
        id="steps",
        kind=Kind.WATERFALL,
        title="Steps",
        summary="Steps to a total.",
        category_title="Owed to",
        categories=tuple(Category(label=f"Step {place}") for place in range(len(marks))),
        series=(Series(name="Contribution", colour=Colour.ACCENT, marks=tuple(marks)),),
        axis=axis([0.0, *ends], title="Contribution, €", text=_text),
    )


def _text(value: float) -> str:
    return f"{'−' if value < 0 else ''}€{abs(value):,.2f}"


_EXAMPLE = EXAMPLES["waterfall"]
assert isinstance(_EXAMPLE, ChartSpec)
WATERFALLS: dict[str, ChartSpec] = {
    "rising": waterfall(100.0, 20.0, 5.5),
    "falling": waterfall(100.0, -20.5, 5.0, -30.0),
    "from below zero": waterfall(-40.0, 10.5, 20.0, 60.0),
    "below zero throughout": waterfall(-40.0, 10.0, -20.0),
    "to below zero": waterfall(10.0, -35.25, 5.0),
    "with nothing and a gap": waterfall(10.0, 0.0, None, 5.0),
    "without a total": waterfall(10.0, 5.0, total=False),
    "the example": _EXAMPLE,
}


def readings_of(chart: ChartSpec, stacked: Mapping[str, Sequence[float]]) -> Readings:
    """What bars stacked on each other say, by the names of their series: the first holds the others up."""
    held, *seen = stacked.values()
    found, so_far = Readings(), 0.0
    for place, mark in enumerate(chart.series[0].marks):
        lengths = [part[place] for part in seen]
        above, below = sum(one for one in lengths if one > 0), sum(one for one in lengths if one < 0)
        if mark is None:
            assert (above, below) == (0, 0)
            continue
        assert held[place] * (below if held[place] > 0 else above) == 0  # or the parts would not touch
        low, high = held[place] + below, held[place] + above
        near = pytest.approx(0.0 if mark.is_total else so_far, abs=1e-9)
        assert near in (low, high)
        rises = low == near
        found.values[0, place] = above - below if rises else below - above
        so_far = high if rises else low
    return found
