"""The page of one channel of a run, its campaigns, and what their tables say."""

from typing import Any

from analyses.documents import DataTable, Section
from analyses.models import Run
from weightings.channels.page import ChannelPage, present_channel

TV, SEARCH, BLOG = 0, 1, 2


def address(run: Run, place: int = TV, query: str = "") -> str:
    return f"/w/{run.workspace.slug}/weightings/runs/{run.pk}/channels/{place}/{query}"


def shown(run: Run, place: int = TV, **query: str) -> ChannelPage:
    return present_channel(run, place, query)


def campaigns(run: Run, place: int = TV, **query: str) -> Section:
    page = shown(run, place, **query)
    assert page.campaigns is not None, page.no_campaigns
    return page.campaigns


def table(section: Section) -> DataTable:
    (found,) = section.tables
    return found


def column(of: DataTable, name: str) -> dict[str, Any]:
    """The figures of a column by the labels of their rows."""
    place = of.columns.index(name) - 1
    return {row.label: row.cells[place] for row in of.rows}


def said(section: Section) -> str:
    return " ".join(section.sentences)
