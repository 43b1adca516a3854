"""Who is calling the API: `Authorization: Bearer mmm_...`, and what that key may be used for."""

import base64
import hmac
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from django.db.models import Q
from django.utils import timezone as clock
from django.views.decorators.debug import sensitive_variables
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from structlog.contextvars import bind_contextvars

from accounts.api_keys import digest_of, holds_key, lookup_of
from accounts.models import ApiKey, Membership, User
from accounts.scopes import Scope, usable
from mmm_project.problems import NotPermitted

if TYPE_CHECKING:  # rest_framework.views loads this module while it is itself being loaded
    from rest_framework.views import APIView

LAST_USED_EVERY = timedelta(minutes=1)
HOW_TO_SEND = "Send the API key in one header, “Authorization: Bearer mmm_...”"
_NO_DIGEST = bytes(32)


class ApiKeyAuthentication(BaseAuthentication):
    """Sets `request.user` to the key's creator and `request.auth` to the `ApiKey`.

    The `scopes` of that object are those that count: of the key's own, what its creator's role allows at present.
    """

    keyword: ClassVar[str] = "Bearer"

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        """Return None without a bearer token; raise AuthenticationFailed (401) for one that is no use.

        A key anywhere else than in a bearer token is refused as well, also where a session would do: whoever put it
        there means it to be used, and has to learn that it is not, and that others may have read it.
        """
        _refuse_key_in_address(request)
        parts = get_authorization_header(request).decode("latin-1").split()
        if not parts or parts[0].lower() != self.keyword.lower():
            _refuse_key_in_another_header(request)
            return None
        if len(parts) != 2:
            raise AuthenticationFailed(f"{HOW_TO_SEND}.")
        key = _find(parts[1])
        _check_usable(key)
        _note_use(key)
        bind_contextvars(user_id=key.created_by_id, api_key=key.lookup)
        return key.created_by, key

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge of a 401 (RFC 6750): whoever sent credentials is told that those are the matter."""
        error = ', error="invalid_token"' if get_authorization_header(request) else ""
        return f'{self.keyword} realm="api"{error}'


class HasScope(BasePermission):
    """Lets a key through if it has any of the scopes that the view's `scopes` lists for the method.

    A default permission of the API: a view or method that lists none is open to no key. A view whose scope depends on
    what is asked for checks that one as well. A signed-in browser has no scopes to check.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        is_answered_with_405 = not hasattr(view, str(request.method).lower())
        if not isinstance(request.auth, ApiKey) or is_answered_with_405 or request.method == "OPTIONS":
            return True
        by_method: Mapping[str, tuple[Scope, ...]] = getattr(view, "scopes", {})
        method = "GET" if request.method == "HEAD" else str(request.method)
        accepted = by_method.get(method, ())
        if not set(accepted).intersection(request.auth.scopes):
            raise NotPermitted(_what_is_missing(request.auth, method, accepted))
        return True


def _what_is_missing(key: ApiKey, method: str, accepted: Collection[Scope]) -> str:
    takes = " or ".join(accepted) or "a signed-in browser"
    if set(accepted).intersection(ApiKey.objects.values_list("scopes", flat=True).get(pk=key.pk)):
        return (
            f"{method} takes {takes} here. This API key has it, but the role of the person who created it does not "
            "allow that to a key any more."
        )
    return f"This API key lacks the scope for {method} here; it takes {takes}."


def _refuse_key_in_address(request: Request) -> None:
    if holds_key(request.META.get("QUERY_STRING", "")):
        raise AuthenticationFailed(
            f"API keys are not taken from the address, which logs and histories keep. {HOW_TO_SEND}, and rotate this "
            "one, as others may have read it."
        )


@sensitive_variables("sent", "header")
def _refuse_key_in_another_header(request: Request) -> None:
    """Raise AuthenticationFailed for a key under another scheme or none, in HTTP Basic, or in a header of its own."""
    header = get_authorization_header(request).decode("latin-1")
    sent = [header, *map(_decoded, header.split()), request.headers.get("X-Api-Key", "")]
    if any(map(holds_key, sent)):
        raise AuthenticationFailed(f"This API key is not where it is looked for. {HOW_TO_SEND}.")


@sensitive_variables("word")
def _decoded(word: str) -> str:
    """Return what `word` is in base64, as HTTP Basic has it, or "" if it is not."""
    try:
        return base64.b64decode(word, validate=True).decode("latin-1")
    except ValueError:
        return ""


def _find(text: str) -> ApiKey:
    lookup = lookup_of(text)
    key = ApiKey.objects.select_related("created_by", "workspace").filter(lookup=lookup).first() if lookup else None
    # An unknown key is hashed and compared too, so that the time taken does not tell which lookups exist.
    matches = hmac.compare_digest(digest_of(text), bytes(key.digest) if key else _NO_DIGEST)
    if key is None or not matches:
        raise AuthenticationFailed("This is not a valid API key.")
    return key


def _check_usable(key: ApiKey) -> None:
    """Raise AuthenticationFailed for a key that has ended; else leave it the scopes that its creator's role allows."""
    if key.revoked_at is not None:
        raise AuthenticationFailed("This API key was revoked. Use another one.")
    if key.expires_at is not None and key.expires_at <= clock.now():
        raise AuthenticationFailed("This API key has expired. Create a new one.")
    memberships = Membership.objects.filter(workspace=key.workspace, user=key.created_by)
    role = memberships.values_list("role", flat=True).first()
    if role is None or not key.created_by.is_active:
        raise AuthenticationFailed("The person who created this API key is no longer a member of its workspace.")
    key.scopes = usable(key.scopes, role)


def _note_use(key: ApiKey) -> None:
    """Write `last_used_at`, at most once a minute so that busy keys do not turn every read into a write."""
    now = clock.now()
    stale = Q(last_used_at=None) | Q(last_used_at__lte=now - LAST_USED_EVERY)
    if key.last_used_at is None or key.last_used_at <= now - LAST_USED_EVERY:
        ApiKey.objects.filter(stale, pk=key.pk).update(last_used_at=now)
