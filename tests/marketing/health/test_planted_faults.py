"""Every fault that is planted into the demo world is found where it is; a world without any has nothing to find."""

import datetime as dt
from dataclasses import replace
from functools import cache

import pandas as pd
import pytest

from marketing.demo import DemoWorld
from marketing.demo.faults import FAULTS, Planted
from marketing.health.checks import Examination, Finding, Severity, Status, examine
from tests.marketing.health.worlds import YESTERDAY, clean_world, observe, world_with

SEEDS = (7, 11, pytest.param(23, marks=pytest.mark.full))
# What a fault is found as.
FOUND_AS = {
    "spend_gap": "missing_days",
    "tracking_outage": "missing_days",
    "stale_conversions": "late_data",
    "missing_outcome_weeks": "missing_days",
    "repeated_touches": "repeated_rows",
    "lost_touches": "untouched_conversions",
    "late_clock": "late_clock",
    "spend_shift": "level_shift",
    "spend_outlier": "outlier",
    "spend_in_cents": "wrong_unit",
    "order_outlier": "outlying_order",
    "missing_campaign": "missing_campaigns",
    "channel_misspelt": "channel_misspelt",
    "source_variants": "source_spellings",
    "paid_without_medium": "ads_without_medium",
    "unassigned_traffic": "unassigned_touches",
    "spend_without_touches": "spend_without_touches",
    "touches_without_spend": "touches_without_spend",
    "weekly_among_daily": "mixed_rhythm",
    "series_stopped": "series_stopped",
    "empty_orders": "sales_without_value",
    "outcome_in_cents": "amounts_disagree",
    "campaign_spellings": "campaign_spellings",
    "young_channel": "left_out_of_media_mix",
    "checkout_outage": "missing_days",
}
# What a fault brings with it besides.
CONSEQUENCES = {
    "stale_conversions": {"touches_after_last_conversion"},
    "lost_touches": {"level_shift"},
    "paid_without_medium": {"unassigned_touches"},  # as no rule of the grouping knows the source
}
# Days that a fault's bounds may be off: local days are not those of UTC, and a share rises over some days.
A_DAY, SOME_DAYS = dt.timedelta(1), dt.timedelta(30)
TOLERANCE = {"lost_touches": SOME_DAYS}


@cache
def examined(*faults: str, seed: int = 7) -> tuple[Examination, list[Planted]]:
    world, planted = world_with(*faults, seed=seed)
    return examine(observe(world)), planted


def found(examination: Examination, fault: str) -> Finding:
    (finding,) = (finding for finding in examination.findings if finding.code == FOUND_AS[fault])
    return finding


@pytest.mark.parametrize("seed", SEEDS)
def test_a_clean_demo_has_nothing_to_find(seed: int) -> None:
    examination = examine(observe(clean_world(seed)))
    assert [finding.sentence for finding in examination.findings if finding.severity != Severity.NOTE] == []
    assert {readiness.code: readiness.status for readiness in examination.readiness} == dict.fromkeys(
        ("attribution", "media_mix", "cross_channel", "forecast"), Status.READY
    )


def test_there_is_a_name_for_every_fault() -> None:
    assert FOUND_AS.keys() == FAULTS.keys()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_where_it_is(fault: str) -> None:
    examination, [planted] = examined(fault)
    finding = found(examination, fault)
    assert (finding.dataset, finding.channel) == (planted.dataset, planted.channel)
    if planted.first_day and planted.last_day:
        assert finding.first_day is not None
        assert finding.last_day is not None
        tolerance = TOLERANCE.get(fault, A_DAY)
        assert abs(finding.first_day - planted.first_day) <= tolerance
        assert abs(finding.last_day - planted.last_day) <= tolerance


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_once_and_alone(fault: str) -> None:
    examination, _ = examined(fault)
    codes = [finding.code for finding in examination.findings]
    assert sorted(codes) == sorted([FOUND_AS[fault], *CONSEQUENCES.get(fault, ())])


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_found_says_what_where_and_what_to_do(fault: str) -> None:
    examination, [planted] = examined(fault)
    finding = found(examination, fault)
    assert planted.channel.removesuffix("s") in finding.sentence or planted.channel == "Unassigned"
    assert finding.sentence.endswith(".")
    assert finding.advice.endswith(".")
    assert finding.count > 0
    for text in (finding.sentence, finding.advice):
        assert text[0].isupper() or text[0].isdigit() or text[0] == "“"
        assert "nan" not in text
        assert "{" not in text


