"""What happens in every business is no fault of its data: pauses, campaigns that end, sales days, short histories."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from marketing.demo import DemoWorld
from marketing.health.checks import Examination, Severity, Status, examine
from marketing.health.checks.observations import EventSeen, ImportSeen
from marketing.periods import day_number
from tests.marketing.health.small import FIRST_DAY, small
from tests.marketing.health.worlds import YESTERDAY, clean_world, observe

NOTHING = np.nan


def grave(examination: Examination) -> list[str]:
    return [finding.sentence for finding in examination.findings if finding.severity != Severity.NOTE]


def days_ago(days: int) -> pd.Timestamp:
    return pd.Timestamp(YESTERDAY - dt.timedelta(days=days))


def local_days(moments: "pd.Series[pd.Timestamp]") -> "pd.Series[pd.Timestamp]":
    return moments.dt.tz_localize(None).dt.normalize()


def newest(world: DemoWorld, days: int) -> DemoWorld:
    """The world's last days, as of somebody who has just begun to collect data."""
    first = days_ago(days - 1)
    tables = {name: getattr(world, name) for name in ("spend", "outcomes", "controls")}
    kept = {name: table[table["date"] >= first] for name, table in tables.items()}
    for name in ("touchpoints", "conversions"):
        table = getattr(world, name)
        kept[name] = table[local_days(table["occurred_at"]) >= first]
    return replace(world, **kept)


def paused(world: DemoWorld, channel: str, *, first: int, last: int) -> DemoWorld:
    """Without any row of the channel's spend, or any touch, from so many days ago to so many days ago."""
    off = (world.spend["channel"] == channel) & world.spend["date"].between(days_ago(first), days_ago(last))
    touched = local_days(world.touchpoints["occurred_at"]).between(days_ago(first), days_ago(last))
    gone = (world.touchpoints["channel"] == channel) & touched
    return replace(world, spend=world.spend[~off], touchpoints=world.touchpoints[~gone])


def with_sales_day(world: DemoWorld, *, times: int) -> DemoWorld:
    """A day, a month ago, on which there is so many times as much of everything but spend."""
    day = days_ago(30)
    tables = {}
    for name in ("touchpoints", "conversions"):
        table = getattr(world, name)
        more = table[local_days(table["occurred_at"]) == day]
        copies = [more.assign(customer=more["customer"] + f"-{copy}") for copy in range(1, times)]
        tables[name] = pd.concat([table, *copies], ignore_index=True)
    on_the_day = world.outcomes["date"] == day
    value = world.outcomes["value"]
    return replace(world, outcomes=world.outcomes.assign(value=value.where(~on_the_day, value * times)), **tables)


@pytest.mark.parametrize("days", [1, 2, 14, 30, 60])
def test_a_short_history_has_nothing_wrong_with_it(days: int) -> None:
    examination = examine(observe(newest(clean_world(7), days)))
    assert grave(examination) == []
    by_code = {readiness.code: readiness.status for readiness in examination.readiness}
    assert by_code["media_mix"] == by_code["forecast"] == Status.BLOCKED


@pytest.mark.parametrize("channel", ["Paid Search", "Paid Social", "Display"])
@pytest.mark.parametrize(("first", "last"), [(40, 34), (60, 46), (20, 0), (80, 0)])
def test_a_channel_that_is_paused_or_switched_off_lacks_nothing(channel: str, first: int, last: int) -> None:
    examination = examine(observe(paused(clean_world(7), channel, first=first, last=last)))
    assert grave(examination) == []
    assert {readiness.status for readiness in examination.readiness} == {Status.READY}


def test_days_on_which_all_touches_failed_say_nothing_about_a_pause() -> None:
    world = paused(clean_world(7), "Paid Social", first=40, last=36)
    touched = local_days(world.touchpoints["occurred_at"])
    outage = replace(world, touchpoints=world.touchpoints[~touched.between(days_ago(40), days_ago(36))])
    found = {(finding.dataset, finding.channel) for finding in examine(observe(outage)).findings}
    assert found == {("touchpoints", ""), ("spend", "Paid Social")}


@pytest.mark.parametrize("times", [3, 5, 8])
def test_a_day_of_many_sales_is_worth_a_note_at_most(times: int) -> None:
    assert grave(examine(observe(with_sales_day(clean_world(7), times=times)))) == []


