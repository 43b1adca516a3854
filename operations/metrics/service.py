"""The service as the database knows it: jobs, mails, webhooks, imports, processes and disks.

Gauges, looked up when somebody asks: workers need no port for them, one web process tells of all. What has ended is
counted over the last hour, so that the look-up is as quick after years as on the first day.
"""

import shutil
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.db.models import Avg, Count, F, Max, Min, QuerySet, Sum
from django.utils import timezone as clock
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from jobs.models import Job
from marketing.models import Import
from operations.models import Heartbeat
from operations.status import look, services, work
from reports.models import Delivery as Mail
from reports.models import Schedule
from webhooks.models import Delivery as Hook

SECONDS_KEPT = 5.0
LAST_HOUR = timedelta(hours=1)
OVERDUE_AFTER = timedelta(minutes=5)
NEWEST_HOOKS = 5_000  # of which those of the last hour are counted: no index leads to them
SECONDS_FOR_REDIS = 1.0
Families = Iterator[GaugeMetricFamily]


class Service(Collector):
    """Looks everything up, at most once in `SECONDS_KEPT`, whoever asks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: list[GaugeMetricFamily] = []
        self._kept_until = 0.0

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Nothing: without this, the registry would look everything up to learn the names."""
        return []

    def collect(self) -> Iterable[GaugeMetricFamily]:
        with self._lock:
            if time.monotonic() >= self._kept_until:
                self._kept = list(_look_up())
                self._kept_until = time.monotonic() + SECONDS_KEPT
            return self._kept


def exposition() -> bytes:
    """Return the service's state in Prometheus's text format."""
    return generate_latest(_registry)


_registry = CollectorRegistry()
_registry.register(Service())


def _look_up() -> Families:
    """Yield all metrics; without a database, those that need none."""
    yield _gauge("mmm_build_info", "Always 1; the label is the version.", {(look.version(),): 1}, ["version"])
    yield from _disks()
    yield from _redis()
    now = clock.now()
    try:
        found = [*_jobs(now), *_ended_jobs(now), *_mails(now), *_hooks(now), *_imports(now), *_processes(now)]
    except (DatabaseError, InterfaceError):
        yield _gauge("mmm_database_up", "Whether the database answers.", {(): 0})
        return
    yield _gauge("mmm_database_up", "Whether the database answers.", {(): 1})
    yield from found


def _jobs(now: datetime) -> Families:
    live = Job.objects.filter(status__in=work.LIVE).order_by()
    rows = list(live.values("queue", "kind", "status").annotate(jobs=Count("pk"), first=Min("created_at")))
    oldest = dict.fromkeys(((queue,) for queue in Job.Queue.values), 0.0)
    for row in rows:
        if row["status"] == Job.Status.QUEUED:
            key = (row["queue"],)
            oldest[key] = max(oldest.get(key, 0.0), (now - row["first"]).total_seconds())
    counts = {
        status: {(row["queue"], row["kind"]): row["jobs"] for row in rows if row["status"] == status}
        for status in work.LIVE
    }
    labels = ["queue", "kind"]
    yield _gauge("mmm_jobs_queued", "Jobs that wait for a worker.", counts[Job.Status.QUEUED], labels)
    yield _gauge("mmm_jobs_running", "Jobs that are being carried out.", counts[Job.Status.RUNNING], labels)
    yield _gauge("mmm_jobs_oldest_queued_seconds", "How long the oldest queued job has waited.", oldest, ["queue"])
    expired = Job.objects.filter(status=Job.Status.RUNNING, lease_until__lt=now - work.GRACE).count()
    yield _gauge("mmm_jobs_expired_leases", "Jobs of silent workers that no sweep has taken up.", {(): expired})


def _ended_jobs(now: datetime) -> Families:
    ended = Job.objects.filter(status__in=Job.ENDED, finished_at__gt=now - LAST_HOUR).order_by()
    rows: list[Mapping[str, Any]] = [
        *ended.values("kind", "status").annotate(
            jobs=Count("pk"),
            waited=Avg(F("started_at") - F("created_at")),
            longest_waited=Max(F("started_at") - F("created_at")),
            ran=Avg(F("finished_at") - F("started_at")),
            longest_ran=Max(F("finished_at") - F("started_at")),
        )
    ]
    labels = ["kind", "status"]
    counts = {(row["kind"], row["status"]): row["jobs"] for row in rows}
    yield _gauge("mmm_jobs_ended_last_hour", "Jobs that ended within an hour.", counts, labels)
    for name, field, help_text in (
        (
            "mmm_jobs_waited_seconds_mean_last_hour",
            "waited",
            "Seconds from being asked for to being begun, on average.",
        ),
        (
            "mmm_jobs_waited_seconds_max_last_hour",
            "longest_waited",
            "Seconds from being asked for to being begun, at most.",
        ),
        ("mmm_jobs_run_seconds_mean_last_hour", "ran", "Seconds from being begun to the end, on average."),
        ("mmm_jobs_run_seconds_max_last_hour", "longest_ran", "Seconds from being begun to the end, at most."),
    ):
        spans = {(row["kind"], row["status"]): row[field].total_seconds() for row in rows if row[field] is not None}
        yield _gauge(name, help_text, spans, labels)
    failed = ended.filter(status=Job.Status.FAILED).values_list("error_code").annotate(jobs=Count("pk"))
    codes = dict.fromkeys(((code,) for code in work.OURS), 0) | {(code,): jobs for code, jobs in failed}
    yield _gauge("mmm_jobs_failed_last_hour", "Jobs that failed within an hour, by the reason.", codes, ["code"])


