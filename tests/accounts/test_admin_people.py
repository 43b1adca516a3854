"""What a site admin does for people: each on record where their workspaces' owners read it."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth.models import Group, Permission
from django.contrib.sessions.models import Session
from django.core import mail
from django.db.models import Model
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.api_key_actions import create_api_key
from accounts.invitations import invite
from accounts.models import AuditEvent, Membership, Role, User, Workspace
from tests import factories

pytestmark = pytest.mark.django_db
ClientFor = Callable[[User | None], Client]
PASSWORD = "correct horse battery"


@pytest.fixture
def root_user(db: None) -> User:
    return User.objects.create_superuser("root@example.com")


@pytest.fixture
def root(client_for: ClientFor, root_user: User) -> Client:
    return client_for(root_user)


def act(client: Client, action: str, row: Model, model: str = "accounts/user", **confirmed: str) -> str:
    """Press a button on the person's page, confirm where that is asked for, and return the page that follows."""
    form = {"action": action, "_selected_action": str(row.pk), "from_row": str(row.pk)}
    response = client.post(f"/admin/{model}/", form, follow=True)
    if 'name="confirmed"' in response.text:
        response = client.post(f"/admin/{model}/", form | {"confirmed": "yes"} | confirmed, follow=True)
    assert response.request["PATH_INFO"] == f"/admin/{model}/{row.pk}/change/"
    return str(response.text)


def the_event(action: str) -> AuditEvent:
    event = AuditEvent.objects.get(action=action)
    assert event.actor is not None
    assert event.actor.email == "root@example.com"
    return event


def test_a_deactivated_person_is_out_at_once_and_so_are_their_keys(
    root: Client, client_for: ClientFor, workspace: Workspace, owner: User
) -> None:
    theirs = client_for(owner)
    _, text = create_api_key(workspace=workspace, created_by=owner, name="ETL", scopes=["runs:read"])
    key = {"Authorization": f"Bearer {text}"}
    assert theirs.get("/w/acme/settings/team/").status_code == 200
    assert theirs.get("/api/v1/runs/", headers=key).status_code == 200
    act(root, "deactivate", owner)
    assert theirs.get("/w/acme/settings/team/").headers["Location"].startswith("/accounts/login/")
    assert client_for(None).get("/api/v1/runs/", headers=key).status_code == 401
    event = the_event("user.deactivated")
    assert (event.workspace, event.target) == (workspace, "owner@example.com")
    act(root, "reactivate", owner)
    assert User.objects.get(pk=owner.pk).is_active
    assert the_event("user.reactivated").workspace == workspace


def test_whoever_deactivates_a_last_owner_is_told_so(root: Client, workspace: Workspace, owner: User) -> None:
    form = {"action": "deactivate", "_selected_action": str(owner.pk)}
    assert "Nobody else is an owner of Acme." in root.post("/admin/accounts/user/", form).text
    factories.MembershipFactory.create(workspace=workspace, role=Role.OWNER)
    assert "Nobody else" not in root.post("/admin/accounts/user/", form).text


def test_nobody_deactivates_themselves(root: Client, root_user: User) -> None:
    assert "You cannot deactivate yourself." in act(root, "deactivate", root_user)
    assert User.objects.get(pk=root_user.pk).is_active
    assert not AuditEvent.objects.exists()


def test_sessions_end_everywhere_but_for_other_people(
    root: Client, client_for: ClientFor, workspace: Workspace, owner: User, viewer: User
) -> None:
    browsers, another = [client_for(owner), client_for(owner)], client_for(viewer)
    act(root, "end_sessions", owner)
    for browser in browsers:
        assert browser.get("/w/new/").headers["Location"].startswith("/accounts/login/")
    assert another.get("/w/new/").status_code == 200
    assert the_event("user.sessions_ended").detail == {"sessions": 2}
    assert Session.objects.count() == 2  # the site admin's and the other's


