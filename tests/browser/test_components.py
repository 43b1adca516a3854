"""What components do in a browser: tables sort, dialogs give the focus back, messages can be put away."""

from collections.abc import Iterator

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, expect
from pytest_django import DjangoDbBlocker
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from tests.browser.conftest import carry_session, window
from tests.browser.keyboard import press
from tests.browser.looks import OPPOSITES
from tests.browser.watching import Watch

pytestmark = pytest.mark.browser
TO_THE_TOP = "() => { document.querySelector('a[href]').focus(); scrollTo(0, 0); }"


@pytest.fixture(scope="module")
def window_of_all(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, live_server: LiveServer, browser: Browser
) -> Iterator[tuple[Page, Watch]]:
    """The page with all components, which is large, and loaded once: each test has a component of its own.

    Axe judges it with every page, and not after each of these.
    """
    with window(browser, OPPOSITES[0]) as page:
        watch = Watch(page)
        with django_db_blocker.unblock():
            staff, client = User.objects.create_superuser("staff@example.com"), Client()
            client.force_login(staff)
            carry_session(client, page, live_server)
            page.goto(f"{live_server.url}/gallery/")
            client.logout()
            staff.delete()
        expect(page.get_by_role("heading", level=1, name="Components")).to_be_visible()
        yield page, watch


@pytest.fixture
def gallery(window_of_all: tuple[Page, Watch]) -> Iterator[Page]:
    page, watch = window_of_all
    page.evaluate(TO_THE_TOP)
    yield page
    assert not watch.take()


def test_a_table_sorts_by_the_head_that_is_pressed(gallery: Page) -> None:
    table = gallery.locator("#tables table").first
    names = table.locator("tbody th")
    head = table.get_by_role("columnheader", name="ROAS")
    head.get_by_role("button").press("Enter")
    expect(head).to_have_attribute("aria-sort", "descending")
    expect(names).to_have_text([*("A channel with a name that is a good deal longer than most", "Paid Search"),
                                *("Paid Social", "Email", "Total")])  # fmt: skip
    head.get_by_role("button").press("Enter")
    expect(head).to_have_attribute("aria-sort", "ascending")
    expect(names.first).to_have_text("Paid Social")
    expect(names.nth(3)).to_have_text("Email")  # without a value, it comes last either way
    expect(names.last).to_have_text("Total")
    table.get_by_role("columnheader", name="Channel").get_by_role("button").click()
    expect(names.first).to_have_text("A channel with a name that is a good deal longer than most")
    expect(head).not_to_have_attribute("aria-sort", "ascending")


def test_a_dialog_takes_the_focus_and_gives_it_back(gallery: Page) -> None:
    opener = gallery.get_by_role("button", name="Remove…")
    opener.press("Enter")
    dialog = gallery.get_by_role("dialog", name="Remove this?")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_role("button", name="Remove")).to_be_focused()
    gallery.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()


def test_a_message_can_be_put_away(gallery: Page) -> None:
    message = gallery.locator("toast-message", has_text="The schedule is saved.")
    message.get_by_role("button", name="Put this message away").click()
    expect(message).to_have_count(0)


def test_an_explanation_opens_and_closes_by_keyboard(gallery: Page) -> None:
    button = gallery.get_by_role("button", name="About blended ROAS")
    press(gallery, button)
    text = gallery.get_by_text("All revenue for each unit of spend, whoever gets the credit.")
    expect(text).to_be_visible()
    gallery.keyboard.press("Escape")
    expect(text).to_be_hidden()


def test_heads_names_and_the_total_of_a_long_table_stay_in_sight(gallery: Page) -> None:
    place = gallery.get_by_role("region", name="Campaigns by month")
    place.evaluate("place => place.scrollTo(300, 200)")
    # Measured at one moment: pictures further up may still be arriving.
    off = place.evaluate(
        """place => {
          const whole = place.getBoundingClientRect();
          const off = (selector, edge) => place.querySelector(selector).getBoundingClientRect()[edge] - whole[edge];
          const [corner, total] = ["thead th", "tr.total th"];
          return [off(corner, "left"), off(corner, "top"), off(total, "left"), off(total, "bottom")];
        }"""
    )
    assert off == pytest.approx([0, 0, 0, 0], abs=1)
