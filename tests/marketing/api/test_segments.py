"""Segments in the API: kept, changed, counted, put away; mistakes are said by their place."""

from typing import Any

import jsonschema
import pytest
import time_machine
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import AuditEvent, User, Workspace
from marketing import store
from marketing.api.segment_schema import DEFINITION, EXAMPLE, KEPT_DEFINITION
from marketing.models import SavedSegment
from marketing.segments.definition import parse
from marketing.segments.saved import create_segment
from tests.factories import WorkspaceFactory
from tests.marketing.api.conftest import API, Importer, results, send

pytestmark = pytest.mark.usefixtures("media_root")
NEW = {"conditions": [{"type": "customer", "is": "new"}]}


def keep(workspace: Workspace, name: str) -> SavedSegment:
    return create_segment(workspace=workspace, name=name, definition=parse(NEW), by=None)


def test_a_segment_is_kept_in_its_canonical_form(program: Client, owner: User) -> None:
    made = send(program, "post", "/segments/", {"name": " New by mail ", "definition": EXAMPLE})
    assert (made.status_code, made["Location"]) == (201, made.json()["url"])
    said = made.json()
    assert (said["name"], said["workspace"], said["created_by"]) == ("New by mail", "acme", owner.email)
    assert said["definition"] == EXAMPLE
    assert said["meaning"] == "New customers; first channel is Email or Paid Search; 2 to 5 touches"
    assert program.get(said["url"]).json() == said
    assert results(program, "/segments/") == [said]
    created = AuditEvent.objects.get(action="segment.created")
    assert (created.actor, created.api_key_id is not None) == (owner, True)


def test_a_segment_is_changed_copied_and_put_away(program: Client, shop: Workspace) -> None:
    path = f"/segments/{keep(shop, 'New').pk}/"
    assert send(program, "patch", path, {"name": "Newest"}).json()["definition"]["conditions"] == NEW["conditions"]
    changed = send(program, "patch", path, {"definition": {"conditions": [{"type": "touches", "at_least": 2}]}}).json()
    assert (changed["name"], changed["meaning"]) == ("Newest", "2 or more touches")
    copy = send(program, "post", f"{path}duplicate/")
    assert (copy.status_code, copy.json()["name"], copy["Location"]) == (201, "Newest (copy)", copy.json()["url"])
    archived = send(program, "post", f"{path}archive/")
    assert (archived.status_code, archived.json()["archived_at"] is not None) == (200, True)
    assert [row["name"] for row in results(program, "/segments/?archived=true")] == ["Newest"]
    assert [row["name"] for row in results(program, "/segments/?archived=false")] == ["Newest (copy)"]
    assert send(program, "post", f"{path}restore/").json()["archived_at"] is None
    keys = AuditEvent.objects.exclude(action="api_key.created").exclude(api_key=None)
    assert sorted(keys.values_list("action", flat=True)) == [
        "segment.archived", "segment.changed", "segment.changed", "segment.created", "segment.restored",
    ]  # fmt: skip


