"""The pages about runs: their history, one run while it works and when it has ended, and its CSV."""

import uuid

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from accounts import access
from accounts.access import AuthedRequest
from accounts.models import Workspace
from accounts.permissions import Permission
from analyses import exports, registry
from analyses.errors import InvalidParams
from analyses.models import Run
from analyses.permissions import cancel_permission
from analyses.presenters import present_row, present_run
from analyses.runs import request_run
from jobs import actions as job_actions
from jobs.models import Job
from mmm_project.problems import NotFound
from mmm_project.web import render_page

ROWS_PER_PAGE = 25


@require_safe
def history(request: AuthedRequest, slug: str) -> HttpResponse:
    """List the workspace's runs, newest first."""
    workspace = access.get_workspace(request, slug)
    page = Paginator(_runs(workspace).defer("result"), ROWS_PER_PAGE).get_page(request.GET.get("page"))
    return render_page(request, "analyses/runs.html", {"page": page, "rows": [present_row(run) for run in page]})


@require_safe
def run_page(request: AuthedRequest, slug: str, run_id: uuid.UUID) -> HttpResponse:
    """Show a run; its status fragment asks for this address again until the run has ended."""
    run = _get_run(access.get_workspace(request, slug), run_id)
    page = present_run(run)
    context = {
        "page": page,
        "may_run": access.can(request, Permission.RUN),
        "may_cancel": access.can(request, cancel_permission(run, request.user)),
        **(page.result.context if page.result else {}),
    }
    return render_page(request, "analyses/run.html", context, fragment="status")


@require_POST
def cancel(request: AuthedRequest, slug: str, run_id: uuid.UUID) -> HttpResponse:
    """Ask the run to stop; the page then shows how it ended."""
    run = _get_run(access.get_workspace(request, slug), run_id)
    access.require(request, cancel_permission(run, request.user))
    job_actions.request_cancel(job=run.job, by=request.user)
    return redirect("analyses:run", slug=slug, run_id=run_id)


@require_POST
def retry(request: AuthedRequest, slug: str, run_id: uuid.UUID) -> HttpResponse:
    """Ask the same question again, of the newest data."""
    workspace = access.get_workspace(request, slug)
    run = _get_run(workspace, run_id)
    access.require(request, Permission.RUN)
    try:
        run = request_run(
            workspace=workspace, kind=run.kind, params=run.params, by=request.user, trigger=Run.Trigger.PAGE
        )
    except InvalidParams as refusal:
        messages.error(request, f"This cannot be asked again. {refusal.detail}")
    return redirect("analyses:run", slug=slug, run_id=run.pk)


@require_safe
def export_csv(request: AuthedRequest, slug: str, run_id: uuid.UUID) -> StreamingHttpResponse:
    """Download a finished run's numbers."""
    run = _get_run(access.get_workspace(request, slug), run_id)
    if run.job.status != Job.Status.DONE:
        raise NotFound("This run has no result to download.")
    lines = exports.csv_lines(registry.get(run.kind).rows(run))
    return StreamingHttpResponse(
        lines,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{exports.csv_file_name(run)}"'},
    )


def _runs(workspace: Workspace) -> QuerySet[Run]:
    return Run.objects.filter(workspace=workspace).select_related("workspace", "job", "requested_by", "api_key")


def _get_run(workspace: Workspace, run_id: uuid.UUID) -> Run:
    run = _runs(workspace).filter(pk=run_id).first()
    if run is None:
        raise NotFound("There is no such run in this workspace.")
    return run
