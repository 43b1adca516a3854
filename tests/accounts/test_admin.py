"""What the site's admin can and cannot do to accounts."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.api_key_actions import create_api_key
from accounts.audit import record
from accounts.invitations import invite
from accounts.models import ApiKey, AuditEvent, Invitation, Plan, Role, User, Workspace
from accounts.plan_requests import request_plan
from jobs.execution import execute
from jobs.models import Job
from marketing.models import Dataset
from mmm_project.problems import Conflict
from reports.workspace_deletion import request_deletion
from tests.marketing.batches import NOON, add_import, conversion_import

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(client_for: Callable[[User | None], Client]) -> Client:
    return client_for(User.objects.create_superuser("root@example.com"))


@pytest.fixture
def key(workspace: Workspace, owner: User) -> ApiKey:
    return create_api_key(workspace=workspace, created_by=owner, name="ETL", scopes=["runs:read"])[0]


def _workspace_form(workspace: Workspace, **changes: object) -> dict[str, object]:
    members = list(workspace.memberships.order_by("user__email"))
    return {
        "name": workspace.name,
        "currency": workspace.currency,
        "timezone": workspace.timezone,
        "week_start": workspace.week_start,
        "period_days": workspace.period_days,
        "window_days": workspace.window_days,
        "confidence": workspace.confidence,
        "channel_grouping": workspace.channel_grouping,
        "default_attribution_model": workspace.default_attribution_model,
        "keep_files_days": workspace.keep_files_days,
        "plan": workspace.subscription.plan_id,
        "memberships-TOTAL_FORMS": len(members),
        "memberships-INITIAL_FORMS": len(members),
        **{f"memberships-{place}-id": membership.pk for place, membership in enumerate(members)},
        **{f"memberships-{place}-workspace": workspace.pk for place in range(len(members))},
        **{f"memberships-{place}-role": membership.role for place, membership in enumerate(members)},
        **changes,
    }


def test_a_key_is_shown_without_its_hash_and_cannot_be_made_or_deleted(root: Client, key: ApiKey) -> None:
    page = root.get(f"/admin/accounts/apikey/{key.pk}/change/").content.decode()
    assert f"mmm_{key.lookup}...{key.last4}" in page
    assert "digest" not in page
    assert bytes(key.digest).hex() not in page
    assert root.get("/admin/accounts/apikey/add/").status_code == 403
    assert root.post(f"/admin/accounts/apikey/{key.pk}/delete/", {"post": "yes"}).status_code == 403
    assert ApiKey.objects.exists()


def test_a_key_can_be_revoked_and_that_leaves_a_trace(root: Client, key: ApiKey) -> None:
    root.post("/admin/accounts/apikey/", {"action": "revoke", "_selected_action": [str(key.pk)]})
    key.refresh_from_db()
    assert key.revoked_at is not None
    event = AuditEvent.objects.get(action="api_key.revoked")
    assert event.actor is not None
    assert event.actor.email == "root@example.com"


def test_the_audit_log_can_only_be_read(root: Client, workspace: Workspace) -> None:
    event = record(workspace=workspace, action="thing.done")
    assert root.get(f"/admin/accounts/auditevent/{event.pk}/change/").status_code == 200
    assert root.post(f"/admin/accounts/auditevent/{event.pk}/change/", {"action": "x"}).status_code == 403
    assert root.post(f"/admin/accounts/auditevent/{event.pk}/delete/", {"post": "yes"}).status_code == 403
    assert root.get("/admin/accounts/auditevent/add/").status_code == 403


def test_a_change_of_a_workspace_leaves_a_trace_with_before_and_after(
    root: Client, workspace: Workspace, owner: User
) -> None:
    path = f"/admin/accounts/workspace/{workspace.pk}/change/"
    assert root.post(path, _workspace_form(workspace, name="Acme Ltd", slug="other")).status_code == 302
    changed = Workspace.objects.get()
    assert (changed.name, changed.slug) == ("Acme Ltd", "acme")  # addresses in mails and bookmarks hold the slug
    event = AuditEvent.objects.get()
    assert (event.action, event.workspace, event.actor and event.actor.email) == (
        *("settings.changed", workspace, "root@example.com"),
    )
    assert event.detail == {"changes": {"name": {"before": "Acme", "after": "Acme Ltd"}}}


def test_another_plan_is_on_record(root: Client, workspace: Workspace, owner: User) -> None:
    professional = Plan.objects.get(code="professional")
    path = f"/admin/accounts/workspace/{workspace.pk}/change/"
    root.post(path, _workspace_form(workspace, plan=professional.pk))
    assert Workspace.objects.get().subscription.plan == professional
    event = AuditEvent.objects.get()
    assert (event.action, event.detail) == (
        *("plan.changed", {"changes": {"plan": {"before": "starter", "after": "professional"}}}),
    )


def test_a_form_without_a_change_leaves_no_trace(root: Client, workspace: Workspace, owner: User) -> None:
    path = f"/admin/accounts/workspace/{workspace.pk}/change/"
    assert root.post(path, _workspace_form(workspace)).status_code == 302
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("change", [{"memberships-0-role": Role.ADMIN}, {"memberships-0-DELETE": "on"}])
def test_a_workspace_keeps_an_owner(root: Client, workspace: Workspace, owner: User, change: dict[str, object]) -> None:
    path = f"/admin/accounts/workspace/{workspace.pk}/change/"
    response = root.post(path, _workspace_form(workspace, **change))
    assert "A workspace needs an owner." in response.content.decode()
    assert workspace.memberships.get().role == Role.OWNER


def test_a_workspace_is_not_deleted_by_one_click(root: Client, workspace: Workspace, owner: User) -> None:
    assert root.post(f"/admin/accounts/workspace/{workspace.pk}/delete/", {"post": "yes"}).status_code == 403
    form = {"action": "delete_selected", "_selected_action": str(workspace.pk), "post": "yes"}
    root.post("/admin/accounts/workspace/", form)
    assert Workspace.objects.filter(slug="acme").exists()


def test_a_workspace_is_deleted_by_its_slug_typed_and_a_job(
    root: Client, workspace: Workspace, owner: User, settings: Settings, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    record(workspace=workspace, action="thing.done", target="a thing")
    create_api_key(workspace=workspace, created_by=owner, name="ETL", scopes=["runs:read"])
    conversion_import(workspace, [(1, NOON, "10")])
    form = {"action": "delete_workspace", "_selected_action": str(workspace.pk)}
    assert "Type “acme” to confirm" in root.post("/admin/accounts/workspace/", form).text
    wrong = root.post("/admin/accounts/workspace/", form | {"confirmed": "yes", "slug": "acne"})
    assert (wrong.status_code, Job.objects.filter(kind="reports.delete_workspace").count()) == (422, 0)
    root.post("/admin/accounts/workspace/", form | {"confirmed": "yes", "slug": "acme"})
    execute(job_id=Job.objects.get(kind="reports.delete_workspace").pk)
    assert not Workspace.objects.exists()
    assert AuditEvent.objects.filter(action="thing.done", target="a thing").exists()
    deleted = AuditEvent.objects.get(action="workspace.deleted")
    assert deleted.actor is not None
    assert deleted.actor.email == "root@example.com"


def test_a_user_cannot_be_deleted_as_workspaces_would_lose_their_owner(root: Client, owner: User) -> None:
    assert root.post(f"/admin/accounts/user/{owner.pk}/delete/", {"post": "yes"}).status_code == 403
    assert User.objects.filter(pk=owner.pk).exists()


def test_a_member_removed_in_the_admin_loses_their_keys_and_invitations(
    root: Client, workspace: Workspace, admin: User, owner: User
) -> None:
    create_api_key(workspace=workspace, created_by=admin, name="ETL", scopes=["runs:read"])
    invite(workspace=workspace, email="new@example.com", role=Role.VIEWER, by=workspace.memberships.get(user=admin))
    root.post(
        f"/admin/accounts/workspace/{workspace.pk}/change/",
        _workspace_form(workspace, **{"memberships-0-DELETE": "on"}),
    )
    assert workspace.memberships.get().user == owner
    assert ApiKey.objects.get().revoked_at is not None
    assert Invitation.objects.get().revoked_at is not None
    assert AuditEvent.objects.filter(action="member.removed", target="admin@example.com").count() == 1


def test_owners_can_change_places_in_one_form(root: Client, workspace: Workspace, admin: User, owner: User) -> None:
    changes = {"memberships-0-role": Role.OWNER, "memberships-1-role": Role.VIEWER}
    root.post(f"/admin/accounts/workspace/{workspace.pk}/change/", _workspace_form(workspace, **changes))
    assert dict(workspace.memberships.values_list("user__email", "role")) == {
        "admin@example.com": "owner",
        "owner@example.com": "viewer",
    }
    assert AuditEvent.objects.filter(action="member.role_changed").count() == 2


def test_a_member_can_be_added(root: Client, workspace: Workspace, outsider: User) -> None:
    form = {"action": "add_member", "_selected_action": str(workspace.pk), "confirmed": "yes", "role": Role.OWNER}
    assert root.post("/admin/accounts/workspace/", form | {"email": "nobody@example.com"}).status_code == 422
    root.post("/admin/accounts/workspace/", form | {"email": "Outsider@example.com"})
    assert workspace.memberships.get(user=outsider).role == Role.OWNER
    assert AuditEvent.objects.get(action="member.added").workspace == workspace


@pytest.fixture
def staff_with(client_for: Callable[[User | None], Client]) -> Callable[..., Client]:
    """Sign in as a site admin who is no superuser, and has these rights."""

    def staff_with(*rights: str) -> Client:
        user = User.objects.create_user("staff@example.com", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=rights))
        return client_for(user)

    return staff_with


@pytest.mark.parametrize("right", ["delete_workspace", "change_workspace"])
def test_a_workspace_is_deleted_by_the_right_to_delete_it(
    staff_with: Callable[..., Client], workspace: Workspace, owner: User, right: str
) -> None:
    staff = staff_with("view_workspace", right)
    offered = "Delete…" in staff.get(f"/admin/accounts/workspace/{workspace.pk}/change/").text
    form = {"action": "delete_workspace", "_selected_action": str(workspace.pk), "confirmed": "yes", "slug": "acme"}
    staff.post("/admin/accounts/workspace/", form)
    deleted = Job.objects.filter(kind="reports.delete_workspace").exists()
    assert offered is deleted is (right == "delete_workspace")


@pytest.mark.parametrize("rights", [["change_workspace"], ["change_workspace", "add_membership"]])
def test_a_member_is_added_by_the_right_to_add_members(
    staff_with: Callable[..., Client], workspace: Workspace, owner: User, outsider: User, rights: list[str]
) -> None:
    staff, may = staff_with("view_workspace", *rights), "add_membership" in rights
    assert ("Add a member…" in staff.get(f"/admin/accounts/workspace/{workspace.pk}/change/").text) is may
    form = {"action": "add_member", "_selected_action": str(workspace.pk), "confirmed": "yes", "role": Role.OWNER}
    staff.post("/admin/accounts/workspace/", form | {"email": outsider.email})
    assert workspace.memberships.filter(user=outsider).exists() is may


def test_nobody_is_let_into_a_workspace_that_is_being_deleted(
    root: Client, workspace: Workspace, owner: User, outsider: User
) -> None:
    request_deletion(workspace=workspace, by=owner, ring=False)
    form = {"action": "add_member", "_selected_action": str(workspace.pk), "confirmed": "yes", "role": Role.OWNER}
    page = root.post("/admin/accounts/workspace/", form | {"email": outsider.email}, follow=True).text
    assert "Acme is being deleted" in page
    assert not workspace.memberships.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        *({"default_attribution_model": model} for model in ("nonsense", "data_driven", "")),
        *({"period_days": days} for days in (0, 3661, 32767)),
        *({"window_days": days} for days in (0, 366)),
    ],
)
def test_settings_are_bounded_as_on_their_own_page(
    root: Client, workspace: Workspace, owner: User, wrong: dict[str, object]
) -> None:
    path = f"/admin/accounts/workspace/{workspace.pk}/change/"
    response = root.post(path, _workspace_form(workspace, **wrong))
    assert list(response.context["adminform"].form.errors) == list(wrong)
    assert not AuditEvent.objects.exists()


def test_settings_take_what_their_own_page_takes(root: Client, workspace: Workspace, owner: User) -> None:
    path = f"/admin/accounts/workspace/{workspace.pk}/change/"
    root.post(path, _workspace_form(workspace, default_attribution_model="linear", period_days=3660, window_days=365))
    workspace.refresh_from_db()
    assert (workspace.default_attribution_model, workspace.period_days, workspace.window_days) == ("linear", 3660, 365)


def test_a_model_that_is_no_longer_offered_stays_until_another_is_chosen(
    root: Client, workspace: Workspace, owner: User
) -> None:
    Workspace.objects.update(default_attribution_model="custom:7")
    workspace.refresh_from_db()
    path = f"/admin/accounts/workspace/{workspace.pk}/change/"
    assert root.post(path, _workspace_form(workspace, name="Acme Ltd")).status_code == 302
    workspace.refresh_from_db()
    assert (workspace.name, workspace.default_attribution_model) == ("Acme Ltd", "custom:7")


@pytest.mark.parametrize(("asked", "status"), [("professional", "granted"), ("enterprise", "open")])
def test_with_the_plan_that_was_asked_for_the_request_is_granted(
    root: Client, workspace: Workspace, owner: User, asked: str, status: str
) -> None:
    by = workspace.memberships.get(user=owner)
    request = request_plan(workspace=workspace, plan=asked, message="", by=by)
    path, professional = f"/admin/accounts/workspace/{workspace.pk}/change/", Plan.objects.get(code="professional")
    root.post(path, _workspace_form(workspace, plan=professional.pk))
    request.refresh_from_db()
    assert request.status == status
    assert Workspace.objects.get().subscription.plan == professional
    assert AuditEvent.objects.filter(action="plan_request.granted").exists() is (status == "granted")


def test_what_accounts_refuses_is_said_and_nothing_of_the_form_is_saved(
    root: Client, workspace: Workspace, admin: User, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_arguments: object) -> None:
        raise Conflict("Somebody else was faster.")

    monkeypatch.setattr("accounts.admin.workspaces.change_role", refuse)
    form = _workspace_form(workspace, name="Acme Ltd", **{"memberships-0-role": Role.VIEWER})
    page = root.post(f"/admin/accounts/workspace/{workspace.pk}/change/", form, follow=True).text
    assert "Somebody else was faster." in page
    assert Workspace.objects.get().name == "Acme"
    assert not AuditEvent.objects.exists()


def test_a_user_can_be_added_by_email_address(root: Client) -> None:
    password = "correct horse battery"
    form = {"email": "new@example.com", "usable_password": "true", "password1": password, "password2": password}
    assert root.post("/admin/accounts/user/add/", form).status_code == 302
    assert User.objects.get(email="new@example.com").has_usable_password()


def test_a_user_added_in_capitals_can_sign_in(root: Client, client: Client) -> None:
    password = "correct horse battery"
    form = {"email": "New@Example.com", "usable_password": "true", "password1": password, "password2": password}
    root.post("/admin/accounts/user/add/", form)
    response = client.post("/accounts/login/", {"login": "New@Example.com", "password": password})
    assert response.headers["Location"] == "/"


@pytest.mark.parametrize("path", ["user/?q=owner", "workspace/?q=acme", "apikey/?q=ETL", "auditevent/?q=api", "plan/"])
def test_lists_can_be_searched(root: Client, key: ApiKey, path: str) -> None:
    response = root.get(f"/admin/accounts/{path}")
    assert response.status_code == 200
    assert 'class="paginator"' in response.content.decode()


def test_the_currency_stays_once_amounts_are_in_it(root: Client, workspace: Workspace, owner: User) -> None:
    path = f"/admin/accounts/workspace/{workspace.pk}/change/"
    root.post(path, _workspace_form(workspace, currency="USD"))
    workspace.refresh_from_db()
    assert workspace.currency == "USD"
    add_import(workspace, Dataset.SPEND)
    root.post(path, _workspace_form(workspace, currency="GBP", name="Acme Ltd"))
    workspace.refresh_from_db()
    assert (workspace.currency, workspace.name) == ("USD", "Acme Ltd")
