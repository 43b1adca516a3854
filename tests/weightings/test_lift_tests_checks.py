"""What is doubtful about a lift test, and what the data hold of its days."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from accounts.models import Workspace
from marketing.channels import merge_channels
from marketing.experiments import VisibleExperiment
from marketing.importing.dimensions import ensure_channels
from marketing.models import ChannelSpend, Dataset, Import, Outcome, OutcomeValue
from marketing.periods import Period
from tests.marketing.batches import add_import
from weightings.lift_tests.checks import doubts
from weightings.lift_tests.entries import LiftTest
from weightings.lift_tests.recorded import Recorded, known_geos, recorded
from weightings.methods.experiments.group_sizes import Group

MAY = Period(dt.date(2026, 5, 4), dt.date(2026, 5, 31))
GOOD = LiftTest(channel="TV", period=MAY, geo="", lift=9000.0, standard_error=2500.0, spend=4000.0)
DATA = Recorded(
    spend=4000.0, outcome="Sales", days=Period(dt.date(2024, 1, 1), dt.date(2026, 6, 28)), amount=100_000.0, tests=()
)


def codes(test: LiftTest = GOOD, found: Recorded = DATA) -> list[str]:
    return [doubt.code for doubt in doubts(test, found, currency="EUR")]


def another_test(period: Period) -> VisibleExperiment:
    return VisibleExperiment(
        pk=1, batch=Import(), channel="TV", period=period, geo="", lift=1.0, standard_error=1.0, spend=1.0
    )


def test_a_plausible_test_leaves_no_doubt() -> None:
    assert codes() == []
    assert codes(replace(GOOD, lift=-800.0)) == []  # less came in: that may be
    assert codes(replace(GOOD, lift=150.0)) == []  # next to nothing, and known to be so
    assert codes(replace(GOOD, groups=(Group(90_000, 1900), Group(10_000, 180)))) == []
    assert codes(replace(GOOD, groups=(Group(10_000, 190), Group(90_000, 1800)))) == []


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"lift": 120_000.0}, ["lift_above_outcome"]),
        ({"lift": -120_000.0}, ["lift_above_outcome"]),
        ({"lift": 500_000.0, "standard_error": 9000.0}, ["lift_above_outcome", "lift_above_spend"]),
        ({"lift": 12.0, "standard_error": 3.0}, ["lift_in_another_unit"]),
        ({"standard_error": 60.0}, ["error_small"]),
        ({"standard_error": 30_000.0}, ["error_large"]),
        ({"middle": 0.8}, ["not_in_the_middle"]),
        ({"spend": 4500.0}, ["spend_above_data"]),
        ({"spend": 150.0}, ["spend_below_data"]),
        ({"period": Period(dt.date(2026, 6, 10), dt.date(2026, 7, 7))}, ["outside_data"]),
        ({"period": Period(dt.date(2023, 12, 1), dt.date(2024, 1, 5))}, ["outside_data"]),
        ({"period": Period(dt.date(2026, 5, 4), dt.date(2026, 5, 6))}, ["short"]),
        ({"period": Period(dt.date(2025, 5, 4), dt.date(2026, 5, 31))}, ["long"]),
        ({"groups": (Group(500_000, 9000), Group(2000, 30))}, ["small_group"]),
        ({"groups": (Group(5000, 4), Group(5000, 3))}, ["few_conversions"]),
        ({"groups": (Group(5000, 400), Group(5000, 100))}, ["rates_apart"]),
        ({"groups": (Group(5000, 0), Group(5000, 100))}, ["rates_apart"]),
    ],
)
def test_each_doubt(changed: dict[str, Any], expected: list[str]) -> None:
    assert codes(replace(GOOD, **changed)) == expected


def test_doubts_say_what_and_what_to_do() -> None:
    first, second = doubts(replace(GOOD, lift=500_000.0, standard_error=9000.0), DATA, currency="EUR")
    assert first.sentence == (
        "The lift, €500\N{NO-BREAK SPACE}k, is more than all of Sales in these days, €100\N{NO-BREAK SPACE}k. Check "
        "that it is in EUR and of these days."
    )
    assert "is 125 times the spend of the test, €4,000. Check" in second.sentence


def test_spend_that_the_data_do_not_have() -> None:
    (doubt,) = doubts(GOOD, replace(DATA, spend=0.0), currency="EUR")
    assert doubt.code == "no_spend"
    assert "counts as a belief about the channel's return" in doubt.sentence


def test_without_an_outcome_in_money_nothing_is_held_against_it() -> None:
    nothing = replace(DATA, outcome="", days=None, amount=0.0)
    assert codes(replace(GOOD, lift=120_000.0), nothing) == []


def test_another_test_of_some_of_these_days() -> None:
    overlapping = another_test(Period(dt.date(2026, 5, 25), dt.date(2026, 6, 21)))
    assert codes(GOOD, replace(DATA, tests=(overlapping,))) == ["overlap"]
    assert codes(GOOD, replace(DATA, tests=(another_test(MAY),))) == []  # the same one: it takes its place
    assert codes(GOOD, replace(DATA, tests=(another_test(Period(dt.date(2026, 6, 1), dt.date(2026, 6, 7))),))) == []


def add_rows(workspace: Workspace, channel: str, rows: list[tuple[str, float]], *, geo: str = "") -> None:
    batch = add_import(workspace, Dataset.SPEND)
    (found,) = ensure_channels(workspace=workspace, names=[channel])
    ChannelSpend.objects.bulk_create(
        ChannelSpend(batch=batch, channel=found, date=day, spend=spend, geo=geo) for day, spend in rows
    )


def mondays(first: dt.date, weeks: int) -> list[str]:
    return [(first + dt.timedelta(7 * week)).isoformat() for week in range(weeks)]


def test_days_of_weekly_rows_are_shares_of_them(workspace: Workspace) -> None:
    weeks = mondays(dt.date(2026, 4, 6), 12)
    add_rows(workspace, "TV", [(day, 700.0) for day in weeks])
    outcome = Outcome.objects.create(workspace=workspace, name="Sales", kind=Outcome.Kind.SALES, is_money=True)
    batch = add_import(workspace, Dataset.OUTCOMES)
    OutcomeValue.objects.bulk_create(
        OutcomeValue(batch=batch, outcome=outcome, date=day, value=14_000.0) for day in weeks
    )
    found = recorded(workspace, channel="TV", period=Period(dt.date(2026, 5, 6), dt.date(2026, 5, 19)), geo="")
    assert found.spend == pytest.approx(1400.0)  # two weeks' days, of three weeks' rows
    assert found.outcome == "Sales"
    assert found.amount == pytest.approx(28_000.0)
    assert found.days == Period(dt.date(2026, 4, 6), dt.date(2026, 6, 28))
    assert recorded(workspace, channel="Radio", period=MAY, geo="").spend == 0


def test_daily_rows_merged_channels_and_rows_that_do_not_count(workspace: Workspace) -> None:
    days = [(dt.date(2026, 5, 1) + dt.timedelta(day)).isoformat() for day in range(31)]
    add_rows(workspace, "TV", [(day, 10.0) for day in days])
    add_rows(workspace, "Addressable TV", [(day, 5.0) for day in days])
    source, target = ensure_channels(workspace=workspace, names=["Addressable TV", "TV"])
    merge_channels(source=source, target=target, by=None)
    add_rows(workspace, "Radio", [(day, 100.0) for day in days])
    ChannelSpend.objects.filter(date="2026-05-31").update(shadowed=True)
    assert recorded(workspace, channel="TV", period=MAY, geo="").spend == pytest.approx(27 * 15.0)


def test_a_geo_counts_for_itself_where_it_is_known(workspace: Workspace) -> None:
    days = [(dt.date(2026, 5, 1) + dt.timedelta(day)).isoformat() for day in range(31)]
    add_rows(workspace, "TV", [(day, 10.0) for day in days], geo="North")
    add_rows(workspace, "TV", [(day, 30.0) for day in days], geo="South")
    assert known_geos(workspace) == ["North", "South"]
    assert recorded(workspace, channel="TV", period=MAY, geo="North").spend == pytest.approx(280.0)
    assert recorded(workspace, channel="TV", period=MAY, geo="").spend == pytest.approx(1120.0)
    assert recorded(workspace, channel="TV", period=MAY, geo="West").spend == pytest.approx(1120.0)


def test_nothing_of_another_workspace_counts(workspace: Workspace, outsider: Any) -> None:
    elsewhere = Workspace.objects.get(slug="elsewhere")
    add_rows(elsewhere, "TV", [(day, 700.0) for day in mondays(dt.date(2026, 4, 6), 12)], geo="North")
    ensure_channels(workspace=workspace, names=["TV"])
    found = recorded(workspace, channel="TV", period=MAY, geo="")
    assert (found.spend, found.outcome, found.tests) == (0.0, "", ())
    assert known_geos(workspace) == []
