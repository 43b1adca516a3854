"""Everything that a workspace holds as one ZIP, for owners and admins, for a week."""

import csv
import io
import json
import os
import zipfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.api_key_actions import create_api_key
from accounts.models import ApiUsage, AuditEvent, User, Workspace
from accounts.plan_requests import request_plan
from analyses.runs import request_run
from jobs import actions as job_actions
from jobs.execution import execute
from jobs.models import Job
from marketing import selectors
from marketing.importing.actions import request_import
from marketing.models import ChannelSpend, Conversion, Dataset, Import, OutcomeValue, PathCount, Touchpoint
from marketing.receivers import create_default_goals
from reports import workspace_rows
from reports.workspace_export import EXPORT_JOB, newest_export, request_export, sweep_exports
from tests.factories import WorkspaceFactory
from tests.reports.rows import add_rows

ClientFor = Callable[[User | None], Client]
PAGE = "/w/acme/settings/workspace/"
ASK, FILE = f"{PAGE}export/", f"{PAGE}export.zip"
ROWS = {
    Dataset.TOUCHPOINTS: "customer,occurred_at,channel,source,medium,campaign,interaction,segment\n"
    "annette17,2026-01-01T10:00:00Z,Email,,,May,click,New\n"
    "annette17,2026-01-01T10:00:00Z,Email,,,May,click,New\n"
    "bob,2026-01-02T10:00:00Z,,google,cpc,,,\n",
    Dataset.CONVERSIONS: "customer,occurred_at,value,order_id,converted\n"
    "annette17,2026-01-03T10:00:00Z,19.90,=1+1,true\n"
    "bob,2026-01-03T10:00:00Z,,,false\n",
    Dataset.SPEND: "date,channel,campaign,spend,impressions\n2026-01-01,Email,May,1234.56,1000\n2026-01-02,TV,,0,\n",
    Dataset.OUTCOMES: "date,outcome,value,geo\n2026-01-01,Sales,1000.5,DE\n",
    Dataset.CONTROLS: "date,control,value\n2026-01-01,Price,-0.5\n",
    Dataset.EXPERIMENTS: "channel,start,end,lift,standard_error,spend\nTV,2026-01-01,2026-01-20,5200,900,1700\n",
    Dataset.PATHS: "date,path,conversions,value,null\n2026-01-01,TV > Email > TV,3,19.90,7\n,Email,0,,4\n",
}


def bring_in(workspace: Workspace, files: dict[Dataset, str], directory: Path) -> None:
    for dataset, text in files.items():
        file = directory / f"{dataset}.csv"
        file.write_text(text)
        batch = request_import(
            workspace=workspace, dataset=dataset, file=file, mapping={}, by=None, origin=Import.Origin.CLI, ring=False
        )
        execute(job_id=batch.job_id)
        batch.refresh_from_db()
        assert batch.status == Import.Status.ACTIVE, batch.job.error


@pytest.fixture
def bare(workspace: Workspace, tmp_path: Path, settings: Settings) -> Workspace:
    """A workspace without rows, whose files are this test's alone."""
    settings.MEDIA_ROOT = str(tmp_path / "media")
    return workspace


@pytest.fixture
def shop(bare: Workspace, owner: User, tmp_path: Path) -> Workspace:
    """A workspace with rows of every dataset but events, a key and a run."""
    workspace = bare
    create_default_goals(workspace=workspace)
    bring_in(workspace, ROWS, tmp_path)
    create_api_key(workspace=workspace, created_by=owner, name="ETL", scopes=["runs:read"])
    run = request_run(
        workspace=workspace,
        kind="attribution",
        params={"start": "2026-01-01", "end": "2026-01-31"},
        by=owner,
        trigger="page",  # type: ignore[arg-type]
        ring=False,
    )
    execute(job_id=run.job_id)
    return workspace


def export(workspace: Workspace) -> zipfile.ZipFile:
    execute(job_id=request_export(workspace=workspace, by=None, ring=False).pk)
    found = newest_export(workspace)
    assert found is not None
    assert found.path is not None
    return zipfile.ZipFile(found.path)


