"""Every page of the product: nothing to complain of in the console, to axe, or beside the window.

Loaded in one look, where axe judges it, and turned into the opposite one, in which the next page is loaded. Further
states of the same page are looked at in one of the two by turns, without axe. `make test-full` judges each of them in
all looks.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from tests.browser.conftest import HEIGHT, carry_session, window
from tests.browser.looks import LOOKS, OPPOSITES, Look, name
from tests.browser.watching import Watch, axe_findings, overflow, settle
from tests.browser.world import World, build_world, import_some_months
from tests.routes import html_pages

pytestmark = pytest.mark.browser
REFUSALS = {
    "/fail/bad-request/": 400,
    "/fail/denied/": 403,
    "/fail/plan/": 403,
    "/fail/missing/": 404,
    "/fail/conflict/": 409,
    "/fail/too-large/": 413,
    "/fail/too-often/": 429,
    "/fail/fault/": 500,
}
OPEN_EVERYTHING = "() => document.querySelectorAll('details:not([data-menu])').forEach((one) => { one.open = true; })"

TWO_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


@pytest.fixture
def world(transactional_db: None, tmp_path: Path, settings: Settings) -> World:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    return build_world(lambda workspace: import_some_months(workspace, tmp_path))


in_both_or_in_each = pytest.mark.parametrize(
    "looks",
    [
        pytest.param(OPPOSITES, id="opposites"),
        *(pytest.param([look], id=name(look), marks=pytest.mark.full) for look in LOOKS),
    ],
)


@in_both_or_in_each
def test_every_page_is_in_order(live_server: LiveServer, browser: Browser, world: World, looks: Sequence[Look]) -> None:
    visitor, owner = Client(), world.signed_in()
    before_signing_in = html_pages(visitor, {"": world.cases[""]})
    pages = html_pages(owner, world.cases) | world.states()
    pages = {name: path for name, path in pages.items() if path not in before_signing_in.values()}
    assert {"account_login", "account_signup", "account_reset_password"} <= before_signing_in.keys()
    assert {"reports:dashboard", "reports:channel", "attribution:page", "weightings:page"} <= pages.keys()
    assert {"weightings:page without data", "analyses:run failed", "analyses:run of media"} <= pages.keys()
    assert {"weightings:channel of media", "weightings:channel of media in points"} <= pages.keys()
    wrong = troubles(live_server, browser, looks, visitor, dict.fromkeys(before_signing_in.values(), 200))
    further = further_states(pages) if len(looks) > 1 else []
    whole = [path for path in pages.values() if path not in further]
    wrong += troubles(live_server, browser, looks, owner, dict.fromkeys(whole, 200))
    for place, look in enumerate(looks if further else ()):
        pages_of_look = dict.fromkeys(further[place :: len(looks)], 200)
        wrong += troubles(live_server, browser, [look], owner, pages_of_look, with_axe=False)
    assert not wrong, "\n".join(wrong)


@in_both_or_in_each
@pytest.mark.urls("tests.web.faulty_urls")
def test_every_refusal_is_in_order(live_server: LiveServer, browser: Browser, looks: Sequence[Look]) -> None:
    wrong = troubles(live_server, browser, looks, Client(), REFUSALS)
    assert not wrong, "\n".join(wrong)


def further_states(pages: Mapping[str, str]) -> list[str]:
    """Return the addresses of pages that are another state of one that is named before: "analyses:run failed"."""
    seen: set[str] = set()
    further = []
    for called, path in pages.items():
        route = called.partition(" ")[0]
        if route in seen:
            further.append(path)
        seen.add(route)
    return further


def troubles(
    live_server: LiveServer,
    browser: Browser,
    looks: Sequence[Look],
    client: Client,
    pages: Mapping[str, int],
    *,
    with_axe: bool = True,
) -> list[str]:
    """Return what is wrong with the pages (path -> status), as whoever is signed in with `client` sees them.

    Each is loaded in one of the looks, and turned into the others; the next one begins where it ends.
    """
    found = []
    with window(browser, looks[0]) as page:
        carry_session(client, page, live_server)
        watch = Watch(page)
        for path, status in pages.items():
            faults = trouble(page, watch, f"{live_server.url}{path}", status, looks, with_axe=with_axe)
            found += [f"{path} {fault}" for fault in faults]
            looks = looks[::-1]
    return found


def trouble(page: Page, watch: Watch, url: str, status: int, looks: Sequence[Look], *, with_axe: bool) -> list[str]:
    """Return what is wrong with the page at `url`, with all that folds open on it unfolded; axe judges the first look.

    The page is in that look when it is loaded.
    """
    response = page.goto(url)
    assert response is not None
    found = [] if response.status == status else [f"has status {response.status}, not {status}"]
    page.evaluate(OPEN_EVERYTHING)
    for look in looks:
        if look != looks[0]:
            turn(page, look)
        settle(page)
        faults = axe_findings(page) if with_axe and look == looks[0] else []
        faults += overflow(page)
        found += [f"({name(look)}): {fault}" for fault in faults]
    return found + watch.take(refused=status >= 400)


def turn(page: Page, look: Look) -> None:
    scheme, width = look
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": HEIGHT})
    page.evaluate(TWO_FRAMES)  # in which charts hear of it and draw
