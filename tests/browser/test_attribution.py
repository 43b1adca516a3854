"""A marketer signs in, chooses a period, asks for attribution, takes the answer away, looks behind it: by keyboard."""

import csv
import datetime as dt
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.actions import create_workspace
from accounts.models import User, Workspace
from analyses.models import Run
from attribution.cube.daily_cube import refresh_cube
from jobs.execution import execute
from marketing.importing.actions import request_import
from marketing.models import Dataset, Import
from mmm_project import formats
from tests.browser.keyboard import press, tab_to, write
from tests.browser.looks import Look, every_look
from tests.browser.watching import check

pytestmark = pytest.mark.browser
EMAIL, PASSWORD = "marketer@example.com", "a long enough password"
# Linear: Email 100/2 + 30, Search 100/2, Display 50. Last touch: Email 30, Search 100, Display 50. No touch: 20.
TOUCHES = ("customer,occurred_at,channel", "a,{3},Email", "a,{2},Search", "b,{2},Display", "c,{2},Email")
CONVERSIONS = ("customer,occurred_at,value", "a,{1},100", "b,{1},50", "c,{1},30", "d,{1},20")
NARROW = 640


@pytest.fixture
def shop(transactional_db: None, tmp_path: Path, settings: Settings) -> Workspace:
    """A shop with four conversions in the last days, and somebody who can sign in to it."""
    settings.MEDIA_ROOT = str(tmp_path / "media")
    owner = User.objects.create_user(EMAIL, PASSWORD)
    workspace = create_workspace(name="Corner shop", slug="shop", owner=owner)
    days = [f"{timezone.now() - dt.timedelta(days=days):%Y-%m-%dT12:00Z}" for days in range(6)]
    for dataset, lines in ((Dataset.TOUCHPOINTS, TOUCHES), (Dataset.CONVERSIONS, CONVERSIONS)):
        file = tmp_path / f"{dataset}.csv"
        file.write_text("\n".join(line.format(*days) for line in lines))
        batch = request_import(
            workspace=workspace, dataset=dataset, file=file, mapping={}, by=owner, origin=Import.Origin.CLI, ring=False
        )
        execute(job_id=batch.job_id)
    execute(job_id=refresh_cube(workspace=workspace, ring=False).job_id)
    return workspace


@every_look
@pytest.mark.usefixtures("shop")
def test_from_signing_in_to_the_numbers_in_hand(live_server: LiveServer, page: Page, look: Look) -> None:
    sign_in(page, live_server)
    choose_period(page, "Last 30 days")
    open_in_menu(page, look, "Attribution")
    ask(page)
    run = Run.objects.get(kind="attribution")
    expect(page.get_by_text("Waiting for a worker")).to_be_visible()
    execute(job_id=run.job_id)  # as a worker would
    expect(page.get_by_role("heading", name="Email gets 40.0% of Purchase revenue under Linear.")).to_be_visible()
    assert columns(page) == {
        "Email": ["€80.00", "€30.00"],
        "Display": ["€50.00", "€50.00"],
        "Search": ["€50.00", "€100.00"],
        "(none)": ["€20.00", "€20.00"],
        "Total": ["€200.00", "€200.00"],
    }
    expect(page.locator("tr.total td").first).to_have_css("font-weight", "600")
    check(page)
    assert exported(page) == columns(page)
    open_channel(page, "Search")
    check(page)


@pytest.mark.usefixtures("shop")
def test_the_theme_can_be_chosen_and_is_kept(live_server: LiveServer, page: Page, look: Look) -> None:
    sign_in(page, live_server)
    grounds = {"light": "rgb(251, 251, 252)", "dark": "rgb(18, 22, 28)"}
    ground = page.locator("html")
    system = look[0]
    expect(ground).to_have_css("background-color", grounds[system])
    other = "dark" if system == "light" else "light"
    choose_theme(page, look, other)
    expect(ground).to_have_css("background-color", grounds[other])
    page.reload()
    expect(ground).to_have_css("background-color", grounds[other])
    choose_theme(page, look, "auto")
    expect(ground).to_have_css("background-color", grounds[system])


def sign_in(page: Page, live_server: LiveServer) -> None:
    page.goto(live_server.url)
    write(page, page.get_by_label("Email"), EMAIL)
    write(page, page.get_by_label("Password", exact=True), PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Dashboard")).to_be_visible()
    check(page)


def choose_period(page: Page, name: str) -> None:
    menu = page.locator(".period-menu > summary")
    press(page, menu)
    press(page, page.get_by_role("link", name=name))
    expect(menu).to_contain_text(name)
    check(page)


def open_channel(page: Page, name: str) -> None:
    """Go to the chart, from mark to mark with the arrow keys, and through the mark to the channel's page."""
    chart = page.locator("chart-figure").first
    mark = chart.get_by_role("link", name=f"{name}: ")
    tab_to(page, chart.locator("a[href]:not([tabindex='-1'])").first)
    for _ in range(chart.locator("a[href]").count()):
        if mark.evaluate("element => element === document.activeElement"):
            break
        page.keyboard.press("ArrowDown")
    expect(mark).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()


def open_menu(page: Page, look: Look) -> None:
    """On narrow windows the sidebar is behind a button."""
    if look[1] < NARROW:
        press(page, page.get_by_role("button", name="Menu"))


def open_in_menu(page: Page, look: Look, name: str) -> None:
    open_menu(page, look)
    press(page, page.get_by_role("complementary").get_by_role("link", name=name))
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()


def choose_theme(page: Page, look: Look, theme: str) -> None:
    open_menu(page, look)
    press(page, page.locator(".user-menu summary"))
    radio = page.get_by_role("radio", name=theme.capitalize())
    tab_to(page, page.locator("theme-switch input:checked"))
    for _ in range(3):
        if radio.is_checked():
            break
        page.keyboard.press("ArrowRight")
    expect(radio).to_be_checked()


def ask(page: Page) -> None:
    """Choose Linear beside Last Touch, and run it."""
    write(page, page.get_by_label("Attribution model"), "Linear")
    expect(page.get_by_label("Attribution model")).to_have_value("linear")
    compare = page.get_by_role("group", name="Compare with")
    expect(compare.get_by_label("Linear")).to_be_hidden()
    expect(compare.get_by_label("Last Non-Direct")).to_be_visible()
    press(page, compare.get_by_label("Last Touch"), "Space")
    press(page, page.get_by_role("button", name="Run analysis"))
    page.wait_for_url("**/runs/*/")


def columns(page: Page) -> dict[str, list[str]]:
    """Return the table of credit: row -> the figures of its two models in full."""
    rows = page.locator("sort-table").first.locator("tbody tr")
    return {
        row.get_by_role("rowheader").inner_text(): [
            cell.get_attribute("title") or "" for cell in row.locator("td").all()[:2]
        ]
        for row in rows.all()
    }


def exported(page: Page) -> dict[str, list[str]]:
    """Download the CSV and lay it out as the page's table is, with totals added up from its rows."""
    press(page, page.locator(".export-menu > summary"))
    with page.expect_download() as downloading:
        press(page, page.get_by_role("link", name="CSV"))
    with Path(downloading.value.path()).open() as file:
        rows = list(csv.DictReader(file))
    table: dict[str, list[float]] = {}
    for row in rows:
        table.setdefault(row["channel"], []).append(float(row["value"]))
    table["Total"] = [sum(column) for column in zip(*table.values(), strict=True)]
    return {name: [formats.money(value, "EUR") for value in values] for name, values in table.items()}
