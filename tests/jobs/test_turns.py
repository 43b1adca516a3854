"""Whose job is next: each workspace gets its share, none more than it may have, and nothing waits for nothing."""

import threading
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from accounts.models import Plan, Subscription, Workspace
from jobs import actions, handlers, tasks, turns
from jobs.child_slots import free_slot, slots_in_use
from jobs.execution import execute, execute_next
from jobs.handlers import JobDeferred
from jobs.models import Job
from jobs.progress import Progress
from tests.jobs.conftest import Trade

Committed = Callable[[], AbstractContextManager[object]]
QUICK, FITS = Job.Queue.QUICK, Job.Queue.FITS


@pytest.fixture(autouse=True)
def _limits(settings: Settings, tmp_path: Path) -> None:
    settings.JOBS_OF_A_WORKSPACE = 2
    settings.JOB_CHILD_SLOTS = 2
    settings.DATA_DIR = tmp_path


def a_workspace() -> Workspace:
    """Another workspace than that of the fixture."""
    name = f"other-{uuid.uuid4().hex[:8]}"
    return Workspace.objects.create(name=name, slug=name)


def submit(workspace: Workspace, number: int = 1, *, queue: Job.Queue = QUICK) -> list[Job]:
    return [actions.submit(workspace=workspace, kind="test", queue=queue, ring=False) for _ in range(number)]


def taken(queue: Job.Queue = QUICK) -> Job:
    job = actions.claim_next(queue=queue)
    assert job is not None
    return job


def finish(job: Job) -> None:
    Progress(job).complete(lambda: None)


def allow_fits(workspace: Workspace, number: int | None) -> None:
    plan, _ = Plan.objects.get_or_create(code=f"fits-{number}", defaults={"concurrent_fits": number, "rank": 9})
    Subscription.objects.update_or_create(workspace=workspace, defaults={"plan": plan})


def test_the_jobs_of_one_workspace_are_taken_in_their_order(workspace: Workspace, trade: Trade) -> None:
    first, second = submit(workspace, 2)
    assert [taken().pk, taken().pk] == [first.pk, second.pk]
    assert actions.claim_next(queue=QUICK) is None


def test_two_hundred_jobs_of_one_workspace_do_not_keep_another_waiting(workspace: Workspace, trade: Trade) -> None:
    other = a_workspace()
    submit(workspace, 200)
    (theirs,) = submit(other)
    assert taken().workspace == workspace  # of two that have nothing running and were never served, who came first
    assert taken().pk == theirs.pk


def test_with_room_for_one_workspaces_are_served_by_turns(workspace: Workspace, trade: Trade) -> None:
    second, third = a_workspace(), a_workspace()
    for one in (workspace, second, third):
        submit(one, 3)
    served = []
    for _ in range(9):
        job = taken()
        served.append(job.workspace)
        finish(job)
    assert served == [workspace, second, third] * 3


def test_a_workspace_has_no_more_running_than_it_may_and_keeps_nobody_waiting(
    workspace: Workspace, trade: Trade
) -> None:
    other = a_workspace()
    submit(workspace, 3)
    running = [taken(), taken()]
    assert actions.claim_next(queue=QUICK) is None
    (theirs,) = submit(other)
    assert taken().pk == theirs.pk
    finish(running[0])
    assert taken().workspace == workspace


@pytest.mark.parametrize(("fits", "at_once"), [(1, 1), (2, 2), (0, 1), (None, 4)])
def test_fits_run_at_once_as_the_plan_says(workspace: Workspace, trade: Trade, fits: int | None, at_once: int) -> None:
    allow_fits(workspace, fits)
    submit(workspace, 4, queue=FITS)
    submit(workspace, 4)
    claims = [actions.claim_next(queue=FITS) for _ in range(4)]
    assert sum(job is not None for job in claims) == at_once
    assert all(job is None or job.queue == FITS for job in claims)
    assert taken(QUICK).queue == QUICK  # fits that wait keep nothing quick waiting


