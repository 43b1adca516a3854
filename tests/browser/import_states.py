"""Uploads and imports in every state that their pages know, none of which changes a figure of the workspace."""

import io
from collections.abc import Mapping

from accounts.models import User, Workspace
from jobs.actions import claim
from jobs.execution import execute
from jobs.models import Job
from marketing.importing import uploads
from marketing.importing.undo_requests import request_undo
from marketing.models import Dataset, Import, Upload

# Prices by day: two cannot be read, and one day comes twice.
PRICES = "date,control,value\n" + "".join(
    f"2026-03-{day:02},Price of the cheapest competitor,{day}.5\n" for day in range(1, 21)
)
WITH_MISTAKES = PRICES + "2026-03-21,Price,dear\n2026-02-30,Price,5\n2026-03-01,Price of the cheapest competitor,2\n"
WIDE = "week,tv_S,Radio_spend,sales,a note that nobody needs\n" + "".join(
    f"2026-03-{day:02},{day},7,{day}00,blue\n" for day in (2, 9, 16, 23)
)
ASKS = "date,channel,spend\n03/04/2026,TV,5\n05/06/2026,Radio,6\n"


def import_cases(workspace: Workspace, by: User) -> dict[str, Mapping[str, object]]:
    """Return what to call a state -> the arguments of the addresses of its pages."""
    checked = _check(_upload(workspace, by, WITH_MISTAKES, name="prices with mistakes.csv"))
    being_checked = _upload(workspace, by, PRICES.replace("cheapest", "dearest"), name="being-checked.csv")
    _get_going(uploads.request_check(upload=being_checked, ring=False), "Checking rows")
    cancelled = _upload(workspace, by, PRICES.replace("cheapest", "nearest"), name="cancelled.csv")
    Job.objects.filter(pk=uploads.request_check(upload=cancelled, ring=False).pk).update(status=Job.Status.CANCELLED)
    wrong = _check(_upload(workspace, by, PRICES.replace(".5", "?"), name="nothing-valid.csv"))
    best = WITH_MISTAKES.replace("cheapest", "best")
    brought = _bring_in(_check(_upload(workspace, by, best, name="prices.csv")), by)
    undone = _bring_in(_check(_upload(workspace, by, PRICES.replace("cheapest", "worst"), name="undone.csv")), by)
    _execute(request_undo(batch=undone, by=by, ring=False))
    working = _upload(workspace, by, PRICES.replace("cheapest", "other"), name="on-its-way.csv")
    on_its_way = uploads.import_valid_rows(upload=_check(working), by=by, ring=False)
    _get_going(on_its_way.job, "Loading rows")
    failed = _bring_in(wrong, by)
    again = _check(_upload(workspace, by, best, name="prices, once more.csv"))
    of_uploads = {
        "with mistakes": checked,
        "that is being checked": being_checked,
        "whose check was cancelled": cancelled,
        "that was imported before": again,
        "that asks": _upload(workspace, by, ASKS, name="asks.csv"),
        "of a wide table": _upload(workspace, by, WIDE, name=f"{'a very long name of a file ' * 4}.csv"),
        "that is not recognised": _upload(workspace, by, "a,b\nx,y\n", name="riddle.csv"),
        "of nothing valid": _check(_upload(workspace, by, PRICES.replace(".5", "?"), name="nothing.csv")),
    }
    of_imports = {"with rejects": brought, "undone": undone, "on its way": on_its_way, "failed": failed}
    slug: Mapping[str, object] = {"slug": workspace.slug}
    return {
        **{f"upload {name}": {**slug, "upload_id": upload.pk} for name, upload in of_uploads.items()},
        **{f"import {name}": {**slug, "import_id": batch.pk} for name, batch in of_imports.items()},
    }


def _upload(workspace: Workspace, by: User, content: str, *, name: str) -> Upload:
    upload = uploads.start_upload(
        workspace=workspace, file=io.BytesIO(content.encode()), file_name=name, by=by, origin=Import.Origin.PAGE
    )
    if not upload.dataset and "control" in content:
        uploads.set_mapping(upload=upload, dataset=Dataset.CONTROLS, mapping={})
    return upload


def _check(upload: Upload) -> Upload:
    execute(job_id=uploads.request_check(upload=upload, ring=False).pk)
    return Upload.objects.select_related("workspace").get(pk=upload.pk)


def _bring_in(upload: Upload, by: User) -> Import:
    batch = uploads.import_valid_rows(upload=upload, by=by, ring=False)
    execute(job_id=batch.job_id)
    return Import.objects.select_related("workspace", "job").get(pk=batch.pk)


def _get_going(job: Job, phase: str) -> None:
    """Leave a job as a worker has it that is in the middle of it."""
    claim(job_id=job.pk)
    Job.objects.filter(pk=job.pk).update(phase=phase, progress=0.4)


def _execute(job: Job | None) -> None:
    if job is not None:
        execute(job_id=job.pk)
