import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from accounts.api_key_actions import create_api_key
from accounts.models import User, Workspace
from analyses import registry
from analyses.errors import AnalysisError
from analyses.models import Run
from api.models import IdempotentRequest
from jobs.models import Job
from jobs.progress import Progress
from tests.analyses.conftest import Ask, Sums, carry_out

RUNS = "/api/v1/runs/"
ClientFor = Callable[[User | None], Client]


@pytest.fixture
def key_client(workspace: Workspace, owner: User) -> Callable[..., Client]:
    """Make a program that calls with an API key of these scopes."""

    def make(*scopes: str) -> Client:
        _key, text = create_api_key(workspace=workspace, created_by=owner, name="A program", scopes=scopes)
        return Client(headers={"Authorization": f"Bearer {text}"})

    return make


def post(client: Client, body: object, path: str = RUNS) -> Any:
    return client.post(path, body, content_type="application/json")


def test_a_question_is_accepted_followed_and_answered(sums: Sums, key_client: Callable[..., Client]) -> None:
    client = key_client("runs:read", "runs:write")
    accepted = post(client, {"kind": "sums", "params": {"terms": [0.1, 0.2]}})
    assert accepted.status_code == 202
    address = accepted["Location"]
    body = accepted.json()
    assert (body["status"], body["result"], body["url"]) == ("queued", None, address)
    carry_out(Run.objects.get(pk=body["id"]))
    answer = client.get(address).json()
    assert (answer["status"], answer["progress"], answer["result"]) == ("done", 1, {"sum": 0.1 + 0.2})
    assert (answer["trigger"], answer["workspace"], answer["error"]) == ("api", "acme", None)
    again = post(client, {"kind": "sums", "params": {"terms": [0.1, 0.2]}})
    assert (again.status_code, again.json()["id"], again.json()["result"]) == (200, body["id"], {"sum": 0.1 + 0.2})
    assert Run.objects.get().api_key is not None


def test_a_signed_in_browser_names_the_workspace(
    sums: Sums, client_for: ClientFor, analyst: User, outsider: User
) -> None:
    body = {"kind": "sums", "workspace": "acme"}
    assert post(client_for(analyst), body).status_code == 202
    refused = post(client_for(outsider), body)
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["workspace"])
    nonexistent = post(client_for(outsider), {"kind": "sums", "workspace": "nowhere"})
    assert nonexistent.json() == refused.json()


def test_a_key_of_one_workspace_cannot_name_another(
    sums: Sums, key_client: Callable[..., Client], outsider: User
) -> None:
    refused = post(key_client("runs:write"), {"kind": "sums", "workspace": "elsewhere"})
    assert refused.status_code == 400


def test_viewers_do_not_run_and_strangers_are_nobody(sums: Sums, client_for: ClientFor, viewer: User) -> None:
    refused = post(client_for(viewer), {"kind": "sums", "workspace": "acme"})
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
    assert refused["Content-Type"] == "application/problem+json"
    assert post(client_for(None), {"kind": "sums"}).status_code == 401
    assert not Run.objects.exists()


@pytest.mark.parametrize("body", [{"kind": "sorcery"}, {"params": []}, {"parms": {}}])
def test_who_may_not_run_learns_nothing_about_the_question(
    sums: Sums, client_for: ClientFor, viewer: User, body: dict[str, object]
) -> None:
    refused = post(client_for(viewer), {"workspace": "acme", **body})
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")


def test_a_stranger_learns_nothing_about_the_question(sums: Sums, client_for: ClientFor, outsider: User) -> None:
    refused = post(client_for(outsider), {"kind": "sorcery", "workspace": "acme"})
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["workspace"])


def test_what_the_plan_lacks_is_refused(sums: Sums, key_client: Callable[..., Client]) -> None:
    refused = post(key_client("runs:write"), {"kind": "sums", "params": {"premium": True}})
    assert (refused.status_code, refused.json()["code"], refused.json()["plan"]) == (
        403,
        "plan_required",
        "professional",
    )


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "kind"),
        ({"kind": "sorcery"}, "kind"),
        ({"kind": "sums", "parms": {}}, "parms"),
        ({"kind": "sums", "params": []}, "params"),
        ({"kind": "sums", "params": {"terms": "one"}}, "terms"),
        ({"kind": "sums", "params": {"name": "a\0b"}}, "params"),
        ({"kind": "sums", "params": {"name": "\ud800"}}, "params"),
        ({"kind": "sums", "workspace": "a b"}, "workspace"),
        ({"kind": "sums", "workspace": 5}, "workspace"),
        ({"kind": "sums", "workspace": None}, "workspace"),
        ([], ""),
    ],
)
def test_a_bad_question_names_the_field(
    sums: Sums, key_client: Callable[..., Client], body: object, field: str
) -> None:
    refused = post(key_client("runs:write"), body)
    assert refused.status_code == 400
    assert list(refused.json()["errors"]) == [field]
    assert not Job.objects.exists()


def test_malformed_json_and_other_types_are_refused(sums: Sums, key_client: Callable[..., Client]) -> None:
    client = key_client("runs:write")
    assert client.post(RUNS, "{", content_type="application/json").status_code == 400
    assert client.post(RUNS, "kind=sums", content_type="application/x-www-form-urlencoded").status_code == 415


