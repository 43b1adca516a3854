"""What a handler holds while it works: it reports how far it is, hears of a cancellation, and writes the outcome."""

import threading
import time
from collections.abc import Callable

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from jobs.handlers import JobCancelled, LeaseLost
from jobs.models import Job

SECONDS_BETWEEN_WRITES = 1.0


class Progress:
    """The progress of one claim of a job. `lease_lost` is set by the heartbeat when the claim no longer stands."""

    def __init__(
        self,
        job: Job,
        *,
        lease_lost: threading.Event | None = None,
        on_progress: Callable[[str, float], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.completed = False
        self._job = job
        self._lease_lost = lease_lost or threading.Event()
        self._on_progress = on_progress
        self._clock = clock
        self._written_at: float | None = None

    @property
    def job(self) -> Job:
        """The job as it was claimed."""
        return self._job

    def __call__(self, phase: str, fraction: float) -> None:
        """Report `fraction` (0 to 1) of `phase`; cheap, so call it between all chunks of work.

        Writes at most once a second. Raises JobCancelled when somebody asked to cancel, LeaseLost when the job is no
        longer ours.
        """
        if self._lease_lost.is_set():
            raise LeaseLost
        now = self._clock()
        if self._written_at is not None and now - self._written_at < SECONDS_BETWEEN_WRITES:
            return
        self._written_at = now
        fraction = min(max(fraction, 0.0), 1.0)
        if not self._ours().update(phase=phase[:100], progress=fraction):
            self._stop()
        if self._on_progress:
            self._on_progress(phase, fraction)

    def complete(self, write: Callable[[], None]) -> None:
        """End the job as done and call `write` in the same transaction, so that the outcome and the state are one.

        Raises LeaseLost or JobCancelled, having written nothing, when the job may not be completed any more.
        """
        with transaction.atomic():
            done = self._ours().update(
                status=Job.Status.DONE, phase="", progress=1, lease_until=None, finished_at=timezone.now()
            )
            if not done:
                self._stop()
            write()
        self.completed = True

    def _ours(self) -> QuerySet[Job]:
        """The job's row, as long as this claim stands and nobody asked to cancel."""
        return Job.objects.filter(
            pk=self._job.pk, fence=self._job.fence, status=Job.Status.RUNNING, cancel_requested=False
        )

    def _stop(self) -> None:
        """Raise what kept this claim from writing."""
        held = Job.objects.filter(pk=self._job.pk, fence=self._job.fence, status=Job.Status.RUNNING)
        raise JobCancelled if held.exists() else LeaseLost
