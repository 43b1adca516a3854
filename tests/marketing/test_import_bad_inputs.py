"""The catalogue of bad inputs: each is refused, rejected or told of as documented, and leaves the data as they were."""

import gzip
import io
import itertools
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.apps import apps

from accounts.models import Workspace
from jobs.execution import execute
from marketing.importing import kept_files
from marketing.importing.actions import request_import
from marketing.importing.errors import FileRejected
from marketing.importing.inspection import inspect
from marketing.importing.removal import NAMES, imports_to_clear, sweep_ended_imports
from marketing.models import Channel, ChannelSpend, Dataset, DatasetVersion, Import, ImportedRow
from tests.marketing.spreadsheets import CONTENT_TYPES, encrypted, old_excel, with_parts, with_sheet, workbook

SPEND = "date,channel,spend\n"
GOOD = "2026-01-05,TV,10\n"
TOUCHES = "customer,occurred_at,channel\n"
PATHS = "path,conversions\n"
SHEET: list[list[object]] = [["date", "channel", "spend"], ["2026-01-05", "TV", 10], ["2026-01-12", "TV", 20]]
DAILY = "".join(f"2026-01-{day:02},TV,1\n" for day in range(1, 15))
WEEKLY = "".join(f"2026-{month:02}-{day:02},TV,1\n" for month in (2, 3) for day in (2, 9, 16, 23))
GAPS = [(1, 5), (1, 12), (2, 2), (2, 9), (2, 16), (2, 23), (3, 2), (3, 9)]

pytestmark = pytest.mark.usefixtures("shop", "media_root")
Bring = Callable[..., Import]


@dataclass(frozen=True, slots=True)
class Bad:
    """A bad file, or one with bad rows, and what is said of it: one of the parts between bars."""

    says: str
    content: bytes
    dataset: str

    def is_said_in(self, sentence: str) -> bool:
        return any(part in sentence for part in self.says.split("|"))


def bad(says: str, content: str | bytes | list[list[object]], dataset: str = "spend") -> Bad:
    if isinstance(content, list):
        content = workbook(content)
    return Bad(says, content.encode() if isinstance(content, str) else content, dataset)


def zipped(*names: str) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name in names:
            archive.writestr(name, SPEND + GOOD)
    return written.getvalue()


def parquet(**columns: pa.Array) -> bytes:
    written = io.BytesIO()
    pq.write_table(pa.table(columns), written)
    return written.getvalue()


def spoilt(part: str, content: bytes) -> bytes:
    """A workbook with a part replaced or added."""
    return with_parts(workbook(SHEET), {part: content})


def hide_a_sheet(book: openpyxl.Workbook) -> None:
    book.create_sheet("old").sheet_state = "hidden"


