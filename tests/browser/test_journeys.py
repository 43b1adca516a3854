"""Whole journeys of people, with every step in order: to the console, to the security policy and to axe."""

import datetime as dt
import re
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Locator, Page, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

import marketing.demo
from accounts.actions import create_workspace, set_plan
from accounts.models import User, Workspace
from analyses.models import Run
from attribution.cube.daily_cube import refresh_cube
from attribution.cube.keeping import keep_cubes_current
from jobs.execution import execute
from jobs.models import Job
from tests.browser.conftest import carry_session, window
from tests.browser.looks import Look, narrow_first, one_look
from tests.browser.watching import check
from tests.browser.world import EMAIL, PASSWORD, import_some_months

pytestmark = pytest.mark.browser
CARDS = {"overall-roi", "spend", "revenue", "conversions"}


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, settings: Settings) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")


@pytest.fixture
def shop(transactional_db: None, tmp_path: Path) -> Workspace:
    """A shop with some months of data, whose dashboard is prepared."""
    owner = User.objects.create_user(EMAIL, PASSWORD)
    workspace = create_workspace(name="Harbour & Finch", slug="shop", owner=owner)
    import_some_months(workspace, tmp_path)
    execute(job_id=refresh_cube(workspace=workspace, ring=False).job_id)
    return workspace


def signed_in() -> Client:
    client = Client()
    client.force_login(User.objects.get(email=EMAIL))
    return client


def work() -> None:
    """Carry out what waits, as a worker does, until nothing moves."""
    for _round in range(3):
        for job in Job.objects.filter(status=Job.Status.QUEUED).order_by("pk"):
            execute(job_id=job.pk)


# --- 1: demo data ---


@one_look
def test_demo_data_comes_and_goes(
    transactional_db: None, live_server: LiveServer, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A quarter of the world that people get, as it takes a quarter of the time.
    monkeypatch.setattr(marketing.demo, "build_world", partial(marketing.demo.build_world, days=180))
    sign_up(page, live_server)
    workspace = Workspace.objects.get()
    page.get_by_role("button", name="Load demo data").click()
    expect(page.get_by_text("Loading two years of demo data")).to_be_visible()
    check(page)
    work()
    expect(page.get_by_text("Your figures are being prepared")).to_be_visible()
    check(page)
    keep_cubes_current()
    work()
    expect(page.locator('[data-card="revenue"]')).to_be_visible()
    expect(page.locator(".demo-badge .badge")).to_have_text("Demo data")
    named = page.get_by_role("table").filter(has_text="Paid Search").first.get_by_role("rowheader").all_inner_texts()
    assert len(set(named) - {"Total"}) >= 6
    yesterday = timezone.now().astimezone(workspace.zone).date() - dt.timedelta(days=1)
    expect(page.get_by_text(f"Conversions until {yesterday:%-d %b %Y}")).to_be_visible()
    check(page)
    page.get_by_role("link", name="Remove demo data").click()
    confirm = page.get_by_role("dialog")
    check(page)
    confirm.get_by_role("button", name="Remove demo data").click()
    expect(page.get_by_text("is being removed")).to_be_visible()
    check(page)
    work()
    expect(page.get_by_text("This workspace has no data yet")).to_be_visible()
    expect(page.locator(".demo-badge")).to_have_count(0)


def sign_up(page: Page, live_server: LiveServer) -> None:
    page.goto(live_server.url)
    page.get_by_role("link", name=re.compile("account", re.IGNORECASE)).click()
    check(page)
    page.get_by_label("Email").fill("new@example.com")
    for field in page.locator("input[type=password]").all():
        field.fill("a long enough password")
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("heading", name="Create your workspace")).to_be_visible()
    check(page)
    page.get_by_label("Name").fill("New shop")
    page.get_by_role("button", name="Create workspace").click()
    expect(page.get_by_text("This workspace has no data yet")).to_be_visible()
    check(page)


# --- 4: the period ---


@narrow_first
def test_a_period_is_chosen_shared_and_left_again(
    live_server: LiveServer, browser: Browser, page: Page, shop: Workspace, look: Look
) -> None:
    carry_session(signed_in(), page, live_server)
    page.goto(f"{live_server.url}/w/{shop.slug}/dashboard/")
    at_first = cards(page)
    open_period(page)
    check(page)
    page.get_by_role("link", name="Last 30 days").click()
    expect(period(page)).to_contain_text("Last 30 days")
    open_period(page)
    page.get_by_label("Compare with").select_option(label="Previous period")
    page.get_by_label("Match weekday").check()
    page.get_by_role("button", name="Compare").click()
    expect(period(page)).to_contain_text("same weekdays")
    state = query(page)
    assert (state["period"], state["match_weekday"]) == ("last_30", "1")
    assert state.get("compare", "previous") == "previous"  # which is what it is compared with unless told otherwise
    check(page)
    chosen = cards(page)
    assert chosen != at_first
    for card in chosen.values():
        assert re.search(r"[▲▼]\s[+−]\d.*% against", card) or "unchanged" in card
    assert page.locator("chart-figure .is-dashed").count() > 0
    assert in_a_fresh_session(live_server, browser, look, page.url) == chosen
    page.go_back()
    page.go_back()
    expect(period(page)).to_contain_text("Last 90 days")
    assert cards(page) == at_first
    page.go_forward()
    page.go_forward()
    expect(period(page)).to_contain_text("Last 30 days")
    assert cards(page) == chosen


