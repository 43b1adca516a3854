"""Journey 12: keys are created, used by a program, rotated and revoked; what plan and role do not allow is refused."""

import json
import re
import urllib.request
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
from django.test import Client
from django.utils import timezone as clock
from playwright.sync_api import Locator, Page, Response, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.actions import create_workspace
from accounts.api_key_actions import create_api_key
from accounts.models import ApiKey, AuditEvent, Role, User, Workspace
from analyses.models import Run
from analyses.runs import request_run
from tests.browser.conftest import carry_session
from tests.browser.looks import Look, narrow_first, wide_first
from tests.browser.watching import check
from tests.browser.world import import_some_months
from tests.factories import MembershipFactory

pytestmark = pytest.mark.browser
RUNS = "/api/v1/runs/"
OF_RUNS = ".opblock-tag-section:has(#operations-tag-Runs)"  # of the reference, whose other operations nobody opens here
QUESTION = {"kind": "attribution", "params": {"model": "linear"}}
DATA_DRIVEN = {"kind": "attribution", "params": {"model": "data_driven"}}


@dataclass(frozen=True)
class Answer:
    """What a program was told."""

    status: int
    headers: Any
    body: Any


@pytest.fixture
def shop(transactional_db: None, tmp_path: Path, settings: Settings) -> Workspace:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    owner = User.objects.create_user("owner@example.com")
    return create_workspace(name="Harbour & Finch", slug="shop", owner=owner)


