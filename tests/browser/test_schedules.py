"""A report goes out on Mondays at nine: set up, looked at, sent, unsubscribed from, refused, and on time."""

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import time_machine
from django.test import Client
from playwright.sync_api import Browser, Page, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.actions import create_workspace
from accounts.models import User, Workspace
from attribution.cube.daily_cube import refresh_cube
from jobs.execution import execute
from jobs.models import Job
from reports.models import Recipient, Schedule
from reports.tasks import tick
from tests.browser.conftest import carry_session, window
from tests.browser.looks import wide_first
from tests.browser.watching import check, nothing_goes_wrong
from tests.browser.world import EMAIL, PASSWORD
from tests.conftest import ImportRows
from tests.smtp_server import MailServer, mail_server

__all__ = ["mail_server"]  # a fixture
pytestmark = pytest.mark.browser

# The Friday before a Monday; clocks in Berlin go forward on Sunday, 29 March.
FRIDAY = dt.datetime(2026, 3, 20, 10, tzinfo=dt.UTC)
BEFORE_THE_CHANGE = dt.datetime(2026, 3, 23, 8, tzinfo=dt.UTC)
AFTER_THE_CHANGE = dt.datetime(2026, 3, 30, 7, tzinfo=dt.UTC)
A_WEEK_LATER = dt.datetime(2026, 4, 6, 7, tzinfo=dt.UTC)
A_MOMENT = dt.timedelta(seconds=10)
BACKOFF = (dt.timedelta(minutes=1), dt.timedelta(minutes=5), dt.timedelta(minutes=30), dt.timedelta(hours=2))


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(FRIDAY) as clock:
        yield clock


@pytest.fixture
def shop(clock: object, transactional_db: None, tmp_path: Path, settings: Settings) -> Workspace:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    owner = User.objects.create_user(EMAIL, PASSWORD)
    return create_workspace(name="Corner shop", slug="shop", owner=owner, timezone="Europe/Berlin")


@pytest.fixture
def figures(shop: Workspace, import_rows: ImportRows) -> None:
    import_rows("touchpoints", "customer,occurred_at,channel", "anna,2026-03-10T10:00Z,Email", workspace=shop)
    import_rows("conversions", "customer,occurred_at,value", "anna,2026-03-11T10:00Z,100", workspace=shop)
    execute(job_id=refresh_cube(workspace=shop, ring=False).job_id)


def carry_out() -> None:
    """What workers do: every job that waits, and what those lead to."""
    while waiting := list(Job.objects.filter(status=Job.Status.QUEUED).values_list("pk", flat=True)):
        for job_id in waiting:
            execute(job_id=job_id)


def at(clock: time_machine.Traveller, moment: dt.datetime) -> None:
    """Let it be this moment, and let scheduler and workers do what is due."""
    clock.move_to(moment)
    tick()
    carry_out()


def sign_in(page: Page, live_server: LiveServer) -> None:
    """Sign the owner in; their session would not outlast the days that pass here."""
    client = Client()
    client.force_login(User.objects.get(email=EMAIL))
    carry_session(client, page, live_server)


