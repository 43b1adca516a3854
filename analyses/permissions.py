"""Who may stop which run."""

from accounts.models import User
from accounts.permissions import Permission
from analyses.models import Run


def cancel_permission(run: Run, user: User) -> Permission:
    """Return what a member needs to be allowed to stop this run: it matters whose it is."""
    return Permission.CANCEL_OWN if run.requested_by_id == user.pk else Permission.CANCEL_ANY
