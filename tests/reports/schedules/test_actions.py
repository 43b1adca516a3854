"""What people do to schedules, and who may."""

from collections.abc import Callable

import pytest
import time_machine

from accounts.actions import set_plan
from accounts.models import AuditEvent, Membership, Role, User, Workspace
from accounts.plans import PlanRequired
from mmm_project.problems import Conflict, Invalid, NotFound, NotPermitted
from reports.models import Delivery, Edition, Occurrence, Recipient, Report, Schedule
from reports.schedules import actions
from reports.schedules.contents import Content
from tests.reports.schedules.conftest import DAILY, MONDAYS, Keep, of, settings_of, utc

DATA_DRIVEN = Content(kind="attribution", params={"model": ["data_driven"]})


def addresses(schedule: Schedule) -> list[str]:
    return list(schedule.recipients.values_list("email", flat=True))


def deeds() -> list[str]:
    return list(
        AuditEvent.objects.filter(action__startswith="schedule.").order_by("pk").values_list("action", flat=True)
    )


def test_a_new_schedule_is_due_at_its_next_time(keep: Keep, analyst: User) -> None:
    schedule = keep()
    assert schedule.next_run_at == utc("2026-04-06T07:00")  # today is Wednesday, 1 April 2026; Berlin is 2 h ahead
    assert (schedule.created_by, schedule.name, schedule.formats) == (analyst, "Weekly note", ["csv"])
    assert addresses(schedule) == ["ann@example.com", "bob@example.com"]
    assert deeds() == ["schedule.created"]


