"""What every address of the API has in common."""

import gzip
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from accounts.models import ApiUsage, Plan, User, Workspace
from accounts.usage import usage_of
from api.paging import Pages
from api.schema_views import description
from tests.api.conftest import ClientFor, WithKey
from tests.routes import every_route

ROOT, RUNS, MODELS = "/api/v1/", "/api/v1/runs/", "/api/v1/custom-models/"
PROBLEM = "application/problem+json"


@pytest.fixture
def program(with_key: WithKey) -> Client:
    return with_key("attribution:write", "attribution:read", "settings:read", "settings:write")


@pytest.fixture
def models(program: Client) -> list[str]:
    """The names of five custom models, newest first."""
    names = [f"Model {number}" for number in range(5)]
    for name in names:
        body = {"name": name, "definition": {"channels": {"Email": 2}}}
        assert program.post(MODELS, body, content_type="application/json").status_code == 201
    return names[::-1]


# --- who asks ---


def test_the_root_says_who_asks(program: Client, owner: User) -> None:
    said = program.get(ROOT).json()
    assert (said["workspace"]["slug"], said["role"], said["user"]) == ("acme", "owner", owner.email)
    assert said["key"]["name"] == "A program"
    assert said["key"]["key"].startswith("mmm_")
    assert len(said["key"]["key"]) == len("mmm_") + 8 + 3 + 4


def test_a_browser_has_no_key(client_for: ClientFor, viewer: User) -> None:
    said = client_for(viewer).get(ROOT).json()
    assert (said["key"], said["role"]) == (None, "viewer")


def test_nobody_is_told_to_show_a_key(client: Client, workspace: Workspace) -> None:
    refused = client.get(ROOT)
    assert (refused.status_code, refused["Content-Type"], refused["WWW-Authenticate"][:6]) == (401, PROBLEM, "Bearer")


# --- problems ---


@pytest.mark.parametrize(
    ("ask", "status", "code"),
    [
        (lambda client: client.get("/api/v1/nothing/here/"), 404, "not_found"),
        (lambda client: client.get(f"{MODELS}999/"), 404, "not_found"),
        (lambda client: client.get(f"{MODELS}{10**30}/"), 404, "not_found"),
        (lambda client: client.delete(MODELS), 405, "method_not_allowed"),
        (lambda client: client.post(MODELS, "{", content_type="application/json"), 400, "parse_error"),
        (lambda client: client.post(MODELS, "<a/>", content_type="text/xml"), 415, "unsupported_media_type"),
        (lambda client: client.get(MODELS, headers={"Accept": "application/pdf"}), 406, "not_acceptable"),
        (lambda client: client.get(f"{MODELS}?colour=red"), 400, "invalid"),
        (lambda client: client.get(f"{MODELS}?fields=name,secret"), 400, "invalid"),
        (lambda client: client.get(f"{MODELS}?page_size=0"), 400, "invalid"),
        (lambda client: client.get(f"{MODELS}?page_size=many"), 400, "invalid"),
        (lambda client: client.get(f"{MODELS}?cursor=abc"), 400, "invalid"),
        (lambda client: client.get(f"{MODELS}?cursor=cD14"), 400, "invalid"),
        (lambda client: client.post(MODELS, [1], content_type="application/json"), 400, "invalid"),
    ],
)
def test_every_refusal_is_a_problem(
    program: Client, models: list[str], ask: Callable[[Client], Any], status: int, code: str
) -> None:
    refused = ask(program)
    assert (refused.status_code, refused["Content-Type"]) == (status, PROBLEM)
    body = refused.json()
    assert (body["status"], body["code"]) == (status, code)
    assert body["detail"].endswith(".")
    assert body["type"].endswith(code)


