"""Whose turn it is in a queue: every workspace gets its share of the workers, however much another one asks for.

The workspace with the fewest jobs running comes first, of several the one that was served the longest ago; its oldest
job is taken. One that has as many running as it may waits, and keeps nobody else waiting.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, Exists, Min, OuterRef, QuerySet, Subquery

from accounts.models import Workspace
from accounts.plans import plan_of
from jobs import handlers
from jobs.models import Job

_LOCK = 0x6D6D6D71  # of our own among PostgreSQL's advisory locks
_BEGINNING = dt.datetime.min.replace(tzinfo=dt.UTC)


@contextmanager
def decided_alone(queue: str) -> Iterator[None]:
    """A transaction in which no other worker takes a job of the queue, so that what was counted still holds.

    SQLite has one writer at a time anyway. With PostgreSQL the lock is advisory: no row waits for it.
    """
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, Job.Queue.values.index(queue)])
        yield


def ripe(queue: str, now: dt.datetime) -> QuerySet[Job]:
    """Return the jobs that wait in the queue, are not put off, and have none to wait for (`handlers.one_at_a_time`)."""
    alone = handlers.one_at_a_time()
    running = Job.objects.filter(workspace=OuterRef("workspace"), status=Job.Status.RUNNING, kind__in=alone)
    waiting = Job.objects.filter(status=Job.Status.QUEUED, queue=queue)
    return waiting.exclude(deferred_until__gt=now).exclude(Exists(running), kind__in=alone)


def in_turn(queue: str, now: dt.datetime) -> Iterator[int]:
    """Yield the ids of jobs to take, the oldest of each workspace that may have one more running, in turn."""
    oldest = dict(ripe(queue, now).order_by().values_list("workspace").annotate(first=Min("pk")))
    if not oldest:
        return
    theirs = Job.objects.filter(workspace__in=oldest, queue=queue).order_by()
    running = dict(theirs.filter(status=Job.Status.RUNNING).values_list("workspace").annotate(jobs=Count("pk")))
    last = (
        theirs.filter(workspace=OuterRef("pk"), started_at__isnull=False).order_by("-started_at").values("started_at")
    )
    served = dict(Workspace.objects.filter(pk__in=oldest).values_list("pk").annotate(last=Subquery(last[:1])))

    def turn(workspace_id: int) -> tuple[int, dt.datetime, int]:
        return running.get(workspace_id, 0), served.get(workspace_id) or _BEGINNING, oldest[workspace_id]

    for workspace_id in sorted(oldest, key=turn):
        if running.get(workspace_id, 0) < at_once(workspace_id, queue):
            yield oldest[workspace_id]


def at_once(workspace_id: int, queue: str) -> float:
    """Return how many jobs of the workspace may run at once in the queue: fits as its plan says."""
    if queue != Job.Queue.FITS:
        return float(settings.JOBS_OF_A_WORKSPACE)
    fits = plan_of(Workspace.objects.get(pk=workspace_id)).concurrent_fits
    return float("inf") if fits is None else max(fits, 1)
