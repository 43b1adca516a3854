import errno
import threading

import pytest
from django.db import InterfaceError, OperationalError, connection
from pytest_django.fixtures import Settings

from accounts.models import Workspace
from jobs import actions
from jobs.execution import execute
from jobs.handlers import JobDeferred, JobFailed, LeaseLost
from jobs.models import Job
from jobs.progress import Progress
from tests.jobs.conftest import Trade, Work


def raising(error: BaseException) -> Work:
    def work(_job: Job, _progress: Progress) -> None:
        raise error

    return work


def test_a_job_is_done_when_its_handler_returns(job: Job, trade: Trade) -> None:
    execute(job_id=job.pk)
    job.refresh_from_db()
    assert (job.status, job.progress, job.attempt, job.lease_until) == ("done", 1, 1, None)
    assert job.started_at is not None
    assert job.finished_at is not None
    assert trade.ended == []


def test_a_job_delivered_again_is_not_carried_out_again(job: Job, trade: Trade) -> None:
    for _delivery in range(5):
        execute(job_id=job.pk)
    assert trade.calls == 1


def test_a_job_delivered_while_it_runs_is_not_carried_out_twice(job: Job, trade: Trade) -> None:
    trade.work = lambda job, _progress: execute(job_id=job.pk)
    execute(job_id=job.pk)
    assert trade.calls == 1


def test_a_job_that_does_not_exist_is_ignored(db: None) -> None:
    execute(job_id=12345)


def test_an_expected_failure_ends_the_job_with_its_sentence(job: Job, trade: Trade) -> None:
    trade.work = raising(JobFailed("No conversions in June.", code="no_conversions"))
    execute(job_id=job.pk)
    job.refresh_from_db()
    assert (job.status, job.error_code, job.error) == ("failed", "no_conversions", "No conversions in June.")
    assert trade.ended == [(job.pk, "failed")]


def test_an_unexpected_failure_shows_the_id_under_which_it_was_logged(
    job: Job, trade: Trade, caplog: pytest.LogCaptureFixture
) -> None:
    trade.work = raising(ZeroDivisionError("secret detail"))
    execute(job_id=job.pk)
    job.refresh_from_db()
    assert (job.status, job.error_code) == ("failed", "internal_error")
    assert "secret" not in job.error
    error_id = job.error.rstrip(".").split()[-1]
    assert error_id in caplog.text
    assert "ZeroDivisionError: secret detail" in caplog.text


@pytest.mark.parametrize(
    ("error", "code"),
    [(OSError(errno.ENOSPC, "No space left on device"), "storage_full"), (MemoryError(), "out_of_memory")],
)
def test_running_out_of_disk_or_memory_is_said_in_a_sentence(
    job: Job, trade: Trade, error: BaseException, code: str
) -> None:
    trade.work = raising(error)
    execute(job_id=job.pk)
    job.refresh_from_db()
    assert (job.status, job.error_code) == ("failed", code)
    assert job.error.endswith(".")


@pytest.mark.django_db(transaction=True)
def test_a_job_that_loses_the_database_is_queued_again_and_fails_at_the_third_time(job: Job, trade: Trade) -> None:
    trade.work = raising(OperationalError("server closed the connection"))
    for attempt in (1, 2):
        execute(job_id=job.pk)
        job.refresh_from_db()
        assert (job.status, job.attempt, job.rung_at) == ("queued", attempt, None)
    execute(job_id=job.pk)
    job.refresh_from_db()
    assert (job.status, job.error_code) == ("failed", "database_lost")
    assert trade.calls == 3


class _DiskFull(Exception):
    def __init__(self, **said: str) -> None:
        self.__dict__ |= said


@pytest.mark.parametrize("cause", [_DiskFull(sqlite_errorname="SQLITE_FULL"), _DiskFull(sqlstate="53100")])
def test_a_full_disk_under_the_database_is_called_so_at_once(job: Job, trade: Trade, cause: Exception) -> None:
    error = OperationalError("no room")
    error.__cause__ = cause
    trade.work = raising(error)
    execute(job_id=job.pk)
    job.refresh_from_db()
    assert (job.status, job.error_code, trade.calls) == ("failed", "storage_full", 1)


def test_a_deferred_job_waits_again_without_using_up_an_attempt(job: Job, trade: Trade) -> None:
    trade.work = raising(JobDeferred())
    for _try in range(5):
        execute(job_id=job.pk)
    job.refresh_from_db()
    assert (job.status, job.attempt, job.rung_at, trade.ended) == ("queued", 0, None, [])


