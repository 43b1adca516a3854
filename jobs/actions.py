"""Everything that moves a job from one state to the next, each by a conditional UPDATE and its row count."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

import celery
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts import audit
from accounts.models import ApiKey, User, Workspace
from jobs import handlers, turns
from jobs.models import Job

logger = logging.getLogger(__name__)

EXECUTE_TASK = "jobs.tasks.execute_job"
MAX_ATTEMPTS = 3
DEFERRED_FOR = timedelta(seconds=5)
RUNG_AT_ONCE = 32
WORKER_LOST = (
    "The worker stopped three times while working on this, so it was given up. "
    "A shorter period or a coarser granularity needs less memory and time."
)


@dataclass(frozen=True)
class SweepReport:
    """How many jobs a sweep queued again, failed, cancelled, and rang for."""

    requeued: int = 0
    failed: int = 0
    cancelled: int = 0
    rung: int = 0


def submit(*, workspace: Workspace, kind: str, queue: Job.Queue = Job.Queue.QUICK, ring: bool = True) -> Job:
    """Queue a job in the caller's transaction and, once that commits, ring for a worker.

    With `ring` false the caller executes the job itself; should it not, the sweep rings for a worker.
    """
    job = Job.objects.create(workspace=workspace, kind=kind, queue=queue, rung_at=timezone.now())
    if ring:
        ring_doorbell(job)
    return job


def ring_doorbell(job: Job) -> None:
    """Tell the workers, after commit, that a job waits; a failed ring is logged and harmless: the sweep repeats it.

    Whoever hears it takes the job of the same queue whose turn it is (`turns`), which need not be this one.
    """

    def ring() -> None:
        celery.current_app.send_task(EXECUTE_TASK, args=[job.pk], queue=job.queue, retry=False, ignore_result=True)

    transaction.on_commit(ring, robust=True)


def ring_for_next(*, queue: str) -> None:
    """Ring for a job that waits in the queue, if any does: whoever has ended one asks for the next to be taken."""
    now = timezone.now()
    if (job := turns.ripe(queue, now).order_by("pk").first()) is not None:
        ring_doorbell(job)


def ring_deferred(*, workspace_id: int) -> None:
    """Have the jobs of the workspace that were put off taken up at once: what they waited for has happened."""
    deferred = Job.objects.filter(workspace=workspace_id, status=Job.Status.QUEUED, rung_at=None)
    for job in deferred.order_by("pk"):
        if deferred.filter(pk=job.pk).update(deferred_until=None):
            ring_doorbell(job)


def claim(*, job_id: int) -> Job | None:
    """Take a queued job for this worker, or return None when it is not (or no longer) queued.

    Nobody's turn is looked at: this is for whoever carries out a job of their own.
    """
    now = timezone.now()
    with transaction.atomic():
        claimed = Job.objects.filter(pk=job_id, status=Job.Status.QUEUED).update(
            status=Job.Status.RUNNING,
            fence=F("fence") + 1,
            attempt=F("attempt") + 1,
            lease_until=now + lease(),
            started_at=Coalesce("started_at", now),
            deferred_until=None,
            phase="",
            progress=0,
        )
        return Job.objects.select_related("workspace").get(pk=job_id) if claimed else None


def claim_next(*, queue: str) -> Job | None:
    """Take the job of the queue whose turn it is for this worker; None where none waits that may run now."""
    with turns.decided_alone(queue):
        for job_id in turns.in_turn(queue, timezone.now()):
            if (job := claim(job_id=job_id)) is not None:
                return job
    return None


def lease() -> timedelta:
    """How long a claim stands without a heartbeat."""
    return timedelta(seconds=settings.JOB_LEASE_SECONDS)


def renew_lease(*, job: Job) -> bool:
    """Prolong the lease; False when this claim no longer stands."""
    ours = Job.objects.filter(pk=job.pk, fence=job.fence, status=Job.Status.RUNNING)
    return bool(ours.update(lease_until=timezone.now() + lease()))


def release(*, job: Job, counted: bool, deferred: bool = False, expired_at: datetime | None = None) -> bool:
    """Put a claimed job back into the queue for a later sweep to ring; `counted` keeps the attempt on its account.

    One that is `deferred` is not taken up again for a few seconds. A job that somebody asked to cancel is cancelled
    instead. False when this claim no longer stands, or, with `expired_at`, when its lease has been renewed beyond that.
    """
    ours = Job.objects.filter(pk=job.pk, fence=job.fence, status=Job.Status.RUNNING, cancel_requested=False)
    released = _expired(ours, expired_at).update(
        status=Job.Status.QUEUED,
        attempt=F("attempt") if counted else F("attempt") - 1,
        lease_until=None,
        deferred_until=timezone.now() + DEFERRED_FOR if deferred else None,
        rung_at=None,
        phase="",
        progress=0,
    )
    return bool(released) or end(job=job, status=Job.Status.CANCELLED, expired_at=expired_at)


def _expired(jobs: "QuerySet[Job]", expired_at: datetime | None) -> "QuerySet[Job]":
    """Narrow to jobs whose lease is over by then: a heartbeat between looking and writing must win."""
    return jobs if expired_at is None else jobs.filter(lease_until__lt=expired_at)


def end(
    *, job: Job, status: Job.Status, code: str = "", sentence: str = "", expired_at: datetime | None = None
) -> bool:
    """End `job`, as its caller last saw it, as failed or cancelled; False when it has moved on since (as `release`).

    The kind's `on_end` runs in the same transaction.
    """
    with transaction.atomic():
        seen = _expired(Job.objects.filter(pk=job.pk, fence=job.fence, status=job.status), expired_at)
        ended = seen.update(
            status=status, phase="", lease_until=None, finished_at=timezone.now(), error_code=code, error=sentence
        )
        if ended:
            job.refresh_from_db()
            handlers.get(job.kind).on_end(job)
    return bool(ended)


def request_cancel(*, job: Job, by: User | None, api_key: ApiKey | None = None) -> bool:
    """Cancel a queued job at once; ask the worker of a running one to stop. False when the job has already ended."""
    with transaction.atomic():
        unfinished = Job.objects.filter(pk=job.pk, status__in=[Job.Status.QUEUED, Job.Status.RUNNING])
        if not unfinished.filter(cancel_requested=False).update(cancel_requested=True):
            return unfinished.exists()  # asked already: once is enough, and once on record
        # The row is locked by the update, so what is read here is what holds.
        job.refresh_from_db()
        if job.status == Job.Status.QUEUED:
            end(job=job, status=Job.Status.CANCELLED)
        audit.record(
            workspace=job.workspace, action="job.cancelled", target=f"{job.kind} {job.pk}", actor=by, api_key=api_key
        )
    return True


def forget(*, job: Job) -> None:
    """Delete an ended job whose work is no longer wanted; in the transaction that deletes what it worked on."""
    Job.objects.filter(pk=job.pk, status__in=Job.ENDED).delete()


def forget_some(*, workspace: Workspace, at_once: int) -> int:
    """Delete some ended jobs of a workspace that is being deleted, once nothing refers to them; return how many."""
    ended = Job.objects.filter(workspace=workspace, status__in=Job.ENDED)
    some = list(ended.order_by("pk").values_list("pk", flat=True)[:at_once])
    Job.objects.filter(pk__in=some).delete()
    return len(some)


def sweep(*, now: datetime | None = None) -> SweepReport:
    """Set right what a crash left behind: expired leases, doorbells that nobody answered, remains of failed work."""
    now = now or timezone.now()
    counts = {"requeued": 0, "failed": 0, "cancelled": 0, "rung": 0}
    for job in Job.objects.filter(status=Job.Status.RUNNING, lease_until__lt=now):
        if outcome := _recover(job, now):
            counts[outcome] += 1
    counts["rung"] = _ring_unanswered(now)
    for sweeper in handlers.sweepers():
        try:
            sweeper()
        except Exception:
            # One app's clearing-up must not keep the others' jobs from being recovered.
            logger.exception("A sweeper failed")
    return SweepReport(**counts)


def _recover(job: Job, now: datetime) -> str | None:
    """Queue a job whose worker fell silent again, or end it; return which, or None when it has moved on meanwhile."""
    try:
        if job.cancel_requested:
            return "cancelled" if end(job=job, status=Job.Status.CANCELLED, expired_at=now) else None
        if job.attempt >= MAX_ATTEMPTS:
            ended = end(job=job, status=Job.Status.FAILED, code="worker_lost", sentence=WORKER_LOST, expired_at=now)
            return "failed" if ended else None
        return "requeued" if release(job=job, counted=True, expired_at=now) else None
    except Exception:
        # An `on_end` that fails: its job is tried again by the next sweep, the other jobs now.
        logger.exception("Could not recover job %s", job.pk)
        return None


def _ring_unanswered(now: datetime) -> int:
    """Ring again for queued jobs that nobody came for; of several sweeps at once, one rings for a job.

    For the oldest of each queue, as whoever ends a job rings for the next one: that suffices to get the workers going.
    """
    rung = 0
    unanswered = Q(rung_at=None) | Q(rung_at__lt=now - timedelta(seconds=settings.JOB_RING_AGAIN_SECONDS))
    for queue in Job.Queue.values:
        for job in turns.ripe(queue, now).filter(unanswered).order_by("pk")[:RUNG_AT_ONCE]:
            if Job.objects.filter(unanswered, pk=job.pk, status=Job.Status.QUEUED).update(rung_at=now):
                ring_doorbell(job)
                rung += 1
    return rung
