"""Getting data in, as people do: by the pages, with every step in order to the console, to axe and in its width."""

import csv
import re
from pathlib import Path

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.actions import create_workspace
from accounts.models import User, Workspace
from marketing.models import ChannelSpend, Event, Import, OutcomeValue
from tests.browser.conftest import carry_session, window
from tests.browser.looks import Look, narrow_first, one_look
from tests.browser.watching import Watch, check
from tests.browser.world import EMAIL
from tests.marketing.test_import_data_command import MMM, needs_reference
from tests.marketing.uploading import spend_file, work

pytestmark = pytest.mark.browser
PYMC_COLUMNS = (("x1", "spend", "Channel 1"), ("x2", "spend", "Channel 2"), ("y", "outcome", "Sales"))


@pytest.fixture
def shop(transactional_db: None, tmp_path: Path, settings: Settings, live_server: LiveServer, page: Page) -> Workspace:
    """A workspace without data, whose owner is signed in on the page."""
    settings.MEDIA_ROOT = str(tmp_path / "media")
    owner = User.objects.create_user(EMAIL)
    carry_session(signed_in(), page, live_server)
    return create_workspace(name="Harbour & Finch", slug="shop", owner=owner)


def signed_in() -> Client:
    client = Client()
    client.force_login(User.objects.get(email=EMAIL))
    return client


def upload(page: Page, live_server: LiveServer, file: Path) -> None:
    page.goto(f"{live_server.url}/w/shop/data/")
    check(page)
    page.get_by_label("Choose a file").set_input_files(file)
    expect(page.get_by_role("heading", name="Import a file")).to_be_visible()
    check(page)


def check_rows(page: Page) -> None:
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_text("Waiting for a worker")).to_be_visible()
    check(page)
    work()
    expect(page.get_by_role("heading", name=re.compile("valid, "))).to_be_visible()
    check(page)


def import_rows(page: Page, button: str) -> None:
    page.get_by_role("button", name=button, exact=True).click()
    expect(page.get_by_text("Waiting for a worker")).to_be_visible()
    check(page)
    work()
    expect(page.locator(".import-counts")).to_be_visible()
    check(page)


def counts(page: Page) -> list[str]:
    """Accepted, rejected and duplicates, as the page of the import says."""
    return page.locator(".import-counts dd").all_inner_texts()


