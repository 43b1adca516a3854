"""When schedules are due: by hand where clocks change, and against a search minute by minute."""

import datetime as dt
import os
import time
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.schedules.calendar import Due, Recurrence, last_due, next_after, upcoming

BERLIN, NEW_YORK, LORD_HOWE = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe")
SANTIAGO, KATHMANDU, APIA = ZoneInfo("America/Santiago"), ZoneInfo("Asia/Kathmandu"), ZoneInfo("Pacific/Apia")
MINUTE = dt.timedelta(minutes=1)


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def daily(time: str, zone: ZoneInfo) -> Recurrence:
    return Recurrence("daily", dt.time.fromisoformat(time), zone)


def weekly(weekday: int, time: str, zone: ZoneInfo) -> Recurrence:
    return Recurrence("weekly", dt.time.fromisoformat(time), zone, weekday=weekday)


def monthly(day: int, time: str = "09:00", zone: ZoneInfo = BERLIN) -> Recurrence:
    return Recurrence("monthly", dt.time.fromisoformat(time), zone, month_day=day)


def local(instants: list[dt.datetime], zone: ZoneInfo) -> list[str]:
    return [f"{instant.astimezone(zone):%Y-%m-%d %H:%M %z}" for instant in instants]


def test_mondays_at_nine_in_berlin() -> None:
    assert next_after(weekly(0, "09:00", BERLIN), utc("2026-11-27T12:00")) == utc("2026-11-30T08:00")


def test_what_is_due_at_an_instant_comes_not_after_it_but_next_time() -> None:
    assert next_after(daily("09:00", BERLIN), utc("2026-11-30T08:00")) == utc("2026-12-01T08:00")
    assert next_after(daily("09:00", BERLIN), utc("2026-11-30T08:00") - MINUTE / 60) == utc("2026-11-30T08:00")


@pytest.mark.parametrize(
    ("zone", "before", "expected"),
    [
        (BERLIN, "2026-03-27T12:00", ["28 09:00 +0100", "29 09:00 +0200", "30 09:00 +0200"]),
        (BERLIN, "2026-10-23T12:00", ["24 09:00 +0200", "25 09:00 +0100", "26 09:00 +0100"]),
        (NEW_YORK, "2026-03-06T18:00", ["07 09:00 -0500", "08 09:00 -0400", "09 09:00 -0400"]),
        (NEW_YORK, "2026-10-30T18:00", ["31 09:00 -0400", "01 09:00 -0500", "02 09:00 -0500"]),
        (LORD_HOWE, "2026-10-02T12:00", ["03 09:00 +1030", "04 09:00 +1100", "05 09:00 +1100"]),
        (LORD_HOWE, "2026-04-03T12:00", ["04 09:00 +1100", "05 09:00 +1030", "06 09:00 +1030"]),
    ],
)
def test_nine_stays_nine_across_both_changes(zone: ZoneInfo, before: str, expected: list[str]) -> None:
    assert [text[8:] for text in local(upcoming(daily("09:00", zone), utc(before), 3), zone)] == expected


@pytest.mark.parametrize(
    ("zone", "time", "before", "expected"),
    [
        (BERLIN, "02:30", "2026-03-28T12:00", "2026-03-29 03:30 +0200"),
        (NEW_YORK, "02:00", "2026-03-07T12:00", "2026-03-08 03:00 -0400"),
        (LORD_HOWE, "02:15", "2026-10-03T12:00", "2026-10-04 02:45 +1100"),
        (SANTIAGO, "00:00", "2026-09-05T12:00", "2026-09-06 01:00 -0300"),
        (SANTIAGO, "00:45", "2026-09-05T12:00", "2026-09-06 01:45 -0300"),
    ],
)
def test_a_time_that_is_skipped_is_read_by_the_clock_of_before(
    zone: ZoneInfo, time: str, before: str, expected: str
) -> None:
    first, second = upcoming(daily(time, zone), utc(before), 2)
    assert local([first], zone) == [expected]
    assert local([second], zone)[0][11:16] == time  # and as usual on the day after


