"""Carrying out one job: claim it, keep its lease alive, run its handler, and end it in a state with a sentence."""

import logging
import threading
import uuid
from collections.abc import Callable
from contextlib import nullcontext
from types import TracebackType

from django.conf import settings
from django.db import Error as DatabaseProblem
from django.db import InterfaceError, OperationalError, close_old_connections, connection
from structlog.contextvars import bound_contextvars

from jobs import actions, handlers
from jobs.child_slots import free_slot
from jobs.handlers import JobCancelled, JobDeferred, JobFailed, LeaseLost
from jobs.models import Job
from jobs.progress import Progress
from mmm_project.outages import STORAGE_FULL, is_storage_full

logger = logging.getLogger(__name__)

DATABASE_LOST = "The database could not be reached three times in a row. Try again in a few minutes."
OUT_OF_MEMORY = "This needed more memory than the server has. Try a shorter period or a coarser granularity."


def execute(*, job_id: int, on_progress: Callable[[str, float], None] | None = None) -> None:
    """Claim the job and see it to its end; does nothing when it is not queued, so any number of calls is safe.

    Neither where its queue is one for fits and this machine has no slot free: then nothing is claimed. `on_progress`
    hears each progress report that is written. Raises nothing that the job did wrong: that is in its row.
    """
    queue = Job.objects.filter(pk=job_id).values_list("queue", flat=True).first()
    if queue is not None:
        _take(queue, lambda: actions.claim(job_id=job_id), on_progress)


def execute_next(*, queue: str) -> None:
    """Claim the job of the queue whose turn it is and see it to its end; does nothing without one, or without room."""
    _take(queue, lambda: actions.claim_next(queue=queue), None)


def _take(queue: str, claim: Callable[[], Job | None], on_progress: Callable[[str, float], None] | None) -> None:
    with free_slot() if queue == Job.Queue.FITS else nullcontext(enter_result=True) as room:
        job = claim() if room else None
        if job is None:
            return
        doing = bound_contextvars(job_id=job.pk, job_kind=job.kind, workspace=job.workspace.slug)
        with _Heartbeat(job) as heartbeat, doing:
            _run(job, Progress(job, lease_lost=heartbeat.lease_lost, on_progress=on_progress))
    # Not before the slot is free and the workspace has one running less: the next one needs both.
    actions.ring_for_next(queue=queue)


def _run(job: Job, progress: Progress) -> None:
    """Run the handler; whatever happens, the job moves on from this claim, unless the database itself is away."""
    try:
        handlers.get(job.kind).execute(job, progress)
        if not progress.completed:
            progress.complete(lambda: None)
    except JobCancelled:
        actions.end(job=job, status=Job.Status.CANCELLED)
    except JobDeferred:
        actions.release(job=job, counted=False, deferred=True)
    except LeaseLost:
        logger.warning("Job %s went on elsewhere: claim %s was given up", job.pk, job.fence)
    except JobFailed as failure:
        _fail(job, failure.code, failure.sentence)
    except (OperationalError, InterfaceError) as error:
        logger.exception("Job %s lost the database", job.pk)
        if is_storage_full(error):
            _fail(job, "storage_full", STORAGE_FULL)
        else:
            _retry_later(job)
    except MemoryError:
        _fail(job, "out_of_memory", OUT_OF_MEMORY)
    except Exception as error:
        if is_storage_full(error):
            _fail(job, "storage_full", STORAGE_FULL)
        else:
            error_id = uuid.uuid4().hex[:8]
            logger.exception("Job %s failed, error %s", job.pk, error_id)
            _fail(job, "internal_error", f"Something went wrong on our side. Please report it as error {error_id}.")
    except BaseException:
        # Told to stop (Ctrl-C): another worker need not wait for the lease to run out.
        _leave_half_begun_transaction()
        actions.release(job=job, counted=False)
        raise


def _leave_half_begun_transaction() -> None:
    """Roll back what Ctrl-C left open between BEGIN and Django's taking note of it.

    In it, nothing that is written afterwards would be committed.
    """
    if not connection.in_atomic_block and not connection.get_autocommit():
        connection.rollback()
        connection.set_autocommit(True)


def _fail(job: Job, code: str, sentence: str) -> None:
    actions.end(job=job, status=Job.Status.FAILED, code=code, sentence=sentence)


def _retry_later(job: Job) -> None:
    """Queue the job again after a database error; should that fail too, its lease runs out and the sweep does it."""
    close_old_connections()
    try:
        if job.attempt >= actions.MAX_ATTEMPTS:
            _fail(job, "database_lost", DATABASE_LOST)
        else:
            actions.release(job=job, counted=True)
    except DatabaseProblem:
        logger.exception("Job %s is left to the sweep", job.pk)


class _Heartbeat:
    """Renews the lease from a thread with a database connection of its own, until the block ends.

    It keeps beating only while Python does: long kernels of a handler must release the GIL.
    """

    def __init__(self, job: Job) -> None:
        self.lease_lost = threading.Event()
        self._job = job
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"heartbeat-{job.pk}", daemon=True)

    def __enter__(self) -> "_Heartbeat":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._thread.join()

    def _beat(self) -> None:
        try:
            while not self._stopped.wait(settings.JOB_HEARTBEAT_SECONDS):
                try:
                    if not actions.renew_lease(job=self._job):
                        self.lease_lost.set()
                        return
                except DatabaseProblem:
                    # The next beat may succeed in time; if none does, the fence keeps this claim from writing.
                    logger.warning("Heartbeat of job %s missed", self._job.pk, exc_info=True)
                    connection.close()
        finally:
            connection.close()
