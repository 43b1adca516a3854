"""The page that asks for a media mix model; its answer is a run's page."""

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from accounts import access
from accounts.access import AuthedRequest
from accounts.models import Workspace
from accounts.permissions import Permission
from analyses.choices import as_form_says
from analyses.models import Run
from analyses.presenters import present_row
from analyses.runs import request_run
from marketing.demo_data import demo_state
from mmm_project.web import render_page, wants_fragment
from weightings.forms import WeightingsForm, form_for
from weightings.labels import MODEL_LABELS, MODEL_SENTENCES
from weightings.presentation.newest import newest_answer
from weightings.setup.asking import media_mix_readiness, present_question

PAGE = "weightings/page.html"
PREVIEW, RETURNS = "preview", "returns"  # what a form may be sent for, besides being asked
RUNS_SHOWN = 8


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: AuthedRequest, slug: str) -> HttpResponse:
    """Choose a question and see the latest answers; POST asks it and goes to its run, or shows what it implies."""
    workspace = access.get_workspace(request, slug)
    if request.method != "POST":
        form = form_for(workspace, query=request.GET)
        return render_page(request, PAGE, _context(request, workspace, form))
    access.require(request, Permission.RUN)
    form = form_for(workspace, data=request.POST)
    action = request.POST.get("action")
    if action in (PREVIEW, RETURNS):
        return _preview(request, workspace, form, fragment=action)
    if not form.is_valid():
        return render_page(request, PAGE, _context(request, workspace, form), status=422)
    run = request_run(
        workspace=workspace, kind="weightings", params=form.params, by=request.user, trigger=Run.Trigger.PAGE
    )
    return redirect("analyses:run", slug=slug, run_id=run.pk)


def _preview(request: AuthedRequest, workspace: Workspace, form: WeightingsForm, *, fragment: str) -> HttpResponse:
    """What the question learns from, and what is believed beforehand; with the page around it without a script."""
    context = {"form": form, "asked": present_question(workspace, form, with_preview=True)}
    if not wants_fragment(request):
        context = _context(request, workspace, form) | context
    return render_page(request, PAGE, context, fragment=fragment)


def _context(request: AuthedRequest, workspace: Workspace, form: WeightingsForm) -> dict[str, object]:
    runs = Run.objects.filter(workspace=workspace, kind="weightings").defer("result")
    latest = runs.select_related("workspace", "job", "requested_by", "api_key")[:RUNS_SHOWN]
    missing = _missing(form)
    nothing = len(missing) > 1
    return {
        "form": form,
        "left_out": as_form_says(WeightingsForm, form.left_out),
        "asked": present_question(workspace, form),
        "models": [(label, MODEL_SENTENCES[name]) for name, label in MODEL_LABELS.items()],
        "missing": missing,
        "missing_text": f"What is missing: {' and '.join(missing)}. Import it, then ask here what media brought.",
        "demo": demo_state(workspace) if nothing else None,
        "readiness": None if missing else media_mix_readiness(workspace),
        "newest": newest_answer(workspace),
        "may_run": access.can(request, Permission.RUN),
        "may_import": access.can(request, Permission.IMPORT),
        "rows": [present_row(run) for run in latest],
    }


def _missing(form: WeightingsForm) -> list[str]:
    """Return what a model needs and the workspace does not have."""
    missing = [] if form.has_outcomes else ["values of an outcome, such as sales by day or by week"]
    return missing if form.has_media else [*missing, "spend by channel"]
