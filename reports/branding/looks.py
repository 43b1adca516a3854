"""How the documents of a workspace look, as its owner or admin chose."""

from accounts.models import Workspace
from reports.exports.look import Look
from reports.models import Branding


def look_of(workspace: Workspace) -> Look:
    """Return the workspace's look; the product's own where nobody chose one."""
    chosen = Branding.objects.filter(workspace=workspace).first()
    return Look(logo=_bytes(chosen.logo), colour=chosen.colour, paper=chosen.paper) if chosen else Look()


def _bytes(stored: bytes | memoryview | None) -> bytes | None:
    """What a database driver returns of a binary column: PostgreSQL's gives a view of it."""
    return bytes(stored) if stored else None
