"""Every page of the product: nothing to complain of in the console, to axe, or beside the window.

In the two opposite looks; `make test-full` looks in all of them.
"""

from collections.abc import Mapping
from pathlib import Path

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from tests.browser.conftest import carry_session, window
from tests.browser.looks import LOOKS, OPPOSITES, Look, name
from tests.browser.watching import Watch, axe_findings, overflow
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


@pytest.fixture
def world(transactional_db: None, tmp_path: Path, settings: Settings) -> World:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    return build_world(lambda workspace: import_some_months(workspace, tmp_path))


@pytest.mark.parametrize(
    "look",
    [pytest.param(look, marks=() if look in OPPOSITES else pytest.mark.full, id=name(look)) for look in LOOKS],
)
def test_every_page_is_in_order(live_server: LiveServer, browser: Browser, world: World, look: Look) -> None:
    visitor, owner = Client(), world.signed_in()
    before_signing_in = html_pages(visitor, {"": world.cases[""]})
    pages = html_pages(owner, world.cases) | world.states()
    pages = {name: path for name, path in pages.items() if path not in before_signing_in.values()}
    assert {"account_login", "account_signup", "account_reset_password"} <= before_signing_in.keys()
    assert {"reports:dashboard", "reports:channel", "attribution:page", "weightings:page"} <= pages.keys()
    assert {"weightings:page without data", "analyses:run failed", "analyses:run of media"} <= pages.keys()
    wrong = troubles(live_server, browser, look, visitor, dict.fromkeys(before_signing_in.values(), 200))
    wrong += troubles(live_server, browser, look, owner, dict.fromkeys(pages.values(), 200))
    assert not wrong, "\n".join(wrong)


@pytest.mark.urls("tests.web.faulty_urls")
def test_every_refusal_is_in_order(live_server: LiveServer, browser: Browser) -> None:
    wrong = [line for look in LOOKS for line in troubles(live_server, browser, look, Client(), REFUSALS)]
    assert not wrong, "\n".join(wrong)


def troubles(
    live_server: LiveServer, browser: Browser, look: Look, client: Client, pages: Mapping[str, int]
) -> list[str]:
    """Return what is wrong with the pages (path -> status), as whoever is signed in with `client` sees them."""
    with window(browser, look) as page:
        page.emulate_media(reduced_motion="reduce")
        carry_session(client, page, live_server)
        watch = Watch(page)
        return [
            f"{path} ({name(look)}): {fault}"
            for path, status in pages.items()
            for fault in trouble(page, watch, f"{live_server.url}{path}", status)
        ]


def trouble(page: Page, watch: Watch, url: str, status: int) -> list[str]:
    """Return what is wrong with the page at `url`, with all that folds open on it unfolded."""
    response = page.goto(url)
    assert response is not None
    other = [] if response.status == status else [f"its status is {response.status}, not {status}"]
    page.evaluate(OPEN_EVERYTHING)
    return other + axe_findings(page) + overflow(page) + watch.take(refused=status >= 400)
