"""A real browser: Debian's Chromium, driven by Playwright, against the product served on loopback."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import celery
import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from tests.browser.looks import ONE_THEN_THE_OPPOSITE, Look, name
from tests.browser.watching import nothing_goes_wrong

HEIGHT = 900  # of windows


@pytest.fixture(scope="session", autouse=True)
def _database_beside_playwright() -> Iterator[None]:
    """Playwright keeps an event loop in this thread, where Django would then refuse to touch the database."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    yield
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="session")
def base_url() -> str:
    """Tests give whole addresses. (The plugin's own fixture is of a kind that pytest is about to drop, and warns.)"""
    return ""


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.fail("These tests drive Chromium. Install Debian's package “chromium”: apt-get install chromium.")
    return browser_type_launch_args | {
        "executable_path": chromium,
        "args": [
            "--no-sandbox",  # it needs privileges that containers do not give, and only our own pages are opened
            "--disable-dev-shm-usage",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
        ],
    }


@pytest.fixture(params=ONE_THEN_THE_OPPOSITE, ids=name)
def look(request: pytest.FixtureRequest) -> Look:
    """The colour scheme that the system asks for, and the width of the window."""
    return request.param  # type: ignore[no-any-return]


def settings_of_window(look: Look) -> dict[str, Any]:
    scheme, width = look
    viewport = {"width": width, "height": HEIGHT}
    # Nothing slides or turns: each of its frames would be painted by the processor.
    return {"color_scheme": scheme, "viewport": viewport, "locale": "en-GB", "reduced_motion": "reduce"}


@pytest.fixture
def browser_context_args(browser_context_args: dict[str, Any], look: Look) -> dict[str, Any]:
    return browser_context_args | settings_of_window(look)


@contextmanager
def window(browser: Browser, look: Look) -> Iterator[Page]:
    """A window of this look for as long as the block, for a test that has several."""
    context = browser.new_context(**settings_of_window(look))
    yield context.new_page()
    context.close()


def carry_session(client: Client, page: Page, live_server: LiveServer) -> None:
    """Let whoever is signed in with `client`, if anybody, be signed in on the page."""
    if session := client.cookies.get(settings.SESSION_COOKIE_NAME):
        page.context.add_cookies([{"name": session.key, "value": session.value, "url": live_server.url}])


@pytest.fixture
def page(page: Page) -> Iterator[Page]:
    """A page on which nothing may go wrong unseen."""
    with nothing_goes_wrong(page):
        yield page


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests carry jobs out themselves: no doorbell is left for a worker to find."""
    monkeypatch.setattr(celery.current_app, "send_task", lambda *_args, **_kwargs: None)
