"""Invitations: whom one may invite, the mail and the link, and who gets in by it."""

import datetime as dt
import re
from collections.abc import Callable
from html import unescape

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.exceptions import ValidationError
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client
from pytest_django.fixtures import Settings

from accounts import invitations, team
from accounts.invitations import LIFETIME, OPEN_AT_ONCE, SENT_A_DAY, accept, clean_address, invite, renew
from accounts.models import AuditEvent, Invitation, Membership, Role, User, Workspace
from mmm_project.problems import Conflict, Invalid, NotPermitted
from tests.factories import MembershipFactory, UserFactory

ClientFor = Callable[[User | None], Client]
PAGE = "/w/acme/settings/team/"
PASSWORD = "a long enough password"


def of(user: User) -> Membership:
    return Membership.objects.get(workspace__slug="acme", user=user)


def link_in(text: object) -> str:
    (link,) = re.findall(r"http://testserver(/accounts/invitations/[\w-]{43}/)", str(text))
    return str(link)


def offer(by: User, email: str = "new@example.com", role: Role = Role.ANALYST) -> invitations.Offer:
    return invite(workspace=of(by).workspace, email=email, role=role, by=of(by))


def path_of(offered: invitations.Offer) -> str:
    return f"/accounts/invitations/{offered.token}/"


# --- Inviting ---


def test_an_invitation_is_mailed_with_a_link_that_is_shown_once_and_stored_nowhere(
    client_for: ClientFor, owner: User
) -> None:
    client = client_for(owner)
    response = client.post(PAGE, {"email": "New.Person@Example.com", "role": "analyst"})
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    (message,) = mail.outbox
    assert (message.to, message.subject) == (["new.person@example.com"], "Invitation to Acme")
    assert "owner@example.com invites you to the workspace “Acme”" in message.body
    assert link_in(message.body) == link_in(response.text)
    token = link_in(message.body).split("/")[-2]
    stored = Invitation.objects.values().get()
    assert stored["expires_at"] - stored["created_at"] == pytest.approx(LIFETIME, abs=dt.timedelta(seconds=5))
    assert token not in str(stored)
    assert token not in client.get(PAGE).text
    event = AuditEvent.objects.get(action="invitation.sent")
    assert (event.actor, event.target, event.detail["role"]) == (owner, "new.person@example.com", "analyst")
    assert token not in str(event.detail)


@pytest.mark.parametrize(
    ("email", "sentence"),
    [
        ("", "This field is required."),
        ("nobody", "Enter a valid email address."),
        ("a@b.example, c@d.example", "one address at a time"),
        ("a@b.example;c@d.example", "one address at a time"),
        ('"a@b.example, c"@d.example', "one address at a time"),
        ("a@b.example c@d.example", "one address at a time"),
        ("a@b.example\r\nBcc: c@d.example", "one address at a time"),
        ("a@b.example\n", "neither spaces nor line breaks"),
        ("a\r\n@b.example", "neither spaces nor line breaks"),
        ("a\u2028b@c.example", "neither spaces nor line breaks"),
        ("a@b.example\0", "Null characters are not allowed."),
        ("a@" + "ü" * 80 + ".example", "Enter a valid email address."),
        ("x" * 250 + "@b.example", "at most 254 characters"),
    ],
)
def test_a_bad_address_is_refused_and_nothing_is_sent(
    client_for: ClientFor, owner: User, email: str, sentence: str
) -> None:
    response = client_for(owner).post(PAGE, {"email": email, "role": "viewer"})
    assert response.status_code == 422
    assert sentence in response.text
    assert not mail.outbox
    assert not Invitation.objects.exists()
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        (" Ann@Example.COM ", "ann@example.com"),
        ("jörg@müller.example", "jörg@xn--mller-kva.example"),
        ("ann@XN--MLLER-KVA.example", "ann@xn--mller-kva.example"),
    ],
)
def test_an_address_has_one_form(typed: str, address: str) -> None:
    try:
        assert clean_address(typed) == address
    except ValidationError:
        assert not typed.isascii()  # Django takes no umlaut before the @
        assert clean_address(typed.replace("ö", "o")) == address.replace("ö", "o")


