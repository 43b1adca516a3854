"""From a workspace's rows to frames, versions and journeys."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import Workspace
from marketing import selectors, store
from marketing.channels import merge_channels, rename_channel
from marketing.data_versions import data_version, data_versions
from marketing.importing.dimensions import ensure_channels
from marketing.models import Campaign, Channel, Conversion, Dataset, DatasetVersion, Import, Touchpoint, TrafficSource
from marketing.sources import source_lookup
from tests.factories import WorkspaceFactory
from tests.marketing.batches import (
    NOON,
    add_customer,
    add_goal,
    add_import,
    add_source,
    conversion_import,
    touch_import,
)
from tests.marketing.snapshot_world import microseconds

DAY = dt.timedelta(days=1)
TOUCHES_AND_CONVERSIONS = [Dataset.TOUCHPOINTS, Dataset.CONVERSIONS]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _media(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path)


def set_digest(workspace: Workspace, dataset: Dataset, digest: str) -> None:
    DatasetVersion.objects.update_or_create(workspace=workspace, dataset=dataset, defaults={"digest": digest * 32})


def version(workspace: Workspace, *datasets: Dataset) -> str:
    return data_version(workspace=workspace, datasets=datasets or TOUCHES_AND_CONVERSIONS)


def test_data_version_follows_the_datasets_concerned_only(workspace: Workspace) -> None:
    before = version(workspace)
    set_digest(workspace, Dataset.SPEND, "a")
    assert version(workspace) == before
    set_digest(workspace, Dataset.TOUCHPOINTS, "a")
    assert version(workspace) != before
    set_digest(workspace, Dataset.TOUCHPOINTS, "0")
    assert version(workspace) == before


def test_data_version_tells_datasets_apart(workspace: Workspace) -> None:
    set_digest(workspace, Dataset.TOUCHPOINTS, "a")
    one = version(workspace)
    set_digest(workspace, Dataset.TOUCHPOINTS, "0")
    set_digest(workspace, Dataset.CONVERSIONS, "a")

    assert version(workspace) != one


def test_data_version_does_not_depend_on_the_order_of_datasets(workspace: Workspace) -> None:
    set_digest(workspace, Dataset.TOUCHPOINTS, "a")

    forwards = version(workspace, Dataset.TOUCHPOINTS, Dataset.CONVERSIONS)

    assert version(workspace, Dataset.CONVERSIONS, Dataset.TOUCHPOINTS, Dataset.CONVERSIONS) == forwards


def test_data_version_follows_the_channel_grouping(workspace: Workspace) -> None:
    before = version(workspace)
    workspace.channel_grouping = Workspace.Grouping.GRANULAR

    assert version(workspace) != before


def test_data_version_follows_the_time_zone_whose_days_are_asked_for(workspace: Workspace) -> None:
    before = version(workspace)
    workspace.timezone = "Pacific/Auckland"
    assert version(workspace) != before


def test_data_version_ignores_other_workspaces(workspace: Workspace) -> None:
    before = version(workspace)
    set_digest(WorkspaceFactory.create(), Dataset.TOUCHPOINTS, "a")

    assert version(workspace) == before


def test_explicit_channel_of_a_source_wins_and_others_are_grouped(workspace: Workspace) -> None:
    email = Channel.objects.create(workspace=workspace, name="email", colour_slot=1)
    search = Channel.objects.create(workspace=workspace, name="My search", colour_slot=0)
    spring = Campaign.objects.create(workspace=workspace, name="Spring")
    sources = TrafficSource.objects.bulk_create(
        [
            TrafficSource(workspace=workspace, channel=search, source="google", medium="cpc", campaign=spring),
            TrafficSource(workspace=workspace, source="google", medium="cpc"),
            TrafficSource(workspace=workspace, source="crm", medium="email", campaign=spring),
            TrafficSource(workspace=workspace, channel=email),
            TrafficSource(workspace=workspace),
        ]
    )

    lookup = source_lookup(workspace=workspace)

    ids = [source.pk for source in sources]
    named = [lookup.channels[channel] for channel in lookup.channel[ids]]
    assert named == ["My search", "Paid Search", "email", "email", "Direct"]
    assert lookup.channels[:2] == ("My search", "email")
    assert [lookup.campaigns[campaign] for campaign in lookup.campaign[ids]] == [
        "Spring",
        "(not set)",
        "Spring",
        "(not set)",
        "(not set)",
    ]


def test_direct_is_known_however_it_is_written_and_wherever_it_comes_from(workspace: Workspace) -> None:
    for slot, name in enumerate(["Email", "DIRECT"]):
        Channel.objects.create(workspace=workspace, name=name, colour_slot=slot)
    direct = TrafficSource.objects.create(workspace=workspace)
    other = TrafficSource.objects.create(workspace=workspace, source="crm", medium="email")

    is_direct = source_lookup(workspace=workspace).direct_source()

    assert (is_direct[direct.pk], is_direct[other.pk]) == (True, False)


def test_sources_of_other_workspaces_are_not_named(workspace: Workspace) -> None:
    elsewhere = WorkspaceFactory.create()
    Channel.objects.create(workspace=elsewhere, name="Secret", colour_slot=0)
    Campaign.objects.create(workspace=elsewhere, name="Secret")
    add_source(elsewhere)
    add_source(workspace)

    lookup = source_lookup(workspace=workspace)

    assert "Secret" not in lookup.channels + lookup.campaigns


def test_workspace_without_sources_has_an_empty_lookup(workspace: Workspace) -> None:
    lookup = source_lookup(workspace=workspace)

    assert len(lookup.channel) == 0
    assert lookup.campaigns == ("(not set)",)


def test_granular_traffic_is_its_own_channel(workspace: Workspace) -> None:
    workspace.channel_grouping = Workspace.Grouping.GRANULAR
    brand = Campaign.objects.create(workspace=workspace, name="Brand")
    ads = TrafficSource.objects.create(workspace=workspace, source="Google", medium="cpc", campaign=brand)
    typed = TrafficSource.objects.create(workspace=workspace, source="(direct)", medium="(none)")

    lookup = source_lookup(workspace=workspace)

    assert [lookup.channels[lookup.channel[source.pk]] for source in (ads, typed)] == ["google / cpc / brand", "Direct"]
    assert lookup.direct_source()[[ads.pk, typed.pk]].tolist() == [False, True]


def test_of_too_many_groups_the_rarest_are_one_whatever_channels_there_are_already(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("marketing.sources.MOST_GROUPS", 2)
    workspace.channel_grouping = Workspace.Grouping.GRANULAR
    batch = add_import(workspace, Dataset.TOUCHPOINTS)
    touches = {"rare": 1, "often": 3, "seldom": 2, "as rare": 1}
    sources = {name: add_source(workspace, name) for name in touches}
    add_customer(workspace, 1)
    for name, count in touches.items():
        Touchpoint.objects.bulk_create(
            Touchpoint(batch=batch, customer_id=1, occurred_at=NOON, traffic_source=sources[name]) for _ in range(count)
        )

    def named() -> dict[str, str]:
        lookup = source_lookup(workspace=workspace)
        return {name: str(lookup.channels[lookup.channel[source.pk]]) for name, source in sources.items()}

    first = named()
    assert first == {
        "rare": "Other",
        "often": "often / (not set) / (not set)",
        "seldom": "seldom / (not set) / (not set)",
        "as rare": "Other",
    }
    ensure_channels(workspace=workspace, names=list(dict.fromkeys(first.values())))
    assert named() == first
    touched = selectors.load_touches(workspace=workspace)
    lookup = source_lookup(workspace=workspace, touches=touched)
    assert {str(lookup.channels[place]) for place in lookup.channel[touched.source]} == set(first.values())


def test_another_grouping_can_be_looked_up_than_the_workspaces_own(workspace: Workspace) -> None:
    source = add_source(workspace)
    lookup = source_lookup(workspace=workspace, grouping=lambda source, _medium, _campaign: source.upper())
    assert lookup.channels[lookup.channel[source.pk]] == "NEWSLETTER"


def test_groups_that_differ_in_case_only_are_one(workspace: Workspace) -> None:
    sources = [add_source(workspace, name) for name in ("Letter", "LETTER")]
    lookup = source_lookup(workspace=workspace, grouping=lambda source, _medium, _campaign: source)
    assert lookup.channels == ("Letter",)
    assert lookup.channel[[source.pk for source in sources]].tolist() == [0, 0]


def test_data_versions_take_as_many_queries_for_many_workspaces_and_decisions(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    workspaces = [WorkspaceFactory.create(channel_grouping="custom") for _ in range(5)]
    for workspace in workspaces:
        one, two, three = ensure_channels(workspace=workspace, names=["One", "Two", "Three"])
        merge_channels(source=one, target=two, by=None)
        rename_channel(channel=three, name="Drei", by=None)
    with django_assert_num_queries(3):
        versions = data_versions(workspaces=workspaces, datasets=TOUCHES_AND_CONVERSIONS)
    assert len(set(versions.values())) == 5, "their channels are not each other's"
    assert versions[workspaces[0].pk] == version(workspaces[0])


def test_a_channel_that_only_comes_into_being_is_no_other_version(workspace: Workspace) -> None:
    before = version(workspace)
    ensure_channels(workspace=workspace, names=["One", "Two"])
    assert version(workspace) == before


def test_source_lookup_takes_as_many_queries_for_many_sources(
    workspace: Workspace, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(30):
        add_source(workspace, f"source {number}")

    with django_assert_num_queries(4):
        source_lookup(workspace=workspace)


def test_frames_hold_the_rows_in_order(workspace: Workspace) -> None:
    touch_import(workspace, [(2, NOON), (1, NOON), (1, NOON - DAY)])
    conversion_import(workspace, [(2, NOON, "5"), (1, NOON + DAY, "7.25"), (2, NOON - DAY, "1")])

    touches = selectors.load_touches(workspace=workspace)
    conversions = selectors.load_conversions(workspace=workspace)

    noon, day = microseconds(NOON), 86_400_000_000
    assert touches.customer_ids.tolist() == [1, 2]
    assert touches.touched_at.tolist() == [noon - day, noon, noon]
    assert touches.interaction.tolist() == [2, 1, 0]
    assert set(touches.source.tolist()) == {add_source(workspace).pk}
    assert conversions.customer_ids.tolist() == [1, 2, 2]
    assert conversions.converted_at.tolist() == [noon + day, noon - day, noon]
    assert conversions.value.tolist() == [7.25, 1, 5]
    assert set(conversions.goal.tolist()) == {add_goal(workspace).pk}
    assert conversions.converted.all()


def test_workspace_without_data_has_no_journeys(workspace: Workspace) -> None:
    data = selectors.load_journeys(
        workspace=workspace, goal=add_goal(workspace), start=NOON.date(), end=NOON.date(), window_days=30
    )

    assert len(data.journeys) == 0


def test_journeys_are_those_of_local_days(workspace: Workspace) -> None:
    """29 March 2026 in Berlin lasts from 23:00 UTC of the 28th to 22:00 UTC of the 29th: 23 hours."""
    workspace.timezone = "Europe/Berlin"
    first, last = dt.datetime(2026, 3, 28, 23, tzinfo=dt.UTC), dt.datetime(2026, 3, 29, 22, tzinfo=dt.UTC)
    just_before = dt.timedelta(microseconds=1)
    touch_import(workspace, [(1, NOON)])
    conversion_import(
        workspace, [(1, first - just_before, "1"), (1, first, "2"), (1, last - just_before, "4"), (1, last, "8")]
    )

    data = selectors.load_journeys(
        workspace=workspace,
        goal=add_goal(workspace),
        start=dt.date(2026, 3, 29),
        end=dt.date(2026, 3, 29),
        window_days=30,
    )

    assert data.journeys.value.tolist() == [2, 4]


def test_lookback_window_is_inclusive_at_both_ends(workspace: Workspace) -> None:
    second = dt.timedelta(seconds=1)
    times = [NOON - 7 * DAY - second, NOON - 7 * DAY, NOON, NOON + second]
    touch_import(workspace, [(1, at) for at in times])
    conversion_import(workspace, [(1, NOON, "1")])

    journeys = selectors.load_journeys(
        workspace=workspace, goal=add_goal(workspace), start=NOON.date(), end=NOON.date(), window_days=7
    ).journeys

    path = journeys.touches.touched_at[journeys.start[0] : journeys.stop[0]]
    assert path.tolist() == [microseconds(NOON - 7 * DAY), microseconds(NOON)]


def test_outcomes_that_did_not_convert_anchor_null_paths_if_these_are_wanted(workspace: Workspace) -> None:
    touch_import(workspace, [(1, NOON)])
    batch = add_import(workspace, Dataset.CONVERSIONS)
    add_customer(workspace, 1)
    Conversion.objects.create(
        batch=batch,
        customer_id=1,
        occurred_at=NOON + DAY,
        goal=add_goal(workspace),
        value=Decimal(0),
        converted=False,
    )

    def anchors(*, null_paths: bool) -> list[int]:
        data = selectors.load_journeys(
            workspace=workspace,
            goal=add_goal(workspace),
            start=NOON.date(),
            end=NOON.date() + DAY,
            window_days=30,
            null_paths=null_paths,
        )
        return [int(at) for at in data.journeys.anchor_at]

    assert anchors(null_paths=True) == [microseconds(NOON + DAY)]
    assert anchors(null_paths=False) == []


def test_journeys_are_loaded_again_if_an_import_is_undone_meanwhile(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    undone = touch_import(workspace, [(1, NOON), (2, NOON)])
    touch_import(workspace, [(1, NOON - DAY)])
    active_imports = store.active_imports

    def undo_after_reading(*, workspace: Workspace) -> dict[Dataset, store.Imports]:
        active = active_imports(workspace=workspace)
        Import.objects.filter(pk=undone.pk).update(status=Import.Status.UNDONE)
        return active

    monkeypatch.setattr(store, "active_imports", undo_after_reading)

    data = selectors.load_journeys(
        workspace=workspace, goal=add_goal(workspace), start=NOON.date(), end=NOON.date(), window_days=30
    )

    assert data.journeys.touches.touched_at.tolist() == [microseconds(NOON - DAY)]


def test_progress_of_building_both_snapshots_never_falls(workspace: Workspace) -> None:
    touch_import(workspace, [(1, NOON)])
    conversion_import(workspace, [(1, NOON, "1")])
    seen: list[float] = []

    selectors.load_journeys(
        workspace=workspace,
        goal=add_goal(workspace),
        start=NOON.date(),
        end=NOON.date(),
        window_days=30,
        on_progress=seen.append,
    )

    assert seen == sorted(seen)
    assert 0 <= seen[0] < seen[-1] <= 1


def test_data_ends_with_the_last_day_of_an_active_import(workspace: Workspace) -> None:
    days = {Import.Status.ACTIVE: dt.date(2026, 3, 1), Import.Status.UNDONE: dt.date(2026, 5, 1)}
    for status, day in days.items():
        batch = add_import(workspace, Dataset.TOUCHPOINTS, status=status)
        Import.objects.filter(pk=batch.pk).update(last_day=day)
    spend = add_import(workspace, Dataset.SPEND)
    Import.objects.filter(pk=spend.pk).update(last_day=dt.date(2026, 6, 1))

    assert selectors.data_ends(workspace=workspace, datasets=TOUCHES_AND_CONVERSIONS) == dt.date(2026, 3, 1)


def test_workspace_without_imports_has_no_end_of_data(workspace: Workspace) -> None:
    assert selectors.data_ends(workspace=workspace, datasets=TOUCHES_AND_CONVERSIONS) is None
