"""What surrounds every page: the sidebar, the workspace switcher and the user menu."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from accounts.models import Membership, Workspace


@dataclass(frozen=True)
class Page:
    """A page of a workspace: `url_name` takes the workspace's slug; `icon` names a file in templates/icons."""

    label: str
    url_name: str
    icon: str


# In the order of the sidebar. A page whose address does not exist (yet) is left out.
PAGES = (
    Page("Attribution", "attribution:page", "attribution"),
    Page("Runs", "analyses:runs", "runs"),
)


@dataclass(frozen=True)
class Link:
    """A page as the sidebar shows it."""

    label: str
    href: str
    icon_template: str
    is_current: bool


def links(request: HttpRequest, workspace: Workspace) -> Iterator[Link]:
    """Yield the sidebar's links for `workspace`, marking the app that the request is in."""
    current_app = request.resolver_match.app_name if request.resolver_match else ""
    for page in PAGES:
        try:
            href = reverse(page.url_name, kwargs={"slug": workspace.slug})
        except NoReverseMatch:
            continue
        is_current = page.url_name.partition(":")[0] == current_app
        yield Link(page.label, href, f"icons/{page.icon}.svg", is_current)


def landing_url(request: HttpRequest, workspace: Workspace) -> str | None:
    """Return the address of the workspace's first page."""
    return next((link.href for link in links(request, workspace)), None)


def page(request: HttpRequest) -> dict[str, object]:
    """Context processor: the workspace that the page is in, its sidebar, and the workspaces to switch to."""
    membership: Membership | None = getattr(request, "membership", None)
    if membership is None:
        return {}
    others = Workspace.objects.filter(memberships__user=membership.user_id).order_by("name")
    return {
        "workspace": membership.workspace,
        "membership": membership,
        "sidebar": list(links(request, membership.workspace)),
        "workspaces": others,
    }
