"""A job: how a piece of background work is being carried out. Only this package writes it, by conditional UPDATE."""

from typing import ClassVar

from django.db import models

from accounts.models import Workspace


class Job(models.Model):
    """The state of one piece of background work: the row is the truth, the message broker is only a doorbell.

    `fence` counts claims: a worker writes only while the fence it claimed with still stands, so a stale one cannot.
    """

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        CANCELLED = "cancelled"

    class Queue(models.TextChoices):
        """Where a job waits, and the name of the Celery queue of its doorbells."""

        QUICK = "default"  # computed by the worker itself
        FITS = "fits"  # computed in a child process, for minutes

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="jobs")
    kind = models.CharField(max_length=40)
    queue = models.CharField(max_length=10, choices=Queue.choices, default=Queue.QUICK, db_default=Queue.QUICK)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    phase = models.CharField(max_length=100, blank=True)
    progress = models.FloatField(default=0)
    attempt = models.PositiveSmallIntegerField(default=0)
    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    cancel_requested = models.BooleanField(default=False)
    error_code = models.CharField(max_length=40, blank=True)
    error = models.TextField(blank=True)
    # A job that could not be carried out yet is not taken up again before.
    deferred_until = models.DateTimeField(null=True)
    rung_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        # Not a partial index: SQLite cannot prove that `status = ?` lies within its condition, and would scan.
        indexes: ClassVar = [
            models.Index(fields=["status", "lease_until"], name="job_status_lease"),
            models.Index(fields=["status", "finished_at"], name="job_status_finished"),
            # Whose turn it is: who waits and runs in a queue, and when a workspace was last served.
            models.Index(fields=["status", "queue", "workspace"], name="job_status_queue"),
            models.Index(fields=["workspace", "queue", "started_at"], name="job_last_served"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(progress__gte=0, progress__lte=1), name="job_progress_0_to_1"),
        ]

    ENDED: ClassVar = (Status.DONE, Status.FAILED, Status.CANCELLED)

    def __str__(self) -> str:
        return f"{self.kind} job {self.pk} ({self.status})"

    @property
    def finished(self) -> bool:
        return self.status in self.ENDED
