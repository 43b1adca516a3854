"""The guide's pages in the product."""

from collections.abc import Callable

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from guide.pages import Guide

ClientFor = Callable[[User | None], Client]


def test_the_contents_lead_to_every_page(client_for: ClientFor, viewer: User, guide: Guide) -> None:
    page = client_for(viewer).get("/help/").text
    for entry in guide.entries.values():
        assert f'<a href="/help/{entry.slug}/">{entry.title}</a>' in page


def test_a_page_shows_its_text_its_headings_and_its_neighbours(client_for: ClientFor, viewer: User) -> None:
    page = client_for(viewer).get("/help/attribution/").text
    assert "<h1>Attribution</h1>" in page
    assert '<a href="/help/attribution/" aria-current="page">Attribution</a>' in page
    assert '<li class="is-h2"><a href="#read-the-result">Read the result</a></li>' in page
    assert '<a href="/help/dashboard/" rel="prev">' in page
    assert '<a href="/help/custom-models/" rel="next">' in page


def test_the_guide_keeps_the_workspace_that_one_was_in(client_for: ClientFor, viewer: User) -> None:
    client = client_for(viewer)
    client.get("/w/acme/runs/")
    assert '<a href="/w/acme/attribution/">' in client.get("/help/").text


def test_a_page_that_there_is_not_is_missing(client_for: ClientFor, viewer: User) -> None:
    assert client_for(viewer).get("/help/no-such-page/").status_code == 404


def test_the_guide_is_for_those_who_have_signed_in(client: Client, db: None) -> None:
    for path in ("/help/", "/help/attribution/", "/help/search/?q=run"):
        assert client.get(path).headers["Location"].startswith("/accounts/login/?next=/help/")


def test_the_guide_is_only_read(client_for: ClientFor, viewer: User) -> None:
    for path in ("/help/", "/help/attribution/", "/help/search/"):
        assert client_for(viewer).post(path).status_code == 405


def test_a_search_marks_the_words_and_escapes_the_rest(client_for: ClientFor, viewer: User) -> None:
    page = client_for(viewer).get("/help/search/", {"q": 'undo "><script>'}).text
    assert "<mark>Undo</mark> an import" in page
    assert '<script>"' not in page
    assert 'value="undo &quot;&gt;&lt;script&gt;"' in page


def test_htmx_gets_the_results_alone(client_for: ClientFor, viewer: User) -> None:
    response = client_for(viewer).get("/help/search/?q=undo", headers={"HX-Request": "true"})
    assert response.text.strip().startswith('<div class="guide-results" id="results"')
    assert "HX-Request" in response.headers["Vary"]


def test_a_search_says_when_there_is_nothing_to_look_for_and_when_nothing_was_found(
    client_for: ClientFor, viewer: User
) -> None:
    client = client_for(viewer)
    assert "Type what you are looking for" in client.get("/help/search/").text
    assert "Nothing found" in client.get("/help/search/?q=xyzzy").text
    assert "No part of the guide has all of these words" in client.get("/help/search/?q=undo+xyzzy").text


def test_a_page_costs_no_query_of_its_own(client_for: ClientFor, viewer: User) -> None:
    client = client_for(viewer)
    client.get("/help/glossary/")
    with CaptureQueriesContext(connection) as few:
        client.get("/help/")
    with CaptureQueriesContext(connection) as many:
        client.get("/help/methods/")
    assert len(many) == len(few)
