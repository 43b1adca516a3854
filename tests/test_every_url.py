"""Every URL, as everybody: no fault, no door open to the wrong person, no word of one workspace to another."""

import json
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, replace
from datetime import time
from itertools import product
from typing import TypeAlias

import pytest
from django.apps import apps
from django.contrib import admin as site_admin
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from pytest_django import DjangoDbBlocker

from accounts.actions import create_workspace
from accounts.api_key_actions import create_api_key
from accounts.audit import record
from accounts.invitations import invite
from accounts.models import Membership, Role, User, Workspace
from accounts.plan_requests import request_plan
from analyses.models import Run
from analyses.runs import request_run
from attribution.custom.custom_models import create as create_custom_model
from attribution.methods.custom_definition import parse as parse_custom_model
from jobs.models import Job
from marketing.importing.dimensions import create_channel
from marketing.models import Campaign, Channel, ChannelAlias, Control, Dataset, Outcome
from marketing.segments.definition import parse as parse_segment
from marketing.segments.saved import create_segment
from reports.alerts import actions as alerts
from reports.builder.actions import create as create_report
from reports.builder.actions import preview as preview_report
from reports.exports.background import request_file
from reports.models import Alert, AlertEvent, Delivery, Recipient, Schedule
from reports.schedules.actions import Settings, create_schedule
from reports.schedules.calendar import Recurrence
from reports.schedules.contents import Content
from tests.factories import UserFactory
from tests.marketing.batches import add_customer, add_import, add_upload
from tests.routes import Route, every_route
from tests.webhooks.steps import an_endpoint
from tests.weightings.results import CHANNELS, finished
from webhooks.event_types import EventType
from webhooks.events import announce
from weightings.planner.plan import Plan
from weightings.planner.scenarios import create as create_scenario

CANARY = "Canary7f3a"
ROUTES = every_route()
OURS = [route for route in ROUTES if route.is_in_workspace]
OF_RUNS = [route for route in OURS if "run_id" in route.arguments]
ADMIN = [route for route in ROUTES if route.is_admin]
SIGN_IN = "/accounts/login/?next="
WITH_BODY = ("post", "put", "patch")
METHODS = ("get", *WITH_BODY, "delete")
Rows: TypeAlias = dict[str, list[dict[str, object]]]

# Views of Django and allauth that are open to all on purpose: signing in and out, and the way back in.
PUBLIC = {
    "account_login", "account_logout", "account_signup", "account_inactive", "account_email_verification_sent",
    "account_confirm_email", "account_reset_password", "account_reset_password_done",
    "account_reset_password_from_key", "account_reset_password_from_key_done", "mfa_authenticate", "mfa_trust",
    "invitation", "reports:unsubscribe", "reports:delivered_file", "api:schema", "api:schema_yaml",
}  # fmt: skip


# What the plan of this world does not have.
NOT_IN_THE_PLAN = {"weightings:forecast_plan"}

# Pages that only ask whether something is to be changed, and files that may name customers: for those who may.
ASKS_WHETHER_TO_CHANGE = {
    "marketing:remove_demo", "marketing:undo_import", "marketing:upload", "marketing:upload_file",
    "marketing:upload_columns", "marketing:upload_check", "marketing:upload_rejects", "marketing:import_file",
    "marketing:import_rejects", "marketing:goal", "marketing:outcome", "marketing:channel", "marketing:merge_channel",
    "marketing:grouping", "marketing:new_segment", "marketing:segment",
    "attribution:custom_new", "weightings:new_experiment",
    "reports:schedules", "reports:schedule", "reports:schedule_new", "reports:schedule_upcoming",
    "reports:schedule_edit", "reports:schedule_delete",
    "reports:deliveries",
    "reports:alerts", "reports:alert", "reports:alert_new", "reports:alert_edit", "reports:alert_delete",
    "reports:api_schedule", "reports:api_schedule_upcoming", "reports:api_schedule_occurrences",
    "reports:api_delivery", "reports:api_alert", "reports:api_alert_events",
    "reports:new_report", "reports:delete_report",
    "api:access", "api:create_key", "api:rotate_key", "api:revoke_key", "api:reference",
    "webhooks:page", "webhooks:new", "webhooks:endpoint", "webhooks:edit", "webhooks:rotate", "webhooks:delete",
    "webhooks:message",
    "marketing:customer", "marketing:api_customer", "marketing:api_customer_request", "marketing:api_import_rejects",
    "team_remove", "team_transfer", "workspace_delete", "workspace_export_file",
    "settings_audit",
}  # fmt: skip
# What everybody may do, as it concerns nobody else: a file that is prepared is one that everybody may download.
ONES_OWN_AFFAIR = {"team_leave", "reports:prepare_export", "reports:api_run_exports"}


