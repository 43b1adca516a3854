"""Somebody keeps a segment, sees what it holds while choosing, and asks attribution of it: fewer, and they add up."""

import re
from pathlib import Path

import pytest
from django.test import Client
from playwright.sync_api import Browser, Locator, Page, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.actions import create_workspace
from accounts.models import User, Workspace
from analyses.models import Run
from attribution.cube.daily_cube import refresh_cube
from jobs.execution import execute
from marketing.models import SavedSegment
from tests.browser.conftest import carry_session
from tests.browser.looks import Look, wide_first
from tests.browser.watching import check
from tests.browser.world import EMAIL, PASSWORD, import_some_months

pytestmark = pytest.mark.browser
NAME = "Coming back with much"


@pytest.fixture
def shop(transactional_db: None, tmp_path: Path, settings: Settings) -> Workspace:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    owner = User.objects.create_user(EMAIL, PASSWORD)
    workspace = create_workspace(name="Corner shop", slug="shop", owner=owner)
    import_some_months(workspace, tmp_path)
    execute(job_id=refresh_cube(workspace=workspace, ring=False).job_id)
    return workspace


@pytest.fixture
def signed_in(page: Page, live_server: LiveServer, shop: Workspace) -> Page:
    client = Client()
    client.force_login(User.objects.get(email=EMAIL))
    carry_session(client, page, live_server)
    page.goto(f"{live_server.url}/w/shop/data/segments/")
    return page


@wide_first
def test_from_choosing_customers_to_the_credit_of_their_conversions(signed_in: Page, look: Look) -> None:
    page = signed_in
    page.get_by_role("main").get_by_role("link", name="New segment").first.click()
    everybody = amount(page, "Conversions")
    page.get_by_label("Name", exact=True).fill(NAME)
    page.get_by_role("button", name="New or returning").click()
    expect(page.get_by_role("heading", name="Condition 1: New or returning")).to_be_focused()
    expect(preview(page)).to_contain_text("Complete the conditions")
    page.get_by_role("radio", name="Returning").check()
    expect(preview(page)).to_contain_text("Returning customers")
    returning = amount(page, "Conversions")
    assert 0 < returning < everybody
    page.get_by_role("button", name="Value", exact=True).click()
    expect(page.get_by_label("Name", exact=True)).to_have_value(NAME)  # what was typed stays
    expect(page.get_by_role("radio", name="Returning")).to_be_checked()
    page.get_by_label("At least").fill("200")
    expect(preview(page)).to_contain_text("value of 200 or more")
    held = amount(page, "Conversions")
    assert 0 < held < returning
    check(page)

    page.get_by_role("button", name="Save segment").click()
    expect(page.get_by_text(f"“{NAME}” is saved.")).to_be_visible()
    row = page.get_by_role("listitem").filter(has_text=NAME)
    expect(row).to_contain_text("Returning customers; value of 200 or more")
    assert number(row.locator(".segment-amount").first) == held
    check(page)

    row.get_by_role("link", name="Attribution").click()
    expect(page.get_by_label("Segment", exact=True)).to_have_value(NAME)
    page.get_by_role("button", name="Run analysis").click()
    page.wait_for_url("**/runs/*/")
    run = Run.objects.get(kind="attribution")
    execute(job_id=run.job_id)
    card = page.locator("[data-card=conversions]")
    expect(card.locator(".figure-value")).to_have_text(f"{held:,}")
    share = held / everybody
    expect(card).to_contain_text(f"{share:.1%} of all {everybody:,}")
    credited = [float(cell.get_attribute("data-value") or "") for cell in figures(page)]
    *parts, total = credited
    assert total == held
    assert sum(parts) == pytest.approx(held, abs=1e-9)
    expect(page.get_by_text(f"These are the conversions of the segment “{NAME}”")).to_be_visible()
    check(page)


def test_it_works_without_a_script(browser: Browser, live_server: LiveServer, shop: Workspace) -> None:
    client = Client()
    client.force_login(User.objects.get(email=EMAIL))
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    carry_session(client, page, live_server)
    page.goto(f"{live_server.url}/w/shop/data/segments/new/")
    page.get_by_label("Name", exact=True).fill("By mail")
    page.get_by_role("button", name="First channel").click()
    page.get_by_role("button", name="Number of touches").click()
    page.get_by_label("Email").check()
    page.get_by_role("button", name="Remove condition 2").click()
    expect(page.get_by_label("Email")).to_be_checked()
    page.get_by_role("button", name="Count again").click()
    expect(preview(page)).to_contain_text("First channel is Email")
    assert amount(page, "Conversions") > 0
    page.get_by_label("Name", exact=True).press("Enter")  # saves, and does not press the first button there is
    expect(page.get_by_role("heading", name="By mail")).to_be_visible()
    assert SavedSegment.objects.get().definition["conditions"] == [{"type": "first_channel", "any_of": ["Email"]}]
    context.close()


def preview(page: Page) -> Locator:
    return page.locator("#segment-preview")


def amount(page: Page, label: str) -> int:
    return number(preview(page).locator("div", has=page.get_by_text(label, exact=True)).locator(".segment-amount"))


def number(found: Locator) -> int:
    return int(re.sub(r"\D", "", found.inner_text()))


def figures(page: Page) -> list[Locator]:
    """The conversions of each channel, and last the total."""
    return page.locator("sort-table").first.locator("tbody tr td:nth-child(2)").all()