@wide_first
@pytest.mark.usefixtures("figures")
def test_a_schedule_is_set_up_sent_unsubscribed_from_and_on_time(
    page: Page, browser: Browser, live_server: LiveServer, mail_server: MailServer, clock: time_machine.Traveller
) -> None:
    sign_in(page, live_server)
    page.goto(f"{live_server.url}/w/shop/settings/")
    page.get_by_role("link", name="Scheduled reports").click()
    check(page)
    page.get_by_role("link", name="Create new schedule").click()
    page.get_by_label("Analysis type").select_option(label="Dashboard")
    page.get_by_label("Frequency").select_option(label="Weekly")
    page.get_by_label("Day of the week").select_option(label="Monday")
    page.get_by_label("Time", exact=True).fill("09:00")
    page.get_by_label("Time zone").fill("Europe/Berlin")
    upcoming = page.locator("#next")
    for day in ("23 Mar 2026", "30 Mar 2026", "6 Apr 2026"):
        expect(upcoming).to_contain_text(re.compile(rf"{day}.*09:00"))
    page.get_by_label("PDF").check()
    page.get_by_label("Recipients").fill("anna@example.com\nbert@example.com")
    page.get_by_label("Name").fill("Monday figures")
    check(page)
    page.get_by_role("button", name="Save schedule").click()
    expect(page.get_by_role("heading", name="Monday figures")).to_be_visible()
    check(page)
    address = page.url

    page.get_by_role("button", name="Preview").click()
    carry_out()
    expect(page.get_by_role("heading", name="Executive summary")).to_be_visible(timeout=15_000)
    assert mail_server.received == []
    check(page)

    page.goto(address)
    page.get_by_role("button", name="Send now").click()
    carry_out()
    assert sorted(mail.recipient for mail in mail_server.received) == ["anna@example.com", "bert@example.com"]
    message = mail_server.to("bert@example.com")[0].message
    (file,) = [part for part in message.iter_attachments() if part.get_content_type() == "application/pdf"]
    assert file.get_content().startswith(b"%PDF-")
    assert str(message["Subject"]).startswith("Monday figures: ")

    unsubscribe(browser, live_server, str(message["List-Unsubscribe"]).strip("<>"))
    page.goto(address)
    expect(page.get_by_text(re.compile("Unsubscribed"))).to_be_visible()
    mail_server.received.clear()

    at(clock, BEFORE_THE_CHANGE - A_MOMENT)
    assert mail_server.received == []
    at(clock, BEFORE_THE_CHANGE + A_MOMENT)
    at(clock, BEFORE_THE_CHANGE + 2 * A_MOMENT)
    assert [mail.recipient for mail in mail_server.received] == ["anna@example.com"]
    at(clock, AFTER_THE_CHANGE - A_MOMENT)
    assert len(mail_server.received) == 1
    at(clock, AFTER_THE_CHANGE + A_MOMENT)
    at(clock, AFTER_THE_CHANGE + dt.timedelta(hours=1))
    assert [mail.recipient for mail in mail_server.received] == ["anna@example.com"] * 2

    mail_server.received.clear()
    mail_server.answer_to_sender = "451 Try again later"
    moment = A_WEEK_LATER + A_MOMENT
    at(clock, moment)
    for wait in BACKOFF:
        sign_in(page, live_server)
        page.goto(address)
        expect(page.get_by_text(re.compile("451")).first).to_be_visible()
        moment += wait + A_MOMENT
        at(clock, moment)
    assert mail_server.received == []
    sign_in(page, live_server)
    page.goto(address)
    expect(page.locator(".is-bad").first).to_be_visible()
    check(page)

    mail_server.answer_to_sender = "250 OK"
    at(clock, moment + dt.timedelta(minutes=2))
    (notice,) = mail_server.received
    assert (notice.recipient, notice.message["Subject"]) == (EMAIL, "Not delivered: Monday figures")
    assert "451" in notice.text()
    assert Schedule.objects.get().next_run_at == A_WEEK_LATER + dt.timedelta(days=7)


def unsubscribe(browser: Browser, live_server: LiveServer, link: str) -> None:
    """As somebody who has nothing but the mail: looking changes nothing, the button removes this one address."""
    path = re.sub(r"^https?://[^/]+", "", link)
    with window(browser, ("light", 390)) as page, nothing_goes_wrong(page):
        page.goto(f"{live_server.url}{path}")
        expect(page.get_by_text("bert@example.com")).to_be_visible()
        check(page)
        assert not Recipient.objects.exclude(unsubscribed_at=None).exists()
        page.get_by_role("button", name="Unsubscribe").click()
        expect(page.get_by_role("heading", name="You have unsubscribed")).to_be_visible()
    assert [one.email for one in Recipient.objects.exclude(unsubscribed_at=None)] == ["bert@example.com"]
