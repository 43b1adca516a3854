"""The status page and command: what is in order, what is not, and what to do about it."""

import datetime as dt
import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import redis
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from pytest_django.fixtures import Settings

from accounts.models import User, Workspace
from jobs.child_slots import children_directory, try_lock
from jobs.models import Job
from operations.models import Heartbeat
from operations.status.lines import Line, State, lasting
from operations.status.look import look
from reports.deliveries import pacing
from reports.models import Delivery, Schedule
from tests.operations.test_admin_work import set_up_ticks
from tests.test_every_url import make_schedule
from webhooks.models import Delivery as HookDelivery
from webhooks.models import Endpoint, Message

pytestmark = pytest.mark.django_db


class Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.fixture(autouse=True)
def _all_is_well(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation with nothing to complain of, from which each test takes something away."""
    settings.DATA_DIR = settings.MEDIA_ROOT = tmp_path
    settings.BROKER_DIR = tmp_path / "broker"
    settings.JOB_CHILD_SLOTS = 2
    now = timezone.now()
    for kind in Heartbeat.Kind:
        Heartbeat.objects.create(name=f"{kind} host 1", kind=kind, started_at=now, seen_at=now, heard_at=now)
    set_up_ticks()
    disk_of(monkeypatch, free=500 * 2**30)


def disk_of(monkeypatch: pytest.MonkeyPatch, *, free: int) -> None:
    usage = Usage(total=1000 * 2**30, used=1000 * 2**30 - free, free=free)
    monkeypatch.setattr("operations.status.storage.shutil.disk_usage", lambda _folder: usage)


def line(name: str) -> Line:
    """The line of this name in a look taken now."""
    (found,) = [line for section in look().sections for line in section.lines if line.name == name]
    return found


def test_all_is_well(tmp_path: Path) -> None:
    report = look()
    assert (report.state, report.troubles) == (State.OK, [])
    assert report.version.startswith("0.")
    names = [line.name for section in report.sections for line in section.lines]
    assert names == [
        *("Database", "Migrations", "Cache", "Message broker", "Workers", "Scheduler", "Periodic tasks"),
        *("Waiting", "Running", "Leases", "Failed within 24 h", "Slots"),
        *("Mail server", "Outbox", "Last mail sent", "Mails failed within 24 h", "Webhooks"),
        "Disk of DATA_DIR",
    ]


def test_a_look_takes_the_same_few_queries_however_much_there_is(workspace: Workspace) -> None:
    look()  # what migrations there are is read once
    with CaptureQueriesContext(connection) as few:
        look()
    Job.objects.bulk_create(
        Job(workspace=workspace, kind=f"kind {number % 3}", status=status, finished_at=timezone.now())
        for number, status in enumerate(list(Job.Status) * 20)
    )
    with CaptureQueriesContext(connection) as many:
        look()
    assert len(many) == len(few) <= 25


@pytest.mark.parametrize("status", ["queued", "running", "failed"])
def test_no_look_reads_all_jobs(workspace: Workspace, status: str) -> None:
    """The plans of its queries search indexes: with a million jobs that have ended, it is as fast as with none."""
    if connection.vendor != "sqlite":
        pytest.skip("The plan of a small table says nothing on PostgreSQL, which reads it all.")
    with CaptureQueriesContext(connection) as captured:
        look()
    asked = [query["sql"] for query in captured if '"jobs_job"' in query["sql"] and status in query["sql"]]
    asked += [query["sql"] for query in captured if '"reports_delivery"' in query["sql"]]
    assert asked
    for sql in asked:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
            plan = [str(row[3]) for row in cursor.fetchall()]
        assert not [step for step in plan if step.startswith("SCAN ") and "INDEX" not in step], (sql, plan)


@pytest.mark.parametrize(
    ("kind", "name", "what_to_do"),
    [(Heartbeat.Kind.WORKER, "Workers", "Start a worker"), (Heartbeat.Kind.SCHEDULER, "Scheduler", "Start it")],
)
def test_a_process_that_fell_silent_is_a_problem(kind: str, name: str, what_to_do: str) -> None:
    Heartbeat.objects.filter(kind=kind).update(seen_at=timezone.now() - dt.timedelta(minutes=12))
    silent = line(name)
    assert (silent.state, "12 min ago" in silent.sentence) == (State.PROBLEM, True)
    assert what_to_do in silent.advice
    Heartbeat.objects.filter(kind=kind).delete()
    never = line(name)
    assert (never.state, "ever been seen" in never.sentence or "never been seen" in never.sentence) == (
        *(State.PROBLEM, True),
    )


def test_workers_that_hear_nothing_while_the_scheduler_ticks_are_a_problem() -> None:
    long_ago = timezone.now() - dt.timedelta(minutes=10)
    Heartbeat.objects.filter(kind=Heartbeat.Kind.WORKER).update(started_at=long_ago, heard_at=None)
    deaf = line("Workers")
    assert (deaf.state, "None has taken a message" in deaf.sentence) == (State.PROBLEM, True)
    Heartbeat.objects.filter(kind=Heartbeat.Kind.SCHEDULER).delete()
    assert line("Workers").state == State.OK  # nobody sends anything


def test_a_queue_that_no_worker_takes_from_is_a_problem() -> None:
    worker = Heartbeat.objects.filter(kind=Heartbeat.Kind.WORKER)
    worker.update(queues="default,ticks")
    missing = line("Workers")
    assert missing.state == State.PROBLEM
    assert missing.sentence.endswith("None takes from the queue fits.")
    assert "--queues fits" in missing.advice
    now = timezone.now()
    Heartbeat.objects.create(
        name="worker host 2", kind=Heartbeat.Kind.WORKER, queues="fits", started_at=now, seen_at=now, heard_at=now
    )
    assert line("Workers").state == State.OK


@pytest.mark.parametrize(
    ("tick", "state"),
    [("sweep-jobs", State.PROBLEM), ("tick-reports", State.PROBLEM), ("remove-old-reports", State.WARNING)],
)
def test_a_tick_that_is_off_is_named(tick: str, state: State) -> None:
    PeriodicTask.objects.filter(name=tick).update(enabled=False)
    off = line("Periodic tasks")
    assert (off.state, off.sentence) == (state, f"Switched off: {tick}.")


def test_a_tick_that_no_scheduler_has_set_up_is_named() -> None:
    PeriodicTask.objects.filter(name="sweep-jobs").delete()
    missing = line("Periodic tasks")
    assert (missing.state, missing.sentence) == (State.WARNING, "Not set up yet: sweep-jobs.")


def test_a_migration_that_is_not_applied_is_a_problem() -> None:
    MigrationRecorder.Migration.objects.filter(app="operations").delete()
    pending = line("Migrations")
    sentence = "2 not applied: operations.0001_initial, operations.0002_heartbeat_queues."
    assert (pending.state, pending.sentence) == (State.PROBLEM, sentence)


def test_a_cache_that_forgets_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "set", lambda *_args, **_options: None)  # as a forgiving one does without Redis
    assert line("Cache").state == State.PROBLEM


def test_a_broker_that_is_away_or_full_is_said(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = Path(settings.BROKER_DIR) / "queue"
    queue.mkdir(parents=True)
    (queue / "1.msg").touch()
    assert line("Message broker").sentence == "1 message waits to be taken."
    settings.EMBEDDED, settings.REDIS_URL = False, "redis://127.0.0.1:1/0"
    away = line("Message broker")
    assert (away.state, away.sentence) == (State.PROBLEM, "Redis does not answer: ConnectionError.")
    monkeypatch.setattr(redis.Redis, "llen", lambda _server, name: 5_000 if name == "default" else 0)
    full = line("Message broker")
    assert (full.state, full.sentence) == (State.WARNING, "5,000 messages wait to be taken.")


def add_job(workspace: Workspace, **fields: Any) -> Job:
    created_at = fields.pop("created_at", None)
    job = Job.objects.create(workspace=workspace, kind=fields.pop("kind", "analyses.run"), **fields)
    if created_at:
        Job.objects.filter(pk=job.pk).update(created_at=created_at)
    return job


@pytest.mark.parametrize(("minutes", "state"), [(1, State.OK), (20, State.WARNING), (400, State.PROBLEM)])
def test_what_waits_is_told_by_kind_and_for_how_long(workspace: Workspace, minutes: int, state: State) -> None:
    asked_at = timezone.now() - dt.timedelta(minutes=minutes)
    for kind in ("analyses.run", "analyses.run", "import"):
        add_job(workspace, kind=kind, status=Job.Status.QUEUED, created_at=asked_at)
    waiting = line("Waiting")
    ago = lasting(dt.timedelta(minutes=minutes))
    assert waiting.sentence == f"3: analyses.run 2, import 1. The oldest was asked for {ago} ago."
    assert (waiting.state, waiting.href) == (state, "/admin/jobs/job/?status__exact=queued")


def test_what_runs_far_too_long_is_a_warning(workspace: Workspace, settings: Settings) -> None:
    settings.JOB_CHILD_SECONDS = 3600
    now = timezone.now()
    job = add_job(workspace, status=Job.Status.RUNNING, started_at=now, lease_until=now)
    assert line("Running").state == State.OK
    Job.objects.filter(pk=job.pk).update(started_at=now - dt.timedelta(hours=2))
    assert line("Running").state == State.WARNING


def test_a_lease_that_ran_out_and_was_not_taken_up_is_a_problem(workspace: Workspace) -> None:
    now = timezone.now()
    job = add_job(workspace, status=Job.Status.RUNNING, started_at=now, lease_until=now - dt.timedelta(seconds=30))
    assert line("Leases").state == State.OK  # the sweep comes every few seconds
    Job.objects.filter(pk=job.pk).update(lease_until=now - dt.timedelta(minutes=2))
    left = line("Leases")
    assert (left.state, left.sentence[:6]) == (State.PROBLEM, "1 job ")


def test_failures_of_a_day_are_counted_by_code_and_only_ours_are_a_warning(workspace: Workspace) -> None:
    now = timezone.now()
    for code in ("no_valid_rows", "no_valid_rows", "plan_required"):
        add_job(workspace, status=Job.Status.FAILED, error_code=code, finished_at=now)
    add_job(workspace, status=Job.Status.FAILED, error_code="internal_error", finished_at=now - dt.timedelta(days=2))
    theirs = line("Failed within 24 h")
    assert (theirs.state, theirs.sentence) == (State.OK, "3: no_valid_rows 2, plan_required 1.")
    add_job(workspace, status=Job.Status.FAILED, error_code="worker_lost", finished_at=now)
    ours = line("Failed within 24 h")
    assert (ours.state, "worker_lost" in ours.advice) == (State.WARNING, True)
    assert ours.href == "/admin/jobs/job/?error_code=worker_lost"


def test_slots_that_are_held_are_counted(settings: Settings) -> None:
    slots = children_directory() / "slots"
    slots.mkdir()
    lock = try_lock(slots / "machine-1")
    assert lock is not None
    assert line("Slots").sentence.startswith("1 of 2 ")


@pytest.mark.parametrize(
    ("free", "state"),
    [(200 * 2**30, State.OK), (50 * 2**30, State.WARNING), (2**29, State.WARNING), (50 * 2**20, State.PROBLEM)],
)
def test_a_disk_that_fills_up_is_said_in_time(monkeypatch: pytest.MonkeyPatch, free: int, state: State) -> None:
    disk_of(monkeypatch, free=free)
    assert line("Disk of DATA_DIR").state == state


def test_a_mail_server_that_is_missing_or_away_is_said(workspace: Workspace, owner: User, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    assert line("Mail server").state == State.OK  # of the embedded default
    schedule = make_schedule(workspace, owner)
    assert line("Mail server").state == State.WARNING  # its mails fail
    Schedule.objects.filter(pk=schedule.pk).update(paused_at=timezone.now(), next_run_at=None)
    assert line("Mail server").state == State.OK
    settings.EMBEDDED = False
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert line("Mail server").state == State.WARNING
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    pacing.note_away()
    assert line("Mail server").state == State.PROBLEM


def add_mail(workspace: Workspace, status: str, **fields: Any) -> Delivery:
    return Delivery.objects.create(
        workspace=workspace, purpose="report", email="a@example.com", subject="x", status=status, **fields
    )


def test_mails_that_wait_failed_or_went_out_are_told(workspace: Workspace) -> None:
    now = timezone.now()
    assert line("Last mail sent").sentence.startswith("None")
    add_mail(workspace, "waiting", next_try_at=now + dt.timedelta(minutes=5))
    add_mail(workspace, "sent", sent_at=now - dt.timedelta(minutes=3))
    tried_for_hours = add_mail(workspace, "sent", sent_at=now - dt.timedelta(minutes=1))
    Delivery.objects.filter(pk=tried_for_hours.pk).update(created_at=now - dt.timedelta(hours=4))
    add_mail(workspace, "rejected")
    assert line("Outbox").sentence == "1 wait, 0 are being sent."
    assert line("Last mail sent").sentence == "60 s ago."
    assert (line("Mails failed within 24 h").state, line("Mails failed within 24 h").sentence) == (
        *(State.OK, "1: rejected 1."),
    )
    add_mail(workspace, "failed")
    add_mail(workspace, "waiting", next_try_at=now - dt.timedelta(minutes=6))
    assert line("Outbox").state == State.WARNING
    assert line("Mails failed within 24 h").state == State.WARNING


def test_webhooks_that_should_have_gone_out_are_told(workspace: Workspace) -> None:
    now = timezone.now()
    endpoint = Endpoint.objects.create(workspace=workspace, url="https://hooks.example.com/", secret="x")
    message = Message.objects.create(workspace=workspace, type="run.finished", body="{}", created_at=now)
    telling = HookDelivery.objects.create(endpoint=endpoint, message=message, created_at=now, next_try_at=now)
    assert (line("Webhooks").state, line("Webhooks").sentence) == (State.OK, "1 message waits.")
    HookDelivery.objects.filter(pk=telling.pk).update(next_try_at=now - dt.timedelta(minutes=20))
    assert line("Webhooks").state == State.WARNING
    Endpoint.objects.filter(pk=endpoint.pk).update(rests_until=now + dt.timedelta(hours=1))
    assert line("Webhooks").state == State.OK  # its receiver is away, and nobody's fault


def test_what_cannot_be_looked_at_is_a_problem_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object) -> None:
        raise DatabaseError

    monkeypatch.setattr("operations.status.work.failures", fail)
    unknown = line("Failed")
    assert (unknown.state, unknown.sentence) == (State.PROBLEM, "This cannot be looked at: DatabaseError.")
    monkeypatch.setattr("operations.status.services.database", fail)
    assert [section.title for section in look().sections] == ["Services", "Storage"]
    assert line("Database").state == State.PROBLEM


def test_the_page_is_for_staff_and_says_what_to_do(client_for: Callable[[User | None], Client], owner: User) -> None:
    Heartbeat.objects.all().delete()
    PeriodicTask.objects.filter(name="remove-old-reports").update(enabled=False)
    root = client_for(User.objects.create_superuser("root@example.com"))
    response = root.get("/admin/status/")
    assert response.headers["Cache-Control"].startswith("max-age=0, no-cache, no-store")
    for text in ("Something is wrong.", "No worker lives.", "Start a worker", "Warning", "remove-old-reports"):
        assert text in response.text
    assert root.post("/admin/status/").status_code == 405
    for other in (owner, None):
        assert "/login/" in client_for(other).get("/admin/status/").headers["Location"]


def test_the_command_prints_lines_and_ends_well_when_all_is_well(workspace: Workspace) -> None:
    out = StringIO()
    call_command("status", stdout=out)
    text = out.getvalue()
    assert "Mixed Media Modeling 0." in text
    assert "  ok      Workers" in text


def test_the_command_ends_with_status_1_when_something_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    disk_of(monkeypatch, free=50 * 2**30)
    out = StringIO()
    call_command("status", stdout=out)
    assert "WARNING Disk of DATA_DIR" in out.getvalue()
    with pytest.raises(CommandError) as strict:
        call_command("status", "--strict", stdout=StringIO())
    Heartbeat.objects.all().delete()
    out = StringIO()
    with pytest.raises(CommandError) as wrong:
        call_command("status", "--format", "json", stdout=out)
    assert strict.value.returncode == wrong.value.returncode == 1
    report = json.loads(out.getvalue())
    assert report["state"] == "problem"
    workers = next(line for section in report["sections"] for line in section["lines"] if line["name"] == "Workers")
    assert workers["state"] == "problem"
    assert workers["advice"].startswith("Start a worker")


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (dt.timedelta(seconds=-3), "0 s"),
        (dt.timedelta(seconds=89), "89 s"),
        (dt.timedelta(seconds=90), "1 min"),
        (dt.timedelta(hours=1), "60 min"),
        (dt.timedelta(hours=47), "47 h"),
        (dt.timedelta(days=2), "2 days"),
    ],
)
def test_times_are_told_as_people_tell_them(span: dt.timedelta, words: str) -> None:
    assert lasting(span) == words
