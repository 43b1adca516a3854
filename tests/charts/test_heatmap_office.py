"""Heatmaps in PowerPoint and Excel, read back after saving and opening: tables, pictures and cells of the sheet."""

import io
from dataclasses import replace
from typing import Any

import pytest
from lxml import etree
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet
from pptx import Presentation
from pptx.enum.dml import MSO_FILL
from pptx.oxml.ns import qn
from pptx.util import Inches

from charts import Category, ChartSpec, Colour, Mark, Series
from charts.example_heatmaps import MANY, PAIRS, SHARES
from charts.heat import heat_class, shade
from charts.pptx import add_chart as add_to_slide
from charts.xlsx import add_chart as add_to_sheet
from charts.xlsx import height_in_rows, width_in_columns
from tests.charts.heatmaps import SHARES as SCALE_OF_SHARES
from tests.charts.heatmaps import cell, every_heatmap, looks, marks, matrix
from tests.charts.readings import Readings, expected


def slide_of(chart: ChartSpec, *, width: float = 12.1, height: float = 5.1) -> Any:
    """The slide with the chart, saved and opened again; lengths in inches."""
    presentation = Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[6])
    add_to_slide(slide, chart, left=Inches(0.6), top=Inches(1), width=Inches(width), height=Inches(height))
    file = io.BytesIO()
    presentation.save(file)
    return Presentation(file).slides[0]


def table_of(slide: Any) -> Any:
    (frame,) = (shape for shape in slide.shapes if shape.has_table)
    return frame.table


@pytest.mark.parametrize("chart", [PAIRS, SHARES], ids=["pairs", "shares"])
def test_a_slide_has_a_native_table_with_every_value_in_the_colour_of_its_class(chart: ChartSpec) -> None:
    table, wanted = table_of(slide_of(chart)), looks(chart)

    rows, columns = len(chart.categories), len(chart.series)
    assert (len(table.rows), len(table.columns)) == (rows + 1, columns + 1)
    header, *lines = ([cell.text_frame.text for cell in row.cells] for row in table.rows)
    assert header == [chart.category_title, *(series.name for series in chart.series)]
    assert [line[0] for line in lines] == [category.label for category in chart.categories]
    for number, series in enumerate(chart.series):
        for place, mark in enumerate(series.marks):
            native = table.cell(place + 1, number + 1)
            if mark is None:
                assert native.text_frame.text == ""
                assert native.fill.type is None
                continue
            interval = [f"({mark.low_text}–{mark.high_text})"] if mark.low is not None else []
            assert native.text_frame.text.split("\n") == [mark.text, *interval]
            assert painted(native.fill) == wanted[number, place]


def painted(fill: Any) -> tuple[int, bool]:
    """The class whose colours a cell has, and whether it is hatched."""
    classes = {shade(number).fill[1:].upper(): number for number in range(-5, 6)}
    if fill.type == MSO_FILL.SOLID:
        return classes[str(fill.fore_color.rgb)], False
    number = classes[str(fill.back_color.rgb)]
    assert (fill.type, str(fill.fore_color.rgb)) == (MSO_FILL.PATTERNED, shade(number).line[1:].upper())
    return number, True


def test_the_slide_says_what_colours_and_hatching_mean() -> None:
    (group,) = (shape for shape in slide_of(PAIRS).shapes if shape.name == "Scale")
    words = [shape.text_frame.text for shape in group.shapes if shape.text_frame.text]
    assert words == ["Conversions more or fewer than alone", "−120", "0", "+120", "Not enough evidence"]
    boxes_of_scale = [shape for shape in group.shapes if shape.fill.type in (MSO_FILL.SOLID, MSO_FILL.PATTERNED)]
    assert [painted(box.fill) for box in boxes_of_scale] == [*((number, False) for number in range(-5, 6)), (0, True)]


def test_the_table_fits_its_place_on_the_slide_and_is_described() -> None:
    slide = slide_of(PAIRS)
    (frame,) = (shape for shape in slide.shapes if shape.has_table)
    assert frame._element.nvGraphicFramePr.cNvPr.get("descr") == PAIRS.summary
    assert frame.left + frame.width <= Inches(12.7) + 10
    assert frame.top + frame.height <= Inches(6.1) + 10


def test_parts_of_a_cell_stand_in_the_order_of_the_schema() -> None:
    """PowerPoint offers to repair a file in which they do not."""
    order = ["lnL", "lnR", "lnT", "lnB", "noFill", "solidFill", "pattFill"]
    (frame,) = (shape for shape in slide_of(PAIRS).shapes if shape.has_table)
    for properties in frame._element.iter(qn("a:tcPr")):
        places = [order.index(etree.QName(child).localname) for child in properties]
        assert places == sorted(places)


