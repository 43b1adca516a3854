"""Files are read in chunks whatever their dialect, with the row numbers that a spreadsheet shows, or refused."""

import datetime as dt
import gzip
import random
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from marketing.importing import files, parquet_files, text_files
from marketing.importing.errors import CellError, FileRejected
from marketing.importing.files import read_chunks, read_header
from marketing.importing.inspection import inspect
from marketing.importing.reading import Reading


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data.csv"


def reading_of(path: Path) -> Reading:
    return inspect(path, file_name=path.name).reading


def header_of(path: Path) -> list[str]:
    return read_header(path, reading_of(path))


def read_rows(
    path: Path, columns: list[str] | None = None, reading: Reading | None = None
) -> list[tuple[int, list[object]]]:
    """Every good row's number and cells."""
    reading = reading or reading_of(path)
    rows = []
    for chunk in read_chunks(path, reading, columns=columns or read_header(path, reading)):
        cells = zip(*(column.to_pylist() for column in chunk.columns.values()), strict=True)
        rows += [(number, list(row)) for number, row in zip(chunk.rows, cells, strict=True)]
    return rows


def read_errors(path: Path, *, keep_raw: bool = False) -> list[CellError]:
    reading = reading_of(path)
    chunks = read_chunks(path, reading, columns=read_header(path, reading), keep_raw=keep_raw)
    return [error for chunk in chunks for error in chunk.errors]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("date,geo\n2026-01-01,Köln\n2026-01-02,\n".encode(), id="plain"),
        pytest.param("date,geo\n2026-01-01,Köln\n2026-01-02,".encode(), id="no newline at the end"),
        pytest.param("date,geo\r\n2026-01-01,Köln\r\n2026-01-02,\r\n".encode(), id="CRLF"),
        pytest.param("date,geo\r2026-01-01,Köln\r2026-01-02,\r".encode(), id="CR"),
        pytest.param("\ufeffdate,geo\n2026-01-01,Köln\n2026-01-02,\n".encode(), id="byte order mark"),
        pytest.param("date,geo\n2026-01-01,Köln\n2026-01-02,\n".encode("utf-16"), id="UTF-16"),
        pytest.param("\ufeffdate,geo\n2026-01-01,Köln\n2026-01-02,\n".encode("utf-16-be"), id="UTF-16, big end first"),
        pytest.param("date;geo\n2026-01-01;Köln\n2026-01-02;\n".encode(), id="semicolons"),
        pytest.param("date\tgeo\n2026-01-01\tKöln\n2026-01-02\t\n".encode(), id="tabs"),
        pytest.param("date|geo\n2026-01-01|Köln\n2026-01-02|\n".encode(), id="pipes"),
        pytest.param("date,geo\n2026-01-01,Köln\n2026-01-02,\n".encode("cp1252"), id="Windows-1252"),
        pytest.param(gzip.compress("date,geo\n2026-01-01,Köln\n2026-01-02,\n".encode()), id="gzip"),
        pytest.param(gzip.compress("date\tgeo\n2026-01-01\tKöln\n2026-01-02\t\n".encode("utf-16")), id="gzip, UTF-16"),
        pytest.param(' date ,"geo"\n2026-01-01,"Köln"\n"2026-01-02",""\n'.encode(), id="quotes, spaces in the header"),
    ],
)
def test_every_dialect_of_csv_reads_the_same(path: Path, content: bytes) -> None:
    path.write_bytes(content)

    assert header_of(path) == ["date", "geo"]
    assert read_rows(path) == [(2, ["2026-01-01", "Köln"]), (3, ["2026-01-02", ""])]


def test_only_the_wanted_columns_are_read(path: Path) -> None:
    path.write_text("a,,b,\n1,x,2,y\n")

    assert read_rows(path, ["b", "a"]) == [(2, ["2", "1"])]


def test_a_quoted_cell_may_hold_newlines_separators_and_quotation_marks(path: Path) -> None:
    path.write_text('name,note\n"two\nlines","a, ""b"""\nnext,5" disk\n')

    assert read_rows(path) == [(2, ["two\nlines", 'a, "b"']), (3, ["next", '5" disk'])]


