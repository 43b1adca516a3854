"""Each member has a seat and each open invitation holds one; a smaller plan takes none away and gives no new one."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts import seats
from accounts.actions import add_member, remove_member, revoke_invitation, set_plan
from accounts.invitations import accept, invite, renew
from accounts.models import Invitation, Membership, Plan, Role, User, Workspace
from mmm_project.problems import Conflict, QuotaExceeded
from tests.factories import UserFactory, WorkspaceFactory

ClientFor = Callable[[User | None], Client]

pytestmark = pytest.mark.django_db


@pytest.fixture
def by(workspace: Workspace, owner: User) -> Membership:
    return workspace.memberships.get(user=owner)


def seats_of(workspace: Workspace, number: int | None) -> Workspace:
    """Give the workspace's plan this many seats."""
    Plan.objects.filter(subscriptions__workspace=workspace).update(max_members=number)
    return Workspace.objects.get(pk=workspace.pk)


def invited(workspace: Workspace, by: Membership, *addresses: str) -> list[Invitation]:
    return [invite(workspace=workspace, email=each, role=Role.VIEWER, by=by).invitation for each in addresses]


def test_members_and_open_invitations_take_the_seats_of_the_plan(workspace: Workspace, by: Membership) -> None:
    workspace = seats_of(workspace, 2)
    invited(workspace, by, "one@example.com")
    with pytest.raises(
        QuotaExceeded, match=r"has 2 seats for members and open invitations, and 2 are taken"
    ) as refusal:
        invited(workspace, by, "two@example.com")
    assert {name: refusal.value.as_json()[name] for name in ("code", "quota", "plan", "limit", "used")} == {
        "code": "quota_exceeded",
        "quota": "max_members",
        "plan": "starter",
        "limit": 2,
        "used": 2,
    }
    assert not Invitation.objects.filter(email="two@example.com").exists()


def test_the_refusal_names_the_cheapest_plan_that_has_room(workspace: Workspace, by: Membership) -> None:
    workspace = seats_of(workspace, 1)
    Plan.objects.filter(code="professional").update(max_members=1)
    Plan.objects.filter(code="enterprise").update(max_members=25)
    with pytest.raises(
        QuotaExceeded, match=r"The Enterprise plan includes 25: an owner .* Settings › Plan\."
    ) as refusal:
        invited(workspace, by, "one@example.com")
    assert refusal.value.members["unlocked_by"] == "enterprise"
    Plan.objects.update(max_members=1)
    with pytest.raises(QuotaExceeded, match="No plan at present includes more") as refusal:
        invited(workspace, by, "one@example.com")
    assert refusal.value.members["unlocked_by"] is None


def test_a_plan_without_a_limit_of_seats_has_room(workspace: Workspace, by: Membership) -> None:
    invited(workspace, by, *(f"{number}@example.com" for number in range(12)))


def test_nobody_is_added_beyond_the_seats(workspace: Workspace, by: Membership) -> None:
    workspace = seats_of(workspace, 2)
    (invitation,) = invited(workspace, by, "one@example.com")
    newcomer = UserFactory.create()
    with pytest.raises(QuotaExceeded):
        add_member(workspace=workspace, user=newcomer, role=Role.VIEWER, by=None)
    revoke_invitation(invitation=invitation, by=None)
    add_member(workspace=workspace, user=newcomer, role=Role.VIEWER, by=None)
    with pytest.raises(Conflict):  # not a matter of seats
        add_member(workspace=workspace, user=newcomer, role=Role.VIEWER, by=None)


def test_an_invitation_holds_the_seat_of_who_accepts_it(workspace: Workspace, by: Membership) -> None:
    workspace = seats_of(workspace, 2)
    (invitation,) = invited(workspace, by, "one@example.com")
    accept(invitation=invitation, user=UserFactory.create(email="one@example.com"))
    assert workspace.memberships.count() == 2


def test_an_expired_invitation_holds_no_seat_and_needs_one_to_be_sent_again(
    workspace: Workspace, by: Membership
) -> None:
    workspace = seats_of(workspace, 2)
    (expired,) = invited(workspace, by, "late@example.com")
    Invitation.objects.update(expires_at=timezone.now() - timedelta(days=1))
    (waiting,) = invited(workspace, by, "one@example.com")
    expired.refresh_from_db()
    with pytest.raises(QuotaExceeded):
        renew(invitation=expired, by=by)
    renew(invitation=waiting, by=by)  # holds its seat already
    revoke_invitation(invitation=waiting, by=None)
    renew(invitation=expired, by=by)


