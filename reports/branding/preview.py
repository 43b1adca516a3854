"""The look of a workspace's documents as Settings > Branding shows it: a small cover, and the settings in words."""

from dataclasses import dataclass
from hashlib import sha256

from django.urls import reverse
from django.utils.text import Truncator

from accounts.models import Workspace
from reports.branding.look import LETTER, Look
from reports.models import Branding

LETTERS = 30  # of the workspace's name that have room


@dataclass(frozen=True, slots=True)
class Preview:
    """`width`, `height`: of the paper in millimetres. `logo_url`: "" without a logo."""

    name: str
    accent: str
    colour: str
    paper: str
    width: int
    height: int
    logo_url: str

    @property
    def summary(self) -> str:
        """What the picture shows, in words."""
        logo = "the logo" if self.logo_url else "no logo"
        return f"A cover on {self.paper} with {logo}, and the workspace's name in {self.accent}"


def preview_of(workspace: Workspace, look: Look) -> Preview:
    """Return how a cover of the workspace looks."""
    width, height = (216, 279) if look.paper == LETTER else (210, 297)
    logo_url = ""
    if look.logo:
        # Another logo has another address, so that no browser shows the old one.
        version = sha256(look.logo).hexdigest()[:12]
        logo_url = f"{reverse('reports:logo', kwargs={'slug': workspace.slug})}?v={version}"
    return Preview(
        name=Truncator(workspace.name).chars(LETTERS),
        accent=look.accent,
        colour=look.colour or f"{look.accent}, the product's own",
        paper=Branding.Paper(look.paper).label,
        width=width,
        height=height,
        logo_url=logo_url,
    )