@dataclass(frozen=True)
class World:
    """Workspace A, full of canaries, its people, and the owner of workspace B."""

    workspace: Workspace
    owner: User
    analyst: User
    viewer: User
    outsider: User
    arguments: dict[str, object]
    weightings_run: Run  # done, while the run among the arguments waits
    browsers: dict[int, Client]  # of each of these people, signed in

    def ask(self, route: Route, method: str, user: User | None) -> HttpResponse:
        client = Client()
        if user is not None:
            client.cookies = copy(self.browsers[user.pk].cookies)
        body = {"data": {}, "content_type": "application/json"} if route.is_api and method in WITH_BODY else {}
        response: HttpResponse = getattr(client, method)(route.url(self.arguments), **body)
        return response


@pytest.fixture(scope="module")
def first_world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """Made once: each test begins a transaction of its own inside this one, and takes back what it did."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield make_world()
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def before(first_world: World, django_db_blocker: DjangoDbBlocker) -> Rows:
    """What the workspace holds when a test begins: the same for all of them."""
    with django_db_blocker.unblock():
        return dict(_rows(first_world.workspace))


@pytest.fixture
def world(first_world: World, db: None) -> World:
    return replace(first_world, arguments=dict(first_world.arguments))


def make_world() -> World:
    owner = UserFactory.create(email=f"{CANARY}@example.com")
    workspace = create_workspace(name=CANARY, slug="acme", owner=owner)
    members = {role: UserFactory.create() for role in (Role.ANALYST, Role.VIEWER)}
    for role, user in members.items():
        Membership.objects.create(workspace=workspace, user=user, role=role)
    outsider = UserFactory.create()
    create_workspace(name="Elsewhere", slug="elsewhere", owner=outsider)
    key, _text = create_api_key(workspace=workspace, created_by=owner, name=CANARY, scopes=["runs:read"])
    run = request_run(
        workspace=workspace, kind="attribution", params={}, by=owner, trigger=Run.Trigger.PAGE, ring=False
    )
    Job.objects.filter(pk=run.job_id).update(phase=CANARY)
    channel = create_channel(workspace=workspace, name=CANARY, type=Channel.Type.PAID)
    campaign = Campaign.objects.create(workspace=workspace, name=CANARY)
    meaning = parse_segment({"conditions": [{"type": "first_channel", "any_of": [CANARY]}]})
    segment = create_segment(workspace=workspace, name=CANARY, definition=meaning, by=owner)
    weights = parse_custom_model({"channels": {CANARY: 2}})
    model = create_custom_model(workspace=workspace, name=CANARY, definition=weights, by=owner)
    invited = invite(
        workspace=workspace,
        email=f"{CANARY}@example.org",
        role=Role.VIEWER,
        by=workspace.memberships.get(user=owner),
    )
    by = workspace.memberships.get(user=owner)
    request_plan(workspace=workspace, plan="enterprise", message=CANARY, by=by)
    upload = add_upload(workspace, file_name=CANARY, batch=add_import(workspace, Dataset.SPEND))
    waiting = add_upload(workspace, file_name=CANARY)
    weightings_run = make_weightings_run(workspace)
    plan = Plan(spend={CANARY: 1.0})
    report = create_report(workspace=workspace, name=CANARY, template="monthly_review", by=owner)
    # What each argument of a URL stands for; every value belongs to workspace A.
    arguments = {
        "slug": workspace.slug,
        "run_id": run.pk,
        "place": 0,
        "scenario_id": create_scenario(run=weightings_run, name=CANARY, plan=plan, by=owner).pk,
        "channel_id": channel.pk,
        "alias_id": ChannelAlias.objects.create(workspace=workspace, channel=channel, name=f"{CANARY} before").pk,
        "segment_id": segment.pk,
        "model_id": model.pk,
        "campaign_id": campaign.pk,
        "alert_id": make_alert(workspace, owner, channel).pk,
        "schedule_id": make_schedule(workspace, owner).pk,
        "delivery_id": make_delivery(workspace).pk,
        "recipient_id": Recipient.objects.get(schedule__workspace=workspace).pk,
        "goal_id": workspace.goals.get(is_default=False).pk,
        "import_id": upload.batch_id,
        "upload_id": waiting.pk,
        "customer_id": add_customer(workspace, 77).pk,
        "file_id": request_file(run=weightings_run, form="pdf", paper="", by=owner, ring=False).pk,
        "report_id": report.pk,
        "edition_id": preview_report(report=report, by=owner, ring=False).pk,
        **make_webhook(workspace),
        "key_id": key.pk,
        "dataset": "spend",
        "outcome_id": Outcome.objects.create(workspace=workspace, name=CANARY).pk,
        "control_id": Control.objects.create(workspace=workspace, name=CANARY).pk,
        "customer_request_id": record(workspace=workspace, action="customer.exported", target=CANARY).pk,
        "membership_id": workspace.memberships.get(user=members[Role.VIEWER]).pk,
        "invitation_id": invited.invitation.pk,
        "token": "abc-123",  # a true one lets anybody in, as it should: see tests/accounts/test_invitations.py
        "form": "csv",
        "page": "attribution",
        "key": "abc-123",
        "uidb36": "1",
        "app_label": "accounts",
        "content_type_id": "1",
        "object_id": "1",
        "url": "accounts/",
        "id": str(owner.pk),
    }
    return World(
        workspace,
        owner,
        members[Role.ANALYST],
        members[Role.VIEWER],
        outsider,
        arguments,
        weightings_run=weightings_run,
        browsers={user.pk: signed_in(user) for user in (owner, *members.values(), outsider)},
    )


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def make_schedule(workspace: Workspace, owner: User) -> Schedule:
    """A schedule whose name and recipient are canaries."""
    settings = Settings(
        name=CANARY,
        content=Content(kind="dashboard"),
        period="last_7",
        formats=["pdf"],
        recurrence=Recurrence("daily", time(9), workspace.zone),
        recipients=[f"{CANARY}@example.net"],
    )
    return create_schedule(workspace=workspace, settings=settings, by=workspace.memberships.get(user=owner))


def make_alert(workspace: Workspace, owner: User, channel: Channel) -> Alert:
    """An alert whose name, channel, recipient and event are canaries."""
    settings = alerts.Settings(
        name=CANARY, metric="spend", condition="anomaly", channel=channel, recipients=[f"{CANARY}@example.net"]
    )
    alert = alerts.create_alert(workspace=workspace, settings=settings, by=workspace.memberships.get(user=owner))
    AlertEvent.objects.create(alert=alert, day=alert.watched_from, value=1.0, sentence=CANARY)
    return alert


def make_delivery(workspace: Workspace) -> Delivery:
    """A mail to the recipient of the schedule that failed, and could be sent again."""
    recipient = Recipient.objects.get(schedule__workspace=workspace)
    return Delivery.objects.create(
        workspace=workspace,
        purpose=Delivery.Purpose.ALERT,
        recipient=recipient,
        email=recipient.email,
        subject=CANARY,
        status=Delivery.Status.FAILED,
        error=CANARY,
    )


def make_webhook(workspace: Workspace) -> dict[str, object]:
    """A webhook whose description, URL and message are canaries; the arguments that stand for it and the message."""
    endpoint = an_endpoint(workspace, url=f"https://8.8.8.8/{CANARY}", description=CANARY)
    message = announce(workspace=workspace, event=EventType.RUN_FINISHED, data={"id": CANARY})
    assert message is not None
    endpoint.deliveries.update(status="failed", error=CANARY)
    return {"endpoint_id": endpoint.pk, "message_id": message.pk}


def make_weightings_run(workspace: Workspace) -> Run:
    """A model with its result, of which a channel is a canary."""
    run = finished(workspace, outcome=CANARY)
    run.result = json.loads(json.dumps(run.result).replace(CHANNELS[0][0], CANARY))
    run.fingerprint = CANARY
    run.job.kind = "analyses.run"
    run.job.save()
    run.save()
    return run


def _rows(workspace: Workspace) -> Iterator[tuple[str, list[dict[str, object]]]]:
    """Yield everything that belongs to the workspace, to see that a stranger changed nothing."""
    for model in apps.get_models():
        owned = any(field.name == "workspace" for field in model._meta.fields)
        if model is Workspace or owned:
            where = {"pk": workspace.pk} if model is Workspace else {"workspace": workspace}
            yield model._meta.label, list(model._default_manager.filter(**where).order_by("pk").values())


def _text(response: HttpResponse) -> str:
    body = b"".join(response.streaming_content) if response.streaming else response.content  # type: ignore[attr-defined]
    return body.decode(errors="replace") + str(response.headers)


def test_the_walk_covers_what_it_should() -> None:
    names = {route.name for route in ROUTES}
    assert {"home", "new_workspace", "workspace_home", "account_login", "admin:index"} <= names
    assert {route.name for route in OURS} >= {"analyses:run", "analyses:api_run", "attribution:page", "weightings:page"}


@pytest.mark.parametrize("route", OURS, ids=str)
def test_nobody_gets_in_without_signing_in(world: World, route: Route) -> None:
    for method in METHODS:
        response = world.ask(route, method, None)
        if route.is_api:
            assert response.status_code == 401, method
            assert response.headers["Content-Type"] == "application/problem+json", method
        else:
            assert response.headers["Location"].startswith(SIGN_IN), method
        assert CANARY not in _text(response), method


@pytest.mark.parametrize("route", OURS, ids=str)
def test_for_the_owner_of_another_workspace_it_does_not_exist(world: World, before: Rows, route: Route) -> None:
    answers = {method: world.ask(route, method, world.outsider) for method in METHODS}
    assert dict(_rows(world.workspace)) == before
    for method, response in answers.items():
        assert CANARY not in _text(response), method
        if response.status_code == 405:  # the method exists for nobody
            assert world.ask(route, method, world.owner).status_code == 405, method
        else:
            assert response.status_code == 404, method


@pytest.mark.parametrize("route", OF_RUNS, ids=str)
def test_what_media_brought_is_for_the_members_of_its_workspace(world: World, before: Rows, route: Route) -> None:
    of_run = replace(world, arguments=world.arguments | {"run_id": world.weightings_run.pk})
    for method, stranger in product(METHODS, (None, world.outsider)):
        response = of_run.ask(route, method, stranger)
        assert response.status_code in ((302, 401) if stranger is None else (404, 405)), method
        assert CANARY not in _text(response), method
    assert dict(_rows(world.workspace)) == before
    for method in METHODS:
        members_meet_no_fault(of_run, route, method)


def test_a_viewer_sees_what_media_brought(world: World) -> None:
    of_run = replace(world, arguments=world.arguments | {"run_id": world.weightings_run.pk})
    (page,) = (route for route in OF_RUNS if route.name == "analyses:run")
    assert f">{CANARY}<" in _text(of_run.ask(page, "get", world.viewer))


@pytest.mark.parametrize("route", OURS, ids=str)
def test_a_viewer_looks_and_changes_nothing(world: World, before: Rows, route: Route) -> None:
    # 409: this world's models keep no figures, so what a scenario would bring cannot be computed.
    looks = (403,) if route.name in ASKS_WHETHER_TO_CHANGE | NOT_IN_THE_PLAN else (200, 302, 404, 405, 409)
    assert world.ask(route, "get", world.viewer).status_code in looks
    if route.name in ONES_OWN_AFFAIR:
        return
    assert world.ask(route, "post", world.viewer).status_code in (403, 405)
    assert dict(_rows(world.workspace)) == before


@pytest.mark.parametrize("route", OURS, ids=str)
def test_members_meet_no_fault(world: World, route: Route) -> None:
    for method in METHODS:
        members_meet_no_fault(world, route, method)


def members_meet_no_fault(world: World, route: Route, method: str) -> None:
    """Ask as each of them, and take back what that did."""
    with transaction.atomic():
        for user in (world.viewer, world.analyst, world.owner):
            assert world.ask(route, method, user).status_code < 500, f"{method} by {user}"
        transaction.set_rollback(True)


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("route", [route for route in ROUTES if not (route.is_admin or route in OURS)], ids=str)
def test_pages_of_no_workspace_ask_for_sign_in_and_meet_no_fault(world: World, route: Route, method: str) -> None:
    anonymous = world.ask(route, method, None)
    if route.is_api and route.name not in PUBLIC:
        assert anonymous.status_code == 401
    elif route.name not in PUBLIC:
        assert anonymous.headers.get("Location", "").startswith("/accounts/login/")
    for user in (None, world.viewer, world.analyst, world.owner, world.outsider):
        response = world.ask(route, method, user)
        assert response.status_code < 500
        if user in (None, world.outsider):
            assert CANARY not in _text(response)


@pytest.mark.parametrize("route", ADMIN, ids=str)
def test_the_admin_is_closed_to_members(world: World, route: Route) -> None:
    for method in ("get", "post"):
        anonymous = world.ask(route, method, None)
        assert anonymous.headers["Location"].startswith(("/accounts/login/", "/admin/"))
        owner = world.ask(route, method, world.owner)
        if route.name == "admin:login":
            assert owner.status_code == 403
        else:
            assert owner.headers["Location"].startswith("/admin/")


@pytest.mark.parametrize("route", ADMIN, ids=str)
def test_the_admin_works_for_a_site_admin(world: World, route: Route) -> None:
    by_name = {f"admin:{model._meta.app_label}_{model._meta.model_name}": model for model in site_admin.site._registry}
    model = by_name.get(route.name.rpartition("_")[0])
    row = model._default_manager.first() if model else None
    if row is not None:
        world.arguments.update(object_id=row.pk, id=row.pk)
    site_owner = User.objects.create_superuser("root@example.com")
    world.browsers[site_owner.pk] = signed_in(site_owner)
    assert world.ask(route, "get", site_owner).status_code in (200, 302, 403, 404, 405)
