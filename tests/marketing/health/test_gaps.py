"""Which days without data are missing, and which are a pause, a weekend or the rhythm of a series."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from marketing.health.checks.gaps import Cadence, Hole, coverage_by_count, coverage_by_rows, newest_stretch

DAYS = 200


def present(*absent: slice, days: int = DAYS) -> npt.NDArray[np.bool_]:
    found = np.ones(days, np.bool_)
    for days_without in absent:
        found[days_without] = False
    return found


def holes(covered: npt.NDArray[np.bool_], **options: Any) -> list[tuple[int, int]]:
    return [(hole.first, hole.last) for hole in coverage_by_rows(covered, **options).holes]


def test_a_daily_series_without_a_gap_has_no_hole() -> None:
    covered = coverage_by_rows(present())
    assert (covered.cadence, covered.holes, covered.first, covered.last) == (Cadence.DAILY, (), 0, DAYS - 1)


@pytest.mark.parametrize("length", [1, 5, 10, 21])
def test_days_missing_from_a_daily_series_are_a_hole(length: int) -> None:
    covered = coverage_by_rows(present(slice(100, 100 + length)))
    assert covered.holes == (Hole(100, 99 + length),)
    assert covered.missing.sum() == length


def test_days_before_the_first_are_not_missing() -> None:
    assert holes(present(slice(0, 60))) == []


def test_weekends_without_rows_are_a_rhythm_and_a_missing_week_is_not() -> None:
    weekdays = np.arange(DAYS) % 7 < 5
    assert holes(weekdays) == []
    weekdays[70:77] = False
    assert holes(weekdays) == [(68, 76)]  # with the weekend before


def test_flights_pause_and_a_hole_within_one_is_found() -> None:
    flights = np.zeros(DAYS, np.bool_)
    for start in (0, 60, 120):
        flights[start : start + 40] = True
    flights[180:] = True
    assert holes(flights) == []
    flights[80:84] = False
    assert holes(flights) == [(80, 83)]


def test_a_series_that_ends_while_others_go_on_has_stopped() -> None:
    covered = coverage_by_rows(present(slice(180, DAYS)))
    assert covered.holes == (Hole(180, DAYS - 1, at_end=True),)


def test_what_stopped_long_ago_is_over() -> None:
    assert holes(present(slice(100, DAYS))) == []


def test_a_series_that_ends_with_all_others_has_not_stopped() -> None:
    assert holes(present(slice(180, DAYS)), until=179) == []


def test_weekly_rows_speak_for_their_week_and_missing_weeks_are_found() -> None:
    weekly = np.zeros(DAYS, np.bool_)
    weekly[::7] = True
    covered = coverage_by_rows(weekly)
    assert (covered.cadence, covered.holes) == (Cadence.WEEKLY, ())
    assert covered.covered.all()
    weekly[[70, 77]] = False
    assert holes(weekly) == [(70, 83)]


def test_a_few_rows_have_no_rhythm_to_break() -> None:
    rare = np.zeros(DAYS, np.bool_)
    rare[[3, 90, 150]] = True
    covered = coverage_by_rows(rare)
    assert (covered.cadence, covered.holes) == (Cadence.RARE, ())


def test_no_data_at_all_has_neither_first_nor_last_day() -> None:
    covered = coverage_by_rows(np.zeros(DAYS, np.bool_))
    assert (covered.first, covered.last, covered.holes) == (None, None, ())


def test_a_day_without_any_of_many_touches_is_a_hole() -> None:
    count = np.full(DAYS, 40)
    count[100] = 0
    assert coverage_by_count(count).holes == (Hole(100, 100),)


def test_chance_leaves_days_without_any_of_few_touches() -> None:
    count = np.random.default_rng(1).poisson(3.0, DAYS)
    assert (count == 0).any()
    assert coverage_by_count(count).holes == ()


def test_an_outage_that_begins_at_two_in_the_morning_takes_the_whole_day() -> None:
    count = np.full(DAYS, 100)
    count[100:103] = (2, 0, 0)
    assert coverage_by_count(count).holes == (Hole(100, 102),)


def test_no_touches_are_expected_where_nothing_was_spent() -> None:
    count = np.full(DAYS, 40)
    count[100:108] = 0
    spent = np.ones(DAYS, np.bool_)
    assert coverage_by_count(count, expected=spent).holes == (Hole(100, 107),)
    spent[95:110] = False
    assert coverage_by_count(count, expected=spent).holes == ()


def test_a_weekly_newsletter_is_quiet_in_between() -> None:
    count = np.where(np.arange(DAYS) % 7 == 2, 300, np.where(np.arange(DAYS) % 7 == 3, 60, 0))
    assert coverage_by_count(count).holes == ()


def test_days_with_far_less_than_usual_are_low() -> None:
    count = np.full(DAYS, 100)
    count[[50, 51]] = 12
    covered = coverage_by_count(count)
    assert np.flatnonzero(covered.low).tolist() == [50, 51]
    assert covered.holes == ()


def test_the_newest_stretch_reaches_across_short_breaks() -> None:
    days = np.zeros(100, np.bool_)
    days[10:20] = days[60:70] = days[75:90] = True
    assert newest_stretch(days) == (60, 89)
    assert newest_stretch(days, across=2) == (75, 89)
    assert newest_stretch(np.zeros(5, np.bool_)) is None
