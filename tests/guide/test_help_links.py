"""The question mark on every page leads to the part of the guide that belongs to it."""

from collections.abc import Callable, Mapping

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.test import Client, RequestFactory
from django.urls import resolve

from accounts.models import User, Workspace
from guide.help_links import HELP, help_url
from guide.pages import Guide
from tests.routes import Route, every_route

ClientFor = Callable[[User | None], Client]
# What is no page: files, and parts of pages that are fetched into them.
NO_PAGES = {
    "reports:export_dashboard", "reports:export_scenario", "reports:export_edition", "reports:export_file",
    "reports:logo", "reports:schedule_upcoming", "workspace_export_file",
    "marketing:template", "marketing:upload_rejects", "marketing:import_file", "marketing:import_rejects",
    "marketing:demo_status", "weightings:forecast_plan", "crosschannel:journeys_csv",
}  # fmt: skip
# What cannot be anybody's: enough to ask an address which methods it knows.
NOBODYS: Mapping[str, object] = {
    "slug": "acme", "form": "csv", "dataset": "nothing", "page": "nothing",
    **dict.fromkeys(
        ("run_id", "file_id", "edition_id", "alert_id", "schedule_id", "delivery_id", "endpoint_id", "key_id"),
        "00000000-0000-0000-0000-000000000000",
    ),
}  # fmt: skip
IN_WORKSPACES = [route for route in every_route() if route.path.startswith("w/")]


def address(route: Route) -> str:
    return "/" + route.url({argument: NOBODYS.get(argument, 987654) for argument in route.arguments}).lstrip("/")


class WhoIsAsking(Exception):
    """A view asks for the user, so it has not refused the method."""


class Get(WSGIRequest):
    """A GET of nobody: enough to learn whether an address can be read, without a database."""

    @property
    def user(self) -> User:  # type: ignore[override]
        raise WhoIsAsking


def can_be_read(route: Route) -> bool:
    found = resolve(address(route))
    try:
        response = found.func(Get(RequestFactory().get("/").environ), **found.kwargs)
    except WhoIsAsking:
        return True
    return bool(response.status_code != 405)


def test_every_page_of_a_workspace_has_its_part_of_the_guide() -> None:
    pages = {route.name for route in IN_WORKSPACES if can_be_read(route)}
    missing = pages - HELP.keys() - NO_PAGES
    assert not missing, f"Say in guide/help_links.py which part of the guide belongs to {sorted(missing)}."
    assert pages >= NO_PAGES


@pytest.mark.parametrize("name", HELP)
def test_the_table_names_addresses_and_headings_that_there_are(guide: Guide, name: str) -> None:
    assert name in {route.name for route in every_route()}
    page, _, heading = HELP[name].partition("#")
    assert page in guide.entries
    assert not heading or heading in {section.anchor for section in guide.page(page).headings}


def test_a_page_leads_to_its_part(client_for: ClientFor, viewer: User, shop: Workspace) -> None:
    client = client_for(viewer)
    assert 'href="/help/attribution/" aria-label="Help with this page"' in client.get("/w/acme/attribution/").text
    assert 'href="/help/runs/#compare-two-runs" aria-label' in client.get("/w/acme/runs/compare/").text
    assert 'href="/help/getting-started/#your-account" aria-label' in client.get("/accounts/email/").text
    assert '<a href="/help/">Help</a>' in client.get("/w/acme/runs/").text


def test_the_guide_itself_needs_no_help(client_for: ClientFor, viewer: User) -> None:
    assert "Help with this page" not in client_for(viewer).get("/help/runs/").text


def test_a_page_that_nobody_has_told_of_leads_to_the_contents() -> None:
    assert help_url("operations:weather") == "/help/"
