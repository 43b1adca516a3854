"""Journey 3: five days of spend are missing. They are seen, read about, imported again, and gone."""

import datetime as dt
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.actions import create_workspace
from accounts.models import User, Workspace
from analyses.models import Run
from analyses.runs import request_run
from jobs.execution import execute
from jobs.models import Job
from marketing.day_labels import span_label
from marketing.demo import DemoWorld, build_world
from marketing.demo.faults import Planted, plant
from marketing.health.keeping import keep_reports_current
from marketing.importing.actions import request_import
from marketing.models import Channel, Dataset, Import
from tests.browser.conftest import carry_session
from tests.browser.looks import narrow_first, wide_first
from tests.browser.watching import check
from tests.marketing.health.loading import load_world
from tests.marketing.health.worlds import ZONE

pytestmark = [
    pytest.mark.browser,
]
DAYS = 180


@pytest.fixture
def clean(settings: Settings, tmp_path: Path) -> DemoWorld:
    """Half a year of the demo world up to yesterday."""
    settings.MEDIA_ROOT = str(tmp_path / "media")
    return build_world(timezone.now().astimezone(ZONE).date() - dt.timedelta(1), days=DAYS)


@pytest.fixture
def shop(transactional_db: None, clean: DemoWorld, tmp_path: Path) -> Workspace:
    """A shop into which that was imported but for five days of one channel's spend."""
    owner = User.objects.create_user("owner@example.com", "a long enough password")
    workspace = create_workspace(name="Harbour & Finch", slug="shop", owner=owner)
    load_world(workspace, plant(clean, "spend_gap")[0], tmp_path)
    return workspace


@pytest.fixture
def planted(clean: DemoWorld) -> Planted:
    return plant(clean, "spend_gap")[1][0]


def look_at_data() -> None:
    """Sweep, and carry out what it asked for, as a worker does."""
    keep_reports_current()
    for job in Job.objects.filter(status=Job.Status.QUEUED).order_by("pk"):
        execute(job_id=job.pk)


def import_again(workspace: Workspace, clean: DemoWorld, planted: Planted, directory: Path) -> None:
    """Import the missing days, as their export would have been."""
    days = clean.spend["date"].dt.date.between(planted.first_day, planted.last_day)
    file = directory / "again.csv"
    clean.spend[days & (clean.spend["channel"] == planted.channel)].to_csv(file, index=False)
    batch = request_import(
        workspace=workspace,
        dataset=Dataset.SPEND,
        file=file,
        mapping={},
        by=None,
        origin=Import.Origin.CLI,
        ring=False,
    )
    execute(job_id=batch.job_id)


@wide_first
def test_missing_days_are_seen_read_about_and_filled(
    shop: Workspace, clean: DemoWorld, planted: Planted, live_server: LiveServer, page: Page, tmp_path: Path
) -> None:
    assert planted.first_day is not None
    assert planted.last_day is not None
    days = span_label(planted.first_day, planted.last_day)
    sign_in(page, live_server)
    page.goto(f"{live_server.url}/w/shop/data/health/")
    expect(page.get_by_text("Your data is being looked at")).to_be_visible()
    check(page)
    look_at_data()
    expect(page.get_by_role("heading", name="Gap calendar")).to_be_visible()
    check(page)

    # The calendar marks the days, and a click says which they are and what they mean.
    gap = page.get_by_role("link", name=f"{planted.channel}, spend: 5 days missing, {days}")
    expect(gap.locator("rect.cell-missing")).to_have_attribute("width", "50")
    colours = gap.locator("rect.cell-missing").evaluate("cell => getComputedStyle(cell).fill")
    assert colours in ("rgb(199, 119, 0)", "rgb(240, 165, 60)"), colours
    gap.focus()
    page.keyboard.press("Enter")
    panel = page.locator("#gap")
    expect(panel.get_by_role("heading", level=2)).to_have_text(f"{planted.channel}, {days}")
    channel = Channel.objects.get(workspace=shop, name=planted.channel)
    asked = parse_qs(urlsplit(page.url).query)
    assert asked["channel"] == [str(channel.pk)]
    assert asked["day"] == [planted.first_day.isoformat()]
    expect(panel).to_contain_text(f"{planted.channel} has no spend on 5 days: {days}.")
    expect(panel.locator("dt", has_text="Media mix")).to_be_visible()
    expect(panel).to_contain_text(re.compile(rf"lacks? days: {planted.channel}, {days}"))
    check(page)

    # A shared link and a reload show the same; the way back leads to all of it.
    page.reload()
    expect(panel).to_contain_text(days)
    page.get_by_role("navigation", name="You are here").get_by_role("link", name="Data health").click()
    media_mix = page.locator('[data-readiness="Media mix"]')
    expect(media_mix).to_contain_text("The media mix needs 52 weeks of spend and of an outcome; you have 25.")
    expect(media_mix).to_contain_text(f"{planted.channel}, {days}")
    page.get_by_text("View as table").click()
    expect(page.get_by_role("row", name=f"Spend {planted.channel} {days} 5 days Missing")).to_be_visible()
    check(page)

    # Imported again, the days are there, and nothing is amiss.
    import_again(shop, clean, planted, tmp_path)
    page.reload()
    expect(page.locator("#health-state")).to_contain_text("Updating")
    look_at_data()
    expect(page.locator("#health-state")).not_to_contain_text("Updating", timeout=10_000)
    expect(page.get_by_role("link", name=re.compile("5 days missing"))).to_have_count(0)
    expect(page.locator('.finding[data-severity="Warning"]')).to_have_count(0)
    check(page)


@narrow_first
def test_each_channel_of_a_result_leads_to_its_data_in_the_period(
    shop: Workspace, planted: Planted, live_server: LiveServer, page: Page
) -> None:
    owner = User.objects.get()
    run = request_run(
        workspace=shop, kind="attribution", params={"model": "last"}, by=owner, trigger=Run.Trigger.PAGE, ring=False
    )
    execute(job_id=run.job_id)
    sign_in(page, live_server)
    page.goto(f"{live_server.url}/w/shop/runs/{run.pk}/")
    part = page.locator("section", has=page.get_by_role("heading", name="Data health", exact=True)).last
    part.get_by_role("link", name=planted.channel, exact=True).click()
    expect(page.get_by_role("heading", name=f"Data health of {planted.channel}")).to_be_visible()
    asked = parse_qs(urlsplit(page.url).query)
    assert (asked["start"], asked["end"]) == ([run.params["start"]], [run.params["end"]])
    page.get_by_role("link", name="See its results").click()
    assert parse_qs(urlsplit(page.url).query)["start"] == [run.params["start"]]


def sign_in(page: Page, live_server: LiveServer) -> None:
    client = Client()
    client.force_login(User.objects.get())
    carry_session(client, page, live_server)
