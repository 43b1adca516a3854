"""The only way from a request to a workspace: membership first, then the role.

Another workspace is a 404, never a 403, so that nobody learns which workspaces exist.
"""

from typing import cast

from django.core.validators import slug_re
from django.db.models import QuerySet
from django.http import HttpRequest
from rest_framework.request import Request
from structlog.contextvars import bind_contextvars

from accounts.models import ApiKey, Membership, User, Workspace
from accounts.permissions import Permission, allows
from mmm_project.problems import Invalid, NotFound, NotPermitted
from mmm_project.web import HtmxHttpRequest

LAST_WORKSPACE = "last_workspace"


class AuthedRequest(HtmxHttpRequest):
    """A signed-in user's request (`LoginRequiredMiddleware`); `get_workspace` sets `membership`."""

    user: User
    membership: Membership


def get_workspace(request: HttpRequest | Request, slug: str) -> Workspace:
    """Return the workspace and put the caller's membership on the request.

    Raises NotFound unless the caller is a member and, when an API key asks, the key belongs to this workspace.
    """
    memberships = _memberships(cast("User", request.user)).filter(workspace__slug=slug)
    # What can be no slug is not looked for: PostgreSQL refuses a text with a NUL in it.
    membership = memberships.first() if slug_re.match(slug) else None
    key = _api_key(request)
    if membership is None or (key is not None and key.workspace_id != membership.workspace_id):
        raise NotFound("There is no such workspace, or you are not a member of it.")
    if key is None and request.session.get(LAST_WORKSPACE) != slug:
        request.session[LAST_WORKSPACE] = slug
    return _enter(request, membership)


def get_api_workspace(request: Request) -> Workspace:
    """Return the workspace that an API call is about, and put the caller's membership on the request.

    A key belongs to one workspace. A signed-in browser names one by `?workspace=slug`, unless it has only one.
    Raises NotFound as `get_workspace` does, and Invalid when the workspace has to be named.
    """
    key = _api_key(request)
    slug = request.query_params.get("workspace") or (key.workspace.slug if key else None)
    if slug:
        return get_workspace(request, slug)
    memberships = list(_memberships(cast("User", request.user))[:2])
    if len(memberships) != 1:
        raise Invalid("Say which workspace.", errors={"workspace": ["Add ?workspace= and the workspace's slug."]})
    return _enter(request, memberships[0])


def can(request: HttpRequest | Request, permission: Permission) -> bool:
    """Whether the member that `get_workspace` found may do this."""
    membership: Membership = request.membership  # type: ignore[union-attr]
    return allows(membership.role, permission)


def require(request: HttpRequest | Request, permission: Permission) -> None:
    """Raise NotPermitted unless the member that `get_workspace` found may do this."""
    if not can(request, permission):
        role = cast("Membership", request.membership).get_role_display().lower()  # type: ignore[union-attr]
        raise NotPermitted(
            f"As {'an' if role[0] in 'aeiou' else 'a'} {role} you may not {permission.value}. "
            "An owner or admin of the workspace can change your role."
        )


def _memberships(user: User) -> QuerySet[Membership]:
    return Membership.objects.filter(user=user).select_related("workspace__subscription__plan")


def _api_key(request: HttpRequest | Request) -> ApiKey | None:
    key = getattr(request, "auth", None)
    return key if isinstance(key, ApiKey) else None


def _enter(request: HttpRequest | Request, membership: Membership) -> Workspace:
    request.membership = membership  # type: ignore[union-attr]
    bind_contextvars(workspace=membership.workspace.slug)
    return membership.workspace