@pytest.mark.parametrize(("chart", "width"), [(MANY, 12.1), (PAIRS, 3.0)], ids=["many", "narrow"])
def test_a_matrix_without_room_is_a_picture_with_its_numbers_in_the_notes(chart: ChartSpec, width: float) -> None:
    slide = slide_of(chart, width=width)

    (picture,) = slide.shapes
    assert picture._element.nvPicPr.cNvPr.get("descr") == chart.summary
    assert picture.image.content_type == "image/png"
    assert picture.image.size[0] >= 1900
    assert picture.width <= Inches(width)
    assert picture.height <= Inches(5.1)
    assert picture.width / picture.height == pytest.approx(picture.image.size[0] / picture.image.size[1], rel=0.01)
    lines = [line.split("\t") for line in slide.notes_slide.notes_text_frame.text.splitlines()]
    table = chart.table()
    assert lines[0] == [table.category_title, *table.columns]
    assert lines[1:] == [[category.label, *(one.text for one in cells)] for category, cells in table.rows]


def sheet_of(chart: ChartSpec) -> Worksheet:
    """The sheet with the chart in A2 and what else it needs in AH2, saved and opened again."""
    book = Workbook()
    assert isinstance(book.active, Worksheet)
    add_to_sheet(book.active, chart, data_anchor="AH2", chart_anchor="A2")
    file = io.BytesIO()
    book.save(file)
    opened = load_workbook(file).active
    assert isinstance(opened, Worksheet)
    return opened


@every_heatmap
def test_the_sheet_has_every_value_as_a_number_in_a_cell_of_the_colour_of_its_class(chart: ChartSpec) -> None:
    sheet, wanted = sheet_of(chart), marks(chart)
    rows, columns = range(5, 5 + len(chart.categories)), range(2, 2 + len(chart.series))

    assert sheet["A2"].value == chart.title
    assert [sheet.cell(4, column).value for column in (1, *columns)] == [
        chart.category_title,
        *(series.name for series in chart.series),
    ]
    assert [sheet.cell(row, 1).value for row in rows] == [category.label for category in chart.categories]
    for row in rows:
        for column in columns:
            native, mark = sheet.cell(row, column), wanted.get((column - 2, row - 5))
            assert native.value == (mark.value if mark else None)
            if mark:
                colours = shade(heat_class(mark.value, chart.axis))
                fill, ground = native.fill, f"00{colours.fill[1:].upper()}"
                assert fill.patternType == ("lightUp" if mark.is_thin else "solid")
                assert (fill.bgColor if mark.is_thin else fill.fgColor).rgb == ground
                assert native.font.color.rgb == f"00{colours.text[1:].upper()}"
            else:
                assert native.fill.patternType is None
    assert sheet.cell(5 + len(chart.categories), 1).value is None
    assert height_in_rows(chart) == 3 + len(chart.categories) + 1
    assert width_in_columns(chart) == 1 + len(chart.series)


def test_numbers_of_the_sheet_are_shown_as_on_the_page() -> None:
    assert {sheet_of(PAIRS).cell(5, column).number_format for column in (3, 8)} == {"+#,##0;-#,##0;#,##0"}
    assert sheet_of(SHARES)["B5"].number_format == "#,##0.0%"


def test_the_ends_of_intervals_stand_beside_the_matrix() -> None:
    sheet = sheet_of(PAIRS)

    found = Readings()
    for number, series in enumerate(PAIRS.series):
        low = 35 + 2 * number  # AI
        assert sheet.cell(2, low).value == f"{series.name}, low"
        assert sheet.cell(2, low + 1).value == f"{series.name}, high"
        for place in range(len(PAIRS.categories)):
            ends = (sheet.cell(3 + place, low).value, sheet.cell(3 + place, low + 1).value)
            if ends != (None, None):
                found.intervals[number, place] = ends
    assert found.intervals == expected(PAIRS).intervals
    assert sheet_of(SHARES)["AH2"].value is None


def test_the_sheet_has_the_scale_and_says_what_hatching_means() -> None:
    sheet = sheet_of(PAIRS)
    assert [sheet.cell(3, column).value for column in range(1, 7)] == [
        "Conversions more or fewer than alone",
        "−120",
        "0",
        "+120",
        "Not enough evidence",
        None,
    ]
    assert sheet["E3"].fill.patternType == "lightUp"
    assert [sheet_of(SHARES).cell(3, column).value for column in range(1, 5)] == [
        "Share of touchpoints, %",
        "0%",
        "60%",
        None,
    ]


def test_names_that_look_like_formulas_stay_text() -> None:
    name = "=HYPERLINK(1)"
    chart = replace(
        matrix((cell(1),)),
        title=name,
        categories=(Category(label=name),),
        series=(Series(name=name, colour=Colour.ACCENT, marks=(cell(1),)),),
    )
    sheet = sheet_of(chart)
    for place in ("A2", "A5", "B4"):
        assert (sheet[place].value, sheet[place].data_type, sheet[place].quotePrefix) == (name, "s", True)


@pytest.mark.parametrize("value", [0.0, 0.4])
def test_a_matrix_of_one_cell_is_written(value: float) -> None:
    chart = matrix((Mark(value=value, text=f"{value:.0%}"),), axis=SCALE_OF_SHARES)
    assert table_of(slide_of(chart)).cell(1, 1).text_frame.text == f"{value:.0%}"
    assert sheet_of(chart)["B5"].value == value


def test_a_matrix_without_values_is_written() -> None:
    chart = matrix((None, None))
    assert table_of(slide_of(chart)).cell(1, 1).text_frame.text == ""
    assert sheet_of(chart)["B5"].value is None
