import pytest

from jobs import actions
from jobs.handlers import JobCancelled
from jobs.models import Job
from jobs.progress import Progress


class Clock:
    """A clock that stands until it is moved on."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def claimed(job: Job) -> Job:
    claimed = actions.claim(job_id=job.pk)
    assert claimed is not None
    return claimed


def test_progress_is_written_at_most_once_a_second(claimed: Job) -> None:
    clock = Clock()
    written: list[tuple[str, float]] = []
    progress = Progress(claimed, clock=clock, on_progress=lambda phase, fraction: written.append((phase, fraction)))
    for step in range(100):
        clock.seconds = 100 + step / 20  # 5 seconds, 20 reports in each
        progress("Computing", step / 100)
    claimed.refresh_from_db()
    assert written == [("Computing", step / 100) for step in (0, 20, 40, 60, 80)]
    assert (claimed.phase, claimed.progress) == ("Computing", 0.8)


def test_reports_between_two_writes_cost_no_query(claimed: Job, django_assert_num_queries: object) -> None:
    progress = Progress(claimed, clock=Clock())
    progress("Computing", 0.1)
    with django_assert_num_queries(0):  # type: ignore[operator]
        for step in range(1000):
            progress("Computing", step / 1000)


@pytest.mark.parametrize(("reported", "stored"), [(-0.5, 0), (0.25, 0.25), (1.0000001, 1)])
def test_progress_stays_between_nothing_and_everything(claimed: Job, reported: float, stored: float) -> None:
    Progress(claimed)("Computing", reported)
    claimed.refresh_from_db()
    assert claimed.progress == stored


def test_a_cancellation_is_noticed_within_a_second(claimed: Job) -> None:
    clock = Clock()
    progress = Progress(claimed, clock=clock)
    progress("Computing", 0.1)
    actions.request_cancel(job=claimed, by=None)
    progress("Computing", 0.2)
    clock.seconds += 1
    with pytest.raises(JobCancelled):
        progress("Computing", 0.3)
