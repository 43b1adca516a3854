"""Looking at the product as somebody else: a superuser, with a reason, on record, for a while, without a change."""

import datetime as dt
from collections.abc import Callable

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.contrib.sessions.models import Session
from django.db import transaction
from django.test import Client

from accounts import impersonation
from accounts.access import LAST_WORKSPACE
from accounts.actions import add_member
from accounts.api_key_actions import create_api_key
from accounts.audit import record
from accounts.models import AuditEvent, Membership, Role, User, Workspace
from mmm_project.problems import Conflict, Invalid, NotPermitted
from tests import factories

pytestmark = pytest.mark.django_db
ClientFor = Callable[[User | None], Client]
REASON = "Ticket 17: the dashboard is empty"
STOP = "/viewing-as/stop/"


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root@example.com")


@pytest.fixture
def root_client(client_for: ClientFor, root: User) -> Client:
    """The site admin's root_client."""
    return client_for(root)


def view_as(root_client: Client, person: User, reason: str = REASON) -> None:
    """Press “View as” on a person's page in the admin, and say why."""
    form = {"action": "view_as", "_selected_action": str(person.pk), "from_row": str(person.pk)}
    assert "Why?" in root_client.post("/admin/accounts/user/", form).text
    response = root_client.post("/admin/accounts/user/", form | {"confirmed": "yes", "reason": reason})
    assert response.headers["Location"] == "/"


@pytest.fixture
def viewing(root_client: Client, analyst: User) -> Client:
    """The site admin's browser while it views as the analyst."""
    view_as(root_client, analyst)
    return root_client


def events(action: str) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(action=action).order_by("pk"))


def test_the_product_looks_as_it_does_to_the_person(viewing: Client, workspace: Workspace) -> None:
    response = viewing.get("/", follow=True)
    assert response.request["PATH_INFO"] == "/w/acme/dashboard/"
    assert "analyst@example.com" in response.text
    team = viewing.get("/w/acme/settings/team/").text
    assert "Invite" not in team.partition("<main")[2]  # an analyst invites nobody
    assert viewing.get("/api/v1/runs/?workspace=acme").status_code == 200


def test_a_banner_on_every_page_says_so_and_leads_back(viewing: Client, analyst: User) -> None:
    for path in ("/w/acme/dashboard/", "/w/acme/data/", "/w/new/", "/w/nowhere/", "/accounts/email/", "/admin/"):
        page = viewing.get(path).text
        assert "You are viewing as <b>analyst@example.com</b>" in page, path
        assert f'action="{STOP}"' in page
    response = viewing.post(STOP)
    assert response.headers["Location"] == f"/admin/accounts/user/{analyst.pk}/change/"
    back = viewing.get(response.headers["Location"])
    assert back.status_code == 200  # the site admin is back in their own session
    assert "You are no longer viewing as analyst@example.com" in back.text
    assert "You are viewing as" not in viewing.get("/w/new/").text


def test_nobody_else_sees_a_banner(client_for: ClientFor, analyst: User) -> None:
    assert "viewing" not in client_for(analyst).get("/w/acme/dashboard/").text


def test_start_and_stop_are_on_record_in_every_workspace_of_the_person(
    root_client: Client, root: User, analyst: User, workspace: Workspace, outsider: User
) -> None:
    elsewhere = Workspace.objects.get(slug="elsewhere")
    add_member(workspace=elsewhere, user=analyst, role=Role.VIEWER, by=None)
    view_as(root_client, analyst)
    started = events("impersonation.started")
    assert [event.workspace for event in started] == [workspace, elsewhere]
    assert {(event.actor, event.target, event.detail["reason"]) for event in started} == {
        (root, "analyst@example.com", REASON)
    }
    assert dt.datetime.fromisoformat(started[0].detail["until"]) > started[0].at
    root_client.post(STOP)
    ended = events("impersonation.ended")
    assert [event.workspace for event in ended] == [workspace, elsewhere]
    assert {(event.actor, event.detail["because"]) for event in ended} == {(root, "the site admin stopped")}


