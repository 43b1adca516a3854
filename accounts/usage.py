"""How much of its plan a workspace uses, and the count of its API calls.

Apps above this one say how to count what is theirs (`register_counter`).
"""

import enum
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.core.cache import cache
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import F, Sum
from django.utils import timezone as clock

from accounts.models import ApiUsage, Membership, Plan, Workspace
from accounts.plans import plan_of
from accounts.seats import open_invitations_held

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_WRITES = 60
# Calls that nobody came to write down stay in the cache, and count, for as long as a page asks about them.
DAYS_PENDING = 31


class Counted(enum.Enum):
    """What other apps count of a workspace."""

    ROWS = "rows of all datasets that are stored"
    RUNS = "runs that were asked for in this month of the workspace's calendar"
    FITS = "models that are being fitted now"


_counters: dict[Counted, Callable[[Workspace], int]] = {}


def register_counter(counted: Counted, count: Callable[[Workspace], int]) -> None:
    """Let an app count what is its own."""
    _counters[counted] = count


@dataclass(frozen=True)
class Used:
    """A number against its limit; None where the plan sets none."""

    used: int
    limit: int | None

    @property
    def is_full(self) -> bool:
        return self.limit is not None and self.used >= self.limit

    @property
    def is_over(self) -> bool:
        """Whether there is more than the plan includes, as after a change to a smaller one."""
        return self.limit is not None and self.used > self.limit


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What a workspace uses of its plan. `month_start`: in the workspace's zone; days of API calls are UTC's."""

    plan: Plan
    rows: Used
    seats: Used
    members: int
    invitations: int
    runs_this_month: Used
    month_start: datetime
    fits_now: Used
    api_calls_today: int
    api_calls_this_month: int


def usage_of(workspace: Workspace) -> Usage:
    """Look everything up; none of it by counting rows of data."""
    plan = plan_of(workspace)
    members = Membership.objects.filter(workspace=workspace).count()
    invitations = open_invitations_held(workspace)
    today = _today()
    return Usage(
        plan=plan,
        rows=Used(_count(Counted.ROWS, workspace), plan.max_rows),
        seats=Used(members + invitations, plan.max_members),
        members=members,
        invitations=invitations,
        runs_this_month=Used(_count(Counted.RUNS, workspace), plan.runs_a_month),
        month_start=month_of(workspace)[0],
        fits_now=Used(_count(Counted.FITS, workspace), plan.concurrent_fits),
        api_calls_today=calls(workspace, since=today),
        api_calls_this_month=calls(workspace, since=today.replace(day=1)),
    )


def month_of(workspace: Workspace, now: datetime | None = None) -> tuple[datetime, datetime]:
    """Return when the workspace's calendar month began, and when the next one does, in its zone."""
    today = (now or clock.now()).astimezone(workspace.zone).date()
    first = today.replace(day=1)
    following = (first + timedelta(days=32)).replace(day=1)
    start, end = (datetime(day.year, day.month, 1, tzinfo=workspace.zone) for day in (first, following))
    return start, end


def count_call(workspace: Workspace) -> None:
    """Count one API call of the workspace, in the cache; what has gathered there is written once a minute.

    Where nothing can be kept in the cache, each call is written at once. Never fails: a call is not refused because it
    cannot be counted.
    """
    today = _today()
    key = _key(workspace.pk, today)
    try:
        cache.add(key, 0, timedelta(days=DAYS_PENDING).total_seconds())
        cache.incr(key)
    except ValueError:  # the cache keeps nothing, or has dropped it just now
        _write(workspace.pk, today, 1)
        return
    if cache.add(f"api-usage:{workspace.pk}:written", True, SECONDS_BETWEEN_WRITES):
        for day, pending in _pending(workspace.pk, _days_back(today)).items():
            _write_pending(workspace.pk, day, pending)


def calls(workspace: Workspace, *, since: date) -> int:
    """Return how many API calls were made since that day (UTC) began, also those that are not written yet."""
    today = _today()
    days = [day for day in _days_back(today) if day >= since]
    written = ApiUsage.objects.filter(workspace=workspace, day__gte=since).aggregate(calls=Sum("calls"))["calls"]
    return (written or 0) + sum(_pending(workspace.pk, days).values())


def _today() -> date:
    return clock.now().astimezone(UTC).date()


def _days_back(today: date) -> list[date]:
    return [today - timedelta(days=number) for number in range(DAYS_PENDING + 1)]


def _key(workspace_id: int, day: date) -> str:
    return f"api-usage:{workspace_id}:{day}"


def _count(counted: Counted, workspace: Workspace) -> int:
    count = _counters.get(counted)
    return count(workspace) if count else 0


def _pending(workspace_id: int, days: Iterable[date]) -> dict[date, int]:
    """Return the calls of each day that wait in the cache to be written."""
    by_key = {_key(workspace_id, day): day for day in days}
    return {by_key[key]: number for key, number in cache.get_many(by_key).items() if number > 0}


def _write_pending(workspace_id: int, day: date, pending: int) -> None:
    """Move calls from the cache to the database; if that fails, back again."""
    key = _key(workspace_id, day)
    taken = _take(key, pending)
    if taken and not _write(workspace_id, day, taken):
        _put_back(key, taken)


def _take(key: str, pending: int) -> int:
    """Take calls out of the cache and return how many: of two who do so at once, one gets what the other has left."""
    try:
        left = cache.decr(key, pending)
    except ValueError:
        return 0
    overdrawn = min(max(-left, 0), pending)
    if overdrawn:
        _put_back(key, overdrawn)
    return pending - overdrawn


def _put_back(key: str, number: int) -> None:
    try:
        cache.incr(key, number)
    except ValueError:
        logger.warning("The cache has dropped %s API calls that were not written yet", number)


def _write(workspace_id: int, day: date, number: int) -> bool:
    """Add calls to the day's row, and return whether that worked."""
    row = ApiUsage.objects.filter(workspace=workspace_id, day=day)
    try:
        if row.update(calls=F("calls") + number):
            return True
        try:
            with transaction.atomic():
                ApiUsage.objects.create(workspace_id=workspace_id, day=day, calls=number)
        except IntegrityError:  # somebody else was first; or the workspace is gone, and there is nothing to count
            row.update(calls=F("calls") + number)
    except DatabaseError:
        logger.exception("API calls could not be counted")
        return False
    return True
