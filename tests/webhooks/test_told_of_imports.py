"""Webhooks are told that an import has ended or was undone, when it is committed."""

from accounts.models import Workspace
from jobs import actions
from jobs.execution import execute
from marketing.importing.undo_requests import request_undo
from marketing.models import Import
from tests.conftest import ImportRows
from tests.webhooks.steps import an_endpoint, told

HEADER, ROW = "date,channel,spend", "2026-03-01,TV,10"


def data_of(batch: Import, status: str) -> dict[str, object]:
    url = f"http://localhost:8000/api/v1/imports/{batch.pk}/"
    return {"id": batch.pk, "dataset": "spend", "status": status, "url": url}


def test_an_import_that_counts_and_is_undone(shop: Workspace, import_rows: ImportRows) -> None:
    an_endpoint(shop)
    batch = import_rows("spend", HEADER, ROW, carry_out=False)
    assert told() == []
    execute(job_id=batch.job_id)
    finished = ("import.finished", data_of(batch, "active"))
    assert told() == [finished]
    batch.refresh_from_db()
    undo = request_undo(batch=batch, by=None, ring=False)
    assert undo is not None
    execute(job_id=undo.pk)
    assert told() == [finished, ("import.undone", data_of(batch, "undone"))]


def test_an_import_none_of_whose_rows_count(shop: Workspace, import_rows: ImportRows) -> None:
    an_endpoint(shop)
    batch = import_rows("spend", HEADER, "2026-03-01,TV,much")
    assert batch.status == Import.Status.FAILED
    assert told() == [("import.finished", data_of(batch, "failed"))]


def test_an_import_that_was_cancelled(shop: Workspace, import_rows: ImportRows) -> None:
    an_endpoint(shop)
    batch = import_rows("spend", HEADER, ROW, carry_out=False)
    actions.request_cancel(job=batch.job, by=None)
    assert told() == [("import.finished", data_of(batch, "failed"))]
