"""What is gathered from the database is what the imported frames say."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from accounts.models import Workspace
from marketing import store
from marketing.channel_index import channel_index
from marketing.channels import change_grouping, merge_channels
from marketing.health import gathering
from marketing.health.checks import Observations, Status, examine
from marketing.health.gathering import gather
from marketing.models import Channel, Dataset, Goal, Outcome
from tests.marketing.health.conftest import DAYS
from tests.marketing.health.loading import import_lines
from tests.marketing.health.worlds import YESTERDAY, observe, world_with

FAULTS = ("spend_gap", "repeated_touches", "paid_without_medium", "channel_misspelt", "late_clock")


def described(seen: Observations) -> dict[str, object]:
    """What was observed, by name instead of by position."""
    channels = [channel.name for channel in seen.channels]
    touches = zip(seen.touches.source.tolist(), seen.touches.day.tolist(), seen.touches.count.tolist(), strict=True)
    spend = zip(
        [channels[channel] for channel in seen.spend.channel],
        seen.spend.day.tolist(),
        seen.spend.spend.round(4).tolist(),
        seen.spend.impressions.tolist(),
        seen.spend.clicks.tolist(),
        strict=True,
    )
    conversions = zip(
        seen.conversions.day.tolist(),
        [seen.goals[goal].name for goal in seen.conversions.goal],
        seen.conversions.value.round(4).tolist(),
        seen.conversions.touches.tolist(),
        strict=True,
    )
    known = {place for place, channel in enumerate(channels) if seen.clock.before[place] + seen.clock.after[place]}
    return {
        "axis": (seen.first_day, seen.yesterday, seen.window_days, seen.currency),
        "types": {
            channel.name: channel.type
            for place, channel in enumerate(seen.channels)
            if place in {*seen.touched_channels, *seen.spent_channels}
        },
        "touches": sorted(
            (
                channels[seen.sources[source].channel],
                seen.sources[source].named,
                seen.sources[source].source,
                seen.sources[source].medium,
                seen.sources[source].campaign,
                day,
                count,
            )
            for source, day, count in touches
        ),
        "conversions": sorted(conversions),
        "clock": {channels[place]: (seen.clock.before[place], seen.clock.after[place]) for place in sorted(known)},
        "spend": sorted(spend),
        "booked": {campaign: channels[channel] for campaign, channel in seen.booked.items()},
        "series": [
            (series.name, series.day.tolist(), series.value.round(6).tolist())
            for series in sorted([*seen.outcomes, *seen.controls], key=lambda series: series.name)
        ],
        "repeated": [(one.dataset, one.duplicates, one.counted, one.first_day, one.last_day) for one in seen.imports],
    }


def test_what_was_imported_is_seen_as_the_files_say_it(load: Callable[..., Workspace]) -> None:
    shop = load(*FAULTS)
    world, _ = world_with(*FAULTS, days=DAYS)
    seen = gather(workspace=shop)
    assert seen is not None
    wanted = described(observe(world))
    found = described(seen)
    assert found.keys() == wanted.keys()
    for what, value in found.items():
        assert value == wanted[what], what


def test_the_faults_are_found_in_the_database(load: Callable[..., Workspace]) -> None:
    seen = gather(workspace=load("spend_gap", "repeated_touches", "source_variants"))
    assert seen is not None
    found = {(finding.code, finding.channel) for finding in examine(seen).findings}
    assert found >= {("missing_days", "Paid Social"), ("repeated_rows", ""), ("source_spellings", "Paid Social")}


def test_a_merged_channel_counts_for_the_other(load: Callable[..., Workspace]) -> None:
    shop = load("channel_misspelt")
    misspelt, right = (Channel.objects.get(workspace=shop, name=name) for name in ("Affilates", "Affiliates"))
    merge_channels(source=misspelt, target=right, by=None)
    seen = gather(workspace=shop)
    assert seen is not None
    assert "Affilates" not in {channel.name for channel in seen.channels}
    assert "channel_misspelt" not in {finding.code for finding in examine(seen).findings}


def test_today_is_not_over_and_is_left_out(load: Callable[..., Workspace], morning: object) -> None:
    shop = load()
    morning.move_to(dt.datetime.combine(YESTERDAY, dt.time(12), tzinfo=dt.UTC))  # type: ignore[attr-defined]
    seen = gather(workspace=shop)
    assert seen is not None
    before = (YESTERDAY - dt.timedelta(1) - dt.date(1970, 1, 1)).days
    assert seen.yesterday == before
    for days in (seen.touches.day, seen.conversions.day, seen.spend.day, seen.outcomes[0].day):
        assert days.max() == before


def test_sales_and_money_are_those_of_the_settings(load: Callable[..., Workspace]) -> None:
    shop = load("outcome_in_cents")
    Outcome.objects.filter(workspace=shop, name="Sales").update(is_money=True)
    seen = gather(workspace=shop)
    assert seen is not None
    assert "amounts_disagree" in {finding.code for finding in examine(seen).findings}
    Goal.objects.filter(workspace=shop).update(kind=Goal.Kind.OTHER)
    seen = gather(workspace=shop)
    assert seen is not None
    assert not any(goal.is_sale for goal in seen.goals)
    assert not np.any(seen.clock.before)


def test_without_any_row_there_is_nothing_to_look_at(shop: Workspace) -> None:
    assert gather(workspace=shop) is None


@pytest.mark.parametrize("dataset", ["touchpoints", "conversions", "spend", "outcomes"])
def test_one_dataset_alone_can_be_looked_at(dataset: str, shop: Workspace, tmp_path: Path) -> None:
    lines = {
        "touchpoints": ["customer,occurred_at,channel", "ann,2026-11-20T10:00Z,Email"],
        "conversions": ["customer,occurred_at,value", "ann,2026-11-20T10:00Z,20"],
        "spend": ["date,channel,spend", "2026-11-20,Email,20"],
        "outcomes": ["date,outcome,value", "2026-11-20,Sales,20"],
    }[dataset]
    import_lines(shop, Dataset(dataset), lines, tmp_path)
    seen = gather(workspace=shop)
    assert seen is not None
    examined = examine(seen)
    assert not examined.coverage[dataset].is_empty
    assert all(readiness.needs for readiness in examined.readiness)


def test_data_of_years_ago_is_looked_at_and_called_late(shop: Workspace, tmp_path: Path) -> None:
    days = [dt.date(2015, 11, 23) + dt.timedelta(weeks=week) for week in range(208)]
    lines = ["date,spend:tv,spend:search,outcome:revenue"]
    lines += [f"{day},{100 + 7 * (place % 9)},{50 + 3 * (place % 5)},{2000 + place}" for place, day in enumerate(days)]
    import_lines(shop, Dataset.MEDIA_TABLE, lines, tmp_path)
    seen = gather(workspace=shop)
    assert seen is not None
    examined = examine(seen)
    assert {finding.code for finding in examined.findings} == {"late_data"}
    (media_mix,) = (readiness for readiness in examined.readiness if readiness.code == "media_mix")
    assert media_mix.status == Status.LIMITED
    assert "Spend and outcomes of 208 weeks." in [need.sentence for need in media_mix.needs]


def test_a_channel_of_the_grouping_is_of_the_type_that_it_will_have(shop: Workspace, tmp_path: Path) -> None:
    lines = ["customer,occurred_at,source,medium"]
    lines += ["ann,2026-11-20T10:00Z,spring,newsletter", "ann,2026-11-21T10:00Z,partner,link"]
    import_lines(shop, Dataset.TOUCHPOINTS, lines, tmp_path)

    def types() -> dict[str, str]:
        shop.refresh_from_db()
        seen = gather(workspace=shop)
        assert seen is not None
        return {seen.channel_name(place): seen.channels[place].type for place in seen.touched_channels}

    assert types() == {"Unassigned": "organic", "Referral": "organic"}
    change_grouping(workspace=shop, grouping="granular", by=None)
    assert types() == {"spring / newsletter / (not set)": "owned", "partner / link / (not set)": "paid"}
    condition = {"field": "source", "operator": "is", "value": "partner"}
    rule = {"channel": "Partners", "type": "organic", "conditions": [condition]}
    change_grouping(workspace=shop, grouping="custom", rules=[rule], by=None)
    assert types() == {"Unassigned": "organic", "Partners": "organic"}


def test_files_that_overlap_hold_few_rows_that_count(shop: Workspace, tmp_path: Path) -> None:
    def lines(first: int, last: int) -> list[str]:
        moments = (f"2026-11-{day}T{hour}:00Z" for day in range(first, last + 1) for hour in range(10, 20))
        return ["customer,occurred_at,channel", *(f"ann,{moment},Email" for moment in moments)]

    import_lines(shop, Dataset.TOUCHPOINTS, lines(10, 16), tmp_path)
    import_lines(shop, Dataset.TOUCHPOINTS, lines(11, 17), tmp_path)
    twice = lines(20, 23)
    import_lines(shop, Dataset.TOUCHPOINTS, [*twice, *twice[1:]], tmp_path)
    seen = gather(workspace=shop)
    assert seen is not None
    found = [(one.duplicates, one.counted, one.last_day - one.first_day) for one in seen.imports]
    assert sorted(found) == [(40, 40, 3), (60, 0, 5)]
    kinds = {finding.code: finding.count for finding in examine(seen).findings}
    assert kinds["repeated_rows"] == 40
    assert kinds["overlapping_imports"] == 60


def test_events_are_seen_by_their_local_days(shop: Workspace, tmp_path: Path) -> None:
    import_lines(shop, Dataset.SPEND, ["date,channel,spend", "2026-11-20,Email,20"], tmp_path)
    import_lines(shop, Dataset.EVENTS, ["name,start,end", "Sales week,2026-11-01,2026-11-07"], tmp_path)
    seen = gather(workspace=shop)
    assert seen is not None
    first = (dt.date(2026, 11, 1) - dt.date(1970, 1, 1)).days
    assert [(event.name, event.first_day, event.last_day) for event in seen.events] == [
        ("Sales week", first, first + 6)
    ]


def test_spend_of_a_channel_that_is_new_since_the_look_began_is_for_the_next_look(
    shop: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = channel_index(workspace=shop)
    import_lines(shop, Dataset.SPEND, ["date,channel,spend", "2026-11-20,Cinema,20"], tmp_path)
    monkeypatch.setattr(gathering, "channel_index", lambda **_options: before)
    with pytest.raises(store.DataChanged):
        gather(workspace=shop)