def test_queries_do_not_grow_with_segments(
    shop: Workspace, program: Client, owner: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for count in (2, 12):
        for number in range(count):
            create_segment(workspace=shop, name=f"{count} {number}", definition=parse(NEW), by=owner)
        program.get(f"{API}/segments/")
        with django_assert_num_queries(4):
            program.get(f"{API}/segments/")


# What the schema says, and what only words can say.
AGAINST_THE_SCHEMA: list[tuple[Any, str]] = [
    (None, "definition"),
    ([], "definition"),
    ({"match": "some"}, "definition.match"),
    ({"conditions": {}}, "definition.conditions"),
    ({"conditions": [NEW["conditions"][0]] * 21}, "definition.conditions"),
    ({"conditions": ["new"]}, "definition.conditions[0]"),
    ({"conditions": [{"type": "weather"}]}, "definition.conditions[0].type"),
    ({"conditions": [{"type": "customer", "is": "old"}]}, "definition.conditions[0].is"),
    ({"conditions": [{"type": "channels", "any_of": []}]}, "definition.conditions[0].any_of"),
    ({"conditions": [{"type": "interactions", "any_of": ["stare"]}]}, "definition.conditions[0].any_of"),
    ({"conditions": [{"type": "first_channel", "all_of": ["TV"]}]}, "definition.conditions[0].all_of"),
    ({"conditions": [{"type": "touches", "at_least": 1.5}]}, "definition.conditions[0].at_least"),
    ({"conditions": [{"type": "touches", "at_least": 10**400}]}, "definition.conditions[0].at_least"),
    ({"conditions": [{"type": "touches"}]}, "definition.conditions[0]"),
    ({"colo\ud800r": 1}, "definition.colo\ufffdr"),
]
IN_WORDS: list[tuple[Any, str]] = [
    ({"conditions": [{"type": "channels", "any_of": ["a\0b"]}]}, "definition.conditions[0].any_of"),
    ({"conditions": [{"type": "value", "at_least": 5, "below": 5}]}, "definition.conditions[0].below"),
]


@pytest.mark.parametrize(("definition", "place"), [*AGAINST_THE_SCHEMA, *IN_WORDS])
def test_what_is_wrong_is_said_by_its_place(program: Client, definition: object, place: str) -> None:
    for path, body in (
        ("/segments/", {"name": "New", "definition": definition}),
        ("/segments/preview/", {"definition": definition}),
    ):
        refused = send(program, "post", path, body)
        assert (refused.status_code, list(refused.json()["errors"])) == (400, [place])
    assert not SavedSegment.objects.exists()


@pytest.mark.parametrize("definition", [definition for definition, _place in AGAINST_THE_SCHEMA])
def test_the_schema_says_what_is_refused(definition: object) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(definition, DEFINITION)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"definition": NEW}, "name"),
        ({"name": "", "definition": NEW}, "name"),
        ({"name": "a\nb", "definition": NEW}, "name"),
        ({"name": "x" * 101, "definition": NEW}, "name"),
        ({"name": "old", "definition": NEW}, "name"),
        ({"name": "New"}, "definition"),
        ({"name": "New", "definition": {}}, "definition.conditions"),
        ({"name": "New", "definition": NEW, "archived": True}, "archived"),
    ],
)
def test_a_segment_is_not_kept_like_that(program: Client, shop: Workspace, body: object, field: str) -> None:
    keep(shop, "Old")
    refused = send(program, "post", "/segments/", body)
    assert (refused.status_code, list(refused.json()["errors"])) == (400, [field])
    assert SavedSegment.objects.count() == 1


def test_the_examples_obey_the_schema() -> None:
    jsonschema.validate(EXAMPLE, KEPT_DEFINITION)
    jsonschema.validate({}, DEFINITION)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({}, KEPT_DEFINITION)
    for condition in (
        {"type": "channels", "all_of": ["Email", "TV"], "not": True},
        {"type": "attribute", "any_of": ["Loyal"]},
        {"type": "value", "below": 1e12},
    ):
        parse({"conditions": [condition]})
        jsonschema.validate({"conditions": [condition]}, DEFINITION)


@time_machine.travel("2026-03-10T12:00Z", tick=False)
def test_a_segment_is_counted(shop: Workspace, program: Client, import_rows: Importer) -> None:
    path = f"{API}/segments/{keep(shop, 'New').pk}/preview/"
    import_rows("touchpoints", "customer,occurred_at,channel\nann,2026-03-01T10:00Z,Email\n")
    import_rows("conversions", "customer,occurred_at,value\nann,2026-03-01T11:00Z,50\nann,2026-03-02T11:00Z,7\n")
    assert program.get(path).json()["size"] is None
    for table in (store.TOUCHES, store.CONVERSIONS):
        store.prepare(workspace=shop, table=table, imports=store.active_imports(workspace=shop)[table.dataset])
    said = program.get(path).json()
    assert (said["meaning"], said["goal"], said["end"]) == ("New customers", "Purchase", "2026-03-09")
    assert said["size"] == {
        "conversions": 1, "value": 50, "null_paths": 0, "all_conversions": 2, "all_value": 57, "all_null_paths": 0,
        "sampled": 1,
    }  # fmt: skip
    assert send(program, "post", "/segments/preview/", {"definition": NEW}).json() == said
    assert send(program, "post", "/segments/preview/", {"definition": {}}).json()["meaning"] == "All customers"
    shop.goals.all().update(archived_at="2026-01-01T00:00Z", is_default=False)
    nothing = program.get(path).json()
    assert (nothing["goal"], nothing["start"], nothing["size"]) == (None, None, None)


def test_segments_of_other_workspaces_do_not_exist(program: Client) -> None:
    theirs = keep(WorkspaceFactory.create(), "Theirs")
    assert results(program, "/segments/") == []
    for method, rest in (
        ("get", ""), ("patch", ""), ("get", "preview/"), ("post", "duplicate/"), ("post", "archive/"),
        ("post", "restore/"),
    ):  # fmt: skip
        assert send(program, method, f"/segments/{theirs.pk}/{rest}", {}).status_code == 404
    assert SavedSegment.objects.count() == 1
