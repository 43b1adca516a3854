"""Plans and requests for them in the admin, and the audit log that can be taken along."""

import csv
import io
from collections.abc import Callable

import pytest
from django.test import Client

from accounts.audit import record
from accounts.models import AuditEvent, Plan, PlanRequest, Subscription, User, Workspace
from accounts.plan_requests import request_plan
from tests import factories

pytestmark = pytest.mark.django_db
ClientFor = Callable[[User | None], Client]
LAST = "No plan would be left for new workspaces."


@pytest.fixture
def root(client_for: ClientFor) -> Client:
    return client_for(User.objects.create_superuser("root@example.com"))


def _form(plan: Plan, **changes: object) -> dict[str, object]:
    numbers = ("concurrent_fits", "max_rows", "max_members", "runs_a_month")
    return {
        **{name: getattr(plan, name) for name in ("name", "code", "rank", "features", "api_calls_a_minute")},
        **{name: getattr(plan, name) or "" for name in numbers},
        **changes,
    }


def test_features_are_ticked_and_an_edit_is_on_record_for_the_installation(root: Client) -> None:
    starter = Plan.objects.get(code="starter")
    path = f"/admin/accounts/plan/{starter.pk}/change/"
    page = root.get(path).text
    assert 'type="checkbox" name="features" value="data_driven"' in page
    assert root.post(path, _form(starter, features=["forecast"], max_rows=5)).status_code == 302
    starter.refresh_from_db()
    assert (starter.features, starter.max_rows) == (["forecast"], 5)
    event = AuditEvent.objects.get()
    assert (event.action, event.workspace, event.target) == ("plan.edited", None, "starter")
    assert event.detail["changes"] == {
        "features": {"before": [], "after": ["forecast"]},
        "max_rows": {"before": 1_000_000, "after": 5},
    }


@pytest.mark.parametrize("wrong", [{"features": ["teleporting"]}, {"api_calls_a_minute": 0}, {"max_rows": -1}])
def test_what_a_plan_cannot_include_is_refused(root: Client, wrong: dict[str, object]) -> None:
    starter = Plan.objects.get(code="starter")
    response = root.post(f"/admin/accounts/plan/{starter.pk}/change/", _form(starter, **wrong))
    assert "errorlist" in response.text
    assert not AuditEvent.objects.exists()


def test_a_new_plan_and_a_deleted_one_are_on_record(root: Client, workspace: Workspace) -> None:
    starter = Plan.objects.get(code="starter")
    root.post("/admin/accounts/plan/add/", _form(starter, code="tiny", name="Tiny"))
    tiny = Plan.objects.get(code="tiny")
    root.post(f"/admin/accounts/plan/{tiny.pk}/delete/", {"post": "yes"})
    assert [event.action for event in AuditEvent.objects.order_by("pk")] == ["plan.created", "plan.deleted"]
    # One that a workspace is on stays.
    root.post(f"/admin/accounts/plan/{starter.pk}/delete/", {"post": "yes"})
    assert Plan.objects.filter(code="starter").exists()


def test_the_code_of_a_plan_stays_as_it_was_made(root: Client) -> None:
    starter = Plan.objects.get(code="starter")
    assert root.post(f"/admin/accounts/plan/{starter.pk}/change/", _form(starter, code="basic")).status_code == 302
    starter.refresh_from_db()
    assert starter.code == "starter"
    assert "errorlist" in root.post("/admin/accounts/plan/add/", _form(starter, name="Another")).text  # in use


def test_the_last_plan_stays_however_it_is_to_be_deleted(root: Client) -> None:
    Plan.objects.exclude(code="starter").delete()
    last = Plan.objects.get()
    alone = {"post": "yes"}
    in_the_list = {"action": "delete_selected", "_selected_action": [last.pk], **alone}
    for path, form in ((f"/admin/accounts/plan/{last.pk}/delete/", alone), ("/admin/accounts/plan/", in_the_list)):
        assert LAST in root.post(path, form).text
    assert Plan.objects.get() == last
    assert not AuditEvent.objects.exists()


def test_all_plans_at_once_are_not_deleted(root: Client) -> None:
    chosen = list(Plan.objects.values_list("pk", flat=True))
    form = {"action": "delete_selected", "_selected_action": chosen, "post": "yes"}
    assert LAST in root.post("/admin/accounts/plan/", form).text
    assert Plan.objects.count() == len(chosen)
    root.post("/admin/accounts/plan/", form | {"_selected_action": chosen[1:]})
    assert Plan.objects.count() == 1


