"""The PDF of a document: tagged, in its own font, and made of nothing but the project's own files."""

import re
from dataclasses import replace
from html import unescape
from typing import Any

import pytest
from weasyprint import HTML
from weasyprint.formatting_structure.boxes import BlockReplacedBox, MarginBox, TextBox

from analyses.documents import Card, DataTable, Document, Figure, Row, Section
from charts import ChartSpec
from charts.examples import EXAMPLES
from reports.branding.look import ACCENT, PLAIN, Look
from reports.exports import as_pdf
from tests.reports.conftest import Complaints
from tests.reports.documents import TABLE, a_document, a_hostile_document, a_long_table, a_report
from tests.reports.logos import a_logo


def printed(document: Document) -> bytes:
    return as_pdf.print_pdf(as_pdf.html(document), as_pdf.pictures(document), uncompressed_pdf=True)


def pages(pdf: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b", pdf))


def test_no_text_breaks_the_pdf(complaints: Complaints) -> None:
    assert pages(printed(a_hostile_document())) >= 1
    assert complaints() == []


def test_a_page_has_its_title_language_author_and_no_complaints(complaints: Complaints) -> None:
    pdf = printed(a_document())
    assert pdf.startswith(b"%PDF-1.7")
    assert b"/Lang (en)" in pdf
    assert "Kaffeerösterei Größe &amp; Söhne".encode() in pdf
    assert pages(pdf) >= 3
    assert complaints() == []


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
    assert pages(pdf) >= 7
    assert pdf.count(b"/S /THead") >= pages(pdf) - 2  # the cover has none, and the facts may have the last page
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
    (page,) = (page for page in rendered(document) if high.title in words_of(page))
    box = page._page_box
    (picture,) = (one for one in box.descendants() if isinstance(one, BlockReplacedBox))
    assert picture.position_y + picture.height <= box.margin_top + box.height + 1
    assert all(words in words_of(page) for words in ("Very high", *(sentence[:14] for sentence in sentences)))


def rendered(document: Document, look: Look = PLAIN) -> Any:
    fetcher = as_pdf.OwnFilesOnly(as_pdf.pictures(document), look.logo)
    return HTML(string=as_pdf.html(document, look), base_url=as_pdf.STATIC, url_fetcher=fetcher).render().pages


def words_of(page: Any) -> str:
    """What a page says but for its edges, which name the section too."""
    body = (child for child in page._page_box.children if not isinstance(child, MarginBox))
    return " ".join(one.text for child in body for one in child.descendants() if isinstance(one, TextBox))


@pytest.mark.parametrize("look", [PLAIN, Look(paper="letter")], ids=["A4", "Letter"])
@pytest.mark.parametrize("columns", [1, 3, 5, 7, 9, 14])
def test_no_column_of_figures_with_intervals_is_cut_off(columns: int, look: Look) -> None:
    figure = Figure("+€71,255", value=71255, low=-766399, high=76785, low_text="−€766,399", high_text="+€76,785")
    names = tuple(f"Last Touch against Model {place}" for place in range(columns))
    rows = tuple(Row(label=f"Paid Channel {n}", cells=(figure,) * columns) for n in range(4))
    table = DataTable(title="Credit", columns=("Channel", *names), rows=rows, note="In euros.")
    document = a_document(sections=(Section(title="S", tables=(table,)),))
    page = as_pdf.html(document, look)
    assert page.count('<th scope="col" class="number">') == columns
    assert page.count("In euros.") == 1
    for printed_page in rendered(document, look):
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
        "look:logo",
        "look:logo/../../etc/hostname",
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


FORMS = (
    '<img src="{}">',
    '<link rel="stylesheet" href="{}">',
    '<style>@import "{0}"; body {{ background: url({0}) }}</style>',
    "<p style=\"background: url('{}')\">",
    '<a href="{}" data-x="',
    '"><object data="{}">',
    "url({})",
    "{}",
)
ADDRESSES = ("file:///etc/passwd", "http://127.0.0.1:9/x")


def test_a_reference_in_somebodys_name_is_only_text(complaints: Complaints, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the form and the place, it is shown as it was written, and nothing is even asked for."""
    asked: list[str] = []
    fetch = as_pdf.OwnFilesOnly.fetch

    def noted(self: as_pdf.OwnFilesOnly, url: str, headers: Any = None) -> Any:
        asked.append(url)
        return fetch(self, url, headers)

    monkeypatch.setattr(as_pdf.OwnFilesOnly, "fetch", noted)
    texts = [form.format(address) for address in ADDRESSES for form in FORMS]
    said = " ".join(texts)
    row = Row(label=said, cells=(Figure(said, low=0.0, high=1.0, low_text=said, high_text=said),))
    chart = replace(EXAMPLES["line"], title=said, subtitle=said, summary=said)
    section = Section(
        title=said,
        part=said,
        sentences=(said,),
        charts=(chart,),
        tables=(DataTable(title=said, columns=(said, said), rows=(row,), note=said),),
    )
    card = Card(label=said, unit=said, figure=Figure(said), change=said, change_tone=said)
    document = a_document(
        **dict.fromkeys(("title", "subtitle", "headline", "workspace"), said),
        **dict.fromkeys(("facts", "definitions"), ((said, said),)),
        **dict.fromkeys(("notes", "method"), (said,)),
        sections=(section,),
        cards=(card,),
    )
    page = as_pdf.html(document)
    source = HTML(string=page, base_url=as_pdf.STATIC, url_fetcher=as_pdf.OwnFilesOnly(as_pdf.pictures(document)))
    laid_out = source.render()
    pdf = laid_out.write_pdf(uncompressed_pdf=True)
    assert set(asked) == {
        "static:css/export.css",
        "static:vendor/inter/inter-latin-wght-normal.woff2",
        f"chart:{chart.id}",
    }
    assert complaints() == []
    assert b"/URI" not in pdf
    assert b"root:" not in pdf
    text = "".join("".join(words_of(page) for page in laid_out.pages).split())
    assert all("".join(one.split()) in text for one in texts)


def test_the_cover_says_what_it_is_about_and_the_contents_lead_to_each_part() -> None:
    document = a_report()
    cover, contents, *others = rendered(document)
    for text in (document.workspace, document.title, document.subtitle, document.headline):
        assert text.replace("\N{EN DASH}", "") in words_of(cover).replace("\N{EN DASH}", ""), text
    assert all(fact in words_of(cover) for _, fact in document.facts)
    assert all(card.figure.text in words_of(cover) for card in document.cards)
    lines = [" ".join(line.split()) for line in lines_of(contents)]
    starts = [lines.index(name) for name in ("Dashboard", "Attribution", "Methodology and caveats")]
    assert starts == sorted(starts)
    assert len(others) >= 2
    page = as_pdf.html(document)
    links = re.findall(r'<a href="#([\w-]+)">', page)
    assert len(links) == 2 + 4 + 1
    assert all(page.count(f' id="{link}"') == 1 for link in links)


@pytest.mark.parametrize("look", [Look(logo=a_logo()), Look(logo=a_logo(), paper="letter")], ids=["A4", "Letter"])
def test_a_cover_has_room_for_all_that_the_longest_of_our_documents_have(look: Look) -> None:
    long = " in words that take two lines of its column"
    facts = tuple((f"Name of fact {n}", f"Fact {n}{'' if n % 4 else long}") for n in range(20))
    cards = tuple(Card(label=f"Card {n}", figure=Figure("€1,234"), change="▲ +4.2% vs previous") for n in range(6))
    cover, contents, *_ = rendered(a_document(facts=facts, cards=cards, headline="What was found. " * 7), look)
    assert "Fact 19" in words_of(cover)
    assert "Card 5" in words_of(cover)
    assert "Contents" in words_of(contents)


def lines_of(page: Any) -> list[str]:
    return [one.text for one in page._page_box.descendants() if isinstance(one, TextBox)]


def test_each_block_of_a_report_but_the_first_begins_a_page() -> None:
    document = a_report()
    begun = [
        next(one.text for child in page._page_box.children for one in child.descendants() if isinstance(one, TextBox))
        for page in rendered(document)
    ]
    assert "Attribution" in begun
    many = tuple(
        replace(section, title=f"{section.title} {turn}") for turn in range(3) for section in document.sections
    )
    charts_once = tuple(section if place < 4 else replace(section, charts=()) for place, section in enumerate(many))
    assert as_pdf.html(replace(document, sections=charts_once)).count("chapter new-page") == 6
    assert as_pdf.html(document).count("chapter new-page") == 1


def test_the_last_part_says_how_numbers_were_computed_what_terms_mean_and_what_to_keep_in_mind() -> None:
    document = a_report()
    words = " ".join("".join(words_of(page) for page in rendered(document)).partition("What the terms mean")[2].split())
    assert all(term in words and meaning in words for term, meaning in document.definitions)
    page = as_pdf.html(document)
    last = unescape(page[page.index('id="methodology"') :])
    assert all(said in last for said in (*document.method, *document.notes, *(name for name, _ in document.facts)))


@pytest.mark.parametrize(("paper", "size"), [("a4", (794, 1123)), ("letter", (816, 1056))])
def test_a_page_has_the_size_of_the_workspaces_paper(paper: str, size: tuple[int, int]) -> None:
    pages = rendered(a_document(sections=()), Look(paper=paper))
    assert {(round(page.width), round(page.height)) for page in pages} == {size}


@pytest.mark.parametrize(("colour", "printed_in"), [("#0b6b3a", "#0b6b3a"), ("#ffee00", ACCENT), ("", ACCENT)])
def test_headings_are_in_the_workspaces_colour_if_people_can_read_it(colour: str, printed_in: str) -> None:
    document = a_document(sections=(), cards=())
    look = Look(colour=colour)
    pdf = as_pdf.print_pdf(as_pdf.html(document, look), {}, look, uncompressed_pdf=True)
    red, green, blue = (int(printed_in[place : place + 2], 16) / 255 for place in (1, 3, 5))
    written = {tuple(map(float, one)) for one in re.findall(rb"([\d.]+) ([\d.]+) ([\d.]+) (?:rg|scn)\b", pdf)}
    assert any(one == pytest.approx((red, green, blue), abs=2e-3) for one in written)


@pytest.mark.parametrize(
    "values", [{"colour": "#0b6b3a; } @import url(file:///etc/passwd)"}, {"colour": "red"}, {"paper": "a5"}], ids=str
)
def test_a_look_is_made_of_a_colour_and_a_known_paper(values: Any) -> None:
    with pytest.raises(ValueError, match=r"no (colour|paper)"):
        replace(PLAIN, **values)


def test_a_long_title_leaves_the_edges_of_pages_in_order() -> None:
    long = " ".join(["Monthly review of all that was spent and earned"] * 5)
    for page in rendered(a_document(title=long, subtitle=long, workspace=long)):
        edges = [child for child in page._page_box.children if isinstance(child, MarginBox)]
        for edge in edges:
            for text in (one for one in edge.descendants() if isinstance(one, TextBox)):
                assert edge.position_y <= text.position_y
                assert text.position_y + text.height <= edge.position_y + edge.margin_height(), text.text


def test_the_logo_is_on_the_cover_only() -> None:
    pictures = [
        sum(isinstance(one, BlockReplacedBox) for one in page._page_box.descendants())
        for page in rendered(a_document(sections=()), Look(logo=a_logo()))
    ]
    assert pictures[0] == 1
    assert not any(pictures[1:])


def test_a_wide_table_of_few_rows_is_turned_rather_than_alone_on_a_page() -> None:
    columns = tuple(f"Incremental ROI of Model {place}" for place in range(9))
    figures = tuple(Figure(f"€{place},123,456.78", value=place) for place in range(9))
    table = DataTable(title="T", columns=("Channel", *columns), rows=(Row(label="TV", cells=figures),))
    (turned,) = as_pdf.laid_out(table)
    assert not turned.is_wide
    assert turned.table.columns == ("Channel", "TV")
    assert [(row.label, row.cells) for row in turned.table.rows] == [
        (column, (figure,)) for column, figure in zip(columns, figures, strict=True)
    ]
    many = replace(table, rows=table.rows * 4)
    assert all(part.is_wide for part in as_pdf.laid_out(many))


@pytest.mark.parametrize("columns", range(8, 30))
def test_parts_of_a_wide_table_are_about_equally_broad_and_have_all_columns(columns: int) -> None:
    figure = Figure("€1,234,567")
    names = tuple(f"C{place}" for place in range(columns))
    rows = tuple(Row(label=str(n), cells=(figure,) * columns) for n in range(5))
    parts = as_pdf.laid_out(DataTable(title="T", columns=("Channel", *names), rows=rows))
    assert [name for part in parts for name in part.table.columns[1:]] == list(names)
    broad = [len(part.table.columns) for part in parts]
    assert max(broad) - min(broad) <= 1
