"""How the documents of a workspace look, as its owner or admin chose."""

from dataclasses import replace

from accounts.models import Workspace
from mmm_project.problems import Invalid
from reports.branding.look import Look
from reports.models import Branding


def look_of(workspace: Workspace) -> Look:
    """Return the workspace's look; the product's own where nobody chose one."""
    chosen = Branding.objects.filter(workspace=workspace).first()
    return Look(logo=_bytes(chosen.logo), colour=chosen.colour, paper=chosen.paper) if chosen else Look()


def asked_look(workspace: Workspace, paper: str = "") -> Look:
    """Return the workspace's look; `paper`: another one than its own. Raises Invalid for an unknown paper."""
    look = look_of(workspace)
    if not paper:
        return look
    if paper not in Branding.Paper.values:
        sentence = f"There is no paper “{paper[:20]}”. Papers: {', '.join(Branding.Paper.values)}."
        raise Invalid(sentence, errors={"paper": [sentence]})
    return replace(look, paper=paper)


def _bytes(stored: bytes | memoryview | None) -> bytes | None:
    """What a database driver returns of a binary column: PostgreSQL's gives a view of it."""
    return bytes(stored) if stored else None
