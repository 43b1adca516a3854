"""The steps from a file to its import: how it is read, what its columns mean, what a check of its rows finds."""

from typing import Any

from django.http import FileResponse, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import access
from accounts.access import AuthedRequest
from accounts.permissions import Permission
from jobs.actions import request_cancel
from marketing.importing import uploads
from marketing.importing.errors import FileRejected
from marketing.models import Dataset, Upload
from marketing.pages.import_forms import DATASET_LABELS, ColumnsForm, ReadingForm
from marketing.pages.import_views import kept_file, rejects_name
from marketing.pages.upload_presenters import present_check, present_columns, present_file, steps
from mmm_project.problems import NotFound
from mmm_project.web import render_page


@require_safe
def upload(request: AuthedRequest, slug: str, upload_id: int) -> HttpResponse:
    """Go on where the file stands: to its import, its check, its columns, or to what it does not tell by itself."""
    found = _get_upload(request, slug, upload_id)
    if found.batch_id:
        return redirect("marketing:import", slug=slug, import_id=found.batch_id)
    if found.check_job_id:
        return redirect("marketing:upload_check", slug=slug, upload_id=upload_id)
    step = "upload_file" if uploads.open_questions(found) else "upload_columns"
    return redirect(f"marketing:{step}", slug=slug, upload_id=upload_id)


@require_http_methods(["GET", "HEAD", "POST"])
def file_step(request: AuthedRequest, slug: str, upload_id: int) -> HttpResponse:
    """Show how the file is read and its first rows; POST reads it otherwise."""
    found = _get_upload(request, slug, upload_id)
    if found.batch_id:
        return redirect("marketing:import", slug=slug, import_id=found.batch_id)
    form = _reading_form(request.POST if request.method == "POST" else None, found)
    if form.is_bound and form.is_valid():
        try:
            uploads.set_reading(upload=found, chosen=form.chosen())
        except FileRejected as error:
            form.add_error(None, str(error))
        else:
            stays = "preview" in request.POST or uploads.open_questions(found)
            step = "upload_file" if stays else "upload_columns"
            return redirect(f"marketing:{step}", slug=slug, upload_id=upload_id)
    context = {"form": form, "page": present_file(found), "upload": found, "steps": steps(found, current="File")}
    return render_page(request, "data/upload_file.html", context, status=422 if form.is_bound else 200)


def _reading_form(data: Any, upload: Upload) -> ReadingForm:
    return ReadingForm(
        data,
        reading=uploads.reading_of(upload),
        sheets=uploads.file_found(upload)["sheets"],
        questions=uploads.open_questions(upload),
        chosen=uploads.chosen_by_hand(upload),
        dataset=upload.dataset,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def columns_step(request: AuthedRequest, slug: str, upload_id: int) -> HttpResponse:
    """Ask what the file holds and what its columns mean; POST has its rows checked."""
    found = _get_upload(request, slug, upload_id)
    if found.batch_id:
        return redirect("marketing:import", slug=slug, import_id=found.batch_id)
    if uploads.open_questions(found):
        return redirect("marketing:upload_file", slug=slug, upload_id=upload_id)
    asked = request.POST.get("dataset") or request.GET.get("dataset") or found.dataset
    dataset = Dataset(asked) if asked in Dataset.values else None
    form = _columns_form(request.POST if request.method == "POST" else None, found, dataset)
    if dataset and form and form.is_bound and form.is_valid():
        try:
            uploads.set_mapping(upload=found, dataset=dataset, mapping=form.mapping())
        except FileRejected as error:
            form.add_error(None, str(error))
        else:
            uploads.request_check(upload=found)
            return redirect("marketing:upload_check", slug=slug, upload_id=upload_id)
    context = {
        "form": form,
        "page": present_columns(found, form, dataset=dataset),
        "upload": found,
        "dataset": dataset or "",
        "dataset_choices": DATASET_LABELS.items(),
        "steps": steps(found, current="Columns"),
    }
    return render_page(request, "data/upload_columns.html", context, status=422 if form and form.is_bound else 200)


def _columns_form(data: Any, upload: Upload, dataset: Dataset | None) -> ColumnsForm | None:
    if dataset is None:
        return None
    mapping = uploads.proposed_mapping(upload, dataset)
    return ColumnsForm(data, dataset=dataset, header=uploads.columns_of(upload, dataset), mapping=mapping)


@require_http_methods(["GET", "HEAD", "POST"])
def check_step(request: AuthedRequest, slug: str, upload_id: int) -> HttpResponse:
    """Show how far the check is and what it found; POST imports the valid rows."""
    found = _get_upload(request, slug, upload_id)
    if request.method == "POST":
        batch = uploads.import_valid_rows(upload=found, by=request.user, again="again" in request.POST)
        return redirect("marketing:import", slug=slug, import_id=batch.pk)
    if found.batch_id:
        return redirect("marketing:import", slug=slug, import_id=found.batch_id)
    context = {
        "job": found.check_job,
        "percent": int(found.check_job.progress * 100) if found.check_job else 0,
        "page": present_check(found) if uploads.rows_found(found) else None,
        "upload": found,
        "steps": steps(found, current="Check"),
    }
    return render_page(request, "data/upload_check.html", context, fragment="status")


@require_POST
def check_again(request: AuthedRequest, slug: str, upload_id: int) -> HttpResponse:
    """Check the rows once more, after a check that failed or was cancelled."""
    found = _get_upload(request, slug, upload_id)
    uploads.request_check(upload=found)
    return redirect("marketing:upload_check", slug=slug, upload_id=upload_id)


@require_POST
def cancel_check(request: AuthedRequest, slug: str, upload_id: int) -> HttpResponse:
    """Stop the check that runs."""
    found = _get_upload(request, slug, upload_id)
    if found.check_job:
        request_cancel(job=found.check_job, by=request.user)
    return redirect("marketing:upload_check", slug=slug, upload_id=upload_id)


@require_POST
def discard(request: AuthedRequest, slug: str, upload_id: int) -> HttpResponse:
    """Forget the file."""
    uploads.discard_upload(upload=_get_upload(request, slug, upload_id), by=request.user)
    return redirect("marketing:data", slug=slug)


@require_safe
def rejected_rows(request: AuthedRequest, slug: str, upload_id: int) -> HttpResponse | FileResponse:
    """Download the rows that the check rejected, each with its reason."""
    found = _get_upload(request, slug, upload_id)
    return kept_file(found.rejects_file, name=rejects_name(found.file_name))


def _get_upload(request: AuthedRequest, slug: str, upload_id: int) -> Upload:
    """Return the upload, for those who may import."""
    workspace = access.get_workspace(request, slug)
    access.require(request, Permission.IMPORT)
    found = Upload.objects.filter(workspace=workspace, pk=upload_id)
    one = found.select_related("workspace", "check_job", "requested_by").first()
    if one is None:
        raise NotFound("There is no such upload in this workspace. Files that are not imported are kept for 7 days.")
    return one
