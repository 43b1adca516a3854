"""The workbook of a document: numbers that can be computed with, charts that read them, text that stays text."""

import io
import math
import re
import tracemalloc
import zipfile
from dataclasses import replace
from itertools import chain
from typing import Any

import openpyxl
import pytest
from openpyxl.utils import range_boundaries

from analyses.documents import DataTable, Document, Figure, LazyRows, Row, Section
from charts.examples import EXAMPLES
from reports.branding.look import PLAIN, Look
from reports.exports import as_xlsx, write
from tests.reports.documents import (
    HOSTILE,
    ROWS,
    TABLE,
    a_document,
    a_hostile_document,
    a_long_table,
    a_report,
    panels,
    values,
)


def workbook(document: Document, look: Look = PLAIN) -> Any:
    return openpyxl.load_workbook(io.BytesIO(write(document, "xlsx", look)))


def test_the_workbook_has_a_sheet_for_each_part_in_order() -> None:
    assert workbook(a_document()).sheetnames == [
        "Summary",
        "Models side by side",
        "Trends all metrics weeks",
        "In numbers",
        "Definitions",
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
    assert (used.alignment.horizontal, used.alignment.wrap_text) == ("left", True)
    assert lift.alignment.horizontal == "right"
    assert sheet.column_dimensions["B"].width == 32
    assert sheet.row_dimensions[used.row].height is None
    cells = (Figure("as a measurement of these days and of no others"), Figure("2.0", value=2.0))
    table = replace(table, rows=(Row(label="a", cells=cells),))
    sheet = workbook(a_document(sections=(Section(title="S", tables=(table,)),)))["S"]
    (line,) = (row[0].row for row in sheet.iter_rows() if row[0].value == "a")
    assert sheet.row_dimensions[line].height == 30  # as a measurement of these days and of no | others


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
    assert found == [list(row) for row in ROWS]
    assert (sheet.freeze_panes, sheet.auto_filter.ref, sheet.print_title_rows) == ("A2", "A1:D4", "$1:$1")


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
    assert len(book.sheetnames) == len(names) + 3
    assert len({name.lower() for name in book.sheetnames} - {"history"}) == len(names) + 3
    assert all(0 < len(name) <= 31 and not re.search(r"[\[\]:*?/\\']", name) for name in book.sheetnames)
    assert (book.sheetnames[0], book.sheetnames[-1]) == ("Summary", "Data")


def test_every_table_has_a_sheet_whose_header_stays() -> None:
    tables = (a_long_table(40, 3), replace(TABLE, title="Of the section"))
    section = Section(title="Section", sentences=("Two tables.",), charts=(EXAMPLES["line"],), tables=tables)
    book = workbook(a_document(sections=(section,)))
    assert book.sheetnames[1:-2] == ["Section", "Campaigns", "Of the section"]
    for table in tables:
        sheet = book[table.title]
        rows = list(sheet.iter_rows(values_only=True))
        header = next(place for place, row in enumerate(rows, start=1) if row[0] == table.columns[0])
        assert sheet.freeze_panes == f"A{header + 1}"
        assert sheet.print_title_rows == f"${header}:${header}"
        assert [row[0] for row in rows[header : header + len(table.rows)]] == [row.label for row in table.rows]
    assert not book["Section"].freeze_panes
    assert len(book["Section"]._charts) == 1


def test_what_would_fill_the_screen_above_a_header_stands_below_the_table() -> None:
    sentences = tuple(f"Sentence {number}." for number in range(12))
    sheet = workbook(a_document(sections=(Section(title="S", sentences=sentences, tables=(TABLE,)),)))["S"]
    column = [row[0] for row in sheet.iter_rows(max_col=1, values_only=True)]
    assert column.index("Channel") < column.index("Total") < column.index("Sentence 0.")
    assert int(sheet.freeze_panes[1:]) <= 6


def test_the_sheets_of_two_blocks_have_different_names_and_say_what_they_belong_to() -> None:
    book = workbook(a_report())
    assert book.sheetnames == [
        "Summary",
        "Channels",
        "Trends",
        "Models side by side",
        "Channels 2",
        "Definitions",
        "Data",
    ]
    assert [book[name]["A2"].value for name in ("Channels", "Trends", "Channels 2")] == [
        "Dashboard",
        "Dashboard",
        "Attribution",
    ]


def test_a_table_named_like_its_section_is_told_apart_from_it() -> None:
    table = replace(TABLE, title="Returns by channel and by month")
    section = Section(title=table.title, charts=(EXAMPLES["line"],), tables=(table,))
    assert workbook(a_document(sections=(section,))).sheetnames[1:3] == [
        "Returns by channel and by mo",
        "Returns by channel a (table)",
    ]


def test_the_sheet_of_definitions_says_terms_method_caveats_and_facts() -> None:
    document = a_report()
    sheet = workbook(document)["Definitions"]
    rows = [tuple(cell or "" for cell in row[:2]) for row in sheet.iter_rows(values_only=True)]
    assert ("Term", "What it means here") in rows
    assert sheet.freeze_panes == f"A{rows.index(('Term', 'What it means here')) + 2}"
    for pair in (*document.definitions, *(("", said) for said in (*document.method, *document.notes)), *document.facts):
        assert pair in rows
    assert workbook(a_document())["Definitions"].freeze_panes is None


def test_the_summary_leads_to_every_other_sheet() -> None:
    book = workbook(a_report())
    links = {cell.value: cell.hyperlink for row in book["Summary"].iter_rows() for cell in row if cell.hyperlink}
    assert list(links) == book.sheetnames[1:]
    assert [link.location for link in links.values()] == [f"'{name}'!A1" for name in book.sheetnames[1:]]
    assert not any(link.target for link in links.values())


def test_columns_are_as_wide_as_what_stands_in_them() -> None:
    figures = (Figure("€1,234,567.89", value=1234567.89), Figure("1", value=1), Figure("a word or two"))
    rows = (Row(label="A rather long name of a campaign, in full", cells=figures),)
    table = DataTable(title="T", columns=("Campaign", "Revenue", "N", "What"), rows=rows)
    sheet = workbook(a_document(sections=(Section(title="S", tables=(table,)),)))["S"]
    widths = [sheet.column_dimensions[letter].width for letter in "ABCD"]
    assert widths == [43, 15, 11, 15]


@pytest.mark.parametrize(("paper", "number"), [("a4", 9), ("letter", 1)])
def test_sheets_are_printed_on_the_workspaces_paper(paper: str, number: int) -> None:
    book = workbook(a_report(), Look(paper=paper))
    assert {sheet.page_setup.paperSize for sheet in book.worksheets} == {number}


def test_the_name_of_the_workspace_has_its_colour() -> None:
    assert workbook(a_document(), Look(colour="#0b6b3a"))["Summary"]["A1"].font.color.rgb == "000B6B3A"


def test_every_chart_of_the_workbook_is_described_in_words() -> None:
    document = a_document()
    with zipfile.ZipFile(io.BytesIO(write(document, "xlsx"))) as file:
        drawings = "".join(
            file.read(name).decode() for name in file.namelist() if name.startswith("xl/drawings/drawing")
        )
    assert re.findall(r'<cNvPr [^>]*descr="([^"]*)"', drawings) == [panel.summary for panel in panels(document)]


def test_charts_below_each_other_read_from_tables_that_do_not_meet() -> None:
    book = workbook(a_document(sections=(Section(title="S", charts=(EXAMPLES["line"], EXAMPLES["dots"])),)))
    rows = [range_boundaries(chart.series[0].val.numRef.f.rpartition("!")[2])[1::2] for chart in book["S"]._charts]
    assert rows[0][1] < rows[1][0] - 1


def test_the_sheet_of_data_says_where_the_rest_of_too_many_rows_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(as_xlsx, "MOST_ROWS", 3)
    sheet = workbook(a_document(rows=(row for row in [("n",), (1,), (2,), (3,), (4,)])))["Data"]
    assert [row[0] for row in sheet.iter_rows(values_only=True)] == ["n", 1, 2, as_xlsx.THE_REST]


def test_very_many_rows_are_held_by_nobody() -> None:
    def rows(count: int) -> LazyRows:
        header: list[tuple[str | float | None, ...]] = [("name", "day", "value", "gap")]
        return LazyRows(lambda: chain(header, ((f"row {n}", "2026-03-01", n / 7, None) for n in range(count))))

    def peak(count: int) -> int:
        tracemalloc.start()
        write(a_document(rows=rows(count)), "xlsx")
        _now, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(10)
    assert peak(20_000) < peak(1_000) + 3 * 2**20


def test_the_sheet_of_data_keeps_what_numbers_and_texts_are() -> None:
    row = ("a < b & c", " space ", "two\nlines", "x\x00y", "+49", 0.1 + 0.2, 1e-12, 2**40, -0.5, math.nan, True)
    sheet = workbook(a_document(rows=[tuple(f"c{place}" for place in range(len(row))), row]))["Data"]
    cells = [cell.value for cell in sheet[2]]
    assert cells[:3] == ["a < b & c", "space", "two lines"]  # as everywhere
    assert cells[3] == "x\N{REPLACEMENT CHARACTER}y"
    assert cells[4:9] == list(row[4:9])
    assert (cells[9], cells[10]) == (None, 1)
    assert (sheet["E2"].quotePrefix, sheet["A2"].quotePrefix) == (True, False)
    assert (sheet.print_area, sheet.auto_filter.ref) == ("'Data'!$A$1:$K$2", "A1:K2")
    assert sheet["A1"].font.bold


def test_addresses_in_names_lead_nowhere_from_the_workbook() -> None:
    said = "file:///etc/passwd http://127.0.0.1:9/x"
    document = a_document(title=said, workspace=said, facts=((said, said),), rows=((said,),))
    with zipfile.ZipFile(io.BytesIO(write(document, "xlsx"))) as file:
        assert not any(b'TargetMode="External"' in file.read(name) for name in file.namelist())
