"""What is due is claimed once, whole or not at all, and by those who still may."""

import datetime as dt
import logging
import threading
from typing import Any

import pytest
from django.db import connection
from pytest_django.fixtures import Settings as DjangoSettings

from accounts.actions import set_plan
from accounts.closing import close_workspace
from accounts.models import AuditEvent, Membership, Plan, Role, User, Workspace
from jobs.models import Job
from reports import tasks
from reports.models import Delivery, Edition, Occurrence, Report, Schedule
from reports.schedules import tick
from reports.schedules.actions import create_schedule, recurrence_of
from reports.schedules.contents import Content, request_for
from reports.schedules.tick import claim_due
from tests.factories import MembershipFactory, WorkspaceFactory
from tests.reports.schedules.conftest import DAILY, TEXT, Keep, of, settings_of, utc

DUE = utc("2026-04-06T07:00")
MINUTE = dt.timedelta(minutes=1)


class Killed(BaseException):
    """The process ends here."""


def notices() -> list[tuple[str, str]]:
    found = Delivery.objects.filter(purpose=Delivery.Purpose.NOTICE).order_by("email")
    return list(found.values_list("email", "subject"))


def test_what_is_not_due_is_left_alone(keep: Keep) -> None:
    keep()
    assert claim_due(DUE - MINUTE / 60) == 0
    assert not Occurrence.objects.exists()


def test_what_is_due_is_claimed_once_and_due_again_next_time(keep: Keep, analyst: User) -> None:
    schedule = keep()
    assert [claim_due(DUE + seconds * MINUTE / 60) for seconds in (0, 0, 10)] == [1, 0, 0]
    occurrence = Occurrence.objects.get()
    assert (occurrence.due_at, occurrence.claimed_at) == (DUE, DUE)
    assert (occurrence.late, occurrence.missed, occurrence.manual) == (False, 0, False)
    schedule.refresh_from_db()
    assert schedule.next_run_at == utc("2026-04-13T07:00")
    edition = Edition.objects.get()
    assert (occurrence.edition, edition.requested_by, edition.trigger) == (edition, analyst, Edition.Trigger.SCHEDULE)


def test_the_period_is_seen_from_the_day_on_which_it_is_due(keep: Keep) -> None:
    keep()
    claim_due(utc("2026-04-07T00:30"))
    edition = Edition.objects.get()
    assert (str(edition.start), str(edition.end)) == ("2026-03-30", "2026-04-05")


def test_a_paused_schedule_is_never_due(keep: Keep) -> None:
    keep()
    Schedule.objects.update(paused_at=DUE, next_run_at=None)
    assert claim_due(DUE) == 0


def test_more_than_a_quarter_of_an_hour_is_late(keep: Keep) -> None:
    for minutes, late in ((15, False), (16, True)):
        schedule = keep()
        claim_due(DUE + minutes * MINUTE)
        assert Occurrence.objects.get(schedule=schedule).late is late


def test_after_three_days_without_a_scheduler_one_goes_out_for_all(keep: Keep) -> None:
    schedule = keep(recurrence=DAILY)  # first due on 2 April
    assert claim_due(utc("2026-04-05T11:00")) == 1
    occurrence = Occurrence.objects.get()
    assert (occurrence.due_at, occurrence.missed, occurrence.late) == (utc("2026-04-05T07:00"), 3, True)
    schedule.refresh_from_db()
    assert schedule.next_run_at == utc("2026-04-06T07:00")
    assert claim_due(utc("2026-04-05T11:00:10")) == 0


def test_a_time_that_comes_again_as_a_clock_was_set_back_is_claimed_once(
    keep: Keep, caplog: pytest.LogCaptureFixture
) -> None:
    schedule = keep(recurrence=DAILY)
    first, second, third = (utc(f"2026-04-0{day}T07:00") for day in (2, 3, 4))
    assert claim_due(first) == 1
    Schedule.objects.update(next_run_at=first)  # paused and resumed by a clock that was behind
    assert [claim_due(first + seconds * MINUTE / 60) for seconds in (5, 15)] == [0, 0]
    schedule.refresh_from_db()
    assert schedule.next_run_at == second
    Schedule.objects.update(next_run_at=first)
    assert claim_due(third) == 1
    newest = Occurrence.objects.latest("due_at")
    assert (newest.due_at, newest.missed) == (third, 1)  # that of the 3rd: that of the 2nd has gone out
    assert Occurrence.objects.count() == 2
    assert not caplog.text


