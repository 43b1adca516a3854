"""The admin in Chromium, under the product's content security policy: its scripts run, and nothing is refused."""

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from accounts.models import AuditEvent, User
from analyses.models import Run
from tests.browser.conftest import carry_session, window
from tests.browser.looks import LOOKS
from tests.browser.watching import Watch
from tests.operations.admin_world import add_rows, make_place

pytestmark = pytest.mark.browser


def test_lists_forms_and_viewing_as_somebody_work_and_nothing_is_refused(
    transactional_db: None, live_server: LiveServer, browser: Browser
) -> None:
    with window(browser, LOOKS[0]) as page:
        work_in_the_admin(live_server, page)


def work_in_the_admin(live_server: LiveServer, page: Page) -> None:
    workspace, person = make_place()
    add_rows(workspace, person, range(2))
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.com"))
    carry_session(client, page, live_server)
    watch = Watch(page)

    # A list with a hierarchy of dates and filters: its script counts what is ticked.
    page.goto(f"{live_server.url}/admin/analyses/run/")
    page.get_by_label("Select all objects on this page").check()
    assert page.get_by_text("2 of 2 selected").is_visible()
    page.get_by_role("link", name="Failed", exact=True).click()
    assert "job__status__exact=failed" in page.url

    # A row's own page and its action.
    page.goto(f"{live_server.url}/admin/analyses/run/{Run.objects.latest('created_at').pk}/change/")
    assert page.get_by_role("button", name="Ask again").is_visible()

    # A form whose widget for groups is a script, and the switch of the theme.
    page.goto(f"{live_server.url}/admin/accounts/user/{person.pk}/change/")
    page.locator("#id_groups_from option").first.dblclick()
    assert page.locator("#id_groups_to option").count() == 1
    page.get_by_role("button", name="Toggle theme").first.click()
    page.goto(f"{live_server.url}/admin/status/")
    assert page.get_by_text("No worker lives.").is_visible()

    page.goto(f"{live_server.url}/admin/accounts/user/{person.pk}/change/")
    page.get_by_role("button", name="View as").click()
    page.get_by_label("Why?").fill("Ticket 17")
    page.get_by_role("button", name="View as them").click()
    page.goto(f"{live_server.url}/w/acme/settings/team/")
    banner = page.get_by_role("region", name="Viewing as somebody else")
    assert "anna@example.com" in banner.inner_text()
    banner.get_by_role("button", name="Stop").click()
    page.wait_for_url(f"**/admin/accounts/user/{person.pk}/change/")
    assert AuditEvent.objects.filter(action="impersonation.ended", target=person.email).exists()
    assert not watch.take()
