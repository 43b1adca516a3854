"""The audit log of a workspace as a list to look through: filters, and pages that stay put while events arrive."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db import connection
from django.db.models import Q, QuerySet

from accounts.audit_words import NOUNS, actions_of
from accounts.models import ApiKey, AuditEvent, User, Workspace

EVENTS_ON_A_PAGE = 50
EVENTS_AT_ONCE = 1_000  # of an export
THE_PRODUCT = "product"  # in place of an actor: what nobody did
# No event is outside of these days, and within them no zone leads over the end of the calendar.
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2999, 12, 31)


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What to show of the log; what is not given is not asked.

    `actor`: a user's id, or THE_PRODUCT. `action`: one such as "member.added", or all about a noun such as "member".
    `target`: a part of what the object is called. `start`, `end`: days by the workspace's clock, both inclusive.
    """

    actor: int | str | None = None
    api_key: uuid.UUID | None = None
    action: str = ""
    target: str = ""
    start: date | None = None
    end: date | None = None


@dataclass(frozen=True)
class EventPage:
    """Some events, newest first. `newer`, `older`: the event to go on from in that direction, None at the end."""

    events: list[AuditEvent]
    newer: int | None
    older: int | None


NO_FILTERS = Filters()

# From one actor to the next in the index on (workspace, actor, at): SELECT DISTINCT would read every event.
_ACTORS = """
WITH RECURSIVE found(id) AS (
    SELECT min(actor_id) FROM accounts_auditevent WHERE workspace_id = %(workspace)s
    UNION ALL
    SELECT (
        SELECT min(actor_id) FROM accounts_auditevent WHERE workspace_id = %(workspace)s AND actor_id > found.id
    ) FROM found WHERE found.id IS NOT NULL
)
SELECT id FROM found WHERE id IS NOT NULL
"""


def events(workspace: Workspace, filters: Filters = NO_FILTERS) -> QuerySet[AuditEvent]:
    """Return the workspace's events, newest first, with who did what."""
    found = AuditEvent.objects.filter(workspace=workspace).select_related("actor", "api_key__created_by")
    if filters.actor == THE_PRODUCT:
        found = found.filter(actor=None, api_key=None)
    elif isinstance(filters.actor, int):
        found = found.filter(actor=filters.actor)
    if filters.api_key is not None:
        found = found.filter(api_key=filters.api_key)
    if filters.action:
        about = actions_of(filters.action)
        found = found.filter(action__in=about) if about else found.filter(action=filters.action)
    if filters.target:
        found = found.filter(target__icontains=filters.target)
    if filters.start is not None:
        found = found.filter(at__gte=_midnight(workspace, max(filters.start, FIRST_DAY)))
    if filters.end is not None:
        found = found.filter(at__lt=_midnight(workspace, min(filters.end, LAST_DAY) + timedelta(days=1)))
    return found.order_by("-at", "-pk")


def page_of(
    found: QuerySet[AuditEvent], *, after: int | None = None, before: int | None = None, size: int = EVENTS_ON_A_PAGE
) -> EventPage:
    """Return the newest events, or those next to an event: older ones `after` it in the list, newer ones `before` it.

    An event that is not among those found begins the list anew.
    """
    if before is not None and (event := found.filter(pk=before).first()):
        nearest = list(found.filter(_newer_than(event)).order_by("at", "pk")[: size + 1])
        shown = nearest[:size][::-1]
        return EventPage(shown, shown[0].pk if len(nearest) > size else None, shown[-1].pk if shown else None)
    event = found.filter(pk=after).first() if after is not None else None
    nearest = list((found.filter(_older_than(event)) if event else found)[: size + 1])
    shown = nearest[:size]
    return EventPage(shown, shown[0].pk if event and shown else None, shown[-1].pk if len(nearest) > size else None)


def in_batches(found: QuerySet[AuditEvent]) -> Iterator[AuditEvent]:
    """Yield all events, newest first, without holding a query open for as long as somebody takes to fetch them."""
    last: AuditEvent | None = None
    while some := list((found.filter(_older_than(last)) if last else found)[:EVENTS_AT_ONCE]):
        yield from some
        last = some[-1]


def actors(workspace: Workspace) -> list[User]:
    """Return the people who are in the workspace's log, members or not, by address."""
    with connection.cursor() as cursor:
        cursor.execute(_ACTORS, {"workspace": workspace.pk})
        ids = [pk for (pk,) in cursor.fetchall()]
    return list(User.objects.filter(pk__in=ids).order_by("email"))


def keys(workspace: Workspace) -> list[ApiKey]:
    """Return all keys that the workspace ever had, by name."""
    return list(ApiKey.objects.filter(workspace=workspace).order_by("name", "created_at"))


def is_action(text: str) -> bool:
    """Whether this is something to ask for: an action that there are words for, or a noun."""
    return text in NOUNS or any(text in actions_of(noun) for noun in NOUNS)


def _older_than(event: AuditEvent) -> Q:
    # The first condition is implied by the second one, but only it can be looked up in an index.
    return Q(at__lte=event.at) & (Q(at__lt=event.at) | Q(pk__lt=event.pk))


def _newer_than(event: AuditEvent) -> Q:
    return Q(at__gte=event.at) & (Q(at__gt=event.at) | Q(pk__gt=event.pk))


def _midnight(workspace: Workspace, day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=workspace.zone)