def test_names_are_given_by_what_goes_out_and_told_apart(keep: Keep) -> None:
    assert [keep().name for _ in range(3)] == ["Weekly note", "Weekly note 2", "Weekly note 3"]
    with pytest.raises(Invalid, match="is there already") as refusal:
        keep(name="weekly NOTE")
    assert "name" in refusal.value.errors
    assert keep(name="Two\nlines\x00").name == "Two lines"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"period": "next_week"}, "period"),
        ({"formats": []}, "formats"),
        ({"formats": ["docx"]}, "formats"),
        ({"recipients": []}, "recipients"),
        ({"recipients": ["a@b.co, c@d.co"]}, "recipients"),
        ({"recipients": ["a@b.co\r\nBcc: all@b.co"]}, "recipients"),
        ({"recipients": [f"p{number}@b.co" for number in range(51)]}, "recipients"),
        ({"content": Content(kind="text", params={"text": "Hello"})}, "what"),
        ({"content": Content(kind="attribution", params={"model": ["magic"]})}, "what"),
        ({"name": "x" * 101}, "name"),
    ],
)
def test_what_cannot_be_scheduled_is_refused_beside_its_field(
    keep: Keep, changed: dict[str, object], field: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        keep(**changed)
    assert list(refusal.value.errors) == [field]
    assert not Schedule.objects.exists()


def test_a_report_without_blocks_or_of_another_workspace_is_refused(keep: Keep, outsider: User) -> None:
    elsewhere = Workspace.objects.get(slug="elsewhere")
    theirs = Report.objects.create(workspace=elsewhere, name="Theirs", period="last_7", blocks=[{"kind": "text"}])
    for report in (theirs, Report.objects.create(workspace=Workspace.objects.get(slug="acme"), name="Empty")):
        with pytest.raises(Invalid) as refusal:
            keep(content=Content(report=report))
        assert "what" in refusal.value.errors


def test_what_the_plan_does_not_have_is_refused(keep: Keep, shop: Workspace) -> None:
    with pytest.raises(PlanRequired):
        keep(content=DATA_DRIVEN)
    set_plan(workspace=shop, plan="professional", by=None)
    shop.refresh_from_db()
    assert keep(content=DATA_DRIVEN).params == {"model": ["data_driven"]}


def test_a_change_keeps_what_is_known_of_the_recipients_that_stay(keep: Keep, analyst: User) -> None:
    schedule = keep()
    schedule_name = schedule.name
    Recipient.objects.filter(email="bob@example.com").update(unsubscribed_at=utc("2026-03-01T00:00"))
    new = settings_of(recipients=["bob@example.com", "Cleo@Example.com"], recurrence=DAILY, name="Every day")
    actions.change_schedule(schedule=schedule, settings=new, by=of(analyst))
    schedule.refresh_from_db()
    assert (schedule.name, schedule.report, schedule.kind) == ("Every day", None, "dashboard")
    assert schedule.next_run_at == utc("2026-04-02T07:00")
    assert addresses(schedule) == ["bob@example.com", "cleo@example.com"]
    assert Recipient.objects.get(email="bob@example.com").unsubscribed_at is not None
    detail = AuditEvent.objects.get(action="schedule.changed").detail
    assert detail["recipients_added"] == ["cleo@example.com"]
    assert detail["recipients_removed"] == ["ann@example.com"]
    assert detail["changes"]["name"] == {"before": schedule_name, "after": "Every day"}
    assert detail["changes"]["frequency"] == {"before": "weekly", "after": "daily"}
    assert "next_run_at" not in detail["changes"]


def test_what_is_due_already_still_goes_out_after_a_change(keep: Keep, analyst: User) -> None:
    schedule = keep()
    with time_machine.travel(utc("2026-04-06T07:00:05"), tick=False):
        actions.change_schedule(schedule=schedule, settings=settings_of(recurrence=DAILY), by=of(analyst))
    schedule.refresh_from_db()
    assert schedule.next_run_at == utc("2026-04-06T07:00")


def test_a_pause_ends_with_the_next_time_after_it(keep: Keep, analyst: User) -> None:
    schedule = keep(recurrence=DAILY)
    assert actions.pause_schedule(schedule=schedule, by=of(analyst))
    assert not actions.pause_schedule(schedule=schedule, by=of(analyst))
    schedule.refresh_from_db()
    assert schedule.next_run_at is None
    with time_machine.travel(utc("2026-04-09T12:00"), tick=False):
        assert actions.resume_schedule(schedule=schedule, by=of(analyst))
        assert not actions.resume_schedule(schedule=schedule, by=of(analyst))
    schedule.refresh_from_db()
    assert schedule.paused_at is None
    assert schedule.next_run_at == utc("2026-04-10T07:00")
    assert deeds() == ["schedule.created", "schedule.paused", "schedule.resumed"]


def test_a_paused_schedule_stays_paused_when_it_is_changed(keep: Keep, analyst: User) -> None:
    schedule = keep()
    actions.pause_schedule(schedule=schedule, by=of(analyst))
    actions.change_schedule(schedule=schedule, settings=settings_of(recurrence=DAILY), by=of(analyst))
    schedule.refresh_from_db()
    assert schedule.next_run_at is None


def test_whoever_resumes_the_schedule_of_somebody_who_has_left_answers_for_it(
    keep: Keep, analyst: User, admin: User
) -> None:
    schedule = keep()
    for leaves, owner in ((False, analyst), (True, admin)):
        actions.pause_schedule(schedule=schedule, by=of(admin))
        if leaves:
            of(analyst).delete()
        actions.resume_schedule(schedule=schedule, by=of(admin))
        schedule.refresh_from_db()
        assert schedule.created_by == owner


def test_whoever_resumes_the_schedule_of_somebody_who_was_deactivated_answers_for_it(
    keep: Keep, analyst: User, admin: User
) -> None:
    schedule = keep()
    actions.pause_schedule(schedule=schedule, by=of(admin))
    User.objects.filter(pk=analyst.pk).update(is_active=False)
    actions.resume_schedule(schedule=schedule, by=of(admin))
    schedule.refresh_from_db()
    assert schedule.created_by == admin


def test_nothing_is_resumed_that_nobody_would_get(keep: Keep, analyst: User) -> None:
    schedule = keep()
    actions.pause_schedule(schedule=schedule, by=of(analyst))
    schedule.recipients.update(unsubscribed_at=utc("2026-03-01T00:00"))
    with pytest.raises(Conflict, match="Nobody would get “Weekly note”"):
        actions.resume_schedule(schedule=schedule, by=of(analyst))
    schedule.refresh_from_db()
    assert schedule.next_run_at is None


def test_who_set_a_schedule_up_is_told_when_somebody_else_deletes_it(keep: Keep, analyst: User, admin: User) -> None:
    own, others = keep(name="Mine"), keep(name="Theirs")
    actions.delete_schedule(schedule=own, by=of(analyst))
    assert not Delivery.objects.exists()
    actions.delete_schedule(schedule=others, by=of(admin))
    notice = Delivery.objects.get()
    assert (notice.purpose, notice.email, notice.subject) == ("notice", analyst.email, "“Theirs” was deleted")


def test_sending_now_asks_for_an_edition_and_leaves_the_next_time(keep: Keep, analyst: User) -> None:
    schedule = keep()
    occurrence = actions.send_now(schedule=schedule, by=of(analyst), ring=False)
    assert (occurrence.manual, occurrence.late, occurrence.missed) == (True, False, 0)
    edition = occurrence.edition
    assert edition is not None
    assert (edition.trigger, edition.title) == (Edition.Trigger.SCHEDULE, "Weekly note")
    assert (str(edition.start), str(edition.end)) == ("2026-03-23", "2026-03-29")
    schedule.refresh_from_db()
    assert schedule.next_run_at == utc("2026-04-06T07:00")


def test_a_second_click_within_a_minute_sends_nothing(keep: Keep, analyst: User) -> None:
    schedule = keep()
    actions.send_now(schedule=schedule, by=of(analyst), ring=False)
    with pytest.raises(Conflict, match="on its way already"):
        actions.send_now(schedule=schedule, by=of(analyst), ring=False)
    with time_machine.travel(utc("2026-04-01T09:01:01"), tick=False):
        actions.send_now(schedule=schedule, by=of(analyst), ring=False)
    assert Occurrence.objects.count() == 2


def test_nothing_is_sent_now_where_nobody_would_get_it(keep: Keep, analyst: User) -> None:
    schedule = keep()
    schedule.recipients.update(unsubscribed_at=utc("2026-03-01T00:00"))
    with pytest.raises(Conflict, match="Nobody would get"):
        actions.send_now(schedule=schedule, by=of(analyst), ring=False)


def test_a_preview_sends_nothing(keep: Keep, analyst: User) -> None:
    edition = actions.preview(schedule=keep(), by=of(analyst), ring=False)
    assert edition.trigger == Edition.Trigger.PAGE
    assert not Occurrence.objects.exists()


def test_deleting_takes_its_recipients_along_and_leaves_what_was_made(keep: Keep, analyst: User) -> None:
    schedule = keep()
    actions.send_now(schedule=schedule, by=of(analyst), ring=False)
    actions.delete_schedule(schedule=schedule, by=of(analyst))
    assert not Schedule.objects.exists()
    assert not Recipient.objects.exists()
    assert Edition.objects.exists()
    assert deeds()[-1] == "schedule.deleted"


DEEDS: dict[str, Callable[[Schedule, Membership], object]] = {
    "change": lambda schedule, by: actions.change_schedule(schedule=schedule, settings=settings_of(), by=by),
    "pause": lambda schedule, by: actions.pause_schedule(schedule=schedule, by=by),
    "resume": lambda schedule, by: actions.resume_schedule(schedule=schedule, by=by),
    "send": lambda schedule, by: actions.send_now(schedule=schedule, by=by, ring=False),
    "delete": lambda schedule, by: actions.delete_schedule(schedule=schedule, by=by),
}


@pytest.mark.parametrize("deed", DEEDS)
def test_analysts_change_their_own_schedules_and_admins_all(
    keep: Keep, analyst: User, admin: User, viewer: User, deed: str
) -> None:
    of_admin, of_analyst = keep(by=admin), keep()
    for schedule, user in ((of_admin, analyst), (of_analyst, viewer), (of_admin, viewer)):
        with pytest.raises(NotPermitted):
            DEEDS[deed](schedule, of(user))
    DEEDS[deed](of_analyst, of(analyst if deed != "delete" else admin))
    DEEDS[deed](of_admin, of(admin))


def test_a_viewer_schedules_nothing_not_even_what_once_was_theirs(keep: Keep, analyst: User, viewer: User) -> None:
    with pytest.raises(NotPermitted):
        keep(by=viewer)
    schedule = keep()
    Membership.objects.filter(user=analyst).update(role=Role.VIEWER)
    with pytest.raises(NotPermitted):
        actions.pause_schedule(schedule=schedule, by=of(analyst))


def test_another_workspaces_schedule_is_not_found(keep: Keep, outsider: User) -> None:
    with pytest.raises(NotFound):
        actions.find_schedule(workspace=Workspace.objects.get(slug="elsewhere"), schedule_id=keep().pk)


def test_schedules_recur_as_they_were_set_up(keep: Keep) -> None:
    assert actions.recurrence_of(keep()) == MONDAYS
