"""PDF: the document on A4 or Letter pages, charts as vector pictures, tagged for assistive technology (PDF/UA-1)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from mimetypes import guess_type
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from django.conf import settings
from django.template.loader import render_to_string
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher, URLFetcherResponse

from analyses.documents import DataTable, Document, Row, Section
from charts import Chart, ChartSpec, SmallMultiples, svg
from charts.wording import printable
from reports.branding.look import LETTER as LETTER_PAPER
from reports.branding.look import PLAIN, Look
from reports.exports.flows import matrix_of
from reports.exports.pdf_tags import finish

# Many panels are drawn smaller, so that as high a picture is broader.
CHART_WIDTH_PX, WIDER_PX = 680, {4: 760, 6: 920}
STATIC, CHART, LOGO = "static:", "chart:", "look:logo"
CHART_FONT, PAGE_FONT = 'font-family="Inter,', 'font-family="Report Inter, Inter,'  # see static/css/export.css
# What static/css/export.css leaves for the figures of a table beside its labels, and what they take, in points.
ROOM_UPRIGHT, ROOM_WIDE, LESS_WIDE_LETTER = 370.0, 645.0, 50.0
LETTER, LETTER_OF_INTERVAL, PADDING = 5.3, 4.6, 8.6
LINES_OF_TEXT = 2
FACTS_BESIDE_EACH_OTHER = 4  # at least, for two columns of them
FEW_ROWS = 3  # of a table that is turned, columns for rows, rather than printed on a page of its own
LETTERS_ABOVE, LETTERS_BELOW = 150, 200  # that the edges of pages have room for
SECTIONS_OF_SHORT_CONTENTS = 8  # that leave room for the first chapter on their page


@dataclass(frozen=True, slots=True)
class PrintedTable:
    """A table, or some columns of one that has too many for a page; `is_wide`: on a page that lies on its side."""

    table: DataTable
    is_wide: bool
    is_continued: bool


@dataclass(frozen=True, slots=True)
class PrintedChart:
    """A chart. `pictures`: the names of its pictures, each with what it shows; small multiples have one for each row.

    `tables`: the numbers of what has no room for them in its picture.
    """

    chart: Chart
    pictures: Sequence[tuple[str, str]]
    tables: Sequence[PrintedTable]


@dataclass(frozen=True, slots=True)
class PrintedSection:
    """A section with its charts and tables laid out. `anchor`: the id of its heading."""

    section: Section
    charts: Sequence[PrintedChart]
    tables: Sequence[PrintedTable]
    anchor: str

    @property
    def is_wide(self) -> bool:
        return not self.section.charts and bool(self.tables) and self.tables[0].is_wide


@dataclass(frozen=True, slots=True)
class Chapter:
    """The sections of one block of a report; without a title those of a document about one thing."""

    title: str
    sections: Sequence[PrintedSection]
    anchor: str
    is_on_a_new_page: bool

    @property
    def level(self) -> int:
        """Of the headings of its sections."""
        return 3 if self.title else 2

    @property
    def level_below(self) -> int:
        return self.level + 1


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the contents. `level`: of the heading that it leads to."""

    title: str
    anchor: str
    level: int = 2


ABOUT = Entry("Methodology and caveats", "methodology")


class FetchRefused(ValueError):
    """A document asked for something that is none of the project's own files."""


class OwnFilesOnly(URLFetcher):  # type: ignore[misc] # WeasyPrint has no types
    """Fetches `static:` addresses from the project's static files, `chart:` ones from `pictures` by id, and the logo.

    Raises FetchRefused for all others, local or remote: a name in somebody's data must not make this server read
    its own files or call others.
    """

    def __init__(self, pictures: Mapping[str, str], logo: bytes | None = None) -> None:
        super().__init__(allowed_protocols=())
        self._pictures, self._logo = pictures, logo

    def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:  # noqa: ARG002 - the parent's parameters
        if url.startswith(STATIC):
            file = _static_file(unquote(url.removeprefix(STATIC)))
            kind, _ = guess_type(file.name)
            return URLFetcherResponse(url, file.read_bytes(), {"Content-Type": kind or "application/octet-stream"})
        if url.removeprefix(CHART) in self._pictures:
            content = self._pictures[url.removeprefix(CHART)].encode()
            return URLFetcherResponse(url, content, {"Content-Type": "image/svg+xml"})
        if url == LOGO and self._logo:
            return URLFetcherResponse(url, self._logo, {"Content-Type": "image/png"})
        raise FetchRefused(f"A document may not fetch “{url[:80]}”.")


