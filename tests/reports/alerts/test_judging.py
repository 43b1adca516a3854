"""Which days raise an alert: the first of each run of days beyond in one direction, once."""

import datetime as dt
from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.alerts.judging import DayJudged, NoVerdict, days_that_raise
from reports.methods.anomalies import Direction

FIRST = dt.date(2026, 3, 1)
LETTERS = {"+": Direction.ABOVE, "-": Direction.BELOW, ".": Direction.WITHIN, "?": Direction.WITHIN}


def judged(letters: str) -> list[DayJudged]:
    """A day for each letter: + above, - below, . within, ? without a verdict."""
    return [
        DayJudged(
            day=FIRST + dt.timedelta(place),
            value=1.0,
            direction=LETTERS[letter],
            no_verdict=NoVerdict.NO_SPEND if letter == "?" else None,
        )
        for place, letter in enumerate(letters)
    ]


def raising(letters: str, raised: Collection[int] = (), since: int = 0) -> list[int]:
    """The places of the days that raise an event."""
    days = days_that_raise(
        judged(letters),
        raised={FIRST + dt.timedelta(place) for place in raised},
        since=FIRST + dt.timedelta(since),
    )
    return [(day.day - FIRST).days for day in days]


@pytest.mark.parametrize(
    ("letters", "raised", "since", "places"),
    [
        ("....", (), 0, []),
        (".---.", (), 0, [1]),
        (".--.-", (), 0, [1, 4]),  # it was back inside
        (".-+.", (), 0, [1, 2]),  # another direction is another event
        (".-?-.", (), 0, [1]),  # a day that nobody can judge does not end it
        (".----", (1,), 0, []),  # it stands
        (".----", (), 3, [3]),  # it began before it was watched: told once
        (".----", (3,), 0, []),  # later data moved its beginning
        ("----.", (), 4, []),
        ("????", (), 0, []),
    ],
)
def test_a_run_of_days_beyond_raises_one_event(
    letters: str, raised: Collection[int], since: int, places: list[int]
) -> None:
    assert raising(letters, raised, since) == places


@given(st.text("+-.?", min_size=1, max_size=40), st.data())
def test_looking_day_by_day_raises_what_looking_once_does(letters: str, data: st.DataObject) -> None:
    raised: set[int] = set()
    at = 0
    while at < len(letters):
        at = data.draw(st.integers(at + 1, len(letters) + 1))
        raised |= set(raising(letters[:at], raised))
        assert raising(letters[:at], raised) == []  # a second look finds nothing new
    assert sorted(raised) == raising(letters)
