"""A small demo world, and its work carried out, for tests of loading and removing demo data."""

import datetime as dt
from functools import cache

from accounts.models import Workspace
from jobs.execution import execute
from jobs.models import Job
from marketing.demo import DemoWorld, build_world
from marketing.importing.demo import DATASETS

ROWS = 20  # of each table that has as many


@cache
def _half_a_year(end: dt.date) -> DemoWorld:
    return build_world(end, seed=7, days=180)


def small_world(end: dt.date, *, seed: int) -> DemoWorld:
    """The last rows of each table of a demo world; the seed makes no difference."""
    world = _half_a_year(end)
    tables = {name: getattr(world, name).tail(ROWS) for name in DATASETS}
    return DemoWorld(**tables, channels=world.channels, truth=world.truth)


def work(workspace: Workspace) -> None:
    """Carry out the workspace's jobs as a worker does, each once more if it was put back, until nothing moves."""
    for _round in range(3):
        for job in Job.objects.filter(workspace=workspace, status=Job.Status.QUEUED).order_by("pk"):
            execute(job_id=job.pk)
