"""Whatever a file holds, it is refused with a sentence, or every row is accepted or rejected with a reason."""

import csv
import datetime as dt
import gzip
import io
import zoneinfo
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketing.importing.cells import Clock
from marketing.importing.checking import Checker
from marketing.importing.errors import FileRejected
from marketing.importing.fields import FIELDS
from marketing.importing.inspection import inspect
from marketing.importing.reading import Reading
from marketing.importing.rejects import RejectsWriter
from marketing.models import Import
from tests.marketing.spreadsheets import with_parts, workbook

CLOCK = Clock(zone=zoneinfo.ZoneInfo("America/New_York"), now=dt.datetime(2026, 6, 1, tzinfo=dt.UTC))
EUROS = replace(CLOCK, currency="EUR")
COLUMNS = {dataset: [field.name for field in fields] for dataset, fields in FIELDS.items()}
COLUMNS["media_table"] += ["spend:TV", "impressions:TV", "clicks:Radio", "outcome:Sales", "control:Price"]

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
CELL = (
    TEXT
    | st.sampled_from(["", "  ", "1", "-1", "1e99", "nan", "TV", "tv", "click", "true", "2026-01-31", "2026-02-30"])
    | st.sampled_from(["2026-03-08 02:30", "2025-11-02 01:30", "1767225600", "99999999999.99999", "x" * 300, "İ", "ß"])
    | st.datetimes(dt.datetime.fromisoformat("1990-01-01"), dt.datetime.fromisoformat("2100-01-01")).map(str)
    | st.floats().map(str)
)
NAME = TEXT | st.sampled_from(["TV", "tv", "Tv ", "É", "é", "İ", "i̇", "ẞ", "ß", "ΟΔΟΣ", "οδος", "'; --", "%s", "{}"])
DAY = st.dates(dt.date(2026, 1, 1), dt.date(2026, 1, 5)).map(str)
AMOUNT = st.floats(0, 1e10).map(str)
LIKELY = {
    "date": DAY,
    "start": DAY,
    "end": DAY,
    "occurred_at": DAY,
    "interaction": st.sampled_from(["", "click"]),
    "converted": st.sampled_from(["", "no"]),
    "value": AMOUNT,
    "standard_error": AMOUNT,
    "lift": AMOUNT,
    "conversions": AMOUNT,
    "null": AMOUNT,
    "path": st.lists(NAME, min_size=1, max_size=4).map(" > ".join),
} | dict.fromkeys(["spend", "impressions", "clicks", *COLUMNS["media_table"][2:]], AMOUNT)


def rows_of(dataset: str) -> st.SearchStrategy[list[list[str]]]:
    """Rows of which most cells are such that they could be accepted."""
    cells = [st.one_of(*[LIKELY.get(column, NAME)] * 4, CELL) for column in COLUMNS[dataset]]
    return st.lists(st.tuples(*cells).map(list), max_size=8)


@contextmanager
def refusals_are_sentences() -> Iterator[None]:
    """Let FileRejected pass, and nothing else."""
    try:
        yield
    except FileRejected as refusal:
        said = str(refusal)
    else:
        return
    assert said.endswith((".", "?")), said


