"""How long the log of deliveries reaches back."""

import datetime as dt

from jobs import actions as job_actions
from jobs.models import Job
from reports.deliveries.outbox import JOB_KIND
from reports.models import Delivery

KEPT = dt.timedelta(days=400)
REMOVED_AT_ONCE = 500
_ON_ITS_WAY = (Delivery.Status.WAITING, Delivery.Status.SENDING)


def remove_old_deliveries(now: dt.datetime) -> int:
    """Remove the mails that ended long ago; return how many there were.

    One that was sent again stays as long as its copies: they are gone before it goes.
    """
    over = Delivery.objects.filter(created_at__lt=now - KEPT, resends=None).exclude(status__in=_ON_ITS_WAY)
    removed = 0
    while some := list(over.values_list("pk", flat=True)[:REMOVED_AT_ONCE]):
        Delivery.objects.filter(pk__in=some).delete()
        removed += len(some)
    return removed


def forget_ended_jobs() -> None:
    """Forget the jobs of mails that ended without being forgotten: each is when its mail has moved on."""
    ended = Job.objects.filter(kind=JOB_KIND, status__in=Job.ENDED)
    while some := list(ended[:REMOVED_AT_ONCE]):
        for job in some:
            job_actions.forget(job=job)
