"""The pages about imports: what there is, one import while it works and when it has ended, and taking it back."""

from django.conf import settings
from django.core.paginator import Paginator
from django.http import FileResponse, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import access
from accounts.access import AuthedRequest
from accounts.models import Workspace
from accounts.permissions import Permission
from marketing import demo_data
from marketing.importing import kept_files, undo_requests, uploads
from marketing.importing.errors import FileRejected
from marketing.models import Dataset, Import
from marketing.pages.import_forms import DATASET_LABELS, FileForm
from marketing.pages.import_presenters import (
    history,
    imported_statuses,
    present_datasets,
    present_import,
    present_row,
    unfinished_uploads,
)
from mmm_project.problems import NotFound
from mmm_project.web import render_page

ROWS_PER_PAGE = 25


@require_http_methods(["GET", "HEAD", "POST"])
def data(request: AuthedRequest, slug: str) -> HttpResponse:
    """Show what data there is and how it came; POST takes in a file and goes on to what is in it."""
    workspace = access.get_workspace(request, slug)
    if request.method != "POST":
        return _data_page(request, workspace, FileForm())
    access.require(request, Permission.IMPORT)
    form = FileForm(request.POST, request.FILES)
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            upload = uploads.start_upload(
                workspace=workspace, file=file, file_name=file.name, by=request.user, origin=Import.Origin.PAGE
            )
        except FileRejected as error:
            form.add_error("file", str(error))
        else:
            return redirect("marketing:upload", slug=slug, upload_id=upload.pk)
    return _data_page(request, workspace, form)


def _data_page(request: AuthedRequest, workspace: Workspace, form: FileForm) -> HttpResponse:
    dataset, status = request.GET.get("dataset", ""), request.GET.get("status", "")
    listed = history(workspace, dataset=dataset, status=status)
    page = Paginator(listed, ROWS_PER_PAGE).get_page(request.GET.get("page"))
    may_import = access.can(request, Permission.IMPORT)
    context = {
        "form": form,
        "max_bytes": settings.MAX_FILE_BYTES,
        "max_megabytes": f"{settings.MAX_FILE_BYTES // 2**20:,}",
        "may_import": may_import,
        "datasets": present_datasets(workspace),
        "unfinished": unfinished_uploads(workspace) if may_import else [],
        "page": page,
        "rows": [present_row(batch) for batch in page],
        "has_imports": bool(page.paginator.count) or history(workspace).exists(),
        "demo": demo_data.demo_state(workspace),
        "dataset": dataset,
        "dataset_choices": DATASET_LABELS.items(),
        "status": status,
        "status_choices": imported_statuses(),
    }
    return render_page(request, "data/imports.html", context, status=422 if form.is_bound else 200)


@require_safe
def template(request: AuthedRequest, slug: str, dataset: str) -> HttpResponse:
    """Download an example of a dataset's file, with its header and some rows."""
    from marketing.importing.templates import template_file

    access.get_workspace(request, slug)
    if dataset not in Dataset.values:
        raise NotFound("There is no such dataset.")
    return HttpResponse(
        template_file(Dataset(dataset)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{dataset}-template.csv"'},
    )


@require_safe
def import_page(request: AuthedRequest, slug: str, import_id: int) -> HttpResponse:
    """Show an import; its status fragment asks for this address again as long as something moves."""
    workspace = access.get_workspace(request, slug)
    batch = _get_import(workspace, import_id)
    page = present_import(
        batch, user=request.user, role=request.membership.role, undo=undo_requests.undo_job(workspace)
    )
    return render_page(request, "data/import.html", {"page": page}, fragment="status")


@require_POST
def cancel(request: AuthedRequest, slug: str, import_id: int) -> HttpResponse:
    """Stop an import that waits or runs."""
    batch = _get_import(access.get_workspace(request, slug), import_id)
    access.require(request, undo_requests.delete_permission(batch=batch, user=request.user))
    undo_requests.cancel_import(batch=batch, by=request.user)
    return redirect("marketing:import", slug=slug, import_id=import_id)


@require_http_methods(["GET", "HEAD", "POST"])
def undo(request: AuthedRequest, slug: str, import_id: int) -> HttpResponse:
    """Ask whether the import is to be undone; POST has that done."""
    workspace = access.get_workspace(request, slug)
    batch = _get_import(workspace, import_id)
    access.require(request, undo_requests.delete_permission(batch=batch, user=request.user))
    if request.method == "POST":
        undo_requests.request_undo(batch=batch, by=request.user)
        return redirect("marketing:import", slug=slug, import_id=import_id)
    page = present_import(batch, user=request.user, role=request.membership.role, undo=None)
    return render_page(request, "data/undo.html", {"page": page})


@require_POST
def again(request: AuthedRequest, slug: str, import_id: int) -> HttpResponse:
    """Start another import from the file of this one."""
    batch = _get_import(access.get_workspace(request, slug), import_id)
    access.require(request, Permission.IMPORT)
    upload = uploads.upload_again(batch=batch, by=request.user)
    return redirect("marketing:upload", slug=slug, upload_id=upload.pk)


@require_safe
def original_file(request: AuthedRequest, slug: str, import_id: int) -> HttpResponse | FileResponse:
    """Download the file as it was imported: it may name customers, so it is for those who import."""
    batch = _get_import(access.get_workspace(request, slug), import_id)
    access.require(request, Permission.IMPORT)
    stored = "" if batch.origin == Import.Origin.DEMO else batch.stored_file
    return kept_file(stored, name=batch.file_name)


@require_safe
def rejected_rows(request: AuthedRequest, slug: str, import_id: int) -> HttpResponse | FileResponse:
    """Download the rows that were rejected, each with its reason."""
    batch = _get_import(access.get_workspace(request, slug), import_id)
    access.require(request, Permission.IMPORT)
    return kept_file(batch.rejects_file, name=rejects_name(batch.file_name))


def kept_file(stored: str, *, name: str) -> FileResponse:
    """Return a kept file as a download under this name. Raises NotFound if it is not kept (any longer)."""
    path = kept_files.path_of(stored)
    if not stored or not path.is_file():
        raise NotFound("This file is not kept any longer.")
    return FileResponse(path.open("rb"), as_attachment=True, filename=name, content_type="application/octet-stream")


def rejects_name(file_name: str) -> str:
    """Return what the rejected rows of a file are called when they are downloaded."""
    return f"{file_name.rsplit('.', 1)[0]}-rejected.csv"


def _get_import(workspace: Workspace, import_id: int) -> Import:
    batches = Import.objects.filter(workspace=workspace, pk=import_id)
    batch = batches.select_related("workspace", "job", "requested_by", "undone_by").first()
    if batch is None:
        raise NotFound("There is no such import in this workspace.")
    return batch
