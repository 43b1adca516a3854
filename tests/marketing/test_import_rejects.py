"""Rejected rows can be taken out as they were, mended, and brought back."""

import csv
import datetime as dt
import zoneinfo
from pathlib import Path
from typing import Any

import pytest

from marketing.importing.cells import NEGATIVE, Clock
from marketing.importing.checking import Checker
from marketing.importing.errors import CellError
from marketing.importing.rejects import RejectsWriter, neutral
from tests.marketing.spreadsheets import workbook

CLOCK = Clock(zone=zoneinfo.ZoneInfo("Europe/Berlin"), now=dt.datetime(2026, 6, 1, tzinfo=dt.UTC), currency="EUR")


def write_rejects(path: Path, target: Path, *, dataset: str = "spend") -> list[list[str]]:
    """Check the file, write what it rejects, and return the rows of that file."""
    checker = Checker(path=path, dataset=dataset, mapping={}, clock=CLOCK, keep_raw=True)
    with RejectsWriter(target, checker.header) as rejects:
        for rows in checker:
            rejects.write(rows.errors)
    with target.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def test_rejected_rows_keep_all_their_cells_and_say_why(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text(
        'note,date,channel,spend\n"a, b",2026-01-01,TV,5\nkeep me,2026-02-30,TV,6\n,2026-01-02, Köln ,-7\n'
    )

    assert write_rejects(tmp_path / "data.csv", tmp_path / "rejects.csv") == [
        ["note", "date", "channel", "spend", "Row", "Column", "Reason"],
        ["keep me", "2026-02-30", "TV", "6", "3", "date", "“2026-02-30” is not a day such as 2026-05-31"],
        ["", "2026-01-02", " Köln ", "-7", "4", "spend", NEGATIVE],
    ]


def test_ragged_rows_keep_the_cells_that_they_have(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("date,channel,spend\n2026-01-01,TV,5\n2026-01-02\n2026-01-03,TV,1,234\n")

    assert write_rejects(tmp_path / "data.csv", tmp_path / "rejects.csv")[1:] == [
        ["2026-01-02", "", "", "3", "", "1 cell where the header has 3"],
        ["2026-01-03", "TV", "1", "234", "4", "", "4 cells where the header has 3"],
    ]


def test_what_a_spreadsheet_would_run_is_neutralised(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("date,channel,spend,=1+1\nx,=cmd|' /C calc'!A0,-5,@SUM(A1)\n")

    header, row = write_rejects(tmp_path / "data.csv", tmp_path / "rejects.csv")

    assert header[3] == "'=1+1"
    assert row[:4] == ["x", "'=cmd|' /C calc'!A0", "-5", "'@SUM(A1)"]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("=1", "'=1"),
        ("+49 30", "'+49 30"),
        ("-x", "'-x"),
        ("-", "'-"),
        ("@a", "'@a"),
        ("\tx", "'\tx"),
        ("-12.5", "-12.5"),
        ("+3", "+3"),
        ("plain", "plain"),
        ("", ""),
    ],
)
def test_numbers_are_left_alone(cell: str, expected: str) -> None:
    assert neutral(cell) == expected


def test_rows_of_a_workbook_are_written_as_text(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["date", "channel", "spend"],
        ["2026-01-01", "TV", 5],
        ["2026-01-02", "TV", -2.5],
        ["2026-01-03", "TV", "=A1"],
    ]
    (tmp_path / "data.xlsx").write_bytes(workbook(rows))

    found = write_rejects(tmp_path / "data.xlsx", tmp_path / "rejects.csv")

    assert [row[:5] for row in found[1:]] == [
        ["2026-01-02", "TV", "-2.5", "3", "spend"],
        ["2026-01-03", "TV", "", "4", "spend"],
    ]


def test_a_mended_file_can_be_imported_and_rejected_anew(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("date,channel,spend\n2026-01-01,TV,x\n2026-01-02,TV,y\n")
    write_rejects(tmp_path / "data.csv", tmp_path / "rejects.csv")
    mended = (tmp_path / "rejects.csv").read_text(encoding="utf-8-sig").replace(",x,", ",7,")
    (tmp_path / "mended.csv").write_text(mended)

    header, *rows = write_rejects(tmp_path / "mended.csv", tmp_path / "again.csv")

    assert header[3:] == ["Row", "Column", "Reason", "Row (import)", "Column (import)", "Reason (import)"]
    assert [row[:3] for row in rows] == [["2026-01-02", "TV", "y"]]


def test_the_writer_counts(tmp_path: Path) -> None:
    with RejectsWriter(tmp_path / "rejects.csv", ["a"]) as rejects:
        rejects.write([CellError(2, "a", "missing", ("x",)), CellError(3, "a", "missing", ("y",))])
        rejects.write([])

    assert rejects.count == 2
