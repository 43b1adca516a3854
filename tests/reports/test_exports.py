"""A document as CSV and JSON, and what all formats have in common."""

import io
import json
import math
from collections.abc import Iterator

import openpyxl
import pytest
from django.http import StreamingHttpResponse
from pptx import Presentation

from analyses.documents import DataTable, Document, LazyRows, Section
from mmm_project.problems import NotFound
from reports.exports import FORMATS, as_pdf, download, write
from tests.reports.conftest import Complaints
from tests.reports.documents import NO_PANELS, a_document, an_empty_chart

STARTS = {"json": b"{", "xlsx": b"PK", "pptx": b"PK", "pdf": b"%PDF-"}


def test_csv_carries_all_rows_in_full_precision_without_formulas() -> None:
    document = a_document(
        rows=(
            ("name", "sum"),
            ("=SUM(A1)", 0.1 + 0.2),
            ("-5", -5),
            ("-x", 1e-7),
            ("@a", None),
            ("\tb", 0),
            ('say "hi", you', 1),
        )
    )
    assert write(document, "csv").decode().split("\r\n") == [
        "name,sum",
        "'=SUM(A1),0.30000000000000004",
        "-5,-5",
        "'-x,1e-07",
        "'@a,",
        "'\tb,0",
        '"say ""hi"", you",1',
        "",
    ]


def test_csv_is_made_while_it_is_sent() -> None:
    made = 0

    def rows() -> Iterator[tuple[int, str]]:
        nonlocal made
        for made in range(1, 100_001):
            yield made, "=row"

    response = download(a_document(rows=LazyRows(rows)), "csv")
    assert isinstance(response, StreamingHttpResponse)
    assert made == 0
    pieces = iter(response)
    first = next(pieces)
    assert first.startswith(b"1,'=row\r\n2,'=row\r\n")
    assert made == first.count(b"\r\n") < 5_000
    assert sum(piece.count(b"\r\n") for piece in pieces) == 100_000 - made_by(first)
    assert made == 100_000


def made_by(piece: bytes) -> int:
    return piece.count(b"\r\n")


def test_every_reader_has_all_rows_of_a_document() -> None:
    document = a_document(rows=LazyRows(lambda: [("a",), (1,)]))
    assert write(document, "csv") == write(document, "csv") == b"a\r\n1\r\n"
    book = openpyxl.load_workbook(io.BytesIO(write(document, "xlsx")))
    assert list(book["Data"].iter_rows(values_only=True)) == [("a",), (1,)]


def test_json_is_the_documents_data() -> None:
    document = a_document()
    content = write(document, "json")
    assert json.loads(content) == document.data
    assert '"channel": "Größe"' in content.decode()


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_json_has_no_number_that_json_does_not_have(number: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write(a_document(data={"revenue": number}), "json")


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    "document",
    [
        a_document(sections=(Section(title="S", charts=(an_empty_chart(), NO_PANELS)),)),
        a_document(sections=(), cards=(), facts=(), notes=()),
        a_document(sections=(Section(title="S", tables=(DataTable(title="T", columns=("A",), rows=()),)),), rows=()),
        a_document(rows=[("name", "value"), *((f"Campaign {n}", n / 3) for n in range(500))]),
    ],
    ids=["empty charts", "nothing but a headline", "an empty table", "500 rows"],
)
def test_every_format_takes_documents_with_much_and_with_nothing(
    form: str, document: Document, complaints: Complaints
) -> None:
    content = write(document, form)
    if form == "csv":
        assert content.count(b"\r\n") == len(list(document.rows))
    else:
        assert content.startswith(STARTS[form])
    assert complaints() == []


def test_what_has_no_panels_is_said_in_words() -> None:
    document = a_document(sections=(Section(title="S", charts=(NO_PANELS,)),))
    assert NO_PANELS.summary in as_pdf.html(document)
    book = openpyxl.load_workbook(io.BytesIO(write(document, "xlsx")))
    assert NO_PANELS.summary in [cell.value for row in book["S"].iter_rows() for cell in row]
    slides = Presentation(io.BytesIO(write(document, "pptx"))).slides
    texts = [shape.text_frame.text for slide in slides for shape in slide.shapes if shape.has_text_frame]
    assert NO_PANELS.summary in texts


@pytest.mark.parametrize("form", FORMATS)
def test_a_download_is_an_attachment_that_nobody_else_keeps(form: str) -> None:
    response = download(a_document(), form)
    assert response["Content-Type"] == FORMATS[form].content_type
    name = f"attribution-acme-2025-06-01-to-2025-06-30.{form}"
    assert response["Content-Disposition"] == f'attachment; filename="{name}"'
    assert response["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("form", ["exe", "", "CSV", "__init__", "../csv", "as_pdf"])
def test_there_is_no_other_format(form: str) -> None:
    with pytest.raises(NotFound, match="There is no format"):
        download(a_document(), form)


@pytest.mark.parametrize(
    ("name", "disposition"),
    [
        ("Größe", "attachment; filename=\"Gr-e.csv\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe.csv"),
        ('a"b\\c/../d\r\nSet-Cookie: x', 'attachment; filename="a-b-c-..-d-Set-Cookie-x.csv"'),
        ("..hidden", 'attachment; filename="hidden.csv"'),
    ],
)
def test_a_file_name_is_safe_in_a_header_and_on_a_disk(name: str, disposition: str) -> None:
    assert download(a_document(file_name=name), "csv")["Content-Disposition"] == disposition