def period(page: Page) -> Locator:
    return page.locator(".period-menu > summary")


def open_period(page: Page) -> None:
    period(page).click()
    expect(page.get_by_role("link", name="Last 30 days")).to_be_visible()


def cards(page: Page) -> dict[str, str]:
    """Return what each card says: figure and change."""
    page.locator("[data-card]").first.wait_for()
    said = {
        card.get_attribute("data-card") or "": " ".join(card.locator("p").all_inner_texts())
        for card in page.locator("[data-card]").all()
    }
    assert said.keys() == CARDS
    return said


def in_a_fresh_session(live_server: LiveServer, browser: Browser, look: Look, url: str) -> dict[str, str]:
    with window(browser, look) as page:
        carry_session(signed_in(), page, live_server)
        page.goto(url)
        return cards(page)


# --- 5: attribution ---


@pytest.mark.parametrize(
    ("other", "label"),
    [pytest.param("last", "Last Touch", marks=pytest.mark.full), ("data_driven", "Data-Driven")],
)
def test_two_models_are_compared_and_a_channel_opened(
    live_server: LiveServer, page: Page, shop: Workspace, other: str, label: str
) -> None:
    set_plan(workspace=shop, plan="professional", by=None)
    carry_session(signed_in(), page, live_server)
    page.goto(f"{live_server.url}/w/{shop.slug}/attribution/")
    check(page)
    page.get_by_label("Attribution model").select_option("linear")
    page.get_by_label("Conversion metric").select_option("conversions")
    page.get_by_label("Time period").select_option("last_30")
    page.get_by_role("group", name="Compare with").locator(f"input[value={other}]").check()
    page.get_by_role("button", name="Run analysis").click()
    expect(page.get_by_text("Waiting for a worker")).to_be_visible()
    check(page)
    run = Run.objects.latest("created_at")
    execute(job_id=run.job_id)
    expect(page.locator('[data-card="conversions"]')).to_be_visible()
    check(page)
    columns = table(page)
    conversions = int(page.locator('[data-card="conversions"] .figure-value').inner_text().replace(",", ""))
    assert sum(columns["Linear"].values()) == pytest.approx(conversions)
    assert sum(columns[label].values()) == pytest.approx(conversions)
    row = channel_link(page, "Paid Search")
    row.hover()
    linear, others = (columns[model]["Paid Search"] for model in ("Linear", label))
    tooltip = page.locator(".chart-tooltip")
    for number in (linear, others, abs(others - linear)):
        expect(tooltip).to_contain_text(f"{number:.2f}".rstrip("0").rstrip("."))
    expect(tooltip).to_contain_text("than Linear")
    check(page)
    row.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/dashboard/channels/**")
    expect(page.get_by_role("heading", level=1, name="Paid Search")).to_be_visible()
    kept = query(page)
    assert (kept["start"], kept["end"], kept["model"]) == (run.params["start"], run.params["end"], "linear")


def test_data_driven_is_locked_on_starter_and_shown_by_a_sample(
    live_server: LiveServer, page: Page, shop: Workspace
) -> None:
    runs = set(Run.objects.values_list("pk", flat=True))
    carry_session(signed_in(), page, live_server)
    page.goto(f"{live_server.url}/w/{shop.slug}/attribution/")
    model = page.get_by_label("Attribution model")
    expect(model.locator("option[value=data_driven]")).to_be_disabled()
    expect(page.get_by_role("group", name="Compare with").locator("input[value=data_driven]")).to_be_disabled()
    expect(page.locator(".locked")).to_contain_text("Data-driven attribution is part of the Professional plan.")
    check(page)
    page.get_by_role("link", name="See what they show").click()
    expect(page.get_by_text("This is a sample")).to_be_visible()
    expect(page.locator("chart-figure").first.get_by_role("img")).to_be_visible()
    check(page)
    assert set(Run.objects.values_list("pk", flat=True)) == runs


def query(page: Page) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(page.url).query))


def channel_link(page: Page, name: str) -> Locator:
    return page.locator("chart-figure").get_by_role("link", name=re.compile(f"^{name}: ")).first


def table(page: Page) -> dict[str, dict[str, float]]:
    """Return the table of credit: column -> row -> number, without the total."""
    found: list[dict[str, Any]] = (
        page.get_by_role("table")
        .filter(has_text="Total")
        .first.evaluate(
            """table => {
            const heads = [...table.tHead.rows[0].cells].slice(1).map((cell) => cell.textContent.trim());
            return [...table.tBodies[0].rows].filter((row) => !row.classList.contains("total")).flatMap((row) =>
                heads.map((column, at) => ({
                    column, row: row.cells[0].textContent.trim(), value: Number(row.cells[at + 1].dataset.value),
                })));
        }"""
        )
    )
    columns: dict[str, dict[str, float]] = {}
    for cell in found:
        columns.setdefault(cell["column"], {})[cell["row"]] = cell["value"]
    return columns
