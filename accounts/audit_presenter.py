"""An event of the audit log as people read it, and as its export says it."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from accounts.audit_words import in_words
from accounts.models import ApiKey, AuditEvent
from mmm_project.tables import Cell

LONGEST_VALUE = 300  # on the page; exports have all of it
NOTHING = "\N{EN DASH}"
CSV_HEADER = ("at", "actor", "api_key", "action", "what", "object", "changes", "detail")
# Of these, the key is what the event is about, not what it was done with.
_ABOUT_A_KEY = "api_key."
# People who are not signed in: the link of a mail says who they are.
_BY_LINK = frozenset({"recipient.unsubscribed", "recipient.subscribed_again"})
_ENDS_OF_MOMENTS = ("_at", "until")


@dataclass(frozen=True, slots=True)
class Change:
    """A field that changed, in words."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """An event as an entry of the list. `who_else`: whose key it was, or "". `details`: what else belongs to it."""

    event_id: int
    at: str
    at_iso: str
    who: str
    who_else: str
    what: str
    action: str
    target: str
    changes: list[Change]
    details: list[tuple[str, str]]


RawChange: TypeAlias = tuple[str, Any, Any]  # field, before, after


def present_event(event: AuditEvent, zone: ZoneInfo) -> EventRow:
    """Return the event in words; `zone`: the workspace's."""
    at = event.at.astimezone(zone)
    who, who_else = _who(event)
    changed, others = _changes_and_others(event.detail)
    return EventRow(
        event_id=event.pk,
        at=f"{at:%-d %b %Y, %H:%M:%S}",
        at_iso=at.isoformat(timespec="seconds"),
        who=who,
        who_else=who_else,
        what=in_words(event.action),
        action=event.action,
        target=event.target,
        changes=[
            Change(_field_in_words(field), _shown(field, before, zone), _shown(field, after, zone))
            for field, before, after in changed
        ],
        details=[(_field_in_words(name), _shown(name, value, zone)) for name, value in others],
    )


def csv_rows(events: Iterable[AuditEvent], zone: ZoneInfo) -> Iterator[tuple[Cell, ...]]:
    """Yield the log as a table, header first. `detail` is the JSON of all that an event holds."""
    yield CSV_HEADER
    for event in events:
        changed, _others = _changes_and_others(event.detail)
        yield (
            event.at.astimezone(zone).isoformat(),
            event.actor.email if event.actor else "",
            str(event.api_key) if event.api_key else "",
            event.action,
            in_words(event.action),
            event.target,
            "; ".join(f"{field}: {_in_text(before)} → {_in_text(after)}" for field, before, after in changed),
            json.dumps(event.detail, ensure_ascii=False),
        )


def json_pieces(events: Iterable[AuditEvent], zone: ZoneInfo) -> Iterator[str]:
    """Yield the log as a JSON array, an event a line."""
    before = "[\n"
    for event in events:
        yield before + json.dumps(_as_json(event, zone), ensure_ascii=False)
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _as_json(event: AuditEvent, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "id": event.pk,
        "at": event.at.astimezone(zone).isoformat(),
        "actor": event.actor.email if event.actor else None,
        "api_key": _key_as_json(event.api_key) if event.api_key else None,
        "action": event.action,
        "what": in_words(event.action),
        "object": event.target,
        "detail": event.detail,
    }


def _key_as_json(key: ApiKey) -> dict[str, str]:
    return {"name": key.name, "key": _short(key), "created_by": key.created_by.email}


def _who(event: AuditEvent) -> tuple[str, str]:
    """Who did it, and whose key that was."""
    key = event.api_key
    if key is not None and not event.action.startswith(_ABOUT_A_KEY):
        return f"API key {key.name}", f"{_short(key)}, created by {key.created_by.email}"
    if event.actor is not None:
        return event.actor.email, ""
    if event.action in _BY_LINK:
        return event.target, "By the link of a mail"
    return "The product itself", ""


def _short(key: ApiKey) -> str:
    return f"mmm_{key.lookup}\N{HORIZONTAL ELLIPSIS}{key.last4}"


def _changes_and_others(detail: Mapping[str, Any]) -> tuple[list[RawChange], list[tuple[str, Any]]]:
    """Tell what changed from what else an event holds; events of former versions say it in other forms."""
    others = dict(detail)
    changed: list[RawChange] = []
    for field, change in _as_mapping(others.pop("changes", {})).items():
        if isinstance(change, Mapping) and change.keys() >= {"before", "after"}:
            changed.append((field, change["before"], change["after"]))
        else:
            others[field] = change
    if "before" in others and "after" in others:
        before, after = others.pop("before"), others.pop("after")
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            pairs = ((field, before.get(field), after.get(field)) for field in {**before, **after})
            changed += [(field, one, other) for field, one, other in pairs if one != other]
        else:
            changed.append(("", before, after))
    return changed, list(others.items())


def _as_mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {"changes": value}


def _field_in_words(field: str) -> str:
    return field.replace("_", " ").capitalize() or "Value"


def _shown(field: str, value: Any, zone: ZoneInfo) -> str:
    """A value as the page shows it: moments by the workspace's clock, and nothing endlessly long."""
    if isinstance(value, str) and field.endswith(_ENDS_OF_MOMENTS):
        value = _moment(value, zone)
    text = _in_text(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}\N{HORIZONTAL ELLIPSIS}"


def _moment(text: str, zone: ZoneInfo) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{moment.astimezone(zone):%-d %b %Y, %H:%M}" if moment.tzinfo else text


def _in_text(value: Any) -> str:
    """A JSON value in words, as far as there are some."""
    if value in (None, "", [], {}):
        return NOTHING
    match value:
        case bool():
            return "yes" if value else "no"
        case list() if not any(isinstance(item, list | dict) for item in value):
            return ", ".join(map(_in_text, value))
        case list() | dict():
            return json.dumps(value, ensure_ascii=False)
    return str(value)
