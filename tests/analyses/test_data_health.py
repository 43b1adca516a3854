"""What a run says of the data that it was computed on."""

import datetime as dt
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import celery
import pytest
import time_machine
from django.db import transaction
from django.test import Client, override_settings
from pytest_django import DjangoDbBlocker
from pytest_django.fixtures import Settings

from accounts.models import User, Workspace
from analyses import data_health
from analyses.data_health import findings_of
from analyses.models import Run
from analyses.runs import request_run
from attribution.presentation.document import document
from jobs.execution import execute
from jobs.models import Job
from marketing import store
from marketing.health import reports
from marketing.models import Channel, HealthReport
from marketing.receivers import create_default_goals
from tests.factories import WorkspaceFactory
from tests.marketing.health.conftest import DAYS, THIS_MORNING
from tests.marketing.health.loading import load_world
from tests.marketing.health.worlds import world_with

FAULTS = ("tracking_outage", "order_outlier", "spend_gap", "missing_campaign")


@pytest.fixture(scope="module")
def half_year(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """Data with faults, loaded once: each test begins a transaction of its own inside this one. Returns their files."""
    media = tmp_path_factory.mktemp("media")
    with (
        override_settings(MEDIA_ROOT=str(media)),
        time_machine.travel(THIS_MORNING, tick=False),
        django_db_blocker.unblock(),
        transaction.atomic(),
    ):
        workspace = WorkspaceFactory.create(name="Acme", slug="acme")
        create_default_goals(workspace=workspace)
        load_world(workspace, world_with(*FAULTS, days=DAYS)[0], tmp_path_factory.mktemp("files"))
        yield media
        transaction.set_rollback(True)


@pytest.fixture
def workspace(half_year: Path, db: None) -> Workspace:
    return Workspace.objects.get(slug="acme")


@pytest.fixture
def shop(
    workspace: Workspace, half_year: Path, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Workspace:
    """Half a year of data with faults, this morning. What is kept of it in files is this test's alone."""
    settings.MEDIA_ROOT = str(shutil.copytree(half_year, tmp_path / "media"))
    monkeypatch.setattr(celery.current_app, "send_task", lambda *_args, **_kwargs: None)
    return workspace


@pytest.fixture
def attribute(shop: Workspace) -> Callable[..., Run]:
    def attribute(start: str, end: str, **params: Any) -> Run:
        asked = {"start": start, "end": end, "model": "last"} | params
        run = request_run(
            workspace=shop, kind="attribution", params=asked, by=None, trigger=Run.Trigger.CLI, ring=False
        )
        execute(job_id=run.job_id)
        return Run.objects.select_related("job", "workspace").get(pk=run.pk)

    return attribute


def codes(run: Run) -> list[str]:
    findings = findings_of(run)
    assert findings is not None
    return sorted(finding.code for finding in findings)


def test_a_run_carries_what_concerns_its_datasets_and_days(attribute: Callable[..., Run]) -> None:
    both = attribute("2026-10-01", "2026-11-24")
    assert codes(both) == ["missing_campaigns", "missing_days", "missing_days", "outlying_order"]
    assert codes(attribute("2026-11-15", "2026-11-24", window_days=7)) == ["missing_campaigns"]
    assert codes(attribute("2026-08-01", "2026-08-31")) == []


def test_days_of_the_lookback_window_count(attribute: Callable[..., Run]) -> None:
    long, short = (codes(attribute("2026-10-20", "2026-10-30", window_days=days)) for days in (30, 1))
    assert long.count("missing_days") == short.count("missing_days") + 1


def test_what_was_found_stays_with_the_run_when_the_data_move_on(attribute: Callable[..., Run]) -> None:
    run = attribute("2026-10-01", "2026-11-24")
    before = findings_of(run)
    HealthReport.objects.all().delete()
    assert findings_of(Run.objects.get(pk=run.pk)) == before


def test_the_document_has_a_part_about_its_data(attribute: Callable[..., Run]) -> None:
    shown = document(attribute("2026-10-01", "2026-11-24"))
    (part,) = (section for section in shown.sections if section.title == "Data health")
    assert any(
        sentence.startswith("There are almost no touches at all on 3 days: 13–15 Oct 2026.")
        for sentence in part.sentences
    )
    (table,) = part.tables
    rows = {row.label: row for row in table.rows}
    social, search = rows["Paid Social"], rows["Paid Search"]
    assert social.cells[0].value == 4, "its days without spend are one more"
    assert search.cells[0].value == 2
    channel = Channel.objects.get(name="Paid Social")
    assert social.href == f"/w/acme/data/health/?channel={channel.pk}&start=2026-10-01&end=2026-11-24"


def test_a_document_by_campaign_has_no_table_of_channels(attribute: Callable[..., Run]) -> None:
    shown = document(attribute("2026-10-01", "2026-11-24", dimension="campaign"))
    (part,) = (section for section in shown.sections if section.title == "Data health")
    assert part.tables == ()


def test_without_findings_the_document_says_so(attribute: Callable[..., Run]) -> None:
    shown = document(attribute("2026-08-01", "2026-08-31"))
    (part,) = (section for section in shown.sections if section.title == "Data health")
    assert part.sentences == ("Nothing wrong was found in the data of this period.",)


def test_the_page_and_the_exports_carry_it(
    attribute: Callable[..., Run], client_for: Callable[[User | None], Client], viewer: User
) -> None:
    run = attribute("2026-10-01", "2026-11-24")
    client = client_for(viewer)
    assert "There are almost no touches at all" in client.get(f"/w/acme/runs/{run.pk}/").content.decode()
    response = client.get(f"/w/acme/runs/{run.pk}/export.json")
    body = b"".join(response.streaming_content) if response.streaming else response.content  # type: ignore[attr-defined]
    assert [one["code"] for one in json.loads(body)["result"]["data_health"]] == [
        one["code"] for one in (run.result or {})["data_health"]
    ]


def test_a_run_from_before_says_nothing_of_its_data(attribute: Callable[..., Run]) -> None:
    run = attribute("2026-10-01", "2026-11-24")
    assert run.result is not None
    del run.result["data_health"]
    assert findings_of(run) is None
    assert "Data health" not in [section.title for section in document(run).sections]


def test_an_answer_is_given_even_where_its_data_cannot_be_looked_at(
    attribute: Callable[..., Run], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(**_options: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(data_health, "present_report", broken)
    monkeypatch.delattr(data_health.logger, "exception")  # that of tests, which raises
    run = attribute("2026-10-01", "2026-11-24")
    assert run.result is not None
    assert "data_health" not in run.result
    assert run.result["totals"]["conversions"] > 0
    assert "The data of acme could not be looked at" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_in_tests_a_fault_of_the_checks_is_not_hidden(
    attribute: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_options: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(data_health, "present_report", broken)
    assert attribute("2026-10-01", "2026-11-24").job.status == Job.Status.FAILED


def test_data_that_keep_changing_are_not_taken_for_a_fault(
    attribute: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    def changing(**_options: object) -> None:
        raise store.DataChanged

    monkeypatch.setattr(data_health, "present_report", changing)
    run = attribute("2026-10-01", "2026-11-24")
    assert (run.job.status, run.job.error_code) == (Job.Status.FAILED, "data_changed")


def test_the_report_that_is_kept_is_taken_if_it_is_of_the_present_data(
    attribute: Callable[..., Run], shop: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    attribute("2026-10-01", "2026-11-24")

    def never(**_options: object) -> None:
        raise AssertionError("It was there already.")

    monkeypatch.setattr(reports, "gather", never)
    assert codes(attribute("2026-10-02", "2026-11-24")) == [
        "missing_campaigns",
        "missing_days",
        "missing_days",
        "outlying_order",
    ]
    assert dt.date(2026, 11, 25) == HealthReport.objects.get(workspace=shop).day
