"""An owner asks for another plan; a site admin grants it or declines, once, and who asked is told."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts import plan_requests
from accounts.actions import set_plan
from accounts.models import AuditEvent, Membership, Plan, PlanRequest, Role, User, Workspace
from accounts.plan_requests import decline, give_plan, grant, open_request, request_plan, withdraw
from accounts.plans import entitlements, plan_of, record_plan_change, record_plan_deletion
from mmm_project.problems import Conflict, Invalid, NotFound, NotPermitted
from tests.factories import MembershipFactory

ClientFor = Callable[[User | None], Client]
OnCommit = Callable[..., object]
PAGE = "/w/acme/settings/plan/"
WITHDRAW = "/w/acme/settings/plan/withdraw/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def by(workspace: Workspace, owner: User) -> Membership:
    return workspace.memberships.select_related("workspace", "user").get(user=owner)


@pytest.fixture
def site_admin() -> User:
    return User.objects.create_superuser("root@example.com")


def asked(by: Membership, plan: str = "professional", message: str = "") -> PlanRequest:
    return request_plan(workspace=by.workspace, plan=plan, message=message, by=by)


def last_event(action: str) -> AuditEvent:
    return AuditEvent.objects.get(action=action)


def test_a_request_is_on_record_and_mailed_to_the_sites_admins(
    by: Membership, site_admin: User, django_capture_on_commit_callbacks: OnCommit
) -> None:
    User.objects.create_user("staff@example.com", is_staff=True)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        request = asked(by, message="  We import 5 million rows from June on.  ")
    assert (request.status, request.message) == ("open", "We import 5 million rows from June on.")
    event = last_event("plan_request.made")
    assert (event.workspace, event.actor, event.target) == (by.workspace, by.user, "professional")
    (letter,) = mail.outbox
    assert (letter.to, letter.subject) == (["root@example.com"], "Acme asks for the Professional plan")
    assert "We import 5 million rows" in letter.body
    assert "on the Starter plan" in letter.body
    assert "/admin/" in letter.body


def test_the_setting_admins_goes_before_the_superusers(settings: Settings, site_admin: User) -> None:
    settings.ADMINS = [("Ops", "ops@example.com")]
    assert plan_requests.site_admins() == ["ops@example.com"]
    settings.ADMINS = []
    User.objects.create_superuser("gone@example.com", is_active=False)
    assert plan_requests.site_admins() == ["root@example.com"]


def test_a_name_with_a_line_break_is_no_header(
    by: Membership, site_admin: User, django_capture_on_commit_callbacks: OnCommit
) -> None:
    Workspace.objects.update(name="Acme\nBcc: everybody@example.com")
    by.workspace.refresh_from_db()
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        asked(by)
    assert mail.outbox[0].subject == "Acme Bcc: everybody@example.com asks for the Professional plan"


def test_a_request_stands_where_the_mail_server_does_not(
    by: Membership,
    site_admin: User,
    django_capture_on_commit_callbacks: OnCommit,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(_mail: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr("django.core.mail.EmailMessage.send", refuse)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        asked(by)
    assert open_request(by.workspace) is not None
    assert "could not be sent" in caplog.text


@pytest.mark.parametrize("role", [Role.ADMIN, Role.ANALYST, Role.VIEWER])
def test_only_owners_ask_and_withdraw(by: Membership, role: Role) -> None:
    other = MembershipFactory.create(workspace=by.workspace, role=role)
    with pytest.raises(NotPermitted):
        asked(other)
    request = asked(by)
    with pytest.raises(NotPermitted):
        withdraw(request=request, by=other)


def test_an_owner_of_another_workspace_withdraws_nothing(by: Membership, outsider: User) -> None:
    request = asked(by)
    with pytest.raises(NotFound):
        withdraw(request=request, by=outsider.memberships.get())
    assert open_request(by.workspace) == request


def test_one_request_waits_at_a_time(by: Membership) -> None:
    asked(by)
    with pytest.raises(Conflict, match="Withdraw it before you ask anew"):
        asked(by, "enterprise")
    assert PlanRequest.objects.count() == 1


@pytest.mark.parametrize(
    ("plan", "message", "field"),
    [("starter", "", "plan"), ("gold", "", "plan"), ("professional", "x" * 2001, "message")],
)
def test_what_cannot_be_asked_for(by: Membership, plan: str, message: str, field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        asked(by, plan, message)
    assert list(refusal.value.errors) == [field]
    assert not PlanRequest.objects.exists()


def test_the_sites_admins_cannot_be_mailed_at_will(by: Membership) -> None:
    for _ in range(plan_requests.MADE_A_DAY):
        withdraw(request=asked(by), by=by)
    with pytest.raises(Invalid, match="Ask again tomorrow"):
        asked(by)


def test_granting_puts_the_workspace_on_the_plan_and_tells_who_asked(
    by: Membership, site_admin: User, django_capture_on_commit_callbacks: OnCommit
) -> None:
    request = asked(by)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        grant(request=request, by=site_admin, answer=" Welcome. ")
    assert plan_of(Workspace.objects.get(pk=by.workspace_id)).code == "professional"
    assert (request.status, request.answer, request.decided_by) == ("granted", "Welcome.", site_admin)
    assert last_event("plan.changed").detail == {"changes": {"plan": {"before": "starter", "after": "professional"}}}
    assert last_event("plan_request.granted").detail == {"answer": "Welcome."}
    (letter,) = mail.outbox
    assert (letter.to, letter.subject) == (["owner@example.com"], "The Professional plan for Acme")
    assert "is on the Professional plan now" in letter.body
    assert "Welcome." in letter.body


def test_a_plan_that_was_asked_for_is_given_as_an_answer(
    by: Membership, site_admin: User, django_capture_on_commit_callbacks: OnCommit
) -> None:
    request = asked(by)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        give_plan(workspace=by.workspace, plan="professional", by=site_admin)
    request.refresh_from_db()
    assert (request.status, request.answer, request.decided_by) == ("granted", "", site_admin)
    assert last_event("plan_request.granted").actor == site_admin
    assert last_event("plan.changed").detail == {"changes": {"plan": {"before": "starter", "after": "professional"}}}
    assert [letter.subject for letter in mail.outbox] == ["The Professional plan for Acme"]


def test_another_plan_than_was_asked_for_answers_nothing(by: Membership, site_admin: User) -> None:
    request = asked(by, "enterprise")
    give_plan(workspace=by.workspace, plan="professional", by=site_admin)
    assert plan_of(Workspace.objects.get(pk=by.workspace_id)).code == "professional"
    assert open_request(by.workspace) == request
    assert not AuditEvent.objects.filter(action="plan_request.granted").exists()


def test_a_request_that_was_withdrawn_is_not_granted_with_the_plan(by: Membership, site_admin: User) -> None:
    request = asked(by)
    withdraw(request=request, by=by)
    give_plan(workspace=by.workspace, plan="professional", by=site_admin)
    assert plan_of(Workspace.objects.get(pk=by.workspace_id)).code == "professional"
    assert PlanRequest.objects.get().status == "withdrawn"


def test_declining_leaves_the_plan_as_it_is(
    by: Membership, site_admin: User, django_capture_on_commit_callbacks: OnCommit
) -> None:
    request = asked(by)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        decline(request=request, by=site_admin, answer="Not before the invoice of May is paid.")
    assert plan_of(Workspace.objects.get(pk=by.workspace_id)).code == "starter"
    assert not AuditEvent.objects.filter(action="plan.changed").exists()
    assert "was declined" in mail.outbox[0].body
    assert "invoice of May" in mail.outbox[0].body
    assert asked(by).status == "open"  # nothing keeps them from asking again


def test_nobody_is_mailed_an_answer_who_is_no_owner_any_more(
    by: Membership, site_admin: User, django_capture_on_commit_callbacks: OnCommit
) -> None:
    request = asked(by)
    Membership.objects.filter(pk=by.pk).update(role=Role.VIEWER)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        decline(request=request, by=site_admin)
    assert mail.outbox == []


@pytest.mark.parametrize("end", ["grant", "decline", "withdraw"])
def test_what_has_ended_is_not_answered_again(by: Membership, site_admin: User, end: str) -> None:
    request = asked(by)
    if end == "withdraw":
        withdraw(request=request, by=by)
    else:
        getattr(plan_requests, end)(request=request, by=site_admin)
    stale = PlanRequest.objects.get(pk=request.pk)
    for answer in (grant, decline):
        with pytest.raises(Conflict):
            answer(request=stale, by=site_admin, answer="Too late")
    with pytest.raises(Conflict):
        withdraw(request=stale, by=by)
    assert PlanRequest.objects.get(pk=request.pk).answer == ""


def test_setting_a_plan_says_what_was_before_and_the_same_plan_changes_nothing(workspace: Workspace) -> None:
    set_plan(workspace=workspace, plan="starter", by=None)
    assert not AuditEvent.objects.exists()
    workspace.subscription.delete()
    set_plan(workspace=workspace, plan="enterprise", by=None)
    assert last_event("plan.changed").detail == {"changes": {"plan": {"before": None, "after": "enterprise"}}}


def test_an_edit_of_a_plan_is_on_record_with_what_it_changed(site_admin: User) -> None:
    plan = Plan.objects.get(code="starter")
    before = entitlements(plan)
    plan.max_rows, plan.features = 2_000_000, ["forecast"]
    plan.save()
    record_plan_change(plan=plan, before=before, by=site_admin)
    record_plan_change(plan=plan, before=entitlements(plan), by=site_admin)  # nothing changed
    event = last_event("plan.edited")
    assert (event.workspace, event.target, event.actor) == (None, "starter", site_admin)
    assert event.detail == {
        "changes": {
            "features": {"before": [], "after": ["forecast"]},
            "max_rows": {"before": 1_000_000, "after": 2_000_000},
        }
    }


def test_every_entitlement_of_a_plan_is_on_record(site_admin: User) -> None:
    recorded = set(entitlements(Plan()))
    assert recorded == {field.name for field in Plan._meta.concrete_fields} - {"id"}
    plan = Plan.objects.create(code="team", name="Team", max_members=5)
    record_plan_change(plan=plan, before=None, by=site_admin)
    assert last_event("plan.created").detail["changes"]["max_members"] == {"before": None, "after": 5}
    record_plan_deletion(plan=plan, by=site_admin)
    assert last_event("plan.deleted").detail["max_members"] == 5


def test_owners_ask_on_the_page_and_withdraw(owner: User, by: Membership, client_for: ClientFor) -> None:
    client = client_for(owner)
    response = client.post(PAGE, {"plan": "professional", "message": "More <b>rows</b>"}, follow=True)
    assert "You have asked for the Professional plan" in response.text
    assert "owner@example.com asked for the Professional plan" in response.text
    assert "More &lt;b&gt;rows&lt;/b&gt;" in response.text
    assert "Ask for this plan" not in response.text
    response = client.post(WITHDRAW, follow=True)
    assert "The request is withdrawn." in response.text
    assert "Ask for this plan" in response.text
    assert client.post(WITHDRAW).status_code == 404


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"plan": "starter"}, "Choose one of the plans."),
        ({"plan": ""}, "This field is required."),
        ({"plan": "professional", "message": "x" * 2001}, "at most 2000 characters"),
    ],
)
def test_a_form_that_cannot_be_sent_says_why(
    owner: User, client_for: ClientFor, given: dict[str, str], sentence: str
) -> None:
    response = client_for(owner).post(PAGE, given)
    assert response.status_code == 422
    assert sentence in response.text
    assert not PlanRequest.objects.exists()


def test_asking_while_another_request_waits_says_so(owner: User, by: Membership, client_for: ClientFor) -> None:
    asked(by)
    response = client_for(owner).post(PAGE, {"plan": "enterprise"})
    assert response.status_code == 422
    assert PlanRequest.objects.count() == 1


def test_owners_read_the_answer(
    owner: User, viewer: User, by: Membership, site_admin: User, client_for: ClientFor
) -> None:
    decline(request=asked(by), by=site_admin, answer="Not before May is paid.")
    page = client_for(owner).get(PAGE).text
    assert "The Professional plan was declined" in page
    assert "Not before May is paid." in page
    assert "Not before May is paid." not in client_for(viewer).get(PAGE).text


def test_an_answer_is_shown_while_it_is_news(by: Membership, site_admin: User, client_for: ClientFor) -> None:
    decline(request=asked(by), by=site_admin, answer="Not before May is paid.")
    PlanRequest.objects.update(decided_at=timezone.now() - timedelta(days=31))
    assert "Not before May is paid." not in client_for(by.user).get(PAGE).text
    asked(by, message="Now it is.")
    assert "Now it is." in client_for(by.user).get(PAGE).text


def test_everybody_reads_the_page_and_only_owners_ask(
    owner: User, admin: User, analyst: User, viewer: User, outsider: User, client_for: ClientFor
) -> None:
    for member in (admin, analyst, viewer):
        client = client_for(member)
        page = client.get(PAGE)
        assert page.status_code == 200
        assert "Ask for this plan" not in page.text
        assert "An owner of the workspace can ask for another plan: owner@example.com." in page.text
        assert client.post(PAGE, {"plan": "professional"}).status_code == 403
        assert client.post(WITHDRAW).status_code == 403
    assert client_for(outsider).get(PAGE).status_code == 404
    assert client_for(outsider).post(WITHDRAW).status_code == 404
    assert client_for(owner).put(PAGE).status_code == 405
    assert client_for(owner).get(WITHDRAW).status_code == 405