@pytest.fixture
def call(live_server: LiveServer) -> Callable[..., Answer]:
    """Call the API as a program does, over HTTP and with a key."""

    def call(key: str, path: str, body: object = None, **headers: str) -> Answer:
        request = urllib.request.Request(
            live_server.url + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json", **headers},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return Answer(response.status, response.headers, json.load(response))
        except HTTPError as refusal:
            with refusal:
                return Answer(refusal.code, refusal.headers, json.load(refusal))

    return call


def sign_in(page: Page, live_server: LiveServer, email: str) -> None:
    client = Client()
    client.force_login(User.objects.get(email=email))
    carry_session(client, page, live_server)


def row(page: Page, text: str) -> Locator:
    return page.locator(".keys > li").filter(has_text=ends_of(text))


def ends_of(text: str) -> str:
    return f"{text[:12]}...{text[-4:]}"


def create_key(page: Page, name: str, *verbs: str) -> str:
    """Create a key for attribution with the form, and return its text."""
    page.get_by_role("link", name="Create API key").click()
    page.get_by_label("Name").fill(name)
    for verb in verbs:
        page.get_by_role("group", name="Attribution").get_by_label(verb).check()
    check(page)
    page.get_by_role("button", name="Create API key").click()
    expect(page.get_by_role("heading", name=f"Copy “{name}” now")).to_be_visible()
    check(page)
    return page.get_by_label("The API key").inner_text()


@wide_first
def test_keys_are_created_used_rotated_and_revoked(
    live_server: LiveServer, page: Page, shop: Workspace, call: Callable[..., Answer], look: Look
) -> None:
    sign_in(page, live_server, "owner@example.com")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{live_server.url}/w/shop/settings/")
    page.get_by_role("link", name="API access").click()
    expect(page.get_by_text("No API key works at present")).to_be_visible()
    check(page)

    # Shown once.
    reader = create_key(page, "BI", "Read")
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("status").filter(has_text="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == reader
    page.reload()
    expect(row(page, reader)).to_contain_text("BI")
    assert reader not in page.content()
    check(page)
    page.get_by_role("link", name="Team").click()
    page.go_back()
    expect(row(page, reader)).to_be_visible()
    assert reader not in page.content()

    # Read by a program.
    assert call(reader, RUNS).status == 200
    refused = call(reader, RUNS, QUESTION)
    assert (refused.status, refused.headers["Content-Type"]) == (403, "application/problem+json")
    assert (refused.body["status"], refused.body["code"]) == (403, "permission_denied")
    assert "attribution:write" in refused.body["detail"]
    page.reload()
    expect(row(page, reader)).not_to_contain_text("Never")  # used by now, and it expires

    # Asked twice, answered once.
    writer = create_key(page, "Planner", "Read", "Write")
    page.get_by_role("link", name="I have copied it").click()
    first, again = (call(writer, RUNS, QUESTION, **{"Idempotency-Key": "may"}) for _ in range(2))
    assert (first.status, again.status) == (202, 202)
    assert first.body["id"] == again.body["id"] == str(Run.objects.get().pk)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert Run.objects.get().api_key == ApiKey.objects.get(name="Planner")

    # Both work until the old one ends.
    row(page, writer).get_by_role("link", name="Rotate").click()
    expect(page.get_by_label("After 24 hours")).to_be_checked()
    check(page)
    page.get_by_role("button", name="Create the new key").click()
    successor = page.get_by_label("The API key").inner_text()
    expect(page.get_by_text(ends_of(writer))).to_be_visible()
    check(page)
    page.reload()
    expect(row(page, writer).filter(has_text="Replaced")).to_be_visible()
    check(page)
    assert [call(key, RUNS).status for key in (writer, successor)] == [200, 200]
    ApiKey.objects.filter(rotated_to__isnull=False).update(expires_at=clock.now() - timedelta(seconds=1))
    ended = call(writer, RUNS)
    assert (ended.status, ended.body["detail"]) == (401, "This API key has expired. Create a new one.")
    assert call(successor, RUNS).status == 200

    # Revoked.
    row(page, reader).get_by_role("link", name="Revoke").click()
    check(page)
    page.get_by_role("button", name="Revoke the key").click()
    expect(page.get_by_text(f"“BI” ({ends_of(reader)}) no longer works.")).to_be_visible()
    assert call(reader, RUNS).status == 401
    page.get_by_text("Revoked and expired keys").click()
    expect(row(page, reader).filter(has_text="Revoked")).to_be_visible()
    expect(row(page, writer).filter(has_text="Expired")).to_be_visible()
    check(page)

    events = AuditEvent.objects.filter(action__startswith="api_key.").order_by("id")
    assert [event.action.removeprefix("api_key.") for event in events] == [
        "created", "created", "created", "rotated", "revoked"
    ]  # fmt: skip
    recorded = str(list(AuditEvent.objects.values()))
    page.get_by_role("link", name="Audit log").click()
    listed = page.locator("#events .audit-what > p:first-child")
    expect(listed.filter(has_text="Created an API key")).to_have_count(3)
    expect(listed.filter(has_text="Rotated an API key").filter(has_text=ends_of(writer))).to_have_count(1)
    expect(listed.filter(has_text="Revoked an API key").filter(has_text=ends_of(reader))).to_have_count(1)
    check(page)
    assert not any(text[13:] in recorded + page.content() for text in (reader, writer, successor))


@narrow_first
def test_calls_are_tried_out_in_the_reference(live_server: LiveServer, page: Page, shop: Workspace, look: Look) -> None:
    owner = User.objects.get()
    create_workspace(name="Another one", slug="other", owner=owner)  # so that a call has to say which it is about
    _key, text = create_api_key(workspace=shop, created_by=owner, name="k", scopes=["runs:read"])
    sign_in(page, live_server, owner.email)
    page.goto(f"{live_server.url}/w/shop/settings/api/reference/")
    runs = page.locator(OF_RUNS)
    page.locator("#operations-tag-Runs").click()
    get, post = (runs.locator(f".opblock-{method}").filter(has_text=RUNS).first for method in ("get", "post"))
    get.locator(".opblock-summary-control").click()
    get.get_by_role("button", name="Try it out").click()
    check(page, within=OF_RUNS)

    def tried(operation: Locator) -> Response:
        with page.expect_response(re.compile(RUNS)) as waiting:
            operation.get_by_role("button", name="Execute").click()
        return waiting.value

    # By who is signed in, in the workspace of the page.
    answer = tried(get)
    assert (answer.status, answer.json()["results"]) == (200, [])
    assert "workspace=shop" in answer.url
    expect(get.locator(".live-responses-table")).to_be_visible()
    check(page, within=OF_RUNS)
    post.locator(".opblock-summary-control").click()
    post.get_by_role("button", name="Try it out").click()
    post.locator("textarea").fill(json.dumps(QUESTION))
    assert tried(post).status == 202
    assert Run.objects.get().workspace == shop

    # By a key, without the session.
    page.get_by_role("button", name="Authorize").first.click()
    dialog = page.locator(".dialog-ux")
    dialog.get_by_label("auth-bearer-value").fill(text)
    check(page, within=".dialog-ux")
    dialog.get_by_role("button", name="Apply credentials").first.click()
    dialog.get_by_role("button", name="Close").first.click()
    answer = tried(get)
    assert (answer.status, len(answer.json()["results"])) == (200, 1)
    asked_with = answer.request.all_headers()
    assert (asked_with["authorization"], "cookie" in asked_with) == (f"Bearer {text}", False)
    assert "workspace=" not in answer.url
    assert text not in page.evaluate("JSON.stringify({...localStorage, ...sessionStorage})")
    page.reload()
    assert text not in page.content()


@wide_first
def test_what_plan_role_and_workspace_do_not_allow_is_refused(
    live_server: LiveServer,
    page: Page,
    shop: Workspace,
    call: Callable[..., Answer],
    tmp_path: Path,
    look: Look,
) -> None:
    import_some_months(shop, tmp_path)
    owner = User.objects.get()
    for role in (Role.ANALYST, Role.VIEWER):
        MembershipFactory.create(workspace=shop, user=User.objects.create_user(f"{role}@example.com"), role=role)
    elsewhere = create_workspace(name="Elsewhere", slug="elsewhere", owner=User.objects.create_user("x@example.org"))
    theirs = request_run(
        workspace=elsewhere, kind="attribution", params={}, by=None, trigger=Run.Trigger.PAGE, ring=False
    )
    _key, text = create_api_key(workspace=shop, created_by=owner, name="k", scopes=["runs:read", "runs:write"])

    # The plan.
    sign_in(page, live_server, owner.email)
    page.goto(f"{live_server.url}/w/shop/attribution/")
    expect(page.get_by_label("Attribution model").locator("option[value=data_driven]")).to_be_disabled()
    expect(page.locator(".locked")).to_contain_text("Data-driven attribution is part of the Professional plan.")
    expect(page.get_by_role("button", name="Run analysis")).to_be_visible()
    check(page)
    refused = call(text, RUNS, DATA_DRIVEN)
    assert (refused.status, refused.body["code"], refused.body["plan"]) == (403, "plan_required", "professional")
    assert "Professional" in refused.body["detail"]

    # The workspace.
    for run_id in (theirs.pk, uuid.uuid4()):
        unknown = call(text, f"{RUNS}{run_id}/")
        assert (unknown.status, unknown.body["code"], unknown.body["detail"]) == (
            404, "not_found", "There is no such run."
        )  # fmt: skip
    assert not Run.objects.filter(workspace=shop).exists()

    # The role.
    sign_in(page, live_server, "viewer@example.com")
    page.goto(f"{live_server.url}/w/shop/attribution/")
    expect(page.get_by_text("As a viewer you see the results below, but you may not run analyses.")).to_be_visible()
    expect(page.get_by_role("button", name="Run analysis")).to_have_count(0)
    check(page)
    page.goto(f"{live_server.url}/w/shop/settings/")
    expect(page.get_by_role("link", name="Team")).to_be_visible()
    expect(page.get_by_role("link", name="API access")).to_have_count(0)

    # An analyst's keys only read.
    sign_in(page, live_server, "analyst@example.com")
    page.goto(f"{live_server.url}/w/shop/settings/api/new/")
    reports = page.get_by_role("group", name="Reports")
    expect(reports.get_by_label("Write")).to_be_disabled()
    expect(reports).to_contain_text("Keys of an analyst only read.")
    page.get_by_role("link", name="Read everything").click()
    expect(reports.get_by_label("Read")).to_be_checked()
    expect(page.get_by_role("group", name="Audit log").get_by_label("Read")).not_to_be_checked()
    check(page)