def test_ragged_rows_are_rejected_under_their_own_numbers(path: Path) -> None:
    path.write_text("a,b\n1,2\n3\n\n4,5\n6,7,8\n9,10\n11\n")

    assert read_rows(path) == [(2, ["1", "2"]), (5, ["4", "5"]), (7, ["9", "10"])]
    assert read_errors(path) == [
        CellError(3, "", "1 cell where the header has 2"),
        CellError(6, "", "3 cells where the header has 2"),
        CellError(8, "", "1 cell where the header has 2"),
    ]


def test_blank_rows_are_passed_over_but_counted(path: Path) -> None:
    path.write_text("a,b\n\n1,2\n,\n\n3,\n,,\n")

    assert read_rows(path) == [(3, ["1", "2"]), (6, ["3", ""])]
    assert [error.row for error in read_errors(path)] == [7]


def test_row_numbers_and_cells_hold_across_blocks(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "BLOCK_BYTES", 256)
    lines = [f"{row},{row}" if row % 7 else f"{row}" for row in range(2, 500)]
    lines[300] = '"quoted\n302",302'
    path.write_text("a,b\n" + "\n".join(lines))

    rows = read_rows(path)

    assert len(list(read_chunks(path, reading_of(path), columns=["a"]))) > 10
    assert [number for number, _ in rows] == [row for row in range(2, 500) if row % 7]
    assert all(cells[1] == str(number) for number, cells in rows)
    assert [error.row for error in read_errors(path)] == [row for row in range(2, 500) if row % 7 == 0]


def test_utf16_text_holds_across_blocks(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "BLOCK_BYTES", 250)  # blocks that split characters of two and four bytes
    path.write_text("a,b\n" + "".join(f"{row},漢字😀é\n" for row in range(2, 100)), encoding="utf-16")

    assert read_rows(path) == [(row, [str(row), "漢字😀é"]) for row in range(2, 100)]


def test_progress_never_goes_back_and_ends_at_one(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "BLOCK_BYTES", 256)
    path.write_text("a,b\n" + "1,2\n" * 500)

    fractions = [chunk.fraction for chunk in read_chunks(path, reading_of(path), columns=["a"])]

    assert fractions == sorted(fractions)
    assert 0 < fractions[0] < 0.5
    assert fractions[-1] == 1


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty."),
        (b" \n\n", "The file is empty."),
        (b"\n1,2\n", "no header row"),
        (b"date,geo,date\n1,2,3\n", "“date” appears more than once"),
        (b"date, date\n1,2\n", "“date” appears more than once"),
        (b"2026-01-01,TV,5\n2026-01-02,TV,5\n", "no header row. .* Its first row holds values"),
        (b"a" * 200_000, "cell that is too long"),
        (b"a" * 2_000_000, "longer than 1,048,576 characters"),
        (b"a" * 1_000 + b",b\n1,2\n", "longer than 500 characters"),
        (b"date,geo\n\x81,2\n", "neither UTF-8 nor Windows-1252 text: byte 10"),
    ],
)
def test_an_unusable_header_is_refused(path: Path, content: bytes, sentence: str) -> None:
    path.write_bytes(content)

    with pytest.raises(FileRejected, match=sentence):
        header_of(path)


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (b'1,"never closed\n2,x\n', "quotation mark is probably never closed"),
        (b'1,"never closed', "quotation mark is probably never closed"),
        (b'1,"' + b"x" * 140_000 + b'"\n', "longer than 131,072 bytes"),
        (b"1,a\0b\n", "NUL bytes"),
        ("1,Köln\n".encode("cp1252"), "not UTF-8 text.*Byte 10,004 is the first"),
        (b"caf\xe9\n", "not UTF-8 text.*Byte 10,004 is the first"),
    ],
)
def test_unreadable_content_refuses_the_file(path: Path, rows: bytes, sentence: str) -> None:
    path.write_bytes(b"a,b\n" + b"0,0\n" * 2499 + rows)  # beyond what reading the header sees

    with pytest.raises(FileRejected, match=sentence):
        read_rows(path, ["a", "b"], Reading())