def test_people_sign_up_after_the_first_plan_is_gone(root: Client, client_for: ClientFor, outsider: User) -> None:
    starter = Plan.objects.get(code="starter")
    Subscription.objects.filter(plan=starter).delete()
    root.post(f"/admin/accounts/plan/{starter.pk}/delete/", {"post": "yes"})
    form = {"name": "Blue Fox", "currency": "EUR", "timezone": "UTC"}
    assert client_for(outsider).post("/w/new/", form).status_code == 302
    assert Subscription.objects.get(workspace__slug="blue-fox").plan.code == "professional"


def test_a_plan_leads_to_the_workspaces_that_are_on_it(root: Client, workspace: Workspace) -> None:
    factories.WorkspaceFactory.create(name="Elsewhere", subscription__plan__code="professional")
    starter = Plan.objects.get(code="starter")
    address = f"/admin/accounts/workspace/?subscription__plan__id__exact={starter.pk}"
    assert f'<a href="{address}">1</a>' in root.get("/admin/accounts/plan/").text
    listed = root.get(address).text
    assert ">Acme<" in listed
    assert ">Elsewhere<" not in listed


@pytest.fixture
def asked(workspace: Workspace, owner: User) -> PlanRequest:
    by = workspace.memberships.get(user=owner)
    return request_plan(workspace=workspace, plan="professional", message="We grow.", by=by)


@pytest.mark.parametrize(("action", "plan"), [("grant", "professional"), ("decline", "starter")])
def test_a_request_is_answered(root: Client, asked: PlanRequest, workspace: Workspace, action: str, plan: str) -> None:
    page = f"/admin/accounts/planrequest/{asked.pk}/change/"
    assert "We grow." in root.get(page).text
    form = {"action": action, "_selected_action": str(asked.pk), "from_row": str(asked.pk)}
    assert "Shown to the workspace&#x27;s owners" in root.post("/admin/accounts/planrequest/", form).text
    asked.refresh_from_db()
    assert asked.status == "open"
    form |= {"confirmed": "yes", "answer": "From Monday on."}
    assert root.post("/admin/accounts/planrequest/", form).headers["Location"] == page
    asked.refresh_from_db()
    assert (asked.answer, asked.decided_by and asked.decided_by.email) == ("From Monday on.", "root@example.com")
    workspace.subscription.refresh_from_db()
    assert workspace.subscription.plan.code == plan
    again = root.post("/admin/accounts/planrequest/", form, follow=True).text
    assert "has been answered or withdrawn in the meantime" in again


def test_an_answer_that_is_too_long_is_asked_for_again(root: Client, asked: PlanRequest) -> None:
    form = {"action": "grant", "_selected_action": str(asked.pk), "confirmed": "yes", "answer": "x" * 2001}
    assert root.post("/admin/accounts/planrequest/", form).status_code == 422
    asked.refresh_from_db()
    assert asked.status == "open"


def test_the_audit_log_can_be_filtered_and_taken_along(root: Client, workspace: Workspace, owner: User) -> None:
    record(workspace=workspace, action="plan.changed", target="=1+1", actor=owner, why="“x”")
    record(workspace=None, action="group.created", target="Support")
    about_plans = root.get("/admin/accounts/auditevent/?about=plan").text
    assert "plan.changed" in about_plans
    assert ">group.created<" not in about_plans
    theirs = root.get(f"/admin/accounts/auditevent/?actor__id__exact={owner.pk}").text
    assert "1 audit event" in theirs
    chosen = list(AuditEvent.objects.values_list("pk", flat=True))
    response = root.post("/admin/accounts/auditevent/", {"action": "export", "_selected_action": chosen})
    assert "attachment" in response.headers["Content-Disposition"]
    text = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]
    header, *rows = csv.reader(io.StringIO(text))
    assert header == ["id", "at", "workspace", "action", "target", "actor", "api_key", "detail"]
    changed = next(row for row in rows if row[3] == "plan.changed")
    assert changed[2:] == ["acme", "plan.changed", "'=1+1", "owner@example.com", "", '{"why": "“x”"}']
    exported = AuditEvent.objects.get(action="audit.exported")
    assert (exported.workspace, exported.detail) == (None, {"events": 2})
