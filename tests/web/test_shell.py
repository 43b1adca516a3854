"""The frame around every page: sidebar, switcher and user menu."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import navigation
from accounts.models import User, Workspace
from accounts.navigation import Page
from tests.factories import MembershipFactory

ClientFor = Callable[[User | None], Client]


def test_the_sidebar_marks_the_page_that_is_open(client_for: ClientFor, viewer: User) -> None:
    page = client_for(viewer).get("/w/acme/runs/").content.decode().partition("</aside>")[0]
    assert page.count('aria-current="page"') == 1
    assert '<a href="/w/acme/runs/" aria-current="page">' in page
    assert '<a href="/w/acme/attribution/">' in page
    assert '<a href="/w/acme/weightings/">' in page


def test_pages_below_a_page_belong_to_it_and_those_of_no_workspace_to_none(client_for: ClientFor, viewer: User) -> None:
    below = client_for(viewer).get("/w/acme/runs/compare/").text
    assert '<a href="/w/acme/runs/" aria-current="page">' in below
    User.objects.filter(pk=viewer.pk).update(is_staff=True)
    gallery = client_for(viewer).get("/gallery/").text
    assert '<a href="/w/acme/dashboard/">' in gallery


def test_a_page_that_does_not_exist_yet_is_absent_from_the_sidebar(
    client_for: ClientFor, viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = Page("Weather", "weather:page", "runs")
    monkeypatch.setattr(navigation, "PAGES", (*navigation.PAGES, later))
    assert "Weather" not in client_for(viewer).get("/w/acme/runs/").content.decode()


def test_the_switcher_offers_ones_own_workspaces_only(
    client_for: ClientFor, viewer: User, outsider: User, workspace: Workspace
) -> None:
    MembershipFactory.create(user=viewer, workspace__name="Second", workspace__slug="second")
    page = client_for(viewer).get("/w/acme/runs/").content.decode()
    assert '<a href="/w/second/">Second</a>' in page
    assert "Elsewhere" not in page


def test_the_switcher_costs_the_same_however_many_workspaces_there_are(client_for: ClientFor, viewer: User) -> None:
    client = client_for(viewer)
    client.get("/w/acme/runs/")  # notes the workspace and the visit in the session
    with CaptureQueriesContext(connection) as few:
        client.get("/w/acme/runs/")
    MembershipFactory.create_batch(10, user=viewer)
    with CaptureQueriesContext(connection) as many:
        client.get("/w/acme/runs/")
    assert len(many) == len(few)


def test_account_pages_keep_the_workspace_at_hand(client_for: ClientFor, viewer: User) -> None:
    page = client_for(viewer).get("/accounts/email/").content.decode()
    assert '<a href="/w/acme/runs/">' in page


def test_site_admins_find_the_admin_and_others_do_not(client_for: ClientFor, viewer: User) -> None:
    assert "/admin/" not in client_for(viewer).get("/w/acme/runs/").content.decode()
    User.objects.filter(pk=viewer.pk).update(is_staff=True)
    assert 'href="/admin/"' in client_for(viewer).get("/w/acme/runs/").content.decode()
