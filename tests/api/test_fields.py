"""`?fields=`: an answer with less in it, whatever is asked, and in CSV as in JSON."""

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from accounts.actions import set_plan
from accounts.api_key_actions import create_api_key
from accounts.models import AuditEvent
from accounts.scopes import Scope
from api.schema_views import description
from tests.test_every_url import World, make_world

AS_CSV = {"Accept": "text/csv"}


def gets(media_type: str) -> list[str]:
    """The addresses that answer GET in this form."""
    found = []
    for path, methods in description()["paths"].items():
        answers = methods.get("get", {}).get("responses", {})
        if media_type in answers.get("200", {}).get("content", {}):
            found.append(path)
    return found


@pytest.fixture
def world(db: None) -> World:
    world = make_world()
    set_plan(workspace=world.workspace, plan="enterprise", by=None)
    return world


@pytest.fixture
def program(world: World) -> Client:
    scopes = [scope.value for scope in Scope]
    _key, text = create_api_key(workspace=world.workspace, created_by=world.owner, name="All", scopes=scopes)
    return Client(headers={"Authorization": f"Bearer {text}"})


def ask(program: Client, world: World, path: str, **how: Any) -> Any:
    return program.get(path.format(**world.arguments), **how)


def things(body: Any) -> list[dict[str, Any]]:
    """What an answer is about: one thing, several, or those of a page."""
    found = body["results"] if "next" in body and "results" in body else body
    return found if isinstance(found, list) else [found]


def test_every_address_answers_with_the_members_that_are_asked_for_and_refuses_others(
    program: Client, world: World
) -> None:
    asked = 0
    for path in gets("application/json"):
        whole = ask(program, world, path)
        if whole.status_code != 200:
            continue  # such as a result that is not there yet
        asked += 1
        for thing in things(whole.json())[:1]:
            first, *_others = thing
            answer = ask(program, world, path, query_params={"fields": first})
            assert {member for each in things(answer.json()) for member in each} == {first}, path
        refused = ask(program, world, path, query_params={"fields": "bogus"})
        assert (refused.status_code, [*refused.json()["errors"]]) == (400, ["fields"]), path
    assert asked > 40


def test_every_table_has_the_columns_that_are_asked_for_and_refuses_others(program: Client, world: World) -> None:
    asked = 0
    for path in gets("text/csv"):
        whole = ask(program, world, path, headers=AS_CSV)
        if whole.status_code != 200 or not whole.streaming:
            continue
        asked += 1
        (header, *rows) = csv.reader(io.StringIO(whole.getvalue().decode("utf-8-sig")))
        columns = {"fields": f"{header[2]},{header[0]}"}
        answer = ask(program, world, path, headers=AS_CSV, query_params=columns)
        found, *cells = csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig")))
        assert found == [header[0], header[2]], path
        assert path == "/api/v1/audit-events/" or cells == [[row[0], row[2]] for row in rows]
        refused = ask(program, world, path, headers=AS_CSV, query_params={"fields": "bogus"})
        assert (refused.status_code, [*refused.json()["errors"]]) == (400, ["fields"]), path
        assert refused["Content-Type"] == "application/problem+json"
    assert asked >= 10


def test_a_refused_export_of_the_audit_log_is_not_on_record(program: Client) -> None:
    for query in ("fields=bogus", "start=yesterday", "start=03/02/2026"):
        assert program.get(f"/api/v1/audit-events/?{query}", headers=AS_CSV).status_code == 400
    assert not AuditEvent.objects.filter(action="audit.exported").exists()


def parameters() -> Iterator[str]:
    for methods in description()["paths"].values():
        for operation in methods.values():
            yield from (parameter["name"] for parameter in operation.get("parameters", ()))


def test_the_description_promises_whole_answers_and_says_how_to_ask_for_less() -> None:
    """Members of answers are required: what is made of the description would fail on an answer that lacks some."""
    assert "fields" not in parameters()
    assert "`fields=id,status`" in description()["info"]["description"]


def test_the_version_is_said_once() -> None:
    assert description()["info"]["version"] == "1.0.0"