def table(archive: zipfile.ZipFile, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(archive.read(name).decode())))


def lines(archive: zipfile.ZipFile, name: str) -> list[Any]:
    return [json.loads(line) for line in archive.read(name).decode().splitlines()]


def test_the_archive_holds_everything(shop: Workspace) -> None:
    archive = export(shop)
    assert archive.testzip() is None
    touches = table(archive, "touchpoints.csv")
    assert [(row["channel"], row["source"], row["campaign"], row["counts"]) for row in touches] == [
        ("Email", "", "May", "true"),
        ("Email", "", "May", "false"),
        ("", "google", "", "true"),
    ]
    assert table(archive, "conversions.csv")[0].items() >= {"value": "19.9", "order_id": "'=1+1"}.items()
    assert table(archive, "spend.csv")[0].items() >= {"spend": "1234.56", "impressions": "1000.0"}.items()
    assert [table(archive, f"{name}.csv")[0]["value"] for name in ("outcomes", "controls")] == ["1000.5", "-0.5"]
    assert table(archive, "experiments.csv")[0]["lift"] == "5200.0"
    assert archive.read("events.csv").decode().splitlines() == ["name,start,end,geo,import,counts"]
    paths = [tuple(row.values()) for row in table(archive, "paths.csv")]
    assert [row[:5] for row in paths] == [
        ("2026-01-01", "TV > Email > TV", "3.0", "19.9", "7.0"),
        ("", "Email", "0.0", "0", "4.0"),
    ]
    settings = json.loads(archive.read("workspace.json"))
    assert (settings["settings"]["slug"], settings["plan"]) == ("acme", "starter")
    assert [goal["name"] for goal in settings["goals"]] == ["Purchase", "Lead"]
    assert settings["members"][0]["email"] == "owner@example.com"
    assert {row["dataset"] for row in lines(archive, "imports.ndjson")} == set(ROWS)
    (run,) = lines(archive, "runs.ndjson")
    assert (run["kind"], run["job__status"], bool(run["result"])) == ("attribution", "done", True)
    assert "import.finished" in {event["action"] for event in lines(archive, "audit.ndjson")}


def test_the_archive_holds_reports_and_who_got_them(bare: Workspace) -> None:
    add_rows(bare)
    archive = export(bare)
    settings = json.loads(archive.read("workspace.json"))
    assert [report["blocks"][0]["kind"] for report in settings["reports"]] == ["text"]
    assert [recipient["email"] for recipient in settings["schedules"][0]["recipients"]] == ["reader@example.com"]
    assert [recipient["email"] for recipient in settings["alerts"][0]["recipients"]] == ["watcher@example.com"]
    assert settings["branding"] == [{"colour": "#123456", "paper": "letter"}]
    (delivery,) = lines(archive, "deliveries.ndjson")
    assert (delivery["email"], delivery["status"]) == ("reader@example.com", "sent")


def test_the_archive_holds_requests_for_plans_and_the_calls_of_the_api(bare: Workspace, owner: User) -> None:
    by = bare.memberships.get(user=owner)
    request_plan(workspace=bare, plan="professional", message="More rows", by=by)
    ApiUsage.objects.create(workspace=bare, day=date(2026, 6, 1), calls=40)
    settings = json.loads(export(bare).read("workspace.json"))
    (request,) = settings["plan_requests"]
    assert (request["plan"], request["message"], request["status"]) == ("professional", "More rows", "open")
    assert settings["api_calls"] == [{"day": "2026-06-01", "calls": 40}]


def test_no_secret_and_no_key_of_a_customer_is_in_it(shop: Workspace) -> None:
    archive = export(shop)
    everything = b"".join(archive.read(name) for name in archive.namelist())
    assert b"digest" not in everything
    assert b"annette17" not in b"".join(archive.read(f"{name}.csv") for name in ("touchpoints", "conversions"))


