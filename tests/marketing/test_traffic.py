"""What a grouping would make of traffic, touch by touch; and what channels stand for at present."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import Workspace
from marketing import store, traffic
from marketing.channel_figures import channel_figures, touches_by_source
from marketing.channel_index import channel_index
from marketing.channels import change_grouping, ensure_grouped_channels, merge_channels
from marketing.grouping_rules import Rules, parse_rules
from marketing.importing.undo import undo_imports
from marketing.models import Channel, Dataset, Import, TrafficSource
from marketing.selectors import load_touches
from marketing.sources import source_lookup
from marketing.traffic import TrafficPreview, preview
from tests.marketing.batches import NOON, add_import, add_touches, touch_import

Importer = Callable[..., Import]
pytestmark = pytest.mark.django_db
FB = {"field": "source", "operator": "one_of", "value": ["fb", "facebook.com"]}
RULES = parse_rules(
    [{"channel": "Meta", "conditions": [FB]}, {"channel": "QR", "conditions": [FB | {"value": ["qr"]}]}]
)
# source, medium, campaign, channel -> touches
TRAFFIC = {
    ("google", "cpc", "brand", ""): 5,
    ("fb", "paid", "", ""): 4,
    ("facebook.com", "referral", "", ""): 3,
    ("qr", "flyer", "", ""): 2,
    ("", "", "", "Podcast"): 6,
    ("fb", "paid", "", "Podcast"): 1,
}


@pytest.fixture
def traffic_in(shop: Workspace, import_rows: Importer) -> Import:
    """The touches of `TRAFFIC`, none of them counted yet."""
    at = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
    rows = ["customer,occurred_at,source,medium,campaign,channel"]
    for said, touches in TRAFFIC.items():
        for _ in range(touches):
            at += dt.timedelta(minutes=1)
            rows.append(f"anna,{at:%Y-%m-%dT%H:%MZ},{','.join(said)}")
    return import_rows("touchpoints", "\n".join(rows))


@pytest.fixture
def counted(traffic_in: Import) -> Workspace:
    """The workspace with these touches, which somebody has read since."""
    load_touches(workspace=traffic_in.workspace)
    return traffic_in.workspace


def look(workspace: Workspace, grouping: str = "custom", rules: Rules = RULES) -> TrafficPreview:
    return preview(workspace=workspace, grouping=grouping, rules=rules)


def test_the_preview_says_what_each_touch_would_belong_to(counted: Workspace) -> None:
    found = look(counted)
    assert [(row.traffic.label, row.touches, row.before, row.after, row.rule) for row in found.rows] == [
        ("fb / paid / (not set)", 4, "Paid Social", "Meta", 1),
        ("facebook.com / referral / (not set)", 3, "Organic Social", "Meta", 1),
        ("qr / flyer / (not set)", 2, "Unassigned", "QR", 2),
        ("google / cpc / brand", 5, "Paid Search", "Paid Search", None),
    ]
    assert (found.touches, found.changed, found.named, found.is_counted) == (14, 9, 7, True)
    assert found.channels == [
        ("Meta", 0, 7),
        ("Paid Search", 5, 5),
        ("QR", 0, 2),
        ("Paid Social", 4, 0),
        ("Organic Social", 3, 0),
        ("Unassigned", 2, 0),
    ]


def test_what_no_rule_fits_is_listed_with_its_touches(counted: Workspace) -> None:
    found = look(counted)
    assert [(row.traffic.source, row.touches) for row in found.unmatched_rows] == [("google", 5)]
    assert found.unmatched == 5
    standard = look(counted, "standard")
    assert [(row.traffic.source, row.touches) for row in standard.unmatched_rows] == [("qr", 2)]
    assert (standard.unmatched, standard.changed) == (2, 0)


def test_the_preview_is_what_the_change_then_brings(counted: Workspace) -> None:
    expected = {name: after for name, _, after in look(counted).channels if after}
    change_grouping(
        workspace=counted,
        grouping="custom",
        rules=[{"channel": "Meta", "conditions": [FB]}, {"channel": "QR", "conditions": [FB | {"value": ["qr"]}]}],
        by=None,
    )
    ensure_grouped_channels(workspace=counted, sources=source_lookup(workspace=counted))
    figures = channel_figures(workspace=counted, index=channel_index(workspace=counted))
    assert figures is not None
    assert {name: each.touches for name, each in figures.items() if each.touches} == {**expected, "Podcast": 7}
    assert look(counted).changed == 0


def test_granular_and_merged_channels_are_previewed_by_the_names_that_count(counted: Workspace) -> None:
    ensure_grouped_channels(workspace=counted, sources=source_lookup(workspace=counted))
    paid, organic = Channel.objects.get(name="Paid Social"), Channel.objects.get(name="Organic Social")
    merge_channels(source=organic, target=paid, by=None)
    found = look(counted, "granular")
    assert {(row.before, row.after) for row in found.rows} == {
        ("Paid Search", "google / cpc / brand"),
        ("Paid Social", "fb / paid / (not set)"),
        ("Paid Social", "facebook.com / referral / (not set)"),
        ("Unassigned", "qr / flyer / (not set)"),
    }
    assert found.changed == 14


def test_until_touches_are_counted_traffic_sources_are(traffic_in: Import) -> None:
    found = look(traffic_in.workspace)
    assert (found.is_counted, found.touches, found.changed, found.named) == (False, 4, 3, 2)
    assert {row.touches for row in found.rows} == {None}


def test_traffic_whose_touches_are_gone_is_not_listed(counted: Workspace, traffic_in: Import) -> None:
    undo_imports(workspace=counted, imports=[traffic_in], by=None)
    found = look(counted)
    assert (found.is_counted, found.touches, list(found.rows)) == (True, 0, [])


def test_a_preview_ends_in_time_and_says_how_far_it_came(counted: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traffic, "LOOKED_AT_ONCE", 1)
    monkeypatch.setattr(traffic, "LONGEST_LOOK_SECONDS", -1.0)
    found = look(counted)
    assert (found.looked_at, found.sources) == (1, 4)
    assert [row.traffic.source for row in found.rows] == ["google"], "the largest come first"


def test_more_groups_than_are_kept_apart_are_told(counted: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not look(counted, "granular").too_many_groups
    monkeypatch.setattr(traffic, "MOST_GROUPS", 3)
    assert look(counted, "granular").too_many_groups


def test_a_preview_changes_nothing_and_asks_as_often_for_more_traffic(
    counted: Workspace, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(4):
        look(counted)
    TrafficSource.objects.bulk_create(TrafficSource(workspace=counted, source=f"s{n}") for n in range(50))
    with django_assert_num_queries(4):
        look(counted)


def test_figures_are_those_of_each_channel_with_all_that_counts_for_it(
    counted: Workspace, import_rows: Importer
) -> None:
    import_rows("spend", "date,channel,spend\n2026-03-01,Podcast,5\n2026-03-01,TV,7\n2026-03-02,TV,1\n")
    ensure_grouped_channels(workspace=counted, sources=source_lookup(workspace=counted))
    by_name = {channel.name: channel for channel in Channel.objects.all()}

    def figures() -> dict[str, tuple[Any, ...]]:
        found = channel_figures(workspace=counted, index=channel_index(workspace=counted))
        assert found is not None
        return {name: (each.touches, each.spend, each.named, each.grouped) for name, each in found.items()}

    assert figures() == {
        "Podcast": (7, 5.0, True, False),
        "TV": (0, 8.0, True, False),
        "Paid Search": (5, 0.0, False, True),
        "Paid Social": (4, 0.0, False, True),
        "Organic Social": (3, 0.0, False, True),
        "Unassigned": (2, 0.0, False, True),
    }
    merge_channels(source=by_name["TV"], target=by_name["Podcast"], by=None)
    merge_channels(source=by_name["Paid Social"], target=by_name["Podcast"], by=None)
    assert figures()["Podcast"] == (11, 13.0, True, True)
    assert not {"TV", "Paid Social"} & set(figures())


def test_figures_know_channels_before_they_have_a_row(counted: Workspace) -> None:
    before = channel_figures(workspace=counted, index=channel_index(workspace=counted))
    assert before is not None
    assert before["Paid Social"].touches == 4
    ensure_grouped_channels(workspace=counted, sources=source_lookup(workspace=counted))
    assert channel_figures(workspace=counted, index=channel_index(workspace=counted)) == before


def test_figures_are_kept_until_the_data_change(
    counted: Workspace, import_rows: Importer, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    index = channel_index(workspace=counted)
    before = channel_figures(workspace=counted, index=index)
    with django_assert_num_queries(2):
        assert channel_figures(workspace=counted, index=index) == before
    import_rows("spend", "date,channel,spend\n2026-03-01,Podcast,5\n")
    assert channel_figures(workspace=counted, index=index) != before


def test_figures_wait_until_touches_are_counted(traffic_in: Import) -> None:
    workspace = traffic_in.workspace
    assert channel_figures(workspace=workspace, index=channel_index(workspace=workspace)) is None
    load_touches(workspace=workspace)
    assert channel_figures(workspace=workspace, index=channel_index(workspace=workspace)) is not None


@pytest.mark.parametrize("rows_at_once", [1, 2, 1 << 20])
def test_touches_are_counted_over_all_segments_without_building_any(
    workspace: Workspace, media_root: Path, monkeypatch: pytest.MonkeyPatch, rows_at_once: int
) -> None:
    monkeypatch.setattr("marketing.store.snapshot.ROWS_COUNTED_AT_ONCE", rows_at_once)
    nothing = touches_by_source(workspace=workspace)
    assert nothing is not None
    assert not nothing.sum()
    touch_import(workspace, [(1, NOON), (2, NOON), (1, NOON)])
    assert touches_by_source(workspace=workspace) is None
    load_touches(workspace=workspace)
    second = add_import(workspace, Dataset.TOUCHPOINTS)
    other = TrafficSource.objects.create(workspace=workspace, source="other")
    for touch in add_touches(second, [(3, NOON), (3, NOON)]):
        type(touch).objects.filter(pk=touch.pk).update(traffic_source=other)
    assert touches_by_source(workspace=workspace) is None
    load_touches(workspace=workspace)
    counts = touches_by_source(workspace=workspace)
    assert counts is not None
    newsletter = TrafficSource.objects.get(source="newsletter")
    assert (counts[newsletter.pk], counts[other.pk], counts.sum()) == (3, 2, 5)


def test_a_damaged_column_is_as_if_it_were_not_there(workspace: Workspace, media_root: Path) -> None:
    touch_import(workspace, [(1, NOON)])
    load_touches(workspace=workspace)
    (column,) = media_root.rglob("source.npy")
    column.write_bytes(b"nothing")
    assert touches_by_source(workspace=workspace) is None
    active = store.active_imports(workspace=workspace)[Dataset.TOUCHPOINTS]
    store.prepare(workspace=workspace, table=store.TOUCHES, imports=active)
