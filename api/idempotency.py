"""`Idempotency-Key`: a POST that is sent again, as its answer was lost, does nothing again and is answered the same.

Keys are of one workspace and person, so that a rotated API key goes on with them, and are kept for `KEPT_FOR`. A
request that was refused keeps none: sent again, it is judged again. The same request by a key of other scopes is
another one, as its answer may be.
"""

import hashlib
import json
import re
import uuid
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone as clock
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User, Workspace
from api.models import IdempotentRequest
from mmm_project.problems import Conflict, Invalid, Problem

KEPT_FOR = timedelta(hours=24)
# Within this, an attempt has answered or its process is gone.
CLAIMED_FOR = timedelta(minutes=2)
REMOVED_AT_ONCE = 10_000
KEPT_HEADERS = ("Location", "Retry-After")
_KEY = re.compile(r"[\x20-\x7e]{1,255}")


class KeyReused(Problem):
    """The key stands for another request already."""

    status = 422
    code = "idempotency_key_reused"
    title = "Idempotency key reused"


class KeyInFlight(Conflict):
    """The first request of this key is still being answered."""

    code = "idempotency_key_in_flight"


@dataclass(frozen=True, kw_only=True)
class Keyed:
    """A request with a key: whose it is, and what it asks for. `kept`: statuses of answers to keep, None for all."""

    workspace: Workspace
    user: User
    key: str
    fingerprint: str
    kept: Collection[int] | None = None

    def keeps(self, status: int | None) -> bool:
        return self.kept is None or status in self.kept


def read_key(request: Request) -> str | None:
    """Return the request's `Idempotency-Key`. Raises Invalid unless it is 1 to 255 printable ASCII characters."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not _KEY.fullmatch(key):
        sentence = "Use 1 to 255 printable ASCII characters, such as a UUID."
        raise Invalid("This is no usable Idempotency-Key.", errors={"Idempotency-Key": [sentence]})
    return key


def fingerprint(request: Request, scopes: Iterable[str] = ()) -> str:
    """Return the SHA-256 of the request's method, address and body, and of the scopes of the API key that asks.

    The order of a body's members does not matter.
    """
    said = [request.method, request.path, sorted(request.query_params.lists()), request.data, sorted(scopes)]
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


def answer_once(asked: Keyed, answer: Callable[[], Response]) -> Response:
    """Call `answer` and keep what it says, or return what was said to this key before. What is not kept is asked again.

    `answer` runs in one transaction with the note that it ran: either both stand or neither does. Raises KeyReused,
    KeyInFlight, and whatever `answer` raises.
    """
    claim = uuid.uuid4()
    row = _claim(asked, claim)
    if row.claim != claim:
        _require_same(asked, row)
        return _kept(row) if asked.keeps(row.status) else answer()
    try:
        with transaction.atomic():
            response = answer()
            _keep(row, response, with_body=asked.keeps(response.status_code))
    except BaseException:
        IdempotentRequest.objects.filter(pk=row.pk, claim=claim, status=None).delete()
        raise
    return response


def remove_old() -> int:
    """Remove what is kept no longer; returns how many rows, at most `REMOVED_AT_ONCE`."""
    old = IdempotentRequest.objects.filter(created_at__lt=clock.now() - KEPT_FOR).values("pk")[:REMOVED_AT_ONCE]
    removed, _by_model = IdempotentRequest.objects.filter(pk__in=list(old.values_list("pk", flat=True))).delete()
    return removed


@transaction.atomic
def _claim(asked: Keyed, claim: uuid.UUID) -> IdempotentRequest:
    """Return the key's row: the caller's, if it bears their `claim`."""
    now = clock.now()
    of_key = IdempotentRequest.objects.filter(workspace=asked.workspace, user=asked.user, key=asked.key)
    given_up = Q(status=None, claimed_until__lt=now)
    of_key.filter(Q(created_at__lt=now - KEPT_FOR) | given_up).delete()
    row, _created = IdempotentRequest.objects.get_or_create(
        workspace=asked.workspace,
        user=asked.user,
        key=asked.key,
        defaults={"fingerprint": asked.fingerprint, "claim": claim, "claimed_until": now + CLAIMED_FOR},
    )
    return row


def _keep(row: IdempotentRequest, response: Response, *, with_body: bool) -> None:
    """Write the answer beside its key. Raises KeyInFlight where another attempt has taken over meanwhile."""
    body = JSONRenderer().render(response.data).decode() if with_body and response.data is not None else ""
    kept = IdempotentRequest.objects.filter(pk=row.pk, claim=row.claim).update(
        status=response.status_code,
        headers={name: response[name] for name in KEPT_HEADERS if name in response},
        body=body,
    )
    if not kept:
        raise KeyInFlight("This took so long that the same request, sent again, is being answered instead.")


def _require_same(asked: Keyed, row: IdempotentRequest) -> None:
    """Raise KeyReused for another request than the key stands for, and KeyInFlight while that has no answer."""
    if row.fingerprint != asked.fingerprint:
        raise KeyReused("This Idempotency-Key stands for another request already. Use a new key for each request.")
    if row.status is None:
        raise KeyInFlight("The first request with this Idempotency-Key is still being answered. Try again in a moment.")


def _kept(row: IdempotentRequest) -> Response:
    return Response(
        json.loads(row.body) if row.body else None,
        status=row.status,
        headers={**row.headers, "Idempotent-Replayed": "true"},
    )
