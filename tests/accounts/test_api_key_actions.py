"""API keys: who may create which, how one takes over from another, what ends them, what the audit log keeps."""

import uuid
from datetime import datetime, timedelta

import pytest
import time_machine
from django.utils import timezone as clock

from accounts.actions import change_role, remove_member
from accounts.api_key_actions import create_api_key, revoke_api_key, rotate_api_key
from accounts.models import ApiKey, AuditEvent, Membership, Role, User, Workspace
from accounts.scopes import Scope
from mmm_project.problems import Conflict, Invalid, NotPermitted
from tests.factories import MembershipFactory, UserFactory

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def audited() -> list[str]:
    return list(AuditEvent.objects.order_by("id").values_list("action", flat=True))


@pytest.fixture
def key(workspace: Workspace, owner: User) -> ApiKey:
    """A key that may write, and ends 90 days after its creation."""
    in_90_days = clock.now() + 90 * DAY
    scopes = ["runs:read", "runs:write"]
    return create_api_key(workspace=workspace, created_by=owner, name="ETL", scopes=scopes, expires_at=in_90_days)[0]


# --- Creating ---


def test_a_key_is_told_once_and_kept_as_a_hash(workspace: Workspace, owner: User) -> None:
    key, text = create_api_key(workspace=workspace, created_by=owner, name="ETL", scopes=["runs:write", "runs:read"])
    prefix, lookup, secret = text.split("_", 2)
    assert (prefix, lookup, len(secret)) == ("mmm", key.lookup, 43)
    kept = ApiKey.objects.get()
    assert len(kept.digest) == 32
    assert secret.encode() not in bytes(kept.digest)
    assert (kept.last4, kept.scopes) == (text[-4:], ["runs:read", "runs:write"])
    event = AuditEvent.objects.get(action="api_key.created")
    assert secret not in f"{event.target} {event.detail}"


@pytest.mark.parametrize(
    ("role", "scopes", "is_allowed"),
    [
        (Role.OWNER, Scope.values, True),
        (Role.ADMIN, Scope.values, True),
        (Role.ANALYST, ["runs:read", "attribution:read"], True),
        (Role.ANALYST, ["runs:read", "runs:write"], False),
        (Role.ANALYST, ["runs:read", "audit:read"], False),
        (Role.VIEWER, ["runs:read"], False),
    ],
)
def test_who_may_create_which_key(workspace: Workspace, role: Role, scopes: list[str], is_allowed: bool) -> None:
    user = UserFactory.create()
    Membership.objects.create(workspace=workspace, user=user, role=role)
    if is_allowed:
        create_api_key(workspace=workspace, created_by=user, name="k", scopes=scopes)
    else:
        with pytest.raises(NotPermitted, match=role.label):
            create_api_key(workspace=workspace, created_by=user, name="k", scopes=scopes)
    assert ApiKey.objects.exists() == is_allowed


def test_somebody_else_cannot_have_a_key_to_the_workspace(workspace: Workspace) -> None:
    stranger = UserFactory.create(email="stranger@example.com")
    with pytest.raises(NotPermitted, match=r"stranger@example\.com is not a member of Acme"):
        create_api_key(workspace=workspace, created_by=stranger, name="k", scopes=["runs:read"])


@pytest.mark.parametrize("scopes", [[], ["runs:read", "everything"]])
def test_a_key_needs_scopes_that_exist(workspace: Workspace, owner: User, scopes: list[str]) -> None:
    with pytest.raises(Invalid, match="The scopes are: attribution:read, ") as refusal:
        create_api_key(workspace=workspace, created_by=owner, name="k", scopes=scopes)
    assert list(refusal.value.errors) == ["scopes"]


@pytest.mark.parametrize("name", ["", "  ", "x" * 101])
def test_a_key_needs_a_name_that_can_be_kept(workspace: Workspace, owner: User, name: str) -> None:
    with pytest.raises(Invalid, match="needs a name") as refusal:
        create_api_key(workspace=workspace, created_by=owner, name=name, scopes=["runs:read"])
    assert list(refusal.value.errors) == ["name"]