def test_a_fault_of_ours_is_a_problem_too(program: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("secret words")

    monkeypatch.setattr("api.account_views.Root.represent", fail)
    program.raise_request_exception = False
    broken = program.get(ROOT)
    assert (broken.status_code, broken["Content-Type"], broken.json()["code"]) == (500, PROBLEM, "internal_error")
    assert "secret words" not in broken.content.decode()


def test_a_method_that_there_is_not_says_which_there_are(program: Client) -> None:
    refused = program.put(MODELS)
    assert (refused.status_code, refused["Allow"]) == (405, "GET, POST, HEAD, OPTIONS")


def test_options_say_which_methods_there_are(with_key: WithKey) -> None:
    only_sends = with_key("spend:write")
    for path in ("/api/v1/spend/", "/api/v1/segments/preview/", ROOT):
        answer = only_sends.options(path)
        assert (answer.status_code, answer.content) == (204, b"")
        assert "OPTIONS" in answer["Allow"]
    assert only_sends.options("/api/v1/spend/")["Allow"] == "GET, POST, HEAD, OPTIONS"
    assert Client().options("/api/v1/spend/").status_code == 401
    assert only_sends.options(f"{MODELS}999/").status_code == 404


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
def test_an_address_without_its_slash_leads_nowhere(program: Client, method: str) -> None:
    refused = getattr(program, method)(MODELS.rstrip("/"))
    assert (refused.status_code, refused["Content-Type"]) == (404, PROBLEM)
    assert refused.json()["detail"] == f"Addresses of the API end with a slash: {MODELS}."
    assert getattr(program, method)("/api/v1/nothing").json()["detail"] == "There is nothing at this address."


def test_a_page_without_its_slash_leads_on(client_for: ClientFor, viewer: User) -> None:
    assert client_for(viewer).get("/w/acme/settings")["Location"] == "/w/acme/settings/"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/scenarios/", {"spend": {"\ud800x": 1}}),
        ("/api/v1/goals/", {"name": "\ud800x", "kind": "\ud800x"}),
        ("/api/v1/reports/", {"name": "x", "template": "\ud800x", "\ud800x": 1}),
        ("/api/v1/spend/", [{"\ud800x": 1, "date": "\ud800x"}]),
    ],
)
def test_text_that_utf_8_has_not_is_refused(with_key: WithKey, path: str, body: object) -> None:
    every = with_key("weightings:write", "settings:write", "reports:write", "data:write")
    refused = every.post(path, body, content_type="application/json")
    assert (refused.status_code, refused["Content-Type"]) in ((400, PROBLEM), (422, PROBLEM))


# --- what takes no body ---


def bodiless() -> list[str]:
    """The names of addresses whose POST takes no body."""
    views = {route.name: route.view_class for route in every_route() if route.is_api}
    return [name for name, view in views.items() if not getattr(view, "takes_body", True)]


def test_the_description_says_of_each_post_whether_it_takes_a_body() -> None:
    posts = [path["post"] for path in description()["paths"].values() if "post" in path]
    assert len([post for post in posts if "requestBody" not in post]) == len(bodiless()) > 20


@pytest.mark.parametrize("sent", ['{"until": "2027-01-01"}', "{not json", "[1]"])
def test_a_body_that_would_do_nothing_is_refused(program: Client, sent: str) -> None:
    goal = f"/api/v1/goals/{program.post('/api/v1/goals/', {'name': 'Calls'}, 'application/json').json()['id']}/"
    refused = program.post(f"{goal}archive/", sent, content_type="application/json")
    assert (refused.status_code, program.get(goal).json()["archived_at"]) == (400, None)
    assert program.post(f"{goal}archive/", "<a/>", content_type="text/xml").status_code == 415
    assert program.post(f"{goal}archive/", "{}", content_type="application/json").status_code == 200
    assert program.post(f"{goal}restore/", content_type="application/json").status_code == 200


# --- pages ---


def test_pages_follow_each_other(program: Client, models: list[str]) -> None:
    page = program.get(f"{MODELS}?page_size=2").json()
    seen = [row["name"] for row in page["results"]]
    assert page["previous"] is None
    program.post(MODELS, {"name": "Newer", "definition": {"channels": {"Email": 1}}}, content_type="application/json")
    while page["next"]:
        page = program.get(page["next"]).json()
        seen += [row["name"] for row in page["results"]]
    assert seen == models  # the one that came meanwhile moves nothing


def test_a_page_has_a_most(program: Client) -> None:
    assert program.get(f"{MODELS}?page_size={10**9}").status_code == 200
    assert Pages.max_page_size == 200


# --- less of it ---


def test_fields_choose_members(program: Client, models: list[str]) -> None:
    page = program.get(f"{MODELS}?fields=name,id&page_size=1").json()
    assert [list(row) for row in page["results"]] == [["id", "name"]]
    one = program.get(f"{MODELS}{page['results'][0]['id']}/?fields=name").json()
    assert one == {"name": models[0]}


def test_what_has_not_changed_is_not_sent_again(program: Client, models: list[str]) -> None:
    first = program.get(MODELS)
    tag = first["ETag"]
    assert first["Cache-Control"] == "private, no-cache"
    again = program.get(MODELS, headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)
    program.post(MODELS, {"name": "Newer", "definition": {"channels": {"Email": 1}}}, content_type="application/json")
    assert program.get(MODELS, headers={"If-None-Match": tag}).status_code == 200


