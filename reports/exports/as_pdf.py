"""PDF: the document on A4 pages, charts as vector pictures, tagged for assistive technology (PDF/UA-1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from mimetypes import guess_type
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from django.conf import settings
from django.template.loader import render_to_string
from weasyprint import HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher, URLFetcherResponse

from analyses.documents import DataTable, Document, Section
from charts import svg
from charts.wording import printable

CHART_WIDTH_PX = 680
STATIC, CHART = "static:", "chart:"
CHART_FONT, PAGE_FONT = 'font-family="Inter,', 'font-family="Report Inter, Inter,'  # see static/css/export.css
# What static/css/export.css leaves for the figures of a table beside its labels, and what they take, in points.
ROOM_UPRIGHT, ROOM_WIDE = 370.0, 645.0
LETTER, LETTER_OF_INTERVAL, PADDING = 5.3, 4.6, 8.6
LINES_OF_TEXT = 2


@dataclass(frozen=True, slots=True)
class PrintedTable:
    """A table, or some columns of one that has too many for a page; `is_wide`: on a page that lies on its side."""

    table: DataTable
    is_wide: bool
    is_continued: bool


@dataclass(frozen=True, slots=True)
class PrintedSection:
    """A section with its tables laid out."""

    section: Section
    tables: Sequence[PrintedTable]

    @property
    def is_wide(self) -> bool:
        return not self.section.charts and bool(self.tables) and self.tables[0].is_wide


class FetchRefused(ValueError):
    """A document asked for something that is none of the project's own files."""


class OwnFilesOnly(URLFetcher):  # type: ignore[misc] # WeasyPrint has no types
    """Fetches `static:` addresses from the project's static files and `chart:` ones from `pictures`, by id.

    Raises FetchRefused for all others, local or remote: a name in somebody's data must not make this server read
    its own files or call others.
    """

    def __init__(self, pictures: Mapping[str, str]) -> None:
        super().__init__(allowed_protocols=())
        self._pictures = pictures

    def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:  # noqa: ARG002 - the parent's parameters
        if url.startswith(STATIC):
            file = _static_file(unquote(url.removeprefix(STATIC)))
            kind, _ = guess_type(file.name)
            return URLFetcherResponse(url, file.read_bytes(), {"Content-Type": kind or "application/octet-stream"})
        if url.removeprefix(CHART) in self._pictures:
            content = self._pictures[url.removeprefix(CHART)].encode()
            return URLFetcherResponse(url, content, {"Content-Type": "image/svg+xml"})
        raise FetchRefused(f"A document may not fetch “{url[:80]}”.")


def write(document: Document) -> bytes:
    """Return the PDF."""
    return print_pdf(html(document), pictures(document))


def print_pdf(page: str, pictures: Mapping[str, str], **options: Any) -> bytes:
    """Print a page; `pictures`: SVG by the id that `chart:` addresses name. `options` are WeasyPrint's."""
    source = HTML(string=page, base_url=STATIC, url_fetcher=OwnFilesOnly(pictures))
    pdf: bytes = source.write_pdf(pdf_variant="pdf/ua-1", font_config=FontConfiguration(), **options)
    return pdf


def html(document: Document) -> str:
    """Return the page that the PDF is printed from, without characters that no font has."""
    sections = [
        PrintedSection(section, [part for table in section.tables for part in laid_out(table)])
        for section in document.sections
    ]
    return printable(render_to_string("reports/export.html", {"document": document, "sections": sections}))


def laid_out(table: DataTable) -> list[PrintedTable]:
    """Return the table upright if its columns have room there, else on its side, in as many parts as it needs."""
    widths = _widths(table)
    if sum(widths) <= ROOM_UPRIGHT:
        return [PrintedTable(table, is_wide=False, is_continued=False)]
    edges, taken = [0], 0.0
    for place, width in enumerate(widths):
        if taken and taken + width > ROOM_WIDE:
            edges.append(place)
            taken = 0.0
        taken += width
    return [
        PrintedTable(table.with_figures(first, behind), is_wide=True, is_continued=first > 0)
        for first, behind in zip(edges, [*edges[1:], len(widths)], strict=True)
    ]


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
    """Return each chart as SVG, by its id, written in the page's font."""
    drawn = {chart.id: svg.render(chart, width_px=CHART_WIDTH_PX) for chart in document.charts if chart.panels}
    return {name: picture.replace(CHART_FONT, PAGE_FONT, 1) for name, picture in drawn.items()}


def _static_file(path: str) -> Path:
    """Where the static file is. Raises FetchRefused for what is none."""
    for root in map(Path, settings.STATICFILES_DIRS):
        place = (root / path).resolve()
        if place.is_relative_to(root.resolve()) and place.is_file():
            return place
    raise FetchRefused(f"“{path[:80]}” is not one of the project's static files.")
