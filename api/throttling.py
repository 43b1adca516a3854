"""How many calls an API key may make in a minute: as its workspace's plan says, counted in the shared cache."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.core.cache import cache
from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.models import ApiKey, Workspace
from accounts.plans import plan_of
from accounts.usage import count_call

if TYPE_CHECKING:  # rest_framework.views loads this module while it is itself being loaded
    from rest_framework.views import APIView

WINDOW_SECONDS = 60
# Of a signed-in browser, whose pages do not use the API: enough for trying it out.
CALLS_OF_A_BROWSER = 600
LIMIT_KEPT_SECONDS = 60


@dataclass(frozen=True)
class Allowance:
    """How much of a window's calls is left."""

    limit: int
    used: int
    seconds_left: int

    @property
    def left(self) -> int:
        return max(self.limit - self.used, 0)

    @property
    def is_overdrawn(self) -> bool:
        return self.used > self.limit


class CallsAMinute(BaseThrottle):
    """Counts each call of a key, or of a signed-in person, in windows of a minute."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        self.allowance = _count(request)
        if isinstance(request.auth, ApiKey):
            count_call(request.auth.workspace)
        request.allowance = self.allowance  # type: ignore[attr-defined]
        return not self.allowance.is_overdrawn

    def wait(self) -> float:
        """Return the seconds to wait for the next window."""
        return self.allowance.seconds_left


def add_headers(request: Request, response: HttpResponse) -> None:
    """Say in the answer how much is left (draft-ietf-httpapi-ratelimit-headers)."""
    allowance: Allowance | None = getattr(request, "allowance", None)
    if allowance is not None:
        response["RateLimit-Policy"] = f'"minute";q={allowance.limit};w={WINDOW_SECONDS}'
        response["RateLimit"] = f'"minute";r={allowance.left};t={allowance.seconds_left}'


def _count(request: Request) -> Allowance:
    now = int(time.time())
    seconds_left = WINDOW_SECONDS - now % WINDOW_SECONDS
    key = request.auth if isinstance(request.auth, ApiKey) else None
    who = f"key:{key.pk}" if key else f"user:{request.user.pk}"
    name = f"api-calls:{who}:{now // WINDOW_SECONDS}"
    limit = _limit(key.workspace) if key else CALLS_OF_A_BROWSER
    cache.add(name, 0, 2 * WINDOW_SECONDS)
    try:
        used = cache.incr(name)
    except ValueError:  # the cache is away or has dropped it: nobody is refused for that
        used = 1
    return Allowance(limit, used, seconds_left)


def _limit(workspace: Workspace) -> int:
    """Return the plan's limit, looked up once a minute."""
    name = f"api-limit:{workspace.pk}"
    limit: int | None = cache.get(name)
    if limit is None:
        limit = plan_of(workspace).api_calls_a_minute
        cache.set(name, limit, LIMIT_KEPT_SECONDS)
    return limit