def test_a_workspace_that_the_person_has_joined_or_left_meanwhile_gets_to_know_of_the_end(
    viewing: Client, analyst: User, workspace: Workspace, outsider: User
) -> None:
    elsewhere = Workspace.objects.get(slug="elsewhere")
    add_member(workspace=elsewhere, user=analyst, role=Role.VIEWER, by=None)
    Membership.objects.filter(workspace=workspace, user=analyst).delete()
    viewing.post(STOP)
    assert {event.workspace for event in events("impersonation.ended")} == {workspace, elsewhere}


def test_of_somebody_without_a_workspace_the_installation_keeps_the_record(root_client: Client) -> None:
    lonely = factories.UserFactory.create(email="lonely@example.com")
    view_as(root_client, lonely)
    assert root_client.get("/").headers["Location"] == "/w/new/"
    root_client.post(STOP)
    assert [event.workspace for event in events("impersonation.started") + events("impersonation.ended")] == [None] * 2


def test_a_membership_says_where_to_begin(
    root_client: Client, analyst: User, workspace: Workspace, outsider: User
) -> None:
    elsewhere = Workspace.objects.get(slug="elsewhere")
    membership = add_member(workspace=elsewhere, user=analyst, role=Role.VIEWER, by=None)
    form = {"action": "view_as", "_selected_action": str(membership.pk), "confirmed": "yes", "reason": REASON}
    assert root_client.post("/admin/accounts/membership/", form).headers["Location"] == "/"
    assert root_client.get("/").headers["Location"] == "/w/elsewhere/"
    assert len(events("impersonation.started")) == 2  # whichever it begins with, the other one can be looked at too


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
@pytest.mark.parametrize("path", ["/w/acme/settings/", "/w/acme/demo/load/", "/w/new/", "/accounts/logout/", "/admin/"])
def test_whatever_is_not_looking_is_refused(viewing: Client, path: str, method: str) -> None:
    response = getattr(viewing, method)(path, {})
    assert response.status_code == 403
    assert "change nothing in their name" in response.text
    assert viewing.get("/w/acme/dashboard/").status_code == 200  # and the viewing goes on


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_the_api_with_the_session_can_only_be_read(viewing: Client, method: str) -> None:
    response = getattr(viewing, method)("/api/v1/runs/?workspace=acme", {}, content_type="application/json")
    assert response.status_code == 403
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["code"] == "viewing_as"


def test_a_key_in_the_same_browser_does_no_more_than_the_session(viewing: Client, workspace: Workspace) -> None:
    owner = factories.MembershipFactory.create(workspace=workspace, role=Role.OWNER).user
    _, text = create_api_key(workspace=workspace, created_by=owner, name="ETL", scopes=["runs:write"])
    headers = {"Authorization": f"Bearer {text}"}
    assert viewing.post("/api/v1/runs/", {}, content_type="application/json", headers=headers).status_code == 403


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/admin/", "The administration is yours"),
        ("/admin/accounts/user/", "The administration is yours"),
        ("/accounts/email/", "for nobody else"),
        ("/accounts/password/change/", "for nobody else"),
        ("/accounts/2fa/", "for nobody else"),
        ("/accounts/logout/", "for nobody else"),
        ("/w/acme/data/privacy/", "Personal data"),
        ("/w/acme/data/privacy/7/export/", "Personal data"),
        ("/w/acme/settings/workspace/export.zip", "Personal data"),
    ],
)
def test_what_is_the_persons_own_is_kept_back(viewing: Client, path: str, sentence: str) -> None:
    response = viewing.get(path)
    assert response.status_code == 403
    assert sentence in response.text


