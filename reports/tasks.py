"""What the scheduler asks for, every few seconds and every night; safe to be asked any number of times."""

import logging
from collections.abc import Callable
from datetime import datetime

from celery import shared_task
from django.utils import timezone as clock

from reports.alerts.checking import check_due
from reports.deliveries.outbox import send_due
from reports.deliveries.retention import forget_ended_jobs, remove_old_deliveries
from reports.editions.retention import remove_old_editions
from reports.schedules.tick import claim_due

logger = logging.getLogger(__name__)

PARTS: tuple[Callable[[datetime], object], ...] = (claim_due, send_due, check_due)


@shared_task(name="reports.tasks.tick", ignore_result=True)
def tick() -> None:
    """Claim the schedules that are due, send the mails that wait, look at what is watched."""
    for part in PARTS:
        try:
            part(clock.now())
        except Exception:
            logger.exception("The tick failed in %s; the next one tries again", part.__name__)


@shared_task(name="reports.tasks.remove_old", ignore_result=True)
def remove_old() -> None:
    """Remove mails and editions that have been kept for as long as they are, and jobs that nobody asks about."""
    now = clock.now()
    remove_old_deliveries(now)
    remove_old_editions(now)
    forget_ended_jobs()
