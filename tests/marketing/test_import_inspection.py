"""A file tells how it is read; what it cannot tell is asked, and never guessed."""

import gzip
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from marketing.importing import inspection, sniffing
from marketing.importing.errors import FileRejected
from marketing.importing.inspection import READ_AS_CP1252, Inspection, inspect
from marketing.importing.reading import Reading

MMM = Path(__file__).resolve().parents[2].parent / "shared" / "reference" / "mmm"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data"


def look(path: Path, content: str | bytes, **chosen: Any) -> Inspection:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return inspect(path, file_name="data.csv", chosen=chosen)


def asked(found: Inspection) -> list[str]:
    return [question.field for question in found.questions]


@pytest.mark.parametrize(
    ("content", "delimiter"),
    [
        ("date,channel,spend\n2026-01-01,TV,5\n", ","),
        ('"Cost, EUR",Day\n5,2026-01-01\n6,2026-01-02\n', ","),
        ('Day;"Cost; all"\n2026-01-01;5,5\n2026-01-02;6,5\n', ";"),
        ("Datum;Kosten, EUR\n2026-01-01;1,50\n2026-01-02;3,50\n", ";"),
        ("x1;x2\n1,5;2,5\n3,5;4,5\n", ";"),
        ("Day\tNote\n2026-01-01\ta, b, c\n2026-01-02\td, e, f\n", "\t"),
        ("day|note\n2026-01-01|a, b; c\n", "|"),
        ('date,note\n2026-01-01,"a;b;c;d"\n2026-01-02,"e;f;g;h"\n', ","),
        ("customer\nann\nbob\n", ","),
        ("a;b\n", ";"),
        ("Report\nof May, 2026\n\nDay;Cost;Clicks\n2026-05-01;1,5;2\n2026-05-02;1,7;3\n", ";"),
    ],
)
def test_the_separator_is_what_cuts_rows_like_the_header(path: Path, content: str, delimiter: str) -> None:
    assert look(path, content).reading.delimiter == delimiter


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("utf-16", "utf-16"), ("cp1252", "cp1252")],
)
def test_the_encoding_is_told_by_the_bytes(path: Path, encoding: str, expected: str) -> None:
    found = look(path, "stadt,wert\nKöln,1\n".encode(encoding))

    assert found.reading.encoding == expected
    assert found.sample == [["Köln", "1"]]
    assert found.warnings == ([READ_AS_CP1252] if encoding == "cp1252" else [])


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for the encoding in small blocks, so that a small file has several."""
    monkeypatch.setattr(sniffing, "READ_AT_ONCE", 2**12)


@pytest.mark.usefixtures("small_blocks")
def test_a_letter_far_below_tells_the_encoding(path: Path) -> None:
    rows = b"a,b\n" + b"1,2\n" * (inspection.SNIFFED_ROWS + 1_000)

    assert look(path, rows + b"caf\xe9,1\n").reading.encoding == "cp1252"
    assert look(path, gzip.compress(rows + b"caf\xe9,1\n")).reading == Reading(encoding="cp1252", gzipped=True)
    assert look(path, rows + "café,1\n".encode()).reading.encoding == "utf-8"


@pytest.mark.usefixtures("small_blocks")
def test_letters_that_blocks_cut_in_two_are_no_other_encoding(path: Path) -> None:
    for shift in range(3):
        assert look(path, b"a,b\n" + b"x" * shift + ("ä" * 99 + ",€\n").encode() * 100).reading.encoding == "utf-8"


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize(("before", "after"), [("utf-8", "cp1252"), ("cp1252", "utf-8")])
def test_a_mixture_of_encodings_is_refused_with_the_place(path: Path, before: str, after: str) -> None:
    content = "ort,wert\nKöln,1\n".encode(before) + b"x,2\n" * 3_000 + "Zürich,3\n".encode(after)
    wrong = content.index("ö".encode("cp1252")) if before == "cp1252" else content.index(b"\xfcrich")

    with pytest.raises(FileRejected, match=f"mixes encodings: .* not at byte {wrong + 1:,}"):
        look(path, content)


def test_an_encoding_chosen_by_hand_is_taken(path: Path) -> None:
    found = look(path, "miasto,x\nŁódź,1\n".encode("cp1250"), encoding="cp1250")

    assert found.sample == [["Łódź", "1"]]
    assert found.warnings == []


@pytest.mark.parametrize(
    ("values", "decimal"),
    [
        (["1.5", "2"], "."),
        (["1,5", "2"], ","),
        (["1.234,56"], ","),
        (["1,234.56"], "."),
        (["1.234", "5,5"], ","),
        (["1,234", "5.5"], "."),
        (["1,234,567"], "."),
        (["1.234.567"], ","),
        (["0,125"], ","),
        (["0.125"], "."),
        (["€ 1.234,50"], ","),
        (["1.234,50 kr", "12 kr"], ","),
        (["1.234,50 zł"], ","),
        (["1234567890.1700000000", "5,50"], ","),  # a client id of Google Analytics
        (["12", "13"], "."),
    ],
)
def test_the_decimal_sign_is_told_by_numbers_with_one_reading(path: Path, values: list[str], decimal: str) -> None:
    found = look(path, "day;cost\n" + "".join(f"2026-01-01;{value}\n" for value in values))

    assert (found.reading.decimal, asked(found)) == (decimal, [])


@pytest.mark.parametrize("values", [["1,234"], ["1.234"], ["12,345", "7"], ["1.5", "1,5"]])
def test_a_decimal_sign_that_nothing_tells_is_asked_for(path: Path, values: list[str]) -> None:
    content = "day;cost\n" + "".join(f"2026-01-01;{value}\n" for value in values)

    (question,) = look(path, content).questions
    assert question.field == "decimal"
    assert asked(look(path, content.replace(";", "\t"))) == ["decimal"]
    assert [value for value, _ in question.options] == [".", ","]
    assert asked(look(path, content, decimal=",")) == []


def test_where_commas_part_the_cells_a_point_is_the_decimal_sign(path: Path) -> None:
    assert asked(look(path, "day,ctr\n2026-01-01,1.234\n")) == []
    assert asked(look(path, 'day,cost\n2026-01-01,"1,234"\n')) == ["decimal"]


def test_days_and_words_tell_nothing_of_decimals(path: Path) -> None:
    found = look(path, "day;note;n\n01.02.2026;see 1,5;3\n02.02.2026;1,5 and 2.5 units;4\n")

    assert (found.reading.decimal, asked(found)) == (".", [])


@pytest.mark.parametrize(
    ("days", "order"),
    [
        (["2026-03-04"], "ymd"),
        (["03/04/2026", "13/04/2026"], "dmy"),
        (["03/04/2026", "04/13/2026"], "mdy"),
        (["03.04.2026"], "dmy"),
        (["3-4-2026 10:00", "31-4-2026 10:00"], "dmy"),
        (["20260304"], "ymd"),
    ],
)
def test_the_order_of_day_and_month_is_told_by_a_number_above_twelve(path: Path, days: list[str], order: str) -> None:
    found = look(path, "day,cost\n" + "".join(f"{day},1\n" for day in days))

    assert (found.reading.date_order, asked(found)) == (order, [])


@pytest.mark.parametrize("days", [["03/04/2026"], ["03/04/2026"] * 20, ["13/04/2026", "04/13/2026"]])
def test_an_order_that_nothing_tells_is_asked_for(path: Path, days: list[str]) -> None:
    content = "day,cost\n" + "".join(f"{day},1\n" for day in days)

    (question,) = look(path, content).questions
    assert question.field == "date_order"
    assert [value for value, _ in question.options] == ["dmy", "mdy"]
    answered = look(path, content, date_order="mdy")
    assert (answered.reading.date_order, asked(answered)) == ("mdy", [])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_a_day_far_below_tells_the_order(path: Path, encoding: str) -> None:
    rows = [f"{day:02}/01/2026;Köln;1,5\n" for day in range(1, 29) for _ in range(500)]

    found = look(path, ("day;town;cost\n" + "".join(rows)).encode(encoding))

    assert (found.reading.date_order, asked(found)) == ("dmy", [])


@pytest.mark.parametrize(
    ("content", "header_row", "preamble"),
    [
        ("a,b\n1,2\n", 1, []),
        ("Report\na,b,c\n1,2,3\n", 2, [["Report"]]),
        ("Campaign report\n\n\na,b,c\n1,2,3\n", 4, [["Campaign report"], [], []]),
        ("Report,,\n,,\na,b,c\n1,2,3\n", 3, [["Report", "", ""], ["", "", ""]]),
        ("From,2026-01-01\nTo,2026-01-31\na,b,c,d\n1,2,3,4\n", 3, [["From", "2026-01-01"], ["To", "2026-01-31"]]),
        (
            "Client,ACME,\nPeriod,May 2026,\n,,\na,b,c\n2026-01-05,TV,1\n",
            4,
            [["Client", "ACME", ""], ["Period", "May 2026", ""], ["", "", ""]],
        ),
        ("Client,ACME,,,\na,b,c,d,e\n2026-01-05,TV,1,2,x\n", 2, [["Client", "ACME", "", "", ""]]),
        ("name,,start\nSale,x,2026-01-05\nEaster,y,2026-04-05\n", 1, []),
        ("name,,note\nann,x,hello\nbob,y,bye\n", 1, []),
        ("# x\n# y\n#\n\nday,sessions,revenue\n20260101,1,2.5\n", 5, [["# x"], ["# y"], ["#"], []]),
        ("a,b,c\n1,2,3,\n4,5,6,\n", 1, []),
        (",geo,time\n0,Geo0,2026-01-01\n", 1, []),
        ("2024,2025,Total\n1,2,3\n", None, []),
    ],
)
def test_the_header_is_the_first_full_row_of_words(
    path: Path, content: str, header_row: int | None, preamble: list[list[str]]
) -> None:
    if header_row is None:
        with pytest.raises(FileRejected, match="no header row"):
            look(path, content)
    else:
        found = look(path, content)
        assert (found.reading.header_row, found.preamble) == (header_row, preamble)


def test_a_header_row_chosen_by_hand_is_taken(path: Path) -> None:
    found = look(path, "2024,2025,Total\n1,2,3\n", header_row=1)

    assert found.header == ["2024", "2025", "Total"]
    with pytest.raises(FileRejected, match="no row 7"):
        look(path, "a,b\n1,2\n", header_row=7)


@pytest.mark.parametrize(
    "content",
    [
        "TV,,Radio,\nspend,clicks,spend,clicks\n1,2,3,4\n",
        ",TV,,Radio,\nday,tv spend,tv clicks,radio spend,radio clicks\n2026-01-01,1,2,3,4\n2026-01-02,1,2,3,4\n",
        "day,TV,,Radio,\n,spend,clicks,cost,taps\n2026-01-01,1,2,3,4\n2026-01-02,1,2,3,4\n",
    ],
)
def test_a_header_of_two_rows_is_refused(path: Path, content: str) -> None:
    with pytest.raises(FileRejected, match="The header takes two rows"):
        look(path, content)


def test_a_bad_first_row_does_not_make_a_header_of_two_rows(path: Path) -> None:
    content = "day,channel,cost\nn/a,TV,none\n2026-01-01,TV,1\n2026-01-02,TV,2\n"

    assert look(path, content).reading.header_row == 1


def test_needless_blanks_in_names_are_left_out_with_a_warning(path: Path) -> None:
    found = look(path, " date,total  spend,channel\n2026-01-01,1,TV\n")

    assert found.header == ["date", "total spend", "channel"]
    assert found.warnings == ["Needless blanks in the column names “date”, “total spend” are left out."]


def test_the_sample_is_the_first_rows_as_wide_as_the_header(path: Path) -> None:
    found = look(path, "a,b\n1,2\n\n3\n" + "".join(f"{n},x\n" for n in range(4, 100)))

    assert found.sample[:3] == [["1", "2"], ["3", ""], ["4", "x"]]
    assert len(found.sample) == inspection.SAMPLE_ROWS


def test_a_reading_with_everything_said_leaves_nothing_to_ask(path: Path) -> None:
    path.write_text("day;cost\n03/04/2026;1,234\n")
    said = Reading(delimiter=";", date_order="mdy", decimal=",")

    found = inspect(path, file_name="data.csv", reading=said)

    assert (found.reading, found.questions) == (said, [])


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ({"delimiter": "||"}, "The separator is one character"),
        ({"delimiter": '"'}, "The separator is one character"),
        ({"encoding": "klingon"}, "“klingon” is no known encoding"),
        ({"encoding": "base64"}, "“base64” is no encoding of text"),
        ({"encoding": "utf-16"}, "not text in the encoding utf-16"),
        ({"header_row": 0}, "from 1 to"),
        ({"header_row": 10**9}, "from 1 to"),
        ({"decimal": "x"}, "“x” is none of"),
        ({"date_order": "ydm"}, "“ydm” is none of"),
    ],
)
def test_what_cannot_be_meant_is_refused(path: Path, chosen: dict[str, Any], sentence: str) -> None:
    with pytest.raises(FileRejected, match=sentence):
        look(path, "a,b\n1,2\n3,4", **chosen)


def test_format_and_compression_are_the_files_own_whatever_its_name(path: Path) -> None:
    path.write_bytes(gzip.compress(b"a,b\n1,2\n"))

    found = inspect(path, file_name="report.xlsx", reading=Reading(format="parquet"))

    assert (found.reading.format, found.reading.gzipped) == ("csv", True)


def test_a_parquet_file_shows_its_columns_and_rows(path: Path) -> None:
    pq.write_table(pa.table({"day": ["2026-01-01"], "cost": [1.5], "tags": [["a"]], "note": ["1,234"]}), path)

    found = inspect(path, file_name="data.parquet")

    assert (found.reading.format, found.header) == ("parquet", ["day", "cost", "tags", "note"])
    assert found.sample == [["2026-01-01", "1.5", "", "1,234"]]
    assert asked(found) == ["decimal"]


@pytest.mark.skipif(not MMM.is_dir(), reason=f"The reference data are not in {MMM}.")
@pytest.mark.parametrize("name", sorted(path.name for path in MMM.glob("*.csv")))
def test_the_tables_that_other_tools_publish_are_read_without_a_question(name: str) -> None:
    found = inspect(MMM / name, file_name=name)

    assert found.reading == Reading()
    assert (found.questions, found.warnings) == ([], [])
    assert len(found.sample) == inspection.SAMPLE_ROWS
