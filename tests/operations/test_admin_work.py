"""What a site admin can do about runs, imports, uploads and the ticks of the scheduler: each on record."""

from collections.abc import Callable, Iterator
from typing import Any

import celery
import pytest
from django.db.models import Model
from django.test import Client
from django_celery_beat.models import PeriodicTask, PeriodicTasks
from django_celery_beat.schedulers import ModelEntry
from kombu.exceptions import OperationalError

from accounts.actions import set_plan
from accounts.models import AuditEvent, User, Workspace
from analyses.models import Run
from analyses.runs import request_run
from jobs.actions import end, request_cancel
from jobs.models import Job
from marketing.models import Import, Upload
from mmm_project.celery import app
from reports.workspace_deletion import request_deletion
from tests.conftest import ImportRows
from tests.marketing.batches import add_upload

pytestmark = pytest.mark.django_db
Act = Callable[..., str]


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The names of the tasks whose messages were sent."""
    names: list[str] = []
    monkeypatch.setattr(celery.current_app, "send_task", lambda name, *_args, **_options: names.append(name))
    return names  # type: ignore[return-value]


@pytest.fixture
def act(client_for: Callable[[User | None], Client]) -> Act:
    """Press a button on a row's page as a superuser, confirm where that is asked for, and return the page after it."""
    client = client_for(User.objects.create_superuser("root@example.com"))

    def act(action: str, row: Model) -> str:
        path = f"/admin/{row._meta.app_label}/{row._meta.model_name}/"
        form = {"action": action, "_selected_action": str(row.pk), "from_row": str(row.pk)}
        response = client.post(path, form, follow=True)
        if 'name="confirmed"' in response.text:
            response = client.post(path, form | {"confirmed": "yes"}, follow=True)
        assert response.status_code == 200
        return str(response.text)

    return act


def the_event(action: str) -> AuditEvent:
    event = AuditEvent.objects.get(action=action)
    assert event.actor is not None
    assert event.actor.email == "root@example.com"
    return event


@pytest.fixture
def run(shop: Workspace, analyst: User) -> Run:
    return request_run(workspace=shop, kind="attribution", params={}, by=analyst, trigger=Run.Trigger.PAGE, ring=False)


def fail(run: Run, code: str = "internal_error") -> None:
    end(job=run.job, status=Job.Status.FAILED, code=code, sentence="It went wrong.")


def test_a_failed_run_is_asked_again_for_whom_it_was_asked(act: Act, run: Run, analyst: User) -> None:
    fail(run)
    assert "It went wrong." in act("requeue", run)
    again = Run.objects.exclude(pk=run.pk).get()
    assert (again.kind, again.params, again.requested_by, again.trigger) == (
        *(run.kind, run.params, analyst, Run.Trigger.PAGE),
    )
    assert again.job.status == Job.Status.QUEUED
    event = the_event("run.requeued")
    assert (event.workspace, event.detail) == (run.workspace, {"run": str(run.pk), "again": str(again.pk)})


def test_a_cancelled_run_is_asked_again_too(act: Act, run: Run) -> None:
    request_cancel(job=run.job, by=None)
    act("requeue", run)
    assert Run.objects.count() == 2


def test_a_run_that_has_not_failed_is_not_asked_again(act: Act, run: Run) -> None:
    assert "Only a run that has failed or was cancelled" in act("requeue", run)
    assert Run.objects.count() == 1
    assert not AuditEvent.objects.exists()


def test_a_run_of_a_workspace_that_is_being_deleted_is_not_asked_again(act: Act, run: Run, owner: User) -> None:
    fail(run)
    request_deletion(workspace=run.workspace, by=owner, ring=False)
    assert "is being deleted" in act("requeue", run)
    assert Run.objects.count() == 1
    assert not AuditEvent.objects.filter(action="run.requeued").exists()


