"""The report that is kept: how it is made, when it is out of date, and who asks for a new one."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
import time_machine
from pytest_django import DjangoAssertNumQueries

from accounts.models import Workspace
from jobs.actions import submit
from jobs.execution import execute
from jobs.handlers import JobFailed
from jobs.models import Job
from marketing import store
from marketing.channels import change_grouping, merge_channels, set_channel_type
from marketing.data_versions import data_version
from marketing.health import keeping, reports
from marketing.health.checks import Severity
from marketing.health.keeping import LONGEST_WAIT_FOR_IMPORTS, PAUSE_AFTER_FAILURE, keep_reports_current
from marketing.health.report import Report
from marketing.health.reports import JOB_KIND, LOOKED_AT, kept_report, present_report, versions
from marketing.importing.dimensions import create_channel, ensure_channels
from marketing.importing.undo import undo_imports
from marketing.models import Channel, Dataset, Goal, HealthReport, Import, Outcome
from tests.factories import WorkspaceFactory
from tests.marketing.batches import NOON, add_import, touch_import
from tests.marketing.health.loading import import_lines

Load: TypeAlias = Callable[..., Workspace]
Look: TypeAlias = Callable[[], Job]


def asked_for(workspace: Workspace) -> list[str]:
    jobs = Job.objects.filter(workspace=workspace, kind=JOB_KIND).order_by("pk")
    return [str(status) for status in jobs.values_list("status", flat=True)]


def is_outdated(workspace: Workspace) -> bool:
    kept = kept_report(workspace=workspace)
    assert kept is not None
    return kept.is_outdated


def test_a_report_reads_back_as_it_was_written(load: Load, look: Look) -> None:
    shop = load("spend_gap", "spend_in_cents", "young_channel", "weekly_among_daily")
    assert look().status == Job.Status.DONE
    made = reports.make_report(workspace=shop)
    kept = kept_report(workspace=shop)
    assert made is not None
    assert kept is not None
    assert kept.report == made
    assert {finding.severity for finding in made.findings} >= {Severity.PROBLEM, Severity.WARNING}
    assert {letter for series in made.series for letter in series.states} >= {"o", "m", "n"}


def test_the_days_of_the_report_are_those_of_its_series(load: Load) -> None:
    made = reports.make_report(workspace=load("spend_gap", "tracking_outage"))
    assert made is not None
    days = (made.last_day - made.first_day).days + 1
    assert {len(series.states) for series in made.series} == {days}
    (social,) = (one for one in made.series if (one.dataset, one.name) == ("spend", "Paid Social"))
    first = (dt.date(2026, 10, 21) - made.first_day).days
    assert social.states[first - 1 : first + 6] == "ommmmmo"
    outage = (dt.date(2026, 10, 14) - made.first_day).days
    assert {one.states[outage] for one in made.series if one.dataset == "touchpoints"} == {"m"}
    (spend,) = (one for one in made.datasets if one.dataset == "spend")
    assert (spend.cadence, spend.missing) == ("daily", 5)


def test_a_report_of_another_format_is_none(shop: Workspace) -> None:
    assert Report.from_json({}) is None
    assert Report.from_json({"format": 0, "findings": []}) is None


def test_what_concerns_a_run_is_of_its_datasets_and_days(load: Load) -> None:
    made = reports.make_report(workspace=load("spend_gap", "order_outlier"))
    assert made is not None
    october = (dt.date(2026, 10, 1), dt.date(2026, 10, 31))

    def codes(datasets: set[str], start: dt.date, end: dt.date) -> list[str]:
        return [finding.code for finding in made.concerning(datasets, start, end)]

    assert codes({"spend"}, *october) == ["missing_days"]
    assert codes({"conversions"}, *october) == []
    assert codes({"conversions"}, dt.date(2026, 11, 1), dt.date(2026, 11, 24)) == ["outlying_order"]
    assert codes({"spend"}, dt.date(2026, 9, 1), dt.date(2026, 9, 30)) == []


def test_new_data_settings_and_a_new_day_make_a_report_outdated(
    load: Load, look: Look, morning: time_machine.Traveller
) -> None:
    shop = load()
    look()
    assert not is_outdated(shop)
    Channel.objects.filter(workspace=shop, name="TV").update(type=Channel.Type.PAID)
    assert is_outdated(shop)
    look()
    assert not is_outdated(shop)
    Workspace.objects.filter(pk=shop.pk).update(window_days=7)
    shop.refresh_from_db()
    assert is_outdated(shop)
    look()
    morning.shift(dt.timedelta(days=1))
    assert is_outdated(shop)
    look()
    spend = Import.objects.get(workspace=shop, dataset=Dataset.SPEND)
    undo_imports(workspace=shop, imports=[spend], by=None)
    assert is_outdated(shop)
    look()
    kept = kept_report(workspace=shop)
    assert kept is not None
    assert kept.report is not None
    (spend_days,) = (one for one in kept.report.datasets if one.dataset == "spend")
    assert spend_days.first_day is None


@pytest.mark.parametrize(
    "change",
    [
        {"currency": "USD"},
        {"timezone": "America/New_York"},
        {"window_days": 7},
        {"channel_grouping": "granular"},
        {"channel_grouping": "custom"},
    ],
)
def test_a_report_is_of_the_settings_that_it_was_made_with(change: dict[str, object], shop: Workspace) -> None:
    before = versions([shop])
    Workspace.objects.filter(pk=shop.pk).update(**change)
    shop.refresh_from_db()
    assert versions([shop]) != before


@pytest.mark.parametrize("change", [{"week_start": 6}, {"confidence": 99}, {"name": "Other"}, {"period_days": 30}])
def test_other_settings_make_no_other_report(change: dict[str, object], shop: Workspace) -> None:
    before = versions([shop])
    Workspace.objects.filter(pk=shop.pk).update(**change)
    shop.refresh_from_db()
    assert versions([shop]) == before


def test_a_report_is_of_the_types_that_were_chosen_and_the_data_version_is_not(shop: Workspace) -> None:
    before, data = versions([shop]), data_version(workspace=shop, datasets=LOOKED_AT)
    channel = create_channel(workspace=shop, name="Partner", type=Channel.Type.PAID)
    assert versions([shop]) == before  # as the grouping would have named it
    set_channel_type(channel=channel, type=Channel.Type.ORGANIC, by=None)
    assert versions([shop]) != before
    assert data_version(workspace=shop, datasets=LOOKED_AT) == data
    set_channel_type(channel=channel, type=Channel.Type.PAID, by=None)
    assert versions([shop]) == before


def test_a_report_is_of_goals_outcomes_and_merges(shop: Workspace) -> None:
    known = [versions([shop])[shop.pk]]

    def is_new() -> bool:
        known.append(versions([shop])[shop.pk])
        return known[-1] not in known[:-1]

    Goal.objects.filter(workspace=shop, is_default=True).update(kind=Goal.Kind.LEAD)
    assert is_new()
    outcome = Outcome.objects.create(workspace=shop, name="Sales")
    assert is_new()
    Outcome.objects.filter(pk=outcome.pk).update(is_money=True)
    assert is_new()
    one, other = (create_channel(workspace=shop, name=name, type=Channel.Type.PAID) for name in ("A", "B"))
    merge_channels(source=one, target=other, by=None)
    assert is_new()


def test_a_report_is_of_the_types_that_the_own_rules_say(shop: Workspace) -> None:
    rule = {"channel": "Partner", "conditions": [{"field": "source", "operator": "is", "value": "partner"}]}
    change_grouping(workspace=shop, grouping="custom", rules=[rule | {"type": "organic"}], by=None)
    shop.refresh_from_db()
    organic, data = versions([shop]), data_version(workspace=shop, datasets=LOOKED_AT)
    ensure_channels(workspace=shop, names=["Partner"], types={"partner": "organic"})
    assert versions([shop]) == organic  # an analysis has given it a row: nothing is new
    Channel.objects.all().delete()
    change_grouping(workspace=shop, grouping="custom", rules=[rule | {"type": "owned"}], by=None)
    assert versions([shop]) != organic
    assert data_version(workspace=shop, datasets=LOOKED_AT) == data


def test_an_event_makes_a_report_outdated(shop: Workspace, tmp_path: Path) -> None:
    before = versions([shop])
    import_lines(shop, Dataset.EVENTS, ["name,start,end", "Sales week,2026-11-01,2026-11-07"], tmp_path)
    assert versions([shop]) != before


def test_a_present_report_is_made_once(load: Load, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    shop = load("spend_gap")
    made = present_report(workspace=shop)
    assert made is not None
    with django_assert_max_num_queries(10):
        assert present_report(workspace=shop) == made


def test_a_look_while_imports_change_waits_for_its_turn(
    shop: Workspace, monkeypatch: pytest.MonkeyPatch, look: Look
) -> None:
    def changing(**_options: object) -> None:
        raise store.DataChanged

    touch_import(shop, [(1, NOON)])
    monkeypatch.setattr(reports, "gather", changing)
    assert look().status == Job.Status.QUEUED
    assert not HealthReport.objects.exists()


def test_the_sweep_asks_once_for_what_is_out_of_date(shop: Workspace, look: Look) -> None:
    keep_reports_current()
    assert asked_for(shop) == []
    touch_import(shop, [(1, NOON)])
    keep_reports_current()
    keep_reports_current()
    assert asked_for(shop) == ["queued"]
    execute(job_id=Job.objects.get(kind=JOB_KIND).pk)
    keep_reports_current()
    assert asked_for(shop) == ["done"]


def test_the_next_day_has_a_report_of_its_own(shop: Workspace, look: Look, morning: time_machine.Traveller) -> None:
    touch_import(shop, [(1, NOON)])
    look()
    morning.shift(dt.timedelta(days=1))
    keep_reports_current()
    assert asked_for(shop) == ["done", "queued"]


def test_only_the_newest_of_jobs_that_have_ended_is_kept(shop: Workspace, look: Look) -> None:
    touch_import(shop, [(1, NOON)])
    for _ in range(3):
        look()
    keep_reports_current()
    assert asked_for(shop) == ["done"]


def test_imports_on_their_way_are_waited_for_but_not_for_ever(
    shop: Workspace, look: Look, morning: time_machine.Traveller
) -> None:
    touch_import(shop, [(1, NOON)])
    look()
    Workspace.objects.update(window_days=7)
    add_import(shop, Dataset.SPEND, status=Import.Status.PENDING)
    keep_reports_current()
    assert asked_for(shop) == ["done"]
    morning.shift(LONGEST_WAIT_FOR_IMPORTS + dt.timedelta(seconds=1))
    keep_reports_current()
    assert asked_for(shop) == ["done", "queued"]


def test_a_failed_look_is_not_taken_again_at_once(
    shop: Workspace, look: Look, monkeypatch: pytest.MonkeyPatch, morning: time_machine.Traveller
) -> None:
    def failing(**_options: object) -> None:
        raise JobFailed("It cannot be looked at.")

    touch_import(shop, [(1, NOON)])
    with monkeypatch.context() as patched:
        patched.setattr(reports, "gather", failing)
        assert look().status == Job.Status.FAILED
    keep_reports_current()
    assert asked_for(shop) == ["failed"]
    morning.shift(PAUSE_AFTER_FAILURE + dt.timedelta(seconds=1))
    keep_reports_current()
    assert asked_for(shop) == ["failed", "queued"]


def test_more_workspaces_need_no_more_queries(
    shop: Workspace, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(8):
        workspace = WorkspaceFactory.create()
        add_import(workspace, Dataset.SPEND)
        submit(workspace=workspace, kind=JOB_KIND, ring=False)
    assert len(keeping._workspaces()) == 8
    with django_assert_max_num_queries(14):
        keep_reports_current()
