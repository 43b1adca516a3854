"""What a report about one campaign says of the campaign first."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from accounts.models import User, Workspace
from analyses.documents import DataTable, Figure, Row, Section
from marketing.models import Campaign
from reports.builder import actions
from reports.editions import snapshots
from reports.editions.campaigns import campaign_first
from reports.editions.tracing import Trace, traces
from reports.models import Report
from tests.reports.builder.conftest import MakeReport
from tests.reports.builder.steps import made
from tests.reports.documents import a_document

BRAND = Row(label="Brand", cells=(Figure("60", value=60),))
TOTAL = Row(label="Total", cells=(Figure("100"),), is_total=True)
OTHER = Row(label="Generic", cells=(Figure("40"),))


def table(column: str = "Campaign", *rows: Row) -> DataTable:
    return DataTable(title="Revenue", columns=(column, "Revenue"), rows=rows or (BRAND, OTHER, TOTAL), note="Of all.")


def first_section(*tables: DataTable, kind: str = "attribution", campaign: str = "Brand") -> Section:
    document = a_document(sections=(Section(title="In numbers", tables=tables),))
    found = campaign_first(document, kind=kind, campaign=campaign)
    assert found.sections[-1] == document.sections[0]
    return found.sections[0]


def test_the_row_of_the_campaign_and_the_total_come_first() -> None:
    section = first_section(table(), table("Channel"))
    assert section.title == "About “Brand”"
    assert section.tables == (replace(table(), title="Revenue: Brand", rows=(BRAND, TOTAL), note=""),)
    assert section.sentences == ("Below are all campaigns, as journeys go through several of them.",)


def test_the_finding_begins_with_the_campaign_and_its_numbers_are_traced() -> None:
    document = a_document(headline="Generic gets 40%.", sections=(Section(title="In numbers", tables=(table(),)),))
    found = campaign_first(document, kind="attribution", campaign="Brand")
    assert found.headline == "“Brand”: Revenue 60. Generic gets 40%."
    assert traces(found.headline, found)[0] == Trace("60", "60", "About “Brand” › Revenue: Brand › Brand, Revenue")
    assert campaign_first(document, kind="attribution", campaign="Autumn").headline == document.headline


def test_a_campaign_that_is_not_in_the_tables_is_said_not_to_be() -> None:
    section = first_section(table(), campaign="Autumn")
    assert section.tables == ()
    assert section.sentences[0].startswith("“Autumn” is not named in this part")


@pytest.mark.parametrize("name", ["Total", "total"])
def test_a_campaign_is_not_taken_for_the_total(name: str) -> None:
    assert first_section(table(), campaign=name).tables == ()


@pytest.mark.parametrize("kind", ["attribution", "crosschannel", "weightings", "scenarios"])
def test_a_part_without_campaigns_says_that_it_is_about_all(kind: str) -> None:
    section = first_section(table("Channel"), kind=kind)
    assert section.sentences == ("This part is about all campaigns, not about “Brand” alone.",)


def test_the_dashboard_is_the_campaigns_own_already() -> None:
    document = a_document()
    assert campaign_first(document, kind="dashboard", campaign="Brand") == document


@pytest.fixture
def about_brand(shop: Workspace, make_report: MakeReport, figures: None) -> Report:
    brand = Campaign.objects.get(workspace=shop, name="Brand")
    return make_report("Brand", template="mid_campaign", campaign=brand, period="previous_month")


def test_the_check_of_a_campaign_begins_with_the_campaign(owner: User, about_brand: Report) -> None:
    document = snapshots.document_of(made(actions.preview(report=about_brand, by=owner, ring=False)))
    assert {card.label: card.figure.value for card in document.cards}["Spend"] == 60.0
    sections = [section for section in document.sections if section.part == "Credit by campaign"]
    (about,) = [section for section in sections if section.title == "About “Brand”"]
    rows = {row.label: row.cells[1].value for row in about.tables[0].rows}
    assert rows == {"Brand": 300.0, "Total": 450.0}  # the last touch of anna was Brand's
    everything = next(section for section in sections if section.title == "In numbers")
    assert {"Brand", "Spring", "Total"} <= {row.label for row in everything.tables[0].rows}


def test_an_analyst_may_ask_for_another_campaign(
    owner: User, about_brand: Report, shop: Workspace, import_rows: Callable[..., object]
) -> None:
    spring = Campaign.objects.get(workspace=shop, name="Spring")
    settings = {name: getattr(about_brand, name) for name in ("name", "period", "comparison", "blocks")}
    actions.change(report=about_brand, campaign=spring, by=owner, **settings)
    about_brand.refresh_from_db()
    document = snapshots.document_of(made(actions.preview(report=about_brand, by=owner, ring=False)))
    assert ("Campaign", "Spring") in document.facts
