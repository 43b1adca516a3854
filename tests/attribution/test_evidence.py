"""The evidence as it is kept with a run: worked by hand, finite, bounded, and the parts that a period is cut into."""

import datetime as dt
import json
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attribution.evidence import (
    MOST_PATHS,
    MOST_ROLES,
    MOST_STEADY,
    MOST_STEPS,
    evidence_of,
    evidence_of_paths,
    parts_of,
)
from attribution.methods.rules import FIRST, LAST, LINEAR
from marketing.frames import Journeys, PathTable
from marketing.journey_paths import path_table
from marketing.periods import EPOCH, Period
from tests.attribution.evidence_worlds import (
    DIRECT_SOURCE,
    GROUP_OF_SOURCE,
    LABELS,
    WINDOW_DAYS,
    journeys_of,
    shop,
    worlds,
)
from tests.marketing.rows import DAY_US, Outcome, Touch

UTC = ZoneInfo("UTC")
FIRST_DAY = EPOCH.date()
PERIOD = Period(FIRST_DAY, FIRST_DAY + dt.timedelta(399))
YEAR = Period(FIRST_DAY, FIRST_DAY + dt.timedelta(364))


def kept(journeys: Journeys, **changes: Any) -> dict[str, Any]:
    """The evidence as the database gives it back."""
    arguments: dict[str, Any] = {
        "labels": LABELS,
        "group_of_source": GROUP_OF_SOURCE,
        "direct_source": DIRECT_SOURCE,
        "models": (FIRST, LAST),
        "by_value": False,
        "period": PERIOD,
        "zone": UTC,
        "window_days": WINDOW_DAYS,
    }
    found: dict[str, Any] = json.loads(
        json.dumps(evidence_of(journeys=journeys, **(arguments | changes)), allow_nan=False)
    )
    return found


def a_few() -> Journeys:
    touches = [
        *(Touch(0, 10 * DAY_US, 3), Touch(0, 12 * DAY_US, 3), Touch(0, 13 * DAY_US, 1)),
        *(Touch(1, 12 * DAY_US, 3), Touch(1, 13 * DAY_US, 1), Touch(2, 13 * DAY_US, 3)),
    ]
    return journeys_of(touches, [Outcome(0, 14 * DAY_US, 30.0), Outcome(1, 14 * DAY_US, 20.0), Outcome(5, DAY_US, 5.0)])


def test_paths_are_kept_by_name() -> None:
    paths = kept(a_few())["paths"]
    assert paths["top"] == [
        {
            "steps": ["Email", "Search"],
            "left_out": 0,
            "conversions": 2.0,
            "value": 50.0,
            "share": 1.0,
            "median_days": 3.0,
            "median_touches": 2.5,
            "null_paths": 0.0,
            "conversion_rate": 1.0,
        }
    ]
    assert (paths["distinct"], paths["with_touches"], paths["has_null_paths"]) == (1, 2.0, True)


def test_lengths_and_lags_are_kept_with_the_conversions_without_a_touch() -> None:
    found = kept(a_few())
    assert [row["conversions"] for row in found["lengths"]["touches"]] == [1, 0, 1, 1]
    assert [row["value"] for row in found["lengths"]["groups"]] == [5, 0, 50]
    assert (found["lengths"]["mean_touches"], found["lengths"]["median_touches"]) == (2.5, 2.0)
    assert [row["first"] for row in found["lags"]["bins"][:5]] == [0, 0, 1, 0, 1]
    assert found["lags"]["last_touch"] == {"p50": 1.0, "p75": 1.0, "p90": 1.0, "p95": 1.0}
    assert found["lags"]["bins"][-1]["to_days"] == WINDOW_DAYS


def test_roles_are_kept_largest_first_and_without_groups_that_do_not_appear() -> None:
    rows = kept(a_few())["roles"]["groups"]
    assert [(row["group"], row["journeys"], row["opens"], row["closes"]) for row in rows] == [
        ("Email", 2, 2, 0),
        ("Search", 2, 0, 2),
    ]
    assert (rows[0]["first"], rows[0]["middle"], rows[0]["last"]) == (2, 1, 0)


def test_without_null_paths_there_is_no_conversion_rate() -> None:
    journeys = a_few()
    found = kept(journeys.take(np.flatnonzero(journeys.converted)))["paths"]
    assert found["has_null_paths"] is False
    assert found["top"][0]["conversion_rate"] is None
    assert found["top"][0]["null_paths"] is None


