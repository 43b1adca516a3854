"""What surrounds every page: the sidebar, the workspace switcher and the user menu."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import cached_property

from accounts.access import LAST_WORKSPACE, can
from accounts.models import Workspace
from accounts.permissions import Permission


@dataclass(frozen=True)
class Page:
    """A page of a workspace: `url_name` takes the workspace's slug; `icon` names a file in templates/icons.

    `also`: where else pages are that belong to it, below the workspace's address.
    """

    label: str
    url_name: str
    icon: str
    also: str = ""


# In the order of the sidebar. A page whose address does not exist (yet) is left out.
PAGES = (
    Page("Dashboard", "reports:dashboard", "dashboard"),
    Page("Attribution", "attribution:page", "attribution"),
    Page("Weightings", "weightings:page", "weightings"),
    Page("Cross-channel", "crosschannel:page", "crosschannel"),
    Page("Reports", "reports:reports", "reports", also="editions/"),
    Page("Runs", "analyses:runs", "runs"),
    Page("Data", "marketing:data", "data"),
    Page("Settings", "settings_general", "settings"),
)


@dataclass(frozen=True)
class Tab:
    """A page beside others under one heading: `url_name` takes the workspace's slug.

    `permission`: what the member's role must allow for the page to be open to them.
    """

    label: str
    url_name: str
    permission: Permission = Permission.VIEW


# As for PAGES: what has no address (yet) is left out.
TABS = {
    "data": (
        Tab("Imports", "marketing:data"),
        Tab("Data health", "marketing:health"),
        Tab("Segments", "marketing:segments"),
        Tab("Privacy", "marketing:privacy"),
    ),
    "settings": (
        Tab("General", "settings_general"),
        Tab("Channels & grouping", "marketing:channels"),
        Tab("Goals & outcomes", "marketing:goals"),
        Tab("Scheduled reports", "reports:schedules", Permission.SCHEDULE_OWN),
        Tab("Alerts", "reports:alerts", Permission.SCHEDULE_OWN),
        Tab("Deliveries", "reports:deliveries", Permission.SCHEDULE_OWN),
        Tab("Branding", "reports:branding"),
        Tab("API access", "api:access", Permission.API_KEYS_OWN),
        Tab("Webhooks", "webhooks:page", Permission.API_KEYS),
        Tab("Team", "settings_team"),
        Tab("Plan", "settings_plan"),
        Tab("Audit log", "settings_audit", Permission.AUDIT_LOG),
        Tab("Workspace", "settings_workspace"),
    ),
}


@dataclass(frozen=True)
class Link:
    """A page as the sidebar shows it."""

    label: str
    href: str
    icon_template: str
    is_current: bool


def links(request: HttpRequest, workspace: Workspace) -> Iterator[Link]:
    """Yield the sidebar's links for `workspace`, marking the one that the request is at or below."""
    home = reverse("workspace_home", kwargs={"slug": workspace.slug})
    for page in PAGES:
        try:
            href = reverse(page.url_name, kwargs={"slug": workspace.slug})
        except NoReverseMatch:
            continue
        here = (href, f"{home}{page.also}") if page.also else (href,)
        yield Link(page.label, href, f"icons/{page.icon}.svg", is_current=request.path.startswith(here))


@dataclass(frozen=True)
class TabLink:
    """A tab as its page shows it."""

    label: str
    href: str
    is_current: bool


def tabs(request: HttpRequest, workspace: Workspace, group: str) -> list[TabLink]:
    """Return the tabs of a group that are open to the member, marking the most specific one that holds the request."""
    found = []
    for tab in TABS[group]:
        if not can(request, tab.permission):
            continue
        try:
            found.append((tab.label, reverse(tab.url_name, kwargs={"slug": workspace.slug})))
        except NoReverseMatch:
            continue
    current = max((href for _, href in found if request.path.startswith(href)), key=len, default="")
    return [TabLink(label, href, is_current=href == current) for label, href in found]


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
    def data_tabs(self) -> list[TabLink]:
        return tabs(self._request, self.workspace, "data") if self.workspace else []

    @cached_property
    def settings_tabs(self) -> list[TabLink]:
        return tabs(self._request, self.workspace, "settings") if self.workspace else []

    @cached_property
    def sidebar(self) -> list[Link]:
        return list(links(self._request, self.workspace)) if self.workspace else []


def shell(request: HttpRequest) -> dict[str, Shell]:
    """Context processor for base.html."""
    return {"shell": Shell(request)}
