"""A document in every format: the same numbers, text that stays text, and files that programs open."""

import csv
import io
import json
import logging
import math
import re
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from openpyxl.utils import range_boundaries
from pptx import Presentation

from analyses.documents import DataTable, Document, Figure, Row, Section
from charts import Axis, Category, ChartSpec, Colour, Kind, Series, SmallMultiples, Tick
from charts.examples import EXAMPLES
from mmm_project.problems import NotFound
from reports.exports import FORMATS, as_pdf, download, write
from tests.reports.documents import ROWS, TABLE, a_document

Complaints = Callable[[], list[str]]


def workbook(document: Document) -> Any:
    return openpyxl.load_workbook(io.BytesIO(write(document, "xlsx")))


def deck(document: Document) -> Any:
    return Presentation(io.BytesIO(write(document, "pptx")))


def titles(presentation: Any) -> list[str]:
    return [slide.shapes.title.text_frame.text for slide in presentation.slides]


def table_rows(presentation: Any) -> list[list[str]]:
    """Every row of every native table, headers included."""
    tables = [shape.table for slide in presentation.slides for shape in slide.shapes if shape.has_table]
    return [[cell.text_frame.text for cell in row.cells] for table in tables for row in table.rows]


def panels(document: Document) -> list[ChartSpec]:
    return [panel for chart in document.charts for panel in chart.panels]


def values(spec: ChartSpec) -> dict[str, list[float | None]]:
    return {series.name: [mark.value if mark else None for mark in series.marks] for series in spec.series}


def printed(document: Document) -> bytes:
    return as_pdf.print_pdf(as_pdf.html(document), as_pdf.pictures(document), uncompressed_pdf=True)


