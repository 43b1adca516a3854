"""An admin groups traffic by rules of their own: sees what each would do, orders them by keyboard, and saves."""

import datetime as dt
import shutil
from pathlib import Path

import pytest
from django.test import Client
from playwright.sync_api import Browser, Locator, Page, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.actions import create_workspace
from accounts.models import User, Workspace
from jobs.execution import execute
from marketing.importing.actions import request_import
from marketing.models import ChannelGrouping, Dataset, Import
from marketing.selectors import load_touches
from tests.browser.conftest import carry_session, window
from tests.browser.looks import Look, every_look, narrow_first, wide_first
from tests.browser.watching import Watch, axe_findings, check, overflow
from tests.browser.world import EMAIL, PASSWORD

pytestmark = pytest.mark.browser
TRAFFIC = {"google,cpc,brand": 30, "fb,paid,spring": 20, "ig,story,": 10, "qr,flyer,": 5, "newsletter,email,": 25}


@pytest.fixture
def shop(transactional_db: None, tmp_path: Path, settings: Settings) -> Workspace:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    owner = User.objects.create_user(EMAIL, PASSWORD)
    workspace = create_workspace(name="Corner shop", slug="shop", owner=owner)
    at, rows = dt.datetime(2026, 3, 1, tzinfo=dt.UTC), ["customer,occurred_at,source,medium,campaign"]
    for said, touches in TRAFFIC.items():
        rows += [f"anna,{at + dt.timedelta(minutes=len(rows) + n):%Y-%m-%dT%H:%MZ},{said}" for n in range(touches)]
    file = tmp_path / "touchpoints.csv"
    file.write_text("\n".join(rows))
    batch = request_import(
        workspace=workspace,
        dataset=Dataset.TOUCHPOINTS,
        file=file,
        mapping={},
        by=None,
        origin=Import.Origin.CLI,
        ring=False,
    )
    execute(job_id=batch.job_id)
    load_touches(workspace=workspace)
    return workspace


@pytest.fixture
def signed_in(page: Page, live_server: LiveServer, shop: Workspace) -> Page:
    client = Client()
    client.force_login(User.objects.get(email=EMAIL))
    carry_session(client, page, live_server)
    page.goto(f"{live_server.url}/w/shop/settings/channels/")
    return page


@narrow_first
def test_rules_are_written_previewed_ordered_and_saved(signed_in: Page, look: Look) -> None:
    page = signed_in
    page.get_by_role("link", name="Change the grouping").click()
    expect(preview(page)).to_contain_text("Nothing would change for the 90 touchpoints")
    page.get_by_role("radio", name="Custom").check()
    add_rule(page, 1, "Social", ("Source", "is one of", "fb\nig"))
    expect(preview(page)).to_contain_text("30 of 90 touchpoints without a channel in the data would change channel.")
    add_rule(page, 2, "Flyers", ("Medium", "matches pattern", "^fly|^story$"))
    expect(preview(page)).to_contain_text("35 of 90 touchpoints")
    expect(traffic(page, "ig / story")).to_contain_text("Social (Rule 1)")

    page.get_by_role("button", name="Move rule 2 up").press("Enter")
    expect(page.get_by_role("button", name="Move rule 1 down")).to_be_focused()
    expect(traffic(page, "ig / story")).to_contain_text("Flyers (Rule 1)")
    page.evaluate("window.scrollTo(0, 0)")  # where no choice is half below the bar at the top
    check(page)

    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The channel grouping is Custom now.")).to_be_visible()
    expect(page.get_by_role("heading", name="Grouping: Custom")).to_be_visible()
    assert [rule["channel"] for rule in ChannelGrouping.objects.get().rules] == ["Flyers", "Social"]
    check(page)


@every_look
def test_what_is_wrong_is_said_before_and_after_saving(
    browser: Browser, live_server: LiveServer, shop: Workspace, look: Look
) -> None:
    client = Client()
    client.force_login(User.objects.get(email=EMAIL))
    with window(browser, look) as page:
        watch = Watch(page)
        carry_session(client, page, live_server)
        page.goto(f"{live_server.url}/w/shop/settings/channels/grouping/")
        page.get_by_role("radio", name="Custom").check()
        add_rule(page, 1, "", ("Source", "matches pattern", "(fb"))
        expect(preview(page)).to_contain_text("Rule 1: There is a “(” without its “)”.")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("alert")).to_contain_text("Rule 1: Name the channel.")
        expect(page.get_by_label("Channel", exact=True)).to_have_attribute("aria-invalid", "true")
        wrong = axe_findings(page) + overflow(page) + watch.take(refused=True)
    assert not wrong, "\n".join(wrong)


@wide_first
def test_the_preview_looks_again_until_touches_are_counted(
    signed_in: Page, shop: Workspace, settings: Settings
) -> None:
    page = signed_in
    shutil.rmtree(Path(settings.MEDIA_ROOT) / "snapshots")
    page.goto(f"{page.url}grouping/")
    expect(preview(page)).to_contain_text("Nothing would change for the 5 traffic sources")
    load_touches(workspace=shop)
    expect(preview(page)).to_contain_text("Nothing would change for the 90 touchpoints", timeout=10_000)
    expect(preview(page)).not_to_contain_text("being counted")


def add_rule(page: Page, number: int, channel: str, condition: tuple[str, str, str]) -> None:
    page.get_by_role("button", name="Add a rule").click()
    rule = page.get_by_role("group", name=f"Rule {number}")
    expect(rule.get_by_label("Channel", exact=True)).to_be_focused()
    rule.get_by_label("Channel", exact=True).fill(channel)
    field, operator, value = condition
    rule.get_by_label("what to look at").select_option(field)
    rule.get_by_label("comparison").select_option(operator)
    rule.get_by_label("value").fill(value)


def preview(page: Page) -> Locator:
    return page.get_by_role("region", name="On your own traffic")


def traffic(page: Page, label: str) -> Locator:
    return preview(page).get_by_role("row").filter(has_text=label).first
