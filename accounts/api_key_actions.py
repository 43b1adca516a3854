"""Every change to API keys: atomic, audited, the same for pages, admin and commands."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone as clock

from accounts.api_keys import digest_of, generate
from accounts.audit import changes_between, record
from accounts.models import ApiKey, Membership, User, Workspace
from accounts.permissions import Permission, allows
from accounts.scopes import Scope, why_not
from mmm_project.problems import Conflict, Invalid, NotPermitted


@transaction.atomic
def create_api_key(
    *,
    workspace: Workspace,
    created_by: User,
    name: str,
    scopes: Iterable[str],
    expires_at: datetime | None = None,
    key_id: uuid.UUID | None = None,
) -> tuple[ApiKey, str]:
    """Create a key and return it with its text, which exists nowhere else and cannot be shown again.

    `key_id`: the id that it is to have, so that a form sent twice makes one key: Conflict the second time. Raises
    Invalid (by field) for a name, scopes or an expiry that cannot be, and NotPermitted for who is not a member, and
    for scopes that keys of their role cannot have.
    """
    wanted = _clean_scopes(scopes)
    if expires_at is not None and expires_at <= clock.now():
        raise Invalid("An API key has to expire in the future.", errors={"expires_at": ["Choose a later time."]})
    _lock(workspace)
    _require_may_create(workspace, created_by, wanted)
    return _add(
        workspace=workspace,
        created_by=created_by,
        name=_clean_name(name),
        scopes=[scope.value for scope in wanted],
        expires_at=expires_at,
        key_id=key_id,
    )


@transaction.atomic
def rotate_api_key(*, key: ApiKey, overlap: timedelta, by: User, key_id: uuid.UUID | None = None) -> tuple[ApiKey, str]:
    """Create a key that takes over from `key`, which works for `overlap` at most from now on; return it with its text.

    The new key has the name and the scopes of the old one and lives as long as that one was to. It acts for `by`, who
    is shown its text, and not for the creator of the old one: otherwise whoever rotates a key could act as somebody
    else. Raises Conflict for a key that has ended or has been rotated before, and as `create_api_key` does.
    """
    _lock(key.workspace)
    key.refresh_from_db(fields=["expires_at", "revoked_at"])
    now = clock.now()
    require_may_rotate(key)
    _require_may_create(key.workspace, by, _clean_scopes(key.scopes))
    successor, text = _add(
        workspace=key.workspace,
        created_by=by,
        name=key.name,
        scopes=key.scopes,
        expires_at=expiry_of_successor(key, now),
        key_id=key_id,
        rotated_from=key,
    )
    before, key.expires_at = key.expires_at, min(filter(None, (key.expires_at, now + overlap)))
    key.save(update_fields=["expires_at"])
    record(
        workspace=key.workspace,
        action="api_key.rotated",
        target=str(key),
        actor=by,
        api_key=key,
        successor=str(successor),
        changes=changes_between(
            {"expires_at": before and before.isoformat()}, {"expires_at": key.expires_at.isoformat()}
        ),
    )
    return successor, text


def require_may_rotate(key: ApiKey) -> None:
    """Raise Conflict for a key that has ended or has been rotated before."""
    if key.revoked_at is not None:
        raise Conflict(f"{key} was revoked, so there is nothing to take over. Create a new key instead.")
    successor = ApiKey.objects.filter(rotated_from=key).first()
    if successor is not None:
        raise Conflict(f"{key} has been rotated already. Rotate the key that took over from it, {successor}, instead.")
    if key.expires_at is not None and key.expires_at <= clock.now():
        raise Conflict(f"{key} has expired, so there is nothing to take over. Create a new key instead.")


def expiry_of_successor(key: ApiKey, now: datetime) -> datetime | None:
    """Return when a key that takes over from `key` now would expire: it lives as long as that one was to."""
    return key.expires_at and now + (key.expires_at - key.created_at)


@transaction.atomic
def revoke_api_key(*, key: ApiKey, by: User | None) -> bool:
    """End a key for good; ending it again changes nothing. Returns whether it had not been revoked."""
    was_open = bool(ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=clock.now()))
    if was_open:
        record(workspace=key.workspace, action="api_key.revoked", target=str(key), actor=by, api_key=key)
    key.refresh_from_db(fields=["revoked_at"])
    return was_open


def revoke_keys_of_member(*, membership: Membership, by: User | None) -> None:
    """End every key that the member made in the workspace, so that joining again does not bring them back."""
    keys = ApiKey.objects.filter(workspace=membership.workspace_id, created_by=membership.user_id, revoked_at=None)
    for key in keys.select_related("workspace"):
        revoke_api_key(key=key, by=by)


def _add(
    *,
    workspace: Workspace,
    created_by: User,
    name: str,
    scopes: Sequence[str],
    expires_at: datetime | None,
    key_id: uuid.UUID | None,
    rotated_from: ApiKey | None = None,
) -> tuple[ApiKey, str]:
    """Store a key, with its trace. The workspace is locked, so that no other key can take `key_id` meanwhile."""
    if key_id is not None and ApiKey.objects.filter(pk=key_id).exists():
        raise Conflict(
            "This form has created its key already, and the key is shown only once. If you have lost it, revoke it and "
            "create another one."
        )
    lookup, text = generate()
    key = ApiKey.objects.create(
        id=key_id or uuid.uuid4(),
        workspace=workspace,
        created_by=created_by,
        name=name,
        lookup=lookup,
        digest=digest_of(text),
        last4=text[-4:],
        scopes=list(scopes),
        expires_at=expires_at,
        rotated_from=rotated_from,
    )
    record(
        workspace=workspace,
        action="api_key.created",
        target=str(key),
        actor=created_by,
        api_key=key,
        scopes=key.scopes,
        expires_at=expires_at and expires_at.isoformat(),
    )
    return key, text


def _clean_name(name: str) -> str:
    try:
        clean: str = ApiKey._meta.get_field("name").clean(name.strip(), None)
    except ValidationError as error:
        raise Invalid("An API key needs a name to recognise it by.", errors={"name": error.messages}) from error
    return clean


def _clean_scopes(scopes: Iterable[str]) -> list[Scope]:
    wanted = sorted(set(scopes))
    unknown = [scope for scope in wanted if scope not in Scope.values]
    if unknown or not wanted:
        known = ", ".join(Scope.values)
        reason = f"“{unknown[0]}” is not a scope" if unknown else "An API key needs at least one scope"
        raise Invalid(f"{reason}. The scopes are: {known}.", errors={"scopes": [f"{reason}."]})
    return [Scope(scope) for scope in wanted]


def _lock(workspace: Workspace) -> None:
    """Let one transaction at a time change the workspace's keys and members, as `accounts.actions` does."""
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)


def _require_may_create(workspace: Workspace, creator: User, scopes: Iterable[Scope]) -> None:
    membership = Membership.objects.filter(workspace=workspace, user=creator).first()
    if membership is None:
        raise NotPermitted(f"{creator.email} is not a member of {workspace.name}.")
    role = membership.get_role_display()
    if not allows(membership.role, Permission.API_KEYS_OWN):
        raise NotPermitted(f"The role {role} may not create API keys.")
    for scope in scopes:
        if reason := why_not(scope, membership.role):
            raise NotPermitted(f"The role {role} may not create an API key with {scope}. {reason}")
