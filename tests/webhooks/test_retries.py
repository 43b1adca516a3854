"""When to try again."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.retries import DELAYS, TRIES, next_try, parse_retry_after, rest_until

NOW = dt.datetime(2026, 3, 2, 8, 0, tzinfo=dt.UTC)
SECOND, MINUTE, HOUR = dt.timedelta(seconds=1), dt.timedelta(minutes=1), dt.timedelta(hours=1)


def test_the_pauses_are_those_of_the_specification() -> None:
    usual = [5 * SECOND, 5 * MINUTE, 30 * MINUTE, *(hours * HOUR for hours in (2, 5, 10, 14, 20, 24))]
    assert list(DELAYS) == usual
    assert TRIES == 10
    assert dt.timedelta(days=3) < sum(DELAYS, dt.timedelta()) < dt.timedelta(days=4)


@given(st.integers(1, TRIES - 1))
def test_up_to_a_fifth_is_added_to_each_pause(tries: int) -> None:
    again = next_try(tries=tries, now=NOW)
    assert again is not None
    assert DELAYS[tries - 1] <= again - NOW <= DELAYS[tries - 1] * 1.2


def test_what_failed_together_does_not_come_back_together() -> None:
    assert len({next_try(tries=4, now=NOW) for _ in range(20)}) > 10


def test_after_the_last_try_there_is_none() -> None:
    assert next_try(tries=TRIES, now=NOW, retry_after=MINUTE) is None


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [
        (2 * MINUTE, 2 * MINUTE, 2 * MINUTE),  # more than the five seconds of the first pause
        (SECOND, 5 * SECOND, 6 * SECOND),  # less
        (-HOUR, 5 * SECOND, 6 * SECOND),
        (dt.timedelta(days=400), HOUR, HOUR),
    ],
)
def test_the_receivers_wish_is_followed_within_bounds(
    asked: dt.timedelta, least: dt.timedelta, most: dt.timedelta
) -> None:
    again = next_try(tries=1, now=NOW, retry_after=asked)
    assert again is not None
    assert least <= again - NOW <= most


def test_who_fails_three_times_in_a_row_is_left_alone_for_a_minute() -> None:
    assert [rest_until(failures=failures, now=NOW) for failures in (1, 2)] == [None, None]
    assert rest_until(failures=3, now=NOW) == NOW + MINUTE
    assert rest_until(failures=1, now=NOW, retry_after=2 * MINUTE) == NOW + 2 * MINUTE
    assert rest_until(failures=9, now=NOW, retry_after=SECOND) == NOW + MINUTE


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("²", None),
        ("120", 120 * SECOND),
        (" 120 ", 120 * SECOND),
        ("9" * 400, 999_999_999 * SECOND),
        ("Mon, 02 Mar 2026 08:02:00 GMT", 120 * SECOND),
        ("Mon, 02 Mar 2026 08:02:00 -0000", 120 * SECOND),
        ("Mon, 02 Mar 2026 07:59:00 GMT", -MINUTE),
        ("Mon, 02 Mar 99999999 08:02:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str | None, asked: dt.timedelta | None) -> None:
    assert parse_retry_after(text, now=NOW) == asked
