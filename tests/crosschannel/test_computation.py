"""What a question is computed from, and what an answer still has where one of its parts has none."""

import datetime as dt

import numpy as np
import pytest

from crosschannel.computation import Question, answer, months_of, parts_of
from marketing.periods import Period
from tests.crosschannel.worlds import DISPLAY, EMAIL, GROUP_OF_SOURCE, GROUPS, SEARCH, Row, journeys_like


def test_months_are_strata_for_a_year_and_calendar_quarters_beyond() -> None:
    """From the 27th of November a year has thirteen months, of which the first and the last are cut."""
    end = dt.date(2026, 11, 26)
    year = months_of(Period(dt.date(2025, 11, 27), end))
    assert parts_of(year).tolist() == list(range(13))
    two_years = months_of(Period(dt.date(2024, 11, 27), end))
    quarters = [0, 0, *(quarter for quarter in range(1, 8) for _month in range(3)), 8, 8]
    assert parts_of(two_years).tolist() == quarters


def test_flows_and_paths_are_there_where_the_model_of_interactions_does_not_settle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    single = [(one,) * touches for one in (EMAIL, SEARCH, DISPLAY) for touches in (1, 2, 3)]
    paths = [*single, (EMAIL, SEARCH), (EMAIL, EMAIL, SEARCH), (EMAIL, SEARCH, SEARCH), (DISPLAY, EMAIL, SEARCH)]
    paths += [(DISPLAY, EMAIL), (DISPLAY, EMAIL, EMAIL), (DISPLAY, DISPLAY, EMAIL)]
    converted = np.random.default_rng(1).integers(0, 2, (len(paths), 60)).astype(np.bool_).tolist()
    rows = [
        Row(60 * place + n, path, (0.0, 0.5, 0.7)[: len(path)], 1.0, converted[place][n], 1.0)
        for place, path in enumerate(paths)
        for n in range(60)
    ]
    journeys = journeys_like(rows)
    question = Question(
        journeys=journeys,
        labels=("Email", "Search", "Display", "Social"),
        group_of_source=GROUP_OF_SOURCE,
        segment=np.zeros(len(journeys), np.int64),
        month=np.zeros(len(journeys), np.int64),
        part_of_month=np.zeros(1, np.int64),
        params={"window_days": 30, "top": GROUPS, "steps": 3, "confidence": 95},
    )
    settled = answer(question, lambda _phase, _share: None).result
    assert settled["pairs"]
    assert settled["interactions"]["problem"] == ""
    monkeypatch.setattr("crosschannel.methods.firth.MOST_STEPS", 1)
    found = answer(question, lambda _phase, _share: None).result
    assert found["pairs"] == []
    assert "found no stable answer" in found["interactions"]["problem"]
    for name in ("flows", "paths", "transitions", "time_to_convert"):
        assert found[name] == settled[name]
