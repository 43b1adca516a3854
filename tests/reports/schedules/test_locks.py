"""Editing and ticking at once: both end, as each locks the schedule before the workspace."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection
from pytest_django.fixtures import Settings as DjangoSettings

from accounts.models import Membership, Role
from reports.builder.actions import delete as delete_report
from reports.models import Occurrence, Report, Schedule
from reports.schedules import actions, tick
from reports.schedules.contents import Content
from tests.factories import MembershipFactory, WorkspaceFactory
from tests.reports.schedules.conftest import DAILY, MONDAYS, TEXT, settings_of, utc

DUE = utc("2026-04-02T07:00")
# On SQLite one transaction waits for the whole other; on PostgreSQL they meet in the middle.
A_WHILE_SECONDS = 0.5


@pytest.fixture
def member(transactional_db: None, settings: DjangoSettings, tmp_path: Path) -> Membership:
    settings.MEDIA_ROOT = str(tmp_path)
    return MembershipFactory.create(workspace=WorkspaceFactory.create(slug="acme"), role=Role.OWNER)


@pytest.fixture
def schedule(member: Membership) -> Schedule:
    report = Report.objects.create(workspace=member.workspace, name="Note", period="last_7", blocks=[TEXT])
    settings = settings_of(content=Content(report=report), recurrence=DAILY)
    return actions.create_schedule(workspace=member.workspace, settings=settings, by=member)


def _change(schedule: Schedule, by: Membership) -> None:
    report = Report.objects.get()
    settings = settings_of(name=schedule.name, content=Content(report=report), recurrence=MONDAYS)
    actions.change_schedule(schedule=Schedule.objects.get(), settings=settings, by=by)


def _delete(schedule: Schedule, by: Membership) -> None:
    actions.delete_schedule(schedule=schedule, by=by)


def _delete_with_report(schedule: Schedule, by: Membership) -> None:
    delete_report(report=Report.objects.get(), by=by)


@pytest.mark.parametrize("deed", [_change, _delete, _delete_with_report])
def test_a_deed_and_a_tick_that_meet_both_end(
    schedule: Schedule,
    member: Membership,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    deed: Callable[[Schedule, Membership], None],
) -> None:
    ticking, failures, claimed = threading.Event(), list[BaseException](), list[int]()
    refusal = tick._refusal

    def wait_in_the_claim(locked: Schedule) -> str:
        ticking.set()
        threading.Event().wait(A_WHILE_SECONDS)  # the deed takes what it can get meanwhile
        return refusal(locked)

    monkeypatch.setattr(tick, "_refusal", wait_in_the_claim)

    def run(part: Callable[[], None]) -> None:
        try:
            part()
        except BaseException as failure:  # noqa: BLE001 - the thread's failures are the test's
            failures.append(failure)
        finally:
            connection.close()

    def deed_in_the_middle() -> None:
        assert ticking.wait(timeout=20)
        deed(schedule, member)

    parts = (lambda: claimed.append(tick.claim_due(DUE)), deed_in_the_middle)
    threads = [threading.Thread(target=run, args=(part,)) for part in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert (failures, claimed, caplog.text) == ([], [1], "")
    if deed is _change:
        assert Occurrence.objects.get().due_at == DUE
        assert Schedule.objects.get().next_run_at == utc("2026-04-06T07:00")
    else:
        assert not Schedule.objects.exists()