def test_a_link_for_a_new_password_is_mailed(root: Client, workspace: Workspace, owner: User) -> None:
    owner.set_password(PASSWORD)
    owner.save()
    act(root, "send_password_reset", owner)
    (message,) = mail.outbox
    assert message.to == ["owner@example.com"]
    assert "/accounts/password/reset/key/" in str(message.body)
    event = the_event("user.password_reset_sent")
    assert "key" not in str(event.detail)
    assert User.objects.get(pk=owner.pk).check_password(PASSWORD)  # until they choose another one


def test_a_mail_server_that_is_away_is_said_and_not_put_on_record(
    root: Client, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object, **_options: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", fail)
    assert "The mail server did not take the message." in act(root, "send_password_reset", owner)
    assert not AuditEvent.objects.exists()


def test_a_second_factor_is_reset_on_record_and_its_person_is_told(
    root: Client,
    workspace: Workspace,
    owner: User,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    TOTP.activate(owner, generate_totp_secret())
    RecoveryCodes.activate(owner)
    page = root.get(f"/admin/accounts/user/{owner.pk}/change/").text
    assert "TOTP Authenticator since" in page
    with django_capture_on_commit_callbacks(execute=True):
        act(root, "reset_second_factor", owner)
    assert not Authenticator.objects.exists()
    assert the_event("user.second_factor_reset").detail == {"factors": ["recovery_codes", "totp"]}
    (message,) = mail.outbox
    assert (message.to, message.subject) == (["owner@example.com"], "Your second factor was reset")
    assert "Nothing to do" in act(root, "reset_second_factor", owner)


def test_an_address_can_be_taken_for_confirmed_unless_it_is_anothers(root: Client, owner: User, viewer: User) -> None:
    address = EmailAddress.objects.create(user=owner, email="owner@example.com")
    act(root, "confirm", address, model="account/emailaddress")
    address.refresh_from_db()
    assert address.verified
    assert the_event("user.address_confirmed").detail == {"address": "owner@example.com"}
    taken = EmailAddress.objects.create(user=viewer, email="owner@example.com")
    page = act(root, "confirm", taken, model="account/emailaddress")
    assert "Somebody else has confirmed owner@example.com" in page


def _form(person: User, **changes: object) -> dict[str, Any]:
    return {
        "email": person.email,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "memberships-TOTAL_FORMS": 0,
        "memberships-INITIAL_FORMS": 0,
        **changes,
    }


def test_an_edit_of_a_person_is_on_record_with_before_and_after(
    root: Client, workspace: Workspace, owner: User
) -> None:
    support = Group.objects.create(name="Support")
    path = f"/admin/accounts/user/{owner.pk}/change/"
    form = _form(owner, first_name="Olga", is_staff="on", groups=[support.pk])
    assert root.post(path, form).status_code == 302
    changes = the_event("user.edited").detail["changes"]
    assert changes == {
        "first_name": {"before": "", "after": "Olga"},
        "is_staff": {"before": False, "after": True},
        "groups": {"before": [], "after": ["Support"]},
    }
    AuditEvent.objects.all()._raw_delete("default")
    root.post(path, form)
    assert not AuditEvent.objects.exists()


def test_with_a_new_address_the_old_one_signs_nobody_in(root: Client, client: Client, owner: User) -> None:
    owner.set_password(PASSWORD)
    owner.save()
    EmailAddress.objects.create(user=owner, email="owner@example.com", verified=True, primary=True)
    root.post(f"/admin/accounts/user/{owner.pk}/change/", _form(owner, email="New@Example.com"))
    assert User.objects.get(pk=owner.pk).email == "new@example.com"
    for login, signs_in in (("owner@example.com", False), ("new@example.com", True)):
        response = client.post("/accounts/login/", {"login": login, "password": PASSWORD})
        assert (response.status_code == 302) == signs_in


def test_a_person_who_is_added_is_on_record(root: Client) -> None:
    form = {"email": "new@example.com", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    root.post("/admin/accounts/user/add/", form)
    event = the_event("user.created")
    assert (event.workspace, event.target) == (None, "new@example.com")
    assert PASSWORD not in str(event.detail)


def test_nobody_sets_another_persons_password(root: Client, owner: User) -> None:
    for path in (f"/admin/accounts/user/{owner.pk}/password/", f"/admin/accounts/user/{owner.pk}/change/password/"):
        assert root.get(path, follow=True).request["PATH_INFO"] == "/admin/"  # there is no such page
    assert 'name="password' not in root.get(f"/admin/accounts/user/{owner.pk}/change/").text


@pytest.fixture
def staff(client_for: ClientFor) -> Client:
    """A site admin who may change people, and is no superuser."""
    user = factories.UserFactory.create(email="staff@example.com", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user"]))
    return client_for(user)


@pytest.mark.parametrize("action", ["deactivate", "end_sessions", "reset_second_factor", "send_password_reset"])
def test_about_site_admins_only_superusers_decide(staff: Client, root_user: User, action: str) -> None:
    assert "about whom only a superuser decides" in act(staff, action, root_user)
    assert User.objects.get(pk=root_user.pk).is_active
    assert not AuditEvent.objects.exists()


def test_who_is_no_superuser_makes_nobody_a_site_admin(staff: Client, owner: User, root_user: User) -> None:
    staff.post(f"/admin/accounts/user/{owner.pk}/change/", _form(owner, is_staff="on", is_superuser="on"))
    owner.refresh_from_db()
    assert (owner.is_staff, owner.is_superuser) == (False, False)
    assert staff.post(f"/admin/accounts/user/{root_user.pk}/change/", _form(root_user)).status_code == 403


def test_staff_without_the_right_to_change_people_are_offered_nothing(client_for: ClientFor, owner: User) -> None:
    user = factories.UserFactory.create(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_user"))
    client = client_for(user)
    assert "Deactivate" not in client.get(f"/admin/accounts/user/{owner.pk}/change/").text
    client.post("/admin/accounts/user/", {"action": "deactivate", "_selected_action": str(owner.pk), "confirmed": "y"})
    assert User.objects.get(pk=owner.pk).is_active


def test_groups_are_changed_on_record(root: Client) -> None:
    right = Permission.objects.get(codename="view_user")
    root.post("/admin/auth/group/add/", {"name": "Support", "permissions": [right.pk]})
    group = Group.objects.get()
    assert the_event("group.created").detail["changes"]["permissions"]["after"] == [str(right)]
    root.post(f"/admin/auth/group/{group.pk}/change/", {"name": "Helpers", "permissions": []})
    assert the_event("group.edited").detail["changes"]["name"] == {"before": "Support", "after": "Helpers"}
    root.post(f"/admin/auth/group/{group.pk}/delete/", {"post": "yes"})
    assert the_event("group.deleted").target == "Helpers"
    Group.objects.create(name="One more")
    chosen = {"action": "delete_selected", "_selected_action": str(Group.objects.get().pk), "post": "yes"}
    root.post("/admin/auth/group/", chosen)
    assert not Group.objects.exists()
    assert AuditEvent.objects.filter(action="group.deleted").count() == 2


def test_groups_are_for_superusers_as_others_could_give_themselves_every_right(client_for: ClientFor) -> None:
    user, group = factories.UserFactory.create(is_staff=True), Group.objects.create(name="Support")
    user.groups.add(group)
    rights = ["view_group", "add_group", "change_group", "delete_group"]
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client, every = client_for(user), list(Permission.objects.values_list("pk", flat=True))
    form, page = {"name": "Support", "permissions": every}, f"/admin/auth/group/{group.pk}"
    assert client.get(f"{page}/change/").status_code == 200
    for path in (f"{page}/change/", f"{page}/delete/", "/admin/auth/group/add/"):
        assert client.post(path, form | {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": str(group.pk), "post": "yes"}
    client.post("/admin/auth/group/", chosen)
    assert Group.objects.get() == group
    assert not group.permissions.exists()
    assert not AuditEvent.objects.exists()


def test_invitations_are_listed_and_revoked(root: Client, workspace: Workspace, owner: User) -> None:
    offer = invite(
        workspace=workspace,
        email="new@example.org",
        role=Role.VIEWER,
        by=Membership.objects.get(workspace=workspace, user=owner),
    )
    assert "open" in root.get("/admin/accounts/invitation/").text
    act(root, "revoke", offer.invitation, model="accounts/invitation")
    assert the_event("invitation.revoked").workspace == workspace
