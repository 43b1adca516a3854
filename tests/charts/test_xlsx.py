"""Excel charts, read back after saving and opening: through the cells that they refer to."""

import io
from dataclasses import replace
from typing import Any
from zipfile import ZipFile

import pytest
from defusedxml.ElementTree import fromstring
from openpyxl import Workbook, load_workbook
from openpyxl.utils import range_boundaries
from openpyxl.worksheet.worksheet import Worksheet

from charts import Category, ChartSpec, Colour, Kind, Mark, Series
from charts.xlsx import add_chart
from tests.charts.readings import KINDS_WITH_AN_AXIS, PANELS, Readings, expected
from tests.charts.test_spec import AXIS, mark, spec
from tests.charts.waterfalls import WATERFALLS, readings_of

NAMES = {
    "c": "http://schemas.openxmlformats.org/drawingml/2006/chart",
    "a": "http://schemas.openxmlformats.org/drawingml/2006/main",
}


def file_of(chart: ChartSpec) -> io.BytesIO:
    """A workbook with the chart and its table from B3 on."""
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = "Fig's & charts"
    add_chart(sheet, chart, data_anchor="B3", chart_anchor="M2")
    file = io.BytesIO()
    book.save(file)
    return file


def saved(chart: ChartSpec) -> Worksheet:
    """The sheet of `file_of`, opened again."""
    opened = load_workbook(file_of(chart)).active
    assert isinstance(opened, Worksheet)
    return opened


def drawn(sheet: Worksheet) -> Any:
    (chart,) = sheet._charts
    return chart


def cells(sheet: Worksheet, reference: str) -> list[Any]:
    """The values of the cells that a chart refers to, with the sheet's name checked."""
    name, _, area = reference.rpartition("!")
    assert name.strip("'").replace("''", "'") == sheet.title
    left, top, right, bottom = range_boundaries(area)
    assert left == right
    return [sheet.cell(row, left).value for row in range(top, bottom + 1)]


def read(chart: ChartSpec) -> Readings:
    sheet = saved(chart)
    if chart.kind == Kind.WATERFALL:
        stacked = {cells(sheet, one.tx.strRef.f)[0]: cells(sheet, one.val.numRef.f) for one in drawn(sheet).series}
        return readings_of(chart, stacked)
    readings = Readings()
    order = [series.name for series in chart.series]
    ends: dict[tuple[str, str], list[Any]] = {}
    for series in drawn(sheet).series:
        (name,) = cells(sheet, series.tx.strRef.f)
        values = cells(sheet, series.val.numRef.f)
        if name not in order:
            owner, _, end = name.rpartition(", ")
            ends[owner, end] = values
            continue
        number = order.index(name)
        readings.values |= {(number, place): value for place, value in enumerate(values) if value is not None}
        if series.errBars:
            ups = cells(sheet, series.errBars.plus.numRef.f)
            downs = cells(sheet, series.errBars.minus.numRef.f)
            for place, (value, up, down) in enumerate(zip(values, ups, downs, strict=True)):
                if up is not None:
                    readings.intervals[number, place] = (value - down, value + up)
    for (owner, end), values in ends.items():
        if end == "low":
            pairs = zip(values, ends[owner, "high"], strict=True)
            number = order.index(owner)
            readings.intervals |= {(number, place): pair for place, pair in enumerate(pairs) if pair[0] is not None}
    return readings


@pytest.mark.parametrize("name", PANELS)
def test_the_cells_that_the_chart_refers_to_hold_every_value_and_interval(name: str) -> None:
    found, wanted = read(PANELS[name]), expected(PANELS[name])

    assert found.values == wanted.values
    assert found.intervals.keys() == wanted.intervals.keys()
    for place, ends in wanted.intervals.items():
        assert found.intervals[place] == pytest.approx(ends, rel=1e-12)


@pytest.mark.parametrize("name", PANELS)
def test_the_sheet_holds_the_charts_table(name: str) -> None:
    sheet, table = saved(PANELS[name]), PANELS[name].table()

    width = len(table.columns) + 1
    rows = [[sheet.cell(row, 2 + place).value for place in range(width)] for row in range(3, 4 + len(table.rows))]
    assert rows[0] == [table.category_title, *table.columns]
    assert rows[1:] == [[category.label, *(cell.value for cell in line)] for category, line in table.rows]


@pytest.mark.parametrize("name", PANELS)
def test_axes_are_shown_and_named(name: str) -> None:
    chart, sheet = PANELS[name], saved(PANELS[name])
    # From the XML: openpyxl does not read the axes of area charts back.
    plot = fromstring(ZipFile(file_of(chart)).read("xl/charts/chart1.xml")).find(".//c:plotArea", NAMES)
    category, value = plot.find("c:catAx", NAMES), plot.find("c:valAx", NAMES)

    assert [axis.find("c:delete", NAMES).get("val") for axis in (category, value)] == ["0", "0"]
    assert value.findtext("c:title//a:t", namespaces=NAMES) == chart.axis.title
    assert category.findtext("c:title//a:t", namespaces=NAMES) == chart.category_title
    ends = [float(value.find(f"c:scaling/c:{end}", NAMES).get("val")) for end in ("min", "max")]
    assert ends == [chart.axis.low, chart.axis.high]
    assert cells(sheet, category_reference(drawn(sheet))) == [one.tick_text for one in chart.categories]


