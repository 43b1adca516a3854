"""How a document is to look: as the workspace's documents do, on the paper that an address asks for."""

from dataclasses import replace

from accounts.models import Workspace
from mmm_project.problems import Invalid
from reports.branding.looks import look_of
from reports.exports.look import Look
from reports.models import Branding


def asked_look(workspace: Workspace, paper: str = "") -> Look:
    """Return the workspace's look; `paper`: another one than its own. Raises Invalid for an unknown paper."""
    look = look_of(workspace)
    if not paper:
        return look
    if paper not in Branding.Paper.values:
        raise Invalid(f"There is no paper “{paper[:20]}”. Papers: {', '.join(Branding.Paper.values)}.")
    return replace(look, paper=paper)