def pages(pdf: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b", pdf))


def text_of(string: bytes) -> str:
    """What a string of a PDF says (ISO 32000-1, 7.9.2): hexadecimal UTF-16, or ASCII with brackets escaped."""
    if string.startswith(b"<"):
        return bytes.fromhex(string[1:-1].decode()).decode("utf-16")
    return re.sub(rb"\\([()\\])", rb"\1", string[1:-1]).decode("ascii")


@pytest.fixture
def complaints(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """What WeasyPrint complains of: a style sheet, font or picture that it could not use, a property unknown to it."""
    caplog.set_level(logging.WARNING, logger="weasyprint")
    return lambda: [record.getMessage() for record in caplog.records if record.name == "weasyprint"]


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


def test_json_is_the_documents_data() -> None:
    document = a_document()
    content = write(document, "json")
    assert json.loads(content) == document.data
    assert '"channel": "Größe"' in content.decode()


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_json_has_no_number_that_json_does_not_have(number: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write(a_document(data={"revenue": number}), "json")


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


HOSTILE = ("=1+1", "+1", "-1+1", "@SUM(A1)", " =1", "\t=1", "\n=1", '=HYPERLINK("http://x")', "a\x00b\x0bc", "<b>&")


def a_hostile_document() -> Document:
    """Every text of it is one that a program could take for something else."""
    text = "=1+1"
    tables = (
        DataTable(
            title=text,
            columns=(text, text),
            rows=tuple(Row(label=one, cells=(Figure(one),)) for one in HOSTILE),
            note=text,
        ),
    )
    return a_document(
        title=text,
        subtitle=text,
        headline=text,
        workspace="a\x00b\x0bc",
        cards=(),
        facts=tuple((one, one) for one in HOSTILE),
        notes=HOSTILE,
        sections=(Section(title=text, sentences=HOSTILE, tables=tables),),
        rows=tuple((one,) for one in HOSTILE),
    )


def test_no_text_becomes_a_formula_in_the_workbook() -> None:
    book = workbook(a_hostile_document())
    cells = [cell for sheet in book.worksheets for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert len(cells) > 6 * len(HOSTILE)
    assert {cell.data_type for cell in cells} == {"s"}
    assert all(cell.quotePrefix for cell in cells if cell.value.startswith(("=", "+", "-", "@")))


def test_no_text_breaks_the_presentation() -> None:
    assert "a\ufffdb\ufffdc" in table_rows(deck(a_hostile_document()))[-2]


def test_no_text_breaks_the_pdf(complaints: Complaints) -> None:
    assert pages(printed(a_hostile_document())) >= 1
    assert complaints() == []


def test_sheets_have_names_that_excel_takes() -> None:
    names = ["Data", "data", "Summary", "History", "a/b:c*d?[e]\\'", "'quoted'", "x" * 40, "x" * 41, "", "///"]
    book = workbook(a_document(sections=tuple(Section(title=name) for name in names)))
    assert len(book.sheetnames) == len(names) + 2
    assert len({name.lower() for name in book.sheetnames} - {"history"}) == len(names) + 2
    assert all(0 < len(name) <= 31 and not re.search(r"[\[\]:*?/\\']", name) for name in book.sheetnames)
    assert (book.sheetnames[0], book.sheetnames[-1]) == ("Summary", "Data")


def test_the_presentation_says_the_finding_then_shows_charts_tables_and_facts() -> None:
    document = a_document()
    presentation = deck(document)
    assert titles(presentation) == [
        "Attribution",
        document.headline,
        "Models side by side",
        *(chart.title for chart in document.charts),
        "Credit by channel",
        "Where these numbers come from",
    ]
    assert presentation.slide_width * 9 == pytest.approx(presentation.slide_height * 16, rel=1e-3)
    assert presentation.core_properties.title == "Attribution"


def test_charts_in_the_presentation_hold_the_documents_numbers() -> None:
    document = a_document()
    found = [shape.chart for slide in deck(document).slides for shape in slide.shapes if shape.has_chart]
    for chart, spec in zip(found, panels(document), strict=True):
        read = {series.name: list(series.values) for series in chart.plots[0].series}
        assert values(spec).items() <= read.items()


def test_tables_in_the_presentation_say_what_the_page_says() -> None:
    assert table_rows(deck(a_document())) == [
        list(TABLE.columns),
        *([row.label, *(figure.text for figure in row.cells)] for row in TABLE.rows),
    ]


def test_every_slide_has_notes_and_but_for_the_cover_a_footer_and_a_number() -> None:
    document = a_document()
    cover, *slides = deck(document).slides
    assert cover.notes_slide.notes_text_frame.text == document.headline
    for number, slide in enumerate(slides, start=2):
        kinds = {placeholder.placeholder_format.type: placeholder for placeholder in slide.placeholders}
        assert {kind.name for kind in kinds} == {"TITLE", "FOOTER", "SLIDE_NUMBER"}, number
        assert all(placeholder.text_frame.text for placeholder in kinds.values()), number
        assert document.workspace in next(one for kind, one in kinds.items() if kind.name == "FOOTER").text_frame.text
        assert slide.notes_slide.notes_text_frame.text, number


def test_nothing_on_a_slide_reaches_beyond_it() -> None:
    presentation = deck(a_document())
    for slide in presentation.slides:
        for shape in slide.shapes:
            assert 0 <= shape.left <= shape.left + shape.width <= presentation.slide_width, shape.name
            assert 0 <= shape.top <= shape.top + shape.height <= presentation.slide_height, shape.name


def a_long_table(rows: int, columns: int) -> DataTable:
    return DataTable(
        title="Campaigns",
        columns=("Campaign", *(f"Model {place}" for place in range(columns))),
        rows=tuple(
            Row(label=f"Campaign {row}", cells=tuple(Figure(f"{row}.{place}") for place in range(columns)))
            for row in range(rows)
        ),
    )


def test_a_long_table_goes_on_over_slides_with_its_header() -> None:
    presentation = deck(a_document(sections=(Section(title="S", tables=(a_long_table(500, 2),)),)))
    rows = table_rows(presentation)
    header = ["Campaign", "Model 0", "Model 1"]
    assert [row for row in rows if row != header] == [[f"Campaign {n}", f"{n}.0", f"{n}.1"] for n in range(500)]
    slides = titles(presentation)[2:-1]
    assert slides == ["Campaigns", *["Campaigns (continued)"] * (len(slides) - 1)]
    assert rows.count(header) == len(slides) == math.ceil(500 / 13)


def test_a_wide_table_goes_on_over_slides_with_its_labels() -> None:
    rows = table_rows(deck(a_document(sections=(Section(title="S", tables=(a_long_table(1, 8),)),))))
    assert rows == [
        ["Campaign", *(f"Model {place}" for place in range(6))],
        ["Campaign 0", *(f"0.{place}" for place in range(6))],
        ["Campaign", "Model 6", "Model 7"],
        ["Campaign 0", "0.6", "0.7"],
    ]


def test_long_labels_leave_room_for_fewer_rows_on_a_slide() -> None:
    rows = tuple(Row(label=f"{n} " + "long " * 20, cells=(Figure("1"),)) for n in range(8))
    table = DataTable(title="T", columns=("A", "B"), rows=rows)
    slides = [
        title for title in titles(deck(a_document(sections=(Section(title="S", tables=(table,)),)))) if title[0] == "T"
    ]
    assert slides == ["T", "T (continued)"]


def test_the_pdf_is_a_tagged_document_with_language_and_title(complaints: Complaints) -> None:
    document = a_document()
    pdf = printed(document)
    assert pdf.startswith(b"%PDF-1.7")
    assert b"/Lang (en)" in pdf
    assert b"/StructTreeRoot" in pdf
    assert b"/DisplayDocTitle true" in pdf
    assert b'pdfuaid:part="1"' in pdf
    assert "Kaffeerösterei Größe &amp; Söhne".encode() in pdf
    assert pages(pdf) >= 2
    assert complaints() == []


def test_every_chart_of_the_pdf_is_a_figure_described_in_words() -> None:
    document = a_document()
    pdf = printed(document)
    assert pdf.count(b"/S /Figure") == len(document.charts)
    described = [text_of(alternative) for alternative in re.findall(rb"/Alt (\(.*?(?<!\\)\)|<[0-9a-f]+>)", pdf)]
    assert described == [chart.summary for chart in document.charts]


def test_the_pdf_is_printed_in_its_own_font_whatever_the_machine_has() -> None:
    pdf = printed(a_document())
    fonts = set(re.findall(rb"/BaseFont /[A-Z]{6}\+([\w-]+)", pdf))
    assert {b"Report-Inter", b"Report-Inter-Semi-Bold"} <= fonts
    assert all(as_pdf.PAGE_FONT in picture for picture in as_pdf.pictures(a_document()).values())


def test_the_pdf_is_printed_from_a_page_that_says_what_the_document_says() -> None:
    document = a_document()
    page = as_pdf.html(document)
    for text in (document.headline, *document.notes, *(fact for _, fact in document.facts)):
        assert page.count(text) >= 1, text
    figures = re.findall(r'<td class="number">(.*?)</td>', page)
    assert figures == [figure.text for row in TABLE.rows for figure in row.cells]
    assert re.findall(r'src="chart:([\w-]+)"', page) == [chart.id for chart in document.charts]


def test_a_long_table_of_the_pdf_repeats_its_header_on_each_page(complaints: Complaints) -> None:
    document = a_document(sections=(Section(title="S", tables=(a_long_table(200, 3),)),))
    pdf = printed(document)
    assert pages(pdf) > 4
    assert pdf.count(b"/S /THead") == pages(pdf) - 1  # the facts have the last page
    assert complaints() == []


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/hostname",
        "http://127.0.0.1:1/x.css",
        "https://example.com/x.css",
        "data:text/css,body{color:red}",
        "ftp://127.0.0.1/x",
        "static:../manage.py",
        "static:/etc/hostname",
        "static:css/missing.css",
        "chart:missing",
    ],
)
def test_a_page_gets_nothing_but_the_projects_own_static_files(address: str) -> None:
    with pytest.raises(as_pdf.FetchRefused):
        as_pdf.OwnFilesOnly({"known": "<svg/>"}).fetch(address)


def test_a_reference_to_a_local_or_remote_file_stays_out_of_the_pdf(complaints: Complaints) -> None:
    references = ["file:///etc/hostname", "http://127.0.0.1:1/x"]
    page = "".join(f'<link rel="stylesheet" href="{one}"><img src="{one}" alt="x">' for one in references)
    pdf = as_pdf.print_pdf(f'<html lang="en"><title>x</title>{page}', {}, uncompressed_pdf=True)
    assert pages(pdf) == 1
    refused = [complaint for complaint in complaints() if "may not fetch" in complaint]
    assert len(refused) == 2 * len(references)


def test_a_reference_in_somebodys_name_is_only_text(complaints: Complaints) -> None:
    document = a_document(workspace='<img src="file:///etc/hostname"><style>@import "http://127.0.0.1:1/"</style>')
    assert "&lt;img" in as_pdf.html(document)
    assert pages(printed(document)) >= 1
    assert complaints() == []


def an_empty_chart() -> ChartSpec:
    return ChartSpec(
        id="empty",
        kind=Kind.LINE,
        title="There is nothing yet",
        summary="No day has a value.",
        category_title="Day",
        categories=(Category(label="1 June"), Category(label="2 June")),
        series=(Series(name="Revenue", colour=Colour.ACCENT, marks=(None, None)),),
        axis=Axis(title="Revenue, €", low=0, high=1, ticks=(Tick(0, "€0"), Tick(1, "€1"))),
    )


NO_PANELS = SmallMultiples(id="none", title="Nothing to compare", summary="No metric has values.", panels=())


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
    assert len(write(document, form)) > (0 if form == "csv" and not document.rows else 100) - 1
    assert complaints() == []


def test_what_has_no_panels_is_said_in_words() -> None:
    document = a_document(sections=(Section(title="S", charts=(NO_PANELS,)),))
    assert NO_PANELS.summary in as_pdf.html(document)
    assert NO_PANELS.summary in [cell.value for row in workbook(document)["S"].iter_rows() for cell in row]
    texts = [shape.text_frame.text for slide in deck(document).slides for shape in slide.shapes if shape.has_text_frame]
    assert NO_PANELS.summary in texts


def test_many_small_multiples_take_several_slides() -> None:
    metrics = EXAMPLES["small-multiples"]
    many = [
        SmallMultiples(
            id="many",
            title="All metrics",
            summary="Eight of them.",
            panels=tuple(
                _renamed(panel, f"panel-{turn}-{place}")
                for turn in range(2)
                for place, panel in enumerate(metrics.panels)
            ),
        )
    ]
    presentation = deck(a_document(sections=(Section(title="S", charts=tuple(many)),)))
    charts = [sum(shape.has_chart for shape in slide.shapes) for slide in presentation.slides]
    assert [count for count in charts if count] == [6, 2]


def _renamed(panel: ChartSpec, name: str) -> ChartSpec:
    return ChartSpec(
        id=name,
        kind=panel.kind,
        title=name,
        summary=panel.summary,
        category_title=panel.category_title,
        categories=panel.categories,
        series=panel.series,
        axis=panel.axis,
    )


@pytest.mark.parametrize("form", FORMATS)
def test_a_download_is_an_attachment_that_nobody_else_keeps(form: str) -> None:
    response = download(a_document(), form)
    assert response["Content-Type"] == FORMATS[form].content_type
    name = f"attribution-acme-2025-06-01-to-2025-06-30.{form}"
    assert response["Content-Disposition"] == f'attachment; filename="{name}"'
    assert response["Cache-Control"] == "private, no-store"
    assert response.content == write(a_document(), form) or form in (
        "xlsx",
        "pptx",
    )  # these hold the time they were made


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
    assert next(csv.reader(io.StringIO(download(a_document(), "csv").content.decode()))) == list(ROWS[0])
