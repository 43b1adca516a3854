from collections.abc import Callable
from contextlib import AbstractContextManager

import celery
import pytest
from django.conf import settings
from kombu.exceptions import OperationalError

from accounts.models import AuditEvent, User, Workspace
from jobs import actions, tasks
from jobs.execution import execute
from jobs.models import Job
from mmm_project.celery import app
from tests.jobs.conftest import Trade

Committed = Callable[[], AbstractContextManager[object]]


def test_the_doorbell_rings_once_the_job_is_committed(
    workspace: Workspace, doorbell: list[int], committed: Committed
) -> None:
    with committed():
        job = actions.submit(workspace=workspace, kind="test")
        assert doorbell == []
    assert doorbell == [job.pk]


def test_a_job_that_its_caller_executes_rings_nobody(
    workspace: Workspace, doorbell: list[int], committed: Committed
) -> None:
    with committed():
        actions.submit(workspace=workspace, kind="test", ring=False)
    assert doorbell == []


def test_a_doorbell_that_is_out_of_order_does_not_lose_the_job(
    workspace: Workspace, committed: Committed, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise OperationalError("Redis is away")

    monkeypatch.setattr(celery.current_app, "send_task", fail)
    with committed():
        job = actions.submit(workspace=workspace, kind="test")
    assert Job.objects.get(pk=job.pk).status == "queued"
    assert "Redis is away" in caplog.text


def test_a_queued_job_is_cancelled_at_once_and_the_audit_log_says_by_whom(job: Job, trade: Trade, owner: User) -> None:
    assert actions.request_cancel(job=job, by=owner)
    job.refresh_from_db()
    assert (job.status, trade.ended) == ("cancelled", [(job.pk, "cancelled")])
    event = AuditEvent.objects.get(action="job.cancelled")
    assert (event.actor, event.workspace, event.target) == (owner, job.workspace, f"test {job.pk}")
    execute(job_id=job.pk)
    assert trade.calls == 0


def test_a_job_that_has_ended_cannot_be_cancelled(job: Job, trade: Trade, owner: User) -> None:
    execute(job_id=job.pk)
    assert not actions.request_cancel(job=job, by=owner)
    job.refresh_from_db()
    assert (job.status, job.cancel_requested) == ("done", False)
    assert not AuditEvent.objects.filter(action="job.cancelled").exists()


def test_cancelling_again_is_recorded_once(job: Job, trade: Trade, owner: User) -> None:
    claimed = actions.claim(job_id=job.pk)
    assert claimed is not None
    assert actions.request_cancel(job=claimed, by=owner)
    assert actions.request_cancel(job=claimed, by=owner)
    assert AuditEvent.objects.filter(action="job.cancelled").count() == 1


def test_the_scheduler_and_the_doorbell_name_tasks_that_exist() -> None:
    assert tasks.execute_job.name == actions.EXECUTE_TASK
    scheduled = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    app.loader.import_default_modules()
    assert {*scheduled, actions.EXECUTE_TASK} <= set(app.tasks)


def test_a_delivered_doorbell_carries_out_the_job(job: Job, trade: Trade) -> None:
    tasks.execute_job(job.pk)
    assert trade.calls == 1
