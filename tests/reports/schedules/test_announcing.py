"""Webhooks are told that a schedule was due and nothing went out."""

from accounts.models import User
from jobs.actions import end
from jobs.models import Job
from reports.models import Edition, Schedule
from reports.schedules.tick import claim_due
from tests.reports.schedules.conftest import Keep, of, utc, work
from tests.webhooks.steps import an_endpoint, told

DUE = utc("2026-04-06T07:00")


def data_of(schedule: Schedule, status: str) -> dict[str, object]:
    url = f"http://localhost:8000/api/v1/schedules/{schedule.pk}/"
    return {"id": str(schedule.pk), "status": status, "due_at": "2026-04-06T07:00:00Z", "url": url}


def test_a_report_that_cannot_be_made(keep: Keep) -> None:
    schedule = keep()
    an_endpoint(schedule.workspace)
    claim_due(DUE)
    assert told() == []
    job = Edition.objects.get().job
    end(job=job, status=Job.Status.FAILED, sentence="None of the parts could be made.")
    assert told() == [("schedule.failed", data_of(schedule, "failed"))]
    assert "None of" not in str(told())


def test_a_schedule_that_the_product_pauses(keep: Keep, analyst: User, owner: User) -> None:
    schedule = keep()
    an_endpoint(schedule.workspace)
    of(analyst).delete()
    claim_due(DUE)
    assert told() == [("schedule.failed", data_of(schedule, "paused"))]


def test_a_schedule_that_goes_out_has_not_failed(keep: Keep) -> None:
    schedule = keep()
    an_endpoint(schedule.workspace, events=["schedule.failed"])
    claim_due(DUE)
    work()
    assert Edition.objects.get().job.status == Job.Status.DONE
    assert told() == []
