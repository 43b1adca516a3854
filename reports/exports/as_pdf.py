"""PDF: the document on A4 pages, charts as vector pictures, tagged for assistive technology (PDF/UA-1)."""

from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from django.conf import settings
from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from weasyprint import HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher, URLFetcherResponse

from analyses.documents import Document, Section
from charts import svg

CHART_WIDTH_PX = 680
STATIC = "static:"


class FetchRefused(ValueError):
    """A document asked for something that is none of the project's own files."""


class OwnFilesOnly(URLFetcher):  # type: ignore[misc] # WeasyPrint has no types
    """Fetches `static:` addresses from the project's static files and refuses all others, local or remote."""

    def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:  # noqa: ARG002 - the parent's parameters
        if not url.startswith(STATIC):
            raise FetchRefused(f"A document may not fetch {url[:80]}.")
        return URLFetcherResponse(url, _static_file(unquote(urlparse(url).path)).read_bytes())


def write(document: Document) -> bytes:
    """Return the PDF."""
    pdf: bytes = HTML(string=html(document), base_url=STATIC, url_fetcher=OwnFilesOnly()).write_pdf(
        pdf_variant="pdf/ua-1", font_config=FontConfiguration()
    )
    return pdf


def html(document: Document) -> str:
    """Return the page that the PDF is printed from."""
    sections = [(section, _pictures(section)) for section in document.sections]
    return render_to_string("reports/export.html", {"document": document, "sections": sections})


def _pictures(section: Section) -> list[tuple[Any, list[tuple[Any, SafeString]]]]:
    """Each chart with its panels and their pictures."""
    return [
        # Our own drawing, in which every text has been escaped.
        (chart, [(panel, mark_safe(svg.render(panel, width_px=CHART_WIDTH_PX))) for panel in chart.panels])  # noqa: S308
        for chart in section.charts
    ]


@cache
def _static_file(path: str) -> Path:
    """Where the static file is. Raises FetchRefused for what is none."""
    found = finders.find(path)
    if not isinstance(found, str):
        raise FetchRefused(f"There is no static file “{path[:80]}”.")
    roots = [Path(root).resolve() for root in settings.STATICFILES_DIRS]
    place = Path(found).resolve()
    if not any(place.is_relative_to(root) for root in roots):
        raise FetchRefused(f"“{path[:80]}” is not one of the project's own files.")
    return place
