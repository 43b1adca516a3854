"""Whatever the cells hold, every row is either accepted or rejected with a reason, and nothing breaks."""

import csv
import datetime as dt
import zoneinfo
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketing.importing.cells import Clock
from marketing.importing.checking import Checker
from marketing.importing.fields import FIELDS
from marketing.models import Import

CLOCK = Clock(zone=zoneinfo.ZoneInfo("America/New_York"), now=dt.datetime(2026, 6, 1, tzinfo=dt.UTC))
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
} | dict.fromkeys(["spend", "impressions", "clicks", *COLUMNS["media_table"][2:]], AMOUNT)


def rows_of(dataset: str) -> st.SearchStrategy[list[list[str]]]:
    """Rows of which most cells are such that they could be accepted."""
    cells = [st.one_of(*[LIKELY.get(column, NAME)] * 4, CELL) for column in COLUMNS[dataset]]
    return st.lists(st.tuples(*cells).map(list), max_size=8)


def write_csv(path: Path, header: list[str], rows: list[list[str]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


@pytest.mark.parametrize("dataset", COLUMNS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_every_row_is_accepted_or_rejected(tmp_path: Path, dataset: str, data: st.DataObject) -> None:
    rows = data.draw(rows_of(dataset))
    path = tmp_path / "fuzz.csv"
    write_csv(path, COLUMNS[dataset], rows)

    chunks = list(Checker(path=path, dataset=dataset, mapping={}, clock=CLOCK))

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

    batch = import_rows(dataset, (tmp_path / "fuzz.csv").read_bytes().decode())

    assert batch.status == Import.Status.ACTIVE or batch.job.error_code == "no_valid_rows"
