"""Workspaces, members and plans: what changes, what is refused, what the audit log keeps."""

from collections.abc import Callable
from functools import partial

import pytest
from django.core.exceptions import ValidationError

from accounts.actions import (
    add_member,
    available_slug,
    change_role,
    create_workspace,
    remove_member,
    set_plan,
)
from accounts.api_key_actions import create_api_key
from accounts.closing import close_workspace
from accounts.models import ApiKey, AuditEvent, Plan, Role, User, Workspace
from accounts.signals import workspace_created
from mmm_project.problems import Conflict, Invalid, NotFound
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def _audited() -> list[str]:
    return list(AuditEvent.objects.order_by("id").values_list("action", flat=True))


def test_a_new_workspace_has_its_owner_its_plan_and_a_trace() -> None:
    owner = UserFactory.create()
    workspace = create_workspace(name="Blue Fox", slug="blue-fox", owner=owner, plan="professional", currency="JPY")
    assert workspace.memberships.get().role == Role.OWNER
    assert workspace.subscription.plan.code == "professional"
    assert workspace.money_decimals == 0
    assert _audited() == ["workspace.created"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("slug", "new"), ("slug", "acme"), ("slug", "a b"), ("currency", "EURO"), ("timezone", "CEST+2")],
)
def test_a_workspace_with_an_unusable_field_is_refused(workspace: Workspace, field: str, value: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        create_workspace(name="Blue Fox", owner=UserFactory.create(), **{"slug": "blue-fox", field: value})
    assert list(refusal.value.message_dict) == [field]


def test_a_workspace_on_an_unknown_plan_is_refused_whole() -> None:
    with pytest.raises(Invalid, match="No such plan") as refusal:
        create_workspace(name="Blue Fox", slug="blue-fox", owner=UserFactory.create(), plan="gold")
    assert refusal.value.errors == {"plan": ["“gold” is not a plan. Choose one of: starter, professional, enterprise."]}
    assert not Workspace.objects.exists()


@pytest.mark.parametrize("code", ["starter", "professional"])
def test_a_workspace_begins_on_the_cheapest_plan_whatever_that_is_called(code: str) -> None:
    Plan.objects.exclude(code=code).delete()
    workspace = create_workspace(name="Blue Fox", owner=UserFactory.create())
    assert workspace.subscription.plan.code == code
    assert AuditEvent.objects.get().detail["plan"] == code


def test_nobody_is_added_to_a_workspace_that_is_being_deleted(workspace: Workspace) -> None:
    stale = Workspace.objects.get()
    close_workspace(workspace=workspace)
    with pytest.raises(Conflict, match="is being deleted"):
        add_member(workspace=stale, user=UserFactory.create(), role=Role.OWNER, by=None)
    assert not workspace.memberships.exists()
    assert not AuditEvent.objects.exists()


def test_a_name_that_begins_with_closed_closes_nothing() -> None:
    workspace = create_workspace(name="Closed deals", owner=UserFactory.create())
    add_member(workspace=workspace, user=UserFactory.create(), role=Role.VIEWER, by=None)
    assert workspace.memberships.count() == 2


def test_a_listener_that_fails_undoes_the_workspace() -> None:
    def fail(**_signal: object) -> None:
        raise RuntimeError("listener")

    workspace_created.connect(fail)
    try:
        with pytest.raises(RuntimeError, match="listener"):
            create_workspace(name="Blue Fox", slug="blue-fox", owner=UserFactory.create())
    finally:
        workspace_created.disconnect(fail)
    assert not Workspace.objects.exists()


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Blue Fox GmbH", "blue-fox-gmbh"),
        ("Acme", "acme-2"),
        ("New", "new-2"),
        ("日本", "workspace"),
        ("x" * 90, "x" * 50),
    ],
)
def test_a_slug_comes_from_the_name_and_is_free(workspace: Workspace, name: str, slug: str) -> None:
    assert available_slug(name) == slug