def test_a_key_does_only_what_its_scopes_say(
    ask: Ask, sums: Sums, key_client: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = {"sums": sums.kind(), "attribution": replace(sums.kind(), name="attribution")}
    monkeypatch.setattr(registry, "_kinds", kinds)
    run = ask()
    reader, writer = key_client("attribution:read"), key_client("attribution:write")
    assert post(reader, {"kind": "attribution"}).status_code == 403
    assert post(writer, {"kind": "sums"}).status_code == 403
    accepted = post(writer, {"kind": "attribution"})
    assert accepted.status_code == 202
    assert writer.get(accepted["Location"]).status_code == 403
    assert reader.get(accepted["Location"]).status_code == 200
    assert reader.get(f"{RUNS}{run.pk}/").status_code == 403
    assert [listed["kind"] for listed in reader.get(RUNS).json()["results"]] == ["attribution"]
    assert reader.post(f"{accepted['Location']}cancel/").status_code == 403
    assert writer.get(RUNS).status_code == 403


def test_who_may_only_ask_does_not_read(sums: Sums, key_client: Callable[..., Client]) -> None:
    both, writer = key_client("runs:read", "runs:write"), key_client("runs:write")
    headers = {"Idempotency-Key": "one"}
    run = Run.objects.get(pk=both.post(RUNS, {"kind": "sums"}, "application/json", headers=headers).json()["id"])
    carry_out(run)
    for path, body in ((RUNS, {"kind": "sums"}), (f"{RUNS}{run.pk}/retry/", {})):
        answer = post(writer, body, path)
        assert (answer.status_code, answer.json()["status"], answer.json()["result"]) == (200, "done", None)
    replayed = writer.post(RUNS, {"kind": "sums"}, "application/json", headers=headers)
    assert (replayed.status_code, replayed.json()["code"]) == (422, "idempotency_key_reused")
    assert post(both, {"kind": "sums"}).json()["result"] == {"sum": 1.0}


def test_a_result_that_there_was_is_not_kept_once_more_for_its_idempotency_key(
    ask: Ask, key_client: Callable[..., Client]
) -> None:
    run = ask(terms=[1, 2])
    carry_out(run)
    client = key_client("runs:read", "runs:write")
    body = {"kind": "sums", "params": run.params}
    answers = [client.post(RUNS, body, "application/json", headers={"Idempotency-Key": "one"}) for _ in range(2)]
    assert [(answer.status_code, answer.json()["result"]) for answer in answers] == [(200, {"sum": 3})] * 2
    assert IdempotentRequest.objects.get().body == ""
    other = {"kind": "sums", "params": {"terms": [5]}}
    refused = client.post(RUNS, other, "application/json", headers={"Idempotency-Key": "one"})
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")


def test_the_list_has_pages_without_results(
    ask: Ask, client_for: ClientFor, viewer: User, django_assert_max_num_queries: Any
) -> None:
    for term in range(5):
        carry_out(ask(terms=[term]))
    client = client_for(viewer)
    with django_assert_max_num_queries(8):
        first = client.get(f"{RUNS}?page_size=3").json()
    assert [run["params"]["terms"] for run in first["results"]] == [[4.0], [3.0], [2.0]]
    assert "result" not in first["results"][0]
    assert len(client.get(first["next"]).json()["results"]) == 2
    assert len(client.get(f"{RUNS}?page_size=1000000000").json()["results"]) == 5


def test_runs_of_other_workspaces_do_not_exist(ask: Ask, client_for: ClientFor, outsider: User) -> None:
    run = ask()
    client = client_for(outsider)
    for run_id in (run.pk, uuid.uuid4()):
        found = [client.get(f"{RUNS}{run_id}/"), client.post(f"{RUNS}{run_id}/cancel/")]
        assert [response.status_code for response in found] == [404, 404]
        assert {response.json()["detail"] for response in found} == {"There is no such run."}
    assert client.get(RUNS).json()["results"] == []
    assert client.get(f"{RUNS}abc/").status_code == 404


def test_a_failed_run_carries_its_sentence(ask: Ask, sums: Sums, client_for: ClientFor, viewer: User) -> None:
    def fail(_progress: Progress) -> None:
        raise AnalysisError("No conversions in June.", code="no_conversions")

    sums.work = fail
    run = carry_out(ask())
    body = client_for(viewer).get(f"{RUNS}{run.pk}/").json()
    assert body["error"] == {"code": "no_conversions", "detail": "No conversions in June."}


def test_cancelling_is_for_the_asker_and_admins_and_only_once(
    ask: Ask, client_for: ClientFor, analyst: User, admin: User, viewer: User
) -> None:
    run = ask(by=admin)
    address = f"{RUNS}{run.pk}/cancel/"
    assert client_for(viewer).post(address, content_type="application/json").status_code == 403
    assert client_for(analyst).post(address, content_type="application/json").status_code == 403
    cancelled = client_for(admin).post(address, content_type="application/json")
    assert (cancelled.status_code, cancelled.json()["status"]) == (202, "cancelled")
    assert client_for(admin).post(address, content_type="application/json").status_code == 409
    assert client_for(admin).get(address).status_code == 405
