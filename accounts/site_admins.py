"""Those who run the installation, and act in workspaces in which they are no member."""

from typing import Any, cast

from django.http import HttpRequest

from accounts.audit import record
from accounts.closing import require_open
from accounts.models import Membership, Role, User, Workspace
from mmm_project.problems import NotPermitted


def acting(request: HttpRequest) -> User:
    """Return who asks for a page of the admin, which lets nobody in who has not signed in."""
    return cast("User", request.user)


def authority_over(workspace: Workspace, *, by: User) -> Membership:
    """Return a membership, stored nowhere, with an owner's authority: for what members do to what belongs to them.

    Raises NotPermitted for who is no site admin, and Conflict for a workspace that is being deleted.
    """
    require_open(workspace)
    if not (by.is_active and by.is_staff):
        raise NotPermitted("Only a site admin acts in workspaces without being a member.")
    return Membership(workspace=workspace, user=by, role=Role.OWNER)


def record_about(person: User, *, action: str, by: User | None, **detail: Any) -> None:
    """Add an event about a person in each of their workspaces, whose owners read it; in none, if they have none."""
    homes: list[Workspace | None] = [*Workspace.objects.filter(memberships__user=person).order_by("pk")]
    for workspace in homes or [None]:
        record(workspace=workspace, action=action, target=person.email, actor=by, **detail)