def test_what_is_exported_can_be_imported_again(
    shop: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workspace_rows, "IDS_AT_ONCE", 1)
    archive = export(shop)
    elsewhere = WorkspaceFactory.create()
    create_default_goals(workspace=elsewhere)
    bring_in(elsewhere, {dataset: archive.read(f"{dataset}.csv").decode() for dataset in ROWS}, tmp_path)
    for model in (Touchpoint, Conversion, ChannelSpend, OutcomeValue, PathCount):
        here, there = (
            list(model._default_manager.filter(batch__workspace=each).order_by("pk").values_list("shadowed", flat=True))
            for each in (shop, elsewhere)
        )
        assert here == there
    assert selectors.load_daily_spend(workspace=elsewhere).spend.tolist() == [1234.56]
    table_here, table_there = (selectors.load_paths(workspace=each)[0] for each in (shop, elsewhere))
    assert table_there.value.tolist() == table_here.value.tolist() == [0, 19.9]


def test_rows_of_imports_that_were_undone_are_not_in_it(shop: Workspace) -> None:
    Import.objects.filter(workspace=shop, dataset=Dataset.OUTCOMES).update(status=Import.Status.UNDONE)
    archive = export(shop)
    assert table(archive, "outcomes.csv") == []
    assert len(lines(archive, "imports.ndjson")) == len(ROWS)


def test_asking_twice_is_one_export_and_one_is_kept(bare: Workspace, tmp_path: Path) -> None:
    first = request_export(workspace=bare, by=None, ring=False)
    assert request_export(workspace=bare, by=None, ring=False) == first
    execute(job_id=first.pk)
    export(bare)
    assert len(list((tmp_path / "media" / "exports" / str(bare.pk)).iterdir())) == 1
    assert AuditEvent.objects.filter(action="workspace.export_requested").count() == 2


def test_an_export_that_is_cancelled_leaves_nothing(bare: Workspace, tmp_path: Path) -> None:
    job = request_export(workspace=bare, by=None, ring=False)
    folder = tmp_path / "media" / "exports" / str(bare.pk)

    def cancel(_phase: str, _done: float) -> None:
        job_actions.request_cancel(job=Job.objects.get(pk=job.pk), by=None)

    execute(job_id=job.pk, on_progress=cancel)
    job.refresh_from_db()
    assert job.status == Job.Status.CANCELLED
    assert not list(folder.iterdir())


def test_an_export_is_kept_for_a_week(bare: Workspace) -> None:
    export(bare)
    found = newest_export(bare)
    assert found is not None
    assert found.path is not None
    sweep_exports()
    assert found.path.is_file()
    with time_machine.travel(timezone.now() + timedelta(days=8), tick=False):
        assert newest_export(bare) is None
        os.utime(found.path, times=(0, 0))
        sweep_exports()
    assert not found.path.exists()


def test_owners_and_admins_export_and_download(
    bare: Workspace, client_for: ClientFor, admin: User, analyst: User, outsider: User
) -> None:
    assert client_for(analyst).get(PAGE).status_code == 200
    for address, method in ((ASK, "post"), (FILE, "get")):
        assert getattr(client_for(analyst), method)(address).status_code == 403
        assert getattr(client_for(outsider), method)(address).status_code == 404
    client = client_for(admin)
    assert client.get(ASK).status_code == 405
    assert client.get(FILE).status_code == 404
    assert client.post(ASK)["Location"] == PAGE
    moving = client.get(PAGE)
    assert 'hx-trigger="every 1s"' in moving.text
    execute(job_id=Job.objects.get(kind=EXPORT_JOB).pk)
    done = client.get(PAGE, headers={"HX-Request": "true"})
    assert "Download" in done.text
    assert "hx-trigger" not in done.text
    download = client.get(FILE)
    assert download["Content-Disposition"].startswith('attachment; filename="acme-20')
    archive = zipfile.ZipFile(io.BytesIO(b"".join(download.streaming_content)))  # type: ignore[attr-defined]
    assert "touchpoints.csv" in archive.namelist()


def test_a_failed_export_says_why(bare: Workspace, client_for: ClientFor, owner: User) -> None:
    job = request_export(workspace=bare, by=None, ring=False)
    job_actions.end(job=job, status=Job.Status.FAILED, sentence="The storage is full.")
    assert "storage is full" in client_for(owner).get(PAGE).text
