"""What workers do with the outbox, one step at a time."""

import datetime as dt

from django.utils import timezone

from jobs.execution import execute
from jobs.models import Job
from reports.deliveries.outbox import JOB_KIND, send_due
from reports.models import Delivery


def carry_out() -> None:
    """Carry out the jobs of the outbox that are queued, as workers do."""
    for job_id in Job.objects.filter(kind=JOB_KIND, status=Job.Status.QUEUED).order_by("pk").values_list("pk"):
        execute(job_id=job_id[0])


def tick(after: dt.timedelta = dt.timedelta()) -> int:
    """What the scheduler does then: new jobs for mails that wait for another try, which workers carry out."""
    submitted = send_due(timezone.now() + after)
    carry_out()
    return submitted


def job_of(delivery: Delivery) -> int:
    """The id of the job that carries it."""
    assert delivery.job_id is not None
    return delivery.job_id


def fresh(delivery: Delivery) -> Delivery:
    return Delivery.objects.get(pk=delivery.pk)
