"""A look at the whole service, within a fraction of a second: a few questions to indexes; nothing is changed."""

import logging
import time
import tomllib
from collections.abc import Callable, Iterable
from functools import cache as once
from pathlib import Path

import django
from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.utils import timezone as clock

from operations.status import sending, services, storage, work
from operations.status.lines import Line, Report, Section, State

logger = logging.getLogger(__name__)

ASK_THE_LOG = "The log of this process says more. Where a table is missing, run “manage.py migrate”."
ASK_THE_DATABASE = "See that the database runs and that DATABASE_URL is right. Nothing else works until then."


def look() -> Report:
    """Look at everything. What cannot be looked at is a problem of its own, and raises nothing."""
    now, began = clock.now(), time.perf_counter()
    foundation = _lines("Database", lambda: [services.database()], advice=ASK_THE_DATABASE)
    if foundation[0].state is State.OK:
        sections = [
            Section(
                title="Services",
                lines=[
                    *foundation,
                    *_lines("Migrations", lambda: [services.migrations()]),
                    *_lines("Cache", lambda: [services.cache_answers()]),
                    *_lines("Message broker", lambda: [services.broker()]),
                    *_lines("Workers", lambda: [services.workers(now)]),
                    *_lines("Scheduler", lambda: [services.scheduler(now)]),
                    *_lines("Periodic tasks", lambda: [services.ticks()]),
                ],
            ),
            Section(
                title="Work",
                lines=[
                    *_lines("Queue", lambda: work.queue(now)),
                    *_lines("Leases", lambda: [work.expired_leases(now)]),
                    *_lines("Failed", lambda: [work.failures(now)]),
                    *_lines("Slots", lambda: [work.slots()]),
                ],
            ),
            Section(
                title="Mails and webhooks",
                lines=[
                    *_lines("Mail server", lambda: [sending.mail_server()]),
                    *_lines("Mails", lambda: sending.mails(now)),
                    *_lines("Webhooks", lambda: [sending.hooks(now)]),
                ],
            ),
        ]
    else:
        sections = [Section(title="Services", lines=foundation)]
    sections.append(Section(title="Storage", lines=_lines("Disk", storage.disks)))
    return Report(version=version(), at=now, took=time.perf_counter() - began, sections=sections)


@once
def version() -> str:
    """Return the product's version, and what it runs on."""
    project = tomllib.loads(Path(settings.BASE_DIR, "pyproject.toml").read_text())["project"]
    return f"{project['version']} (Django {django.get_version()})"


def _lines(name: str, ask: Callable[[], Iterable[Line]], *, advice: str = ASK_THE_LOG) -> list[Line]:
    """Return the answer; or one line that says that there is none."""
    try:
        return list(ask())
    except (DatabaseError, InterfaceError, OSError) as error:
        logger.exception("The status of %s could not be found out", name)
        return [
            Line(
                name=name,
                state=State.PROBLEM,
                sentence=f"This cannot be looked at: {type(error).__name__}.",
                advice=advice,
            )
        ]
