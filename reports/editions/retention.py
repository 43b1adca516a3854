"""How long editions are kept: the newest of each report and of each schedule for good, the others for 400 days."""

import datetime as dt
import shutil

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from jobs import actions as job_actions
from jobs.models import Job
from reports.editions.snapshots import folder
from reports.models import Delivery, Edition, Occurrence

KEPT = dt.timedelta(days=400)
REMOVED_AT_ONCE = 200
_ON_ITS_WAY = (Delivery.Status.WAITING, Delivery.Status.SENDING)


def remove_old_editions(now: dt.datetime) -> int:
    """Remove the editions whose time is over, with their files and jobs; return how many there were."""
    removed = 0
    while some := list(_over(now).select_related("job")[:REMOVED_AT_ONCE]):
        for edition in some:
            _remove(edition)
        removed += len(some)
    return removed


def _over(now: dt.datetime) -> QuerySet[Edition]:
    """Those that are old enough, made or given up, followed by newer ones, and that no mail waits for."""
    newer = Edition.objects.filter(report=OuterRef("report"), created_at__gt=OuterRef("created_at"))
    newer_times = Occurrence.objects.filter(schedule=OuterRef("schedule"), due_at__gt=OuterRef("due_at"))
    its_times = Occurrence.objects.filter(edition=OuterRef("pk"))
    is_newest_of_schedule = its_times.exclude(Exists(newer_times.filter(_made("edition__"))))
    on_its_way = Delivery.objects.filter(edition=OuterRef("pk"), status__in=_ON_ITS_WAY)
    old = Edition.objects.filter(created_at__lt=now - KEPT, job__status__in=Job.ENDED)
    followed = old.filter(Q(snapshot="") | Q(report=None) | Exists(newer.filter(_made())))
    return followed.exclude(Exists(on_its_way)).exclude(Exists(is_newest_of_schedule) & _made())


def _made(prefix: str = "") -> Q:
    return Q(**{f"{prefix}snapshot__gt": ""})


def _remove(edition: Edition) -> None:
    with transaction.atomic():
        Edition.objects.filter(pk=edition.pk).delete()
        job_actions.forget(job=edition.job)
        transaction.on_commit(lambda: shutil.rmtree(folder(edition), ignore_errors=True))