def category_reference(native: Any) -> str:
    source = native.series[0].cat
    reference: str = (source.strRef or source.numRef).f
    return reference


@pytest.mark.parametrize("name", PANELS)
def test_series_have_the_charts_colours(name: str) -> None:
    chart, sheet = PANELS[name], saved(PANELS[name])
    by_name = {cells(sheet, one.tx.strRef.f)[0]: one for one in drawn(sheet).series}

    for series in chart.series:
        native = by_name[series.name]
        if chart.kind == Kind.LINE:
            line = native.graphicalProperties.line
            assert line.prstDash == ("dash" if series.dashed else "solid")
            fill = line.solidFill
        else:
            fill = (native.marker.spPr if chart.kind == Kind.DOTS else native.graphicalProperties).solidFill
        assert fill.srgbClr == series.colour.hex[1:].upper()


def test_bars_have_their_channels_colours() -> None:
    chart = PANELS["example-bars-with-whiskers"]
    (native,) = drawn(saved(chart)).series

    colours = [point.spPr.solidFill.srgbClr for point in native.dPt]
    assert colours == [one.colour.hex[1:].upper() for one in chart.series[0].marks if one and one.colour]


@pytest.mark.parametrize("name", WATERFALLS)
def test_a_waterfall_is_stacked_so_that_each_step_begins_where_the_one_before_it_ends(name: str) -> None:
    chart = WATERFALLS[name]
    native = drawn(saved(chart))

    assert read(chart).values == pytest.approx(expected(chart).values, rel=1e-12)
    assert (native.type, native.grouping, native.overlap) == ("bar", "stacked", 100)
    assert native.series[0].graphicalProperties.noFill
    assert not native.series[1].graphicalProperties.noFill


def test_the_steps_of_a_waterfall_have_their_colours_and_long_ones_their_values() -> None:
    chart = WATERFALLS["the example"]
    _held, steps = drawn(saved(chart)).series

    colours = [point.spPr.solidFill.srgbClr for point in steps.dPt]
    assert colours == [one.colour.hex[1:].upper() for one in chart.series[0].marks if one and one.colour]
    assert [label.idx for label in steps.dLbls.dLbl] == [0, 1, len(chart.categories) - 1]
    assert {label.showVal for label in steps.dLbls.dLbl} == {True}
    assert not steps.dLbls.showVal


def test_a_series_of_one_mark_is_drawn_as_a_dot() -> None:
    lines = (
        Series(name="Revenue", colour=Colour.ACCENT, marks=(mark(4), mark(3))),
        Series(name="Now", colour=Colour.ACCENT, marks=(None, mark(3))),
    )
    native = drawn(saved(spec(kind=Kind.LINE, series=lines)))

    assert [series.marker.symbol for series in native.series] == [None, "circle"]  # "none" is read back as None


def test_rows_start_on_top_with_their_axis_below() -> None:
    native = drawn(saved(PANELS["example-grouped-bars"]))

    assert native.x_axis.scaling.orientation == "maxMin"
    assert native.y_axis.crosses == "max"


def test_ends_of_ribbons_are_not_in_the_legend() -> None:
    native = drawn(saved(PANELS["example-line"]))

    assert [(entry.idx, entry.delete) for entry in native.legend.legendEntry] == [(1, True), (2, True)]
    assert native.x_axis.tickLblSkip == 4


def test_numbers_are_shown_as_on_the_page() -> None:
    sheet = saved(PANELS["example-line"])

    assert sheet["C4"].value == 142_000
    assert sheet["C4"].number_format == '"€"#,##0'


def test_numbers_whose_texts_have_no_format_in_common_are_shown_as_on_the_page_all_the_same() -> None:
    marks = (Mark(value=-5234.5, text="\N{MINUS SIGN}€5,235"), Mark(value=20_000.0, text="€20 k"))
    axis = replace(AXIS, low=-10_000, high=30_000)
    sheet = saved(spec(axis=axis, series=(Series(name="Gain", colour=Colour.ACCENT, marks=marks),)))

    assert [sheet[cell].number_format for cell in ("C4", "C5")] == ['"€"#,##0', '"€"#,##0," k"']


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", " ="])
def test_a_name_that_looks_like_a_formula_stays_text(start: str) -> None:
    name = f"{start}HYPERLINK(1)"
    chart = spec(
        categories=(Category(label=name), Category(label="Social")),
        series=(Series(name=name, colour=Colour.ACCENT, marks=(mark(1), mark(2))),),
    )
    sheet = saved(chart)

    for cell in (sheet["B4"], sheet["C3"]):
        assert cell.data_type == "s"
        assert cell.value == name.strip()
        assert cell.quotePrefix


def test_names_that_xml_cannot_hold_are_written_without_those_characters() -> None:
    chart = spec(title="Bell\x07", categories=(Category(label="Search\x0b"), Category(label="Social")))
    sheet = saved(chart)

    assert sheet["B4"].value == "Search\ufffd"
    assert drawn(sheet).title.tx.rich.p[0].r[0].t == "Bell\ufffd"


@pytest.mark.parametrize("kind", KINDS_WITH_AN_AXIS)
def test_charts_of_one_category_with_few_ticks_are_made(kind: Kind) -> None:
    series = Series(name="Revenue", colour=Colour.ACCENT, marks=(mark(4),))

    assert read(spec(kind=kind, categories=(Category(label="Search"),), series=(series,))).values == {(0, 0): 4}