def test_a_job_that_was_put_off_is_not_taken_up_at_once_again(workspace: Workspace, trade: Trade) -> None:
    def put_off(_job: Job, _progress: Progress) -> None:
        raise JobDeferred

    trade.work = put_off
    put_off_first, second = submit(workspace, 2)
    execute(job_id=put_off_first.pk)
    assert taken().pk == second.pk
    assert actions.claim_next(queue=QUICK) is None
    Job.objects.filter(pk=put_off_first.pk).update(deferred_until=None)
    assert taken().pk == put_off_first.pk


def test_what_a_job_was_put_off_for_has_happened(
    workspace: Workspace, trade: Trade, doorbell: list[int], committed: Committed
) -> None:
    def put_off(_job: Job, _progress: Progress) -> None:
        raise JobDeferred

    trade.work = put_off
    (job,) = submit(workspace)
    execute(job_id=job.pk)
    with committed():
        actions.ring_deferred(workspace_id=workspace.pk)
    assert doorbell == [job.pk]
    assert taken().pk == job.pk


def test_of_kinds_that_go_one_at_a_time_a_workspace_has_one_running(
    workspace: Workspace, trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = handlers.Handler(execute=trade.execute, on_end=trade.on_end, one_at_a_time=True)
    monkeypatch.setitem(handlers._handlers, "test", alone)
    monkeypatch.setitem(handlers._handlers, "beside", handlers.Handler(execute=trade.execute, on_end=trade.on_end))
    submit(workspace, 2)
    beside = actions.submit(workspace=workspace, kind="beside", ring=False)
    first = taken()
    assert taken().pk == beside.pk
    submit(a_workspace())
    assert taken().workspace != workspace
    finish(first)
    assert (taken().workspace, actions.claim_next(queue=QUICK)) == (workspace, None)


def test_a_doorbell_brings_the_one_whose_turn_it_is(workspace: Workspace, trade: Trade) -> None:
    served: list[int] = []
    trade.work = lambda job, _progress: served.append(job.pk)
    mine = submit(workspace, 3)
    (theirs,) = submit(a_workspace())
    for job in (mine[2], mine[1], mine[0], theirs):
        tasks.execute_job(job.pk)
    assert served == [mine[0].pk, theirs.pk, mine[1].pk, mine[2].pk]
    tasks.execute_job(10**9)  # a job that is no longer there
    assert len(served) == 4


def test_whoever_ends_a_job_rings_for_the_next_of_its_queue(
    workspace: Workspace, trade: Trade, doorbell: list[int], committed: Committed
) -> None:
    first, second = submit(workspace, 2)
    (fit,) = submit(workspace, queue=FITS)
    with committed():
        execute_next(queue=QUICK)
    assert doorbell == [second.pk]
    with committed():
        execute_next(queue=QUICK)
        execute_next(queue=FITS)
    assert doorbell == [second.pk]
    assert set(Job.objects.values_list("pk", "status")) == {(job.pk, "done") for job in (first, second, fit)}


def test_a_sweep_rings_for_the_oldest_of_each_queue(
    workspace: Workspace, trade: Trade, doorbell: list[int], committed: Committed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "RUNG_AT_ONCE", 2)
    quick, fits = submit(workspace, 3), submit(workspace, 3, queue=FITS)
    Job.objects.update(rung_at=None)
    with committed():
        assert actions.sweep().rung == 4
    assert doorbell == [job.pk for job in (*quick[:2], *fits[:2])]


def test_fits_wait_for_a_slot_of_the_machine_and_quick_jobs_do_not(
    workspace: Workspace, trade: Trade, settings: Settings
) -> None:
    settings.JOB_CHILD_SLOTS = 1
    (fit,) = submit(workspace, queue=FITS)
    (quick,) = submit(workspace)
    with free_slot() as room:
        assert room
        assert slots_in_use() == 1
        with free_slot() as second:
            assert not second
        execute_next(queue=FITS)
        execute(job_id=fit.pk)
        execute_next(queue=QUICK)
        assert set(Job.objects.values_list("pk", "status", "attempt")) == {
            (fit.pk, "queued", 0),
            (quick.pk, "done", 1),
        }
    execute_next(queue=FITS)
    fit.refresh_from_db()
    assert (fit.status, slots_in_use()) == ("done", 0)


def test_the_slot_is_free_when_the_next_fit_is_rung_for(
    workspace: Workspace, trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever hears the bell at once must find room, or the fit would wait for the sweep."""
    seen: list[tuple[int, int]] = []
    submit(workspace, 2, queue=FITS)
    trade.work = lambda _job, _progress: seen.append((slots_in_use(), 0))
    monkeypatch.setattr(
        actions,
        "ring_for_next",
        lambda *, queue: seen.append((slots_in_use(), Job.objects.filter(queue=queue, status="running").count())),
    )
    execute_next(queue=FITS)
    assert seen == [(1, 0), (0, 0)]


def test_taking_a_job_asks_as_much_of_the_database_however_many_wait_and_have_ended(
    workspace: Workspace, trade: Trade
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            taken()
        return len(captured)

    submit(workspace)
    few = queries()
    for _ in range(5):
        submit(a_workspace(), 10)
    Job.objects.bulk_create(Job(workspace=workspace, kind="test", status="done") for _ in range(100))
    assert queries() == few


@pytest.mark.django_db(transaction=True)
def test_workers_that_look_at_once_do_not_go_beyond_the_limit(workspace: Workspace, trade: Trade) -> None:
    submit(workspace, 12)
    claimed: list[int] = []
    together = threading.Barrier(6)

    def take() -> None:
        together.wait()
        try:
            if (job := actions.claim_next(queue=QUICK)) is not None:
                claimed.append(job.pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=take) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == len(set(claimed)) == 2
    assert Job.objects.filter(status="running").count() == 2


@given(asked=st.lists(st.integers(0, 3), min_size=1, max_size=40), places=st.integers(1, 5))
@pytest.mark.django_db
def test_every_job_is_carried_out_once_and_nobody_waits_longer_than_a_round(asked: list[int], places: int) -> None:
    """Whatever comes in from four workspaces, and however many workers there are, who have always something to do.

    Between two jobs of a workspace that still has some waiting, another one is served once, or has as many running.
    """
    Job.objects.all().delete()
    workspaces = [a_workspace() for _ in range(4)]
    waiting = [asked.count(number) for number in range(4)]
    for number in asked:
        submit(workspaces[number])
    numbers = {workspace.pk: number for number, workspace in enumerate(workspaces)}
    running: list[Job] = []
    served: list[int] = []
    while sum(waiting) or running:
        while len(running) < places and (job := actions.claim_next(queue=QUICK)) is not None:
            number = numbers[job.workspace_id]
            at_work = [numbers[one.workspace_id] for one in running]
            assert at_work.count(number) < 2
            # Nobody with fewer at work was passed over.
            assert all(at_work.count(other) >= at_work.count(number) for other in range(4) if waiting[other])
            waiting[number] -= 1
            running.append(job)
            served.append(job.pk)
        may = [number for number in range(4) if waiting[number]]
        at_work = [numbers[one.workspace_id] for one in running]
        assert len(running) == places or all(at_work.count(number) == 2 for number in may)
        finish(running.pop(0))
    assert len(served) == len(set(served)) == len(asked)


def test_the_order_of_turns_reads_no_jobs_that_have_ended(workspace: Workspace, trade: Trade) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("The plan of a small table says nothing on PostgreSQL, which reads it all.")
    submit(workspace)
    with CaptureQueriesContext(connection) as captured:
        assert list(turns.in_turn(QUICK, timezone.now()))
    for query in captured:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}")
            plan = [str(row[3]) for row in cursor.fetchall()]
        assert not [step for step in plan if step.startswith("SCAN ") and "INDEX" not in step], (query["sql"], plan)