def write_csv(path: Path, header: list[str], rows: list[list[str]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


@pytest.mark.parametrize("dataset", COLUMNS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(data=st.data())
def test_every_row_is_accepted_or_rejected(tmp_path: Path, dataset: str, data: st.DataObject) -> None:
    rows = data.draw(rows_of(dataset))
    path = tmp_path / "fuzz.csv"
    write_csv(path, COLUMNS[dataset], rows)

    chunks = list(Checker(path=path, dataset=dataset, mapping={}, clock=CLOCK, reading=Reading()))

    filled = [number for number, row in enumerate(rows, start=2) if any(row)]
    rejected = [error.row for chunk in chunks for error in chunk.errors]
    assert sum(chunk.count for chunk in chunks) + len(rejected) == len(filled)
    assert set(rejected) <= set(filled)


@pytest.mark.parametrize("dataset", COLUMNS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=15)
@given(data=st.data())
def test_every_file_of_such_rows_is_imported_or_refused_with_a_sentence(
    import_rows: Callable[..., Import], tmp_path: Path, dataset: str, data: st.DataObject
) -> None:
    write_csv(tmp_path / "fuzz.csv", COLUMNS[dataset], data.draw(rows_of(dataset)))

    with refusals_are_sentences():
        batch = import_rows(dataset, (tmp_path / "fuzz.csv").read_bytes().decode())
        assert batch.status == Import.Status.ACTIVE or batch.job.error_code in ("no_valid_rows", "file_rejected")


def spend_rows(count: int) -> list[list[Any]]:
    days = (str(dt.date(2025, 1, 1) + dt.timedelta(days=n)) for n in range(count))
    return [["date", "channel", "spend", "note"], *([day, "Köln", 1234.5, 'a "b", c'] for day in days)]


def as_text(delimiter: str) -> str:
    written = io.StringIO()
    csv.writer(written, delimiter=delimiter).writerows(spend_rows(30))
    return written.getvalue()


def as_parquet() -> bytes:
    header, *rows = spend_rows(30)
    written = io.BytesIO()
    pq.write_table(pa.table(dict(zip(header, map(list, zip(*rows, strict=True)), strict=True))), written)
    return written.getvalue()


SOUND = {
    "csv": as_text(",").encode(),
    "utf-16": as_text("\t").encode("utf-16"),
    "cp1252": as_text(";").encode("cp1252"),
    "gzip": gzip.compress(as_text(",").encode()),
    "parquet": as_parquet(),
    "xlsx": workbook(spend_rows(30)),
}
LIKELY_BYTES = st.sampled_from([b"\0", b"\xff", b'"', b"\r", b"\n", b",", b";", b"\xc3", b"\x1e", b"<!DOCTYPE", b"&a;"])
MUTATIONS = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 40), LIKELY_BYTES | st.binary(max_size=12)), min_size=1, max_size=6
)


def mutated(content: bytes, changes: list[tuple[float, int, bytes]]) -> bytes:
    """The content with some bytes, at a place from 0 (start) to 1 (end), replaced by others."""
    for place, length, replacement in changes:
        at = int(place * len(content))
        content = content[:at] + replacement + content[at + length :]
    return content


def look_and_check(path: Path) -> None:
    """Do all that is done with a file before an import; only FileRejected may be raised."""
    with refusals_are_sentences():
        reading = inspect(path, file_name="fuzz").reading
        checker = Checker(path=path, dataset="spend", mapping={}, clock=EUROS, reading=reading, keep_raw=True)
        with RejectsWriter(path.with_name("rejects"), checker.header) as rejects:
            for rows in checker:
                rejects.write(rows.errors)


@pytest.mark.parametrize("content", SOUND.values(), ids=SOUND)
def test_the_files_that_are_to_be_damaged_are_sound(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "fuzz").write_bytes(content)

    reading = inspect(tmp_path / "fuzz", file_name="fuzz").reading
    checker = Checker(path=tmp_path / "fuzz", dataset="spend", mapping={}, clock=EUROS, reading=reading)

    assert sum(rows.count for rows in checker) == 30


@pytest.mark.parametrize("content", SOUND.values(), ids=SOUND)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(changes=MUTATIONS)
def test_a_damaged_file_is_read_or_refused_with_a_sentence(
    tmp_path: Path, content: bytes, changes: list[tuple[float, int, bytes]]
) -> None:
    (tmp_path / "fuzz").write_bytes(mutated(content, changes))

    look_and_check(tmp_path / "fuzz")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(changes=MUTATIONS, part=st.sampled_from(["xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml"]))
def test_a_workbook_whose_parts_are_damaged_is_read_or_refused_with_a_sentence(
    tmp_path: Path, changes: list[tuple[float, int, bytes]], part: str
) -> None:
    damaged = with_parts(SOUND["xlsx"], {part: lambda xml: mutated(xml, changes)})
    (tmp_path / "fuzz").write_bytes(damaged)

    look_and_check(tmp_path / "fuzz")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    content=st.binary(max_size=300)
    | st.builds(bytes.__add__, st.sampled_from([b"PAR1", b"PK\x03\x04", b"\x1f\x8b\x08", b"\xff\xfe"]), st.binary())
    | st.text(st.sampled_from('a1,;|\t"\n\r. -/€'), max_size=80).map(str.encode)
)
def test_any_bytes_are_read_or_refused_with_a_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "fuzz").write_bytes(content)

    look_and_check(tmp_path / "fuzz")