def test_a_key_cannot_have_expired_already(workspace: Workspace, owner: User) -> None:
    with pytest.raises(Invalid, match="in the future"):
        create_api_key(
            workspace=workspace,
            created_by=owner,
            name="k",
            scopes=["runs:read"],
            expires_at=clock.now() - timedelta(seconds=1),
        )


def test_what_is_sent_twice_makes_one_key(workspace: Workspace, owner: User) -> None:
    key_id = uuid.uuid4()
    create_api_key(workspace=workspace, created_by=owner, name="k", scopes=["runs:read"], key_id=key_id)
    with pytest.raises(Conflict, match="shown only once"):
        create_api_key(workspace=workspace, created_by=owner, name="k", scopes=["runs:read"], key_id=key_id)
    assert ApiKey.objects.get().pk == key_id
    assert audited() == ["api_key.created"]


# --- Revoking ---


def test_revoking_a_key_twice_leaves_one_trace(key: ApiKey, owner: User) -> None:
    assert revoke_api_key(key=key, by=owner)
    first_time = key.revoked_at
    assert not revoke_api_key(key=key, by=owner)
    assert key.revoked_at == first_time is not None
    assert audited() == ["api_key.created", "api_key.revoked"]


# --- Rotating ---


def rotated(key: ApiKey, by: User, overlap: timedelta = DAY) -> ApiKey:
    return rotate_api_key(key=key, overlap=overlap, by=by)[0]


def test_a_new_key_takes_over_and_the_old_one_ends_after_the_overlap(key: ApiKey, owner: User) -> None:
    later = clock.now() + 10 * DAY
    with time_machine.travel(later, tick=False):
        successor, text = rotate_api_key(key=key, overlap=DAY, by=owner)
        now = clock.now()
    kept = ApiKey.objects.get(pk=key.pk)
    assert (kept.expires_at, kept.revoked_at) == (now + DAY, None)
    assert (successor.name, successor.scopes, successor.rotated_from) == ("ETL", ["runs:read", "runs:write"], key)
    assert text.startswith(f"mmm_{successor.lookup}_")
    assert successor.lookup != key.lookup


def test_the_new_key_lives_as_long_as_the_old_one_was_to(key: ApiKey, owner: User) -> None:
    assert key.expires_at is not None
    lifetime = key.expires_at - key.created_at
    with time_machine.travel(clock.now() + 10 * DAY, tick=False):
        successor = rotated(key, owner)
        assert successor.expires_at == clock.now() + lifetime


def test_the_lifetime_stays_the_same_from_rotation_to_rotation(key: ApiKey, owner: User) -> None:
    lifetimes: list[timedelta] = []
    last = key
    for days in (10, 20, 30):
        with time_machine.travel(clock.now() + days * DAY, tick=False):
            last = rotated(last, owner)
            assert last.expires_at is not None
            lifetimes.append(last.expires_at - last.created_at)
    assert {round(lifetime / DAY, 3) for lifetime in lifetimes} == {90}


def test_a_key_without_an_end_gives_way_to_another_one_without(workspace: Workspace, owner: User) -> None:
    key, _ = create_api_key(workspace=workspace, created_by=owner, name="k", scopes=["runs:read"])
    assert rotated(key, owner).expires_at is None
    assert ApiKey.objects.get(pk=key.pk).expires_at is not None


def test_rotating_at_once_ends_the_old_key_at_once(key: ApiKey, owner: User) -> None:
    with time_machine.travel(clock.now(), tick=False):
        rotated(key, owner, timedelta())
        assert ApiKey.objects.get(pk=key.pk).expires_at == clock.now()


def test_an_overlap_never_lengthens_a_life(key: ApiKey, owner: User) -> None:
    expires_at = key.expires_at
    assert expires_at is not None
    with time_machine.travel(expires_at - timedelta(hours=1), tick=False):
        rotated(key, owner, 7 * DAY)
    assert ApiKey.objects.get(pk=key.pk).expires_at == expires_at


