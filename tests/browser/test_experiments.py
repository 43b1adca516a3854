"""Somebody enters a lift test by its groups, sees what it says while typing, and finds it beside the model."""

from pathlib import Path

import pytest
from django.test import Client
from playwright.sync_api import Browser, Locator, Page, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.actions import create_workspace
from accounts.models import User, Workspace
from jobs.execution import execute
from jobs.models import Job
from marketing.models import Dataset, Experiment, Import
from tests.browser.conftest import carry_session, window
from tests.browser.looks import Look, narrow_first, wide_first
from tests.browser.watching import Watch, check
from tests.browser.world import EMAIL, PASSWORD
from tests.weightings.markets import add_outcome, add_spend
from tests.weightings.stored_runs import a_stored_run

pytestmark = pytest.mark.browser
PAGE = "/w/shop/weightings/experiments/"


@pytest.fixture
def shop(transactional_db: None, tmp_path: Path, settings: Settings) -> Workspace:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    owner = User.objects.create_user(EMAIL, PASSWORD)
    workspace = create_workspace(name="Corner shop", slug="shop", owner=owner)
    add_outcome(workspace)
    add_spend(workspace)
    a_stored_run(workspace)
    return workspace


@pytest.fixture
def signed_in(page: Page, live_server: LiveServer, shop: Workspace) -> Page:
    client = Client()
    client.force_login(User.objects.get(email=EMAIL))
    carry_session(client, page, live_server)
    page.goto(f"{live_server.url}/w/shop/weightings/")
    return page


def work() -> None:
    for job in Job.objects.filter(status=Job.Status.QUEUED).order_by("pk"):
        execute(job_id=job.pk)


@narrow_first
def test_from_two_groups_to_a_test_beside_the_model(signed_in: Page, look: Look) -> None:
    page = signed_in
    page.get_by_role("main").get_by_role("link", name="Experiments").click()
    expect(page.get_by_text("No lift tests yet")).to_be_visible()
    expect(page.get_by_role("heading", name="What to test next")).to_be_visible()
    expect(page.get_by_text("would be worth about")).to_be_visible()
    check(page)

    page.get_by_role("main").get_by_role("link", name="Enter a lift test").first.click()
    expect(preview(page)).to_contain_text("appear here as you enter the test")
    page.get_by_label("Channel", exact=True).select_option("TV")
    page.get_by_label("First day").fill("2022-05-02")
    page.get_by_label("Last day").fill("2022-05-29")
    page.get_by_label("Spend of the test").fill("1,500")
    expect(page.get_by_label("Standard error of the lift")).to_be_visible()
    page.get_by_role("radio", name="Sizes and conversions of both groups").check()
    expect(page.get_by_label("Standard error of the lift")).to_be_hidden()
    page.get_by_label("People in the test group").fill("8000")
    page.get_by_label("Converted in the test group").fill("240")
    page.get_by_label("People in the control group").fill("4000")
    page.get_by_label("Converted in the control group").fill("5000")
    page.get_by_label("Value of a conversion").fill("30")
    expect(preview(page)).to_contain_text("More conversions than people")
    page.get_by_label("Converted in the control group").fill("80")
    expect(amount(page, "More conversions")).to_contain_text("80 conversions")
    expect(amount(page, "Lift")).to_contain_text("€2,400")
    expect(amount(page, "Incremental ROI")).to_contain_text("1.60")
    expect(preview(page)).to_contain_text("The newest model of Sales says")
    expect(preview(page).locator("chart-figure svg circle").first).to_be_visible()
    check(page)

    page.get_by_role("button", name="Save the test").click()
    expect(page.get_by_text("The test of TV is saved.")).to_be_visible()
    expect(page.get_by_text("is being saved")).to_be_visible()
    work()
    row = page.get_by_role("row").filter(has_text="2–29 May 2022")
    expect(row).to_contain_text("€2,400")  # by itself: the list asks again
    expect(row).to_contain_text("Not in the run")
    expect(page.get_by_text("is being saved")).to_be_hidden()
    assert Experiment.objects.get().lift == pytest.approx(2400)
    check(page)

    row.get_by_role("link", name="Undo").click()
    page.get_by_role("button", name="Undo this import").click()
    page.wait_for_url("**/data/imports/*/")
    work()
    page.goto(page.url.partition("/w/")[0] + PAGE)
    expect(page.get_by_text("No lift tests yet")).to_be_visible()


@wide_first
def test_what_looks_wrong_is_asked_again(
    browser: Browser, live_server: LiveServer, shop: Workspace, look: Look
) -> None:
    client = Client()
    client.force_login(User.objects.get(email=EMAIL))
    with window(browser, look) as page:
        watch = Watch(page)
        carry_session(client, page, live_server)
        page.goto(f"{live_server.url}{PAGE}new/")
        page.get_by_label("Channel", exact=True).select_option("TV")
        page.get_by_label("First day").fill("2022-05-02")
        page.get_by_label("Last day").fill("2022-05-29")
        page.get_by_label("Spend of the test").fill("1500")
        page.get_by_label("Lift", exact=True).fill("2400500")
        page.get_by_label("Standard error of the lift").fill("600000")
        expect(preview(page)).to_contain_text("is more than all of Sales in these days")
        page.get_by_label("Standard error of the lift").press("Enter")  # saves
        expect(page.get_by_role("alert")).to_contain_text("This does not look right")
        expect(page.get_by_label("Lift", exact=True)).to_have_value("2400500")  # what was typed stays
        check(page)
        assert watch.take(refused=True) == []
        assert not Import.objects.filter(dataset=Dataset.EXPERIMENTS).exists()
        page.get_by_role("button", name="Save all the same").click()
        expect(page.get_by_text("The test of TV is saved.")).to_be_visible()
        assert Import.objects.filter(dataset=Dataset.EXPERIMENTS).count() == 1
        assert watch.take() == []


def test_it_works_without_a_script(browser: Browser, live_server: LiveServer, shop: Workspace) -> None:
    client = Client()
    client.force_login(User.objects.get(email=EMAIL))
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    carry_session(client, page, live_server)
    page.goto(f"{live_server.url}{PAGE}new/")
    page.get_by_label("Channel", exact=True).select_option("Search")
    page.get_by_label("First day").fill("2022-05-02")
    page.get_by_label("Last day").fill("2022-05-29")
    page.get_by_label("Spend of the test").fill("900")
    page.get_by_label("Lift", exact=True).fill("700")
    page.get_by_role("radio", name="Lift and its interval").check()
    page.get_by_label("From", exact=True).fill("308")
    page.get_by_label("To", exact=True).fill("1092")
    page.get_by_role("button", name="Preview").click()
    expect(preview(page)).to_contain_text("€200")  # the standard error
    page.get_by_role("button", name="Save the test").click()
    work()
    page.goto(f"{live_server.url}{PAGE}")
    expect(page.get_by_role("row").filter(has_text="2–29 May 2022")).to_contain_text("€700")
    context.close()


def preview(page: Page) -> Locator:
    return page.locator("#test-preview")


def amount(page: Page, label: str) -> Locator:
    return preview(page).locator("dl > div", has=page.get_by_text(label, exact=True))