@pytest.mark.parametrize(
    ("actor", "role", "status"), [("owner", "owner", 200), ("admin", "admin", 200), ("admin", "owner", 422)]
)
def test_nobody_invites_above_their_own_role(
    client_for: ClientFor, request: pytest.FixtureRequest, actor: str, role: str, status: int
) -> None:
    client = client_for(request.getfixturevalue(actor))
    assert client.post(PAGE, {"email": "new@example.com", "role": role}).status_code == status
    assert Invitation.objects.count() == int(status == 200)


def test_the_role_is_looked_at_behind_the_page_too(workspace: Workspace, admin: User, analyst: User) -> None:
    with pytest.raises(NotPermitted, match="owner"):
        offer(admin, role=Role.OWNER)
    with pytest.raises(NotPermitted, match="Only an owner or admin"):
        offer(analyst, role=Role.VIEWER)


@pytest.mark.parametrize("role", ["analyst", "viewer"])
def test_others_invite_nobody_and_see_no_invitation(
    client_for: ClientFor, request: pytest.FixtureRequest, owner: User, role: str
) -> None:
    invited = offer(owner).invitation
    client = client_for(request.getfixturevalue(role))
    assert invited.email not in client.get(PAGE).text
    assert client.post(PAGE, {"email": "x@example.com", "role": "viewer"}).status_code == 403
    for deed in ("send", "revoke"):
        assert client.post(f"{PAGE}invitations/{invited.pk}/{deed}/").status_code == 403
    assert Invitation.objects.get().revoked_at is None


def test_a_member_is_not_invited_however_the_address_is_written(
    client_for: ClientFor, owner: User, workspace: Workspace
) -> None:
    MembershipFactory.create(workspace=workspace, user=UserFactory.create(email="ann@müller.example"))
    for email in ("OWNER@example.com", "ann@xn--mller-kva.example", "ann@Müller.example"):
        response = client_for(owner).post(PAGE, {"email": email, "role": "viewer"})
        assert response.status_code == 422
        assert "is already a member of Acme." in response.text
    assert not mail.outbox


def test_a_second_invitation_of_the_same_address_is_refused_while_one_is_open(
    client_for: ClientFor, owner: User
) -> None:
    offer(owner)
    response = client_for(owner).post(PAGE, {"email": "NEW@example.com", "role": "viewer"})
    assert response.status_code == 422
    assert "has been invited already" in response.text


def test_an_expired_invitation_gives_way_to_a_new_one(owner: User) -> None:
    with time_machine.travel(dt.datetime.now(dt.UTC) - LIFETIME - dt.timedelta(seconds=1)):
        old = offer(owner)
    new = offer(owner, role=Role.VIEWER)
    assert invitations.standing_of(Invitation.objects.get(pk=old.invitation.pk)) is invitations.Standing.REVOKED
    assert invitations.standing_of(new.invitation) is invitations.Standing.OPEN


def test_only_so_many_are_open_at_once(client_for: ClientFor, owner: User) -> None:
    for number in range(OPEN_AT_ONCE):
        offer(owner, f"person{number}@example.org")
    response = client_for(owner).post(PAGE, {"email": "new@example.com", "role": "viewer"})
    assert response.status_code == 422
    assert f"{OPEN_AT_ONCE} invitations are open at most" in response.text
    client_for(owner).post(f"{PAGE}invitations/{Invitation.objects.latest('pk').pk}/revoke/")
    assert client_for(owner).post(PAGE, {"email": "new@example.com", "role": "viewer"}).status_code == 200


def test_only_so_many_are_sent_a_day_the_same_one_again_included(client_for: ClientFor, owner: User) -> None:
    invited = offer(owner).invitation
    for _ in range(SENT_A_DAY - 1):
        renew(invitation=invited, by=of(owner))
    before = Invitation.objects.values().get()
    client = client_for(owner)
    client.post(f"{PAGE}invitations/{invited.pk}/send/")
    assert f"has sent {SENT_A_DAY} invitations within a day" in client.get(PAGE).text
    assert Invitation.objects.values().get() == before
    assert not mail.outbox
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(days=1, seconds=1)):
        renew(invitation=invited, by=of(owner))


