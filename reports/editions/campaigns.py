"""What a report about one campaign says first in each of its parts.

Neither a segment nor an analysis can be narrowed to a campaign: journeys go through several, so that credit is only
right when all of them are looked at. What of a result is about the campaign is shown first, and the rest as it is.
"""

from collections.abc import Iterator
from dataclasses import replace

from analyses.documents import DataTable, Document, Section
from attribution.labels import DIMENSION_LABELS
from reports.blocks.definition import DASHBOARD

BY_CAMPAIGN = DIMENSION_LABELS["campaign"]


def campaign_first(document: Document, *, kind: str, campaign: str) -> Document:
    """Return a part's document with a section about the campaign before the others, and its finding so, too.

    The dashboard stays as it is: it is the campaign's own page.
    """
    if kind == DASHBOARD:
        return document
    tables = [table for section in document.sections for table in section.tables if table.columns[0] == BY_CAMPAIGN]
    about = tuple(_about(tables, campaign))
    if about:
        sentence = "Below are all campaigns, as journeys go through several of them."
    elif tables:
        sentence = (
            f"“{campaign}” is not named in this part: either nothing is credited to it in this period, or it is among "
            "the smaller campaigns that are shown together."
        )
    else:
        sentence = f"This part is about all campaigns, not about “{campaign}” alone."
    section = Section(title=f"About “{campaign}”", sentences=(sentence,), tables=about)
    finding = " ".join(filter(None, (*(_finding(table, campaign) for table in about[:1]), document.headline)))
    return replace(document, headline=finding, sections=(section, *document.sections))


def _finding(table: DataTable, campaign: str) -> str:
    """The campaign's figures of a table in a sentence: “Brand”: Conversions 30, Revenue €11,568."""
    figures = zip(table.columns[1:], table.rows[0].cells, strict=True)
    said = ", ".join(f"{column} {figure.text}" for column, figure in figures if figure.value is not None)
    return f"“{campaign}”: {said}." if said else ""


def _about(tables: list[DataTable], campaign: str) -> Iterator[DataTable]:
    """Yield the campaign's row of each table that has one, with the total if there is one."""
    for table in tables:
        if any(row.label == campaign and not row.is_total for row in table.rows):
            rows = tuple(row for row in table.rows if row.label == campaign and not row.is_total)
            rows += tuple(row for row in table.rows if row.is_total)
            yield replace(table, title=f"{table.title}: {campaign}", rows=rows, note="")
