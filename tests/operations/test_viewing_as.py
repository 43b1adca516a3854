"""Every address as a site admin meets it who views as an owner: what can be read is read, and nothing changes."""

from collections.abc import Iterator
from datetime import datetime

import pytest
from django.db import transaction
from django.test import Client
from pytest_django import DjangoDbBlocker

from accounts import impersonation
from accounts.impersonation_middleware import CODE, KEPT_BACK
from accounts.models import AuditEvent, User
from tests.routes import Route, every_route
from tests.test_every_url import Rows, World, _rows, make_world

ROUTES = [route for route in every_route() if route.name != "stop_viewing_as"]
PAGES = [route for route in ROUTES if not (route.is_admin or route.is_account or route.is_of_a_mail)]
# What looks like something to take away and is for everybody who may look: figures, without a person in them. And what
# only changes something, which nobody may who looks.
FIGURES = {
    *("reports:export_dashboard", "reports:export_run", "reports:export_page", "reports:export_file"),
    *("reports:export_scenario", "reports:export_edition", "crosschannel:journeys_csv", "reports:prepare_export"),
    *("reports:api_dashboard_export", "reports:api_run_exports", "reports:api_run_export", "reports:api_export_file"),
    *("reports:api_scenario_export", "reports:api_export_content", "marketing:discard_upload"),
}
WORDS = ("export", "secret", "key", "privacy", "customer", "reject", "upload", "_csv", "original")


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    with django_db_blocker.unblock(), transaction.atomic():
        yield make_world()
        transaction.set_rollback(True)


@pytest.fixture
def viewing(world: World, db: None) -> Client:
    """The browser of a site admin who views as the world's owner."""
    client, root = Client(), User.objects.create_superuser("root@example.com")
    client.force_login(root)
    session = client.session
    impersonation.start(session=session, person=world.owner, reason="A look", by=root)
    session.save()
    return client


def state_of(world: World) -> tuple[Rows, int, datetime | None]:
    last_login = User.objects.get(pk=world.owner.pk).last_login
    return dict(_rows(world.workspace)), AuditEvent.objects.count(), last_login


def is_kept_back(route: Route) -> bool:
    return route.name in KEPT_BACK or route.name.partition(":")[0] in KEPT_BACK


def test_every_page_can_be_looked_at_as_the_person_or_is_kept_back_and_nothing_changes(
    world: World, viewing: Client
) -> None:
    before = state_of(world)
    wrong = []
    for route in PAGES:
        response = viewing.get(route.url(world.arguments))
        body = b"".join(response.streaming_content) if response.streaming else response.content  # type: ignore[attr-defined]
        refused = response.status_code == 403 and (b"stop viewing as" in body.lower() or CODE.encode() in body)
        if refused != is_kept_back(route) or response.status_code >= 500:
            wrong.append((route.name, response.status_code))
    assert not wrong
    assert state_of(world) == before


def test_nothing_can_be_done_at_any_address(world: World, viewing: Client) -> None:
    before = state_of(world)
    answers = {route.name: viewing.post(route.url(world.arguments)).status_code for route in ROUTES}
    assert set(answers.values()) == {403}, {name: status for name, status in answers.items() if status != 403}
    assert state_of(world) == before


def test_neither_the_admin_nor_an_account_is_open(world: World, viewing: Client) -> None:
    theirs = [route for route in ROUTES if route.is_account or route.name in ("admin:index", "admin:status")]
    assert {viewing.get(route.url(world.arguments)).status_code for route in theirs} == {403}


def test_whatever_can_be_taken_away_is_decided_upon() -> None:
    taken = {route.name for route in PAGES if any(word in route.name for word in WORDS)}
    undecided = {route.name for route in PAGES if route.name in taken and not is_kept_back(route)} - FIGURES
    assert not undecided, "Keep it back in accounts.impersonation_middleware, or add it to FIGURES here."


def test_what_is_kept_back_exists() -> None:
    names = {route.name for route in ROUTES} | {route.name.partition(":")[0] for route in ROUTES}
    assert not KEPT_BACK - names
