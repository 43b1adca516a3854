"""Lists ask the database as often however long they are."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User, Workspace
from jobs.models import Job
from marketing.importing.dimensions import create_channel
from marketing.models import Campaign, Channel
from reports.models import Alert, AlertEvent, Delivery, Edition, Occurrence, Recipient, Report, Schedule
from tests.reports.api.conftest import listed
from tests.reports.conftest import NOW

Make = Callable[[Workspace, User, int], object]


def a_report(shop: Workspace, owner: User, number: int) -> Report:
    campaign = Campaign.objects.create(workspace=shop, name=f"Campaign {number}")
    return Report.objects.create(
        workspace=shop, name=f"Report {number}", period="last_7", campaign=campaign, created_by=owner
    )


def an_edition(shop: Workspace, owner: User, number: int) -> Edition:
    job = Job.objects.create(workspace=shop, kind="reports.edition", status=Job.Status.DONE)
    report = Report.objects.filter(workspace=shop).first() or a_report(shop, owner, 0)
    return Edition.objects.create(
        workspace=shop,
        report=report,
        job=job,
        title=f"Edition {number}",
        start=NOW.date(),
        end=NOW.date(),
        definition={"blocks": [], "formats": [], "campaign": None},
        requested_by=owner,
        trigger=Edition.Trigger.API,
    )


def a_schedule(shop: Workspace, owner: User, number: int) -> Schedule:
    schedule = Schedule.objects.create(
        workspace=shop,
        name=f"Schedule {number}",
        report=a_report(shop, owner, number + 1000),
        period="last_7",
        formats=["pdf"],
        frequency="daily",
        time=dt.time(9),
        zone="UTC",
        next_run_at=NOW,
        created_by=owner,
    )
    for name in ("ann", "bob"):
        Recipient.objects.create(schedule=schedule, email=f"{name}@example.com")
    for day in range(2):
        an_occurrence(schedule, owner, number, day)
    return schedule


def an_occurrence(schedule: Schedule, owner: User, number: int, day: int) -> Occurrence:
    edition = an_edition(schedule.workspace, owner, number)
    at = NOW - dt.timedelta(day)
    occurrence = Occurrence.objects.create(schedule=schedule, due_at=at, claimed_at=at, edition=edition)
    a_delivery(schedule.workspace, owner, number, occurrence)
    return occurrence


def a_delivery(shop: Workspace, owner: User, number: int, occurrence: Occurrence | None = None) -> Delivery:
    return Delivery.objects.create(
        workspace=shop,
        purpose=Delivery.Purpose.REPORT,
        email=f"p{number}@example.com",
        occurrence=occurrence,
        edition=occurrence.edition if occurrence else None,
        recipient=occurrence.schedule.recipients.first() if occurrence else None,
        requested_by=owner,
        subject="Report",
        status=Delivery.Status.SENT,
    )


def an_alert(shop: Workspace, owner: User, number: int) -> Alert:
    alert = Alert.objects.create(
        workspace=shop,
        name=f"Alert {number}",
        metric="spend",
        condition="above",
        threshold=1,
        channel=create_channel(workspace=shop, name=f"Channel {number}", type=Channel.Type.PAID),
        watched_from=NOW.date(),
        created_by=owner,
    )
    Recipient.objects.create(alert=alert, email="ann@example.com")
    AlertEvent.objects.create(alert=alert, day=NOW.date(), value=2, sentence="So.")
    return alert


def queries(client: Client, path: str, rows: int) -> int:
    """How many queries the list takes, of so many rows; without those of a key that has just begun to call."""
    listed(client, path)
    with CaptureQueriesContext(connection) as captured:
        assert len(listed(client, path)) == rows
    return len(captured)


@pytest.mark.parametrize(
    ("path", "make", "each"),
    [
        ("reports/", a_report, 1),
        ("editions/", an_edition, 1),
        ("schedules/", a_schedule, 1),
        ("deliveries/", a_schedule, 2),
        ("alerts/", an_alert, 1),
    ],
)
def test_twelve_rows_take_as_many_queries_as_two(
    program: Client, shop: Workspace, owner: User, path: str, make: Make, each: int
) -> None:
    for number in range(2):
        make(shop, owner, number)
    few = queries(program, path, 2 * each)
    for number in range(2, 12):
        make(shop, owner, number)
    assert queries(program, path, 12 * each) == few


def test_of_occurrences_too(program: Client, shop: Workspace, owner: User) -> None:
    schedule = a_schedule(shop, owner, 0)
    path = f"schedules/{schedule.pk}/occurrences/"
    few = queries(program, path, 2)
    for day in range(2, 12):
        an_occurrence(schedule, owner, 0, day)
    assert queries(program, path, 12) == few


def test_of_events_too(program: Client, shop: Workspace, owner: User) -> None:
    alert = an_alert(shop, owner, 0)
    path = f"alerts/{alert.pk}/events/"
    few = queries(program, path, 1)
    for day in range(1, 12):
        AlertEvent.objects.create(alert=alert, day=NOW.date() - dt.timedelta(day), value=2, sentence="So.")
    assert queries(program, path, 12) == few
