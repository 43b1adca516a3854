"""What the pages of Settings > API access show; all queries and wording are finished here."""

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from accounts.models import ApiKey, Membership, Role, User
from accounts.permissions import Permission, allows
from accounts.scopes import AREAS, Scope, in_words, usable, why_not

State: TypeAlias = Literal["works", "replaced", "limited", "expired", "revoked"]


@dataclass(frozen=True, slots=True)
class Instant:
    """A moment: for machines, and by the clock of a zone for people."""

    iso: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """A key in the list. `used`, `ends`: None for never. `remark`: what there is to know about its state, or ""."""

    id: uuid.UUID
    name: str
    prefix: str
    scopes: str
    state: State
    remark: str
    creator: str
    created: Instant
    used: Instant | None
    ends: Instant | None
    may_be_rotated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A scope to tick; `reason` says why it cannot be, or is ""."""

    scope: str
    label: str
    description: str
    is_chosen: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaChoices:
    """The scopes of an area; `parts` are for those who want less than all of its writing."""

    label: str
    choices: Sequence[Choice]
    parts: Sequence[Choice]
    shows_parts: bool


@dataclass(frozen=True, slots=True)
class Preset:
    """Scopes that are often wanted together."""

    code: str
    label: str
    scopes: Sequence[str]


_ALL_READING = [scope.value for scope in Scope if scope.only_reads]
_PRESETS = (
    Preset("read", "Read everything", _ALL_READING),
    Preset("send", "Send data", [Scope.DATA_READ.value, Scope.DATA_WRITE.value]),
    Preset("analyse", "Run analyses", [Scope.RUNS_READ.value, Scope.RUNS_WRITE.value]),
)


def keys_seen_by(membership: Membership) -> QuerySet[ApiKey]:
    """The keys of the workspace that a member may see and do something about: all, or their own; newest first."""
    keys = ApiKey.objects.filter(workspace=membership.workspace_id)
    if not allows(membership.role, Permission.API_KEYS):
        keys = keys.filter(created_by=membership.user_id)
    related = keys.select_related("workspace", "created_by", "rotated_from").prefetch_related("rotated_to")
    return related.order_by("-created_at", "-pk")


def working(now: dt.datetime) -> Q:
    """Of keys: neither revoked nor expired."""
    return Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=now))


def present_keys(keys: Iterable[ApiKey], membership: Membership, *, now: dt.datetime) -> list[KeyRow]:
    """Return rows of the list for keys of `keys_seen_by`; three queries, however many there are."""
    members = Membership.objects.filter(workspace=membership.workspace_id)
    roles: Mapping[int, str] = dict(members.values_list("user_id", "role"))
    zone = membership.workspace.zone
    return [_row(key, roles.get(key.created_by_id), membership.user, zone, now) for key in keys]


def present_areas(chosen: Collection[str], role: str) -> list[AreaChoices]:
    """Return the scopes by area, of which those that keys of this role cannot have say why."""
    return [
        AreaChoices(
            label=area.label,
            choices=[_choice(scope, scope.value.rpartition(":")[2], chosen, role) for scope in area.whole],
            parts=[_choice(part, part.value.partition(":")[0], chosen, role) for part in area.parts],
            shows_parts=not set(area.parts).isdisjoint(chosen),
        )
        for area in AREAS
    ]


def presets_for(role: str) -> list[Preset]:
    """Return the presets of which keys of this role can have what they are for."""
    narrowed = [Preset(preset.code, preset.label, usable(preset.scopes, role)) for preset in _PRESETS]
    # "Everything" is what one may read oneself; sending and asking without writing would be neither.
    return [each for each, whole in zip(narrowed, _PRESETS, strict=True) if each.code == "read" or each == whole]


def instant(moment: dt.datetime, zone: ZoneInfo) -> Instant:
    local = moment.astimezone(zone)
    return Instant(local.isoformat(timespec="minutes"), f"{local:%-d %b %Y, %H:%M}")


def instant_if_ever(moment: dt.datetime | None, zone: ZoneInfo) -> Instant | None:
    return None if moment is None else instant(moment, zone)


def prefix_of(key: ApiKey) -> str:
    return f"mmm_{key.lookup}...{key.last4}"


def _choice(scope: Scope, label: str, chosen: Collection[str], role: str) -> Choice:
    reason = why_not(scope, role)
    return Choice(
        scope=scope.value,
        label=label.capitalize(),
        description=str(scope.label),
        is_chosen=scope.value in chosen and not reason,
        reason=reason,
    )


def _row(key: ApiKey, role: str | None, you: User, zone: ZoneInfo, now: dt.datetime) -> KeyRow:
    state, remark = _state(key, role, now)
    return KeyRow(
        id=key.pk,
        name=key.name,
        prefix=prefix_of(key),
        scopes=in_words(key.scopes),
        state=state,
        remark=remark,
        creator="you" if key.created_by_id == you.pk else key.created_by.email,
        created=instant(key.created_at, zone),
        used=instant_if_ever(key.last_used_at, zone),
        ends=instant_if_ever(key.revoked_at or key.expires_at, zone),
        may_be_rotated=state in ("works", "limited"),
    )


def _state(key: ApiKey, role: str | None, now: dt.datetime) -> tuple[State, str]:
    if key.revoked_at:
        return "revoked", ""
    if key.expires_at and key.expires_at <= now:
        return "expired", _successor(key)
    if successor := _successor(key):
        return "replaced", successor
    if not key.created_by.is_active or role is None:
        return "limited", "It does not work: the account of its creator is closed."
    counting = usable(key.scopes, role)
    if counting != key.scopes:
        allowed = f"“{in_words(counting)}”" if counting else "nothing"
        return "limited", f"Its creator’s role is {Role(role).label.lower()} now, which leaves it {allowed}."
    return "works", f"Takes over from {prefix_of(key.rotated_from)}." if key.rotated_from else ""


def _successor(key: ApiKey) -> str:
    return "".join(f"{prefix_of(other)} takes over from it." for other in key.rotated_to.all())
