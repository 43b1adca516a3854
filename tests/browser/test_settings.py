"""Settings in a real browser: a colleague comes in by invitation, and what depends on a choice shows with it."""

from pathlib import Path

import pytest
from django.core import mail
from django.test import Client
from playwright.sync_api import Browser, Page, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.actions import create_workspace
from accounts.models import Membership, Role, User, Workspace
from tests.browser.conftest import carry_session, window
from tests.browser.looks import Look, every_look, narrow_first
from tests.browser.watching import Watch, axe_findings, check, nothing_goes_wrong, overflow

pytestmark = pytest.mark.browser


@pytest.fixture
def shop(transactional_db: None, tmp_path: Path, settings: Settings) -> Workspace:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    owner = User.objects.create_user("owner@example.com")
    return create_workspace(name="Harbour & Finch", slug="shop", owner=owner)


def as_owner(page: Page, live_server: LiveServer) -> None:
    client = Client()
    client.force_login(User.objects.get(email="owner@example.com"))
    carry_session(client, page, live_server)


@narrow_first
def test_a_colleague_is_invited_signs_up_and_is_removed_again(
    live_server: LiveServer, browser: Browser, page: Page, shop: Workspace, look: Look
) -> None:
    as_owner(page, live_server)
    page.goto(f"{live_server.url}/w/shop/settings/team/")
    page.get_by_label("E-mail address").fill("new@example.com")
    page.get_by_label("Role", exact=True).select_option("viewer")
    page.get_by_role("button", name="Send invitation").click()
    expect(page.get_by_role("heading", name="new@example.com is invited")).to_be_visible()
    check(page)
    link = page.get_by_label("Link of the invitation").inner_text()
    assert link in mail.outbox[-1].body
    with window(browser, look) as other, nothing_goes_wrong(other):
        come_in(other, link)
    page.get_by_role("link", name="Back to the team").click()
    page.get_by_label("Role of new@example.com", exact=True).select_option("analyst")
    page.get_by_role("button", name="Save the role of new@example.com").click()
    expect(page.get_by_text("The role of new@example.com is now analyst.")).to_be_visible()
    assert Membership.objects.get(user__email="new@example.com").role == Role.ANALYST
    page.get_by_role("link", name="Remove new@example.com").click()
    check(page)
    page.get_by_role("button", name="Remove from the workspace").click()
    expect(page.get_by_text("new@example.com is no longer a member.")).to_be_visible()
    assert not Membership.objects.filter(user__email="new@example.com").exists()


def come_in(page: Page, link: str) -> None:
    page.goto(link)
    expect(page.get_by_role("heading", name="Join Harbour & Finch")).to_be_visible()
    check(page)
    page.get_by_role("link", name="Create an account").click()
    expect(page.get_by_label("Email")).to_have_value("new@example.com")
    for field in page.locator("input[type=password]").all():
        field.fill("a long enough password")
    page.get_by_role("button", name="Create account").click()
    page.get_by_role("button", name="Join the workspace").click()
    expect(page.get_by_text("Welcome to Harbour & Finch. Your role is viewer.")).to_be_visible()
    assert Membership.objects.get(user__email="new@example.com").role == Role.VIEWER


def test_a_custom_number_of_days_is_asked_for_only_where_it_matters(
    live_server: LiveServer, page: Page, shop: Workspace
) -> None:
    as_owner(page, live_server)
    page.goto(f"{live_server.url}/w/shop/settings/")
    days = page.locator("input[name=window_days]")
    expect(days).to_be_hidden()
    page.get_by_label("Attribution window").select_option("custom")
    expect(days).to_be_visible()
    days.fill("45")
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_text("Saved. The figures are computed again")).to_be_visible()
    check(page)
    shop.refresh_from_db()
    assert (shop.window_days, shop.period_days) == (45, 90)
    expect(days).to_have_value("45")


@every_look
def test_what_cannot_be_saved_is_said_beside_its_field(
    live_server: LiveServer, browser: Browser, shop: Workspace, look: Look
) -> None:
    with window(browser, look) as page:
        watch = Watch(page)
        as_owner(page, live_server)
        page.goto(f"{live_server.url}/w/shop/settings/")
        page.get_by_label("Time zone").fill("Berlin")
        page.get_by_role("button", name="Save settings").click()
        expect(page.get_by_text("“Berlin” is not an IANA time zone")).to_be_visible()
        assert page.get_by_label("Time zone").get_attribute("aria-invalid") == "true"
        wrong = axe_findings(page) + overflow(page) + watch.take(refused=True)
        page.goto(f"{live_server.url}/w/shop/settings/team/")
        page.get_by_label("E-mail address").fill("owner@example.com")
        page.get_by_role("button", name="Send invitation").click()
        expect(page.get_by_text("is already a member of Harbour & Finch.")).to_be_visible()
        wrong += axe_findings(page) + overflow(page) + watch.take(refused=True)
        page.goto(f"{live_server.url}/w/shop/settings/goals/")
        page.get_by_text("Add a goal").click()
        page.get_by_label("Name").fill("purchase")
        page.get_by_role("button", name="Add goal").click()
        expect(page.get_by_text("“Purchase” is there already")).to_be_visible()
        wrong += axe_findings(page) + overflow(page) + watch.take(refused=True)
        assert not wrong, "\n".join(wrong)