def test_what_the_plan_no_longer_includes_is_refused_with_a_sentence(act: Act, shop: Workspace, owner: User) -> None:
    set_plan(workspace=shop, plan="professional", by=None)
    shop.refresh_from_db()
    params, page = {"model": ["markov"]}, Run.Trigger.PAGE
    run = request_run(workspace=shop, kind="attribution", params=params, by=owner, trigger=page, ring=False)
    fail(run)
    set_plan(workspace=shop, plan="starter", by=None)
    assert "is part of the Professional plan" in act("requeue", run)
    assert Run.objects.count() == 1
    assert not AuditEvent.objects.filter(action="run.requeued").exists()


def test_a_live_run_is_cancelled_and_one_that_has_ended_is_not(act: Act, run: Run) -> None:
    act("cancel", run)
    run.job.refresh_from_db()
    assert run.job.status == Job.Status.CANCELLED
    assert the_event("job.cancelled").workspace == run.workspace
    assert "It has ended already." in act("cancel", run)


def test_a_waiting_import_is_cancelled(act: Act, shop: Workspace, import_rows: ImportRows) -> None:
    batch = import_rows("spend", "date,channel,spend", "2026-03-01,TV,5", carry_out=False)
    act("cancel", batch)
    batch.job.refresh_from_db()
    assert batch.job.status == Job.Status.CANCELLED
    assert the_event("job.cancelled").workspace == shop
    done = import_rows("spend", "date,channel,spend", "2026-03-01,TV,5")
    assert "This import has ended." in act("cancel", done)
    assert Import.objects.get(pk=done.pk).status == Import.Status.ACTIVE


def test_an_upload_is_discarded(act: Act, shop: Workspace) -> None:
    upload = add_upload(shop, file_name="old.csv")
    act("discard", upload)
    assert not Upload.objects.exists()
    assert the_event("upload.discarded").target == "old.csv"


@pytest.fixture
def sweep(db: None) -> PeriodicTask:
    """The ticks as the scheduler sets them up from the settings when it starts; one of them."""
    set_up_ticks()
    return PeriodicTask.objects.get(name="sweep-jobs")


def set_up_ticks() -> None:
    for name, entry in app.conf.beat_schedule.items():
        ModelEntry.from_entry(name, app=app, **entry)


def test_the_ticks_are_listed_and_shown_without_a_form(
    client_for: Callable[[User | None], Client], sweep: PeriodicTask
) -> None:
    client = client_for(User.objects.create_superuser("root@example.com"))
    listed = client.get("/admin/django_celery_beat/periodictask/").text
    assert all(f">{name}<" in listed for name in app.conf.beat_schedule)
    page = client.get(f"/admin/django_celery_beat/periodictask/{sweep.pk}/change/").text
    assert "jobs.tasks.sweep_jobs" in page
    assert 'type="submit" value="Save"' not in page
    for model in ("intervalschedule", "crontabschedule", "solarschedule", "clockedschedule"):
        assert client.get(f"/admin/django_celery_beat/{model}/").status_code == 404


def test_what_is_switched_off_stays_off_over_a_restart_of_the_scheduler(act: Act, sweep: PeriodicTask) -> None:
    before = PeriodicTasks.last_change()
    act("switch_off", sweep)
    assert PeriodicTasks.last_change() != before  # so that a running scheduler reads it
    assert the_event("periodic_task.switched_off").target == "sweep-jobs"
    set_up_ticks()
    sweep.refresh_from_db()
    assert not sweep.enabled
    act("switch_on", sweep)
    sweep.refresh_from_db()
    assert sweep.enabled
    assert the_event("periodic_task.switched_on").workspace is None
    assert "Nothing to do" in act("switch_on", sweep)


def test_a_tick_is_sent_at_once(act: Act, sweep: PeriodicTask, sent: list[str]) -> None:
    act("run_now", sweep)
    assert sent == ["jobs.tasks.sweep_jobs"]
    assert the_event("periodic_task.run").target == "sweep-jobs"


def test_a_broker_that_is_away_is_said_and_nothing_is_on_record(
    act: Act, sweep: PeriodicTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: Any, **_options: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(celery.current_app, "send_task", fail)
    assert "The message broker does not answer." in act("run_now", sweep)
    assert not AuditEvent.objects.exists()
