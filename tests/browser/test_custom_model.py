"""Somebody makes a model, sees what it does while choosing, runs it, and changes it without changing its runs."""

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
from attribution.cube.daily_cube import refresh_cube
from attribution.models import CustomModel
from jobs.execution import execute
from tests.browser.conftest import carry_session
from tests.browser.looks import Look, narrow_first
from tests.browser.watching import check
from tests.browser.world import EMAIL, PASSWORD, import_some_months

pytestmark = pytest.mark.browser
NAME = "First matters"


@pytest.fixture
def shop(transactional_db: None, tmp_path: Path, settings: Settings) -> Workspace:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    owner = User.objects.create_user(EMAIL, PASSWORD)
    workspace = create_workspace(name="Corner shop", slug="shop", owner=owner)
    import_some_months(workspace, tmp_path)
    execute(job_id=refresh_cube(workspace=workspace, ring=False).job_id)
    return workspace


@pytest.fixture
def signed_in(page: Page, live_server: LiveServer, shop: Workspace) -> Page:
    client = Client()
    client.force_login(User.objects.get(email=EMAIL))
    carry_session(client, page, live_server)
    page.goto(f"{live_server.url}/w/shop/attribution/")
    return page


@narrow_first
def test_from_weights_to_credit_beside_the_other_models(signed_in: Page, look: Look) -> None:
    page = signed_in
    page.get_by_role("link", name="Create custom model").click()
    expect(preview(page)).to_contain_text("Share of")  # the data is credited by itself
    page.get_by_label("Name", exact=True).fill(NAME)
    set_weights(page, 50, 30, 30)
    expect(page.get_by_text("Total 110%: must total 100%.")).to_be_visible()
    for button in ("Save model", "Save and run"):
        expect(page.get_by_role("button", name=button)).to_be_disabled()
    expect(preview(page)).to_contain_text("must total 100%, not 110%")
    check(page)

    set_weights(page, 50, 30, 20)
    expect(page.get_by_text("Total 100%.")).to_be_visible()
    expect(page.get_by_role("button", name="Save model")).to_be_enabled()
    expect(shares(page, "3 touches")).to_have_text(["50.0%", "30.0%", "20.0%"])
    expect(preview(page).get_by_role("row", name="Paid Search")).to_contain_text("%")
    page.get_by_role("button", name="Add a rule").click()
    expect(page.get_by_role("heading", name="Rule 1")).to_be_focused()
    expect(page.get_by_label("Name", exact=True)).to_have_value(NAME)  # what was typed stays
    expect(preview(page)).to_contain_text("Complete the rules")
    page.get_by_label("Weight times").fill("0")
    page.get_by_role("group", name="Interaction").get_by_label("Impression").check()
    expect(shares(page, "3 touches")).to_have_text(["0.0%", "60.0%", "40.0%"])
    check(page)
    page.get_by_role("button", name="Remove rule 1").click()
    expect(shares(page, "3 touches")).to_have_text(["50.0%", "30.0%", "20.0%"])

    page.get_by_role("button", name="Save and run").click()
    model = CustomModel.objects.get()
    first = answered(page)
    expect(page.get_by_role("columnheader", name=re.compile(NAME)).first).to_be_visible()
    expect(page.get_by_role("columnheader", name="Last Non-Direct").first).to_be_visible()
    check(page)
    assert first.params["model"] == [f"custom:{model.pk}@1", "last_non_direct"]
    credited = first.result

    page.goto(f"{page.url.split('/runs/')[0]}/attribution/models/{model.pk}/")
    set_weights(page, 10, 20, 70)
    expect(shares(page, "3 touches")).to_have_text(["10.0%", "20.0%", "70.0%"])
    page.get_by_role("button", name="Save as version 2").click()
    expect(page.get_by_text("is saved as version 2")).to_be_visible()
    history = page.get_by_role("region", name="Versions").get_by_role("listitem").filter(has_text="Used in 1 run")
    expect(history).to_contain_text("Version 1")
    check(page)

    page.get_by_role("link", name="Run it").click()
    second = run(page)
    assert second.params["model"][0] == f"custom:{model.pk}@2"
    assert second.result is not None
    assert second.result["models"][f"custom:{model.pk}@2"] != credited["models"][f"custom:{model.pk}@1"]
    first.refresh_from_db()
    assert first.result == credited
    page.goto(f"{page.url.split('/runs/')[0]}/runs/{first.pk}/")
    expect(page.get_by_role("columnheader", name=re.compile(NAME)).first).to_be_visible()
    check(page)


def test_it_works_without_a_script(browser: Browser, live_server: LiveServer, shop: Workspace) -> None:
    client = Client()
    client.force_login(User.objects.get(email=EMAIL))
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    carry_session(client, page, live_server)
    page.goto(f"{live_server.url}/w/shop/attribution/models/new/")
    page.get_by_label("Name", exact=True).fill("By hand")
    set_weights(page, 50, 30, 30)
    page.get_by_role("button", name="Save model").click()
    expect(page.get_by_text("must total 100%, not 110%").first).to_be_visible()
    set_weights(page, 50, 30, 20)
    page.get_by_role("button", name="Add a rule").click()
    page.get_by_label("Weight times").fill("2")
    page.get_by_role("group", name="Channel type").get_by_label("Owned").check()
    page.get_by_role("button", name="Preview").click()
    expect(preview(page)).to_contain_text("Touches of owned channels")
    expect(preview(page)).to_contain_text("Share of")
    page.get_by_label("Name", exact=True).press("Enter")  # saves, and does not press the first button there is
    expect(page.get_by_role("heading", name="By hand", level=1)).to_be_visible()
    assert len(CustomModel.objects.get().versions.get().definition["rules"]) == 1
    context.close()


def run(page: Page) -> Run:
    page.get_by_role("button", name="Run analysis").click()
    return answered(page)


def answered(page: Page) -> Run:
    """Carry out the run that the page shows, as a worker would."""
    page.wait_for_url("**/runs/*/")
    asked = Run.objects.filter(kind="attribution").latest("created_at")
    execute(job_id=asked.job_id)
    expect(page.locator("[data-card=conversions]")).to_be_visible()
    asked.refresh_from_db()
    return asked


def set_weights(page: Page, first: int, middle: int, last: int) -> None:
    for label, weight in (("First touch", first), ("Touches between", middle), ("Last touch", last)):
        page.get_by_label(label, exact=True).fill(str(weight))


def preview(page: Page) -> Locator:
    return page.locator("#custom-preview")


def shares(page: Page, example: str) -> Locator:
    """The share of each touch of the example journey."""
    return preview(page).locator(".custom-example").filter(has_text=example).locator(".custom-share")
