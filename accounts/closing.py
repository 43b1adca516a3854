"""Shut a workspace that is about to be deleted, and keep it shut."""

import re
import uuid

from django.db import transaction
from django.utils import timezone as clock

from accounts.models import ApiKey, Invitation, Workspace
from mmm_project.problems import Conflict

_CLOSED = re.compile("closed-[0-9a-f]{32}")


@transaction.atomic
def close_workspace(*, workspace: Workspace) -> None:
    """Let nobody in any more: no member, no key, no invitation. Its slug is free for another workspace.

    Whoever asks for it has that on record.
    """
    now = clock.now()
    ApiKey.objects.filter(workspace=workspace, revoked_at=None).update(revoked_at=now)
    Invitation.objects.filter(workspace=workspace, accepted_at=None, revoked_at=None).update(revoked_at=now)
    workspace.memberships.all().delete()
    workspace.slug = f"closed-{uuid.uuid4().hex}"
    workspace.save(update_fields=["slug"])


def require_open(workspace: Workspace) -> None:
    """Raise Conflict for a closed workspace, as a site admin still finds it while what it holds is being deleted."""
    if _CLOSED.fullmatch(workspace.slug):
        raise Conflict(f"{workspace.name} is being deleted. Nobody is let in, and nothing is asked or sent any more.")
