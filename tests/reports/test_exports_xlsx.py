"""The workbook of a document: numbers that can be computed with, charts that read them, text that stays text."""

import io
import re
from typing import Any

import openpyxl
import pytest
from openpyxl.utils import range_boundaries

from analyses.documents import DataTable, Document, Figure, Row, Section
from reports.exports import write
from tests.reports.documents import HOSTILE, ROWS, TABLE, a_document, a_hostile_document, panels, values


def workbook(document: Document) -> Any:
    return openpyxl.load_workbook(io.BytesIO(write(document, "xlsx")))


def test_the_workbook_has_a_sheet_for_each_part_in_order() -> None:
    assert workbook(a_document()).sheetnames == [
        "Summary",
        "Models side by side",
        "Trends all metrics weeks",
        "In numbers",
        "Data",
    ]


def test_the_workbook_carries_the_tables_numbers_in_full_as_the_page_shows_them() -> None:
    sheet = workbook(a_document())["In numbers"]
    rows = list(sheet.iter_rows())
    start = next(place for place, row in enumerate(rows) if row[0].value == TABLE.columns[0])
    assert [cell.value for cell in rows[start][: len(TABLE.columns)]] == list(TABLE.columns)
    for line, row in zip(TABLE.rows, rows[start + 1 :], strict=False):
        assert row[0].value == line.label
        for figure, cell in zip(line.cells, row[1:], strict=False):
            has_number = any(character.isdigit() for character in figure.text)
            assert cell.value == (figure.value if has_number else figure.text)
    formats = [cell.number_format for cell in rows[start + 1][1 : len(TABLE.columns)]]
    assert formats[:3] == ["#,##0.00", '"€"#,##0.00', "#,##0.0%"]
    assert "€" in formats[3]


def test_numbers_of_different_kinds_below_each_other_have_each_their_own_format() -> None:
    """And no more digits than anybody reads: a column that they do not fit into would show crosses."""
    figures = (
        Figure("1.003", repr(1.00340192837465), 1.00340192837465),
        Figure("4.2%", repr(0.0421), 0.0421),
        Figure("1,106", repr(1106.0), 1106.0),
        Figure("Never", value=0.0),
    )
    rows = tuple(Row(label=str(place), cells=(figure,)) for place, figure in enumerate(figures))
    table = DataTable(title="T", columns=("A", "B"), rows=rows)
    sheet = workbook(a_document(sections=(Section(title="S", tables=(table,)),)))["S"]
    shown = {cell.value: cell.number_format for row in sheet.iter_rows() for cell in row}
    assert [shown[value] for value in (1.00340192837465, 0.0421, 1106)] == ["#,##0.000", "#,##0.0%", "#,##0.0"]
    assert "Never" in shown


def test_words_in_the_workbook_stand_to_the_left_and_break_in_rows_of_that_height() -> None:
    cells = (Figure("as a measurement of these days"), Figure("2.0", value=2.0))
    table = DataTable(title="T", columns=("A", "Used", "Lift"), rows=(Row(label="a", cells=cells),))
    sheet = workbook(a_document(sections=(Section(title="S", tables=(table,)),)))["S"]
    rows = {row[0].value: row for row in sheet.iter_rows()}
    assert [cell.alignment.horizontal for cell in rows["A"][:3]] == ["left", "left", "right"]
    _label, used, lift = rows["a"][:3]
    assert (used.alignment.horizontal, used.alignment.wrap_text) == (None, True)  # text is to the left by itself
    assert lift.alignment.horizontal == "right"
    assert sheet.row_dimensions[used.row].height == 45  # as | a measurement | of these days


@pytest.mark.parametrize(
    ("figure", "shown_as"),
    [
        (Figure("¥12.3 k", "¥12,345", 12345), '"¥"#,##0'),
        (Figure("CHF 9,876", "CHF 9,876.50", 9876.5), '"CHF "#,##0.00'),
        (Figure("2.41", "2.4137", 2.4137), "#,##0.0000"),
        (Figure("▲ +4.2%", "+4.2% against the previous period", 0.0421), "+0.0%;-0.0%;0.0%"),
    ],
)
def test_numbers_in_the_workbook_have_their_unit(figure: Figure, shown_as: str) -> None:
    table = DataTable(title="T", columns=("A", "B"), rows=(Row(label="a", cells=(figure,)),))
    sheet = workbook(a_document(sections=(Section(title="S", tables=(table,)),)))["S"]
    (cell,) = [cell for row in sheet.iter_rows() for cell in row if cell.value == figure.value]
    assert cell.number_format == shown_as


@pytest.mark.parametrize(("column", "height"), [("Revenue", 15.0), ("Revenue against Last Touch", 30.0)])
def test_a_header_of_two_lines_has_the_height_for_them(column: str, height: float) -> None:
    table = DataTable(title="T", columns=("A", column), rows=(Row(label="a", cells=(Figure("1"),)),))
    sheet = workbook(a_document(sections=(Section(title="S", tables=(table,)),)))["S"]
    (cell,) = [cell for row in sheet.iter_rows() for cell in row if cell.value == column]
    assert sheet.row_dimensions[cell.row].height == height


def test_the_data_sheet_has_all_rows_and_a_header_that_stays() -> None:
    sheet = workbook(a_document())["Data"]
    found = [list(row) for row in sheet.iter_rows(values_only=True)]
    assert found == [[_as_excel_keeps_it(cell) for cell in row] for row in ROWS]
    assert (sheet.freeze_panes, sheet.auto_filter.ref, sheet.print_title_rows) == ("A2", "A1:D4", "$1:$1")


def _as_excel_keeps_it(cell: object) -> object:
    return float(f"{cell:.16g}") if isinstance(cell, float) else cell


def test_charts_in_the_workbook_read_the_documents_numbers_from_their_sheet() -> None:
    document = a_document()
    book = workbook(document)
    found = [(sheet, chart) for sheet in book.worksheets for chart in sheet._charts]
    assert len(found) == len(panels(document))
    for (sheet, chart), spec in zip(found, panels(document), strict=True):
        read = {_cells(sheet, series.tx.strRef.f)[0]: _cells(sheet, series.val.numRef.f) for series in chart.series}
        assert values(spec).items() <= read.items()


def _cells(sheet: Any, reference: str) -> list[Any]:
    name, _, cells = reference.rpartition("!")
    assert name.strip("'") == sheet.title
    left, top, right, bottom = range_boundaries(cells)
    return [cell.value for row in sheet.iter_rows(top, bottom, left, right) for cell in row]


def test_no_text_becomes_a_formula_in_the_workbook() -> None:
    book = workbook(a_hostile_document())
    cells = [cell for sheet in book.worksheets for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert len(cells) > 6 * len(HOSTILE)
    assert {cell.data_type for cell in cells} == {"s"}
    assert all(cell.quotePrefix for cell in cells if cell.value.startswith(("=", "+", "-", "@")))


def test_sheets_have_names_that_excel_takes() -> None:
    names = ["Data", "data", "Summary", "History", "a/b:c*d?[e]\\'", "'quoted'", "x" * 40, "x" * 41, "", "///"]
    book = workbook(a_document(sections=tuple(Section(title=name) for name in names)))
    assert len(book.sheetnames) == len(names) + 2
    assert len({name.lower() for name in book.sheetnames} - {"history"}) == len(names) + 2
    assert all(0 < len(name) <= 31 and not re.search(r"[\[\]:*?/\\']", name) for name in book.sheetnames)
    assert (book.sheetnames[0], book.sheetnames[-1]) == ("Summary", "Data")
