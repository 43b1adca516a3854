"""What an API key may be used for, on top of what its creator's role allows."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db import models

from accounts.models import Role
from accounts.permissions import Permission, allows


class Scope(models.TextChoices):
    """A resource and whether the key may change it, with what that is for; writing does not include reading."""

    ATTRIBUTION_READ = "attribution:read", "Read attribution runs with their results, and custom models"
    ATTRIBUTION_WRITE = "attribution:write", "Ask for attribution runs and stop them; change custom models"
    WEIGHTINGS_READ = "weightings:read", "Read media mix models, budgets and forecasts, and scenarios"
    WEIGHTINGS_WRITE = "weightings:write", "Ask for media mix models, budgets and forecasts; keep scenarios"
    CROSSCHANNEL_READ = "crosschannel:read", "Read cross-channel runs with their results"
    CROSSCHANNEL_WRITE = "crosschannel:write", "Ask for cross-channel runs and stop them"
    RUNS_READ = "runs:read", "Read runs of every kind with their results"
    RUNS_WRITE = "runs:write", "Ask for runs of every kind and stop them"
    DATA_READ = (
        "data:read",
        "Read rows, imports and data health, channels, goals and segments; look up and export customers",
    )
    DATA_WRITE = "data:write", "Send rows of every dataset and take imports back; change segments; erase customers"
    TOUCHPOINTS_WRITE = "touchpoints:write", "Send touchpoints"
    CONVERSIONS_WRITE = "conversions:write", "Send conversions"
    SPEND_WRITE = "spend:write", "Send spend"
    OUTCOMES_WRITE = "outcomes:write", "Send outcomes"
    CONTROLS_WRITE = "controls:write", "Send controls"
    EXPERIMENTS_WRITE = "experiments:write", "Send lift tests"
    EVENTS_WRITE = "events:write", "Send events"
    PATHS_WRITE = "paths:write", "Send aggregated paths"
    REPORTS_READ = "reports:read", "Read the dashboard, reports, schedules, alerts and deliveries"
    REPORTS_WRITE = "reports:write", "Create, change and send reports, schedules and alerts"
    SETTINGS_READ = "settings:read", "Read the workspace’s settings, channels, grouping, goals and outcomes"
    SETTINGS_WRITE = "settings:write", "Change the workspace’s settings, channels, grouping, goals and outcomes"
    AUDIT_READ = "audit:read", "Read the audit log"

    @property
    def only_reads(self) -> bool:
        return self.value.endswith(":read")


# Of runs: `runs` covers all kinds of analysis, and each kind has scopes of its own.
READING = (Scope.ATTRIBUTION_READ, Scope.WEIGHTINGS_READ, Scope.CROSSCHANNEL_READ, Scope.RUNS_READ)
WRITING = (Scope.ATTRIBUTION_WRITE, Scope.WEIGHTINGS_WRITE, Scope.CROSSCHANNEL_WRITE, Scope.RUNS_WRITE)
# Of data: each dataset's own, of which `data:write` stands for all.
SENDING = (
    Scope.TOUCHPOINTS_WRITE,
    Scope.CONVERSIONS_WRITE,
    Scope.SPEND_WRITE,
    Scope.OUTCOMES_WRITE,
    Scope.CONTROLS_WRITE,
    Scope.EXPERIMENTS_WRITE,
    Scope.EVENTS_WRITE,
    Scope.PATHS_WRITE,
)


@dataclass(frozen=True)
class Area:
    """A part of the product with its scopes. `parts`: those that stand for a part of what `write` allows."""

    label: str
    read: Scope
    write: Scope | None
    parts: tuple[Scope, ...] = ()

    @property
    def whole(self) -> tuple[Scope, ...]:
        """Its scopes without those that stand for a part of another."""
        return (self.read, self.write) if self.write else (self.read,)


AREAS = (
    Area("Attribution", Scope.ATTRIBUTION_READ, Scope.ATTRIBUTION_WRITE),
    Area("Weightings", Scope.WEIGHTINGS_READ, Scope.WEIGHTINGS_WRITE),
    Area("Cross-channel", Scope.CROSSCHANNEL_READ, Scope.CROSSCHANNEL_WRITE),
    Area("Runs of every kind", Scope.RUNS_READ, Scope.RUNS_WRITE),
    Area("Data", Scope.DATA_READ, Scope.DATA_WRITE, SENDING),
    Area("Reports", Scope.REPORTS_READ, Scope.REPORTS_WRITE),
    Area("Settings", Scope.SETTINGS_READ, Scope.SETTINGS_WRITE),
    Area("Audit log", Scope.AUDIT_READ, None),
)

# What a role has to allow, besides keys, for a scope to be of any use.
_NEEDED = {Scope.SETTINGS_WRITE: Permission.SETTINGS, Scope.AUDIT_READ: Permission.AUDIT_LOG}


def to_send(dataset: str) -> tuple[Scope, ...]:
    """Return the scopes of which a key needs one to send rows of a dataset: its own, or that of all data."""
    return Scope(f"{dataset}:write"), Scope.DATA_WRITE


def why_not(scope: Scope, role: str) -> str:
    """Return why keys of somebody with this role cannot have the scope, as a sentence; "" if they can."""
    name = Role(role).label.lower()
    one = f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
    if not allows(role, Permission.API_KEYS_OWN):
        return f"{one.capitalize()} has no API keys."
    if not scope.only_reads and not allows(role, Permission.API_KEYS):
        return f"Keys of {one} only read."
    needed = _NEEDED.get(scope)
    if needed and not allows(role, needed):
        return f"{one.capitalize()} may not {needed.value}."
    return ""


def usable(scopes: Collection[str], role: str) -> list[str]:
    """Return those of `scopes` that keys of somebody with this role can have, in the order given."""
    return [scope for scope in scopes if scope in Scope.values and not why_not(Scope(scope), role)]


def in_words(scopes: Collection[str]) -> str:
    """Return what scopes allow: "Attribution: read and write; Data: read, and write touchpoints and spend"."""
    if {scope for area in AREAS for scope in area.whole}.issubset(scopes):
        return "Everything: read and write"
    if {area.read for area in AREAS} == set(scopes):
        return "Everything: read"
    return "; ".join(filter(None, (_area_in_words(area, scopes) for area in AREAS)))


def _area_in_words(area: Area, scopes: Collection[str]) -> str:
    verbs = [scope.value.partition(":")[2] for scope in area.whole if scope in scopes]
    parts = [part.value.partition(":")[0] for part in area.parts if part in scopes]
    words = " and ".join(verbs)
    if parts and "write" not in verbs:
        words += f"{', and ' if verbs else ''}write {_listed(parts)}"
    return f"{area.label}: {words}" if words else ""


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
