"""Who is calling the API: `Authorization: Bearer mmm_...`, and what that key may be used for."""

import hmac
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from django.db.models import Q
from django.utils import timezone as clock
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.api_keys import digest_of, lookup_of
from accounts.models import ApiKey, Membership, User
from accounts.scopes import Scope
from mmm_project.problems import NotPermitted

if TYPE_CHECKING:  # rest_framework.views loads this module while it is itself being loaded
    from rest_framework.views import APIView

LAST_USED_EVERY = timedelta(minutes=1)
_NO_DIGEST = bytes(32)


class ApiKeyAuthentication(BaseAuthentication):
    """Sets `request.user` to the key's creator and `request.auth` to the `ApiKey`."""

    keyword: ClassVar[str] = "Bearer"

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        """Return None without a bearer token; raise AuthenticationFailed (401) for one that is no use."""
        parts = get_authorization_header(request).decode("latin-1").split()
        if not parts or parts[0].lower() != self.keyword.lower():
            return None
        if len(parts) != 2:
            raise AuthenticationFailed("Send one API key: “Authorization: Bearer mmm_...”.")
        key = _find(parts[1])
        _check_usable(key)
        _note_use(key)
        return key.created_by, key

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 (DRF's signature)
        return f'{self.keyword} realm="api"'


class HasScope(BasePermission):
    """Lets a key through if it has any of the scopes that the view's `scopes` lists for the method.

    A default permission of the API: a view or method that lists none is open to no key. A view whose scope depends on
    what is asked for checks that one as well. A signed-in browser has no scopes to check.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        is_answered_with_405 = not hasattr(view, str(request.method).lower())
        if not isinstance(request.auth, ApiKey) or is_answered_with_405:
            return True
        by_method: Mapping[str, tuple[Scope, ...]] = getattr(view, "scopes", {})
        method = "GET" if request.method in ("HEAD", "OPTIONS") else str(request.method)
        accepted = by_method.get(method, ())
        if not {scope.value for scope in accepted}.intersection(request.auth.scopes):
            takes = " or ".join(accepted) or "a signed-in browser"
            raise NotPermitted(f"This API key lacks the scope for {method} here; it takes {takes}.")
        return True


def _find(text: str) -> ApiKey:
    lookup = lookup_of(text)
    key = ApiKey.objects.select_related("created_by", "workspace").filter(lookup=lookup).first() if lookup else None
    # An unknown key is hashed and compared too, so that the time taken does not tell which lookups exist.
    matches = hmac.compare_digest(digest_of(text), bytes(key.digest) if key else _NO_DIGEST)
    if key is None or not matches:
        raise AuthenticationFailed("This is not a valid API key.")
    return key


def _check_usable(key: ApiKey) -> None:
    if key.revoked_at is not None:
        raise AuthenticationFailed("This API key was revoked. Use another one.")
    if key.expires_at is not None and key.expires_at <= clock.now():
        raise AuthenticationFailed("This API key has expired. Create a new one.")
    is_member = Membership.objects.filter(workspace=key.workspace, user=key.created_by).exists()
    if not (key.created_by.is_active and is_member):
        raise AuthenticationFailed("The person who created this API key is no longer a member of its workspace.")


def _note_use(key: ApiKey) -> None:
    """Write `last_used_at`, at most once a minute so that busy keys do not turn every read into a write."""
    now = clock.now()
    stale = Q(last_used_at=None) | Q(last_used_at__lte=now - LAST_USED_EVERY)
    if key.last_used_at is None or key.last_used_at <= now - LAST_USED_EVERY:
        ApiKey.objects.filter(stale, pk=key.pk).update(last_used_at=now)
