"""The places in a workspace: each member has one, and each open invitation holds one."""

from django.utils import timezone as clock

from accounts.models import Invitation, Membership, Workspace
from accounts.plans import plan_of, require_seat


def open_invitations_held(workspace: Workspace) -> int:
    """Return how many invitations can still be accepted."""
    waiting = Invitation.objects.filter(workspace=workspace, accepted_at=None, revoked_at=None)
    return waiting.filter(expires_at__gt=clock.now()).count()


def seats_taken(workspace: Workspace) -> int:
    """Return how many members and open invitations there are."""
    return Membership.objects.filter(workspace=workspace).count() + open_invitations_held(workspace)


def require_free_seat(workspace: Workspace, *, is_invited: bool = False) -> None:
    """Raise QuotaExceeded if the plan has no seat left. The caller has locked the workspace.

    For whoever is invited, a seat has been held. It is asked only whether the members leave one free, as they may not
    after a change to a smaller plan: then whoever comes first gets what is left.
    """
    if plan_of(workspace).max_members is None:
        return
    members = Membership.objects.filter(workspace=workspace)
    require_seat(workspace, taken=members.count() if is_invited else seats_taken(workspace))