@pytest.mark.parametrize("fault", ["spend_gap", "spend_shift", "spend_outlier", "spend_in_cents"])
@pytest.mark.parametrize("seed", SEEDS[1:])
def test_the_faults_of_spend_are_found_in_other_worlds(fault: str, seed: int) -> None:
    examination, [planted] = examined(fault, seed=seed)
    finding = found(examination, fault)
    assert (finding.channel, finding.first_day, finding.last_day) == (
        planted.channel,
        planted.first_day,
        planted.last_day,
    )


def test_faults_at_once_are_each_found() -> None:
    faults = ("spend_gap", "spend_shift", "spend_in_cents", "channel_misspelt", "source_variants", "order_outlier")
    examination, planted = examined(*faults)
    assert {(FOUND_AS[one.code], one.channel) for one in planted} == {
        (finding.code, finding.channel) for finding in examination.findings
    }


def test_missing_days_of_spend_are_named_by_what_the_media_mix_lacks() -> None:
    examination, _ = examined("spend_gap")
    (media_mix,) = (readiness for readiness in examination.readiness if readiness.code == "media_mix")
    assert media_mix.status == Status.LIMITED
    assert "1 of 104 weeks lacks days: Paid Social, 21–25 Oct 2026." in [need.sentence for need in media_mix.needs]
    others = {readiness.code: readiness.status for readiness in examination.readiness if readiness != media_mix}
    assert set(others.values()) == {Status.READY}


def test_half_a_year_is_too_short_for_the_media_mix_and_says_so() -> None:
    examination = examine(observe(clean_world(7, 180)))
    by_code = {readiness.code: readiness for readiness in examination.readiness}
    assert by_code["media_mix"].status == by_code["forecast"].status == Status.BLOCKED
    assert by_code["attribution"].status == Status.READY
    sentences = [need.sentence for need in by_code["media_mix"].needs]
    assert sentences == ["The media mix needs 52 weeks of spend and of an outcome; you have 25."]
    assert {finding.severity for finding in examination.findings} <= {Severity.NOTE}


def test_many_weeks_with_missing_days_block_the_media_mix() -> None:
    world, _ = world_with()
    first, last = (pd.Timestamp(YESTERDAY - dt.timedelta(days=days)) for days in (280, 200))
    outcomes = world.outcomes[~world.outcomes["date"].between(first, last)]
    examination = examine(observe(replace(world, outcomes=outcomes)))
    (media_mix,) = (readiness for readiness in examination.readiness if readiness.code == "media_mix")
    assert media_mix.status == Status.BLOCKED


def by_week(world: DemoWorld) -> DemoWorld:
    """The same spend and outcomes, in rows that each speak for a week from Monday on."""
    tables = {}
    for name, keys in (("spend", ["channel", "campaign"]), ("outcomes", ["outcome"]), ("controls", ["control"])):
        table = getattr(world, name)
        monday = table["date"] - pd.to_timedelta(table["date"].dt.day_of_week, unit="D")
        sums = table.assign(date=monday).groupby(["date", *keys], as_index=False, dropna=False).sum(numeric_only=True)
        tables[name] = sums[sums["date"] >= table["date"].min()]
    return replace(world, **tables)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_clean_demo_by_week_has_nothing_to_find(seed: int) -> None:
    examination = examine(observe(by_week(clean_world(seed))))
    assert [finding.sentence for finding in examination.findings if finding.severity != Severity.NOTE] == []


@pytest.mark.parametrize(("fault", "channel"), [("spend_shift", "Paid Search"), ("spend_in_cents", "Affiliates")])
def test_a_wrong_amount_of_weekly_rows_is_found(fault: str, channel: str) -> None:
    world = clean_world(7)
    first = pd.Timestamp(YESTERDAY - dt.timedelta(days=200)).normalize()
    first -= pd.Timedelta(first.day_of_week, "D")
    wrong = (world.spend["channel"] == channel) & (world.spend["date"] >= first)
    factor = {"spend_shift": 3, "spend_in_cents": 100}[fault]
    spend = world.spend.assign(spend=world.spend["spend"].where(~wrong, world.spend["spend"] * factor))
    examination = examine(observe(by_week(replace(world, spend=spend))))
    finding = found(examination, fault)
    assert (finding.channel, finding.first_day) == (channel, first.date())
    assert finding.last_day is not None
    assert YESTERDAY - finding.last_day < dt.timedelta(weeks=1)