def test_shares_over_time_are_those_of_each_model_with_an_interval() -> None:
    found = kept(shop(80, seed=2), period=YEAR)["stability"]
    assert list(found["models"]) == ["first", "last"]
    assert (found["unit"], len(found["parts"])) == ("month", 12)
    for groups in found["models"].values():
        for part in range(len(found["parts"])):
            shares = [group["shares"][part] for group in groups]
            assert sum(shares) == pytest.approx(1.0)
            for group in groups:
                assert 0 <= group["low"][part] <= group["shares"][part] <= group["high"][part] <= 1


def test_higher_confidence_has_wider_intervals() -> None:
    journeys = shop(80, seed=2)
    narrow, wide = (
        kept(journeys, confidence=level, period=YEAR)["stability"]["models"]["last"][0] for level in (0.8, 0.99)
    )
    assert narrow["shares"] == wide["shares"]
    assert all(lower < low for low, lower in zip(narrow["low"][1:], wide["low"][1:], strict=True))


def test_linear_stands_in_where_no_rule_model_was_chosen() -> None:
    assert list(kept(a_few(), models=())["stability"]["models"]) == [LINEAR.name]


def test_days_are_those_of_the_workspace() -> None:
    """Midnight in Berlin opens the second week there, and is an hour before it in UTC."""
    start = dt.date(2026, 3, 2)
    midnight = int(dt.datetime(2026, 3, 9, tzinfo=ZoneInfo("Europe/Berlin")).timestamp() * 1_000_000)
    base = int(dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC).timestamp() * 1_000_000)
    journeys = Journeys(
        touches=a_few().touches,
        start=np.zeros(2, np.int64),
        stop=np.zeros(2, np.int64),
        customer=np.zeros(2, np.int64),
        customers=3,
        anchor_at=np.array([base, midnight]),
        converted=np.ones(2, np.bool_),
        value=np.ones(2),
    )
    period = Period(start, start + dt.timedelta(13))
    for zone, expected in (("Europe/Berlin", [1, 1]), ("UTC", [2, 0])):
        parts = kept(journeys, period=period, zone=ZoneInfo(zone))["stability"]["parts"]
        assert [part["conversions"] for part in parts] == expected


def test_the_sales_cycle_looks_beyond_the_window_of_the_run() -> None:
    touches = [Touch(c, (300 - age) * DAY_US, 1) for c in range(40) for age in (1, 50)]
    touches.append(Touch(99, -200 * DAY_US, 1))  # that the data begin early enough
    found = kept(journeys_of(touches, [Outcome(c, 300 * DAY_US) for c in range(40)]))["sales_cycle"]
    assert found["touches"] == 80
    assert {row["days"]: row["touches"] for row in found["windows"]} == {7: 40, 14: 40, 30: 40, 60: 80, 90: 80, 365: 80}
    assert found["smallest_preset"] == 60
    assert found["data_starts"] == (FIRST_DAY - dt.timedelta(200)).isoformat()


def test_a_few_dates_gone_wrong_do_not_make_a_history() -> None:
    touches = [Touch(c, 300 * DAY_US, 1) for c in range(2000)]
    touches.append(Touch(5000, 0, 1))
    found = kept(journeys_of(touches, [Outcome(0, 301 * DAY_US)]))["sales_cycle"]
    assert found["data_starts"] == (FIRST_DAY + dt.timedelta(300)).isoformat()


@settings(deadline=None, max_examples=40)
@given(journeys=worlds(), by_value=st.booleans())
def test_the_evidence_is_plain_finite_json(journeys: Journeys, by_value: bool) -> None:
    found = kept(journeys, by_value=by_value)
    total = float(journeys.converted.sum())
    assert found["conversions"] == total
    assert sum(row["conversions"] for row in found["lengths"]["touches"]) == total
    assert sum(part["conversions"] for part in found["stability"]["parts"]) == total


@settings(deadline=None, max_examples=30)
@given(journeys=worlds())
def test_paths_that_are_there_already_change_nothing(journeys: Journeys) -> None:
    paths = path_table(journeys=journeys, group_of_source=GROUP_OF_SOURCE, groups=len(LABELS))
    assert kept(journeys, paths=paths) == kept(journeys)