@narrow_first
def test_a_file_with_bad_rows_is_checked_imported_and_told_apart_when_it_comes_again(
    live_server: LiveServer, page: Page, shop: Workspace, tmp_path: Path
) -> None:
    file = tmp_path / "costs.csv"
    file.write_text(spend_file())
    upload(page, live_server, file)
    expect(page.get_by_label("Dataset")).to_have_value("spend")
    expect(page.get_by_label("Cost", exact=True)).to_have_value("spend")
    check_rows(page)
    expect(page.get_by_role("heading", name="97 valid, 3 rejected")).to_be_visible()
    reasons = page.get_by_role("region", name="Why rows are rejected")
    expect(reasons.get_by_role("row")).to_have_count(4)
    expect(reasons.get_by_role("row").filter(has_text="negative")).to_contain_text("12")
    expect(reasons.get_by_role("row").filter(has_text="2026-02-30")).to_contain_text("Day")
    page.get_by_text("Row by row").click()
    check(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download rejected rows").click()
    assert download.value.suggested_filename == "costs-rejected.csv"
    with Path(download.value.path()).open(encoding="utf-8-sig", newline="") as content:
        assert [(row["Row"], row["Cost"]) for row in csv.DictReader(content)] == [
            ("12", "-11.50"),
            ("40", "n/a"),
            ("77", "76.50"),
        ]
    assert not Import.objects.exists()
    import_rows(page, "Import 97 valid rows")
    assert counts(page) == ["97", "3", "0"]
    assert ChannelSpend.objects.filter(shadowed=False).count() == 97

    upload(page, live_server, file)
    before = re.compile(rf"This file was imported on .* by {EMAIL} \(97 rows\)")
    expect(page.get_by_text(before)).to_be_visible()
    check_rows(page)
    expect(page.get_by_text(before)).to_be_visible()
    import_rows(page, "Import 97 valid rows again")
    assert counts(page) == ["0", "3", "97"]
    assert ChannelSpend.objects.filter(shadowed=False).count() == 97

    page.get_by_role("link", name="Undo…").click()
    check(page)
    page.get_by_role("button", name="Undo this import").click()
    expect(page.get_by_text("Being undone")).to_be_visible()
    work()
    expect(page.get_by_text("Undone", exact=True).first).to_be_visible()
    check(page)
    page.get_by_role("link", name="Data", exact=True).last.click()
    expect(page.get_by_role("row").filter(has_text="costs.csv")).to_have_count(2)
    check(page)


@one_look
def test_what_a_file_does_not_tell_is_asked_and_going_back_shows_what_was_chosen(
    live_server: LiveServer, page: Page, shop: Workspace, tmp_path: Path
) -> None:
    file = tmp_path / "days.csv"
    file.write_text("date,channel,spend\n03/04/2026,TV,5\n05/06/2026,Radio,6\n")
    upload(page, live_server, file)
    question = page.get_by_role("group", name=re.compile("Which comes first"))
    expect(question).to_be_visible()
    question.get_by_label("Day, month, year").check()
    page.get_by_role("button", name="Go on to the columns").click()
    page.wait_for_url("**/columns/")
    check(page)
    page.get_by_label("Dataset").select_option("outcomes")
    page.wait_for_url("**/columns/?dataset=outcomes")
    check(page)
    page.go_back()
    expect(page.get_by_label("Dataset")).to_have_value("spend")
    page.go_back()
    page.get_by_text("Change how it is read").click()
    expect(page.get_by_label("Order of dates")).to_have_value("dmy")
    check(page)


@one_look
def test_a_file_that_is_none_is_refused_where_it_was_chosen(
    live_server: LiveServer, browser: Browser, page: Page, shop: Workspace, look: Look, tmp_path: Path
) -> None:
    file = tmp_path / "picture.png"
    file.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\x00")
    page.goto(f"{live_server.url}/w/shop/data/")
    with window(browser, look) as other:  # whose console may tell of the refusal
        carry_session(signed_in(), other, live_server)
        watch = Watch(other)
        other.goto(f"{live_server.url}/w/shop/data/")
        other.get_by_label("Choose a file").set_input_files(file)
        expect(other.get_by_text("This is a binary file")).to_be_visible()
        check(other)
        assert [text for text in watch.take() if "status of 422" not in text] == []
        # What is too large is not even sent.
        other.locator("drop-zone").evaluate("zone => { zone.dataset.maxBytes = 5; }")
        other.get_by_label("Choose a file").set_input_files(file)
        expect(other.get_by_text("The file is larger than what can be taken in at once.")).to_be_visible()
        check(other)
        assert watch.take() == []


@one_look
def test_a_file_can_be_dropped(live_server: LiveServer, page: Page, shop: Workspace) -> None:
    page.goto(f"{live_server.url}/w/shop/data/")
    dropped = page.evaluate_handle(
        """() => {
            const data = new DataTransfer();
            data.items.add(new File(["date,channel,spend\\n2026-01-01,TV,5\\n"], "dropped.csv"));
            return data;
        }"""
    )
    page.dispatch_event(".drop-zone", "dragover", {"dataTransfer": dropped})
    expect(page.locator(".drop-zone-over")).to_be_visible()
    check(page)
    page.dispatch_event(".drop-zone", "drop", {"dataTransfer": dropped})
    page.wait_for_url("**/columns/")
    expect(page.get_by_text("dropped.csv")).to_be_visible()


@one_look
@needs_reference
@pytest.mark.parametrize(
    ("file", "rows"),
    [
        ("robyn_dt_simulated_weekly.csv", 208),
        pytest.param("meridian_national_all_channels.csv", 156, marks=pytest.mark.full),
        pytest.param("meridian_geo_all_channels.csv", 6_240, marks=pytest.mark.full),
        ("pymc_mmm_example.csv", 179),
    ],
)
def test_published_media_tables_are_imported_unedited(
    live_server: LiveServer, page: Page, shop: Workspace, file: str, rows: int
) -> None:
    upload(page, live_server, MMM / file)
    if (go_on := page.get_by_role("button", name="Go on to the columns")).count():
        go_on.click()
    page.get_by_label("Dataset").select_option("media_table")
    if file.startswith("pymc"):  # its columns do not tell what they are
        page.wait_for_url(re.compile("/columns/"))
        for column, kind, name in (
            ("x1", "spend", "Channel 1"),
            ("x2", "spend", "Channel 2"),
            ("y", "outcome", "Sales"),
        ):
            page.get_by_label(column, exact=True).select_option(kind)
            page.get_by_label(f"Name for {column}", exact=True).fill(name)
    check_rows(page)
    import_rows(page, f"Import {rows:,} rows")
    assert counts(page) == [f"{rows:,}", "0", "0"]
    assert ChannelSpend.objects.filter(shadowed=False).exists()
    assert OutcomeValue.objects.filter(shadowed=False).count() >= rows
    if file.startswith("robyn"):
        assert Event.objects.filter(shadowed=False).count() == 2