def test_more_of_one_dataset_alone_is_more_than_a_note() -> None:
    world = with_sales_day(clean_world(7), times=8)
    alone = replace(clean_world(7), outcomes=world.outcomes)
    assert "On 25 Oct 2026, “Website traffic” is 8 times that of the days around." in grave(examine(observe(alone)))


def test_what_happened_on_an_event_is_a_note_that_names_it() -> None:
    day = day_number(days_ago(30).date())
    seen = observe(replace(clean_world(7), outcomes=with_sales_day(clean_world(7), times=8).outcomes))
    examination = examine(replace(seen, events=[EventSeen("Harvest week", day - 1, day)]))
    assert grave(examination) == []
    assert {finding.advice for finding in examination.findings} == {
        "“Harvest week” was on then. If that does not explain it, check the export."
    }
    assert grave(examine(replace(seen, events=[EventSeen("Harvest week", day + 1, day + 5)]))) != []


def test_a_campaign_of_six_weeks_that_is_over_has_not_stopped() -> None:
    steady, campaign = np.full(200, 100.0), np.full(200, NOTHING)
    spend, types = {"Print": steady, "Radio": campaign}, dict.fromkeys(("Print", "Radio"), "offline")
    campaign[140:182] = 80.0
    assert examine(small(200, types=types, spend=spend)).findings == []
    campaign[100:182] = 80.0
    (finding,) = examine(small(200, types=types, spend=spend)).findings
    assert (finding.code, finding.channel, finding.count) == ("series_stopped", "Radio", 18)


def test_a_channel_without_clicks_that_stopped_does_not_block_the_media_mix() -> None:
    steady, stopped, sales = np.full(735, 100.0), np.full(735, 80.0), np.full(735, 900.0)
    stopped[-85:] = NOTHING
    types = dict.fromkeys(("Print", "Radio"), "offline")
    seen = small(735, types=types, spend={"Print": steady, "Radio": stopped}, outcomes={"Sales": sales})
    (media_mix,) = (one for one in examine(seen).readiness if one.code == "media_mix")
    assert media_mix.status == Status.LIMITED
    assert "13 of 105 weeks lack days: Radio, 16 Jul – 8 Oct 2026." in [need.sentence for need in media_mix.needs]


@pytest.mark.parametrize(("behind", "severity"), [(9, None), (10, "warning"), (27, "warning"), (28, "problem")])
def test_weekly_rows_are_late_some_days_after_their_next_week(behind: int, severity: str | None) -> None:
    days = 7 * 60 + behind
    spend = np.full(days, NOTHING)
    spend[: 7 * 60 : 7] = 700.0
    found = [str(one.severity) for one in examine(small(days, types={"TV": "offline"}, spend={"TV": spend})).findings]
    assert found == ([severity] if severity else [])


@pytest.mark.parametrize(("behind", "severity"), [(60, None), (66, None), (67, "warning"), (127, "problem")])
def test_rare_rows_are_late_by_how_far_apart_they_are(behind: int, severity: str | None) -> None:
    days = 30 * 12 + behind + 1
    survey = np.full(days, NOTHING)
    survey[0 : 30 * 12 + 1 : 30] = 41.0
    found = [str(one.severity) for one in examine(small(days, outcomes={"Awareness": survey})).findings]
    assert found == ([severity] if severity else [])


def test_a_channel_that_runs_once_a_week_is_not_reported_by_week() -> None:
    daily, once = np.full(210, 100.0), np.full(210, NOTHING)
    once[::7] = 300.0
    spend = {"Search": daily, "Newsletter ads": once}
    clicks = np.zeros(210, np.int64)
    clicks[::7], clicks[1::7] = 80, 20
    every_day = np.full(210, 40)
    seen = small(210, spend=spend, touches={"Search": every_day, "Newsletter ads": clicks})
    assert examine(seen).findings == []
    seen = small(210, spend=spend, touches={"Search": every_day, "Newsletter ads": every_day})
    assert [(one.code, one.channel) for one in examine(seen).findings] == [("mixed_rhythm", "Newsletter ads")]