def write(document: Document, look: Look = PLAIN) -> bytes:
    """Return the PDF."""
    return print_pdf(html(document, look), pictures(document), look)


def print_pdf(page: str, pictures: Mapping[str, str], look: Look = PLAIN, **options: Any) -> bytes:
    """Print a page; `pictures`: SVG by the id that `chart:` addresses name. `options` are WeasyPrint's."""
    source = HTML(string=page, base_url=STATIC, url_fetcher=OwnFilesOnly(pictures, look.logo))
    pdf: bytes = source.write_pdf(
        pdf_variant="pdf/ua-1",
        font_config=FontConfiguration(),
        stylesheets=[CSS(string=f":root {{ --accent: {look.accent} }}")],
        finisher=finish,
        **options,
    )
    return pdf


def html(document: Document, look: Look = PLAIN) -> str:
    """Return the page that the PDF is printed from, without characters that no font has."""
    chapters = list(_chapters(document, ROOM_WIDE - LESS_WIDE_LETTER * (look.paper == LETTER_PAPER)))
    context = {
        "document": document,
        "running": _cut(f"{document.title} · {document.workspace}", LETTERS_ABOVE),
        "about_all": _cut(document.subtitle, LETTERS_BELOW),
        "chapters": chapters,
        "contents": list(_contents(chapters)),
        "cover_facts": _in_columns(document.facts),
        "card_columns": _card_columns(len(document.cards)),
        "about": ABOUT,
        "has_parts": any(chapter.title for chapter in chapters),
        "has_logo": look.logo is not None,
        "paper": look.paper,
    }
    return printable(render_to_string("reports/export.html", context))


def _chapters(document: Document, room_wide: float) -> Iterator[Chapter]:
    """Yield a chapter for each run of sections that belong to one block, the first one below short contents."""
    is_long = len(document.sections) > SECTIONS_OF_SHORT_CONTENTS
    for number, (part, sections) in enumerate(groupby(document.sections, key=lambda section: section.part), start=1):
        printed = [
            PrintedSection(
                section,
                [_printed_chart(chart, room_wide) for chart in section.charts],
                [laid for table in section.tables for laid in laid_out(table, room_wide)],
                anchor=f"section-{number}-{place}",
            )
            for place, section in enumerate(sections, start=1)
        ]
        yield Chapter(part, printed, anchor=f"chapter-{number}", is_on_a_new_page=is_long or number > 1)


def _printed_chart(chart: Chart, room_wide: float) -> PrintedChart:
    matrices = map(matrix_of, svg.without_texts(chart, width_px=_width_px(chart)))
    names = _pictures_of(chart) if chart.panels else []
    return PrintedChart(chart, names, [laid for table in matrices for laid in laid_out(table, room_wide)])


def _contents(chapters: Sequence[Chapter]) -> Iterator[Entry]:
    for chapter in chapters:
        if chapter.title:
            yield Entry(chapter.title, chapter.anchor)
        for printed in chapter.sections:
            yield Entry(printed.section.title, printed.anchor, level=chapter.level)
    yield ABOUT


def _in_columns(facts: Sequence[tuple[str, str]]) -> list[Sequence[tuple[str, str]]]:
    """The facts of the cover: in one column, or about half of them in each of two."""
    if len(facts) < FACTS_BESIDE_EACH_OTHER:
        return [facts] if facts else []
    middle = (len(facts) + 1) // 2
    return [facts[:middle], facts[middle:]]


def _card_columns(cards: int) -> int:
    """How many cards stand beside each other: four at most, and none alone in its row if that can be."""
    return 3 if cards in (5, 6, 9) else min(cards, 4)


