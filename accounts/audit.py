"""The trail of who did what.

A value that changed is in an event's detail as `changes: {field: {"before": ..., "after": ...}}` (`changes_between`);
what else belongs to the event has a name of its own there, such as `because` or `role`. What each action is called in
plain words is in `accounts.audit_words`.
"""

from collections.abc import Mapping
from typing import Any

from accounts.api_keys import mask
from accounts.models import ApiKey, AuditEvent, User, Workspace

Changes = dict[str, dict[str, Any]]


def record(
    *,
    workspace: Workspace | None,
    action: str,
    target: str = "",
    actor: User | None = None,
    api_key: ApiKey | None = None,
    **detail: object,
) -> AuditEvent:
    """Add one event, in the caller's transaction, so that a change and its trace stand or fall together.

    `action` is noun.verb in the past, such as "member.added"; `target` is what people call the object; `actor` and
    `api_key` are who did it and with which key (of an event about a key: that key), neither where the product did it by
    itself. `detail` holds JSON values, never a secret; a key that somebody put into a name or a filter is masked.
    """
    return AuditEvent.objects.create(
        workspace=workspace,
        action=action,
        target=mask(target)[:200],
        actor=actor,
        api_key=api_key,
        detail={name: _masked(value) for name, value in detail.items()},
    )


def _masked(value: Any) -> Any:
    """Return a JSON value with the keys in its texts masked."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, Mapping):
        return {name: _masked(inner) for name, inner in value.items()}
    return [_masked(inner) for inner in value] if isinstance(value, list | tuple) else value


def changes_between(before: Mapping[str, Any], after: Mapping[str, Any]) -> Changes:
    """Return what differs between two states of the same fields, as the detail of an event holds it."""
    return {
        field: {"before": before.get(field), "after": value}
        for field, value in after.items()
        if before.get(field) != value
    }