def test_an_open_quotation_mark_is_found_before_it_fills_the_memory(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "BLOCK_BYTES", 256)
    path.write_text('a,b\n1,"2\n' + "3,4\n" * 500)

    with pytest.raises(FileRejected, match="longer than 128 bytes: a quotation mark"):
        read_rows(path, ["a", "b"], Reading())


def test_a_file_whose_rows_all_miss_the_header_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_files, "MAX_MISFITS", 10)
    path.write_text("a,b\n" + "1\n" * 11)

    with pytest.raises(FileRejected, match="More than 10 rows in a row have more or fewer cells than the header"):
        read_rows(path, ["a", "b"], Reading())


def test_a_header_alone_holds_no_rows(path: Path) -> None:
    for content in ("a,b", "a,b\n"):
        path.write_text(content)

        assert read_rows(path) == []
        assert read_errors(path) == []


def test_parquet_columns_keep_their_types(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_files, "ROWS", 2)
    frame = pd.DataFrame(
        {
            "date": [dt.date(2026, 1, day) for day in (1, 2, 3)],
            " spend ": [1.5, None, 2.0],
            "channel": pd.Categorical(["TV", None, "TV"]),
            "clicks": [1, 2, 3],
        }
    )
    frame.to_parquet(path)

    assert header_of(path) == ["date", "spend", "channel", "clicks"]
    assert read_rows(path, ["channel", "spend", "date"]) == [
        (2, ["TV", 1.5, dt.date(2026, 1, 1)]),
        (3, [None, None, dt.date(2026, 1, 2)]),
        (4, ["TV", 2.0, dt.date(2026, 1, 3)]),
    ]


def test_parquet_text_stored_as_bytes_is_text(path: Path) -> None:
    pq.write_table(pa.table({"channel": pa.array(["Köln".encode()])}), path)

    assert read_rows(path) == [(2, ["Köln"])]


@pytest.mark.parametrize(
    ("column", "sentence"),
    [
        (pa.array([[1, 2]]), "“a” holds values of type list"),
        (pa.array([{"b": 1}]), "“a” holds values of type struct"),
        (pa.array([dt.time(12)]), "“a” holds values of type time64"),
        (pa.array([b"\xff"]), "“a” is not UTF-8"),
    ],
)
def test_parquet_columns_that_are_not_single_values_are_refused(path: Path, column: pa.Array, sentence: str) -> None:
    pq.write_table(pa.table({"a": column}), path)

    with pytest.raises(FileRejected, match=sentence):
        read_rows(path, ["a"], Reading(format="parquet"))


def test_days_that_python_does_not_know_are_rejected_with_their_rows(path: Path) -> None:
    days = pa.array([20_500, 10**7], pa.date32())
    moments = pa.array([1_767_225_600_000_000, 2**63 - 1], pa.timestamp("us"))
    pq.write_table(pa.table({"day": days, "at": moments, "n": [1, 2]}), path)

    (chunk,) = read_chunks(path, inspect(path, file_name="").reading, columns=["n"], keep_raw=True)

    assert chunk.raw is not None
    assert chunk.raw.cells(2) == ("2026-02-16", "2026-01-01 00:00:00", "1")
    assert chunk.raw.cells(3)[0] == "29349-01-26"


def test_a_truncated_parquet_file_is_refused(path: Path) -> None:
    pq.write_table(pa.table({"a": list(range(1000))}), path)
    path.write_bytes(path.read_bytes()[:-100])

    with pytest.raises(FileRejected, match="The Parquet file is damaged"):
        header_of(path)


def test_a_parquet_file_with_damaged_pages_is_refused(path: Path) -> None:
    pq.write_table(pa.table({"a": [f"value {row}" for row in range(1000)]}), path)
    content = bytearray(path.read_bytes())
    content[4:400] = b"\xff" * 396
    path.write_bytes(content)

    with pytest.raises(FileRejected, match="The Parquet file is damaged"):
        read_rows(path, ["a"], Reading(format="parquet"))