def laid_out(table: DataTable, room_wide: float = ROOM_WIDE) -> list[PrintedTable]:
    """Return the table upright if its columns have room there, else on its side, in as many parts as it needs.

    One of a few rows is turned instead, columns for rows, so that it does not take a page for itself.
    """
    widths = _widths(table)
    if sum(widths) <= ROOM_UPRIGHT:
        return [PrintedTable(table, is_wide=False, is_continued=False)]
    if 0 < len(table.rows) <= FEW_ROWS:
        turned = _turned(table)
        if sum(_widths(turned)) <= ROOM_UPRIGHT:
            return [PrintedTable(turned, is_wide=False, is_continued=False)]
    edges = _edges(widths, room_wide)
    return [
        PrintedTable(table.with_figures(first, behind), is_wide=True, is_continued=first > 0)
        for first, behind in zip(edges, [*edges[1:], len(widths)], strict=True)
    ]


def _turned(table: DataTable) -> DataTable:
    """The table with a row for each of its columns and a column for each of its rows."""
    columns = zip(*(row.cells for row in table.rows), strict=True)
    return replace(
        table,
        columns=(table.columns[0], *(row.label for row in table.rows)),
        rows=tuple(Row(label=name, cells=cells) for name, cells in zip(table.columns[1:], columns, strict=True)),
    )


def _edges(widths: Sequence[float], room: float) -> list[int]:
    """Where the parts of a table begin: as few as have room beside their labels, about equally broad."""
    share = sum(widths)
    for parts in range(1, len(widths) + 1):
        edges, taken = [0], 0.0
        for place, width in enumerate(widths):
            is_full = taken + width > room or (taken + width / 2 > share / parts and len(edges) < parts)
            if taken and is_full:
                edges.append(place)
                taken = 0.0
            taken += width
        if len(edges) <= parts:
            return edges
    return list(range(len(widths)))


def _widths(table: DataTable) -> list[float]:
    """How wide each column behind the labels has to be, in points.

    Figures and intervals stay on a line. Heads break at every space, texts into two lines or so.
    """
    widths, texts = [], table.text_columns
    for place, column in enumerate(table.columns[1:]):
        figures = [row.cells[place] for row in table.rows]
        lines = LINES_OF_TEXT if place + 1 in texts else 1
        letters = max([*map(len, column.split()), *(len(figure.text) / lines for figure in figures)], default=0)
        interval = max((len(figure.interval) for figure in figures), default=0)
        widths.append(max(letters * LETTER, interval * LETTER_OF_INTERVAL) + PADDING)
    return widths


def pictures(document: Document) -> dict[str, str]:
    """Return the charts as SVG in the page's font, by their ids; further rows of one have ".2" and so on behind it."""
    drawn: dict[str, str] = {}
    for chart in document.charts:
        names = [name for name, _about in _pictures_of(chart)] if chart.panels else []
        if len(names) > 1 and isinstance(chart, SmallMultiples):
            drawn |= zip(names, svg.render_rows(chart, width_px=_width_px(chart)), strict=True)
        elif names:
            drawn[chart.id] = svg.render(chart, width_px=_width_px(chart))
    return {name: picture.replace(CHART_FONT, PAGE_FONT, 1) for name, picture in drawn.items()}


def _pictures_of(chart: Chart) -> list[tuple[str, str]]:
    """The names of a chart's pictures, each with what it shows: one, or one for each row of small multiples."""
    if not isinstance(chart, SmallMultiples):
        return [(chart.id, chart.summary)]
    _first, *others = svg.rows_of(chart, width_px=_width_px(chart))
    further = ((f"{chart.id}.{number}", _shown_in(row)) for number, row in enumerate(others, start=2))
    return [(chart.id, chart.summary), *further]


def _shown_in(panels: Sequence[ChartSpec]) -> str:
    return " ".join(panel.summary for panel in panels)


def _width_px(chart: Chart) -> int:
    return max([CHART_WIDTH_PX, *(width for panels, width in WIDER_PX.items() if len(chart.panels) > panels)])


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _static_file(path: str) -> Path:
    """Where the static file is. Raises FetchRefused for what is none."""
    root = Path(settings.BASE_DIR, "static").resolve()
    place = (root / path).resolve()
    if place.is_relative_to(root) and place.is_file():
        return place
    raise FetchRefused(f"“{path[:80]}” is not one of the project's static files.")
