"""The browser tests' own eyes: each kind of trouble on a page fails a test."""

import pytest
from playwright.sync_api import BrowserContext, Page
from pytest_django.live_server_helper import LiveServer

from tests.browser.looks import one_look
from tests.browser.watching import nothing_goes_wrong

pytestmark = [pytest.mark.browser, one_look]
INSERT = "element => document.head.append(Object.assign(document.createElement(element[0]), element[1]))"


@pytest.mark.parametrize(
    ("script", "argument", "complaint"),
    [
        ("() => console.error('broken')", None, "error: broken"),
        ("() => console.warn('odd')", None, "warning: odd"),
        ("() => { setTimeout(() => { throw new Error('thrown') }) }", None, "page error: thrown"),
        (INSERT, ["style", {"textContent": "p { color: red }"}], "Content Security Policy"),
        (INSERT, ["script", {"textContent": "1"}], "Content Security Policy"),
        (INSERT, ["script", {"src": "https://example.com/x.js"}], "Content Security Policy"),
        (INSERT, ["script", {"src": "/static/gone.js"}], "404"),
        ("() => document.querySelector('main').append(new Image())", None, r"axe: image-alt \(critical\)"),
        ("() => { document.documentElement.lang = '' }", None, "axe: html-has-lang"),
    ],
)
def test_trouble_on_a_page_fails_the_test(
    live_server: LiveServer, context: BrowserContext, script: str, argument: object, complaint: str
) -> None:
    page = context.new_page()
    page.goto(f"{live_server.url}/accounts/login/")
    with pytest.raises(AssertionError, match=complaint), nothing_goes_wrong(page):
        make_trouble(page, script, argument)


def make_trouble(page: Page, script: str, argument: object) -> None:
    page.evaluate(script, argument)
    page.wait_for_load_state("networkidle")


def test_a_page_in_order_passes(live_server: LiveServer, context: BrowserContext) -> None:
    page = context.new_page()
    with nothing_goes_wrong(page):
        page.goto(f"{live_server.url}/accounts/login/")
