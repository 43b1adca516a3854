"""What the site's admin can and cannot do to accounts."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.actions import create_api_key
from accounts.audit import record
from accounts.invitations import invite
from accounts.models import ApiKey, AuditEvent, Invitation, Role, User, Workspace
from marketing.models import Dataset
from tests.marketing.batches import NOON, add_import, conversion_import

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(client_for: Callable[[User | None], Client]) -> Client:
    return client_for(User.objects.create_superuser("root@example.com"))


@pytest.fixture
def key(workspace: Workspace, owner: User) -> ApiKey:
    return create_api_key(workspace=workspace, created_by=owner, name="ETL", scopes=["runs:read"])[0]


def _workspace_form(workspace: Workspace, **changes: object) -> dict[str, object]:
    membership = workspace.memberships.get()
    return {
        "name": workspace.name,
        "slug": workspace.slug,
        "currency": workspace.currency,
        "timezone": workspace.timezone,
        "week_start": workspace.week_start,
        "period_days": workspace.period_days,
        "window_days": workspace.window_days,
        "confidence": workspace.confidence,
        "channel_grouping": workspace.channel_grouping,
        "default_attribution_model": workspace.default_attribution_model,
        "keep_files_days": workspace.keep_files_days,
        "subscription-TOTAL_FORMS": 1,
        "subscription-INITIAL_FORMS": 1,
        "subscription-0-id": workspace.subscription.pk,
        "subscription-0-workspace": workspace.pk,
        "subscription-0-plan": workspace.subscription.plan_id,
        "memberships-TOTAL_FORMS": 1,
        "memberships-INITIAL_FORMS": 1,
        "memberships-0-id": membership.pk,
        "memberships-0-workspace": workspace.pk,
        "memberships-0-user": membership.user_id,
        "memberships-0-role": membership.role,
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


def test_a_change_of_a_workspace_leaves_a_trace(root: Client, workspace: Workspace, owner: User) -> None:
    path = f"/admin/accounts/workspace/{workspace.pk}/change/"
    assert root.post(path, _workspace_form(workspace, name="Acme Ltd")).status_code == 302
    assert Workspace.objects.get().name == "Acme Ltd"
    assert AuditEvent.objects.get().detail == {"changed": ["name"]}


@pytest.mark.parametrize("change", [{"memberships-0-role": Role.ADMIN}, {"memberships-0-DELETE": "on"}])
def test_a_workspace_keeps_an_owner(root: Client, workspace: Workspace, owner: User, change: dict[str, object]) -> None:
    path = f"/admin/accounts/workspace/{workspace.pk}/change/"
    response = root.post(path, _workspace_form(workspace, **change))
    assert "A workspace needs an owner." in response.content.decode()
    assert workspace.memberships.get().role == Role.OWNER


def test_a_workspace_can_be_deleted_and_its_trail_stays(root: Client, workspace: Workspace, owner: User) -> None:
    record(workspace=workspace, action="thing.done", target="a thing")
    create_api_key(workspace=workspace, created_by=owner, name="ETL", scopes=["runs:read"])
    conversion_import(workspace, [(1, NOON, "10")])
    assert "Acme and everything in it" in root.get(f"/admin/accounts/workspace/{workspace.pk}/delete/").content.decode()
    root.post(f"/admin/accounts/workspace/{workspace.pk}/delete/", {"post": "yes"})
    assert not Workspace.objects.exists()
    assert AuditEvent.objects.filter(action="thing.done", target="a thing").exists()


def test_a_user_cannot_be_deleted_as_workspaces_would_lose_their_owner(root: Client, owner: User) -> None:
    assert root.post(f"/admin/accounts/user/{owner.pk}/delete/", {"post": "yes"}).status_code == 403
    assert User.objects.filter(pk=owner.pk).exists()


def test_a_member_removed_in_the_admin_loses_their_keys_and_invitations(
    root: Client, workspace: Workspace, admin: User, outsider: User
) -> None:
    create_api_key(workspace=workspace, created_by=admin, name="ETL", scopes=["runs:read"])
    invite(workspace=workspace, email="new@example.com", role=Role.VIEWER, by=workspace.memberships.get())
    form = _workspace_form(workspace, **{"memberships-0-DELETE": "on"})
    form |= {"memberships-TOTAL_FORMS": 2, "memberships-1-workspace": workspace.pk}
    form |= {"memberships-1-user": outsider.pk, "memberships-1-role": Role.OWNER}
    root.post(f"/admin/accounts/workspace/{workspace.pk}/change/", form)
    assert workspace.memberships.get().user == outsider
    assert ApiKey.objects.get().revoked_at is not None
    assert Invitation.objects.get().revoked_at is not None


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