def test_a_worker_that_is_told_to_stop_hands_its_job_back(job: Job, trade: Trade) -> None:
    trade.work = raising(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        execute(job_id=job.pk)
    job.refresh_from_db()
    assert (job.status, job.attempt) == ("queued", 0)


@pytest.mark.django_db(transaction=True)
def test_ctrl_c_as_a_transaction_begins_does_not_keep_the_job_from_being_handed_back(job: Job, trade: Trade) -> None:
    def work(job: Job, progress: Progress) -> None:
        # In `atomic`, the statement that begins the transaction has returned, and Django has not taken note of it yet.
        connection.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
        raise KeyboardInterrupt

    trade.work = work
    with pytest.raises(KeyboardInterrupt):
        execute(job_id=job.pk)
    assert connection.get_autocommit()
    connection.close()  # what has not been committed is gone
    job.refresh_from_db()
    assert (job.status, job.attempt) == ("queued", 0)


def test_a_job_of_an_unknown_kind_fails_with_a_sentence(workspace: Workspace) -> None:
    job = actions.submit(workspace=workspace, kind="from-the-future", ring=False)
    execute(job_id=job.pk)
    job.refresh_from_db()
    assert (job.status, job.error_code) == ("failed", "unknown_kind")
    assert "from-the-future" in job.error


def test_cancelling_stops_the_handler_at_its_next_report(job: Job, trade: Trade) -> None:
    reached: list[str] = []

    def work(job: Job, progress: Progress) -> None:
        actions.request_cancel(job=job, by=None)
        progress("Computing", 0.5)
        reached.append("after the report")

    trade.work = work
    execute(job_id=job.pk)
    job.refresh_from_db()
    assert (job.status, reached, trade.ended) == ("cancelled", [], [(job.pk, "cancelled")])


def test_a_result_that_comes_after_the_cancellation_is_not_stored(job: Job, trade: Trade) -> None:
    stored: list[str] = []

    def work(job: Job, progress: Progress) -> None:
        actions.request_cancel(job=job, by=None)
        progress.complete(lambda: stored.append("result"))

    trade.work = work
    execute(job_id=job.pk)
    job.refresh_from_db()
    assert (job.status, stored) == ("cancelled", [])


def test_a_deferred_job_that_was_cancelled_meanwhile_is_not_queued_again(job: Job, trade: Trade) -> None:
    def work(job: Job, _progress: Progress) -> None:
        actions.request_cancel(job=job, by=None)
        raise JobDeferred

    trade.work = work
    execute(job_id=job.pk)
    job.refresh_from_db()
    assert job.status == "cancelled"


def claimed_again(job: Job) -> tuple[Job, Job]:
    """Two claims of the same job, of which the first has lost its lease."""
    stale = actions.claim(job_id=job.pk)
    assert stale is not None
    actions.release(job=stale, counted=True)
    current = actions.claim(job_id=job.pk)
    assert current is not None
    return stale, current


def test_a_stale_worker_can_write_nothing(job: Job) -> None:
    stale, current = claimed_again(job)
    stored: list[str] = []
    with pytest.raises(LeaseLost):
        Progress(stale).complete(lambda: stored.append("stale"))
    with pytest.raises(LeaseLost):
        Progress(stale)("Computing", 0.9)
    assert not actions.end(job=stale, status=Job.Status.FAILED, sentence="stale")
    assert not actions.release(job=stale, counted=True)
    assert not actions.renew_lease(job=stale)
    job.refresh_from_db()
    assert (job.status, job.fence, job.phase, stored) == ("running", current.fence, "", [])


def test_the_result_and_the_end_of_the_job_are_one_transaction(job: Job, trade: Trade) -> None:
    def fail() -> None:
        raise JobFailed("The result could not be stored.")

    trade.work = lambda _job, progress: progress.complete(fail)
    execute(job_id=job.pk)
    job.refresh_from_db()
    assert (job.status, job.error) == ("failed", "The result could not be stored.")


def test_losing_the_lease_leaves_the_job_to_whoever_has_it(job: Job, trade: Trade) -> None:
    def work(job: Job, progress: Progress) -> None:
        Job.objects.filter(pk=job.pk).update(fence=job.fence + 1)
        progress("Computing", 0.5)

    trade.work = work
    execute(job_id=job.pk)
    job.refresh_from_db()
    assert (job.status, trade.ended) == ("running", [])


@pytest.mark.django_db(transaction=True)
def test_the_heartbeat_outlives_a_lost_connection(
    job: Job, trade: Trade, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.JOB_HEARTBEAT_SECONDS = 0.01
    beats = threading.Semaphore(0)

    def lost(*, job: Job) -> bool:
        beats.release()
        raise InterfaceError("connection already closed")

    monkeypatch.setattr(actions, "renew_lease", lost)
    heard: list[bool] = []
    trade.work = lambda _job, _progress: heard.extend(beats.acquire(timeout=20) for _ in range(3))
    execute(job_id=job.pk)
    job.refresh_from_db()
    assert (heard, job.status) == ([True, True, True], "done")


@pytest.mark.django_db(transaction=True)
def test_the_heartbeat_renews_the_lease_while_the_handler_works(
    job: Job, trade: Trade, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.JOB_HEARTBEAT_SECONDS = 0.01
    beat_twice = threading.Semaphore(0)
    renew = actions.renew_lease

    def counted(*, job: Job) -> bool:
        renewed = renew(job=job)
        beat_twice.release()
        return renewed

    monkeypatch.setattr(actions, "renew_lease", counted)
    leases = []

    def work(job: Job, _progress: Progress) -> None:
        leases.append(job.lease_until)
        assert beat_twice.acquire(timeout=20)
        assert beat_twice.acquire(timeout=20)
        job.refresh_from_db()
        leases.append(job.lease_until)

    trade.work = work
    execute(job_id=job.pk)
    assert leases[0] is not None
    assert leases[1] is not None
    assert leases[1] > leases[0]


@pytest.mark.django_db(transaction=True)
def test_the_heartbeat_notices_that_the_lease_is_lost(job: Job, trade: Trade, settings: Settings) -> None:
    settings.JOB_HEARTBEAT_SECONDS = 0.01
    noticed = []

    def work(job: Job, progress: Progress) -> None:
        Job.objects.filter(pk=job.pk).update(fence=job.fence + 1)
        noticed.append(progress._lease_lost.wait(timeout=20))
        progress("Computing", 0.5)
        noticed.append(False)

    trade.work = work
    execute(job_id=job.pk)
    assert noticed == [True]