def test_the_evidence_stays_small_whatever_there_is() -> None:
    rng = np.random.default_rng(1)
    groups = 300
    touches = [
        Touch(int(c), int(at), int(source))
        for c, at, source in rng.integers(0, [600, 200 * DAY_US, groups], (40_000, 3)).tolist()
    ]
    journeys = journeys_of(touches, [Outcome(c, (200 + c % 190) * DAY_US, 1.0) for c in range(600)], window_days=365)
    found = kept(
        journeys,
        labels=[f"Campaign {group}" for group in range(groups)],
        group_of_source=np.arange(groups),
        direct_source=np.zeros(groups, np.bool_),
        window_days=365,
    )
    assert len(found["paths"]["top"]) == MOST_PATHS
    assert max(len(path["steps"]) for path in found["paths"]["top"]) == MOST_STEPS
    assert min(path["left_out"] for path in found["paths"]["top"]) > 0
    assert len(found["lags"]["bins"]) <= 30
    assert len(found["lengths"]["touches"]) == 31
    roles = found["roles"]["groups"]
    assert len(roles) == MOST_ROLES
    assert (roles[-1]["group"], roles[-1]["is_one"]) == ("271 others", False)
    assert len(found["stability"]["models"]["last"]) <= MOST_STEADY + 1
    assert len(json.dumps(found)) < 100_000


def test_aggregated_paths_have_paths_lengths_and_roles() -> None:
    table = PathTable(
        offsets=np.array([0, 1, 3, 6]),
        steps=np.array([0, 0, 1, 0, 1, 1]),
        groups=2,
        conversions=np.array([10.0, 30.0, 5.0]),
        value=np.array([100.0, 300.0, 50.0]),
        nulls=np.array([90.0, 30.0, 15.0]),
    )
    found = json.loads(json.dumps(evidence_of_paths(table=table, labels=("Email", "Search")), allow_nan=False))
    assert set(found) == {"conversions", "value", "paths", "lengths", "roles"}
    first, second = found["paths"]["top"]
    assert (first["steps"], first["conversions"], first["null_paths"]) == (["Email", "Search"], 35, 45)
    assert (first["conversion_rate"], first["median_days"]) == (35 / 80, None)
    assert (second["steps"], second["conversion_rate"]) == (["Email"], 0.1)
    assert [row["conversions"] for row in found["lengths"]["touches"]] == [0, 10, 30, 5]
    assert found["lengths"]["median_touches"] == 2
    email, search = found["roles"]["groups"]
    assert (email["journeys"], email["only"], email["opens"], email["mostly"]) == (45, 10, 35, "opens")
    assert (search["closes"], search["middle"], search["mostly"]) == (35, 5, "closes")


# --- Parts of a period ---


@pytest.mark.parametrize(
    ("start", "end", "unit", "starts"),
    [
        ("2026-03-01", "2026-03-10", "week", ["2026-03-01"]),
        ("2026-03-01", "2026-03-30", "week", ["2026-03-01", "2026-03-10", "2026-03-17", "2026-03-24"]),
        ("2026-03-03", "2026-03-16", "week", ["2026-03-03", "2026-03-10"]),
        ("2026-01-01", "2026-06-30", "month", [f"2026-0{month}-01" for month in range(1, 7)]),
        ("2026-01-28", "2026-06-03", "month", ["2026-01-28", "2026-03-01", "2026-04-01", "2026-05-01"]),
        ("2022-02-01", "2026-06-30", "quarter", ["2022-02-01", "2022-04-01", "2022-07-01"]),
    ],
)
def test_a_period_is_cut_where_people_expect(start: str, end: str, unit: str, starts: list[str]) -> None:
    found, parts = parts_of(Period(dt.date.fromisoformat(start), dt.date.fromisoformat(end)))
    assert found == unit
    assert [part.start.isoformat() for part in parts][: len(starts)] == starts


@given(start=st.dates(dt.date(2020, 1, 1), dt.date(2026, 1, 1)), days=st.integers(1, 3660))
def test_parts_cover_every_day_of_the_period_once(start: dt.date, days: int) -> None:
    period = Period(start, start + dt.timedelta(days - 1))
    _, parts = parts_of(period)
    assert [day for part in parts for day in part.dates()] == period.dates()
    assert len(parts) <= 60
    assert len(parts) == 1 or min(part.days for part in parts) >= 7
