"""Settings > Team: who sees whom, and who may do what about whom."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts import team
from accounts.api_key_actions import create_api_key
from accounts.models import AuditEvent, Membership, Role, User, Workspace
from mmm_project.problems import NotFound, NotPermitted
from tests.factories import MembershipFactory

ClientFor = Callable[[User | None], Client]
PAGE = "/w/acme/settings/team/"


def of(user: User) -> Membership:
    return Membership.objects.get(workspace__slug="acme", user=user)


def role_page(user: User) -> str:
    return f"{PAGE}{of(user).pk}/role/"


def remove_page(user: User) -> str:
    return f"{PAGE}{of(user).pk}/remove/"


def said(client: Client) -> str:
    """What the page of the team says next."""
    return client.get(PAGE).text


def test_everybody_sees_the_members_the_mightiest_first(
    client_for: ClientFor, owner: User, admin: User, analyst: User, viewer: User
) -> None:
    for user in (owner, admin, analyst, viewer):
        page = said(client_for(user))
        places = [page.index(f"{member.email}", page.index("<main")) for member in (owner, admin, analyst, viewer)]
        assert page.count(">You</span>") == 1
    assert places == sorted(places)


def test_who_may_not_manage_members_sees_no_controls(
    client_for: ClientFor, owner: User, analyst: User, viewer: User
) -> None:
    for user in (analyst, viewer):
        page = said(client_for(user))
        assert "Send invitation" not in page
        assert "Save role" not in page
        assert "/remove/" not in page
        assert "An owner or admin of the workspace can invite people" in page


def test_an_admin_has_no_controls_over_an_owner(client_for: ClientFor, owner: User, admin: User, viewer: User) -> None:
    page = said(client_for(admin))
    assert f"Role of {owner.email}" not in page
    assert remove_page(owner) not in page
    assert remove_page(viewer) in page
    assert remove_page(admin) not in page  # one leaves, one does not remove oneself
    assert '<option value="owner"' not in page


@pytest.mark.parametrize(
    ("actor", "target", "role", "is_done"),
    [
        ("owner", "viewer", Role.OWNER, True),
        ("owner", "admin", Role.VIEWER, True),
        ("owner", "owner", Role.ADMIN, False),  # the only one
        ("admin", "viewer", Role.ADMIN, True),
        ("admin", "analyst", Role.VIEWER, True),
        ("admin", "admin", Role.ANALYST, True),
        ("admin", "viewer", Role.OWNER, False),
        ("admin", "admin", Role.OWNER, False),
        ("admin", "owner", Role.VIEWER, False),
        ("admin", "owner", Role.OWNER, False),
    ],
)
def test_who_may_give_which_role_to_whom(
    client_for: ClientFor,
    request: pytest.FixtureRequest,
    actor: str,
    target: str,
    role: Role,
    is_done: bool,
) -> None:
    people = {name: request.getfixturevalue(name) for name in ("owner", "admin", "analyst", "viewer")}
    before = of(people[target]).role
    client = client_for(people[actor])
    assert client.post(role_page(people[target]), {"role": role.value}).headers["Location"] == PAGE
    assert of(people[target]).role == (role if is_done else before)
    assert AuditEvent.objects.filter(action="member.role_changed").count() == int(is_done)


def test_a_role_that_there_is_not_is_refused(client_for: ClientFor, owner: User, viewer: User) -> None:
    for given in ({"role": "king"}, {}):
        assert client_for(owner).post(role_page(viewer), given).status_code == 400
    assert of(viewer).role == Role.VIEWER


@pytest.mark.parametrize(
    ("actor", "target", "is_done"),
    [("owner", "admin", True), ("admin", "analyst", True), ("admin", "owner", False), ("owner", "owner", False)],
)
def test_who_may_remove_whom(
    client_for: ClientFor, request: pytest.FixtureRequest, actor: str, target: str, is_done: bool
) -> None:
    people = {name: request.getfixturevalue(name) for name in ("owner", "admin", "analyst")}
    client, path = client_for(people[actor]), remove_page(people[target])
    assert "?" in client.get(path).text
    assert client.post(path).headers["Location"] == PAGE
    assert Membership.objects.filter(user=people[target]).exists() != is_done
    assert AuditEvent.objects.filter(action="member.removed").count() == int(is_done)


@pytest.mark.parametrize("role", ["analyst", "viewer"])
def test_others_may_do_nothing_about_anybody(
    client_for: ClientFor, request: pytest.FixtureRequest, owner: User, role: str
) -> None:
    somebody = MembershipFactory.create(workspace=of(owner).workspace).user
    client = client_for(request.getfixturevalue(role))
    assert client.get(remove_page(somebody)).status_code == 403
    for path, data in ((remove_page(somebody), {}), (role_page(somebody), {"role": "viewer"}), (PAGE, {})):
        assert client.post(path, data).status_code == 403
    assert not AuditEvent.objects.exists()


def test_a_member_of_another_workspace_cannot_be_reached(client_for: ClientFor, owner: User, outsider: User) -> None:
    elsewhere = Membership.objects.get(user=outsider).pk
    client = client_for(owner)
    assert client.post(f"{PAGE}{elsewhere}/role/", {"role": "viewer"}).status_code == 404
    assert client.post(f"{PAGE}{elsewhere}/remove/").status_code == 404
    assert client.post(f"{PAGE}{10**30}/remove/").status_code == 404
    assert client_for(outsider).get(PAGE).status_code == 404
    assert client_for(outsider).post(role_page(owner), {"role": "viewer"}).status_code == 404


def test_whoever_is_removed_is_out_at_once_with_their_keys(client_for: ClientFor, owner: User, analyst: User) -> None:
    _, key = create_api_key(workspace=of(owner).workspace, created_by=analyst, name="ETL", scopes=["runs:read"])
    browser, program = client_for(analyst), Client(headers={"Authorization": f"Bearer {key}"})
    assert browser.get(PAGE).status_code == 200
    assert program.get("/api/v1/runs/").status_code == 200
    client_for(owner).post(remove_page(analyst))
    assert browser.get(PAGE).status_code == 404
    assert program.get("/api/v1/runs/").status_code == 401


def test_anybody_may_leave_but_the_last_owner(client_for: ClientFor, owner: User, viewer: User) -> None:
    client = client_for(viewer)
    assert "Leave Acme?" in client.get(f"{PAGE}leave/").text
    assert Membership.objects.filter(user=viewer).exists()
    assert client.post(f"{PAGE}leave/").headers["Location"] == "/"
    assert not Membership.objects.filter(user=viewer).exists()
    assert client.get("/").headers["Location"] == "/w/new/"
    last = client_for(owner)
    assert last.post(f"{PAGE}leave/").headers["Location"] == PAGE
    assert "A workspace needs an owner." in said(last)
    assert of(owner).role == Role.OWNER


def test_an_owner_hands_the_workspace_over_and_becomes_an_admin(
    client_for: ClientFor, owner: User, analyst: User
) -> None:
    client = client_for(owner)
    assert analyst.email in client.get(f"{PAGE}transfer/").text
    response = client.post(f"{PAGE}transfer/", {"member": of(analyst).pk})
    assert response.headers["Location"] == PAGE
    assert (of(analyst).role, of(owner).role) == (Role.OWNER, Role.ADMIN)
    assert AuditEvent.objects.get(action="workspace.transferred").target == analyst.email
    assert client.get(f"{PAGE}transfer/").status_code == 403


def test_a_workspace_is_handed_to_a_member_only(
    client_for: ClientFor, owner: User, analyst: User, outsider: User
) -> None:
    client = client_for(owner)
    for member in (Membership.objects.get(user=outsider).pk, of(owner).pk, "x", ""):
        assert client.post(f"{PAGE}transfer/", {"member": member}).status_code == 422
    assert of(owner).role == Role.OWNER
    assert client_for(analyst).post(f"{PAGE}transfer/", {"member": of(analyst).pk}).status_code == 403


def test_an_owner_alone_has_nobody_to_transfer_to(client_for: ClientFor, owner: User) -> None:
    assert "Nobody to transfer it to" in client_for(owner).get(f"{PAGE}transfer/").text


def test_authority_is_that_of_now_and_not_of_when_the_page_was_opened(
    workspace: Workspace, owner: User, admin: User, analyst: User
) -> None:
    read_before = of(admin)
    team.change_role(membership=of(admin), role=Role.VIEWER, by=of(owner))
    with pytest.raises(NotPermitted, match="Only an owner or admin"):
        team.remove(membership=of(analyst), by=read_before)
    team.remove(membership=of(admin), by=of(owner))
    with pytest.raises(NotFound, match="no longer a member"):
        team.change_role(membership=of(analyst), role=Role.ADMIN, by=read_before)
    assert of(analyst).role == Role.ANALYST


def test_the_role_of_the_other_is_that_of_now_too(workspace: Workspace, owner: User, admin: User, viewer: User) -> None:
    read_before = of(viewer)
    team.change_role(membership=of(viewer), role=Role.OWNER, by=of(owner))
    with pytest.raises(NotPermitted, match="owner"):
        team.remove(membership=read_before, by=of(admin))
    assert of(viewer).role == Role.OWNER


@pytest.mark.parametrize("path", ["{}role/", "../invitations/1/send/", "invitations/1/revoke/"])
def test_what_changes_something_takes_no_get(client_for: ClientFor, owner: User, path: str) -> None:
    where = path.format(f"{of(owner).pk}/").removeprefix("../")
    assert client_for(owner).get(f"{PAGE}{where}").status_code == 405