@pytest.mark.parametrize(
    ("zone", "time", "before", "expected"),
    [
        (BERLIN, "02:30", "2026-10-24T12:00", "2026-10-25 02:30 +0200"),
        (NEW_YORK, "01:30", "2026-10-31T12:00", "2026-11-01 01:30 -0400"),
        (LORD_HOWE, "01:45", "2026-04-04T12:00", "2026-04-05 01:45 +1100"),
        (SANTIAGO, "23:30", "2026-04-04T12:00", "2026-04-04 23:30 -0300"),
    ],
)
def test_a_time_that_comes_twice_is_due_the_first_time_only(
    zone: ZoneInfo, time: str, before: str, expected: str
) -> None:
    first, second = upcoming(daily(time, zone), utc(before), 2)
    assert local([first], zone) == [expected]
    assert second.astimezone(zone).date() == first.astimezone(zone).date() + dt.timedelta(1)


def test_a_zone_without_changes_and_with_odd_minutes() -> None:
    assert next_after(daily("09:00", KATHMANDU), utc("2026-03-29T00:00")) == utc("2026-03-29T03:15")


def test_a_day_that_a_zone_skipped_altogether_is_not_made_up_for() -> None:
    """Samoa had no 30 December 2011."""
    days = local(upcoming(daily("09:00", APIA), utc("2011-12-29T00:00"), 3), APIA)
    assert [day[:10] for day in days] == ["2011-12-29", "2011-12-31", "2012-01-01"]


def test_day_31_is_the_last_day_of_each_month() -> None:
    instants = upcoming(monthly(31), utc("2027-12-31T12:00"), 5)
    assert [text[:10] for text in local(instants, BERLIN)] == [
        "2028-01-31", "2028-02-29", "2028-03-31", "2028-04-30", "2028-05-31",
    ]  # fmt: skip


def test_day_30_comes_in_february_on_its_last_day() -> None:
    instants = upcoming(monthly(30), utc("2027-01-15T12:00"), 3)
    assert [text[:10] for text in local(instants, BERLIN)] == ["2027-01-30", "2027-02-28", "2027-03-30"]


def test_day_29_in_leap_years_and_others() -> None:
    for year, day in ((2027, 28), (2028, 29), (2100, 28)):
        assert next_after(monthly(29), utc(f"{year}-02-01T00:00")) == utc(f"{year}-02-{day}T08:00")


def test_after_three_days_without_a_scheduler_the_latest_is_due_and_stands_for_two() -> None:
    found = last_due(daily("09:00", BERLIN), utc("2026-11-23T08:00"), utc("2026-11-26T09:30"))
    assert found == Due(utc("2026-11-26T08:00"), missed=2)


def test_nothing_is_due_before_its_time() -> None:
    assert last_due(daily("09:00", BERLIN), utc("2026-11-23T08:00"), utc("2026-11-24T07:59")) is None
    assert last_due(daily("09:00", BERLIN), utc("2026-11-23T08:00"), utc("2026-11-24T08:00")) is not None


@pytest.mark.parametrize(
    "asked",
    [
        {"frequency": "hourly"},
        {"frequency": "weekly"},
        {"frequency": "monthly"},
        {"frequency": "daily", "weekday": 0},
        {"frequency": "weekly", "weekday": 7},
        {"frequency": "monthly", "month_day": 0},
        {"frequency": "monthly", "month_day": 32},
        {"frequency": "daily", "time": dt.time(9, tzinfo=dt.UTC)},
    ],
)
def test_what_is_no_recurrence_is_refused(asked: dict[str, object]) -> None:
    whole: dict[str, object] = {"time": dt.time(9), "zone": BERLIN, **asked}
    with pytest.raises(ValueError, match=r"\.$"):
        Recurrence(**whole)  # type: ignore[arg-type]


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        next_after(daily("09:00", BERLIN), dt.datetime(2026, 11, 27))  # noqa: DTZ001


@pytest.fixture
def process_in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    os.environ.pop("TZ")
    time.tzset()


