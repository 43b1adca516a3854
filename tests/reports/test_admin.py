"""What a site admin sees of reports: everything, and nothing to change but by actions, which are on record."""

import datetime as dt

import pytest
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEvent, Role, User, Workspace
from reports.models import Alert, AlertEvent, Delivery, Edition, Occurrence, Recipient, Report, Schedule
from reports.workspace_deletion import request_deletion
from tests import factories
from tests.reports.rows import add_rows

MODELS = (Report, Edition, Schedule, Occurrence, Delivery, Alert, AlertEvent)


@pytest.fixture
def root(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.com", "a long enough password"))
    return client


@pytest.mark.parametrize("model", MODELS)
def test_rows_are_listed_and_shown_and_nothing_can_be_changed(root: Client, workspace: Workspace, model: type) -> None:
    add_rows(workspace)
    path = f"/admin/reports/{model.__name__.lower()}/"
    row = model._default_manager.get()  # type: ignore[attr-defined]
    assert root.get(path).status_code == 200
    assert root.get(f"{path}{row.pk}/change/").status_code == 200
    assert root.post(f"{path}{row.pk}/change/", {}).status_code == 403
    assert root.post(f"{path}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert root.get(f"{path}add/").status_code == 403


def test_rows_can_be_searched(root: Client, workspace: Workspace) -> None:
    add_rows(workspace)
    for path in (
        "delivery/?q=reader@example.com",
        "schedule/?q=reader@example.com",
        "report/?q=Monthly",
        "alert/?q=Mon",
    ):
        assert "Monthly review" in root.get(f"/admin/reports/{path}").text


def act(client: Client, action: str, row: Model) -> str:
    """Press a button on a row's page, confirm where that is asked for, and return the page that follows."""
    path = f"/admin/reports/{row._meta.model_name}/"
    form = {"action": action, "_selected_action": str(row.pk), "from_row": str(row.pk)}
    response = client.post(path, form, follow=True)
    if 'name="confirmed"' in response.text:
        response = client.post(path, form | {"confirmed": "yes"}, follow=True)
    assert response.request["PATH_INFO"] == f"{path}{row.pk}/change/"
    return str(response.text)


def the_event(action: str, workspace: Workspace) -> AuditEvent:
    event = AuditEvent.objects.get(action=action, workspace=workspace)
    assert event.actor is not None
    assert event.actor.email == "root@example.com"
    return event


@pytest.fixture
def schedule(workspace: Workspace, owner: User) -> Schedule:
    schedule = add_rows(workspace).schedule
    schedule.created_by = owner
    schedule.save()
    return schedule


def test_a_schedule_is_paused_and_resumed(root: Client, schedule: Schedule, owner: User) -> None:
    act(root, "pause", schedule)
    schedule.refresh_from_db()
    assert (schedule.paused_at is None, schedule.next_run_at) == (False, None)
    the_event("schedule.paused", schedule.workspace)
    assert "Nothing to do" in act(root, "pause", schedule)
    act(root, "resume", schedule)
    schedule.refresh_from_db()
    assert (schedule.paused_at, schedule.created_by) == (None, owner)
    the_event("schedule.resumed", schedule.workspace)


def test_a_schedule_without_anybody_to_answer_for_it_is_left_to_an_owner(root: Client, schedule: Schedule) -> None:
    act(root, "pause", schedule)
    schedule.workspace.memberships.all().delete()
    assert "An owner of the workspace resumes it" in act(root, "resume", schedule)
    schedule.refresh_from_db()
    assert schedule.paused_at is not None


def test_a_schedule_is_sent_at_once(root: Client, schedule: Schedule) -> None:
    schedule.occurrences.all().delete()
    act(root, "send_now", schedule)
    occurrence = schedule.occurrences.get()
    assert (occurrence.manual, occurrence.edition is None) == (True, False)
    the_event("schedule.sent_now", schedule.workspace)
    assert "is on its way already" in act(root, "send_now", schedule)


def test_a_mail_is_sent_again(root: Client, workspace: Workspace) -> None:
    delivery = add_rows(workspace).delivery
    act(root, "resend", delivery)
    again = Delivery.objects.get(resend_of=delivery)
    assert again.requested_by is not None
    assert again.requested_by.email == "root@example.com"
    the_event("delivery.sent_again", workspace)
    assert "This is being sent again already." in act(root, "resend", delivery)


def test_no_report_is_sent_of_a_workspace_that_is_being_deleted(root: Client, schedule: Schedule, owner: User) -> None:
    schedule.occurrences.all().delete()
    request_deletion(workspace=schedule.workspace, by=owner, ring=False)
    assert "is being deleted" in act(root, "send_now", schedule)
    assert not schedule.occurrences.exists()
    assert not AuditEvent.objects.filter(action="schedule.sent_now").exists()


def test_no_mail_is_sent_again_of_a_workspace_that_is_being_deleted(
    root: Client, workspace: Workspace, owner: User
) -> None:
    delivery = add_rows(workspace).delivery
    request_deletion(workspace=workspace, by=owner, ring=False)
    assert "is being deleted" in act(root, "resend", delivery)
    assert Delivery.objects.get() == delivery
    assert not AuditEvent.objects.filter(action="delivery.sent_again").exists()


def test_a_rejected_address_is_allowed_again(root: Client, schedule: Schedule) -> None:
    recipient = Recipient.objects.get(schedule=schedule)
    recipient.rejected_at, recipient.rejected_because = timezone.now(), "No such mailbox."
    recipient.save()
    act(root, "allow", recipient)
    recipient.refresh_from_db()
    assert recipient.rejected_at is None
    the_event("recipient.enabled", schedule.workspace)


def test_the_list_of_schedules_says_when_each_was_last_due(root: Client, schedule: Schedule) -> None:
    schedule.occurrences.all().delete()
    due = dt.datetime(2026, 5, 4, 9, tzinfo=dt.UTC)
    for days in (0, 7):
        at = due + dt.timedelta(days=days)
        Occurrence.objects.create(schedule=schedule, due_at=at, claimed_at=at)
    assert "11 May 2026, 9 a.m." in root.get("/admin/reports/schedule/").text


def test_site_admins_without_the_right_are_offered_nothing(client: Client, schedule: Schedule) -> None:
    client.force_login(factories.UserFactory.create(is_staff=True))
    form = {"action": "pause", "_selected_action": str(schedule.pk), "confirmed": "yes"}
    assert client.post("/admin/reports/schedule/", form).status_code == 403
    schedule.refresh_from_db()
    assert schedule.paused_at is None
    assert schedule.workspace.memberships.filter(role=Role.OWNER).count() == 1
