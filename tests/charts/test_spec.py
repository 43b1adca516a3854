"""What a chart refuses to be, and the table it gives."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from charts import (
    Axis,
    Category,
    ChartSpec,
    Colour,
    Kind,
    Mark,
    SankeySpec,
    Series,
    SmallMultiples,
    Tick,
    channel_colour,
    require_unique_ids,
)
from charts.examples import EXAMPLES

AXIS = Axis(title="Revenue, €", low=0, high=10, ticks=(Tick(0, "0"), Tick(10, "10")))


def mark(value: float, low: float | None = None, high: float | None = None) -> Mark:
    low_text, high_text = ("", "") if low is None else (f"{low}", f"{high}")
    return Mark(value=value, text=f"{value:g}", low=low, high=high, low_text=low_text, high_text=high_text)


def spec(**changes: Any) -> ChartSpec:
    """A chart of two categories and one series, with some of its fields changed."""
    fields: dict[str, Any] = {
        "id": "revenue",
        "kind": Kind.BARS,
        "title": "Search earns most",
        "summary": "Search earns 4 and social 3.",
        "category_title": "Channel",
        "categories": (Category(label="Search"), Category(label="Social")),
        "series": (Series(name="Revenue", colour=Colour.ACCENT, marks=(mark(4), mark(3))),),
        "axis": AXIS,
    }
    return ChartSpec(**(fields | changes))


def total(value: float) -> Mark:
    return replace(mark(value), is_total=True)


def of(*marks: Mark | None) -> Series:
    return Series(name="Revenue", colour=Colour.ACCENT, marks=marks)


def series(name: str, *values: float) -> Series:
    return Series(name=name, colour=Colour.ACCENT, marks=tuple(mark(value) for value in values))


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: mark(math.nan), "must be finite"),
        (lambda: mark(1, 0, math.inf), "must be finite"),
        (lambda: Mark(value=1, text="1", low=0), "a low and a high end"),
        (lambda: Mark(value=1, text="1", low=0, high=2), "also given in words"),
        (lambda: mark(1, 2, 0), "must not end"),
        (lambda: Axis(title="", low=1, high=1, ticks=()), "must rise"),
        (lambda: spec(id="Revenue by channel"), "cannot be the id"),
        (lambda: spec(series=()), "no series or no categories"),
        (lambda: spec(categories=(), series=(series("Revenue"),)), "no series or no categories"),
        (lambda: spec(series=(series("Revenue", 1, 2), series("Revenue", 3, 4))), "have one name"),
        (lambda: spec(series=(series("Revenue", 1, 2, 3),)), "3 marks for 2 categories"),
        (lambda: spec(kind=Kind.HISTOGRAM, series=(series("A", 1, 2), series("B", 1, 2))), "has one series"),
        (lambda: spec(kind=Kind.WATERFALL, series=(series("A", 1, 2), series("B", 1, 2))), "has one series"),
        (lambda: spec(kind=Kind.WATERFALL, series=(of(mark(4, 3, 5), None),)), "draws no intervals"),
        (lambda: spec(kind=Kind.WATERFALL, series=(of(mark(4), total(4.001)),)), "but the steps before it come to 4"),
        (lambda: spec(kind=Kind.WATERFALL, series=(series("A", 6, 5),)), "11.0 lies outside"),
        (lambda: spec(kind=Kind.WATERFALL, series=(series("A", 4, -5),)), "-1.0 lies outside"),
        (lambda: spec(kind=Kind.WATERFALL, axis=replace(AXIS, low=1, ticks=())), "must hold zero"),
        (lambda: spec(axis=replace(AXIS, low=1, ticks=())), "must hold zero"),
        (lambda: spec(series=(series("Revenue", 4, 11),)), "11 lies outside the axis"),
        (
            lambda: spec(series=(Series(name="A", colour=Colour.ACCENT, marks=(mark(9, 8, 11), None)),)),
            "11 lies outside",
        ),
        (lambda: spec(axis=replace(AXIS, ticks=(Tick(12, "12"),))), "12 lies outside"),
        (lambda: spec(stacked=True, series=(series("A", 6, 1), series("B", 6, 1))), "12.0 lies outside"),
        (lambda: SmallMultiples(id="Two", title="", summary="", panels=()), "cannot be the id"),
        (lambda: SmallMultiples(id="two", title="", summary="", panels=(spec(), spec())), "Two panels"),
        (lambda: require_unique_ids([spec(), spec()]), "have the id “revenue”"),
    ],
)
def test_what_cannot_be_drawn_is_refused(make: Callable[[], object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        make()


def test_a_waterfalls_steps_begin_where_the_one_before_ends_and_totals_at_zero() -> None:
    names = tuple(Category(label=label) for label in "abcdef")
    marks = (mark(4), mark(-3), None, total(1), mark(5), total(6))
    chart = spec(kind=Kind.WATERFALL, categories=names, series=(of(*marks),))
    assert chart.steps == ((0, 4), (4, 1), None, (0, 1), (1, 6), (0, 6))


def test_a_total_may_be_off_by_rounding() -> None:
    chart = spec(kind=Kind.WATERFALL, series=(of(mark(4), total(4 + 1e-9)),))
    assert chart.steps[1] == (0, 4 + 1e-9)


def test_series_side_by_side_need_no_room_for_their_sum() -> None:
    assert not spec(series=(series("A", 6, 1), series("B", 6, 1))).adds_up


def test_a_line_need_not_hold_zero() -> None:
    assert spec(kind=Kind.LINE, axis=replace(AXIS, low=2, ticks=())).axis.low == 2


def test_the_table_holds_values_intervals_and_gaps() -> None:
    chart = spec(
        series=(Series(name="ROAS", colour=Colour.ACCENT, marks=(mark(4, 3, 5), None)), series("Before", 2, 1)),
        interval="95% interval",
    )

    table = chart.table()

    assert table.category_title == "Channel"
    assert table.columns == ("ROAS", "ROAS, low", "ROAS, high", "Before")
    assert [[cell.value for cell in cells] for _, cells in table.rows] == [[4, 3, 5, 2], [None, None, None, 1]]
    assert [[cell.text for cell in cells] for _, cells in table.rows] == [["4", "3", "5", "2"], ["–", "–", "–", "1"]]
    assert [category.label for category, _ in table.rows] == ["Search", "Social"]


def test_the_examples_show_every_kind_and_share_no_id() -> None:
    panels = [panel for chart in EXAMPLES.values() for panel in chart.panels]
    assert {panel.kind for panel in panels if isinstance(panel, ChartSpec)} == set(Kind)
    assert any(isinstance(panel, SankeySpec) for panel in panels)
    require_unique_ids(list(EXAMPLES.values()))


def test_a_channel_past_the_eighth_and_what_is_no_channel_are_grey() -> None:
    assert channel_colour(7) == Colour.CHANNEL_8
    assert {channel_colour(8), channel_colour(None), channel_colour(-1)} == {Colour.OTHER}