def test_after_thirty_minutes_it_is_over(viewing: Client, workspace: Workspace) -> None:
    half_an_hour_later = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=30)
    with time_machine.travel(half_an_hour_later - dt.timedelta(seconds=5), tick=False):
        assert viewing.get("/w/acme/dashboard/").status_code == 200
    with time_machine.travel(half_an_hour_later, tick=False):
        # What was meant as the person is not carried out as the site admin.
        response = viewing.post("/w/new/", {"name": "Mine", "currency": "EUR", "timezone": "UTC"})
        assert response.headers["Location"] == "/admin/"
        assert "You are yourself again: the time was over." in viewing.get("/admin/").text
    assert Workspace.objects.get() == workspace
    assert [event.detail["because"] for event in events("impersonation.ended")] == ["the time was over"]


def test_an_api_call_and_a_fragment_hear_of_the_end_in_their_own_way(root_client: Client, analyst: User) -> None:
    view_as(root_client, analyst)
    later = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=31)
    with time_machine.travel(later, tick=False):
        response = root_client.get("/w/acme/dashboard/", headers={"HX-Request": "true"})
        assert response.headers["HX-Redirect"] == "/admin/"
        view_as(root_client, analyst)
    with time_machine.travel(later + dt.timedelta(minutes=31), tick=False):
        assert root_client.get("/api/v1/runs/?workspace=acme").json()["code"] == "viewing_as"


def test_the_idle_limit_of_the_site_admins_session_holds_and_leaves_the_trace(viewing: Client) -> None:
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(hours=4), tick=False):
        assert viewing.get("/w/acme/dashboard/").headers["Location"].startswith("/accounts/login/")
    assert [event.detail["because"] for event in events("impersonation.ended")] == ["the site admin was signed out"]


@pytest.mark.parametrize("change", ["is_staff", "is_superuser"])
def test_it_ends_when_the_person_becomes_a_site_admin(viewing: Client, analyst: User, change: str) -> None:
    User.objects.filter(pk=analyst.pk).update(**{change: True})
    assert viewing.get("/w/acme/dashboard/").headers["Location"] == "/admin/"
    assert len(events("impersonation.ended")) == 1


def test_it_ends_when_the_person_is_deactivated(viewing: Client, analyst: User) -> None:
    User.objects.filter(pk=analyst.pk).update(is_active=False)
    assert viewing.get("/w/acme/dashboard/").headers["Location"] == "/admin/"


def test_it_ends_when_the_site_admin_is_none_any_more(viewing: Client, root: User) -> None:
    User.objects.filter(pk=root.pk).update(is_superuser=False)
    assert viewing.get("/w/acme/dashboard/").headers["Location"] == "/admin/"
    User.objects.filter(pk=root.pk).update(is_superuser=True)
    assert viewing.get("/w/acme/dashboard/").status_code == 404  # themselves, and no member


def test_a_deactivated_site_admin_sees_nothing_and_the_trace_says_so(viewing: Client, root: User) -> None:
    User.objects.filter(pk=root.pk).update(is_active=False)
    assert viewing.get("/w/acme/dashboard/").headers["Location"].startswith("/accounts/login/")
    (ended,) = events("impersonation.ended")
    assert (ended.actor, ended.detail["because"]) == (None, "the site admin can sign in no more")


@pytest.mark.parametrize("kind", ["staff", "superuser", "inactive", "oneself"])
def test_some_people_are_not_viewed_as(root_client: Client, root: User, kind: str) -> None:
    fields = {"staff": {"is_staff": True}, "superuser": {"is_superuser": True}, "inactive": {"is_active": False}}
    person = root if kind == "oneself" else factories.UserFactory.create(**fields[kind])
    form = {"action": "view_as", "_selected_action": str(person.pk), "confirmed": "yes", "reason": REASON}
    root_client.post("/admin/accounts/user/", form)
    assert impersonation.IN_SESSION not in root_client.session
    assert not events("impersonation.started")


def test_a_reason_is_required(root_client: Client, analyst: User) -> None:
    form = {"action": "view_as", "_selected_action": str(analyst.pk), "confirmed": "yes", "reason": "  "}
    response = root_client.post("/admin/accounts/user/", form)
    assert response.status_code == 422
    assert impersonation.IN_SESSION not in root_client.session


