"""Whether what the product stands on answers: the database, the cache, the broker, and its own processes."""

import secrets
from datetime import datetime, timedelta
from pathlib import Path

import redis
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django_celery_beat.models import PeriodicTask

from mmm_project.admin_links import list_of
from operations.migration_state import missing_migrations
from operations.models import Heartbeat
from operations.status.lines import Line, State, lasting

SILENT_AFTER = timedelta(seconds=100)  # three marks
DEAF_AFTER = timedelta(minutes=3)  # with a tick every few seconds
NEW_FOR = timedelta(minutes=2)  # what has only just started need not have heard anything
MESSAGES_EXPECTED = 1_000
CACHE_KEY = "operations.status"
# Without these nothing recovers, and nothing goes out.
VITAL = ("sweep-jobs", "tick-reports")


def database() -> Line:
    """Raises DatabaseError where it does not answer: nothing else can be asked then."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()
    version = ".".join(map(str, connection.get_database_version()))
    sentence = f"{connection.display_name} {version} answers."
    return Line(name="Database", state=State.OK, sentence=sentence)


def migrations() -> Line:
    missing = missing_migrations()
    if not missing:
        return Line(name="Migrations", state=State.OK, sentence="The database is as this version expects it.")
    shown = ", ".join(missing[:3]) + (" …" if len(missing) > 3 else "")
    return Line(
        name="Migrations",
        state=State.PROBLEM,
        sentence=f"{len(missing)} not applied: {shown}.",
        advice="Run “manage.py migrate”, then restart web, worker and scheduler.",
    )


def cache_answers() -> Line:
    """The cache counts attempts to sign in and calls of the API; a forgiving one says nothing of its failures."""
    said = secrets.token_hex(8)
    cache.set(CACHE_KEY, said, 60)
    where = "in the memory of each process" if settings.EMBEDDED else "in Redis"
    if cache.get(CACHE_KEY) == said:
        return Line(name="Cache", state=State.OK, sentence=f"Kept {where}; it answers.")
    return Line(
        name="Cache",
        state=State.PROBLEM,
        sentence="What is put into the cache is not found in it.",
        advice="See whether Redis runs and REDIS_URL is right: until then, guesses at passwords are not counted.",
    )


def broker() -> Line:
    """How many messages wait for a worker to take them: doorbells, so their number says little, and growth much."""
    try:
        waiting = _files_waiting() if settings.EMBEDDED else _messages_waiting()
    except redis.RedisError as error:
        return Line(
            name="Message broker",
            state=State.PROBLEM,
            sentence=f"Redis does not answer: {type(error).__name__}.",
            advice="See whether Redis runs and REDIS_URL is right. Nothing is lost: jobs wait in the database.",
        )
    sentence = f"{waiting:,} message{'' if waiting == 1 else 's'} wait{'s' if waiting == 1 else ''} to be taken."
    if waiting <= MESSAGES_EXPECTED:
        return Line(name="Message broker", state=State.OK, sentence=sentence)
    advice = "Workers take fewer than come in: see that they live, and start more of them if it grows."
    return Line(name="Message broker", state=State.WARNING, sentence=sentence, advice=advice)


def _messages_waiting() -> int:
    with redis.Redis.from_url(str(settings.REDIS_URL), socket_connect_timeout=1, socket_timeout=1) as server:
        prefix = settings.CELERY_BROKER_TRANSPORT_OPTIONS.get("global_keyprefix", "")
        return sum(server.llen(f"{prefix}{queue.name}") for queue in settings.CELERY_TASK_QUEUES)


def _files_waiting() -> int:
    folder = Path(settings.BROKER_DIR) / "queue"
    return sum(1 for _ in folder.glob("*.msg")) if folder.is_dir() else 0


def workers(now: datetime) -> Line:
    marks = list(Heartbeat.objects.filter(kind=Heartbeat.Kind.WORKER).order_by("-seen_at"))
    living = [one for one in marks if now - one.seen_at < SILENT_AFTER]
    if not living:
        last = f"The last one was seen {lasting(now - marks[0].seen_at)} ago." if marks else "None has ever been seen."
        advice = "Start a worker (docs/operations.md, Processes). What is asked for meanwhile waits and is not lost."
        return Line(name="Workers", state=State.PROBLEM, sentence=f"No worker lives. {last}", advice=advice)
    sentence = f"{len(living)} live{'s' if len(living) == 1 else ''}; seen {lasting(now - living[0].seen_at)} ago."
    deaf = [one for one in living if now - (one.heard_at or one.started_at) > DEAF_AFTER]
    if len(deaf) == len(living) and _scheduler_lives(now):
        advice = "See that workers and scheduler have the same REDIS_URL (or DATA_DIR), then restart the workers."
        sentence = (
            f"{sentence} None has taken a message for {lasting(DEAF_AFTER)} or more, though the scheduler sends some."
        )
        return Line(name="Workers", state=State.PROBLEM, sentence=sentence, advice=advice)
    taken = {queue for one in living for queue in one.queues.split(",")}
    missing = [queue.name for queue in settings.CELERY_TASK_QUEUES if queue.name not in taken]
    if missing and "" not in taken:  # a worker of the version before says nothing of its queues
        sentence = f"{sentence} None takes from the queue{'s' * (len(missing) > 1)} {' and '.join(missing)}."
        advice = f"Start a worker with “--queues {','.join(missing)}”: what waits there waits until then."
        return Line(name="Workers", state=State.PROBLEM, sentence=sentence, advice=advice)
    return Line(name="Workers", state=State.OK, sentence=sentence)


def scheduler(now: datetime) -> Line:
    last = Heartbeat.objects.filter(kind=Heartbeat.Kind.SCHEDULER).order_by("-seen_at").first()
    if last is not None and now - last.seen_at < SILENT_AFTER:
        sentence = f"It ticks; the last tick was seen {lasting(now - last.seen_at)} ago."
        return Line(name="Scheduler", state=State.OK, sentence=sentence)
    when = f"It was last seen {lasting(now - last.seen_at)} ago." if last else "It has never been seen."
    return Line(
        name="Scheduler",
        state=State.PROBLEM,
        sentence=f"The scheduler does not tick. {when}",
        advice="Start it (docs/operations.md, Processes), and see that its ticks are on. What is due goes out then.",
    )


def _scheduler_lives(now: datetime) -> bool:
    return Heartbeat.objects.filter(kind=Heartbeat.Kind.SCHEDULER, seen_at__gt=now - SILENT_AFTER).exists()


def ticks() -> Line:
    """Whether all that the scheduler asks for by itself is switched on: what is off stays off, also over a restart."""
    expected = set(settings.CELERY_BEAT_SCHEDULE)
    known = dict(PeriodicTask.objects.filter(name__in=expected).values_list("name", "enabled"))
    off = sorted(name for name, enabled in known.items() if not enabled)
    href = list_of("django_celery_beat.periodictask")
    if off:
        vital = any(name in VITAL for name in off)
        without = "jobs of dead workers wait and nothing that is due goes out" if vital else "old things pile up"
        return Line(
            name="Periodic tasks",
            state=State.PROBLEM if vital else State.WARNING,
            sentence=f"Switched off: {', '.join(off)}.",
            advice=f"Switch them on again: without them, {without}.",
            href=href,
        )
    if missing := sorted(expected - known.keys()):
        return Line(
            name="Periodic tasks",
            state=State.WARNING,
            sentence=f"Not set up yet: {', '.join(missing)}.",
            advice="Start the scheduler of this version: it sets them up.",
            href=href,
        )
    return Line(name="Periodic tasks", state=State.OK, sentence=f"All {len(expected)} are on.", href=href)
