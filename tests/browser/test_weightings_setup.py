"""Somebody sets up a model: says in plain words what to expect, sees what that implies, leaves things out, and asks."""

import re
from pathlib import Path

import pytest
from django.test import Client
from playwright.sync_api import Browser, Locator, Page, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.actions import create_workspace
from accounts.models import User, Workspace
from analyses.models import Run
from marketing.models import Control, ControlValue, Dataset, Outcome
from tests.browser.conftest import carry_session
from tests.browser.looks import narrow_first, one_look, wide_first
from tests.browser.watching import check
from tests.marketing.batches import add_import
from tests.weightings.markets import add_outcome, add_spend, market_weeks
from weightings.methods.priors import LogNormal
from weightings.presentation.words import settings

pytestmark = pytest.mark.browser
EMAIL, PASSWORD = "owner@example.com", "a long enough password"


@pytest.fixture
def shop(transactional_db: None, tmp_path: Path, settings: Settings) -> Workspace:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    owner = User.objects.create_user(EMAIL, PASSWORD)
    workspace = create_workspace(name="Corner shop", slug="shop", owner=owner)
    Workspace.objects.update(timezone="Europe/Berlin")
    add_outcome(workspace)
    add_outcome(workspace, name="Visits", is_money=False)
    add_spend(workspace)
    price = Control.objects.create(workspace=workspace, name="Price")
    batch = add_import(workspace, Dataset.CONTROLS)
    ControlValue.objects.create(batch=batch, control=price, date=market_weeks()[0], value=3)
    return workspace


@pytest.fixture
def signed_in(page: Page, live_server: LiveServer, shop: Workspace) -> Page:
    client = Client()
    client.force_login(User.objects.get(email=EMAIL))
    carry_session(client, page, live_server)
    page.goto(f"{live_server.url}/w/shop/weightings/")
    return page


def part(page: Page, name: str) -> Locator:
    """The part of the form with this name, unfolded."""
    details = page.locator(".setting-parts > details").filter(
        has=page.locator("summary", has_text=re.compile(f"^{name}"))
    )
    details.locator("> summary").click()
    return details


def say(page: Page, channel: str, low: str, high: str, sure: str) -> None:
    page.get_by_label(f"{channel}: at least").fill(low)
    page.get_by_label(f"{channel}: at most").fill(high)
    page.get_by_label(f"{channel}: how sure").select_option(label=sure)


def implied(page: Page, channel: str) -> Locator:
    return (
        page.locator("#returns-preview .sticky-heads")
        .get_by_role("row")
        .filter(has=page.get_by_role("rowheader", name=channel))
    )


@narrow_first
def test_from_a_range_in_plain_words_to_a_question_that_says_it(signed_in: Page) -> None:
    page = signed_in
    expect(
        page.get_by_text("The model learns from all data up to 26 Feb 2023 (from 3 Jan 2022), 60 weeks")
    ).to_be_visible()
    check(page)

    part(page, "Expected returns")
    page.locator("#returns-preview").scroll_into_view_if_needed()
    expect(implied(page, "TV")).to_contain_text("As usual")  # by itself, once it is in view
    expect(implied(page, "TV")).to_contain_text("0.28–5.37")
    say(page, "TV", "0.5", "3", "80%")
    expect(implied(page, "TV")).to_contain_text("As you say")
    low, high = LogNormal.from_range(median=1.5**0.5, low=0.5, high=3).interval(0.9)
    expect(implied(page, "TV")).not_to_contain_text(f"{low:.2f}–{high:.2f}")  # of 90%, and 80% were said
    expect(implied(page, "TV")).to_contain_text("1.22 0.39–3.87")
    expect(implied(page, "TV")).to_contain_text("38.6%")  # that it loses money
    expect(page.get_by_text("TV is believed to return 1.22 (0.39–3.87) per €1").first).to_be_visible()
    check(page)

    say(page, "TV", "1", "1.1", "90%")
    expect(page.locator("#returns-preview .alert")).to_contain_text("so narrow that data can hardly move it")
    say(page, "TV", "3", "1", "90%")
    expect(page.locator("#returns-preview")).to_contain_text("The range must rise from above 0")
    say(page, "TV", "0.5", "3", "80%")
    expect(implied(page, "TV")).to_contain_text("1.22 0.39–3.87")

    channels = part(page, "Channels and controls")
    channels.get_by_label("Search").uncheck()
    expect(implied(page, "Search")).to_have_count(0)
    channels.get_by_label("Price").uncheck()
    model = part(page, "Model")
    expect(model.get_by_label("Country 1")).to_have_value("Germany")
    model.get_by_label("Country 2").fill("Austria")
    part(page, "Experiments")
    part(page, "Technical")
    check(page)

    page.get_by_role("button", name="Calculate weightings").click()
    page.wait_for_url("**/runs/*/")
    run = Run.objects.get()
    assert run.params["leave_out_channels"] == ["Search"]
    assert run.params["leave_out_controls"] == ["Price"]
    assert run.params["holidays"] == ["AT", "DE"]
    assert LogNormal.from_range(**run.params["effects"]["TV"]).interval(0.8) == pytest.approx((0.5, 3))
    assert ("Expected returns", "TV 0.5–3 (80% sure)") in settings(run.params)
    expect(page.get_by_text("with expected returns · without Search · without Price").first).to_be_visible()
    page.get_by_role("link", name="Change the question").click()
    expect(page.get_by_label("TV: at least")).to_have_value("0.5")
    expect(page.get_by_label("TV: at most")).to_have_value("3.0")
    expect(page.get_by_label("TV: how sure")).to_have_value("80")
    expect(page.get_by_role("checkbox", name="Search")).not_to_be_checked()
    check(page)


