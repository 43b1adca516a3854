"""Journeys across channels in a browser: from a link to its journeys, from a pair to its report, and back."""

import csv
import re
from pathlib import Path

import pytest
from django.test import Client
from playwright.sync_api import Locator, Page, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.actions import create_workspace
from accounts.models import User, Workspace
from analyses.models import Run
from jobs.execution import execute
from marketing.importing.actions import request_import
from marketing.models import Dataset, Import
from tests.browser.conftest import carry_session
from tests.browser.keyboard import press
from tests.browser.looks import one_look
from tests.browser.watching import check, settle
from tests.browser.world import EMAIL, PASSWORD
from tests.crosschannel.shop import END, START, conversion_rows, touch_rows

pytestmark = pytest.mark.browser


@pytest.fixture
def shop(transactional_db: None, tmp_path: Path, settings: Settings) -> Workspace:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    owner = User.objects.create_user(EMAIL, PASSWORD)
    workspace = create_workspace(name="Corner shop", slug="shop", owner=owner)
    for dataset, rows in ((Dataset.TOUCHPOINTS, touch_rows()), (Dataset.CONVERSIONS, conversion_rows())):
        file = tmp_path / f"{dataset}.csv"
        file.write_text("\n".join(rows))
        batch = request_import(
            workspace=workspace, dataset=dataset, file=file, mapping={}, by=owner, origin=Import.Origin.CLI, ring=False
        )
        execute(job_id=batch.job_id)
    return workspace


@pytest.fixture
def answered(page: Page, live_server: LiveServer, shop: Workspace) -> Page:
    """The page Cross-channel with the answer to its question, asked by its form."""
    client = Client()
    client.force_login(User.objects.get(email=EMAIL))
    carry_session(client, page, live_server)
    page.goto(f"{live_server.url}/w/shop/crosschannel/?start={START}&end={END}")
    expect(page.get_by_text("Nobody has looked at journeys across channels")).to_be_visible()
    press(page, page.get_by_role("button", name="Show journeys"))
    page.wait_for_url(re.compile(rf"/crosschannel/\?.*start={START}"))
    expect(page.locator("#status").get_by_text("Waiting for a worker")).to_be_visible()
    execute(job_id=Run.objects.get(kind="crosschannel").job_id)  # as a worker would
    expect(page.get_by_role("heading", name="Flows of journeys")).to_be_visible(timeout=20_000)
    settle(page)
    return page


def figure(page: Page, chart: str) -> Locator:
    return page.locator("figure", has=page.locator(f"#{chart}-title"))


def number(text: str) -> float:
    return float(re.sub(r"[^\d.]", "", text))


@one_look
def test_a_link_of_the_flows_opens_its_journeys(answered: Page) -> None:
    page = answered
    check(page)
    flows = figure(page, "flows")
    link = flows.get_by_role("link", name=re.compile("^1 Email → 2 Search: "))
    link.focus()
    tooltip = page.locator(".chart-tooltip:popover-open")
    expect(tooltip).to_contain_text("1 Email → 2 Search")
    said = number(tooltip.locator(".tooltip-row").first.inner_text())

    # As a table: what leaves the first step is all journeys.
    flows.get_by_text("View as table").click()
    rows = flows.locator("tbody tr").filter(has=page.get_by_role("rowheader", name=re.compile("^1 ")))
    first = [row.locator("td").first.inner_text() for row in rows.all()]
    shown = page.locator(".figure-card", has=page.get_by_role("heading", name="Journeys")).locator(".figure-value")
    assert sum(map(number, first)) == number(shown.inner_text())

    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/journeys/?at=1%3AEmail&at=2%3ASearch")
    settle(page)
    check(page)
    total = page.locator('[data-figure="journeys"]')
    assert number(total.inner_text()) == said
    listed = page.locator("section", has=page.get_by_role("heading", name="Paths")).locator("tbody tr")
    assert all(
        row.locator("th").inner_text().startswith("Email \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} Search")
        for row in listed.all()
    )
    counted = sum(number(row.locator("td").nth(1).inner_text()) for row in listed.all())
    assert counted == said

    with page.expect_download() as download:
        page.get_by_role("link", name="Download CSV").click()
    with download.value.path().open() as file:
        assert sum(float(row["journeys"]) for row in csv.DictReader(file)) == said

    # A node of these journeys narrows them further, and each condition can be taken away again.
    page.get_by_role("link", name=re.compile("^3 (Display|Email|Search|Social): ")).first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/journeys/?at=1%3AEmail&at=2%3ASearch&at=3%3A*")
    assert number(total.inner_text()) < said
    page.get_by_role("link", name=re.compile("^Touch 3: .*: remove$")).click()
    page.wait_for_url("**/journeys/?at=1%3AEmail&at=2%3ASearch")
    assert number(total.inner_text()) == said
    page.get_by_label("Channels on the path").fill("nowhere")
    press(page, page.get_by_role("button", name="Search"))
    expect(page.get_by_text("No path of these journeys matches.")).to_be_visible()


@one_look
def test_a_pair_of_the_heatmap_opens_its_report(answered: Page, live_server: LiveServer) -> None:
    page = answered
    pairs = figure(page, "pairs")
    cell = pairs.get_by_role("link", name=re.compile("^Email and Search: |^Search and Email: ")).first
    cell.hover()
    tooltip = page.locator(".chart-tooltip:popover-open")
    expect(tooltip).to_contain_text("journeys with both")
    said = tooltip.inner_text()
    result = Run.objects.get(kind="crosschannel").result
    assert result is not None
    (pair,) = (each for each in result["pairs"] if (each["a"], each["b"]) == ("Email", "Search"))
    effect = f"+{pair['effect_per_1000']:.1f}"
    ends = [f"{abs(pair[end]):.1f}" for end in ("low", "high")]
    for text in (effect, *ends, f"{pair['journeys_both']} journeys with both", "95% interval"):
        assert text in said, text

    cell.click()
    page.wait_for_url("**/pair/?a=*")
    settle(page)
    check(page)
    report = page.locator("main").inner_text()
    for text in (effect, *ends, str(pair["journeys_both"])):
        assert text in report, text
    page.goto(f"{page.url.partition('?')[0]}?a=Search&b=Email")
    settle(page)
    assert page.locator("main").inner_text() == report
