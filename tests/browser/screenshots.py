"""Pictures of every page on demo data, for people to look at: `make screenshots` puts them in screenshots/<look>/.

Not collected with the tests: it finds no fault, it only shows.
"""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import Workspace
from jobs.execution import execute
from marketing.importing.demo import request_demo
from marketing.periods import yesterday
from tests.browser.conftest import carry_session, window
from tests.browser.looks import LOOKS
from tests.browser.test_every_page import REFUSALS
from tests.browser.watching import settle
from tests.browser.world import World, build_world
from tests.routes import html_pages

FOLDER = Path(django_settings.BASE_DIR) / "screenshots"


@pytest.fixture
def world(transactional_db: None, tmp_path: Path, settings: Settings) -> World:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    shutil.rmtree(FOLDER, ignore_errors=True)  # no picture of a page that is no more
    return build_world(load_demo)


def load_demo(workspace: Workspace) -> None:
    last_day = yesterday(now=timezone.now(), zone=workspace.zone)
    for batch in request_demo(workspace=workspace, end=last_day, by=None, ring=False):
        execute(job_id=batch.job_id)


def test_take_pictures_of_every_page(live_server: LiveServer, browser: Browser, world: World) -> None:
    visitor, owner = Client(), world.signed_in()
    before_signing_in = html_pages(visitor, {"": world.cases[""]})
    take(live_server, browser, visitor, before_signing_in)
    take(live_server, browser, owner, html_pages(owner, world.cases) | world.states())


@pytest.mark.urls("tests.web.faulty_urls")
def test_take_pictures_of_every_refusal(live_server: LiveServer, browser: Browser) -> None:
    take(live_server, browser, Client(), {f"refusal {status}": path for path, status in REFUSALS.items()})


def take(live_server: LiveServer, browser: Browser, client: Client, pages: Mapping[str, str]) -> None:
    """Take a picture of each page (name -> path) in every look, all of it from top to bottom."""
    for look in LOOKS:
        with window(browser, look) as page:
            carry_session(client, page, live_server)
            for name, path in pages.items():
                page.goto(f"{live_server.url}{path}")
                settle(page)
                file = f"{re.sub(r'[^a-z0-9]+', '-', name.lower())}.png"
                page.screenshot(path=FOLDER / f"{look[0]}-{look[1]}" / file, full_page=True)