@wide_first
def test_of_an_outcome_that_is_no_money_no_return_is_expected(signed_in: Page) -> None:
    page = signed_in
    part(page, "Expected returns")
    expect(page.get_by_label("TV: at least")).to_be_visible()
    say(page, "TV", "0.5", "3", "80%")
    page.get_by_label("Business outcome").select_option("Visits")
    expect(page.get_by_label("TV: at least")).to_have_count(0)
    expect(page.locator("#expected-returns")).to_contain_text("“Visits” is not in money")
    expect(page.locator("#expected-returns")).to_contain_text("What you have said of returns is kept, but not used.")
    expect(page.locator("#expected-returns .errorlist")).to_have_count(0)
    check(page)
    page.get_by_label("Business outcome").select_option("Sales")
    expect(page.get_by_label("TV: at least")).to_be_visible()
    expect(page.get_by_label("TV: at least")).to_have_value("0.5")
    expect(page.get_by_label("TV: at most")).to_have_value("3")
    expect(page.get_by_label("TV: how sure")).to_have_value("80")
    page.locator("#returns-preview").scroll_into_view_if_needed()
    expect(implied(page, "TV")).to_contain_text("As you say")
    page.get_by_label("Business outcome").select_option("Visits")
    expect(page.get_by_label("TV: at least")).to_have_count(0)
    page.get_by_role("button", name="Calculate weightings").click()
    page.wait_for_url("**/runs/*/")
    assert "effects" not in Run.objects.get().params


@one_look
def test_the_defaults_make_one_click_a_question(signed_in: Page) -> None:
    page = signed_in
    page.get_by_role("button", name="Calculate weightings").click()
    page.wait_for_url("**/runs/*/")
    params = Run.objects.get().params
    assert params["outcome"] == Outcome.objects.get(name="Sales").name
    assert params["holidays"] == ["DE"]
    assert not [name for name in params if name.startswith("leave_out") or name == "effects"]


@one_look
def test_it_works_by_keyboard(signed_in: Page) -> None:
    page = signed_in
    page.get_by_label("Model", exact=True).focus()
    for _ in range(2):  # past the link to data health, to the first part
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Confidence level")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_label("Confidence level")).to_be_focused()


def test_it_works_without_a_script(browser: Browser, live_server: LiveServer, shop: Workspace) -> None:
    client = Client()
    client.force_login(User.objects.get(email=EMAIL))
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    carry_session(client, page, live_server)
    page.goto(f"{live_server.url}/w/shop/weightings/")
    part(page, "Expected returns")
    say(page, "TV", "0.5", "3", "90%")
    page.get_by_role("button", name="Show").click()
    expect(implied(page, "TV")).to_contain_text("1.22 0.50–3.00")
    page.get_by_label("TV: at most").press("Enter")  # asks, and does not press the first button there is
    expect(page.get_by_role("heading", level=1)).to_contain_text("Weightings")
    assert Run.objects.get().params["effects"]["TV"]["high"] == 3
    context.close()


def test_without_a_script_what_was_said_outlives_an_outcome_that_is_no_money(
    browser: Browser, live_server: LiveServer, shop: Workspace
) -> None:
    client = Client()
    client.force_login(User.objects.get(email=EMAIL))
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    carry_session(client, page, live_server)
    page.goto(f"{live_server.url}/w/shop/weightings/")
    part(page, "Expected returns")
    say(page, "TV", "0.5", "3", "80%")
    page.get_by_label("Business outcome").select_option("Visits")
    page.get_by_role("button", name="Calculate weightings").click()
    expect(page.get_by_text("Returns can be expected of an outcome in money, and “Visits” is none.")).to_be_visible()
    expect(page.get_by_text("What you have said of returns is kept, but not used.")).to_be_visible()
    page.get_by_label("Business outcome").select_option("Sales")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_label("TV: at least")).to_have_value("0.5")
    expect(page.get_by_label("TV: at most")).to_have_value("3")
    expect(page.get_by_label("TV: how sure")).to_have_value("80")
    context.close()