def test_without_a_mail_server_the_page_says_so_and_shows_the_link(
    client_for: ClientFor, owner: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise ConnectionRefusedError

    monkeypatch.setattr(EmailBackend, "send_messages", refuse)
    response = client_for(owner).post(PAGE, {"email": "new@example.com", "role": "viewer"})
    assert "The mail could not be sent" in response.text
    assert link_in(response.text)
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    response = client_for(owner).post(PAGE, {"email": "other@example.com", "role": "viewer"})
    assert "The mail could not be sent" in response.text


def test_a_workspace_with_line_breaks_in_its_name_writes_no_header_and_no_text_of_its_own(owner: User) -> None:
    Workspace.objects.update(name="Acme\r\nBcc: everybody@example.com\n\nClick here")
    invitations.send(offer=offer(owner), link="http://testserver/")
    (message,) = mail.outbox
    assert message.subject == "Invitation to Acme Bcc: everybody@example.com Click here"
    assert "“Acme Bcc: everybody@example.com Click here”" in message.body
    assert message.message()["Bcc"] is None


# --- Sending again, and taking back ---


def test_sending_again_makes_a_new_link_for_another_week_and_ends_the_old_one(
    client_for: ClientFor, owner: User
) -> None:
    with time_machine.travel(dt.datetime.now(dt.UTC) - LIFETIME - dt.timedelta(days=1)):
        old = offer(owner)
    response = client_for(owner).post(f"{PAGE}invitations/{old.invitation.pk}/send/")
    new_link = link_in(response.text)
    assert link_in(mail.outbox[0].body) == new_link
    assert Client().get(path_of(old)).status_code == 404
    assert Client().get(new_link).status_code == 200


def test_an_admin_does_not_send_the_invitation_of_an_owner_again(
    client_for: ClientFor, owner: User, admin: User
) -> None:
    invited = offer(owner, role=Role.OWNER)
    client = client_for(admin)
    client.post(f"{PAGE}invitations/{invited.invitation.pk}/send/")
    assert "Your role does not allow you" in client.get(PAGE).text
    assert Client().get(path_of(invited)).status_code == 200


def test_an_invitation_that_was_taken_back_lets_nobody_in(client_for: ClientFor, owner: User) -> None:
    invited = offer(owner)
    newcomer = UserFactory.create(email="new@example.com")
    client_for(owner).post(f"{PAGE}invitations/{invited.invitation.pk}/revoke/")
    for response in (client_for(newcomer).get(path_of(invited)), client_for(newcomer).post(path_of(invited))):
        assert response.status_code == 410
        assert "This invitation was taken back" in response.text
    assert not Membership.objects.filter(user=newcomer).exists()
    assert AuditEvent.objects.filter(action="invitation.revoked").count() == 1
    for deed in ("send", "revoke"):
        assert client_for(owner).post(f"{PAGE}invitations/{invited.invitation.pk}/{deed}/").status_code == 404


def test_the_invitations_of_another_workspace_cannot_be_reached(
    client_for: ClientFor, owner: User, outsider: User
) -> None:
    invited = offer(owner).invitation
    for deed in ("send", "revoke"):
        path = f"/w/elsewhere/settings/team/invitations/{invited.pk}/{deed}/"
        assert client_for(outsider).post(path).status_code == 404
    assert Invitation.objects.get().revoked_at is None


@pytest.mark.parametrize("role", [Role.ADMIN, Role.ANALYST, Role.VIEWER, None])
def test_what_somebody_may_no_longer_offer_is_taken_back(owner: User, role: Role | None) -> None:
    second = MembershipFactory.create(workspace=of(owner).workspace, role=Role.OWNER)
    offers = {invited: offer(second.user, f"{invited}@example.org", invited) for invited in (Role.OWNER, Role.VIEWER)}
    if role is None:
        team.remove(membership=of(second.user), by=of(owner))
    else:
        team.change_role(membership=of(second.user), role=role, by=of(owner))
    still_open = {Role(invitation.role) for invitation in invitations.open_invitations(of(owner).workspace)}
    assert still_open == ({Role.VIEWER} if role == Role.ADMIN else set())
    assert offers.keys() >= still_open


# --- Accepting ---


def test_whoever_is_invited_and_signed_in_joins_with_the_role(client_for: ClientFor, owner: User) -> None:
    invited = offer(owner, "New@Example.com", Role.ANALYST)
    newcomer = UserFactory.create(email="new@example.com")
    client = client_for(newcomer)
    assert "Join Acme" in client.get(path_of(invited)).text
    assert not Membership.objects.filter(user=newcomer).exists()
    assert client.post(path_of(invited)).headers["Location"] == "/w/acme/"
    assert of(newcomer).role == Role.ANALYST
    assert list(AuditEvent.objects.order_by("pk").values_list("action", "actor")) == [
        ("invitation.sent", owner.pk),
        ("invitation.accepted", newcomer.pk),
        ("member.added", owner.pk),
    ]
    # The link leads a member on, and nobody else anywhere.
    assert client.get(path_of(invited)).headers["Location"] == "/w/acme/"
    response = Client().get(path_of(invited))
    assert response.status_code == 410
    assert "This invitation has been used" in response.text


@pytest.mark.parametrize("verification", ["optional", "mandatory"])
def test_a_newcomer_signs_up_on_the_way_and_joins(owner: User, settings: Settings, verification: str) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = verification
    invited = offer(owner)
    client = Client()
    page = client.get(path_of(invited)).text
    assert "owner@example.com invites you to this workspace, as analyst." in unescape(page)
    (signup,) = re.findall(r'href="(/accounts/signup/[^"]*)"', page)
    form = client.get(unescape(signup)).text
    assert 'value="new@example.com"' in form
    (back,) = re.findall(r'name="next" value="([^"]*)"', form)
    assert back == path_of(invited)
    response = client.post(
        "/accounts/signup/",
        {"email": "new@example.com", "password1": PASSWORD, "password2": PASSWORD, "next": back},
    )
    if verification == "mandatory":
        (confirmation,) = re.findall(r"http://testserver(\S*confirm-email\S*)", str(mail.outbox[-1].body))
        response = client.post(confirmation)
        response = client.post(response.headers["Location"], {"login": "new@example.com", "password": PASSWORD})
        assert response.headers["Location"] == "/"
        response = client.get("/")
    assert response.headers["Location"] == path_of(invited)
    assert client.post(path_of(invited)).headers["Location"] == "/w/acme/"
    assert of(User.objects.get(email="new@example.com")).role == Role.ANALYST


def test_somebody_with_an_account_signs_in_on_the_way(owner: User) -> None:
    invited = offer(owner)
    User.objects.create_user("new@example.com", PASSWORD)
    client = Client()
    (login,) = re.findall(r'href="(/accounts/login/[^"]*)"', client.get(path_of(invited)).text)
    (back,) = re.findall(r'name="next" value="([^"]*)"', client.get(unescape(login)).text)
    response = client.post("/accounts/login/", {"login": "new@example.com", "password": PASSWORD, "next": back})
    assert response.headers["Location"] == path_of(invited)


def test_an_invitation_that_one_has_seen_and_left_does_not_come_back(client_for: ClientFor, owner: User) -> None:
    invited = offer(owner)
    client = Client()
    client.get(path_of(invited))
    client.force_login(UserFactory.create(email="another@example.com"))
    assert client.get("/").headers["Location"] == path_of(invited)
    assert "you are signed in as another@example.com" in client.get(path_of(invited)).text
    assert client.get("/").headers["Location"] == "/w/new/"


def test_accepting_takes_somebody_who_is_signed_in(owner: User) -> None:
    invited = offer(owner)
    response = Client().post(path_of(invited))
    assert response.status_code == 200
    assert "Create an account" in response.text
    assert invitations.standing_of(Invitation.objects.get()) is invitations.Standing.OPEN


def test_the_invitation_of_somebody_else_is_explained_and_does_not_work(
    client_for: ClientFor, owner: User, outsider: User
) -> None:
    invited = offer(owner)
    client = client_for(outsider)
    page = client.get(path_of(invited)).text
    assert "The invitation is for new@example.com, and you are signed in as outsider@example.com." in page
    assert "Join the workspace" not in page
    assert client.post(path_of(invited)).status_code == 403
    assert not Membership.objects.filter(user=outsider, workspace__slug="acme").exists()
    assert invitations.standing_of(Invitation.objects.get()) is invitations.Standing.OPEN


@pytest.mark.parametrize("is_verified", [True, False])
def test_another_address_of_ones_own_counts_once_it_is_verified(owner: User, outsider: User, is_verified: bool) -> None:
    EmailAddress.objects.create(user=outsider, email="new@example.com", verified=is_verified)
    assert invitations.is_for(offer(owner).invitation, outsider) == is_verified


def test_a_domain_of_other_letters_is_the_same_in_both_ways_to_write_it(owner: User) -> None:
    invited = offer(owner, "ann@Müller.example")
    assert invited.invitation.email == "ann@xn--mller-kva.example"
    newcomer = UserFactory.create(email="ann@müller.example")
    accept(invitation=invited.invitation, user=newcomer)
    assert of(newcomer).role == Role.ANALYST


def test_an_invitation_ends_after_a_week(client_for: ClientFor, owner: User) -> None:
    invited = offer(owner)
    newcomer = UserFactory.create(email="new@example.com")
    expires_at = invited.invitation.expires_at
    with time_machine.travel(expires_at - dt.timedelta(seconds=1), tick=False):
        assert Client().get(path_of(invited)).status_code == 200
    with time_machine.travel(expires_at, tick=False):
        response = client_for(newcomer).get(path_of(invited))
        assert response.status_code == 410
        assert "This invitation has expired" in response.text
        with pytest.raises(Conflict, match="expired"):
            accept(invitation=invited.invitation, user=newcomer)
    assert not Membership.objects.filter(user=newcomer).exists()


def test_an_invitation_works_once(owner: User) -> None:
    invited = offer(owner)
    newcomer = UserFactory.create(email="new@example.com")
    accept(invitation=invited.invitation, user=newcomer)
    team.remove(membership=of(newcomer), by=of(owner))
    with pytest.raises(Conflict, match="accepted or revoked"):
        accept(invitation=invited.invitation, user=newcomer)
    assert not Membership.objects.filter(user=newcomer).exists()


def test_a_member_who_was_added_meanwhile_keeps_their_role(owner: User) -> None:
    invited = offer(owner, role=Role.ADMIN)
    newcomer = UserFactory.create(email="new@example.com")
    MembershipFactory.create(workspace=of(owner).workspace, user=newcomer, role=Role.VIEWER)
    with pytest.raises(Conflict, match="already a member"):
        accept(invitation=invited.invitation, user=newcomer)
    assert of(newcomer).role == Role.VIEWER
    with pytest.raises(Conflict, match="already a member"):
        renew(invitation=invited.invitation, by=of(owner))


@pytest.mark.parametrize("token", ["abc", "x" * 43, "%00", "ü", "x" * 5000])
def test_a_link_of_nothing_says_so(db: None, token: str) -> None:
    response = Client().get(f"/accounts/invitations/{token}/")
    assert response.status_code == 404
    assert "There is no such invitation" in response.text


def test_a_workspace_full_of_open_invitations_is_told_to_wait_by_the_domain_as_well(owner: User) -> None:
    for number in range(OPEN_AT_ONCE):
        offer(owner, f"person{number}@example.org")
    with pytest.raises(Invalid, match="open at most"):
        offer(owner)