@pytest.mark.parametrize(
    ("revoked_at", "expires_at", "why"),
    [
        (clock.now() - DAY, None, "was revoked, so there is nothing to take over. Create a new key instead."),
        (None, clock.now() - DAY, "has expired, so there is nothing to take over. Create a new key instead."),
    ],
)
def test_a_key_that_has_ended_is_not_rotated(
    key: ApiKey, owner: User, revoked_at: datetime | None, expires_at: datetime | None, why: str
) -> None:
    ApiKey.objects.filter(pk=key.pk).update(revoked_at=revoked_at, expires_at=expires_at)
    with pytest.raises(Conflict) as refusal:
        rotated(key, owner)
    assert refusal.value.detail == f"{key} {why}"
    assert ApiKey.objects.count() == 1


def test_a_key_is_rotated_once_and_then_its_successor(key: ApiKey, owner: User) -> None:
    successor = rotated(key, owner)
    ended_at = ApiKey.objects.get(pk=key.pk).expires_at
    with pytest.raises(Conflict) as refusal:
        rotated(key, owner, 7 * DAY)
    assert refusal.value.detail.startswith(f"{key} has been rotated already. Rotate the key that took over from it, ")
    assert str(successor) in refusal.value.detail
    assert ApiKey.objects.get(pk=key.pk).expires_at == ended_at
    assert rotated(successor, owner).rotated_from == successor


def test_who_rotates_somebody_elses_key_has_one_of_their_own(key: ApiKey, owner: User, admin: User) -> None:
    successor = rotated(key, admin)
    assert (key.created_by, successor.created_by) == (owner, admin)


@pytest.mark.parametrize("role", [Role.ANALYST, Role.VIEWER])
def test_who_could_not_create_a_key_does_not_get_it_by_rotating(key: ApiKey, owner: User, role: Role) -> None:
    MembershipFactory.create(workspace=key.workspace, role=Role.OWNER)
    change_role(membership=key.workspace.memberships.get(user=owner), role=role, by=None)
    expires_at = key.expires_at
    with pytest.raises(NotPermitted, match=role.label):
        rotated(key, owner)
    assert ApiKey.objects.get().expires_at == expires_at


def test_who_has_left_does_not_rotate(key: ApiKey, owner: User) -> None:
    MembershipFactory.create(workspace=key.workspace, role=Role.OWNER)
    membership = key.workspace.memberships.get(user=owner)
    ApiKey.objects.filter(pk=key.pk).update(created_by=key.workspace.memberships.exclude(pk=membership.pk).get().user)
    remove_member(membership=membership, by=None)
    with pytest.raises(NotPermitted, match="is not a member"):
        rotated(key, owner)


def test_rotating_leaves_a_trace_of_both_keys_and_no_secret(key: ApiKey, owner: User) -> None:
    before = key.expires_at
    assert before is not None
    successor, text = rotate_api_key(key=key, overlap=DAY, by=owner)
    assert audited() == ["api_key.created", "api_key.created", "api_key.rotated"]
    event = AuditEvent.objects.get(action="api_key.rotated")
    assert (event.actor, event.api_key, event.target) == (owner, key, str(key))
    assert event.detail["successor"] == str(successor)
    assert key.expires_at is not None
    expiries = {"before": before.isoformat(), "after": key.expires_at.isoformat()}
    assert event.detail["changes"] == {"expires_at": expiries}
    secret = text.split("_", 2)[2]  # in which there may be such signs, too
    assert not any(secret in f"{event.target} {event.detail}" for event in AuditEvent.objects.all())


def test_rotating_in_the_same_form_twice_makes_one_key(key: ApiKey, owner: User) -> None:
    key_id = uuid.uuid4()
    rotate_api_key(key=key, overlap=DAY, by=owner, key_id=key_id)
    with pytest.raises(Conflict):
        rotate_api_key(key=key, overlap=DAY, by=owner, key_id=key_id)
    assert ApiKey.objects.count() == 2
