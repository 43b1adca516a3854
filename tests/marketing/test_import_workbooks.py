"""Workbooks are read sheet by sheet and row by row, keep their types, and are refused before they can do harm."""

import datetime as dt
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from marketing.importing import archives, workbooks
from marketing.importing.errors import CellError, FileRejected
from marketing.importing.files import read_chunks, read_header
from marketing.importing.inspection import Inspection, inspect
from marketing.importing.reading import Reading
from tests.marketing.spreadsheets import CONTENT_TYPES, encrypted, old_excel, with_parts, with_sheet, workbook

XLSX = Reading(format="xlsx")
TABLE: list[list[Any]] = [
    ["date", "channel", "spend"],
    [dt.datetime.fromisoformat("2026-01-05"), "TV", 10.5],
    [dt.datetime.fromisoformat("2026-01-12"), "TV", 20],
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data"  # no ending: what a file is, its content tells


def look(path: Path, content: bytes, **chosen: Any) -> Inspection:
    path.write_bytes(content)
    return inspect(path, file_name="data.xlsx", chosen=chosen)


def read_rows(path: Path, reading: Reading = XLSX) -> tuple[list[tuple[int, list[object]]], list[CellError]]:
    """Every good row's number and cells, and the errors."""
    rows: list[tuple[int, list[object]]] = []
    errors: list[CellError] = []
    for chunk in read_chunks(path, reading, columns=read_header(path, reading)):
        cells = zip(*(column.to_pylist() for column in chunk.columns.values()), strict=True)
        rows += [(number, list(row)) for number, row in zip(chunk.rows, cells, strict=True)]
        errors += chunk.errors
    return rows, errors


def test_cells_keep_their_types(path: Path) -> None:
    found = look(path, workbook(TABLE))

    assert (found.reading.format, found.header) == ("xlsx", ["date", "channel", "spend"])
    assert found.sample == [["2026-01-05 00:00:00", "TV", "10.5"], ["2026-01-12 00:00:00", "TV", "20"]]
    assert (found.questions, found.warnings) == ([], [])
    rows, errors = read_rows(path)
    assert rows == [(2, TABLE[1]), (3, TABLE[2])]
    assert errors == []


def test_blank_rows_and_columns_are_passed_over_but_counted(path: Path) -> None:
    path.write_bytes(workbook([["a", "b", None], [1, 2], [], [None, None, "a note"], [3, None]]))

    assert read_rows(path)[0] == [(2, [1, 2]), (5, [3, None])]


def test_a_column_of_mixed_types_becomes_text_as_the_file_writes_it(path: Path) -> None:
    path.write_bytes(workbook([["a"], [1.5], ["x"], [TABLE[1][0]], [True], [7]]))
    reading = Reading(format="xlsx", decimal=",")

    assert [cells for _, cells in read_rows(path, reading)[0]] == [
        ["1,5"],
        ["x"],
        ["2026-01-05 00:00:00"],
        ["true"],
        ["7"],
    ]


def test_titles_above_the_header_are_passed_over(path: Path) -> None:
    found = look(path, workbook([["Campaign report"], [], *TABLE]))

    assert (found.reading.header_row, found.preamble) == (3, [["Campaign report"]])
    assert [number for number, _ in read_rows(path, found.reading)[0]] == [4, 5]


def test_rows_hold_across_chunks(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "CHUNK_ROWS", 7)
    monkeypatch.setattr(workbooks, "BLOCK_ROWS", 5)
    path.write_bytes(workbook([["a"], *([row] for row in range(2, 102))]))

    chunks = list(read_chunks(path, XLSX, columns=["a"]))

    assert [row for chunk in chunks for row in chunk.rows] == list(range(2, 102))
    assert [value for chunk in chunks for value in chunk.columns["a"].to_pylist()] == list(range(2, 102))
    fractions = [chunk.fraction for chunk in chunks]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1


@pytest.mark.parametrize(("epoch", "day"), [(None, "2024-01-01"), (CALENDAR_MAC_1904, "2028-01-02")])
def test_days_count_from_the_workbooks_own_epoch(path: Path, epoch: dt.datetime | None, day: str) -> None:
    def use_epoch(book: openpyxl.Workbook) -> None:
        if epoch:
            book.epoch = epoch
        book.active["A2"].number_format = "yyyy-mm-dd"

    path.write_bytes(workbook([["date"], [45292]], change=use_epoch))

    ((_, (value,)),) = read_rows(path)[0]
    assert str(value).startswith(day)


def test_one_of_several_sheets_is_asked_for(path: Path) -> None:
    def add_sheets(book: openpyxl.Workbook) -> None:
        book.active.title = "Costs"
        book.create_sheet("Sales").append(["date", "sales"])
        book.create_sheet("Empty")

    content = workbook(TABLE, change=add_sheets)
    found = look(path, content)

    (question,) = found.questions
    assert (question.field, question.options) == ("sheet", (("Costs", "Costs"), ("Sales", "Sales")))
    assert found.sheets == ["Costs", "Sales", "Empty"]
    answered = look(path, content, sheet="Sales")
    assert (answered.questions, answered.header) == ([], ["date", "sales"])
    with pytest.raises(FileRejected, match=r"no sheet “Clicks”\. Its sheets: Costs, Sales, Empty"):
        look(path, content, sheet="Clicks")


def test_a_column_of_dates_and_days_in_text_is_doubted(path: Path) -> None:
    american = ["13/01/2026", "TV", 1]

    (warning,) = look(path, workbook([*TABLE, american])).warnings
    assert warning.startswith("“date” holds dates in some rows and text such as 13/01/2026 in others.")
    assert look(path, workbook([TABLE[0], american])).warnings == []
    assert look(path, workbook([*TABLE, ["2026-01-19", "TV", 1]])).warnings == []


def test_hidden_sheets_are_left_out_with_a_warning(path: Path) -> None:
    def hide(book: openpyxl.Workbook) -> None:
        book.create_sheet("Old figures", 0).append(["date", "spend"])
        book["Old figures"].sheet_state = "hidden"

    found = look(path, workbook(TABLE, change=hide))

    assert found.warnings == ["Hidden sheets are left out: Old figures."]
    assert (found.questions, found.header) == ([], TABLE[0])


@pytest.mark.parametrize("where", ["B1:C1", "A1:A2"])
def test_a_header_with_merged_cells_is_refused(path: Path, where: str) -> None:
    content = workbook(TABLE, change=lambda book: book.active.merge_cells(where))

    with pytest.raises(FileRejected, match="The header has merged cells"):
        look(path, content)


def test_a_merged_title_above_the_header_does_no_harm(path: Path) -> None:
    content = workbook([["Report of May"], *TABLE], change=lambda book: book.active.merge_cells("A1:C1"))

    assert look(path, content).reading.header_row == 2


def test_a_header_of_two_rows_is_refused(path: Path) -> None:
    groups: list[list[Any]] = [
        [None, "TV", None, "Radio"],
        ["date", "spend", "clicks", "spend of radio"],
        ["2026-01-05", 1, 2, 3],
    ]

    with pytest.raises(FileRejected, match="The header takes two rows"):
        look(path, workbook(groups))


def test_a_formula_without_a_value_rejects_its_row(path: Path) -> None:
    path.write_bytes(workbook([["a", "b"], [1, 2], [3, "=A2+1"], ["=A2", "=B2"], [5, 6]]))

    rows, errors = read_rows(path)

    assert rows == [(2, [1, 2]), (5, [5, 6])]
    assert [(error.row, error.column) for error in errors] == [(3, "b"), (4, "a")]
    assert errors[0].reason == workbooks.NO_VALUE


def test_a_formula_with_a_value_is_its_value(path: Path) -> None:
    content = workbook([["a", "b"], [1, "=A2+1"]])
    path.write_bytes(with_sheet(content, "<f>A2+1</f><v></v>", "<f>A2+1</f><v>2</v>"))

    assert read_rows(path) == ([(2, [1, 2])], [])


def test_a_formula_without_a_value_in_a_column_that_is_not_wanted_does_no_harm(path: Path) -> None:
    path.write_bytes(workbook([["a", "b"], [1, "=A2+1"]]))

    chunks = list(read_chunks(path, XLSX, columns=["a"], keep_raw=True))

    assert [(chunk.rows, chunk.errors) for chunk in chunks[:-1]] == [([2], [])]
    assert chunks[0].raw is not None
    assert chunks[0].raw.cells(2) == ("1", "")


def test_what_a_sheet_says_of_its_size_is_not_believed(path: Path) -> None:
    content = with_sheet(workbook(TABLE), '<dimension ref="A1:C3"', '<dimension ref="A1:XFD1048576"')

    assert look(path, content).header == TABLE[0]
    assert len(read_rows(path)[0]) == 2


def test_a_cell_far_below_is_reached_without_trouble(path: Path) -> None:
    content = with_sheet(workbook([["a"], [1], [2]]), '<row r="3"><c r="A3"', '<row r="1000000"><c r="A1000000"')
    path.write_bytes(content)

    assert read_rows(path)[0] == [(2, [1]), (1_000_000, [2])]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('<row r="3">', '<row r="2000000">', "more than 1,048,576 rows"),
        ('<row r="3">', '<row r="99999999999999">', "more than 1,048,576 rows"),
        ('<c r="C3"', '<c r="XFD3"', "beyond column 2,000"),
        ('<c r="C3"', '<c r="AAAAAAAAA3"', "damaged"),
        ("<sheetData>", "<sheetData><broken>", "damaged"),
        ("<v>20</v>", "<v>twenty</v>", "damaged"),
    ],
)
def test_a_sheet_that_is_padded_or_broken_is_refused(path: Path, old: str, new: str, sentence: str) -> None:
    path.write_bytes(with_sheet(workbook(TABLE), old, new))

    with pytest.raises(FileRejected, match=sentence):
        read_rows(path)


BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml", "docProps/core.xml"])
def test_a_document_type_is_refused_in_any_part(path: Path, part: str) -> None:
    with pytest.raises(FileRejected, match="XML document type"):
        look(path, with_parts(workbook(TABLE), {part: lambda xml: BOMB + xml}))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_a_document_type_does_not_hide_in_another_encoding(path: Path, encoding: str) -> None:
    part = b"".join([BOMB, b"<x>&b;</x>"]).decode().encode(encoding)

    with pytest.raises(FileRejected, match="XML document type"):
        look(path, with_parts(workbook(TABLE), {"xl/theme/theme1.xml": part}))


def test_a_part_in_an_encoding_of_its_own_is_refused(path: Path) -> None:
    part = b'<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE x'

    with pytest.raises(FileRejected, match="damaged"):
        look(path, with_parts(workbook(TABLE), {"xl/theme/theme1.xml": part}))


def test_a_part_that_bursts_is_refused_by_what_it_says_of_itself(path: Path) -> None:
    with pytest.raises(FileRejected, match="more than 100 times its size"):
        look(path, with_parts(workbook(TABLE), {"xl/media/image1.png": bytes(5 * 2**20)}))


def test_a_workbook_that_unpacks_to_too_much_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_UNPACKED_BYTES", 10_000)

    with pytest.raises(FileRejected, match="unpacks to more than"):
        look(path, workbook(TABLE))


