"""A POST that is sent again, as its answer was lost."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.utils import timezone as clock

from accounts.models import User, Workspace
from api import idempotency
from api.models import IdempotentRequest
from api.tasks import remove_old_requests
from attribution.models import CustomModel
from tests.api.conftest import WithKey

MODELS = "/api/v1/custom-models/"
OURS = {"name": "Ours", "definition": {"channels": {"Email": 2}}}


def post(client: Client, body: object = OURS, key: str | None = "one", path: str = MODELS) -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post(path, body, content_type="application/json", headers=headers)


@pytest.fixture
def program(with_key: WithKey) -> Client:
    return with_key("attribution:write", "attribution:read")


def test_the_same_request_does_nothing_again_and_is_answered_the_same(program: Client) -> None:
    first, again = post(program), post(program, {"definition": {"channels": {"Email": 2}}, "name": "Ours"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert (first["Location"], "Idempotent-Replayed" in first) == (again["Location"], False)
    assert again["Idempotent-Replayed"] == "true"
    assert CustomModel.objects.count() == 1


def test_without_a_key_each_request_counts(program: Client) -> None:
    assert post(program, key=None).status_code == 201
    assert post(program, key=None).status_code == 400  # the name is taken
    assert not IdempotentRequest.objects.exists()


@pytest.mark.parametrize(
    ("body", "path"),
    [({**OURS, "name": "Theirs"}, MODELS), (OURS, f"{MODELS}?workspace=acme"), (OURS, f"{MODELS}999/versions/")],
    ids=["another body", "another query", "another address"],
)
def test_a_key_stands_for_one_request(program: Client, body: object, path: str) -> None:
    made = post(program).json()
    refused = post(program, body, path=path.replace("999", str(made["id"])))
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
    assert CustomModel.objects.count() == 1


def test_a_refused_request_keeps_no_key(program: Client) -> None:
    refused = post(program, {"name": "", "definition": {}})
    assert refused.status_code == 400
    assert post(program).status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "schlüssel", "a\tb"])
def test_what_is_no_key_is_refused(program: Client, key: str) -> None:
    refused = program.post(MODELS, OURS, content_type="application/json", HTTP_IDEMPOTENCY_KEY=key)
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["Idempotency-Key"])
    assert not CustomModel.objects.exists()


def test_while_the_first_is_under_way_the_second_is_told_so(program: Client, workspace: Workspace, owner: User) -> None:
    post(program)
    IdempotentRequest.objects.update(status=None)
    refused = post(program)
    assert (refused.status_code, refused.json()["code"]) == (409, "idempotency_key_in_flight")


def test_an_attempt_whose_process_died_is_taken_over(program: Client) -> None:
    post(program)
    CustomModel.objects.all().delete()  # what it did is rolled back with the note that it ran
    IdempotentRequest.objects.update(status=None, claimed_until=clock.now() - timedelta(seconds=1))
    again = post(program)
    assert (again.status_code, "Idempotent-Replayed" in again) == (201, False)


def test_an_attempt_that_was_taken_over_undoes_what_it_did(program: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    keep = idempotency._keep

    def taken_over_meanwhile(row: IdempotentRequest, response: Any, *, with_body: bool) -> None:
        IdempotentRequest.objects.filter(pk=row.pk).update(claim=uuid.uuid4())
        keep(row, response, with_body=with_body)

    monkeypatch.setattr(idempotency, "_keep", taken_over_meanwhile)
    assert post(program).status_code == 409
    assert not CustomModel.objects.exists()


def test_what_was_done_and_that_it_was_done_stand_or_fall_together(
    program: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the database went away")

    monkeypatch.setattr(idempotency, "_keep", fail)
    program.raise_request_exception = False
    assert post(program).status_code == 500
    assert (CustomModel.objects.count(), IdempotentRequest.objects.count()) == (0, 0)


def test_keys_are_forgotten_after_a_day(
    program: Client, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    with time_machine.travel("2026-03-01T12:00Z", tick=False) as travel:
        post(program)
        travel.shift(timedelta(hours=24))
        assert post(program)["Idempotent-Replayed"] == "true"
        travel.shift(timedelta(seconds=1))
        assert post(program).status_code == 400  # made anew: the name is taken
        IdempotentRequest.objects.all().delete()
        post(program, {**OURS, "name": "Another"}, key="two")
        remove_old_requests()
        assert IdempotentRequest.objects.count() == 1
        travel.shift(timedelta(hours=25))
        remove_old_requests()
        assert not IdempotentRequest.objects.exists()


def test_keys_are_of_one_person_and_go_on_with_their_next_api_key(with_key: WithKey, admin: User) -> None:
    mine, mine_rotated = with_key("attribution:write"), with_key("attribution:write")
    theirs = with_key("attribution:write", of=admin)
    assert post(mine).status_code == 201
    assert post(mine_rotated)["Idempotent-Replayed"] == "true"
    assert post(theirs).status_code == 400  # another request: the name is taken


def test_another_key_of_the_same_person_gets_no_answer_that_its_scopes_do_not_allow(
    with_key: WithKey, program: Client
) -> None:
    assert post(program).status_code == 201
    refused = post(with_key("attribution:write"))
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")


def test_who_may_not_learns_nothing_of_what_was_answered(with_key: WithKey, program: Client) -> None:
    post(program)
    assert post(with_key("attribution:read")).status_code == 403


def test_answers_need_few_queries(program: Client, django_assert_max_num_queries: Any) -> None:
    post(program)
    with django_assert_max_num_queries(14):
        assert post(program)["Idempotent-Replayed"] == "true"
    assert connection.in_atomic_block
