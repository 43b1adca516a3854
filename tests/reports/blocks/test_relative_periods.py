import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.blocks.relative_periods import PERIODS, period_of

MONDAY, SATURDAY, SUNDAY = 0, 5, 6
Days = tuple[str, str]


def days(name: str, today: str, week_start: int = MONDAY) -> Days:
    period = period_of(name, today=dt.date.fromisoformat(today), week_start=week_start)
    return period.start.isoformat(), period.end.isoformat()


@pytest.mark.parametrize(
    ("name", "today", "expected"),
    [
        ("yesterday", "2026-03-01", ("2026-02-28", "2026-02-28")),
        ("last_7", "2026-03-01", ("2026-02-22", "2026-02-28")),
        ("last_30", "2024-03-01", ("2024-01-31", "2024-02-29")),
        ("previous_month", "2026-03-01", ("2026-02-01", "2026-02-28")),
        ("previous_month", "2024-03-31", ("2024-02-01", "2024-02-29")),
        ("previous_month", "2026-01-15", ("2025-12-01", "2025-12-31")),
        ("previous_quarter", "2026-01-01", ("2025-10-01", "2025-12-31")),
        ("previous_quarter", "2026-03-31", ("2025-10-01", "2025-12-31")),
        ("previous_quarter", "2026-04-01", ("2026-01-01", "2026-03-31")),
        ("previous_year", "2024-02-29", ("2023-01-01", "2023-12-31")),
        ("month_to_date", "2026-03-15", ("2026-03-01", "2026-03-14")),
        ("month_to_date", "2026-03-01", ("2026-02-01", "2026-02-28")),
        ("year_to_date", "2026-01-01", ("2025-01-01", "2025-12-31")),
        ("year_to_date", "2026-07-01", ("2026-01-01", "2026-06-30")),
    ],
)
def test_a_name_means_days_that_can_be_counted(name: str, today: str, expected: Days) -> None:
    assert days(name, today) == expected


@pytest.mark.parametrize(
    ("week_start", "today", "expected"),
    [
        (MONDAY, "2026-11-30", ("2026-11-23", "2026-11-29")),  # a Monday: the week that has just ended
        (MONDAY, "2026-11-29", ("2026-11-16", "2026-11-22")),  # a Sunday, still in this week
        (SUNDAY, "2026-11-29", ("2026-11-22", "2026-11-28")),
        (SATURDAY, "2026-11-27", ("2026-11-14", "2026-11-20")),
    ],
)
def test_the_last_week_begins_as_the_workspaces_weeks_do(week_start: int, today: str, expected: Days) -> None:
    assert days("previous_week", today, week_start) == expected


@given(
    name=st.sampled_from(sorted(PERIODS)),
    today=st.dates(dt.date(2001, 1, 1), dt.date(2099, 12, 31)),
    week_start=st.sampled_from([MONDAY, SATURDAY, SUNDAY]),
)
def test_no_period_holds_the_day_on_which_it_is_asked_for(name: str, today: dt.date, week_start: int) -> None:
    period = period_of(name, today=today, week_start=week_start)
    assert period.start <= period.end < today


@given(today=st.dates(dt.date(2001, 1, 1), dt.date(2099, 12, 31)), week_start=st.sampled_from([0, 5, 6]))
def test_weeks_months_and_quarters_are_whole(today: dt.date, week_start: int) -> None:
    week = period_of("previous_week", today=today, week_start=week_start)
    assert (week.days, week.start.weekday()) == (7, week_start)
    assert (today - week.end).days <= 7
    for name, months in (("previous_month", 1), ("previous_quarter", 3)):
        period = period_of(name, today=today)
        after = period.end + dt.timedelta(1)
        assert (period.start.day, after.day) == (1, 1)
        assert (after.year - period.start.year) * 12 + after.month - period.start.month == months


def test_an_unknown_name_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ValueError, match=r"“next_week” is not a period\. Choose one of yesterday, last_7"):
        period_of("next_week", today=dt.date(2026, 1, 1))
