"""What a preview counts: what an analysis would, from the snapshot as it is, of much data a sample."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import time_machine
from django.conf import settings

from accounts.models import Workspace
from marketing import store
from marketing.models import Dataset, Goal, Import
from marketing.segments import preview
from marketing.segments.definition import parse
from marketing.segments.preview import Figures, Scope, count, scope_of
from marketing.selectors import load_journeys, load_touches_and_conversions
from tests.marketing.batches import NOON, conversion_import, touch_import

ImportRows = Callable[..., Import]
TODAY = dt.datetime(2026, 4, 1, 9, tzinfo=dt.UTC)
TOUCHES = """customer,occurred_at,channel,segment
anna,2026-03-01T10:00Z,Email,Loyal
anna,2026-03-02T10:00Z,Search,
ben,2026-03-03T10:00Z,Search,New
cleo,2026-03-04T10:00Z,Display,
"""
CONVERSIONS = """customer,occurred_at,value
anna,2026-03-02T12:00Z,100
anna,2026-03-20T12:00Z,50
ben,2026-03-03T12:00Z,30
"""
SEGMENTS: list[dict[str, Any]] = [
    {"conditions": [{"type": "attribute", "any_of": ["Loyal"]}]},
    {"conditions": [{"type": "customer", "is": "returning"}]},
    {"conditions": [{"type": "channels", "any_of": ["Search"]}, {"type": "value", "below": 100}]},
    {"conditions": []},
]


@pytest.fixture
def today() -> Any:
    with time_machine.travel(TODAY, tick=False):
        yield


@pytest.fixture
def data(today: None, shop: Workspace, import_rows: ImportRows) -> Workspace:
    """A shop whose snapshot is built."""
    import_rows("touchpoints", TOUCHES)
    import_rows("conversions", CONVERSIONS)
    load_touches_and_conversions(workspace=shop)
    return shop


def scope(workspace: Workspace) -> Scope:
    found = scope_of(workspace)
    assert found is not None
    return found


def counted(workspace: Workspace, *raw: dict[str, Any]) -> list[Figures]:
    found = count(workspace=workspace, scope=scope(workspace), definitions=[parse(one) for one in raw])
    assert found is not None
    return found


def test_it_is_about_the_workspaces_defaults(today: None, shop: Workspace) -> None:
    shop.period_days, shop.window_days = 31, 7
    about = scope(shop)
    assert (about.goal.name, about.period.start, about.period.end) == (
        "Purchase",
        dt.date(2026, 3, 1),
        dt.date(2026, 3, 31),
    )
    assert about.window_days == 7


def test_without_a_goal_there_is_nothing_to_count(shop: Workspace) -> None:
    Goal.objects.filter(workspace=shop).update(archived_at=TODAY)
    assert scope_of(shop) is None


def test_it_counts_conversions_value_and_paths_without_conversion(data: Workspace) -> None:
    loyal, returning, searched, everybody = counted(data, *SEGMENTS)
    assert (loyal.conversions, loyal.value, loyal.null_paths) == (2, 150, 0)
    assert (returning.conversions, returning.value) == (1, 50)
    assert (searched.conversions, searched.value, searched.null_paths) == (2, 80, 0)
    assert (everybody.conversions, everybody.value, everybody.null_paths) == (3, 180, 1)
    assert {(one.all_conversions, one.all_value, one.all_null_paths) for one in (loyal, returning, searched)} == {
        (3, 180, 1)
    }


@pytest.mark.parametrize("raw", SEGMENTS)
def test_it_counts_what_an_analysis_would(data: Workspace, raw: dict[str, Any]) -> None:
    about = scope(data)
    journeys = load_journeys(
        workspace=data,
        goal=about.goal,
        start=about.period.start,
        end=about.period.end,
        window_days=about.window_days,
        segment=parse(raw),
    ).journeys
    (figures,) = counted(data, raw)
    assert figures.conversions == journeys.converted.sum()
    assert figures.value == journeys.value.sum()
    assert figures.null_paths == (~journeys.converted).sum()


def test_nothing_is_built_for_it(today: None, shop: Workspace, import_rows: ImportRows) -> None:
    import_rows("touchpoints", TOUCHES)
    import_rows("conversions", CONVERSIONS)
    assert count(workspace=shop, scope=scope(shop), definitions=[parse({})]) is None
    assert not list(Path(settings.MEDIA_ROOT).rglob("*.npy"))
    load_touches_and_conversions(workspace=shop)
    assert counted(shop, {})[0].conversions == 3


def test_new_data_is_waited_for_and_not_passed_over(data: Workspace, import_rows: ImportRows) -> None:
    assert counted(data, {})[0].conversions == 3
    import_rows("conversions", "customer,occurred_at,value\ncleo,2026-03-05T12:00Z,70\n")
    assert count(workspace=data, scope=scope(data), definitions=[parse({})]) is None
    load_touches_and_conversions(workspace=data)
    assert counted(data, {})[0].conversions == 4


def test_what_was_counted_is_remembered(data: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    once = counted(data, *SEGMENTS)
    monkeypatch.setattr(store, "load_built", lambda **_arguments: None)
    assert counted(data, *SEGMENTS) == once


def test_without_any_data_nothing_is_counted(today: None, shop: Workspace, media_root: Path) -> None:
    assert counted(shop, {}) == [
        Figures(conversions=0, value=0, null_paths=0, all_conversions=0, all_value=0, all_null_paths=0, sampled=1.0)
    ]


def test_conversions_alone_are_counted(today: None, shop: Workspace, import_rows: ImportRows) -> None:
    import_rows("conversions", CONVERSIONS)
    load_touches_and_conversions(workspace=shop)
    assert counted(shop, {"conditions": [{"type": "touches", "at_most": 0}]})[0].conversions == 3


def test_of_much_data_a_sample_of_customers_is_counted(
    today: None, shop: Workspace, media_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(3)
    ids = [int(one) for one in np.sort(rng.integers(0, 2**62, 400))]
    Goal.objects.filter(workspace=shop, is_default=True).update(name="Order")  # the one that these rows are of
    # Every customer touches twice on 1 March 2026 and buys for 10 a day later.
    touch_import(shop, [(pk, NOON + dt.timedelta(minutes=minute)) for pk in ids for minute in (0, 5)])
    conversion_import(shop, [(pk, NOON + dt.timedelta(days=1), "10") for pk in ids])
    load_touches_and_conversions(workspace=shop)
    monkeypatch.setattr(preview, "MOST_TOUCHES", 200)
    (figures,) = counted(shop, {"conditions": [{"type": "touches", "at_least": 2}]})
    assert figures.sampled == 0.25
    assert (figures.conversions, figures.value, figures.all_conversions) == (400, 4000, 400)


@pytest.mark.parametrize("segments", [1, 3])
def test_a_part_of_the_snapshot_is_the_same_as_that_part_of_the_whole(
    shop: Workspace, media_root: Path, segments: int
) -> None:
    rng = np.random.default_rng(5)
    for number in range(segments):
        # The first is by far the largest: small ones beside it are not merged into it.
        rows = 300 if number == 0 else 20
        customers = rng.integers(0, 60, rows)
        touch_import(shop, [(int(pk), NOON + dt.timedelta(minutes=int(rng.integers(0, 99)))) for pk in customers])
        load_touches_and_conversions(workspace=shop)
    imports = store.active_imports(workspace=shop)[Dataset.TOUCHPOINTS]
    names = ("at", "source", "interaction", "segment")
    whole = store.load(workspace=shop, table=store.TOUCHES, imports=imports, names=names)
    sample = store.sample_of_customers(workspace=shop, table=store.TOUCHES, imports=imports, most_rows=100)
    assert sample is not None
    assert sample.below is not None
    part = store.load_built(workspace=shop, table=store.TOUCHES, imports=imports, names=names, below=sample.below)
    assert part is not None
    customers_in_part = int(np.searchsorted(whole["customer_ids"], sample.below))
    rows_in_part = int(whole["offsets"][customers_in_part])
    assert sample.share == rows_in_part / len(whole["at"])
    assert np.array_equal(part["customer_ids"], whole["customer_ids"][:customers_in_part])
    assert np.array_equal(part["offsets"], whole["offsets"][: customers_in_part + 1])
    for name in names:
        assert np.array_equal(part[name], whole[name][:rows_in_part])
