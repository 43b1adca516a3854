"""The period of a question that is asked again up to newer data: of as many whole days, weeks or months as before."""

import datetime as dt
from calendar import monthrange

import pytest

from accounts.models import Workspace
from marketing.models import Dataset, Outcome, OutcomeValue
from marketing.periods import Period
from tests.marketing.batches import add_import
from weightings.params import clean
from weightings.refresh.renewal import renewed

pytestmark = pytest.mark.django_db

FIRST = dt.date(2025, 1, 1)  # a Wednesday


def sales_until(workspace: Workspace, last: str) -> Outcome:
    """An outcome that is known of each day up to the last."""
    outcome = Outcome.objects.create(workspace=workspace, name="Sales", kind=Outcome.Kind.SALES, is_money=True)
    batch = add_import(workspace, Dataset.OUTCOMES)
    OutcomeValue.objects.bulk_create(
        OutcomeValue(batch=batch, outcome=outcome, date=day, value=1000)
        for day in Period(FIRST, dt.date.fromisoformat(last)).dates()
    )
    return outcome


def moved(workspace: Workspace, granularity: str, start: str, end: str) -> tuple[str, str] | None:
    params = clean(workspace, {"start": start, "end": end, "granularity": granularity})
    found = renewed(workspace, params)
    if found is None:
        return None
    assert found == params | {"start": found["start"], "end": found["end"]}
    return found["start"], found["end"]


def whole(granularity: str, start: str, end: str) -> int:
    """How many whole weeks from Mondays on, or months, lie within."""
    days = Period(dt.date.fromisoformat(start), dt.date.fromisoformat(end)).dates()
    if granularity == "week":
        return sum(day.weekday() == 0 and day + dt.timedelta(6) in days for day in days)
    return sum(day.day == 1 and day.replace(day=monthrange(day.year, day.month)[1]) in days for day in days)


@pytest.mark.parametrize(
    ("granularity", "start", "end", "known_until"),
    [
        ("month", "2025-12-01", "2025-12-31", "2026-01-15"),
        ("month", "2025-10-01", "2025-12-31", "2026-01-15"),
        ("month", "2025-01-01", "2025-12-31", "2026-01-30"),  # with the data's first day
        ("week", "2025-12-01", "2025-12-28", "2026-01-01"),
        ("week", "2025-12-22", "2025-12-28", "2026-01-03"),
        ("week", "2025-12-03", "2025-12-30", "2026-01-03"),  # days of two further weeks, neither of them whole
        ("day", "2025-12-01", "2025-12-28", "2025-12-28"),
    ],
)
def test_nothing_is_offered_before_a_whole_period_has_come(
    granularity: str, start: str, end: str, known_until: str, workspace: Workspace
) -> None:
    sales_until(workspace, known_until)
    assert moved(workspace, granularity, start, end) is None


@pytest.mark.parametrize(
    ("granularity", "period", "known_until", "expected"),
    [
        ("month", ("2025-12-01", "2025-12-31"), "2026-02-15", ("2026-01-01", "2026-01-31")),
        ("month", ("2025-10-01", "2025-12-31"), "2026-02-28", ("2025-12-01", "2026-02-28")),
        ("month", ("2025-10-16", "2026-01-15"), "2026-02-15", ("2025-12-01", "2026-02-15")),
        ("month", ("2025-01-01", "2025-12-31"), "2026-02-15", ("2025-01-01", "2026-01-31")),
        ("week", ("2025-12-22", "2025-12-28"), "2026-01-04", ("2025-12-29", "2026-01-04")),
        ("week", ("2025-12-01", "2025-12-28"), "2026-01-14", ("2025-12-15", "2026-01-11")),
        ("week", ("2025-12-03", "2025-12-30"), "2026-01-05", ("2025-12-10", "2026-01-05")),
        ("day", ("2025-12-01", "2025-12-28"), "2026-01-01", ("2025-12-05", "2026-01-01")),
    ],
)
def test_a_period_moves_by_the_whole_periods_that_have_come(
    granularity: str, period: tuple[str, str], known_until: str, expected: tuple[str, str], workspace: Workspace
) -> None:
    sales_until(workspace, known_until)
    assert moved(workspace, granularity, *period) == expected
    assert moved(workspace, granularity, *expected) is None, "it is up to the newest data"


@pytest.mark.parametrize(("granularity", "days"), [("week", 20), ("month", 100)])
def test_it_keeps_the_number_of_whole_periods_whatever_its_days(
    granularity: str, days: int, workspace: Workspace
) -> None:
    sales_until(workspace, "2026-03-05")
    for place in range(35):
        start = dt.date(2025, 9, 1) + dt.timedelta(place)
        period = start.isoformat(), (start + dt.timedelta(days)).isoformat()
        found = moved(workspace, granularity, *period)
        assert found is not None
        assert whole(granularity, *found) == whole(granularity, *period) > 0
