"""The audit log in a real browser: a filter changes the list and the address, and Back has both again."""

from pathlib import Path

import pytest
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.actions import change_settings, create_workspace
from accounts.audit import record
from accounts.models import User, Workspace
from tests.browser.conftest import carry_session
from tests.browser.watching import check

pytestmark = pytest.mark.browser


@pytest.fixture
def shop(transactional_db: None, tmp_path: Path, settings: Settings) -> Workspace:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    owner = User.objects.create_user("owner@example.com")
    shop = create_workspace(name="Harbour & Finch", slug="shop", owner=owner)
    change_settings(workspace=shop, values={"window_days": 60}, by=owner)
    record(workspace=shop, action="import.finished", target="spend.csv")
    return shop


def test_a_filter_changes_list_and_address_and_back_has_both_again(
    live_server: LiveServer, page: Page, shop: Workspace
) -> None:
    client = Client()
    client.force_login(User.objects.get())
    carry_session(client, page, live_server)
    log = f"{live_server.url}/w/shop/settings/audit/"
    page.goto(log)
    events = page.locator("#events")
    expect(events.get_by_text("spend.csv")).to_be_visible()
    page.get_by_label("What", exact=True).select_option("settings.changed")
    expect(events.get_by_text("spend.csv")).to_have_count(0)
    expect(page).to_have_url(f"{log}?action=settings.changed")
    expect(page.get_by_role("status").filter(has_text="1 event shown.")).to_be_attached()
    events.get_by_text("What changed").click()
    expect(events.get_by_role("row", name="Window days 30 60")).to_be_visible()
    check(page)
    page.get_by_label("Object contains").fill("nowhere")
    page.get_by_label("Object contains").press("Enter")
    expect(events.get_by_text("No event fits these filters.")).to_be_visible()
    expect(page).to_have_url(f"{log}?action=settings.changed&target=nowhere")
    page.go_back()
    expect(page.get_by_label("Object contains")).to_have_value("")
    expect(page.get_by_label("What", exact=True)).to_have_value("settings.changed")
    expect(events.get_by_text("What changed")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as CSV").click()
    lines = Path(download.value.path()).read_text().splitlines()
    assert [line.split(",")[3] for line in lines] == ["action", "settings.changed"]
