"""What an API key may be used for, on top of what its creator's role allows."""

from django.db import models


class Scope(models.TextChoices):
    """A resource and whether the key may change it; writing does not include reading."""

    ATTRIBUTION_READ = "attribution:read"
    ATTRIBUTION_WRITE = "attribution:write"
    WEIGHTINGS_READ = "weightings:read"
    WEIGHTINGS_WRITE = "weightings:write"
    CROSSCHANNEL_READ = "crosschannel:read"
    CROSSCHANNEL_WRITE = "crosschannel:write"
    RUNS_READ = "runs:read"
    RUNS_WRITE = "runs:write"
    DATA_READ = "data:read"
    DATA_WRITE = "data:write"
    TOUCHPOINTS_WRITE = "touchpoints:write"
    CONVERSIONS_WRITE = "conversions:write"
    SPEND_WRITE = "spend:write"
    OUTCOMES_WRITE = "outcomes:write"
    CONTROLS_WRITE = "controls:write"
    EXPERIMENTS_WRITE = "experiments:write"
    EVENTS_WRITE = "events:write"
    PATHS_WRITE = "paths:write"
    REPORTS_READ = "reports:read"
    REPORTS_WRITE = "reports:write"
    SETTINGS_READ = "settings:read"
    SETTINGS_WRITE = "settings:write"
    AUDIT_READ = "audit:read"

    @property
    def only_reads(self) -> bool:
        return self.value.endswith(":read")


# Of runs: `runs` covers all kinds of analysis, and each kind has scopes of its own.
READING = (Scope.ATTRIBUTION_READ, Scope.WEIGHTINGS_READ, Scope.CROSSCHANNEL_READ, Scope.RUNS_READ)
WRITING = (Scope.ATTRIBUTION_WRITE, Scope.WEIGHTINGS_WRITE, Scope.CROSSCHANNEL_WRITE, Scope.RUNS_WRITE)


def to_send(dataset: str) -> tuple[Scope, ...]:
    """Return the scopes of which a key needs one to send rows of a dataset: its own, or that of all data."""
    return Scope(f"{dataset}:write"), Scope.DATA_WRITE
