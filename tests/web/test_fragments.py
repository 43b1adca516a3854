"""One URL: a page for browsers, a fragment for HTMX."""

from pathlib import Path
from typing import cast

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django_htmx.middleware import HtmxDetails
from pytest_django.fixtures import Settings

from mmm_project.web import HtmxHttpRequest, render_page

PAGE = """{% load partials %}<h1>Runs</h1>{% partialdef status inline %}<p>{{ state }}</p>{% endpartialdef %}"""
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _page(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(PAGE)
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]


def _get(headers: dict[str, str], *, fragment: str | None = "status", status: int = 200) -> HttpResponse:
    request = cast("HtmxHttpRequest", RequestFactory().get("/", headers=headers))
    request.htmx = HtmxDetails(request)  # as HtmxMiddleware does
    return render_page(request, "page.html", {"state": "done"}, fragment=fragment, status=status)


@pytest.mark.parametrize(
    ("headers", "content"),
    [
        ({}, "<h1>Runs</h1><p>done</p>"),
        (HTMX, "<p>done</p>"),
        (HTMX | {"HX-Boosted": "true"}, "<h1>Runs</h1><p>done</p>"),
        (HTMX | {"HX-History-Restore-Request": "true"}, "<h1>Runs</h1><p>done</p>"),
    ],
    ids=["browser", "HTMX", "boosted link", "history restore"],
)
def test_only_htmx_itself_gets_the_fragment(headers: dict[str, str], content: str) -> None:
    response = _get(headers)
    assert response.content.decode() == content
    assert response.headers["Vary"] == "HX-Request, HX-Boosted, HX-History-Restore-Request"


def test_a_page_without_fragments_is_the_same_for_all() -> None:
    response = _get(HTMX, fragment=None)
    assert response.content.decode() == "<h1>Runs</h1><p>done</p>"
    assert "Vary" not in response.headers


def test_a_form_that_failed_keeps_its_status() -> None:
    assert _get(HTMX, status=422).status_code == 422
