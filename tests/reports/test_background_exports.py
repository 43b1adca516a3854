"""Files that take too long for a page: offered, prepared by a worker, fetched for a week, and removed."""

import datetime as dt
import io
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import time_machine
from django.conf import settings
from django.test import Client

from accounts.models import AuditEvent, User, Workspace
from analyses import registry
from analyses.documents import Document, LazyRows
from analyses.models import Run
from jobs import actions as job_actions
from jobs.execution import execute
from jobs.handlers import JobFailed
from jobs.models import Job
from reports.branding.look import PLAIN, Look
from reports.exports import background, weight, write
from reports.exports.background import FILE_JOB, make_file, place_of, request_file, sweep_files
from reports.exports.weight import MOST_PANELS, MOST_ROWS, MOST_TABLE_ROWS, takes_long
from reports.models import Branding, ExportFile
from reports.workspace_deletion import request_deletion
from tests.attribution.results import finished
from tests.reports.conftest import NOW
from tests.reports.documents import a_document, a_long_table
from tests.reports.export_world import kept

ClientFor = Callable[[User | None], Client]


@pytest.fixture
def run(shop: Workspace) -> Run:
    return kept(finished(shop))


@pytest.fixture
def long(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if every document were long."""
    monkeypatch.setattr(weight, "MOST_ROWS", 0)


def export(run: Run, form: str = "xlsx") -> str:
    return f"/w/acme/runs/{run.pk}/export.{form}"


def prepared(run: Run, form: str = "xlsx", paper: str = "") -> ExportFile:
    """A file that a worker has made."""
    file = request_file(run=run, form=form, paper=paper, by=None, ring=False)
    execute(job_id=file.job_id)
    return ExportFile.objects.select_related("job").get(pk=file.pk)


def files(workspace: Workspace) -> list[str]:
    folder = Path(settings.MEDIA_ROOT) / "export_files" / str(workspace.pk)
    return sorted(path.name for path in folder.glob("*"))


# --- What takes long -----------------------------------------------------------------------------------------------


def with_rows(rows: int) -> Document:
    return a_document(rows=LazyRows(lambda: ((number,) for number in range(rows))))


def with_table_rows(rows: int) -> Document:
    document = a_document()
    return replace(document, sections=(replace(document.sections[0], charts=(), tables=(a_long_table(rows, 1),)),))


def with_panels(panels: int) -> Document:
    document = a_document()
    chart = document.sections[0].charts[0]
    charts: tuple[Any, ...] = tuple(replace(chart, id=f"chart-{number}") for number in range(panels))
    return replace(document, sections=(replace(document.sections[0], charts=charts),))


@pytest.mark.parametrize("form", ["csv", "json", "xlsx", "pdf", "pptx"])
def test_an_ordinary_document_does_not_take_long(form: str) -> None:
    assert not takes_long(a_document(), form)


@pytest.mark.parametrize(
    ("make", "most", "forms"),
    [
        (with_rows, MOST_ROWS, {"xlsx"}),
        (with_table_rows, MOST_TABLE_ROWS, {"pdf", "pptx"}),
        (with_panels, MOST_PANELS, {"pdf", "pptx"}),
    ],
)
def test_many_rows_tables_or_charts_take_long_where_they_are_laid_out(
    make: Callable[[int], Document], most: int, forms: set[str]
) -> None:
    everything = ("csv", "json", "xlsx", "pdf", "pptx")
    assert [form for form in everything if takes_long(make(most), form)] == []
    assert {form for form in everything if takes_long(make(most + 1), form)} == forms


# --- Offering and preparing ----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("long")
def test_what_takes_long_is_offered_and_prepared_once(run: Run, client_for: ClientFor, viewer: User) -> None:
    client = client_for(viewer)
    offer = client.get(f"{export(run)}?paper=letter")
    assert (offer.status_code, offer["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "Prepare in the background" in offer.text
    assert f'action="{export(run)}/prepare/"' in offer.text
    assert '<input type="hidden" name="paper" value="letter">' in offer.text
    assert not ExportFile.objects.exists()  # asking to see begins no work
    pages = {client.post(f"{export(run)}/prepare/", {"paper": "letter"})["Location"] for _ in range(2)}
    file = ExportFile.objects.get()
    assert pages == {f"/w/acme/exports/{file.pk}/"}
    assert (file.run, file.form, file.paper, file.requested_by) == (run, "xlsx", "letter", viewer)
    assert Job.objects.filter(kind=FILE_JOB).count() == 1
    event = AuditEvent.objects.get(action="export.requested")
    assert (event.actor, event.target) == (viewer, f"xlsx of run {run.pk}")


@pytest.mark.usefixtures("long")
def test_csv_and_json_never_have_to_be_prepared(run: Run, client_for: ClientFor, viewer: User) -> None:
    for form, kind in (("csv", "text/csv; charset=utf-8"), ("json", "application/json")):
        assert client_for(viewer).get(export(run, form))["Content-Type"] == kind


def test_a_file_on_its_way_shows_its_progress_until_it_is_ready(run: Run, client_for: ClientFor, viewer: User) -> None:
    client = client_for(viewer)
    file = request_file(run=run, form="xlsx", paper="", by=None, ring=False)
    page, address = f"/w/acme/exports/{file.pk}/", f"/w/acme/exports/{file.pk}/file"
    waiting = client.get(page, headers={"HX-Request": "true"}).text
    assert "<html" not in waiting
    assert f'hx-get="{page}" hx-trigger="every 1s"' in waiting
    assert "Waiting for a worker" in waiting
    assert client.get(address).status_code == 404
    Job.objects.filter(pk=file.job_id).update(status=Job.Status.RUNNING, progress=0.2, phase="Writing the Excel file")
    assert '<progress id="file-progress" max="100" value="20">' in client.get(page).text
    Job.objects.filter(pk=file.job_id).update(status=Job.Status.QUEUED)
    execute(job_id=file.job_id)
    ready = client.get(page, headers={"HX-Request": "true"}).text
    assert "hx-trigger" not in ready
    assert f'href="{address}">Download, ' in ready
    assert "Kept until 8 Apr 2026, 09:00 UTC" in ready


def test_the_file_is_the_one_that_would_have_been_downloaded(run: Run, client_for: ClientFor, viewer: User) -> None:
    file = prepared(run)
    response = client_for(viewer).get(f"/w/acme/exports/{file.pk}/file")
    assert response["Content-Disposition"] == 'attachment; filename="attribution-acme-2026-03-01-to-2026-03-31.xlsx"'
    assert response["Cache-Control"] == "private, no-store"
    assert response["X-Content-Type-Options"] == "nosniff"
    content = response.getvalue()
    assert (len(content), response["Content-Length"]) == (file.bytes, str(file.bytes))
    directly = write(registry.get(run.kind).document(run), "xlsx")
    cells = [
        [[cell.value for cell in row] for sheet in openpyxl.load_workbook(io.BytesIO(one)) for row in sheet.iter_rows()]
        for one in (content, directly)
    ]
    assert cells[0] == cells[1]


def test_a_streamed_format_is_written_as_it_is_made(run: Run) -> None:
    place = place_of(prepared(run, "csv"))
    assert place is not None
    assert place.read_bytes() == write(registry.get(run.kind).document(run), "csv")


@pytest.mark.parametrize("address", ["", "file"])
def test_files_are_for_members(address: str, run: Run, client_for: ClientFor, viewer: User, outsider: User) -> None:
    url = f"/w/acme/exports/{prepared(run).pk}/{address}"
    response = client_for(viewer).get(url)
    assert (response.status_code, len(response.getvalue()) > 1000) == (200, True)
    assert client_for(viewer).post(url).status_code == 405
    assert client_for(outsider).get(url).status_code == 404
    assert client_for(outsider).get(url.replace("acme", "elsewhere")).status_code == 404
    assert client_for(None).get(url)["Location"].startswith("/accounts/login/")
    assert client_for(viewer).get(f"/w/acme/exports/{uuid.uuid4()}/{address}").status_code == 404


def test_preparing_is_for_members(run: Run, client_for: ClientFor, viewer: User, outsider: User) -> None:
    url = f"{export(run)}/prepare/"
    assert client_for(outsider).post(url).status_code == 404
    assert client_for(outsider).post(url.replace("acme", "elsewhere")).status_code == 404
    assert client_for(viewer).get(url).status_code == 405
    assert client_for(viewer).post(f"{export(run, 'exe')}/prepare/").status_code == 404
    for paper in ("a3", "../a4"):
        assert client_for(viewer).post(url, {"paper": paper}).status_code == 400
        assert client_for(viewer).get(f"{export(run, 'pdf')}?paper={paper}").status_code == 400
    assert not ExportFile.objects.exists()
    assert client_for(viewer).post(url).status_code == 302


def test_the_workspaces_look_and_the_asked_paper_reach_the_writer(
    run: Run, monkeypatch: pytest.MonkeyPatch, shop: Workspace
) -> None:
    seen: list[Look] = []

    def write_nothing(_document: Document, _form: str, look: Look) -> bytes:
        seen.append(look)
        return b"%PDF"

    monkeypatch.setattr(background, "write", write_nothing)
    prepared(run, "pdf")
    Branding.objects.create(workspace=shop, colour="#102030", paper="letter")
    prepared(run, "pdf")
    prepared(run, "pdf", paper="a4")
    assert [(look.colour, look.paper) for look in seen] == [
        (PLAIN.colour, PLAIN.paper),
        ("#102030", "letter"),
        ("#102030", "a4"),
    ]


# --- One file, not several -----------------------------------------------------------------------------------------


def test_while_a_file_is_there_it_is_not_made_again(run: Run) -> None:
    first = prepared(run)
    assert request_file(run=run, form="xlsx", paper="", by=None, ring=False) == first
    assert request_file(run=run, form="xlsx", paper="letter", by=None, ring=False) != first
    assert request_file(run=run, form="json", paper="", by=None, ring=False) != first
    place = place_of(first)
    assert place is not None
    place.unlink()
    assert request_file(run=run, form="xlsx", paper="", by=None, ring=False) != first


def test_after_the_workspaces_look_has_changed_it_is_made_again(run: Run, shop: Workspace) -> None:
    first = prepared(run)
    with time_machine.travel(NOW + dt.timedelta(minutes=1), tick=False):
        Branding.objects.create(workspace=shop, colour="#102030")
        second = request_file(run=run, form="xlsx", paper="", by=None, ring=False)
    assert second != first


# --- What goes wrong -----------------------------------------------------------------------------------------------


def test_a_failure_says_why_leaves_nothing_and_can_be_tried_again(
    run: Run, shop: Workspace, client_for: ClientFor, viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object) -> bytes:
        raise JobFailed("There is no room for this file.")

    with monkeypatch.context() as patched:
        patched.setattr(background, "write", fail)
        file = prepared(run)
    assert (file.job.status, place_of(file), files(shop)) == (Job.Status.FAILED, None, [])
    client = client_for(viewer)
    page = client.get(f"/w/acme/exports/{file.pk}/").text
    assert "There is no room for this file." in page
    assert "Prepare it again" in page
    again = client.post(f"{export(run)}/prepare/")["Location"]
    assert again != f"/w/acme/exports/{file.pk}/"
    execute(job_id=ExportFile.objects.exclude(pk=file.pk).get().job_id)
    assert "Download, " in client.get(again).text


def test_a_worker_that_was_replaced_leaves_nothing_half_written(
    run: Run, shop: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = request_file(run=run, form="xlsx", paper="", by=None, ring=False)

    def replaced(document: Document, form: str, look: object) -> bytes:
        monkeypatch.undo()
        job = Job.objects.get(pk=file.job_id)
        assert job_actions.release(job=job, counted=True)  # its lease ran out meanwhile
        execute(job_id=job.pk)  # and another worker finishes it
        return b"half"

    monkeypatch.setattr(background, "write", replaced)
    execute(job_id=file.job_id)
    made = ExportFile.objects.select_related("job").get(pk=file.pk)
    assert (made.job.status, made.job.fence) == (Job.Status.DONE, 2)
    assert files(shop) == [f"{file.pk}.2.xlsx"]
    place = place_of(made)
    assert place is not None
    assert place.read_bytes().startswith(b"PK")


def test_what_a_killed_worker_left_goes_when_the_next_one_is_done(run: Run, shop: Workspace) -> None:
    file = request_file(run=run, form="xlsx", paper="", by=None, ring=False)
    killed = job_actions.claim(job_id=file.job_id)
    assert killed is not None
    draft = Path(settings.MEDIA_ROOT) / "export_files" / str(shop.pk) / f"{file.pk}.1.draft"
    draft.parent.mkdir(parents=True)
    draft.write_bytes(b"half")
    with time_machine.travel(NOW + dt.timedelta(minutes=10), tick=False):
        assert job_actions.sweep().requeued == 1  # its lease is over
        execute(job_id=file.job_id)
    assert files(shop) == [f"{file.pk}.2.xlsx"]


def test_cancelling_leaves_nothing(run: Run, shop: Workspace, client_for: ClientFor, viewer: User) -> None:
    file = request_file(run=run, form="xlsx", paper="", by=None, ring=False)
    draft = Path(settings.MEDIA_ROOT) / "export_files" / str(shop.pk) / f"{file.pk}.1.draft"
    draft.parent.mkdir(parents=True)
    draft.write_bytes(b"left by a process that was killed")
    job_actions.request_cancel(job=file.job, by=None)
    assert files(shop) == []
    assert "stopped before the file was ready" in client_for(viewer).get(f"/w/acme/exports/{file.pk}/").text


def test_a_file_of_a_run_that_is_gone_is_not_made(run: Run, shop: Workspace) -> None:
    file = request_file(run=run, form="xlsx", paper="", by=None, ring=False)
    Run.objects.filter(pk=run.pk).delete()
    execute(job_id=file.job_id)
    assert (Job.objects.get(pk=file.job_id).status, files(shop)) == (Job.Status.DONE, [])


# --- Its time ------------------------------------------------------------------------------------------------------


def test_after_a_week_the_file_its_row_and_its_job_are_removed(
    run: Run, shop: Workspace, client_for: ClientFor, viewer: User
) -> None:
    file = prepared(run)
    page = f"/w/acme/exports/{file.pk}/"
    with time_machine.travel(NOW + dt.timedelta(days=6, hours=23), tick=False):
        sweep_files()
        assert client_for(viewer).get(f"{page}file").getvalue().startswith(b"PK")
    with time_machine.travel(NOW + dt.timedelta(days=7, seconds=1), tick=False):
        client = client_for(viewer)
        assert client.get(f"{page}file").status_code == 404  # also before the sweep has come by
        assert "no longer there" in client.get(page).text
        sweep_files()
        assert client.get(page).status_code == 404
    assert (files(shop), ExportFile.objects.count(), Job.objects.filter(kind=FILE_JOB).count()) == ([], 0, 0)


def test_the_file_and_the_job_of_a_run_that_is_gone_are_forgotten(run: Run, shop: Workspace) -> None:
    prepared(run)
    other = prepared(kept(finished(shop, seed=2)), form="csv")
    draft = Path(settings.MEDIA_ROOT) / "export_files" / str(shop.pk) / f"{uuid.uuid4()}.1.draft"
    draft.write_bytes(b"a worker may still be writing it")
    Run.objects.filter(pk=run.pk).delete()
    sweep_files()
    assert files(shop) == sorted([Path(other.path).name, draft.name])
    assert [job.pk for job in Job.objects.filter(kind=FILE_JOB)] == [other.job_id]


def test_the_job_of_a_run_that_is_gone_is_not_forgotten_before_it_has_ended(run: Run) -> None:
    file = request_file(run=run, form="xlsx", paper="", by=None, ring=False)
    Run.objects.filter(pk=run.pk).delete()
    sweep_files()
    assert Job.objects.filter(pk=file.job_id).exists()
    execute(job_id=file.job_id)
    sweep_files()
    assert not Job.objects.filter(pk=file.job_id).exists()


def test_a_failed_one_is_forgotten_after_a_week(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(background, "write", lambda *_arguments: 1 / 0)
        prepared(run)
    sweep_files()
    assert ExportFile.objects.count() == 1
    with time_machine.travel(NOW + dt.timedelta(days=7, seconds=1), tick=False):
        sweep_files()
    assert ExportFile.objects.count() == 0


def test_a_workspace_takes_its_files_with_it(run: Run, shop: Workspace) -> None:
    file = prepared(run)
    place = place_of(file)
    assert place is not None
    execute(job_id=request_deletion(workspace=shop, by=None, ring=False).pk)
    assert not Workspace.objects.filter(pk=shop.pk).exists()
    assert not place.exists()


def test_the_job_is_registered(run: Run) -> None:
    from jobs import handlers

    assert handlers.get(FILE_JOB).execute is make_file
    assert sweep_files in handlers.sweepers()
