"""Every template makes an edition, whose numbers are those that its blocks have by themselves: page, CSV and JSON."""

import csv
import io
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from html import unescape

import pytest
from django.test import Client

from accounts.models import User, Workspace
from analyses import registry
from analyses.documents import Document
from analyses.models import Run
from marketing.models import Campaign
from reports import dashboard
from reports.blocks.definition import FULL
from reports.blocks.templates import TEMPLATES
from reports.builder import actions
from reports.editions.actions import runs_of
from reports.editions.composition import in_brief
from reports.exports import write
from reports.models import Edition
from tests.conftest import ImportRows
from tests.reports.builder.steps import made
from tests.reports.conftest import NOW, Refresh
from tests.reports.export_world import kept
from tests.weightings.results import finished

ClientFor = Callable[[User | None], Client]
pytestmark = pytest.mark.usefixtures("figures")


@pytest.fixture(autouse=True)
def model(shop: Workspace, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A media mix model that nobody had to fit: the shop's data are too few for one."""
    run = kept(finished(shop))
    monkeypatch.setattr("reports.editions.actions._newest_model", lambda _workspace, _params: run)
    return run


@pytest.fixture
def edition_of(shop: Workspace, owner: User) -> Callable[[str], Edition]:
    def edition_of(template: str) -> Edition:
        brand = Campaign.objects.get(workspace=shop, name="Brand") if TEMPLATES[template].for_campaign else None
        period = "previous_month"  # of which there are figures, other than of the template's own
        report = actions.create(
            workspace=shop, name="Review", template=template, period=period, campaign=brand, by=owner
        )
        return made(actions.preview(report=report, by=owner, ring=False))

    return edition_of


def by_themselves(edition: Edition) -> Iterator[tuple[int, str, Document]]:
    """The documents of an edition's blocks as their own pages have them: place, title, document."""
    workspace, campaign = edition.workspace, edition.definition["campaign"]
    query = {"start": str(edition.start), "end": str(edition.end), "compare": edition.definition["comparison"]}
    runs = runs_of(edition)
    for place, block in enumerate(edition.definition["blocks"]):
        if block["kind"] == "dashboard":
            page = (
                dashboard.campaign(workspace, campaign["id"], query, now=NOW)
                if campaign
                else dashboard.overview(workspace, query, now=NOW)
            )
            assert page.document is not None
            yield place, block["title"], page.document
        elif block["kind"] != "text":
            run = runs[block["id"]]
            yield place, block["title"], registry.get(run.kind).document(run)


@pytest.mark.parametrize("template", TEMPLATES)
def test_an_edition_says_what_its_blocks_say_by_themselves(
    viewer: User, client_for: ClientFor, edition_of: Callable[[str], Edition], template: str
) -> None:
    edition = edition_of(template)
    assert edition.job.status == "done", edition.job.error
    client, address = client_for(viewer), f"/w/acme/editions/{edition.pk}/"
    page = " ".join(unescape(re.sub(r"<[^>]+>", " ", client.get(address).content.decode())).split())
    rows = parts_of(client.get(f"{address}export.csv").getvalue().decode())
    parts = json.loads(client.get(f"{address}export.json").getvalue())["parts"]
    found = list(by_themselves(edition))
    assert len(found) == sum(block["kind"] != "text" for block in TEMPLATES[template].blocks)
    for place, title, document in found:
        headline = parts[place]["headline"]
        assert headline.endswith(document.headline)
        assert (headline != document.headline) == ("campaign" in title.split()[-1])  # which is begun with
        assert parts[place]["data"] == json.loads(write(document, "json"))
        assert "".join(f"{title}: {headline}".split()) in "".join(page.split())
        shown = document if edition.definition["blocks"][place]["extent"] == FULL else in_brief(document)
        for table in (table for section in shown.sections for table in section.tables):
            for row in table.rows:
                line = " ".join((row.label, *(f"{cell.text} {cell.interval}" for cell in row.cells)))
                assert " ".join(line.split()) in page
        header, *lines = csv.reader(io.StringIO(write(document, "csv").decode(), newline=""))
        assert rows[title] == {
            (str(number), name): cell
            for number, line in enumerate(lines, start=1)
            for name, cell in zip(header, line, strict=True)
        }


def parts_of(text: str) -> dict[str, dict[tuple[str, str], str]]:
    """The cells of an edition's CSV, by part: (line, column) -> value."""
    header, *lines = csv.reader(io.StringIO(text, newline=""))
    assert header == ["part", "line", "column", "value"]
    found: dict[str, dict[tuple[str, str], str]] = defaultdict(dict)
    for part, line, column, value in lines:
        found[part][line, column] = value
    return found


def test_an_edition_stays_as_it_was_when_data_come_in(
    viewer: User,
    client_for: ClientFor,
    edition_of: Callable[[str], Edition],
    import_rows: ImportRows,
    refresh: Refresh,
) -> None:
    edition = edition_of("monthly_review")
    client, address = client_for(viewer), f"/w/acme/editions/{edition.pk}/"

    def all_of_it() -> list[str]:
        page = client.get(address).content.decode().split('<main class="main"')[1].split("</main>")[0]
        files = [client.get(f"{address}export.{form}").getvalue().decode() for form in ("csv", "json")]
        return [page, *files]

    before = all_of_it()
    import_rows("conversions", "customer,occurred_at,value,goal", "emma,2026-03-30T12:00Z,1000,Purchase")
    refresh()
    Run.objects.filter(kind="weightings").update(result={})
    assert all_of_it() == before