# The whole file is refused.
REFUSED = {
    "empty": bad("The file is empty", ""),
    "blank": bad("The file is empty", " \n\n \n"),
    "nothing but a byte order mark": bad("The file is empty", "\ufeff\n"),
    "header only": bad("a header but no rows", SPEND),
    "no header": bad("no header row", GOOD * 3),
    "binary named .csv": bad("binary file named .csv", b"\x7fELF\x02\x01\x01\0\0\0" + bytes(200)),
    "picture": bad("binary file", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
    "PDF": bad("This is a PDF", b"%PDF-1.7 ..."),
    "web page named .xls": bad("a web page or XML", "\n<!DOCTYPE html><table><tr><td>date</td></tr></table>"),
    "JSON": bad("This is JSON", '[\n  {"date": "2026-01-05", "channel": "TV", "spend": 5}]'),
    "UTF-16 without its mark": bad("UTF-16 without a byte order mark", (SPEND + GOOD).encode("utf-16-le")),
    "more columns than anybody names": bad("2,001 columns, and 2,000 at most", ",".join(f"c{n}" for n in range(2_001))),
    "days side by side": bad("days stand side by side", "channel,2026-01-05,2026-01-12\nTV,5,6\nRadio,1,2\n"),
    "old Excel": bad("old Excel file", old_excel()),
    "encrypted workbook": bad("encrypted. Save it without a password", encrypted()),
    "truncated workbook": bad("cut off or damaged", workbook(SHEET)[:-900]),
    "other archive": bad("a ZIP archive, but not an Excel workbook", zipped("spend.csv")),
    "archive with a path that climbs": bad("not an Excel workbook", zipped("../../../etc/cron.d/x")),
    "zip bomb": bad("more than 100 times its size", spoilt("xl/bomb.xml", b"<a>" + bytes(9**7))),
    "XML bomb": bad(
        "XML document type",
        spoilt("xl/sharedStrings.xml", b'<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;</a>'),
    ),
    "XML that reads a file": bad(
        "XML document type",
        spoilt("docProps/app.xml", b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'),
    ),
    "sheet padded to the right": bad("beyond column 2,000", with_sheet(workbook(SHEET), 'r="C3"', 'r="XFD3"')),
    "sheet padded downwards": bad(
        "more than 1,048,576 rows", with_sheet(workbook(SHEET), '<row r="3">', '<row r="5000000">')
    ),
    "merged header": bad("merged cells", workbook(SHEET, change=lambda book: book.active.merge_cells("B1:C1"))),
    "header of two rows": bad("takes two rows", "date,TV,,Radio,\n,a,b,c,d\n2026-01-01,1,2,3,4\n2026-01-08,1,2,3,4\n"),
    "macros": bad("holds macros", spoilt("xl/vbaProject.bin", b"x")),
    "macros by type": bad("holds macros", spoilt(CONTENT_TYPES, b"<Types>macroEnabled")),
    "binary workbook": bad("binary workbook", spoilt("xl/workbook.bin", b"x")),
    "OpenDocument": bad("OpenDocument", zipped("mimetype", "content.xml")),
    "several sheets": bad(
        "several sheets", workbook(SHEET, change=lambda book: book.create_sheet("Other").append(["a", "b"]))
    ),
    "NUL bytes": bad("NUL bytes|binary file", SPEND + "2026-01-05,T\0V,1\n"),
    "NUL bytes far below": bad("NUL bytes", SPEND + "2026-01-05,TV,1\n" * 1_000 + "2026-01-05,T\0V,1\n"),
    "open quotation mark": bad("never closed", SPEND + GOOD + '2026-01-12,"TV,20\n2026-01-19,TV,30\n'),
    "endless field": bad("too long", SPEND + f'2026-01-05,"{"x" * 140_000}",1\n'),
    "endless line": bad("longer than", "x" * 2_000_000),
    "mixed encodings": bad("mixes encodings", (SPEND + "2026-01-05,Köln,1\n").encode() + b"2026-01-06,K\xf6ln,1\n"),
    "no encoding at all": bad("neither UTF-8 nor Windows-1252", SPEND.encode() + b"2026-01-05,K\x81ln,1\n"),
    "undecided decimal sign": bad("Numbers are written like 1,234", SPEND + '2026-01-05,TV,"1,234"\n'),
    "contradictory decimal signs": bad("Numbers are written like", SPEND + '2026-01-05,TV,"1,5"\n2026-01-06,TV,1.5\n'),
    "undecided order of dates": bad("Days are written like 03/04/2026", SPEND + "03/04/2026,TV,1\n"),
    "duplicate headers": bad("“spend” appears more than once", "date,channel,spend,spend\n2026-01-05,TV,1,2\n"),
    "missing column": bad("No column for “spend”", "date,channel\n2026-01-05,TV\n"),
    "touches from nowhere": bad("Touchpoints need a channel", "customer,occurred_at\nann,2026-01-05\n", "touchpoints"),
    "wide table without a series": bad("Map at least one column", "date,geo\n2026-01-05,DE\n", "media_table"),
    "the same series twice": bad("the same series", "date,spend:TV,Spend:tv\n2026-01-05,1,2\n", "media_table"),
    "mixed currencies": bad("mixes currencies", SPEND + "2026-01-05,TV,€5\n2026-01-06,TV,$5\n"),
    "another currency": bad("the workspace counts in EUR", SPEND + "2026-01-05,TV,USD 5\n"),
    "another currency in a column of its own": bad(
        "“Currency” says USD, but the workspace counts in EUR",
        "customer,occurred_at,value,Currency\nann,2026-01-05,5,eur\nbob,2026-01-06,6,USD\n",
        "conversions",
    ),
    "outcomes in another currency": bad(
        "“currency_code” says USD", "date,outcome,value,currency_code\n2026-01-05,Revenue,5,USD\n", "outcomes"
    ),
    "unknown currency": bad("no currency that is known", SPEND + "2026-01-05,TV,5 XQZ\n"),
    "daily and weekly mixed": bad("daily from 2026-01-01 and weekly from", SPEND + DAILY + WEEKLY),
    "truncated gzip": bad("gzip file is cut off", gzip.compress((SPEND + DAILY).encode())[:-12]),
    "gzip of nothing": bad("The file is empty", gzip.compress(b"")),
    "gzip bomb of nothing but NUL": bad("binary file|unpacks to more", gzip.compress(bytes(80 * 2**20))),
    "gzip of a gzip": bad("The gzip file holds no text", gzip.compress(gzip.compress(SPEND.encode()))),
    "gzip of a workbook": bad("The gzip file holds no text", gzip.compress(workbook(SHEET))),
    "damaged Parquet": bad("The Parquet file is damaged", b"PAR1" + bytes(100)),
    "lists in Parquet": bad(
        "values of type list",
        parquet(date=pa.array(["2026-01-05"]), channel=pa.array(["TV"]), spend=pa.array([[1.0]])),
    ),
    "too many new channels": bad("new channels", SPEND + "".join(f"2026-01-05,Channel {n},1\n" for n in range(501))),
}

# One row is rejected; the good rows beside it are imported.
REJECTED = {
    "ragged row, short": bad("2 cells where the header has 3", SPEND + "2026-01-06,TV\n"),
    "ragged row, long": bad("4 cells where the header has 3", SPEND + "2026-01-06,TV,1,2\n" + GOOD),
    "NaN": bad("not a number", SPEND + "2026-01-06,TV,NaN\n"),
    "infinity": bad("not a number", SPEND + "2026-01-06,TV,inf\n"),
    "N/A": bad("missing: the cell says that there is none", SPEND + "2026-01-06,TV,N/A\n"),
    "nothing": bad("missing", SPEND + "2026-01-06,TV,\n"),
    "no channel": bad("missing", SPEND + "2026-01-06, ,5\n"),
    "1e400": bad("not a number", SPEND + "2026-01-06,TV,1e400\n"),
    "a trillion": bad("too large for an amount", SPEND + "2026-01-06,TV,1000000000000\n"),
    "negative spend": bad("take credits and refunds off", SPEND + "2026-01-06,TV,-1\n"),
    "amount in brackets": bad("write a minus sign", SPEND + "2026-01-06,TV,(12.50)\n"),
    "negative clicks": bad("negative", "date,channel,spend,clicks\n2026-01-05,TV,10,1\n2026-01-06,TV,1,-1\n"),
    "negative conversion": bad(
        "take credits and refunds off",
        "customer,occurred_at,goal,value\nann,2026-01-05,Purchase,10\nbob,2026-01-06,Purchase,-10\n",
        "conversions",
    ),
    "underscores": bad("not a number", SPEND + "2026-01-06,TV,1_000\n"),
    "other digits": bad("not a number", SPEND + "2026-01-06,TV,١٢٣\n"),
    "fullwidth digits": bad("not a number", SPEND + "2026-01-06,TV,\uff11\uff12\n"),
    "nineteen digits": bad("not a number", SPEND + f"2026-01-06,TV,{'9' * 19}\n"),
    "malformed groups": bad("not a number", SPEND + '2026-01-06,TV,"1,23,4"\n2026-01-07,TV,1.5\n'),
    "percentage": bad("is a percentage", SPEND + "2026-01-06,TV,5%\n"),
    "words": bad("not a number", SPEND + "2026-01-06,TV,about five\n"),
    "30 February": bad("not a day", SPEND + "2026-02-30,TV,1\n"),
    "day that contradicts the others": bad("not a day", SPEND + "13/04/2026,TV,1\n01/05/2026,TV,1\n31/06/2026,TV,1\n"),
    "serial number of a day": bad("a spreadsheet's number for a day", SPEND + "46000,TV,1\n"),
    "year of two digits": bad("a year of two digits", SPEND + "05.01.26,TV,1\n"),
    "day ahead": bad("later than today", SPEND + "2999-01-01,TV,1\n"),
    "year 9999": bad("later than today", SPEND + "9999-12-31,TV,1\n"),
    "year 1999": bad("before the year 2000", SPEND + "1999-12-31,TV,1\n"),
    "time of day": bad("not a day", SPEND + "2026-01-06 12:00,TV,1\n"),
    "touch ahead": bad("later than now", TOUCHES + "ann,2026-01-05,TV\nbob,2999-01-01,TV\n", "touchpoints"),
    "25 o'clock": bad("not a time", TOUCHES + "ann,2026-01-05,TV\nbob,2026-01-06T25:00Z,TV\n", "touchpoints"),
    "nobody": bad("missing", TOUCHES + "ann,2026-01-05,TV\n,2026-01-06,TV\n", "touchpoints"),
    "customer that is a word for nothing": bad(
        "missing: the cell says that there is none", TOUCHES + "ann,2026-01-05,TV\nNULL,2026-01-06,TV\n", "touchpoints"
    ),
    "customer's number rounded by a spreadsheet": bad(
        "format the column as text", TOUCHES + "ann,2026-01-05,TV\n1.23457E+16,2026-01-06,TV\n", "touchpoints"
    ),
    "order's number rounded by a spreadsheet": bad(
        "format the column as text",
        "customer,occurred_at,order_id\nann,2026-01-05,A-1\nbob,2026-01-06,4.5E+15\n",
        "conversions",
    ),
    "from nowhere": bad("neither a channel nor", TOUCHES + "ann,2026-01-05,TV\nbob,2026-01-06,\n", "touchpoints"),
    "unknown interaction": bad(
        "not one of",
        "customer,occurred_at,channel,interaction\nann,2026-01-05,TV,click\nbob,2026-01-06,TV,poke\n",
        "touchpoints",
    ),
    "maybe": bad(
        "neither true nor false",
        "customer,occurred_at,goal,converted\nann,2026-01-05,Purchase,yes\nbob,2026-01-06,Purchase,maybe\n",
        "conversions",
    ),
    "same day twice": bad("the same date, channel as row 2", SPEND + GOOD + "2026-01-05,tv,11\n"),
    "long name": bad("longer than 100 characters", SPEND + f"2026-01-06,{'x' * 101},1\n"),
    "error of a spreadsheet as a name": bad("shows the error #REF!", SPEND + "2026-01-06,#REF!,1\n"),
    "experiment that ends before it starts": bad(
        "ends before it starts",
        "channel,start,end,lift,standard_error,spend\nTV,2026-01-01,2026-01-09,1,1,1\nTV,2026-02-09,2026-02-01,1,1,1\n",
        "experiments",
    ),
    "experiment without an error": bad(
        "not above zero",
        "channel,start,end,lift,standard_error,spend\nTV,2026-01-01,2026-01-09,1,1,1\nTV,2026-02-01,2026-02-09,1,0,1\n",
        "experiments",
    ),
    "path with an empty step": bad("step 2 is empty", PATHS + "TV > Email,1\nTV >  > Email,1\n", "paths"),
    "path whose channel is not known": bad("write Unassigned", PATHS + "TV,1\nTV > (not set),1\n", "paths"),
    "path without an end": bad("a path has 1,000 at most", PATHS + f"TV,1\n{'TV > ' * 1_000}TV,1\n", "paths"),
    "path that nobody took": bad("the path was never taken", PATHS + "TV,1\nEmail,0\n", "paths"),
    "negative conversions": bad("negative", PATHS + "TV,1\nEmail,-1\n", "paths"),
    "conversions that are no number": bad("is not a number", PATHS + "TV,1\nEmail,NaN\n", "paths"),
    "formula without a value": bad("a formula without a computed value", [*SHEET[:2], ["2026-01-06", "TV", "=1+1"]]),
    "error in a workbook": bad("shows the error #N/A", [*SHEET[:2], ["2026-01-06", "#N/A", 1]]),
    "infinity in Parquet": bad(
        "not a finite number",
        parquet(
            date=pa.array(["2026-01-05", "2026-01-06"]),
            channel=pa.array(["TV", "TV"]),
            spend=pa.array([10, float("inf")]),
        ),
    ),
    "NUL in Parquet": bad(
        "holds a NUL character",
        parquet(
            date=pa.array(["2026-01-05", "2026-01-06"]), channel=pa.array(["TV", "T\0V"]), spend=pa.array([1.0, 2.0])
        ),
    ),
}

# The rows are imported, with a warning: of what was seen in the file, or in its rows.
WARNED = {
    "Windows-1252": bad("It is read as Windows-1252", (SPEND + "2026-01-05,Café,10\n").encode("cp1252")),
    "hidden sheet": bad("Hidden sheets are left out: old.", workbook(SHEET, change=hide_a_sheet)),
    "blanks around column names": bad("Needless blanks in the column names “date”", " date ,channel,spend\n" + GOOD),
    "no UTC offset": bad(
        "1 time in “occurred_at” has no UTC offset, and is taken for one in Europe/Berlin (row 2).",
        TOUCHES + "ann,2026-01-05 10:00,TV\n",
        "touchpoints",
    ),
    "hour that is repeated": bad(
        "the hour that daylight saving repeats", TOUCHES + "ann,2025-10-26 02:30,TV\n", "touchpoints"
    ),
    "hour that is skipped": bad(
        "the hour that daylight saving skips", TOUCHES + "ann,2026-03-29 02:30,TV\n", "touchpoints"
    ),
    "spend without impressions": bad(
        "1 row has spend in “spend”, but no impressions (row 2).",
        "date,channel,spend,impressions\n2026-01-05,TV,10,0\n2026-01-06,TV,0,0\n",
    ),
    "spend without impressions in a wide table": bad(
        "1 row has spend in “spend:TV”, but no impressions (row 3).",
        "date,spend:TV,impressions:TV,spend:Radio\n2026-01-05,10,9,1\n2026-01-12,10,0,1\n",
        "media_table",
    ),
    "path on two rows": bad(
        "1 row has a path in “path” that an earlier row of the file has: their counts are added up (row 3).",
        PATHS + "TV > Email,1\ntv>email,2\n",
        "paths",
    ),
    "value without conversions": bad(
        "1 row has a value in “value”, but no conversions (row 2).",
        "path,conversions,value,null\nTV,0,5,1\n",
        "paths",
    ),
    "other sign between channels": bad("The steps in “path” are parted by “|”.", PATHS + "TV | Email,1\n", "paths"),
    "missing weeks": bad(
        "2 of 10 weeks have no rows, the first from 2026-01-19. With more than 10%",
        SPEND + "".join(f"2026-{month:02}-{day:02},TV,1\n" for month, day in GAPS),
    ),
    "words for nothing": bad(
        "2 cells in “clicks” say that there is no number, and count as blank (first: row 2).",
        "date,channel,spend,clicks\n2026-01-05,TV,10,n/a\n2026-01-06,TV,10,-\n",
    ),
}

# What looks bad and is not: the one row is imported without a word.
ACCEPTED = {
    "channel that is a formula": bad("", SPEND + "2026-01-05,=cmd|' /C calc'!A0,10\n"),
    "channel that is a script": bad("", SPEND + "2026-01-05,<script>alert(1)</script>,10\n"),
    "byte order mark": bad("", "\ufeff" + SPEND + GOOD),
    "UTF-16": bad("", (SPEND + GOOD).encode("utf-16")),
    "CRLF": bad("", (SPEND + GOOD).replace("\n", "\r\n")),
    "CR": bad("", (SPEND + GOOD).replace("\n", "\r")),
    "semicolons and decimal commas": bad("", "date;channel;spend\n05.01.2026;TV;1.234,56\n"),
    "gzip": bad("", gzip.compress((SPEND + GOOD).encode())),
    "amounts in the workspace's currency": bad("", SPEND + '2026-01-05,TV,"€1,234.50"\n'),
    "preamble": bad("", "Cost report\nMay\n\n" + SPEND + GOOD),
    "tabs": bad("", (SPEND + GOOD).replace(",", "\t")),
    "another case in the header": bad("", b"Date,CHANNEL,Spend\n2026-01-05,TV,10\n"),
}
BESIDE_NOTHING = {
    name: case
    for name, case in REJECTED.items()
    if case.content.startswith(SPEND.encode()) and case.content.count(b"\n") == SPEND.count("\n") + 1
}


@pytest.fixture
def bring(shop: Workspace, tmp_path: Path) -> Bring:
    """Import a file into the shop, clear up after it, and return the import as it ended."""
    shop.timezone = "Europe/Berlin"
    shop.currency = "EUR"
    shop.save(update_fields=["timezone", "currency"])
    numbers = itertools.count()

    def bring_in(case: Bad, content: bytes | None = None) -> Import:
        path = tmp_path / f"..{next(numbers)}.csv"
        path.write_bytes(case.content if content is None else content)
        batch = request_import(
            workspace=shop,
            dataset=Dataset(case.dataset),
            file=path,
            mapping={},
            by=None,
            origin=Import.Origin.CLI,
            ring=False,
        )
        execute(job_id=batch.job_id)
        while imports_to_clear().exists():
            sweep_ended_imports()
        return Import.objects.select_related("job").get(pk=batch.pk)

    return bring_in


def data() -> dict[str, list[object]]:
    """Every row of the data, and the versions of the datasets."""
    kinds = [model for model in apps.get_app_config("marketing").get_models() if issubclass(model, ImportedRow)]
    rows: dict[str, list[object]] = {
        model.__name__: list(model._default_manager.order_by("pk").values()) for model in kinds
    }
    versions = DatasetVersion.objects.exclude(digest="0" * 32).order_by("pk")
    return rows | {"versions": list(versions.values_list("dataset", "digest"))}


def names() -> dict[str, int]:
    return {model.__name__: model._default_manager.count() for model in NAMES}


def test_the_catalogue_is_long_enough() -> None:
    assert len(REFUSED) + len(REJECTED) + len(WARNED) >= 60


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_the_file_is_refused_and_nothing_changes(bring: Bring, case: Bad) -> None:
    bring(bad("", SPEND + GOOD))
    before = data()

    try:
        batch = bring(case)
    except FileRejected as error:
        said = str(error)
    else:
        assert batch.status == Import.Status.FAILED
        said = batch.job.error

    assert case.is_said_in(said), said
    assert said.endswith((".", "?"))
    assert data() == before


@pytest.mark.parametrize("case", REJECTED.values(), ids=REJECTED)
def test_the_row_is_rejected_with_its_reason(bring: Bring, case: Bad) -> None:
    batch = bring(case)

    (error,) = batch.errors
    assert batch.rejected == 1
    assert case.is_said_in(error["reason"]), error
    assert error["row"] >= 2


@pytest.mark.parametrize("case", BESIDE_NOTHING.values(), ids=BESIDE_NOTHING)
def test_a_file_of_such_a_row_alone_changes_nothing(bring: Bring, case: Bad) -> None:
    bring(bad("", SPEND + GOOD))
    before, names_before = data(), names()

    batch = bring(case)

    assert (batch.status, batch.job.error_code) == (Import.Status.FAILED, "no_valid_rows")
    assert case.is_said_in(batch.job.error), batch.job.error
    assert (data(), names()) == (before, names_before)


@pytest.mark.parametrize("case", BESIDE_NOTHING.values(), ids=BESIDE_NOTHING)
def test_a_good_row_beside_it_is_imported(bring: Bring, case: Bad) -> None:
    batch = bring(case, case.content + GOOD.encode())

    assert (batch.status, batch.accepted, batch.rejected) == (Import.Status.ACTIVE, 1, 1)
    assert [row.spend for row in ChannelSpend.objects.filter(batch=batch)] == [10]


@pytest.mark.parametrize("case", WARNED.values(), ids=WARNED)
def test_the_rows_are_imported_with_a_warning(bring: Bring, case: Bad) -> None:
    batch = bring(case)
    seen_before = inspect(kept_files.path_of(batch.stored_file), file_name="rows.csv").warnings

    assert (batch.status, batch.rejected) == (Import.Status.ACTIVE, 0)
    warnings = [*seen_before, *batch.warnings]
    assert any(case.is_said_in(warning) for warning in warnings), warnings


@pytest.mark.parametrize("case", ACCEPTED.values(), ids=ACCEPTED)
def test_what_only_looks_bad_is_imported(bring: Bring, case: Bad) -> None:
    batch = bring(case)

    assert (batch.status, batch.accepted, batch.rejected, batch.warnings) == (Import.Status.ACTIVE, 1, 0, [])


def test_a_name_that_is_a_formula_stays_as_it_is(bring: Bring, shop: Workspace) -> None:
    bring(ACCEPTED["channel that is a formula"])

    assert Channel.objects.filter(workspace=shop, name="=cmd|' /C calc'!A0").exists()
