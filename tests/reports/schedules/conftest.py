"""A schedule that costs nothing to make: a report of one text, every Monday at 09:00 in Berlin."""

import datetime as dt
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from accounts.models import Membership, User, Workspace
from jobs.execution import execute
from jobs.models import Job
from reports.models import Report, Schedule
from reports.schedules.actions import Settings, create_schedule
from reports.schedules.calendar import Recurrence
from reports.schedules.contents import Content

ClientFor = Callable[[User | None], Client]
Keep = Callable[..., Schedule]
BERLIN = ZoneInfo("Europe/Berlin")
MONDAYS = Recurrence("weekly", dt.time(9), BERLIN, weekday=0)
DAILY = Recurrence("daily", dt.time(9), BERLIN)
LIST = "/w/acme/settings/schedules/"
TEXT = {"id": "note", "kind": "text", "title": "Note", "params": {"text": "All is well."}}


def of(user: User) -> Membership:
    return Membership.objects.get(workspace__slug="acme", user=user)


def settings_of(**changed: Any) -> Settings:
    """The settings of a schedule: of the dashboard, unless `content` says otherwise."""
    usual: dict[str, Any] = {
        "content": Content(kind="dashboard"),
        "period": "previous_week",
        "formats": ["csv"],
        "recurrence": MONDAYS,
        "recipients": ["ann@example.com", "bob@example.com"],
    }
    return Settings(**usual | changed)


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def work() -> None:
    """Carry out the jobs that wait, and those that these bring, as workers do."""
    while waiting := list(Job.objects.filter(status=Job.Status.QUEUED).order_by("pk").values_list("pk", flat=True)):
        for job_id in waiting:
            execute(job_id=job_id)


@pytest.fixture
def note(shop: Workspace) -> Report:
    """A report of one text, which needs no data."""
    return Report.objects.create(workspace=shop, name="Weekly note", period="previous_week", blocks=[TEXT])


@pytest.fixture
def keep(shop: Workspace, note: Report, analyst: User) -> Keep:
    """Keep a schedule of the note as the analyst, or as `by`: `keep(recurrence=DAILY)`."""

    def keep(by: User = analyst, **changed: Any) -> Schedule:
        settings = settings_of(**{"content": Content(report=note)} | changed)
        return create_schedule(workspace=shop, settings=settings, by=of(by))

    return keep