def test_rows_of_a_parquet_file_may_be_numbered_from_one(path: Path) -> None:
    pq.write_table(pa.table({"a": ["x", "y"]}), path)

    assert read_rows(path, ["a"], Reading(format="parquet", header_row=0)) == [(1, ["x"]), (2, ["y"])]


def test_rows_above_the_header_are_passed_over_but_counted(path: Path) -> None:
    path.write_text('Report,"of\nMay"\n\na,b\n1,2\n3\n4,5\n')
    reading = Reading(header_row=3)

    assert read_header(path, reading) == ["a", "b"]
    assert read_rows(path, ["a", "b"], reading) == [(4, ["1", "2"]), (6, ["4", "5"])]
    errors = [error for chunk in read_chunks(path, reading, columns=["a"]) for error in chunk.errors]
    assert errors == [CellError(5, "", "1 cell where the header has 2")]


def test_a_column_name_may_hold_a_line_break(path: Path) -> None:
    path.write_text('"Amount\n spent",b\n1,2\n')

    assert header_of(path) == ["Amount spent", "b"]
    assert read_rows(path, ["Amount spent"]) == [(2, ["1"])]


def test_a_header_row_beyond_the_end_is_refused(path: Path) -> None:
    path.write_text("a,b\n1,2\n")

    with pytest.raises(FileRejected, match="no row 9"):
        read_header(path, Reading(header_row=9))


def test_all_cells_of_a_row_can_be_kept_as_they_are(path: Path) -> None:
    path.write_text('a,,b,a note\n1, x ,2,"so, so"\n\n3,y,4,\n')
    reading = reading_of(path)

    (chunk,) = read_chunks(path, reading, columns=["b"], keep_raw=True)

    assert chunk.raw is not None
    assert list(chunk.columns) == ["b"]
    assert [chunk.raw.cells(row) for row in chunk.rows] == [("1", " x ", "2", "so, so"), ("3", "y", "4", "")]
    assert chunk.raw.cells(99) == ()


def test_a_ragged_row_keeps_its_cells(path: Path) -> None:
    path.write_text('a,b\n1,2\n"3, ""x""",4,5\n')

    (error,) = read_errors(path, keep_raw=True)

    assert error.cells == ('3, "x"', "4", "5")


def test_an_unnamed_column_is_left_alone(path: Path) -> None:
    path.write_text(",geo,time\n0,Geo0,2026-01-25\n1,Geo1,2026-02-01\n")

    assert header_of(path) == ["", "geo", "time"]
    assert read_rows(path, ["geo"]) == [(2, ["Geo0"]), (3, ["Geo1"])]


def test_a_cut_off_gzip_file_is_refused(path: Path) -> None:
    path.write_bytes(gzip.compress(b"a,b\n" + random.Random(1).randbytes(1000).hex().encode() + b",2\n")[:-200])

    with pytest.raises(FileRejected, match="The gzip file is cut off"):
        header_of(path)


def test_a_damaged_gzip_file_is_refused(path: Path) -> None:
    content = bytearray(gzip.compress(b"a,b\n" + b"1,2\n" * 1000))
    content[20:30] = b"\xff" * 10
    path.write_bytes(content)

    with pytest.raises(FileRejected, match="The gzip file is damaged"):
        header_of(path)


def test_a_gzip_file_that_bursts_is_refused_before_it_has(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_files, "HARMLESS_BYTES", 2**16)
    path.write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * 500_000))

    with pytest.raises(FileRejected, match="unpacks to more than"):
        read_rows(path, ["a"], Reading(gzipped=True))


def test_a_gzip_file_of_ordinary_rows_may_unpack_to_many_times_its_size(path: Path) -> None:
    path.write_bytes(gzip.compress(b"a,b\n" + b"".join(b"%d,%d\n" % (n, n % 7) for n in range(200_000))))

    assert sum(len(chunk.rows) for chunk in read_chunks(path, Reading(gzipped=True), columns=["a"])) == 200_000