def test_the_zone_of_the_process_does_not_matter(process_in_tokyo: None) -> None:
    assert next_after(daily("02:30", BERLIN), utc("2026-03-28T12:00")) == utc("2026-03-29T01:30")
    assert next_after(weekly(0, "00:10", SANTIAGO), utc("2026-11-27T12:00")) == utc("2026-11-30T03:10")


def minute_by_minute(recurrence: Recurrence, start: dt.datetime, minutes: int) -> list[dt.datetime]:
    """What is due within so many minutes after `start`, by looking at the clock at each: independent of the method.

    Where the clock has been put forward, what it would show otherwise is looked at as well, for as long as it skipped.
    """
    found = []
    before = start.astimezone(recurrence.zone).utcoffset() or dt.timedelta()
    ahead, ahead_until = dt.timedelta(), start
    for minute in range(1, minutes + 1):
        at = start + minute * MINUTE
        here = at.astimezone(recurrence.zone)
        offset = here.utcoffset() or dt.timedelta()
        if offset > before:
            ahead, ahead_until = offset - before, at + (offset - before)
        before, reading = offset, here.replace(tzinfo=None)
        readings = [reading] if here.fold == 0 else []
        readings += [reading - ahead] if at < ahead_until else []
        if any(_matches(recurrence, one) for one in readings):
            found.append(at)
    return found


def _matches(recurrence: Recurrence, reading: dt.datetime) -> bool:
    if reading.time() != recurrence.time:
        return False
    if recurrence.weekday is not None:
        return reading.weekday() == recurrence.weekday
    if recurrence.month_day is not None:
        is_last = (reading + dt.timedelta(1)).month != reading.month
        return reading.day == recurrence.month_day or (is_last and reading.day < recurrence.month_day)
    return True


# A few days around each change, and around the end of a February.
MOMENTS = [
    (BERLIN, "2026-03-27T10:00"), (BERLIN, "2026-10-23T10:00"), (NEW_YORK, "2026-03-06T10:00"),
    (NEW_YORK, "2026-10-30T10:00"), (LORD_HOWE, "2026-10-02T03:00"), (LORD_HOWE, "2026-04-03T03:00"),
    (SANTIAGO, "2026-09-04T10:00"), (SANTIAGO, "2026-04-03T10:00"), (KATHMANDU, "2028-02-27T10:00"),
]  # fmt: skip
# Most of the times are those at which something happens.
TIMES = st.one_of(
    st.integers(0, 3 * 60 + 59), st.integers(22 * 60 + 30, 23 * 60 + 59), st.integers(0, 24 * 60 - 1)
).map(lambda minute: dt.time(minute // 60, minute % 60))
RECURRENCES = st.one_of(
    st.just(("daily", None, None)),
    st.tuples(st.just("weekly"), st.integers(0, 6), st.none()),
    st.tuples(st.just("monthly"), st.none(), st.integers(1, 31)),
)


@given(moment=st.sampled_from(MOMENTS), time=TIMES, recurrence=RECURRENCES, offset=st.integers(0, 600))
def test_it_finds_what_a_search_minute_by_minute_finds(
    moment: tuple[ZoneInfo, str], time: dt.time, recurrence: tuple[str, int | None, int | None], offset: int
) -> None:
    zone, start = moment[0], utc(moment[1]) + offset * MINUTE
    frequency, weekday, month_day = recurrence
    asked = Recurrence(frequency, time, zone, weekday=weekday, month_day=month_day)
    minutes = 3 * 24 * 60
    end = start + minutes * MINUTE
    expected = minute_by_minute(asked, start, minutes)
    assert [at for at in upcoming(asked, start, 5) if at <= end] == expected
    latest = last_due(asked, start, end)
    assert latest == (Due(expected[-1], len(expected) - 1) if expected else None)


@given(moment=st.sampled_from(MOMENTS), time=TIMES)
def test_every_local_day_has_its_time_once(moment: tuple[ZoneInfo, str], time: dt.time) -> None:
    zone, start = moment[0], utc(moment[1])
    instants = upcoming(Recurrence("daily", time, zone), start, 6)
    assert instants == sorted(set(instants))
    days = [instant.astimezone(zone).date() for instant in instants]
    assert days == [days[0] + dt.timedelta(number) for number in range(6)]
