"""The page of experiments, and the form that a lift test is entered by."""

import hashlib

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from accounts import access
from accounts.access import AuthedRequest
from accounts.models import Workspace
from accounts.permissions import Permission
from marketing.experiments import visible_experiments
from mmm_project.problems import Conflict, NotFound
from mmm_project.web import render_page
from weightings.lift_tests.checks import Doubt, doubts
from weightings.lift_tests.entries import LiftTest, enter_lift_test
from weightings.lift_tests.forms import LiftTestForm, initial_of
from weightings.lift_tests.listing import present_experiments
from weightings.lift_tests.preview import present_preview
from weightings.lift_tests.recorded import Recorded, recorded

PREVIEW = "preview"


@require_safe
def experiments(request: AuthedRequest, slug: str) -> HttpResponse:
    """Show every lift test beside what the model says of it, and what to test next."""
    workspace = access.get_workspace(request, slug)
    context = {
        "page": present_experiments(workspace, user=request.user, role=request.membership.role),
        "may_import": access.can(request, Permission.IMPORT),
        "may_run": access.can(request, Permission.RUN),
    }
    return render_page(request, "weightings/experiments.html", context, fragment="tests")


@require_http_methods(["GET", "HEAD", "POST"])
def new_experiment(request: AuthedRequest, slug: str) -> HttpResponse:
    """Ask for a lift test, one that is there to correct it if the address says so; POST previews or saves it."""
    workspace = access.get_workspace(request, slug)
    access.require(request, Permission.IMPORT)
    if request.method != "POST":
        initial = _initial(workspace, request.GET.get("experiment", ""))
        return _editor(request, LiftTestForm(workspace=workspace, initial=initial), None, [])
    form = LiftTestForm(request.POST, workspace=workspace)
    form.is_valid()
    test = form.test
    found = None if test is None else recorded(workspace, channel=test.channel, period=test.period, geo=test.geo)
    doubtful = [] if test is None or found is None else doubts(test, found, currency=workspace.currency)
    saves = request.POST.get("action") != PREVIEW
    if saves and test is not None and _is_settled(test, doubtful, request.POST.get("confirmed", "")):
        try:
            enter_lift_test(workspace=workspace, test=test, by=request.user, form=form.form_token)
        except Conflict as refusal:
            form.add_error(None, refusal.detail)
        else:
            messages.success(request, f"The test of {test.channel} is saved. Models know it from their next run on.")
            return redirect("weightings:experiments", slug=slug)
    return _editor(request, form, found, doubtful, saves=saves)


def _editor(
    request: AuthedRequest, form: LiftTestForm, found: Recorded | None, doubtful: list[Doubt], *, saves: bool = False
) -> HttpResponse:
    context = {
        "form": form,
        "preview": present_preview(form, found, doubtful),
        "confirmation": _confirmation(form.test, doubtful) if saves and doubtful and form.test is not None else "",
    }
    return render_page(
        request, "weightings/experiment_new.html", context, fragment="preview", status=422 if saves else 200
    )


def _is_settled(test: LiftTest, doubtful: list[Doubt], confirmed: str) -> bool:
    """Whether nothing is doubtful about a test, or somebody has seen what is and saves it all the same."""
    return not doubtful or confirmed == _confirmation(test, doubtful)


def _confirmation(test: LiftTest, doubtful: list[Doubt]) -> str:
    """What a save says that is about this test with these doubts."""
    return hashlib.sha256(" ".join([test.digest, *(doubt.code for doubt in doubtful)]).encode()).hexdigest()[:32]


def _initial(workspace: Workspace, asked: str) -> dict[str, object]:
    """What the form starts with. Raises NotFound for an experiment that the workspace does not have."""
    if not asked:
        return {}
    for experiment in visible_experiments(workspace):
        if str(experiment.pk) == asked:
            return initial_of(experiment)
    raise NotFound("There is no such experiment in this workspace.")
