import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from marketing.frames import SourceLookup
from tests.marketing.rows import JourneyRow, Outcome, Touch, conversions_from, journeys_from, touches_from

TOUCHES = touches_from([Touch(3, 10), Touch(3, 20), Touch(8, 5)])
CONVERSIONS = conversions_from([Outcome(3, 10), Outcome(3, 30), Outcome(9, 1)])
JOURNEYS = journeys_from([JourneyRow(0, 20, True, 1.0, (0, 1)), JourneyRow(1, 5, False, 0.0, (2,))], TOUCHES)
LOOKUP = SourceLookup(
    channel=np.array([1, 0, 1], np.uint16),
    campaign=np.array([0, 2, 1], np.uint32),
    channels=("Direct", "Email"),
    campaigns=("(not set)", "Spring", "Autumn"),
    direct=np.array([True, False]),
)


def wrong_column(name: str, column: np.ndarray) -> dict[str, Any]:
    """The change to a frame, in a type that fits any of its fields."""
    return {name: column}


@pytest.mark.parametrize(
    ("column", "wrong", "message"),
    [
        ("source", np.zeros(2, np.uint32), r"Touches.source must have shape \(3,\), but it has \(2,\)"),
        ("source", np.zeros(3, np.int64), "Touches.source must have dtype uint32, but it has int64"),
        ("customer_ids", np.array([8, 3]), "strictly ascending"),
        ("customer_ids", np.array([3, 3]), "strictly ascending"),
        ("offsets", np.array([0, 2]), r"shape \(3,\)"),
        ("offsets", np.array([1, 2, 3]), "must rise from 0 to the number of touches, 3"),
        ("offsets", np.array([0, 2, 4]), "must rise from 0 to the number of touches, 3"),
        ("offsets", np.array([0, 4, 3]), "must rise from 0 to the number of touches, 3"),
    ],
)
def test_touches_refuse_columns_that_do_not_fit(column: str, wrong: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(TOUCHES, **wrong_column(column, wrong))


@pytest.mark.parametrize(
    ("column", "wrong", "message"),
    [
        ("customer_ids", np.array([3, 9, 3]), "sorted by customer, then by time"),
        ("converted_at", np.array([30, 10, 1]), "sorted by customer, then by time"),
        ("value", np.zeros(2), "Conversions.value must have shape"),
    ],
)
def test_conversions_refuse_columns_that_do_not_fit(column: str, wrong: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(CONVERSIONS, **wrong_column(column, wrong))


@pytest.mark.parametrize(
    ("column", "wrong", "message"),
    [
        ("start", np.array([-1, 2]), "slice within the touches"),
        ("stop", np.array([2, 4]), "slice within the touches"),
        ("stop", np.array([2, 1]), "slice within the touches"),
        ("customer", np.array([0, 2]), "between 0 and 1"),
        ("converted", np.array([True]), "Journeys.converted must have shape"),
        ("lead_at", np.zeros(3, np.int64), r"Journeys.lead_at must have shape \(2,\)"),
        ("lead_at", np.zeros(2), "Journeys.lead_at must have dtype int64"),
    ],
)
def test_journeys_refuse_columns_that_do_not_fit(column: str, wrong: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(JOURNEYS, **wrong_column(column, wrong))


def test_frames_keep_columns_by_reference() -> None:
    assert JOURNEYS.touches.touched_at is TOUCHES.touched_at
    assert len(JOURNEYS) == 2


def test_empty_frames_are_valid() -> None:
    empty = touches_from([])
    assert len(journeys_from([], empty)) == 0
    assert len(conversions_from([]).value) == 0


def test_touches_that_are_kept_stay_those_of_their_customers() -> None:
    touches = replace(TOUCHES, source=np.array([4, 5, 6], np.uint32), segment=np.array([7, 8, 9], np.uint32))
    kept = touches.where(np.array([False, True, True]))
    assert kept.customer_ids.tolist() == [3, 8]
    assert kept.offsets.tolist() == [0, 1, 2]
    assert (kept.touched_at.tolist(), kept.source.tolist()) == ([20, 5], [5, 6])
    assert kept.segment is not None
    assert kept.segment.tolist() == [8, 9]


def test_customers_who_lose_all_their_touches_keep_their_place() -> None:
    kept = TOUCHES.where(np.array([False, False, True]))
    assert kept.customer_ids.tolist() == [3, 8]
    assert kept.offsets.tolist() == [0, 0, 1]
    assert TOUCHES.where(np.zeros(3, np.bool_)).offsets.tolist() == [0, 0, 0]


def test_nothing_is_copied_where_every_touch_is_kept() -> None:
    assert TOUCHES.where(np.ones(3, np.bool_)) is TOUCHES


def test_journeys_that_are_taken_keep_their_leads() -> None:
    with_leads = replace(JOURNEYS, lead_at=np.array([7, 8]))
    taken = with_leads.take(np.array([1, 1, 0])).lead_at
    assert taken is not None
    assert taken.tolist() == [8, 8, 7]
    assert JOURNEYS.take(np.array([0])).lead_at is None


def test_source_lookup_resolves_sources_by_dimension() -> None:
    assert [LOOKUP.labels("channel")[group] for group in LOOKUP.group_of_source("channel")] == [
        "Email",
        "Direct",
        "Email",
    ]
    assert [LOOKUP.labels("campaign")[group] for group in LOOKUP.group_of_source("campaign")] == [
        "(not set)",
        "Autumn",
        "Spring",
    ]
    assert LOOKUP.direct_source().tolist() == [False, True, False]


@pytest.mark.parametrize(("dimension", "dtype"), [("channel", np.uint16), ("campaign", np.uint32)])
def test_source_lookup_refuses_an_index_beyond_its_labels(dimension: str, dtype: type) -> None:
    with pytest.raises(ValueError, match=f"points beyond the last of its {dimension}s"):
        replace(LOOKUP, **wrong_column(dimension, np.array([0, 1, 3], dtype)))


def test_frames_journeys_and_rule_models_import_neither_django_nor_numba() -> None:
    program = (
        "import sys, marketing.frames, marketing.journeys, attribution.methods.rules; "
        "print({'django', 'numba'} & set(sys.modules))"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.stdout == "set()\n", finished.stderr
