"""Periods are whole local days, whatever clocks and calendars do."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketing.periods import (
    PRESET_DAYS,
    Period,
    day_of_us,
    preset,
    start_of_day_us,
    where_data_ends,
    yesterday,
)

BERLIN = ZoneInfo("Europe/Berlin")
HOUR_US = 3_600_000_000
ZONES = ["UTC", "Europe/Berlin", "America/Sao_Paulo", "America/Havana", "Asia/Beirut", "Pacific/Apia", "Asia/Kathmandu"]
days = st.dates(dt.date(2000, 1, 1), dt.date(2050, 12, 31))


def utc_us(text: str) -> int:
    at = dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)
    return (at - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("zone", "day", "starts", "hours"),
    [
        ("UTC", "2026-03-29", "2026-03-29T00:00", 24),
        ("Europe/Berlin", "2026-03-28", "2026-03-27T23:00", 24),
        ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00", 23),
        ("Europe/Berlin", "2026-10-25", "2026-10-24T22:00", 25),
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00", 23),  # 00:00 does not exist: the day starts at 01:00
        ("America/Sao_Paulo", "2018-02-17", "2018-02-17T02:00", 25),  # 23:00 comes twice
        ("America/Havana", "2025-11-02", "2025-11-02T04:00", 25),  # 00:00 comes twice
    ],
)
def test_days_start_and_stop_where_local_clocks_say(zone: str, day: str, starts: str, hours: int) -> None:
    date = dt.date.fromisoformat(day)

    start, stop = Period(date, date).bounds_us(ZoneInfo(zone))

    assert start == utc_us(starts)
    assert stop - start == hours * HOUR_US


@pytest.mark.parametrize("zone", ZONES)
@given(day=days)
def test_every_instant_of_a_day_and_no_other_is_within_its_bounds(zone: str, day: dt.date) -> None:
    here = ZoneInfo(zone)
    start, stop = Period(day, day).bounds_us(here)

    if start < stop:  # Apia left out 30 December 2011
        assert day_of_us(start, here) == day_of_us(stop - 1, here) == day
    assert day_of_us(start - 1, here) < day
    assert day_of_us(stop, here) > day


@given(start=days, length=st.integers(1, 400))
def test_previous_period_is_as_long_and_ends_the_day_before(start: dt.date, length: int) -> None:
    period = Period(start, start + dt.timedelta(length - 1))

    assert period.days == period.previous().days == length
    assert period.previous().end + dt.timedelta(1) == period.start
    assert period.previous().bounds_us(BERLIN)[1] == period.bounds_us(BERLIN)[0]


@pytest.mark.parametrize(
    ("period", "before"),
    [
        (("2026-06-01", "2026-06-30"), ("2025-06-01", "2025-06-30")),
        (("2024-02-01", "2024-02-29"), ("2023-02-01", "2023-02-28")),
        (("2025-02-01", "2025-02-28"), ("2024-02-01", "2024-02-28")),
        (("2024-02-29", "2024-02-29"), ("2023-02-28", "2023-02-28")),
        (("2025-12-20", "2026-01-10"), ("2024-12-20", "2025-01-10")),
    ],
)
def test_year_before_has_the_same_dates(period: tuple[str, str], before: tuple[str, str]) -> None:
    assert Period(*map(dt.date.fromisoformat, period)).year_before() == Period(*map(dt.date.fromisoformat, before))


@pytest.mark.parametrize("name", PRESET_DAYS)
def test_presets_end_on_the_given_day_and_have_as_many_days_as_their_name_says(name: str) -> None:
    period = preset(name, until=dt.date(2024, 3, 1))

    assert period.end == dt.date(2024, 3, 1)
    assert name == f"last_{period.days}"


def test_last_thirty_days_count_the_leap_day() -> None:
    assert preset("last_30", until=dt.date(2024, 3, 1)).start == dt.date(2024, 2, 1)


def test_unknown_preset_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="“last_31” is not a period; choose one of last_30"):
        preset("last_31", until=dt.date(2024, 3, 1))


@pytest.mark.parametrize(
    ("zone", "day"), [("UTC", "2026-05-01"), ("Asia/Tokyo", "2026-05-02"), ("America/New_York", "2026-05-01")]
)
def test_yesterday_is_the_zones_own(zone: str, day: str) -> None:
    now = dt.datetime(2026, 5, 2, 23, 30, tzinfo=dt.UTC)

    assert yesterday(now=now, zone=ZoneInfo(zone)) == dt.date.fromisoformat(day)


def test_yesterday_of_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="must have a time zone"):
        yesterday(now=dt.datetime(2026, 5, 2), zone=BERLIN)  # noqa: DTZ001 - that is what is refused


@pytest.mark.parametrize(
    ("start", "end", "label"),
    [
        ("2026-06-03", "2026-06-03", "3 Jun 2026"),
        ("2026-06-01", "2026-06-30", "1\N{EN DASH}30 Jun 2026"),
        ("2026-05-20", "2026-06-03", "20 May \N{EN DASH} 3 Jun 2026"),
        ("2025-12-20", "2026-01-03", "20 Dec 2025 \N{EN DASH} 3 Jan 2026"),
    ],
)
def test_labels_say_no_more_than_needed(start: str, end: str, label: str) -> None:
    assert Period(dt.date.fromisoformat(start), dt.date.fromisoformat(end)).label == label


def test_period_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(ValueError, match=r"ends \(2026-06-01\) before it starts \(2026-06-02\)"):
        Period(dt.date(2026, 6, 2), dt.date(2026, 6, 1))


def test_period_of_no_days_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one day"):
        Period.last_days(0, until=dt.date(2026, 6, 1))


def test_period_beyond_the_data_is_offered_where_the_data_ends() -> None:
    period = Period(dt.date(2026, 6, 1), dt.date(2026, 6, 30))

    assert where_data_ends(period, data_ends=dt.date(2026, 6, 10)) == Period(dt.date(2026, 5, 12), dt.date(2026, 6, 10))


@pytest.mark.parametrize("data_ends", [None, dt.date(2026, 6, 30), dt.date(2026, 7, 1)])
def test_nothing_is_offered_if_the_data_reaches_the_end_or_there_is_none(data_ends: dt.date | None) -> None:
    assert where_data_ends(Period(dt.date(2026, 6, 1), dt.date(2026, 6, 30)), data_ends=data_ends) is None


@given(day=days)
def test_a_day_starts_where_the_day_before_stops(day: dt.date) -> None:
    before = day - dt.timedelta(1)

    assert Period(before, before).bounds_us(BERLIN)[1] == start_of_day_us(day, BERLIN)
