"""What surrounds every page: the sidebar, the workspace switcher and the user menu."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import cached_property

from accounts.access import LAST_WORKSPACE
from accounts.models import Workspace


@dataclass(frozen=True)
class Page:
    """A page of a workspace: `url_name` takes the workspace's slug; `icon` names a file in templates/icons."""

    label: str
    url_name: str
    icon: str


# In the order of the sidebar. A page whose address does not exist (yet) is left out.
PAGES = (
    Page("Dashboard", "reports:dashboard", "dashboard"),
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
    """Yield the sidebar's links for `workspace`, marking the one that the request is at or below."""
    for page in PAGES:
        try:
            href = reverse(page.url_name, kwargs={"slug": workspace.slug})
        except NoReverseMatch:
            continue
        yield Link(page.label, href, f"icons/{page.icon}.svg", is_current=request.path.startswith(href))


def last_workspace(request: HttpRequest) -> Workspace | None:
    """Return the workspace that the signed-in user was in last, or else joined first."""
    mine = Workspace.objects.filter(memberships__user=request.user.pk).order_by("memberships__created_at")
    return mine.filter(slug=request.session.get(LAST_WORKSPACE)).first() or mine.first()


def landing_url(request: HttpRequest, workspace: Workspace) -> str | None:
    """Return the address of the workspace's first page."""
    return next((link.href for link in links(request, workspace)), None)


class Shell:
    """What base.html shows around the page. Asks the database only when a template does, so that admin pages do not."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @cached_property
    def workspace(self) -> Workspace | None:
        """The page's workspace; on account pages the one used last."""
        if self.page_workspace:
            return self.page_workspace
        if not self._request.user.is_authenticated:
            return None
        return last_workspace(self._request)

    @property
    def page_workspace(self) -> Workspace | None:
        """The workspace that the page itself is about; none on account pages."""
        membership = getattr(self._request, "membership", None)
        return membership.workspace if membership else None

    @cached_property
    def workspaces(self) -> QuerySet[Workspace]:
        """Those to switch to."""
        return Workspace.objects.filter(memberships__user=self._request.user.pk).order_by("name")

    @cached_property
    def sidebar(self) -> list[Link]:
        return list(links(self._request, self.workspace)) if self.workspace else []


def shell(request: HttpRequest) -> dict[str, Shell]:
    """Context processor for base.html."""
    return {"shell": Shell(request)}
