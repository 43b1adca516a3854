"""The pages of journeys across channels: the question with its answer, the journeys of a link, and a pair."""

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

from accounts import access
from accounts.access import AuthedRequest
from accounts.models import Workspace
from accounts.permissions import Permission
from analyses.asking import period_of
from analyses.choices import Usable, as_form_says
from analyses.models import Run
from analyses.permissions import cancel_permission
from analyses.presenters import Offer, present_row, present_run
from analyses.runs import request_run
from crosschannel.analysis import in_address
from crosschannel.forms import CrosschannelForm, asked_for, initial
from crosschannel.labels import KIND
from jobs.models import Job
from marketing.demo_data import demo_state
from marketing.models import Dataset
from marketing.periods import where_data_ends
from marketing.selectors import data_ends
from mmm_project.problems import NotFound
from mmm_project.tables import csv_pieces
from mmm_project.web import render_page

RUNS_SHOWN = 8
RUNS_LOOKED_AT = 50  # for the answer to a question


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: AuthedRequest, slug: str) -> HttpResponse:
    """Show the flows and interactions of a question, or the newest ones; POST asks and comes back with its answer."""
    workspace = access.get_workspace(request, slug)
    if request.method != "POST":
        asked = asked_for(workspace, request.GET)
        form = CrosschannelForm(workspace=workspace, initial=initial(workspace, asked))
        return render_page(request, "crosschannel/page.html", _context(request, workspace, form, asked))
    access.require(request, Permission.RUN)
    form = CrosschannelForm(request.POST, workspace=workspace)
    if not form.is_valid():
        return render_page(request, "crosschannel/page.html", _context(request, workspace, form, None), status=422)
    run = request_run(workspace=workspace, kind=KIND, params=form.params, by=request.user, trigger=Run.Trigger.PAGE)
    query = urlencode(dict(in_address(run.params)), doseq=True)
    return redirect(f"{reverse('crosschannel:page', kwargs={'slug': slug})}?{query}")


@require_safe
def journeys(request: AuthedRequest, slug: str, run_id: uuid.UUID) -> HttpResponse:
    """Show the journeys of a run that pass the nodes and match the words of the address, and their flows."""
    # Here, not above: it brings NumPy, which the start of the web server must not wait for.
    from crosschannel.presentation.journeys_page import present_journeys

    run = get_run(access.get_workspace(request, slug), run_id)
    return render_page(request, "crosschannel/journeys.html", {"page": present_journeys(run, request.GET)})


@require_safe
def journeys_csv(request: AuthedRequest, slug: str, run_id: uuid.UUID) -> StreamingHttpResponse:
    """Download the paths of `journeys`, all pages of them."""
    from crosschannel.presentation.journeys_page import rows_of_journeys

    run = get_run(access.get_workspace(request, slug), run_id)
    pieces = csv_pieces(rows_of_journeys(run, request.GET))
    response = StreamingHttpResponse(pieces, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="journeys-{slug}-{run.pk}.csv"'
    return response


@require_safe
def pair(request: AuthedRequest, slug: str, run_id: uuid.UUID) -> HttpResponse:
    """Show what a run says of two channels, named in the address in either order."""
    from crosschannel.presentation.pair_page import present_pair

    run = get_run(access.get_workspace(request, slug), run_id)
    names = (request.GET.get("a", ""), request.GET.get("b", ""))
    return render_page(request, "crosschannel/pair.html", {"page": present_pair(run, *names)})


def get_run(workspace: Workspace, run_id: uuid.UUID) -> Run:
    """Return a finished run of this kind, or raise NotFound."""
    runs = Run.objects.select_related("workspace", "job", "requested_by", "api_key")
    try:
        return runs.get(workspace=workspace, pk=run_id, kind=KIND, job__status=Job.Status.DONE)
    except Run.DoesNotExist:
        raise NotFound("There is no such finished analysis of journeys across channels.") from None


def _context(
    request: AuthedRequest, workspace: Workspace, form: CrosschannelForm, asked: Usable | None
) -> dict[str, object]:
    """Return what the page shows; `asked`: the question that the address stands for, None for a form with mistakes."""
    ends = data_ends(workspace=workspace, datasets=[Dataset.CONVERSIONS])
    runs = Run.objects.filter(workspace=workspace, kind=KIND).order_by("-created_at")
    latest = list(runs.select_related("workspace", "job", "requested_by", "api_key").defer("result")[:RUNS_LOOKED_AT])
    answer = next((run for run in latest if asked and run.params == asked.params), None)
    shown = answer or next((run for run in latest if run.job.status == Job.Status.DONE), None)
    page = present_run(shown) if shown else None
    return {
        "form": form,
        "more_open": form.more_open,
        "has_data": ends is not None,
        "demo": demo_state(workspace) if ends is None else None,
        "may_run": access.can(request, Permission.RUN),
        "may_import": access.can(request, Permission.IMPORT),
        "data_ends": ends,
        "left_out": as_form_says(CrosschannelForm, asked.left_out) if asked else [],
        "offer": _offer(request, asked.params, ends) if asked else None,
        "is_answer": answer is not None,
        "page": page,
        **(page.result.context if page and page.result else {}),
        "may_cancel": shown is not None and access.can(request, cancel_permission(shown, request.user)),
        "rows": [present_row(run) for run in latest[:RUNS_SHOWN]],
    }


def _offer(request: AuthedRequest, asked: Mapping[str, Any], ends: dt.date | None) -> Offer | None:
    """Offer the last days of the data where the period goes on beyond it, leaving the rest of the question as it is."""
    period = where_data_ends(period_of(asked), data_ends=ends)
    if period is None:
        return None
    query = request.GET.copy()
    query.pop("period", None)
    query["start"], query["end"] = period.start.isoformat(), period.end.isoformat()
    return Offer(label=f"Use its last {period.days} days", url=f"?{query.urlencode()}")
