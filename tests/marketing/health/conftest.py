"""A shop with half a year of the demo world, in which days are missing, that was looked at this morning."""

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import celery
import pytest
import time_machine
from pytest_django.fixtures import Settings

from accounts.models import Workspace
from jobs.actions import submit
from jobs.execution import execute
from jobs.models import Job
from marketing.health.reports import JOB_KIND
from marketing.receivers import create_default_goals
from tests.marketing.health.loading import load_world
from tests.marketing.health.worlds import YESTERDAY, world_with

THIS_MORNING = dt.datetime.combine(YESTERDAY + dt.timedelta(1), dt.time(9), tzinfo=dt.UTC)
DAYS = 180


@pytest.fixture
def morning(monkeypatch: pytest.MonkeyPatch) -> Iterator[time_machine.Traveller]:
    """The morning after the demo world's last day, until the test moves on; no worker hears a doorbell."""
    monkeypatch.setattr(celery.current_app, "send_task", lambda *_args, **_kwargs: None)
    with time_machine.travel(THIS_MORNING, tick=False) as traveller:
        yield traveller


@pytest.fixture
def shop(workspace: Workspace, tmp_path: Path, settings: Settings, morning: time_machine.Traveller) -> Workspace:
    """A workspace with goals and nothing else; its files are this test's alone."""
    settings.MEDIA_ROOT = str(tmp_path / "media")
    create_default_goals(workspace=workspace)
    return workspace


@pytest.fixture
def load(shop: Workspace, tmp_path: Path) -> Callable[..., Workspace]:
    """`load("spend_gap")` imports half a year with these faults into the shop."""

    def load(*faults: str) -> Workspace:
        world, _ = world_with(*faults, days=DAYS)
        load_world(shop, world, tmp_path)
        return shop

    return load


@pytest.fixture
def look(shop: Workspace) -> Callable[[], Job]:
    """Carry out a look at the shop's data, as a worker does."""

    def look() -> Job:
        job = submit(workspace=shop, kind=JOB_KIND, ring=False)
        execute(job_id=job.pk)
        return Job.objects.get(pk=job.pk)

    return look
