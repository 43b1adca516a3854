"""`/` and `/w/new/`: getting to a workspace."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import Membership, Role, User, Workspace

ClientFor = Callable[[User | None], Client]
NEW = {"name": "Blue Fox", "currency": "EUR", "timezone": "Europe/Berlin"}


@pytest.fixture
def newcomer(client_for: ClientFor, db: None) -> Client:
    return client_for(User.objects.create_user("new@example.com"))


def test_home_sends_an_anonymous_visitor_to_sign_in(client: Client) -> None:
    response = client.get("/")
    assert response.status_code == 302
    assert response.headers["Location"] == "/accounts/login/?next=/"


def test_home_sends_a_newcomer_to_create_a_workspace(newcomer: Client) -> None:
    assert newcomer.get("/").headers["Location"] == "/w/new/"


def test_home_sends_a_member_to_the_workspace_used_last(client_for: ClientFor, viewer: User) -> None:
    second = Workspace.objects.create(name="Second", slug="second")
    Membership.objects.create(workspace=second, user=viewer, role=Role.VIEWER)
    client = client_for(viewer)
    assert client.get("/").headers["Location"] == "/w/acme/"
    client.get("/w/second/")
    assert client.get("/").headers["Location"] == "/w/second/"


def test_home_refuses_a_post(newcomer: Client) -> None:
    assert newcomer.post("/").status_code == 405


def test_creating_a_workspace_makes_its_creator_the_owner(newcomer: Client) -> None:
    response = newcomer.post("/w/new/", NEW)
    assert response.headers["Location"] == "/w/blue-fox/"
    workspace = Workspace.objects.get(slug="blue-fox")
    assert (workspace.currency, workspace.timezone) == ("EUR", "Europe/Berlin")
    assert workspace.memberships.get().role == Role.OWNER
    assert workspace.subscription.plan.code == "starter"


def test_a_second_workspace_of_the_same_name_gets_another_slug(newcomer: Client) -> None:
    newcomer.post("/w/new/", NEW)
    assert newcomer.post("/w/new/", NEW).headers["Location"] == "/w/blue-fox-2/"


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", "", "This field is required."),
        ("currency", "XYZ", "“XYZ” is not an ISO 4217 currency code, such as EUR."),
        ("timezone", "Berlin", "“Berlin” is not an IANA time zone, such as Europe/Berlin."),
    ],
)
def test_an_unusable_field_is_said_beside_it(newcomer: Client, field: str, value: str, sentence: str) -> None:
    response = newcomer.post("/w/new/", {**NEW, field: value})
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert not Workspace.objects.exists()


def test_a_currency_may_be_typed_in_lower_case(newcomer: Client) -> None:
    newcomer.post("/w/new/", {**NEW, "currency": "usd"})
    assert Workspace.objects.get().currency == "USD"


def test_the_workspace_of_others_does_not_exist(client_for: ClientFor, workspace: Workspace, outsider: User) -> None:
    response = client_for(outsider).get("/w/acme/")
    assert response.status_code == 404
    assert b"Acme" not in response.content