def test_what_was_due_by_the_times_of_before_still_goes_out(keep: Keep) -> None:
    """A schedule that was changed after its due time, and before a tick."""
    keep()
    Schedule.objects.update(frequency="daily", weekday=None, time=dt.time(18))
    claim_due(DUE + MINUTE)
    assert Occurrence.objects.get().due_at == DUE


def test_a_kill_between_claim_and_commit_leaves_it_due(keep: Keep, monkeypatch: pytest.MonkeyPatch) -> None:
    schedule = keep()

    def kill(*_args: object, **_options: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(tick, "request_for", kill)
        with pytest.raises(Killed):
            claim_due(DUE)
    schedule.refresh_from_db()
    assert schedule.next_run_at == DUE
    assert not Occurrence.objects.exists()
    assert claim_due(DUE + MINUTE) == 1
    assert Occurrence.objects.get().due_at == DUE


def test_a_fault_in_one_schedule_keeps_no_other_waiting(
    keep: Keep, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken, sound = keep(), keep()

    def fail_once(schedule: Schedule, **options: object) -> Edition:
        if schedule == broken:
            raise RuntimeError("a fault")
        return request_for(schedule, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(tick, "request_for", fail_once)
    assert claim_due(DUE) == 1
    assert Occurrence.objects.get().schedule == sound
    broken.refresh_from_db()
    assert broken.next_run_at == DUE
    assert str(broken.pk) in caplog.text


def test_of_two_ticks_that_have_seen_the_same_schedule_one_claims_it(
    keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other has read it before the first one wrote: its UPDATE finds another next time."""
    schedule = keep()

    def while_another_claims(seen: Schedule) -> object:
        Schedule.objects.filter(pk=schedule.pk).update(next_run_at=utc("2026-04-13T07:00"))
        return recurrence_of(seen)

    monkeypatch.setattr(tick, "recurrence_of", while_another_claims)
    assert claim_due(DUE) == 0
    assert not Occurrence.objects.exists()
    assert not Edition.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_many_ticks_at_once_one_claims(settings: DjangoSettings, tmp_path: object) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    workspace = WorkspaceFactory.create(slug="acme")
    member = MembershipFactory.create(workspace=workspace, role=Role.OWNER)
    report = Report.objects.create(workspace=workspace, name="Note", period="last_7", blocks=[TEXT])
    schedules = [
        create_schedule(workspace=workspace, settings=settings_of(content=Content(report=report)), by=member)
        for _ in range(3)
    ]
    gate, counts = threading.Barrier(4), list[int]()

    def claim() -> None:
        try:
            gate.wait(timeout=20)
            counts.append(claim_due(DUE))
        finally:
            connection.close()

    threads = [threading.Thread(target=claim) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sum(counts) == len(schedules)
    assert len(counts) == len(threads)
    assert Occurrence.objects.count() == Edition.objects.count() == len(schedules)


@pytest.mark.parametrize("role", [Role.VIEWER, None])
def test_the_schedule_of_somebody_who_may_no_more_is_paused_with_notice(
    keep: Keep, owner: User, analyst: User, role: Role | None
) -> None:
    schedule = keep()
    if role:
        Membership.objects.filter(user=analyst).update(role=role)
    else:
        of(analyst).delete()
    claim_due(DUE)
    schedule.refresh_from_db()
    assert (schedule.paused_at, schedule.next_run_at) == (DUE, None)
    assert "no longer" in schedule.paused_because
    assert not Occurrence.objects.exists()
    assert AuditEvent.objects.filter(action="schedule.paused", actor=None).count() == 1
    # Those who have left the workspace learn nothing of it any more.
    assert notices() == [((analyst if role else owner).email, "“Weekly note” is paused")]
    assert claim_due(DUE + MINUTE) == 0


def test_a_schedule_whose_owner_is_gone_altogether_is_paused(keep: Keep, owner: User, analyst: User) -> None:
    schedule = keep()
    analyst.delete()
    claim_due(DUE)
    schedule.refresh_from_db()
    assert schedule.paused_at == DUE
    assert [email for email, _ in notices()] == [owner.email]


def test_the_schedule_of_somebody_who_was_deactivated_is_paused(keep: Keep, owner: User, analyst: User) -> None:
    schedule = keep()
    User.objects.filter(pk=analyst.pk).update(is_active=False)
    claim_due(DUE)
    schedule.refresh_from_db()
    assert (schedule.paused_at, schedule.next_run_at) == (DUE, None)
    assert schedule.paused_because == f"{analyst.email} set it up and can no longer sign in."
    assert not Occurrence.objects.exists()
    assert notices() == [(owner.email, "“Weekly note” is paused")]


def test_a_downgrade_pauses_what_the_plan_no_longer_has(shop: Workspace, keep: Keep, analyst: User) -> None:
    set_plan(workspace=shop, plan="professional", by=None)
    shop.refresh_from_db()
    schedule = keep(content=Content(kind="attribution", params={"model": ["data_driven"]}))
    set_plan(workspace=shop, plan="starter", by=None)
    claim_due(DUE)
    schedule.refresh_from_db()
    assert "Data-driven attribution is part of the Professional plan" in schedule.paused_because
    assert not Occurrence.objects.exists()
    assert not Edition.objects.exists()
    assert not Job.objects.exclude(kind="reports.deliver").exists()
    assert notices() == [(analyst.email, "“Attribution” is paused")]


def test_a_month_whose_runs_are_used_up_is_told_of_and_the_schedule_goes_on(
    shop: Workspace, keep: Keep, analyst: User
) -> None:
    Plan.objects.update(runs_a_month=0)
    schedule = keep(content=Content(kind="attribution", params={"model": ["linear"]}))
    claim_due(DUE)
    schedule.refresh_from_db()
    assert (schedule.paused_at, schedule.next_run_at) == (None, utc("2026-04-13T07:00"))
    occurrence = Occurrence.objects.get()
    assert "includes 0 runs a month" in occurrence.problem
    assert (occurrence.edition, Edition.objects.count()) == (None, 0)
    assert not Job.objects.exclude(kind="reports.deliver").exists()
    assert notices() == [(analyst.email, "“Attribution” was not sent")]


def test_a_schedule_that_nobody_gets_any_more_is_paused(keep: Keep) -> None:
    schedule = keep()
    schedule.recipients.filter(email="ann@example.com").update(unsubscribed_at=DUE)
    schedule.recipients.filter(email="bob@example.com").update(rejected_at=DUE)
    claim_due(DUE)
    schedule.refresh_from_db()
    assert "Nobody is left" in schedule.paused_because


def test_a_report_that_was_emptied_is_not_sent_and_its_owner_told(keep: Keep, note: Report, analyst: User) -> None:
    schedule = keep()
    Report.objects.update(blocks=[])
    claim_due(DUE)
    assert "has no blocks any more" in Occurrence.objects.get().problem
    schedule.refresh_from_db()
    assert schedule.next_run_at == utc("2026-04-13T07:00")
    assert notices() == [(analyst.email, "“Weekly note” was not sent")]


def test_a_workspace_that_is_being_deleted_sends_nothing(keep: Keep, shop: Workspace) -> None:
    schedule = keep()
    close_workspace(workspace=shop)
    assert claim_due(DUE) == 0
    schedule.refresh_from_db()
    assert schedule.paused_at is None
    assert not Delivery.objects.exists()


def test_a_part_of_the_tick_that_fails_stops_no_other(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    done = []

    def fail(now: dt.datetime) -> None:
        raise RuntimeError("a fault")

    def go_on(now: dt.datetime) -> None:
        done.append(now)

    monkeypatch.setattr(tasks, "PARTS", (fail, go_on))
    with caplog.at_level(logging.ERROR):
        tasks.tick()
    assert done == [utc("2026-04-01T09:00")]
    assert "a fault" in caplog.text


def test_the_scheduler_asks_for_it_every_few_seconds() -> None:
    from django.conf import settings

    entry: dict[str, Any] = settings.CELERY_BEAT_SCHEDULE["tick-reports"]
    assert entry["task"] == tasks.tick.name
    assert entry["schedule"] <= 10
    assert [part.__name__ for part in tasks.PARTS] == ["claim_due", "send_due", "check_due"]
