"""How long a file would take to make, told from its document, so that nobody's page has to wait for it."""

from itertools import islice

from analyses.documents import Document

MOST_PANELS, MOST_TABLE_ROWS = 40, 1_500  # of pages and slides: each takes some milliseconds to lay out
MOST_ROWS = 50_000  # of a workbook: so many take about a second (benchmarks/exports.py has four times as many)


def takes_long(document: Document, form: str) -> bool:
    """Whether the format keeps its page waiting for more than some seconds: many charts, long tables, many rows.

    CSV never does: it is streamed. JSON is what the run keeps already.
    """
    if form == "xlsx":
        return next(islice(iter(document.rows), MOST_ROWS, None), None) is not None
    if form not in ("pdf", "pptx"):
        return False
    panels = sum(len(chart.panels) for chart in document.charts)
    rows = sum(len(table.rows) for section in document.sections for table in section.tables)
    return panels > MOST_PANELS or rows > MOST_TABLE_ROWS
