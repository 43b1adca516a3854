"""Somebody puts a report together from a template, previews it, reads it and takes it away."""

from pathlib import Path

import pytest
from django.test import Client
from playwright.sync_api import Download, Page, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.actions import create_workspace
from accounts.models import User, Workspace
from analyses.models import Run
from attribution.cube.daily_cube import refresh_cube
from jobs.execution import execute
from reports.models import Edition, Report
from tests.browser.conftest import carry_session
from tests.browser.looks import Look, wide_first
from tests.browser.watching import check
from tests.browser.world import EMAIL, PASSWORD, import_some_months

pytestmark = pytest.mark.browser
WORDS = "Search carried the week."


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
    page.goto(f"{live_server.url}/w/shop/reports/")
    return page


def carry_out() -> None:
    """What a worker does."""
    edition = Edition.objects.get()
    for block in edition.definition["blocks"]:
        if block["run"]:
            execute(job_id=Run.objects.get(pk=block["run"]).job_id)
    execute(job_id=edition.job_id)


def download(page: Page, form: str) -> bytes:
    link = page.get_by_role("link", name=form)
    if not link.is_visible():
        page.get_by_text("Export").click()
    with page.expect_download() as waiting:
        link.click()
    found: Download = waiting.value
    return Path(found.path()).read_bytes()


@wide_first
def test_from_a_template_to_slides(signed_in: Page, look: Look) -> None:
    page = signed_in
    page.get_by_role("link", name="Weekly performance").click()
    page.get_by_label("Period").select_option("Last 30 days")
    check(page)
    page.get_by_role("button", name="Create report").click()
    expect(page.get_by_role("heading", level=2, name="The week in figures")).to_be_visible()

    page.get_by_label("Add", exact=True).select_option("Text")
    page.get_by_role("button", name="Add block").click()
    expect(page.get_by_role("heading", name="3 Text")).to_be_focused()
    page.get_by_role("textbox", name="Text").fill(WORDS)
    expect(page.get_by_text(f"{len(WORDS)} of 10,000 characters used.")).to_be_visible()
    page.get_by_role("button", name="Move up Text").click()
    expect(page.get_by_role("heading", name="2 Text")).to_be_focused()
    expect(page.get_by_role("status").filter(has_text="is now block 2 of 3")).to_be_attached()
    expect(page.get_by_role("textbox", name="Text")).to_have_value(WORDS)  # what was typed stays
    page.get_by_label("Title").nth(1).fill("In our words")
    check(page)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("The report is saved.")).to_be_visible()
    assert [block["title"] for block in Report.objects.get().blocks] == [
        "The week in figures",
        "In our words",
        "Credit by channel",
    ]

    page.get_by_role("button", name="Save and preview").click()
    page.wait_for_url("**/editions/*/")
    expect(page.get_by_role("progressbar")).to_be_visible()
    check(page)
    carry_out()
    expect(page.get_by_role("heading", name="Executive summary")).to_be_visible()  # without a reload
    expect(page.get_by_text(WORDS)).to_be_visible()
    summary = page.locator(".edition-summary")
    number = summary.get_by_role("listitem").nth(1).get_by_role("link").nth(1)
    target = number.get_attribute("href")
    number.click()
    expect(page.locator(f"{target}:target")).to_be_in_viewport()
    check(page)
    assert download(page, "PDF").startswith(b"%PDF-")
    assert download(page, "PowerPoint").startswith(b"PK")

    page.get_by_role("link", name="The report").click()
    page.get_by_role("button", name="Duplicate").click()
    expect(page.get_by_role("heading", level=1, name="Weekly performance (copy)")).to_be_visible()
    check(page)
