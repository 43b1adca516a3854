"""Finished runs and scenarios as files to keep: at once, or prepared in the background where that takes a while."""

import uuid

from django.http import FileResponse, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from accounts import access
from accounts.access import AuthedRequest
from accounts.models import Workspace
from analyses import registry
from analyses.models import Run
from jobs.models import Job
from mmm_project.problems import NotFound
from mmm_project.web import render_page
from reports.branding.looks import asked_look
from reports.exports import NO_CACHE, background, download, format_of
from reports.exports.file_page import GONE, present_file, present_offer
from reports.exports.weight import takes_long
from weightings.planner import scenarios


@require_safe
def export_run(request: AuthedRequest, slug: str, run_id: uuid.UUID, form: str) -> HttpResponseBase:
    """Download a finished run in one of the formats; every member may. What takes long is offered to be prepared."""
    workspace = access.get_workspace(request, slug)
    run = _finished_run(workspace, run_id)
    format_of(form)
    paper = request.GET.get("paper", "")
    look = asked_look(workspace, paper)
    document = registry.get(run.kind).document(run)
    if takes_long(document, form):
        return render_page(request, "reports/export_offer.html", {"offer": present_offer(run, form, paper)})
    return download(document, form, look)


@require_POST
def prepare_export(request: AuthedRequest, slug: str, run_id: uuid.UUID, form: str) -> HttpResponse:
    """Have a file made in the background; every member may, as every member may download it."""
    workspace = access.get_workspace(request, slug)
    run = _finished_run(workspace, run_id)
    file = background.request_file(run=run, form=form, paper=request.POST.get("paper", ""), by=request.user)
    return redirect("reports:export_page", slug=slug, file_id=file.pk)


@require_safe
def export_page(request: AuthedRequest, slug: str, file_id: uuid.UUID) -> HttpResponse:
    """Show how far a file is, and where it is once it is ready."""
    workspace = access.get_workspace(request, slug)
    page = present_file(background.get_file(workspace=workspace, file_id=file_id))
    return render_page(request, "reports/export_file.html", {"page": page}, fragment="file")


@require_safe
def export_file(request: AuthedRequest, slug: str, file_id: uuid.UUID) -> FileResponse:
    """Download a file that was prepared; every member may."""
    workspace = access.get_workspace(request, slug)
    file = background.get_file(workspace=workspace, file_id=file_id)
    place = background.place_of(file)
    if place is None:
        raise NotFound("This file is not ready yet." if not file.job.finished else GONE)
    content_type, headers = format_of(file.form).content_type, {"Cache-Control": NO_CACHE}
    return FileResponse(
        place.open("rb"), as_attachment=True, filename=file.name, content_type=content_type, headers=headers
    )


@require_safe
def export_scenario(request: AuthedRequest, slug: str, scenario_id: int, form: str) -> HttpResponseBase:
    """Download a scenario in one of the formats; every member may."""
    workspace = access.get_workspace(request, slug)
    scenario = scenarios.get(workspace=workspace, scenario_id=scenario_id)
    # Here, not above: it brings SciPy, which the start of the web server must not wait for.
    from weightings.planner.pages import present_scenario

    page = present_scenario(scenario)
    if page.document is None:
        raise NotFound(page.problem)
    return download(page.document, form, asked_look(workspace, request.GET.get("paper", "")))


def _finished_run(workspace: Workspace, run_id: uuid.UUID) -> Run:
    """Return a run that people asked for, with its result. Raises NotFound."""
    asked = Run.objects.filter(workspace=workspace, kind__in=registry.names(internal=False))
    run = asked.select_related("workspace", "job", "requested_by", "api_key").filter(pk=run_id).first()
    if run is None:
        raise NotFound("There is no such run in this workspace.")
    if run.job.status != Job.Status.DONE:
        raise NotFound("This run has no result to download.")
    return run