def test_old_links_of_a_channel_that_was_switched_off_need_no_spend() -> None:
    search, social = np.full(300, 100.0), np.full(300, NOTHING)
    social[:200] = 100.0
    clicks = np.full(300, 50)

    def told() -> list[tuple[str, int]]:
        touches = {"Search": np.full(300, 50), "Social": clicks}
        found = examine(small(300, spend={"Search": search, "Social": social}, touches=touches)).findings
        return [(finding.channel, finding.count) for finding in found if finding.code == "touches_without_spend"]

    clicks[200:] = 1
    assert told() == []
    clicks[200:] = 10
    assert told() == [("Social", 900)]


@pytest.mark.parametrize(("channels", "findings"), [(10, 10), (11, 1)])
def test_the_many_channels_of_a_granular_grouping_are_one_finding(channels: int, findings: int) -> None:
    touches = {f"site {place} / cpc": np.full(100, 2) for place in range(channels)}
    found = examine(small(100, spend={"Search": np.full(100, 100.0)}, touches=touches)).findings
    counts = [finding.count for finding in found if finding.code == "touches_without_spend"]
    assert (len(counts), sum(counts)) == (findings, channels * 180)


def test_a_price_that_many_pay_is_no_outlying_order() -> None:
    conversions = np.full(100, 10)
    values = np.full(1000, 10.0)
    values[::20] = 500.0  # a year's subscription among monthly ones
    codes = [finding.code for finding in examine(small(100, conversions=conversions, values=values)).findings]
    assert "outlying_order" not in codes
    values = np.full(1000, 10.0)
    values[[300, 700]] = 500.0
    found = examine(small(100, conversions=conversions, values=values)).findings
    (finding,) = (finding for finding in found if finding.code == "outlying_order")
    assert finding.count == 2
    assert "up to €500, 50 times the usual value and 5% of all that this goal ever brought" in finding.sentence


@pytest.mark.parametrize(("every", "is_found"), [(6, False), (50, True)])
def test_a_rise_of_untouched_conversions_has_to_be_more_than_chance(every: int, is_found: bool) -> None:
    """8 of the last four weeks' 21 have no touch, 38%: of 21 of which a sixth usually has none, that may be chance."""
    counts, untouched = np.full(330, 1), np.zeros(330, np.int64)
    counts[-28:-21] = 0
    untouched[:302:every] = 1
    untouched[-8:] = 1
    seen = small(330, touches={"Search": np.full(330, 30)}, conversions=counts, untouched=untouched)
    assert ("untouched_conversions" in [finding.code for finding in examine(seen).findings]) == is_found


def test_a_late_clock_is_told_only_by_other_channels() -> None:
    touches = {"Search": np.full(60, 10), "Social": np.full(60, 10)}
    alone = small(60, touches={"Search": touches["Search"]}, clock={"Search": (60, 40)})
    assert examine(alone).findings == []
    both = small(60, touches=touches, clock={"Search": (60, 40), "Social": (95, 5)})
    (finding,) = examine(both).findings
    assert (finding.code, finding.channel, finding.count) == ("late_clock", "Search", 40)
    assert "40% of Search’s touches within two days of a sale come after it, 5% of those" in finding.sentence


def test_exports_that_overlap_are_one_note() -> None:
    last = FIRST_DAY + 59
    nightly = [
        ImportSeen(
            "touchpoints", f"day {ago}.csv", duplicates=600, counted=3, first_day=last - ago - 6, last_day=last - ago
        )
        for ago in range(20)
    ]
    seen = small(60, touches={"Search": np.full(60, 100)}, imports=nightly)
    (finding,) = examine(seen).findings
    assert (finding.code, finding.severity, finding.count) == ("overlapping_imports", Severity.NOTE, 12_000)
    assert finding.sentence.startswith("12,000 rows of 20 files about ")
    twice = [ImportSeen("touchpoints", "touches.csv", duplicates=600, counted=600, first_day=last - 6, last_day=last)]
    (finding,) = examine(replace(seen, imports=twice)).findings
    assert (finding.code, finding.severity, finding.count) == ("repeated_rows", Severity.WARNING, 600)
    assert finding.sentence.startswith("600 rows of “touches.csv” were there already: 46% of all rows of ")


def test_rows_of_a_few_are_not_told() -> None:
    few = [ImportSeen("touchpoints", "touches.csv", duplicates=19, counted=19, first_day=FIRST_DAY, last_day=FIRST_DAY)]
    assert examine(small(60, touches={"Search": np.full(60, 100)}, imports=few)).findings == []
