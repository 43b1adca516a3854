"""Heatmaps in the files that people download: within their pages, and with the document's numbers."""

import io
from dataclasses import replace
from typing import Any

import openpyxl
import pytest
from openpyxl.utils import get_column_letter
from pptx import Presentation

from analyses.documents import Document, Section
from charts import ChartSpec
from charts.example_heatmaps import MANY, PAIRS, SHARES
from reports.exports import as_pdf, write
from tests.reports.compared import missing_in_print
from tests.reports.documents import a_document


def with_charts(*charts: ChartSpec) -> Document:
    return a_document(sections=(Section(title="Pairs", charts=charts),))


def sheet(document: Document) -> Any:
    return openpyxl.load_workbook(io.BytesIO(write(document, "xlsx")))["Pairs"]


@pytest.mark.parametrize("chart", [PAIRS, MANY], ids=["nine", "thirty"])
def test_the_sheet_prints_the_whole_matrix(chart: ChartSpec) -> None:
    pairs = sheet(with_charts(chart))
    first = next(row[0].row for row in pairs.iter_rows(max_col=1) if row[0].value == chart.title) + 3
    read = [
        [pairs.cell(first + place, 2 + number).value for place in range(len(chart.categories))]
        for number in range(len(chart.series))
    ]
    assert read == [[mark.value if mark else None for mark in series.marks] for series in chart.series]
    last = get_column_letter(1 + len(chart.series))
    start, _, end = pairs.print_area.rpartition("!")[2].replace("$", "").partition(":")
    assert (start, end.rstrip("0123456789")) == ("A1", last)
    assert int(end.removeprefix(last)) >= first + len(chart.categories)


@pytest.mark.parametrize("chart", [PAIRS, SHARES, MANY], ids=["nine", "shares", "thirty"])
def test_columns_of_a_matrix_are_as_narrow_as_its_values_and_words_allow(chart: ChartSpec) -> None:
    pairs = sheet(with_charts(chart))
    width = pairs.column_dimensions["B"].width
    texts = [mark.text for series in chart.series for mark in series.marks if mark]
    words = [word for series in chart.series for word in series.name.split()]
    assert max(map(len, (*texts, *words))) < width < 16
    assert {pairs.column_dimensions[get_column_letter(2 + n)].width for n in range(len(chart.series))} == {width}
    header = next(row[0].row for row in pairs.iter_rows(max_col=1) if row[0].value == chart.title) + 2
    assert pairs.row_dimensions[header].height >= 30


def test_matrices_below_each_other_do_not_meet() -> None:
    pairs = sheet(with_charts(PAIRS, SHARES))
    rows = {row[0].value: row[0].row for row in pairs.iter_rows(max_col=1) if row[0].value}
    assert rows[SHARES.title] > rows[PAIRS.title] + 3 + len(PAIRS.categories)
    assert pairs.cell(rows[SHARES.title] + 3, 2).value == 0.212


def test_a_slide_holds_the_matrix_and_its_scale_within_its_edges() -> None:
    presentation = Presentation(io.BytesIO(write(with_charts(PAIRS, SHARES, MANY), "pptx")))
    slides = {slide.shapes.title.text_frame.text: slide for slide in presentation.slides}
    for chart in (PAIRS, SHARES, MANY):
        for shape in slides[chart.title].shapes:
            assert 0 <= shape.left <= shape.left + shape.width <= presentation.slide_width, shape.name
            assert 0 <= shape.top <= shape.top + shape.height <= presentation.slide_height, shape.name
        assert slides[chart.title].notes_slide.notes_text_frame.text.startswith(chart.summary)
    assert [shape.has_table for shape in slides[PAIRS.title].shapes].count(True) == 1
    assert "Paid Search 1\t–\t+73" in slides[MANY.title].notes_slide.notes_text_frame.text


def test_the_pdf_holds_the_pictures() -> None:
    document = with_charts(PAIRS, MANY)
    assert set(as_pdf.pictures(document)) == {PAIRS.id, MANY.id}
    assert write(document, "pdf").startswith(b"%PDF")


def in_full(chart: ChartSpec) -> ChartSpec:
    """The chart with texts that have no room beside each other."""
    columns = tuple(
        replace(series, marks=tuple(mark and replace(mark, text=f"{mark.text}.25") for mark in series.marks))
        for series in chart.series
    )
    return replace(chart, series=columns)


def test_a_matrix_without_room_for_its_values_has_them_below_in_print() -> None:
    page = as_pdf.html(with_charts(in_full(MANY)))
    assert page.count(f"In numbers: {MANY.title}") >= 2  # in parts beside each other
    texts = {mark.text for series in in_full(MANY).series for mark in series.marks if mark}
    assert [text for text in texts if f">{text}</td>" not in page] == []
    assert "In numbers" not in as_pdf.html(with_charts(SHARES, MANY))


def test_what_stands_below_a_matrix_is_held_against_it() -> None:
    document = with_charts(in_full(MANY))
    page, drawn = as_pdf.html(document), as_pdf.pictures(document)
    assert missing_in_print(document, page, drawn) == []
    without = page.replace(">+73.25</td>", "></td>")
    assert without != page
    assert {line.partition(":")[0] for line in missing_in_print(document, without, drawn)} == {MANY.id}
