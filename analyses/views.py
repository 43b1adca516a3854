"""The pages about runs: their history, one run while it works and when it has ended, and two runs side by side."""

import uuid
from collections.abc import Sequence

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from accounts import access
from accounts.access import AuthedRequest
from accounts.models import Workspace
from accounts.permissions import Permission
from analyses import comparison, registry
from analyses.errors import InvalidParams
from analyses.models import Run
from analyses.permissions import cancel_permission
from analyses.presenters import present_row, present_run
from analyses.runs import request_run
from jobs import actions as job_actions
from jobs.models import Job
from mmm_project.problems import Invalid, NotFound
from mmm_project.web import render_page

ROWS_PER_PAGE = 25


@require_safe
def history(request: AuthedRequest, slug: str) -> HttpResponse:
    """List the runs that the workspace's people asked for, newest first; two of them can be ticked to be compared."""
    workspace = access.get_workspace(request, slug)
    kinds = registry.names(internal=False)
    kind = request.GET.get("kind", "")
    chosen = _chosen(workspace, request.GET.get("run", ""))
    listed = _runs(workspace).filter(kind=kind) if kind in kinds else _runs(workspace)
    page = Paginator(listed.defer("result"), ROWS_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": [present_row(run) for run in page],
        "kinds": [(name, registry.get(name).label) for name in kinds],
        "kind": kind if kind in kinds else "",
        "chosen": present_row(chosen) if chosen else None,
    }
    return render_page(request, "analyses/runs.html", context)


@require_safe
def compare(request: AuthedRequest, slug: str) -> HttpResponse:
    """Set two finished runs of one kind side by side, or say why that cannot be done."""
    workspace = access.get_workspace(request, slug)
    try:
        one, other = _pair(workspace, request.GET.getlist("run"))
    except Invalid as refusal:
        return render_page(request, "analyses/compare.html", {"problem": refusal.detail})
    return render_page(request, "analyses/compare.html", {"comparison": comparison.compare(one, other)})


@require_safe
def run_page(request: AuthedRequest, slug: str, run_id: uuid.UUID) -> HttpResponse:
    """Show a run; its status fragment asks for this address again until the run has ended."""
    run = _get_run(access.get_workspace(request, slug), run_id)
    page = present_run(run)
    context = {
        "page": page,
        "may_run": access.can(request, Permission.RUN),
        "may_schedule": access.can(request, Permission.SCHEDULE_OWN),
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
    """Ask the same question again, of the newest data; with `renew`, up to the newest day that there is."""
    workspace = access.get_workspace(request, slug)
    run = _get_run(workspace, run_id)
    access.require(request, Permission.RUN)
    renewed = registry.get(run.kind).renewed(workspace, run.params) if "renew" in request.POST else None
    params = run.params if renewed is None else renewed
    try:
        run = request_run(workspace=workspace, kind=run.kind, params=params, by=request.user, trigger=Run.Trigger.PAGE)
    except InvalidParams as refusal:
        messages.error(request, f"This cannot be asked again. {refusal.detail}")
    return redirect("analyses:run", slug=slug, run_id=run.pk)


def _runs(workspace: Workspace) -> QuerySet[Run]:
    """Return the runs that have a page: those that the product keeps up to date for itself have none."""
    asked = Run.objects.filter(workspace=workspace, kind__in=registry.names(internal=False))
    return asked.select_related("workspace", "job", "requested_by", "api_key")


def _pair(workspace: Workspace, asked: Sequence[str]) -> Sequence[Run]:
    """Return the two finished runs of one kind with these ids; raises Invalid saying what is wrong with them."""
    try:
        ids = {uuid.UUID(run_id) for run_id in asked}
    except ValueError:
        raise Invalid("The address does not name runs. Choose two finished runs in the history.") from None
    if len(ids) != 2:
        raise Invalid("Choose two finished runs in the history to compare them.")
    pair = [_get_run(workspace, run_id) for run_id in ids]
    if any(run.job.status != Job.Status.DONE for run in pair):
        raise Invalid("A run that has no result cannot be compared. Choose two finished runs.")
    if len({run.kind for run in pair}) != 1:
        raise Invalid("Runs of different kinds have nothing to compare. Choose two finished runs of one kind.")
    return pair


def _chosen(workspace: Workspace, run_id: str) -> Run | None:
    """Return the finished run that another one is to be compared with, if the address names one."""
    try:
        wanted = uuid.UUID(run_id)
    except ValueError:
        return None
    return _runs(workspace).filter(pk=wanted, job__status=Job.Status.DONE).defer("result").first()


def _get_run(workspace: Workspace, run_id: uuid.UUID) -> Run:
    run = _runs(workspace).filter(pk=run_id).first()
    if run is None:
        raise NotFound("There is no such run in this workspace.")
    return run
