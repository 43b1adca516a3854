"""The page that asks for a media mix model; its answer is a run's page."""

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from accounts import access
from accounts.access import AuthedRequest
from accounts.models import Workspace
from accounts.permissions import Permission
from analyses.models import Run
from analyses.presenters import present_row
from analyses.runs import request_run
from marketing.demo_data import demo_state
from marketing.models import ChannelSpend, Import
from mmm_project.web import render_page
from weightings.forms import MORE_SETTINGS, WeightingsForm, form_for, initial
from weightings.labels import MODEL_LABELS, MODEL_SENTENCES

RUNS_SHOWN = 8


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: AuthedRequest, slug: str) -> HttpResponse:
    """Choose a question and see the latest answers; POST asks it and goes to its run."""
    workspace = access.get_workspace(request, slug)
    if request.method != "POST":
        form = form_for(workspace, initial=initial(workspace, request.GET))
        return render_page(request, "weightings/page.html", _context(request, workspace, form))
    access.require(request, Permission.RUN)
    form = form_for(workspace, data=request.POST)
    if not form.is_valid():
        return render_page(request, "weightings/page.html", _context(request, workspace, form), status=422)
    run = request_run(
        workspace=workspace, kind="weightings", params=form.params, by=request.user, trigger=Run.Trigger.PAGE
    )
    return redirect("analyses:run", slug=slug, run_id=run.pk)


def _context(request: AuthedRequest, workspace: Workspace, form: WeightingsForm) -> dict[str, object]:
    runs = Run.objects.filter(workspace=workspace, kind="weightings").defer("result")
    latest = runs.select_related("workspace", "job", "requested_by", "api_key")[:RUNS_SHOWN]
    missing = _missing(workspace, form)
    nothing = len(missing) > 1
    return {
        "form": form,
        "more": [form[name] for name in MORE_SETTINGS],
        "more_open": any(form.errors.get(name) for name in MORE_SETTINGS),
        "models": [(label, MODEL_SENTENCES[name]) for name, label in MODEL_LABELS.items()],
        "missing": missing,
        "missing_text": f"What is missing: {' and '.join(missing)}. Import it, then ask here what media brought.",
        "demo": demo_state(workspace) if nothing else None,
        "may_run": access.can(request, Permission.RUN),
        "may_import": access.can(request, Permission.IMPORT),
        "rows": [present_row(run) for run in latest],
    }


def _missing(workspace: Workspace, form: WeightingsForm) -> list[str]:
    """Return what a model needs and the workspace does not have."""
    spend = ChannelSpend.objects.filter(batch__workspace=workspace, batch__status=Import.Status.ACTIVE, shadowed=False)
    missing = [] if form.has_outcomes else ["values of an outcome, such as sales by day or by week"]
    return missing if spend.exists() else [*missing, "spend by channel"]
