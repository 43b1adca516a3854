"""What an API key may be used for, on top of what its creator's role allows."""

from django.db import models


class Scope(models.TextChoices):
    """A resource and whether the key may change it; writing does not include reading."""

    ATTRIBUTION_READ = "attribution:read"
    ATTRIBUTION_WRITE = "attribution:write"
    RUNS_READ = "runs:read"
    RUNS_WRITE = "runs:write"

    @property
    def only_reads(self) -> bool:
        return self.value.endswith(":read")


READING = tuple(scope for scope in Scope if scope.only_reads)
WRITING = tuple(scope for scope in Scope if not scope.only_reads)
