"""Goals and series in the API: the same changes, refusals and traces as on the page."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import AuditEvent, Workspace
from marketing.models import Control, Goal, Outcome
from tests.factories import WorkspaceFactory
from tests.marketing.api.conftest import API, Importer, results, send

pytestmark = pytest.mark.usefixtures("media_root")
CONVERSION = "customer,occurred_at,goal\nann,2026-03-01T10:00Z,{}\n"


def goal(name: str) -> Goal:
    return Goal.objects.get(name=name)


def test_goals_are_listed_as_they_were_made(shop: Workspace, program: Client) -> None:
    made = send(program, "post", "/goals/", {"name": " Demo booked ", "kind": "lead"})
    assert (made.status_code, made["Location"]) == (201, made.json()["url"])
    assert made.json() == {
        "id": goal("Demo booked").pk, "url": f"/api/v1/goals/{goal('Demo booked').pk}/", "workspace": "acme",
        "name": "Demo booked", "kind": "lead", "is_default": False, "archived_at": None,
    }  # fmt: skip
    assert program.get(made["Location"]).json() == made.json()
    assert [row["name"] for row in results(program, "/goals/")] == ["Purchase", "Lead", "Demo booked"]
    assert [row["name"] for row in results(program, "/goals/?kind=lead")] == ["Lead", "Demo booked"]
    added = AuditEvent.objects.get(action="goal.added")
    assert (added.target, added.api_key_id is not None) == ("Demo booked", True)
    assert send(program, "post", "/goals/", {"name": "Visit"}).json()["kind"] == "other"


def test_queries_do_not_grow_with_goals(
    shop: Workspace, program: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for more in range(2):
        program.get(f"{API}/goals/")
        with django_assert_num_queries(4):
            program.get(f"{API}/goals/")
        Goal.objects.bulk_create(Goal(workspace=shop, name=f"Goal {more} {number}") for number in range(10))


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": "purchase"}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "a\tb"}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"name": 7.5, "kind": "all"}, "kind"),
        ({"name": "New", "is_default": True}, "is_default"),
        ({"name": ["New"]}, "name"),
        ("New", ""),
    ],
)
def test_a_goal_is_not_made_of_nonsense(program: Client, body: object, field: str) -> None:
    refused = send(program, "post", "/goals/", body)
    assert (refused.status_code, list(refused.json().get("errors", {"": 1}))) == (400, [field])
    assert Goal.objects.count() == 2


def test_a_goal_is_renamed_and_its_former_name_kept_for_it(program: Client) -> None:
    path = f"/goals/{goal('Lead').pk}/"
    assert send(program, "patch", path, {"name": "Enquiry"}).json()["kind"] == "lead"
    assert send(program, "patch", path, {"kind": "other"}).json()["name"] == "Enquiry"
    refused = send(program, "post", "/goals/", {"name": "Lead"})
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["name"])
    keys = AuditEvent.objects.filter(action__in=["goal.renamed", "goal.kind_changed"]).values_list("api_key", flat=True)
    assert len(set(keys) - {None}) == 1


def test_the_default_goal_is_neither_archived_nor_deleted(program: Client) -> None:
    purchase, lead = goal("Purchase"), goal("Lead")
    for path in (f"/goals/{purchase.pk}/archive/",):
        assert send(program, "post", path).status_code == 409
    assert program.delete(f"{API}/goals/{purchase.pk}/").status_code == 409
    assert send(program, "post", f"/goals/{lead.pk}/default/").json()["is_default"] is True
    archived = send(program, "post", f"/goals/{purchase.pk}/archive/")
    assert (archived.status_code, archived.json()["archived_at"] is not None) == (200, True)
    assert send(program, "post", f"/goals/{purchase.pk}/archive/").json() == archived.json()
    assert [row["name"] for row in results(program, "/goals/?archived=true")] == ["Purchase"]
    assert [row["name"] for row in results(program, "/goals/?archived=false")] == ["Lead"]
    assert send(program, "post", f"/goals/{purchase.pk}/default/").status_code == 409
    assert send(program, "post", f"/goals/{purchase.pk}/restore/").json()["archived_at"] is None
    events = AuditEvent.objects.filter(action__in=["goal.made_default", "goal.archived", "goal.restored"])
    assert [event.api_key_id is not None for event in events] == [True] * 3


def test_a_goal_is_deleted_unless_conversions_have_it(program: Client, import_rows: Importer) -> None:
    import_rows("conversions", CONVERSION.format("Lead"))
    made = send(program, "post", "/goals/", {"name": "Visit"}).json()
    assert program.delete(f"{API}/goals/{goal('Lead').pk}/").status_code == 409
    assert program.delete(made["url"]).status_code == 204
    assert program.get(made["url"]).status_code == 404
    assert AuditEvent.objects.get(action="goal.deleted").api_key_id is not None


def test_goals_and_series_of_other_workspaces_do_not_exist(program: Client) -> None:
    other: Workspace = WorkspaceFactory.create()
    theirs = Goal.objects.create(workspace=other, name="Theirs")
    outcome = Outcome.objects.create(workspace=other, name="Theirs")
    control = Control.objects.create(workspace=other, name="Theirs")
    asked: list[tuple[str, str, Any]] = [
        ("get", f"/goals/{theirs.pk}/", None),
        ("patch", f"/goals/{theirs.pk}/", {"name": "Mine"}),
        ("delete", f"/goals/{theirs.pk}/", None),
        *(("post", f"/goals/{theirs.pk}/{deed}/", None) for deed in ("default", "archive", "restore")),
        ("get", f"/outcome-series/{outcome.pk}/", None),
        ("patch", f"/outcome-series/{outcome.pk}/", {"name": "Mine"}),
        ("get", f"/control-series/{control.pk}/", None),
    ]
    for method, path, body in asked:
        assert send(program, method, path, body).status_code == 404
    assert results(program, "/outcome-series/") == results(program, "/control-series/") == []


def test_series_are_listed_and_outcomes_changed(
    shop: Workspace, program: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    sales = Outcome.objects.create(workspace=shop, name="Sales", kind="sales", is_money=True)
    Outcome.objects.create(workspace=shop, name="Visits")
    price = Control.objects.create(workspace=shop, name="Price")
    assert results(program, "/control-series/") == [
        {"id": price.pk, "url": f"/api/v1/control-series/{price.pk}/", "workspace": "acme", "name": "Price"}
    ]
    assert program.get(f"{API}/control-series/{price.pk}/").json()["name"] == "Price"
    assert [row["name"] for row in results(program, "/outcome-series/")] == ["Sales", "Visits"]
    path = f"/outcome-series/{sales.pk}/"
    assert program.get(f"{API}{path}").json() == {
        "id": sales.pk, "url": f"/api/v1{path}", "workspace": "acme", "name": "Sales", "kind": "sales",
        "is_money": True,
    }  # fmt: skip
    changed = send(program, "patch", path, {"kind": "app_installs", "is_money": False})
    assert (changed.status_code, changed.json()["kind"], changed.json()["is_money"]) == (200, "app_installs", False)
    assert send(program, "patch", path, {"name": "Installs"}).json()["kind"] == "app_installs"
    for body, field in (
        ({"name": "visits"}, "name"),
        ({"kind": "other"}, "kind"),
        ({"is_money": "perhaps"}, "is_money"),
        ({"is_money": None}, "is_money"),
        ({"values": 1}, "values"),
    ):
        refused = send(program, "patch", path, body)
        assert (refused.status_code, list(refused.json()["errors"])) == (400, [field])
    assert AuditEvent.objects.filter(action="outcome.changed", api_key__isnull=False).count() == 2
    names = [f"Series {number}" for number in range(10)]
    Outcome.objects.bulk_create(Outcome(workspace=shop, name=name) for name in names)
    Control.objects.bulk_create(Control(workspace=shop, name=name) for name in names)
    for lists in ("/outcome-series/", "/control-series/"):
        program.get(f"{API}{lists}")
        with django_assert_num_queries(4):
            program.get(f"{API}{lists}")
