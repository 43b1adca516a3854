"""Somebody moves budgets: others make up for it, the outcome follows at once, and what is saved is what is exported."""

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
from tests.browser.looks import narrow_first, wide_first
from tests.browser.watching import check
from tests.browser.world import EMAIL, PASSWORD
from tests.weightings.stored_runs import a_stored_run
from weightings.models import Scenario
from weightings.planner.horizon import Horizon
from weightings.planner.plan import Plan
from weightings.stored import StoredModel

pytestmark = pytest.mark.browser


@pytest.fixture
def run(transactional_db: None, tmp_path: Path, settings: Settings) -> Run:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    owner = User.objects.create_user(EMAIL, PASSWORD)
    workspace: Workspace = create_workspace(name="Corner shop", slug="shop", owner=owner)
    return a_stored_run(workspace)


@pytest.fixture
def planner(page: Page, live_server: LiveServer, run: Run) -> Page:
    client = Client()
    client.force_login(User.objects.get(email=EMAIL))
    carry_session(client, page, live_server)
    page.goto(f"{live_server.url}/w/shop/runs/{run.pk}/")
    page.get_by_role("link", name="Plan a budget").click()
    expect(page.get_by_role("heading", name="The plan is the current one.")).to_be_visible()
    return page


@narrow_first
def test_a_plan_is_made_saved_and_taken_away(planner: Page, run: Run, live_server: LiveServer) -> None:
    page = planner
    check(page)
    before = amounts(page)
    raised = slider(page, "TV")
    raised.focus()
    for _ in range(20):  # a step is 1% of what is spent now
        page.keyboard.press("ArrowRight")
    expect(page.get_by_text("Beyond history")).to_be_visible()
    expect(amount(page, "Search")).not_to_have_value(amount_text(before["Search"]))
    expect(page).to_have_url(re.compile(f"[?&]s0={amount_text(amounts(page)['TV'])}&"))  # the last answer is there
    after = amounts(page)
    assert after["TV"] == pytest.approx(1.2 * before["TV"], rel=0.01)
    assert sum(after.values()) == pytest.approx(sum(before.values()), abs=0.02)
    assert total(page) == pytest.approx(sum(before.values()), abs=0.01)
    assert after["Search"] < before["Search"]
    assert "s0=" in page.url
    check(page)

    # A locked channel stays: with only two, the other one then cannot move while the total is kept.
    page.get_by_label("Lock Search").check()
    expect(page).to_have_url(re.compile("lock1=on"))
    raised.focus()
    page.keyboard.press("ArrowRight")
    expect(amount(page, "TV")).to_have_value(amount_text(after["TV"]))
    page.get_by_label("Let the total change").check()
    page.keyboard.press("Tab")
    raised.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#plan")).not_to_have_attribute("data-total", f"{sum(before.values()):.2f}")
    assert amounts(page)["Search"] == after["Search"]

    # Who reloads, or is sent the address, sees the same.
    headline, shown = page.locator("#plan .result-headline").inner_text(), amounts(page)
    page.reload()
    expect(page.locator("#plan .result-headline")).to_have_text(headline)
    assert amounts(page) == shown
    expect(page.get_by_label("Lock Search")).to_be_checked()

    page.get_by_label("Name of the scenario").fill("More TV")
    page.get_by_role("button", name="Save scenario").click()
    expect(page.get_by_role("heading", name="More TV", level=1)).to_be_visible()
    check(page)
    kept = Scenario.objects.get()
    horizon = Horizon(StoredModel(run))
    spend = Plan.from_json(kept.plan).amounts(horizon.channels)
    assert dict(zip(horizon.channels, spend.tolist(), strict=True)) == pytest.approx(shown)
    page.locator("summary", has_text="Export").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="PowerPoint").click()
    deck = Presentation(io.BytesIO(Path(download.value.path()).read_bytes()))
    charts = [shape.chart for slide in deck.slides for shape in slide.shapes if shape.has_chart]
    planned = {
        tuple(series.values)
        for chart in charts
        for plot in chart.plots
        for series in plot.series
        if series.name == "Plan"
    }
    on_screen = tuple(shown[name] for name in horizon.channels)
    assert any(sorted(values) == pytest.approx(sorted(on_screen)) for values in planned)

    page.goto(f"{live_server.url}/w/shop/weightings/scenarios/")
    page.get_by_label("Compare More TV").check()
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("heading", name="“More TV” loses least against the current plan")).to_be_visible()
    check(page)


@wide_first
def test_a_recommendation_moves_the_sliders_and_says_why(planner: Page) -> None:
    page = planner
    before = amounts(page)
    page.get_by_label("Aim at").select_option(label="Most if it goes badly")
    page.get_by_role("button", name="Recommend").click()
    expect(page.get_by_role("heading", name="Why this budget")).to_be_visible()
    expect(page.locator("#plan")).to_contain_text("over the worst 10.0% of cases")
    after = amounts(page)
    assert after != before
    assert sum(after.values()) == pytest.approx(sum(before.values()), abs=0.02)
    check(page)
    page.get_by_role("link", name="Back to the current plan").click()
    expect(page.get_by_role("heading", name="The plan is the current one.")).to_be_visible()
    assert amounts(page) == before


@narrow_first
def test_a_mistake_takes_nothing_away_that_was_typed(planner: Page) -> None:
    page = planner
    before = total(page)
    page.locator(".planner-row", has_text="TV").locator("summary").click()
    least, most = page.get_by_label("Least").first, page.get_by_label("Most", exact=True).first
    least.fill("4000")
    most.fill("3000")
    most.press("Tab")
    expect(page.locator("#plan .alert-error")).to_contain_text("must not be less than its least")
    with page.expect_response(re.compile("s0=6000&")):
        amount(page, "TV").fill("6000")
        amount(page, "TV").press("Tab")
    most.fill("8000")
    most.press("Tab")
    expect(page).to_have_url(re.compile("s0=6000&"))
    assert amounts(page)["TV"] == 6000
    assert total(page) == pytest.approx(before, abs=0.01)


def slider(page: Page, channel: str) -> Locator:
    return page.locator(".planner-row", has_text=channel).locator("[type=range]")


def amount(page: Page, channel: str) -> Locator:
    return page.get_by_label(f"Spend on {channel}")


def amounts(page: Page) -> dict[str, float]:
    return {name: float(amount(page, name).input_value()) for name in ("TV", "Search")}


def amount_text(value: float) -> str:
    """As a number field has it."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def total(page: Page) -> float:
    return float(page.get_by_label("Total spend").input_value())
