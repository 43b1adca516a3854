"""Nothing inline: the browser runs and paints only what comes from our own files, on every page."""

from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from django.test import Client

from accounts.models import User, Workspace
from tests.routes import Route, every_route

# Pages that can be built without more than a workspace; runs and other objects have tests of their own.
PAGES = [route for route in every_route() if not route.is_admin and not route.is_api and route.arguments <= {"slug"}]


class InlineFinder(HTMLParser):
    """Collects what the policy would block. A script of JSON is data, which no policy concerns."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        runs = tag == "script" and given.get("type") not in ("application/json", "importmap")
        if tag == "style" or (runs and "src" not in given):
            self.found.append(self.get_starttag_text() or tag)
        for name, value in attrs:
            if name == "style" or name.startswith(("on", "hx-on")) or (value or "").startswith("javascript:"):
                self.found.append(self.get_starttag_text() or tag)


def _inline(html: str) -> list[str]:
    finder = InlineFinder()
    finder.feed(html)
    return finder.found


@pytest.mark.parametrize("route", PAGES, ids=str)
def test_a_page_has_nothing_inline_and_says_so(
    route: Route, client_for: Callable[[User | None], Client], owner: User, workspace: Workspace
) -> None:
    url = route.url({"slug": workspace.slug})
    for user in (None, owner):
        response = client_for(user).get(url, follow=True)
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert _inline(response.content.decode()) == []


@pytest.mark.parametrize("path", ["/nowhere/", "/w/nowhere/"])
def test_an_error_page_has_nothing_inline_and_says_so(client: Client, db: None, path: str) -> None:
    response = client.get(path, follow=True)
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert _inline(response.content.decode()) == []


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>",
        "<style>p {}</style>",
        '<p style="color: red">',
        '<p onclick="go()">',
        '<a href="javascript:go()">',
    ],
)
def test_the_finder_finds_what_is_inline(html: str) -> None:
    assert _inline(html)