def test_after_a_downgrade_all_members_stay_and_none_comes(workspace: Workspace, by: Membership, analyst: User) -> None:
    set_plan(workspace=workspace, plan="professional", by=None)
    first, second = invited(Workspace.objects.get(pk=workspace.pk), by, "one@example.com", "two@example.com")
    Plan.objects.filter(code="starter").update(max_members=2)
    set_plan(workspace=workspace, plan="starter", by=None)
    assert workspace.memberships.count() == 2
    one = UserFactory.create(email="one@example.com")
    invitation = Invitation.objects.select_related("workspace").get(pk=first.pk)
    with pytest.raises(QuotaExceeded):
        accept(invitation=invitation, user=one)
    first.refresh_from_db()
    assert first.accepted_at is None
    # A member leaves: whoever comes first gets the seat, though another invitation is still open.
    remove_member(membership=workspace.memberships.get(user=analyst), by=None)
    accept(invitation=Invitation.objects.get(pk=first.pk), user=one)
    with pytest.raises(QuotaExceeded):
        accept(invitation=Invitation.objects.get(pk=second.pk), user=UserFactory.create(email="two@example.com"))


@pytest.mark.parametrize("way", ["invite", "add", "accept"])
def test_seats_are_counted_while_the_workspace_is_locked(
    workspace: Workspace, by: Membership, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two who take the last seat at once: the second counts when the first is done."""
    workspace = seats_of(workspace, 9)
    (invitation,) = invited(workspace, by, "one@example.com")
    steps: list[str] = []
    rows: Any = type(Workspace.objects.all())
    lock, require = rows.select_for_update, seats.require_free_seat

    def locking(*args: Any, **options: Any) -> Any:
        steps.append("lock")
        return lock(*args, **options)

    def requiring(*args: Any, **options: Any) -> None:
        steps.append("count")
        require(*args, **options)

    monkeypatch.setattr(rows, "select_for_update", locking)
    monkeypatch.setattr("accounts.actions.require_free_seat", requiring)
    monkeypatch.setattr("accounts.invitations.require_free_seat", requiring)
    match way:
        case "invite":
            invited(workspace, by, "two@example.com")
        case "add":
            add_member(workspace=workspace, user=UserFactory.create(), role=Role.VIEWER, by=None)
        case "accept":
            accept(invitation=invitation, user=UserFactory.create(email="one@example.com"))
    assert steps[0] == "lock"
    assert steps.index("lock") < steps.index("count")


def test_the_team_page_says_that_no_seat_is_left(workspace: Workspace, owner: User, client_for: ClientFor) -> None:
    seats_of(workspace, 1)
    response = client_for(owner).post("/w/acme/settings/team/", {"email": "one@example.com", "role": "viewer"})
    assert response.status_code == 422
    assert "has 1 seat for members and open invitations" in response.text


def test_the_team_page_counts_seats_where_they_are_limited(
    workspace: Workspace, by: Membership, client_for: ClientFor
) -> None:
    client = client_for(by.user)
    assert "taken" not in client.get("/w/acme/settings/team/").text
    seats_of(workspace, 3)
    invited(workspace, by, "one@example.com")
    assert "2 of 3 seats taken" in client.get("/w/acme/settings/team/").text


def test_whoever_accepts_too_late_is_told(workspace: Workspace, by: Membership, client_for: ClientFor) -> None:
    offer = invite(workspace=workspace, email="one@example.com", role=Role.VIEWER, by=by)
    seats_of(workspace, 1)
    response = client_for(UserFactory.create(email="one@example.com")).post(f"/accounts/invitations/{offer.token}/")
    assert response.status_code == 403
    assert "has 1 seat for members and open invitations, and 1 is taken" in response.text


def test_another_workspaces_members_take_no_seat(workspace: Workspace, by: Membership, outsider: User) -> None:
    other = seats_of(WorkspaceFactory.create(), 2)
    add_member(workspace=other, user=outsider, role=Role.VIEWER, by=None)
    invited(Workspace.objects.get(pk=workspace.pk), by, "one@example.com")
