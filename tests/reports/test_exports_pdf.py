"""The PDF of a document: tagged, in its own font, and made of nothing but the project's own files."""

import re
from dataclasses import replace
from typing import Any

import pytest
from weasyprint import HTML
from weasyprint.formatting_structure.boxes import BlockReplacedBox, TextBox

from analyses.documents import DataTable, Document, Figure, Row, Section
from charts import ChartSpec
from charts.examples import EXAMPLES
from reports.exports import as_pdf
from tests.reports.conftest import Complaints
from tests.reports.documents import TABLE, a_document, a_hostile_document, a_long_table


def printed(document: Document) -> bytes:
    return as_pdf.print_pdf(as_pdf.html(document), as_pdf.pictures(document), uncompressed_pdf=True)


def pages(pdf: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b", pdf))


def text_of(string: bytes) -> str:
    """What a string of a PDF says (ISO 32000-1, 7.9.2): hexadecimal UTF-16, or ASCII with brackets escaped."""
    if string.startswith(b"<"):
        return bytes.fromhex(string[1:-1].decode()).decode("utf-16")
    return re.sub(rb"\\([()\\])", rb"\1", string[1:-1]).decode("ascii")


def test_no_text_breaks_the_pdf(complaints: Complaints) -> None:
    assert pages(printed(a_hostile_document())) >= 1
    assert complaints() == []


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
    assert pages(pdf) >= 6
    assert pdf.count(b"/S /THead") >= pages(pdf) - 1  # the facts may have the last page for themselves
    assert complaints() == []


@pytest.mark.parametrize("sentences", [(), ("What it shows. " * 16, "And what not.")])
def test_a_high_chart_stays_on_one_page_with_its_title_and_what_is_above_it(sentences: tuple[str, ...]) -> None:
    dots = EXAMPLES["dots"]
    assert isinstance(dots, ChartSpec)
    high = replace(
        dots,
        categories=tuple(
            replace(category, label=f"{category.label} {turn}") for turn in range(9) for category in dots.categories
        ),
        series=tuple(replace(series, marks=series.marks * 9) for series in dots.series),
    )
    document = a_document(sections=(Section(title="Very high", sentences=sentences, charts=(high,)),))
    fetcher = as_pdf.OwnFilesOnly(as_pdf.pictures(document))
    rendered = HTML(string=as_pdf.html(document), base_url=as_pdf.STATIC, url_fetcher=fetcher).render()
    (box,) = (page._page_box for page in rendered.pages if high.title in words_of(page))
    (picture,) = (one for one in box.descendants() if isinstance(one, BlockReplacedBox))
    assert picture.position_y + picture.height <= box.margin_top + box.height + 1
    (above,) = (page for page in rendered.pages if "Very high" in words_of(page))
    assert all(words in words_of(above) for words in (high.title, *(sentence[:14] for sentence in sentences)))


def words_of(page: Any) -> str:
    return " ".join(one.text for one in page._page_box.descendants() if isinstance(one, TextBox))


@pytest.mark.parametrize("columns", [1, 3, 5, 7, 9, 14])
def test_no_column_of_figures_with_intervals_is_cut_off(columns: int) -> None:
    figure = Figure("+€71,255", value=71255, low=-766399, high=76785, low_text="−€766,399", high_text="+€76,785")
    names = tuple(f"Last Touch against Model {place}" for place in range(columns))
    rows = tuple(Row(label=f"Paid Channel {n}", cells=(figure,) * columns) for n in range(4))
    table = DataTable(title="Credit", columns=("Channel", *names), rows=rows, note="In euros.")
    document = a_document(sections=(Section(title="S", tables=(table,)),))
    page = as_pdf.html(document)
    assert page.count('<th scope="col" class="number">') == columns
    assert page.count("In euros.") == 1
    fetcher = as_pdf.OwnFilesOnly(as_pdf.pictures(document))
    for printed_page in HTML(string=page, base_url=as_pdf.STATIC, url_fetcher=fetcher).render().pages:
        box = printed_page._page_box
        for text in (one for one in box.descendants() if isinstance(one, TextBox)):
            assert text.position_x + text.width <= box.width + box.margin_left + 1, text.text


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