def _mails(now: datetime) -> Families:
    waiting = (Mail.Status.WAITING, Mail.Status.SENDING)
    yield _gauge(
        "mmm_mails",
        "Mails that wait or are being sent.",
        _by_status(Mail.objects.filter(status__in=waiting), waiting),
        ["status"],
    )
    ended = [status for status in Mail.Status if status not in waiting]
    recent = Mail.objects.filter(status__in=ended, created_at__gt=now - LAST_HOUR)
    yield _gauge(
        "mmm_mails_last_hour", "Mails of the last hour, by how they ended.", _by_status(recent, ended), ["status"]
    )
    overdue = Mail.objects.filter(status=Mail.Status.WAITING, next_try_at__lt=now - OVERDUE_AFTER).count()
    yield _gauge("mmm_mails_overdue", "Mails that should have been tried five minutes ago.", {(): overdue})
    late = Schedule.objects.filter(next_run_at__lt=now - OVERDUE_AFTER).count()
    yield _gauge("mmm_schedules_overdue", "Schedules that should have begun five minutes ago.", {(): late})


def _hooks(now: datetime) -> Families:
    waiting = (Hook.Status.PENDING, Hook.Status.SENDING)
    live = Hook.objects.filter(status__in=waiting, endpoint__disabled_at=None)
    yield _gauge("mmm_webhooks", "Webhook messages that wait or are being sent.", _by_status(live, waiting), ["status"])
    ended = [status for status in Hook.Status if status not in waiting]
    newest = Hook.objects.order_by("-pk").values_list("status", "created_at")[:NEWEST_HOOKS]
    counts = dict.fromkeys(((str(status),) for status in ended), 0)
    for status, created_at in newest:
        if (status,) in counts and created_at > now - LAST_HOUR:
            counts[status,] += 1
    yield _gauge(
        "mmm_webhooks_last_hour",
        f"Webhook messages of the last hour, by how they ended; of the newest {NEWEST_HOOKS:,}.",
        counts,
        ["status"],
    )


def _imports(now: datetime) -> Families:
    ended = Import.objects.filter(job__status=Job.Status.DONE, job__finished_at__gt=now - LAST_HOUR).order_by()
    sums = {"accepted": Sum("accepted"), "rejected": Sum("rejected"), "duplicate": Sum("duplicates")}
    rows: list[Mapping[str, Any]] = [*ended.values("dataset").annotate(**sums)]
    counts = {(row["dataset"], outcome): row[outcome] for row in rows for outcome in sums}
    yield _gauge(
        "mmm_import_rows_last_hour", "Rows of imports that ended within an hour.", counts, ["dataset", "outcome"]
    )


def _processes(now: datetime) -> Families:
    marks = Heartbeat.objects.filter(seen_at__gt=now - services.SILENT_AFTER)
    workers = dict.fromkeys(((queue.name,) for queue in settings.CELERY_TASK_QUEUES), 0)
    schedulers = 0
    for kind, queues in marks.values_list("kind", "queues"):
        if kind == Heartbeat.Kind.SCHEDULER:
            schedulers += 1
        for queue in queues.split(","):
            if (queue,) in workers:
                workers[queue,] += 1
    yield _gauge("mmm_workers", "Living workers by the queue that they take from.", workers, ["queue"])
    yield _gauge("mmm_schedulers", "Living schedulers.", {(): schedulers})


def _disks() -> Families:
    free, total = {}, {}
    for name, folder in (("DATA_DIR", Path(settings.DATA_DIR)), ("MEDIA_ROOT", Path(settings.MEDIA_ROOT))):
        there = next(place for place in (folder, *folder.parents) if place.exists())  # it is made when it is needed
        usage = shutil.disk_usage(there)
        free[name,], total[name,] = usage.free, usage.total
    yield _gauge("mmm_disk_free_bytes", "Free bytes on the file system of a folder.", free, ["folder"])
    yield _gauge("mmm_disk_total_bytes", "Bytes of the file system of a folder.", total, ["folder"])


def _redis() -> Families:
    """Of a production installation: whether Redis answers, and how many doorbells wait in it."""
    if settings.EMBEDDED:
        return
    waits = {"socket_connect_timeout": SECONDS_FOR_REDIS, "socket_timeout": SECONDS_FOR_REDIS}
    prefix = settings.CELERY_BROKER_TRANSPORT_OPTIONS.get("global_keyprefix", "")
    try:
        with redis.Redis.from_url(str(settings.REDIS_URL), **waits) as server:
            messages = {(queue.name,): server.llen(f"{prefix}{queue.name}") for queue in settings.CELERY_TASK_QUEUES}
    except redis.RedisError:
        yield _gauge("mmm_redis_up", "Whether Redis answers.", {(): 0})
        return
    yield _gauge("mmm_redis_up", "Whether Redis answers.", {(): 1})
    yield _gauge("mmm_broker_messages", "Messages that wait for a worker.", messages, ["queue"])


def _by_status(rows: "QuerySet[Mail] | QuerySet[Hook]", statuses: Iterable[str]) -> dict[tuple[str, ...], int]:
    counted = dict(rows.order_by().values_list("status").annotate(rows=Count("pk")))
    return {(str(status),): counted.get(str(status), 0) for status in statuses}


def _gauge(name: str, help_text: str, values: Mapping[Any, float], labels: Iterable[str] = ()) -> GaugeMetricFamily:
    """`values`: the values of the labels -> the metric's value."""
    family = GaugeMetricFamily(name, help_text, labels=list(labels))
    for labelled, value in sorted(values.items()):
        family.add_metric(labelled, value)
    return family