def _cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _flip(content: bytes) -> bytes:
    at = content.index(b"xl/worksheets/sheet1.xml") + 60
    return content[:at] + bytes(byte ^ 0xFF for byte in content[at : at + 40]) + content[at + 40 :]


def _lock(content: bytes) -> bytes:
    """Set the flag that a part is encrypted, in the archive's directory."""
    start = content.index(b"PK\x01\x02")
    return content[: start + 8] + b"\x01\x00" + content[start + 10 :]


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (_cut, "cut off or damaged"),
        (_flip, "damaged"),
        (_lock, "encrypted"),
        (lambda _: encrypted(), "encrypted. Save it without a password"),
        (lambda _: old_excel(), r"old Excel file \(.xls\). Save it as “Excel workbook \(.xlsx\)”"),
        (lambda content: with_parts(content, {"xl/vbaProject.bin": b"x"}), "holds macros"),
        (lambda content: with_parts(content, {CONTENT_TYPES: b"<Types>macroEnabled</Types>"}), "holds macros"),
        (lambda content: with_parts(content, {"xl/workbook.bin": b"x"}), "binary workbook"),
        (lambda content: with_parts(content, {"xl/workbook.xml": b"<workbook/>"}), "no sheet with cells|damaged"),
        (lambda content: with_parts(content, {CONTENT_TYPES: b""}), "damaged"),
        (lambda content: with_parts(content, {"xl/styles.xml": b"<a"}), "damaged"),
        (lambda content: with_parts(content, {"xl/worksheets/sheet1.xml": b"not xml"}), "damaged"),
    ],
)
def test_what_is_no_sound_workbook_is_refused(path: Path, spoil: Callable[[bytes], bytes], sentence: str) -> None:
    with pytest.raises(FileRejected, match=sentence):
        look(path, spoil(workbook(TABLE)))


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["data.csv"], "a ZIP archive, but not an Excel workbook"),
        (["mimetype", "content.xml"], "OpenDocument"),
        (["../../etc/passwd"], "a ZIP archive, but not an Excel workbook"),
    ],
)
def test_other_archives_are_refused(path: Path, names: list[str], sentence: str) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, "a,b\n1,2\n")

    with pytest.raises(FileRejected, match=sentence):
        inspect(path, file_name="data.xlsx")


def test_a_sheet_without_a_row_has_no_header(path: Path) -> None:
    with pytest.raises(FileRejected, match="no header row"):
        look(path, workbook([]))
