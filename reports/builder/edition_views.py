"""Editions: one while it is being made and once it can be read, and its files."""

import uuid

from django.http import FileResponse, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from accounts import access
from accounts.access import AuthedRequest
from accounts.permissions import Permission
from jobs import actions as job_actions
from jobs.models import Job
from mmm_project.problems import NotFound
from mmm_project.web import render_page
from reports.builder.edition_page import cancel_permission, present_edition
from reports.editions import files, snapshots
from reports.editions.actions import get_edition, request_again
from reports.exports import NO_CACHE, format_of, safe_name
from reports.models import Edition


@require_safe
def edition(request: AuthedRequest, slug: str, edition_id: uuid.UUID) -> HttpResponse:
    """Show an edition; its status fragment asks for this address again until it has ended."""
    found = _find(request, slug, edition_id)
    context = {
        "page": present_edition(found),
        "may_run": access.can(request, Permission.RUN),
        "may_cancel": access.can(request, cancel_permission(found, request.user)),
    }
    return render_page(request, "reports/edition.html", context, fragment="status")


@require_POST
def cancel_edition(request: AuthedRequest, slug: str, edition_id: uuid.UUID) -> HttpResponse:
    """Ask for the edition not to be made; its analyses go on, as others may wait for them, too."""
    found = _find(request, slug, edition_id)
    access.require(request, cancel_permission(found, request.user))
    job_actions.request_cancel(job=found.job, by=request.user)
    return redirect("reports:edition", slug=slug, edition_id=edition_id)


@require_POST
def make_again(request: AuthedRequest, slug: str, edition_id: uuid.UUID) -> HttpResponse:
    """Make another edition of the same blocks and period, on the present data."""
    found = _find(request, slug, edition_id)
    access.require(request, Permission.RUN)
    again = request_again(edition=found, by=request.user)
    return redirect("reports:edition", slug=slug, edition_id=again.pk)


@require_safe
def export_edition(request: AuthedRequest, slug: str, edition_id: uuid.UUID, form: str) -> FileResponse:
    """Download an edition in one of the formats; every member may."""
    found = _find(request, slug, edition_id)
    kind = format_of(form)
    if found.job.status != Job.Status.DONE:
        raise NotFound("This edition has not been finished, so there is nothing to download.")
    try:
        name = files.name_of(snapshots.document_of(found), form)
        path = files.file_of(found, form)
    except snapshots.SnapshotLost as lost:
        raise NotFound(str(lost)) from lost
    headers = {"Cache-Control": NO_CACHE}
    return FileResponse(
        path.open("rb"), as_attachment=True, filename=safe_name(name), content_type=kind.content_type, headers=headers
    )


def _find(request: AuthedRequest, slug: str, edition_id: uuid.UUID) -> Edition:
    found = get_edition(workspace=access.get_workspace(request, slug), edition_id=edition_id)
    if found is None:
        raise NotFound("There is no such edition in this workspace.")
    return found
