"""A report that was made for a schedule of the analyst's, and a mail server."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User, Workspace
from analyses.documents import Document
from jobs.models import Job
from reports.deliveries.outbox import enqueue
from reports.editions import snapshots
from reports.models import Alert, AlertEvent, Delivery, Edition, Occurrence, Recipient, Schedule
from tests.reports.documents import a_document
from tests.smtp_server import mail_server

__all__ = ["mail_server"]

MakeEdition = Callable[..., Edition]
Enqueue = Callable[..., list[Delivery]]
DUE_AT = dt.datetime(2026, 3, 30, 7, tzinfo=dt.UTC)


@pytest.fixture
def make_edition(shop: Workspace) -> MakeEdition:
    """Make a finished edition of a document with invented figures, or of another one."""

    def make(document: Document | None = None) -> Edition:
        document = document or a_document()
        edition = Edition.objects.create(
            workspace=shop,
            job=Job.objects.create(workspace=shop, kind="reports.edition", status=Job.Status.DONE),
            title=document.title,
            start=dt.date(2025, 6, 1),
            end=dt.date(2025, 6, 30),
            definition={"blocks": [], "formats": []},
            trigger=Edition.Trigger.SCHEDULE,
        )
        edition.snapshot = snapshots.write(edition, document, fence=1)
        edition.save(update_fields=["snapshot"])
        return edition

    return make


@pytest.fixture
def schedule(shop: Workspace, analyst: User) -> Schedule:
    return Schedule.objects.create(
        workspace=shop,
        name="Weekly report",
        kind="dashboard",
        period="last_week",
        formats=["csv"],
        frequency=Schedule.Frequency.WEEKLY,
        weekday=0,
        time=dt.time(9),
        zone="Europe/Berlin",
        next_run_at=DUE_AT + dt.timedelta(days=7),
        created_by=analyst,
    )


@pytest.fixture
def occurrence(schedule: Schedule) -> Occurrence:
    return Occurrence.objects.create(schedule=schedule, due_at=DUE_AT, claimed_at=DUE_AT)


@pytest.fixture
def ann(schedule: Schedule) -> Recipient:
    return Recipient.objects.create(schedule=schedule, email="ann@example.org")


@pytest.fixture
def bob(schedule: Schedule) -> Recipient:
    return Recipient.objects.create(schedule=schedule, email="bob@example.org")


@pytest.fixture
def alert_event(shop: Workspace, analyst: User) -> AlertEvent:
    """Something that an alert on revenue noticed, of which carl hears."""
    alert = Alert.objects.create(
        workspace=shop,
        name="Revenue",
        metric="revenue",
        condition="below",
        threshold=100,
        watched_from=dt.date(2026, 3, 1),
        created_by=analyst,
    )
    Recipient.objects.create(alert=alert, email="carl@example.org")
    return AlertEvent.objects.create(alert=alert, day=dt.date(2026, 3, 30), value=80, sentence="Revenue was 80.")


@pytest.fixture
def send(shop: Workspace, occurrence: Occurrence, make_edition: MakeEdition) -> Enqueue:
    """Put the report into the outbox: `send(ann, bob, subject="...")`."""

    def send(*recipients: Recipient, **changes: Any) -> list[Delivery]:
        if "edition" not in changes:
            changes["edition"] = make_edition()
        fields: dict[str, Any] = {
            "workspace": shop,
            "purpose": Delivery.Purpose.REPORT,
            "recipients": recipients,
            "subject": "Weekly report: 1–30 Jun 2025",
            "occurrence": occurrence,
            "formats": ("csv",),
        }
        return enqueue(**(fields | changes))

    return send
