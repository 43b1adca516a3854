"""The count of API calls, which gathers in the cache, and what a workspace uses of its plan."""

import datetime as dt
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.db import DatabaseError, IntegrityError
from pytest_django.fixtures import DjangoAssertNumQueries, Settings

from accounts import usage
from accounts.invitations import invite
from accounts.models import ApiUsage, Plan, Role, User, Workspace
from accounts.usage import calls, count_call, month_of, usage_of
from marketing.models import Import
from tests.conftest import ImportRows
from tests.factories import WorkspaceFactory

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 6, 15, 12, tzinfo=dt.UTC)
TODAY = NOON.date()


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def written() -> dict[dt.date, int]:
    return dict(ApiUsage.objects.order_by("day").values_list("day", "calls"))


def test_calls_gather_in_the_cache_and_are_written_once_a_minute(
    workspace: Workspace, clock: Any, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    count_call(workspace)
    assert written() == {TODAY: 1}
    with django_assert_num_queries(0):
        for _ in range(5):
            count_call(workspace)
    assert calls(workspace, since=TODAY) == 6
    clock.shift(61)
    count_call(workspace)
    assert written() == {TODAY: 7}
    assert calls(workspace, since=TODAY) == 7


def test_calls_that_nobody_came_to_write_count_all_the_same_and_belong_to_their_day(
    workspace: Workspace, clock: Any
) -> None:
    for _ in range(3):
        count_call(workspace)
    clock.shift(dt.timedelta(days=9))
    assert calls(workspace, since=TODAY) == 3
    assert calls(workspace, since=TODAY + dt.timedelta(days=1)) == 0
    count_call(workspace)
    assert written() == {TODAY: 3, TODAY + dt.timedelta(days=9): 1}


def test_days_are_utcs(workspace: Workspace) -> None:
    Workspace.objects.update(timezone="Pacific/Auckland")
    with time_machine.travel(dt.datetime(2026, 6, 30, 23, 59, tzinfo=dt.UTC), tick=False):
        count_call(Workspace.objects.get())
    assert written() == {dt.date(2026, 6, 30): 1}


def test_of_two_who_write_at_once_none_counts_a_call_twice(
    workspace: Workspace, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have read the same number before either takes it; two calls come in between."""
    for _ in range(5):
        count_call(workspace)
    clock.shift(61)
    take = usage._take

    def other_first(key: str, pending: int) -> int:
        monkeypatch.setattr(usage, "_take", take)
        usage._write_pending(workspace.pk, TODAY, pending)
        cache.incr(key, 2)
        return take(key, pending)

    monkeypatch.setattr(usage, "_take", other_first)
    count_call(workspace)
    assert calls(workspace, since=TODAY) == 8
    clock.shift(61)
    count_call(workspace)
    assert (written(), calls(workspace, since=TODAY)) == ({TODAY: 9}, 9)


def test_two_who_write_the_first_row_of_a_day_make_one(
    workspace: Workspace, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = ApiUsage.objects.create

    def other_first(**fields: Any) -> None:
        create(**fields)
        raise IntegrityError

    monkeypatch.setattr(ApiUsage.objects, "create", other_first)
    # Within the test's transaction the other's row is rolled back with ours: what is left is that nothing is raised.
    count_call(workspace)
    monkeypatch.undo()
    create(workspace=workspace, day=TODAY, calls=4)
    usage._write(workspace.pk, TODAY, 3)
    assert written() == {TODAY: 7}


@pytest.mark.parametrize("backend", ["django.core.cache.backends.dummy.DummyCache"])
def test_without_a_cache_each_call_is_written(
    workspace: Workspace, clock: Any, settings: Settings, backend: str
) -> None:
    settings.CACHES = {"default": {"BACKEND": backend}}
    for _ in range(3):
        count_call(workspace)
    assert (written(), calls(workspace, since=TODAY)) == ({TODAY: 3}, 3)


def test_a_cache_that_cannot_be_reached_loses_no_call(workspace: Workspace, clock: Any, settings: Settings) -> None:
    nobody_listens = "redis://127.0.0.1:1"
    settings.CACHES = {"default": {"BACKEND": "mmm_project.caches.ForgivingRedisCache", "LOCATION": nobody_listens}}
    logging.disable()
    try:
        count_call(workspace)
        assert calls(workspace, since=TODAY) == 1
    finally:
        logging.disable(logging.NOTSET)


def test_calls_that_cannot_be_written_stay_and_refuse_nobody(
    workspace: Workspace, clock: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(**_fields: object) -> None:
        raise DatabaseError("database is locked")

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(ApiUsage.objects, "create", fail)
        count_call(workspace)
    assert "API calls could not be counted" in caplog.text
    assert (written(), calls(workspace, since=TODAY)) == ({}, 1)
    clock.shift(61)
    count_call(workspace)
    assert written() == {TODAY: 2}


def test_workspaces_are_counted_apart(workspace: Workspace, clock: Any) -> None:
    other = WorkspaceFactory.create()
    count_call(workspace)
    count_call(other)
    count_call(other)
    assert (calls(workspace, since=TODAY), calls(other, since=TODAY)) == (1, 2)


@pytest.mark.parametrize(
    ("zone", "now", "start", "end"),
    [
        ("UTC", "2026-12-31T23:59:59+00:00", "2026-12-01T00:00:00+00:00", "2027-01-01T00:00:00+00:00"),
        ("Europe/Berlin", "2026-02-28T23:30:00+00:00", "2026-03-01T00:00:00+01:00", "2026-04-01T00:00:00+02:00"),
        ("America/New_York", "2026-03-01T04:59:00+00:00", "2026-02-01T00:00:00-05:00", "2026-03-01T00:00:00-05:00"),
    ],
)
def test_a_month_begins_by_the_workspaces_clock(zone: str, now: str, start: str, end: str) -> None:
    workspace = Workspace(timezone=zone)
    found = month_of(workspace, dt.datetime.fromisoformat(now))
    assert tuple(moment.isoformat() for moment in found) == (start, end)


def test_the_usage_of_a_workspace(
    shop: Workspace, owner: User, analyst: User, import_rows: ImportRows, clock: Callable[..., Any]
) -> None:
    Plan.objects.filter(code="starter").update(max_members=3, runs_a_month=10)
    workspace = Workspace.objects.get(pk=shop.pk)
    invite(workspace=workspace, email="one@example.com", role=Role.VIEWER, by=workspace.memberships.get(user=owner))
    import_rows("spend", "date,channel,spend", "2026-06-01,TV,10", "2026-06-02,TV,20")
    ApiUsage.objects.create(workspace=workspace, day=dt.date(2026, 6, 1), calls=40)
    ApiUsage.objects.create(workspace=workspace, day=dt.date(2026, 5, 31), calls=999)
    count_call(workspace)
    found = usage_of(workspace)
    assert (found.rows.used, found.rows.limit) == (2, 1_000_000)
    assert (found.seats.used, found.seats.limit, found.members, found.invitations) == (3, 3, 2, 1)
    assert (found.seats.is_full, found.seats.is_over) == (True, False)
    assert (found.fits_now.used, found.fits_now.limit) == (0, 1)
    assert (found.api_calls_today, found.api_calls_this_month) == (1, 41)
    assert found.month_start == dt.datetime(2026, 6, 1, tzinfo=dt.UTC)


def test_rows_are_known_without_looking_at_them(
    shop: Workspace, import_rows: ImportRows, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    import_rows("spend", "date,channel,spend", "2026-06-01,TV,10")
    Import.objects.update(accepted=20_000_000)
    with django_assert_num_queries(1):
        assert usage._count(usage.Counted.ROWS, shop) == 20_000_000
