"""What processes say of themselves: that they live."""

from django.db import models


class Heartbeat(models.Model):
    """A worker or a scheduler, and when it was last alive. Only `operations.heartbeat` writes it.

    `queues`: what a worker takes messages from, parted by commas. `heard_at`: when it last took one from the broker;
    null for schedulers, and for one that has taken none.
    """

    class Kind(models.TextChoices):
        WORKER = "worker"
        SCHEDULER = "scheduler"

    name = models.CharField(max_length=200, unique=True, help_text="Kind, host and process id.")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    queues = models.CharField(max_length=200, default="", db_default="")
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    heard_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name