def test_answers_are_compressed(program: Client, models: list[str]) -> None:
    plain, packed = program.get(MODELS), program.get(MODELS, headers={"Accept-Encoding": "gzip"})
    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content
    assert len(packed.content) < len(plain.content) / 2
    assert program.get(MODELS, headers={"If-None-Match": packed["ETag"]}).status_code == 304


# --- how often ---


@time_machine.travel("2026-03-01T12:00:20Z", tick=False)
def test_a_key_has_so_many_calls_a_minute(program: Client, with_key: WithKey, workspace: Workspace) -> None:
    Plan.objects.filter(pk=workspace.subscription.plan_id).update(api_calls_a_minute=3)
    answers = [program.get(ROOT) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer["RateLimit"] for answer in answers] == [f'"minute";r={left};t=40' for left in (2, 1, 0, 0)]
    assert {answer["RateLimit-Policy"] for answer in answers} == {'"minute";q=3;w=60'}
    refused = answers[-1]
    assert (refused["Retry-After"], refused["Content-Type"], refused.json()["code"]) == ("40", PROBLEM, "rate_limited")
    assert with_key("settings:read").get(ROOT).status_code == 200  # another key's calls are its own
    with time_machine.travel("2026-03-01T12:01:00Z", tick=False):
        assert program.get(ROOT).status_code == 200


def test_calls_that_are_refused_count_too(with_key: WithKey, workspace: Workspace) -> None:
    lacks_the_scope = with_key("spend:write")
    Plan.objects.filter(pk=workspace.subscription.plan_id).update(api_calls_a_minute=2)
    answers = [lacks_the_scope.get(MODELS) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [403, 403, 429]
    assert all("RateLimit" in answer for answer in answers)
    assert lacks_the_scope.get(ROOT, headers={"Accept": "application/pdf"}).status_code == 429
    assert usage_of(workspace).api_calls_today == 4


def test_calls_are_counted(program: Client, workspace: Workspace) -> None:
    for _ in range(3):
        program.get(ROOT)
    assert usage_of(workspace).api_calls_today == 3
    assert sum(ApiUsage.objects.values_list("calls", flat=True)) == 1  # the others wait in the cache
    cache.clear()


def test_calls_go_on_without_a_cache(program: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise ValueError

    monkeypatch.setattr(cache, "incr", away)
    assert program.get(ROOT).status_code == 200


# --- settings ---


def test_settings_are_read_and_changed(program: Client, workspace: Workspace) -> None:
    address = reverse("api:workspace", kwargs={"slug": "acme"})
    assert program.get("/api/v1/workspaces/").json()["results"] == [program.get(address).json()]
    changed = program.patch(address, {"window_days": 14, "timezone": "Europe/Berlin"}, content_type="application/json")
    assert (changed.status_code, changed.json()["window_days"], changed.json()["timezone"]) == (
        200,
        14,
        "Europe/Berlin",
    )
    event = workspace.audit_events.get(action="settings.changed")
    assert event.api_key is not None
    assert event.detail["changes"]["window_days"] == {"before": 30, "after": 14}
    refused = program.patch(
        address, {"window_days": 0, "timezone": "Mars/Base", "colour": "red"}, content_type="application/json"
    )
    assert (refused.status_code, set(refused.json()["errors"])) == (400, {"window_days", "timezone"})


def test_settings_are_for_those_who_may(
    with_key: WithKey, analyst: User, client_for: ClientFor, outsider: User
) -> None:
    address = reverse("api:workspace", kwargs={"slug": "acme"})
    body = {"window_days": 14}
    assert client_for(analyst).patch(address, body, content_type="application/json").status_code == 403
    assert client_for(outsider).patch(address, body, content_type="application/json").status_code == 404
    assert with_key("data:read").get(address).status_code == 403
    assert client_for(outsider).get(reverse("api:usage", kwargs={"slug": "acme"})).status_code == 404


def test_usage_is_told(program: Client) -> None:
    said = program.get(reverse("api:usage", kwargs={"slug": "acme"})).json()
    assert (said["plan"], said["features"], said["rows"]) == ("starter", [], {"used": 0, "limit": 1_000_000})
    assert (said["seats"], said["api_calls_a_minute"]) == ({"used": 1, "limit": None}, 300)


# --- the description ---


def test_the_description_is_a_file_for_everybody(client: Client) -> None:
    as_json, as_yaml = client.get(reverse("api:schema")), client.get(reverse("api:schema_yaml"))
    assert (as_json.status_code, as_yaml.status_code) == (200, 200)
    described = as_json.json()
    assert described["openapi"] == "3.1.0"
    assert as_yaml.content.decode().startswith("openapi: 3.1.0")
