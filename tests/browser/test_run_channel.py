"""Somebody reads a run, follows the waterfall to a channel, and reviews its campaigns: the numbers are the same."""

import io
import re
from pathlib import Path

import pytest
from django.test import Client
from playwright.sync_api import Locator, Page, expect
from pptx import Presentation
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.actions import create_workspace
from accounts.models import User, Workspace
from analyses.models import Run
from tests.browser.conftest import carry_session
from tests.browser.keyboard import press
from tests.browser.looks import narrow_first, wide_first
from tests.browser.watching import check, settle
from tests.browser.world import EMAIL, PASSWORD
from tests.weightings.campaign_rows import add_campaigns
from tests.weightings.stored_runs import a_stored_run

pytestmark = pytest.mark.browser


@pytest.fixture
def run(transactional_db: None, tmp_path: Path, settings: Settings) -> Run:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    owner = User.objects.create_user(EMAIL, PASSWORD)
    workspace: Workspace = create_workspace(name="Corner shop", slug="shop", owner=owner)
    found = a_stored_run(workspace)
    add_campaigns(found)
    return found


@pytest.fixture
def opened(page: Page, live_server: LiveServer, run: Run) -> Page:
    """The run's page."""
    client = Client()
    client.force_login(User.objects.get(email=EMAIL))
    carry_session(client, page, live_server)
    page.goto(f"{live_server.url}/w/shop/runs/{run.pk}/")
    settle(page)
    return page


def table(page: Page, title: str) -> Locator:
    return page.locator("sort-table").get_by_role("region", name=title, exact=True)


def cells(of: Locator, row: str) -> dict[str, str]:
    """What a row says, by column, each figure's text alone."""
    names = [text.strip() for text in of.locator("thead th").all_inner_texts()]
    line = of.locator("tbody tr").filter(has=of.page.get_by_role("rowheader", name=row, exact=True))
    values = [cell.evaluate("cell => cell.firstChild.textContent.trim()") for cell in line.locator("td").all()]
    return dict(zip([re.sub(r"\W+$", "", name) for name in names[1:]], values, strict=True))


def card(page: Page, label: str) -> str:
    found = page.locator(".figure-card").filter(has=page.get_by_role("heading", name=re.compile(f"^{label}")))
    return found.locator(".figure-value").inner_text()


@narrow_first
def test_a_channel_is_followed_from_the_run_and_says_the_same(opened: Page, run: Run) -> None:
    page = opened
    returns = cells(table(page, "Returns by channel"), "TV")
    budget = cells(table(page, "Current and recommended budget"), "TV")
    page.get_by_role("link", name=re.compile("^TV: ")).first.click()
    page.wait_for_url(f"**/weightings/runs/{run.pk}/channels/0/")
    expect(page.get_by_role("heading", level=1, name="TV")).to_be_visible()
    check(page)
    for label in ("Incremental ROI", "Marginal ROI", "Spend", "Incremental Sales", "Efficiency score"):
        assert card(page, label) == returns[label], label
    assert card(page, "Recommended spend") == budget["Spend, then"]
    made = table(page, "What campaigns added")
    whole = cells(made, "The channel")
    assert (whole["Spend"], whole["Incremental Sales"], whole["Incremental ROI"]) == tuple(
        returns[label] for label in ("Spend", "Incremental Sales", "Incremental ROI")
    )
    page.get_by_role("link", name="Next: Search").click()
    expect(page.get_by_role("heading", level=1, name="Search")).to_be_visible()
    expect(page.get_by_text("is no longer among the data")).to_be_visible()
    check(page)
    page.get_by_role("link", name="The run's results").click()
    page.wait_for_url(f"**/runs/{run.pk}/")


@wide_first
def test_campaigns_are_reviewed_in_some_weeks_by_keyboard(opened: Page, run: Run, live_server: LiveServer) -> None:
    page = opened
    page.goto(f"{live_server.url}/w/shop/weightings/runs/{run.pk}/channels/0/")
    made = table(page, "What campaigns added")
    assert cells(made, "Always on")["Status"] == "Still running: carry-over to come"
    before = cells(made, "Always on")["Spend"]
    page.get_by_label("From", exact=True).fill("2022-10-05")
    page.get_by_label("To", exact=True).fill("2022-12-04")
    press(page, page.get_by_role("button", name="Read these days"))
    page.wait_for_url("**/channels/0/?start=2022-10-05&end=2022-12-04#campaigns")
    settle(page)
    expect(page.get_by_text("10 Oct – 4 Dec 2022").first).to_be_visible()
    assert cells(made, "Always on")["Spend"] != before
    assert cells(made, "Always on")["Status"] == "Still running"
    check(page)
    page.get_by_label("To", exact=True).fill("2022-10-01")
    press(page, page.get_by_role("button", name="Read these days"))
    expect(page.get_by_text("The last day comes before the first.")).to_be_visible()
    check(page)
    page.get_by_role("link", name="All of the run’s period").click()
    settle(page)
    assert cells(made, "Always on")["Spend"] == before


@narrow_first
def test_the_waterfall_on_the_screen_is_the_one_on_the_slide(opened: Page, run: Run, live_server: LiveServer) -> None:
    page = opened
    steps = page.locator("figure", has=page.locator("#waterfall-title")).locator("rect.mark")
    drawn = {one.get_attribute("data-category"): float(one.get_attribute("data-value") or 0) for one in steps.all()}
    assert run.result is not None
    expected = {channel["channel"]: channel["contribution"]["mean"] for channel in run.result["channels"]}
    expected |= {"Baseline": run.result["baseline"]["outcome"]["mean"], "Expected": run.result["expected"]["mean"]}
    assert drawn == pytest.approx(expected)
    response = page.request.get(f"{live_server.url}/w/shop/runs/{run.pk}/export.pptx")
    charts = [
        shape.chart
        for slide in Presentation(io.BytesIO(response.body())).slides
        for shape in slide.shapes
        if shape.has_chart
    ]
    (slide,) = (one for one in charts if "Contribution, from" in [series.name for series in one.plots[0].series])
    lengths = next(series for series in slide.plots[0].series if series.name == "Contribution")
    on_slide = dict(zip(slide.plots[0].categories, lengths.values, strict=True))
    assert on_slide == pytest.approx({name: abs(value) for name, value in expected.items()})


@wide_first
def test_the_waterfall_is_walked_by_keyboard(opened: Page, run: Run) -> None:
    page = opened
    figure = page.locator("figure", has=page.locator("#waterfall-title"))
    link = figure.get_by_role("link", name=re.compile("^Search: "))
    link.focus()
    expect(page.locator(".chart-tooltip:popover-open")).to_contain_text("90% interval")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/weightings/runs/{run.pk}/channels/1/")