def test_only_one_person_at_a_time_can_be_chosen(root_client: Client, analyst: User, viewer: User) -> None:
    form = {"action": "view_as", "_selected_action": [str(analyst.pk), str(viewer.pk)]}
    assert "Choose one person" in root_client.post("/admin/accounts/user/", form, follow=True).text


def test_staff_without_all_rights_are_not_offered_it(client_for: ClientFor, analyst: User) -> None:
    staff = factories.UserFactory.create(is_staff=True)
    staff.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user"]))
    client = client_for(staff)
    assert "View as" not in client.get(f"/admin/accounts/user/{analyst.pk}/change/").text
    form = {"action": "view_as", "_selected_action": str(analyst.pk), "confirmed": "yes", "reason": REASON}
    client.post("/admin/accounts/user/", form)
    assert impersonation.IN_SESSION not in client.session


def test_the_domain_refuses_whoever_asks_without_being_a_superuser(
    root_client: Client, root: User, analyst: User
) -> None:
    session = root_client.session
    with pytest.raises(NotPermitted):
        impersonation.start(session=session, person=analyst, reason=REASON, by=factories.UserFactory.create())
    with pytest.raises(Invalid):
        impersonation.start(session=session, person=analyst, reason="x" * 501, by=root)
    impersonation.start(session=session, person=analyst, reason=REASON, by=root)
    with pytest.raises(Conflict):
        impersonation.start(session=session, person=analyst, reason=REASON, by=root)


def test_the_persons_own_sessions_are_untouched(root_client: Client, client_for: ClientFor, analyst: User) -> None:
    their_browser = client_for(analyst)
    their_browser.get("/w/acme/dashboard/")
    last_login = User.objects.get(pk=analyst.pk).last_login
    before = {session.pk: session.get_decoded() for session in Session.objects.all()}
    view_as(root_client, analyst)
    root_client.get("/w/acme/dashboard/")
    root_client.post(STOP)
    theirs = str(their_browser.session.session_key)
    assert Session.objects.get(pk=theirs).get_decoded() == before[theirs]
    assert User.objects.get(pk=analyst.pk).last_login == last_login
    assert their_browser.get("/w/acme/dashboard/").status_code == 200


def test_what_the_session_remembers_does_not_leak(
    root_client: Client, root: User, analyst: User, workspace: Workspace, outsider: User
) -> None:
    home = factories.WorkspaceFactory.create(slug="home")
    for place in (home, workspace):
        add_member(workspace=place, user=root, role=Role.OWNER, by=None)
    root_client.get("/w/home/dashboard/")
    assert root_client.session[LAST_WORKSPACE] == "home"
    view_as(root_client, analyst)
    root_client.get("/w/acme/dashboard/")
    during = dict(root_client.session)
    assert during[LAST_WORKSPACE] == "home"
    root_client.post(STOP)
    assert root_client.get("/").headers["Location"] == "/w/home/"


def test_pages_are_not_kept_by_the_browser(viewing: Client) -> None:
    assert viewing.get("/w/acme/dashboard/").headers["Cache-Control"] == "no-store"


def test_nothing_can_be_written_whatever_a_page_tries(viewing: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last line: a page that changes something although it is only looked at is refused by the database's side."""

    def write(*_args: object, **_kwargs: object) -> None:
        with transaction.atomic():  # so that what follows in the test's own transaction can go on
            record(workspace=None, action="thing.done")

    monkeypatch.setattr("accounts.team.members_seen_by", write)
    assert viewing.get("/w/acme/settings/team/").status_code == 403
    assert not events("thing.done")


def test_stopping_without_having_begun_leads_home(client_for: ClientFor, analyst: User) -> None:
    assert client_for(analyst).post(STOP).headers["Location"] == "/"
    assert client_for(analyst).get(STOP).status_code == 405
    assert client_for(None).post(STOP).headers["Location"].startswith("/accounts/login/")
    assert not AuditEvent.objects.exists()