def test_a_member_is_added_once(workspace: Workspace, owner: User) -> None:
    user = UserFactory.create()
    add_member(workspace=workspace, user=user, role=Role.ANALYST, by=owner)
    with pytest.raises(Conflict, match="already a member of Acme"):
        add_member(workspace=workspace, user=user, role=Role.OWNER, by=owner)
    assert workspace.memberships.get(user=user).role == Role.ANALYST
    assert _audited() == ["member.added"]


def test_the_last_owner_can_neither_leave_nor_step_down(workspace: Workspace, owner: User, admin: User) -> None:
    membership = workspace.memberships.get(user=owner)
    with pytest.raises(Conflict, match="needs an owner"):
        remove_member(membership=membership, by=owner)
    with pytest.raises(Conflict, match="needs an owner"):
        change_role(membership=membership, role=Role.VIEWER, by=owner)
    assert workspace.memberships.get(role=Role.OWNER).user == owner
    assert _audited() == []


def test_an_owner_can_leave_once_there_is_another(workspace: Workspace, owner: User, admin: User) -> None:
    change_role(membership=workspace.memberships.get(user=admin), role=Role.OWNER, by=owner)
    remove_member(membership=workspace.memberships.get(user=owner), by=owner)
    assert workspace.memberships.get().user == admin
    assert _audited() == ["member.role_changed", "member.removed"]
    assert AuditEvent.objects.get(action="member.role_changed").detail == {
        "changes": {"role": {"before": "admin", "after": "owner"}}
    }


@pytest.mark.parametrize("deed", [remove_member, partial(change_role, role=Role.VIEWER)])
def test_the_last_owner_is_told_by_the_database_and_not_by_what_was_read_before(
    workspace: Workspace, owner: User, admin: User, deed: Callable[..., None]
) -> None:
    read_before = workspace.memberships.get(user=admin)
    change_role(membership=workspace.memberships.get(user=admin), role=Role.OWNER, by=owner)
    remove_member(membership=workspace.memberships.get(user=owner), by=admin)
    with pytest.raises(Conflict, match="needs an owner"):
        deed(membership=read_before, by=admin)
    assert workspace.memberships.get().role == Role.OWNER


def test_a_member_who_has_left_cannot_be_changed(workspace: Workspace, owner: User, analyst: User) -> None:
    read_before = workspace.memberships.get(user=analyst)
    remove_member(membership=workspace.memberships.get(user=analyst), by=owner)
    with pytest.raises(NotFound, match="no longer a member"):
        change_role(membership=read_before, role=Role.ADMIN, by=owner)


def test_a_member_who_leaves_takes_their_keys_along(workspace: Workspace, owner: User, analyst: User) -> None:
    key, _ = create_api_key(workspace=workspace, created_by=analyst, name="ETL", scopes=["runs:read"])
    kept, _ = create_api_key(workspace=workspace, created_by=owner, name="BI", scopes=["runs:read"])
    remove_member(membership=workspace.memberships.get(user=analyst), by=owner)
    add_member(workspace=workspace, user=analyst, role=Role.ANALYST, by=owner)
    assert list(ApiKey.objects.filter(revoked_at=None)) == [kept]
    assert AuditEvent.objects.get(action="api_key.revoked").api_key == key


def test_a_slug_taken_in_the_same_moment_gives_way_to_the_next(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen_free = iter(["acme", "acme-2"])
    monkeypatch.setattr("accounts.actions.available_slug", lambda _name: next(seen_free))
    assert create_workspace(name="Acme", owner=UserFactory.create()).slug == "acme-2"


def test_a_plan_is_changed_with_a_trace(workspace: Workspace, owner: User) -> None:
    set_plan(workspace=workspace, plan="enterprise", by=owner)
    assert Workspace.objects.get().subscription.plan.code == "enterprise"
    assert _audited() == ["plan.changed"]
