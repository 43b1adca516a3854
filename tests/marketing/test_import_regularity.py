"""Figures have one rhythm, and weeks without any are told."""

from collections.abc import Iterable

import numpy as np
import pytest

from marketing.importing.errors import FileRejected
from marketing.importing.regularity import Regularity


def days(start: str, count: int, *, step: int = 1) -> list[str]:
    return [str(np.datetime64(start) + n * step) for n in range(count)]


def of(*series: tuple[str, Iterable[str]]) -> Regularity:
    regularity = Regularity()
    for name, when in series:
        dates = np.array(list(when), "datetime64[D]")
        regularity.add(dates, np.full(len(dates), name, object))
    return regularity


@pytest.mark.parametrize(
    "when",
    [
        days("2026-01-01", 60),
        days("2026-01-05", 20, step=7),
        days("2026-01-05", 5) + days("2026-01-12", 5) + days("2026-01-19", 5),  # without weekends
        days("2026-01-01", 20) + days("2026-01-30", 20),  # a gap of nine days
        days("2026-01-01", 20) + days("2026-01-27", 2, step=7) + days("2026-02-04", 20),  # some weeks with one day each
        days("2026-01-05", 10, step=7) + days("2026-03-16", 3),  # a daily start that is too short to tell
        ["2026-01-01"],
        [],
    ],
)
def test_one_rhythm_with_gaps_is_one_rhythm(when: list[str]) -> None:
    of(("sales", when)).require_one_rhythm()


@pytest.mark.parametrize(
    ("when", "sentence"),
    [
        (
            days("2026-01-01", 10) + days("2026-01-19", 6, step=7),
            "“sales” are daily from 2026-01-01 and weekly from 2026-01-19",
        ),
        (
            days("2026-01-05", 5, step=7) + days("2026-02-09", 10),
            "“sales” are daily from 2026-02-09 and weekly from 2026-01-05",
        ),
    ],
)
def test_a_series_that_changes_its_rhythm_is_refused(when: list[str], sentence: str) -> None:
    with pytest.raises(FileRejected, match=sentence):
        of(("sales", when)).require_one_rhythm()


def test_series_may_have_rhythms_of_their_own_and_come_in_any_order() -> None:
    of(("sales", reversed(days("2026-01-01", 60))), ("surveys", days("2026-01-05", 9, step=7))).require_one_rhythm()


def test_a_series_goes_on_in_the_next_chunk_whatever_the_case_of_its_name() -> None:
    with pytest.raises(FileRejected):
        of(("Sales", days("2026-01-01", 10)), ("sales", days("2026-01-19", 6, step=7))).require_one_rhythm()


@pytest.mark.parametrize(
    ("when", "sentence"),
    [
        (days("2026-01-05", 52, step=7), ""),
        (days("2026-01-05", 100), ""),
        (
            days("2026-01-05", 10, step=7) + days("2026-03-23", 10, step=7),
            "1 of 21 weeks have no rows, the first from 2026-03-16.",
        ),
        (days("2026-01-31", 12, step=30), ""),  # months
        (["2026-01-05", "2026-06-01"], ""),
        ([], ""),
    ],
)
def test_weeks_without_rows_are_told(when: list[str], sentence: str) -> None:
    assert of(("sales", when)).missing_weeks() == sentence


def test_a_week_that_one_of_the_series_has_is_not_missing() -> None:
    there = days("2026-01-05", 10, step=7)

    assert of(("tv", there[:3] + there[6:]), ("radio", there[2:8])).missing_weeks() == ""


def test_many_missing_weeks_say_what_they_prevent() -> None:
    there = days("2026-01-05", 20, step=7)

    said = of(("sales", there[:8] + there[12:])).missing_weeks()

    assert said == (
        "4 of 20 weeks have no rows, the first from 2026-03-02. "
        "With more than 10% missing, the media mix cannot be modelled."
    )
