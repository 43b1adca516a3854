"""What the scheduler asks for every few seconds; safe to be asked any number of times."""

import logging
from collections.abc import Callable
from datetime import datetime

from celery import shared_task
from django.utils import timezone as clock

from reports.alerts.checking import check_due
from reports.deliveries.outbox import send_due
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
