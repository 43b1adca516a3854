"""Nothing inline: the browser runs and paints only what comes from our own files, on every page."""

from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

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
        # What a file or a picture says about being kept is for those to test that make it.
        if response.headers["Content-Type"].startswith("text/html"):
            assert "no-store" in response.headers["Cache-Control"]


def _is_strict(response: Any) -> bool:
    """Whether the policy is; fails for what is inline."""
    policy = response.headers["Content-Security-Policy"]
    assert _inline(response.content.decode()) == []
    return "default-src 'none'" in policy and "unsafe" not in policy


@pytest.mark.parametrize("path", ["/nowhere/", "/w/nowhere/"])
def test_an_error_page_has_nothing_inline_and_says_so(client: Client, db: None, path: str) -> None:
    assert _is_strict(client.get(path, follow=True))


@pytest.mark.django_db
@pytest.mark.urls("tests.web.faulty_urls")
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/fail/bad-request/", 400),
        ("/fail/denied/", 403),
        ("/fail/missing/", 404),
        ("/fail/conflict/", 409),
        ("/fail/too-large/", 413),
        ("/fail/too-often/", 429),
        ("/fail/fault/", 500),
    ],
)
def test_the_page_of_each_refusal_and_fault_has_nothing_inline_and_says_so(path: str, status: int) -> None:
    response = Client(raise_request_exception=False).get(path)
    assert response.status_code == status
    assert _is_strict(response)
    assert response.headers["X-Frame-Options"] == "DENY"


@pytest.mark.django_db
def test_the_answers_of_middleware_have_nothing_inline_and_say_so(client: Client) -> None:
    other_host = client.get("/", headers={"host": "evil.example"})
    no_token = Client(enforce_csrf_checks=True).post("/accounts/login/", {})
    for response, status in ((other_host, 400), (no_token, 403)):
        assert response.status_code == status
        assert _is_strict(response)
        assert response.headers["X-Frame-Options"] == "DENY"


def test_the_admin_has_nothing_inline_and_says_so(
    client_for: Callable[[User | None], Client], owner: User, workspace: Workspace
) -> None:
    root = client_for(User.objects.create_superuser("root@example.com"))
    looked_at = []
    for route in every_route():
        if not route.is_admin or route.arguments:
            continue
        response = root.get(route.url({}))
        if response.status_code == 200 and response.headers["Content-Type"].startswith("text/html"):
            assert _is_strict(response), route
            assert "no-store" in response.headers["Cache-Control"]
            looked_at.append(route.name)
    for path in (f"accounts/workspace/{workspace.pk}/change/", f"accounts/user/{owner.pk}/change/"):
        assert _is_strict(root.get(f"/admin/{path}"))
    assert {"admin:index", "admin:status", "admin:accounts_workspace_changelist"} <= set(looked_at)


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
