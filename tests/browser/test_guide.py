"""The user guide in a browser: from a page to its part, and the search that follows what is typed."""

import re

import pytest
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User, Workspace
from tests.browser.conftest import carry_session
from tests.browser.looks import narrow_first

pytestmark = pytest.mark.browser


@narrow_first
def test_from_a_page_to_its_part_of_the_guide_and_on(
    live_server: LiveServer, page: Page, transactional_db: None, shop: Workspace, owner: User
) -> None:
    client = Client()
    client.force_login(owner)
    carry_session(client, page, live_server)
    page.goto(f"{live_server.url}/w/acme/settings/channels/")
    page.get_by_role("link", name="Help with this page").click()
    expect(page).to_have_url(f"{live_server.url}/help/channels-and-grouping/")
    page.get_by_role("searchbox").fill("undo")
    page.keyboard.press("Enter")
    results = page.get_by_role("list").filter(has=page.get_by_role("link", name="Undo an import"))
    expect(results).to_be_visible()
    page.get_by_role("searchbox").fill("lookback window")
    expect(page.locator("#results mark").first).to_have_text(re.compile("lookback|window", re.IGNORECASE))
    expect(page).to_have_url(re.compile(r"/help/search/\?q=lookback(\+|%20)window$"))
    page.locator("#results a").first.click()
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Search the guide")
