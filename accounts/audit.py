"""The trail of who did what."""

from accounts.models import ApiKey, AuditEvent, User, Workspace


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

    `action` is noun.verb in the past, such as "member.added"; `detail` holds JSON values, never a secret.
    """
    return AuditEvent.objects.create(
        workspace=workspace, action=action, target=target[:200], actor=actor, api_key=api_key, detail=detail
    )
