"""Attribution > Custom models: those of the workspace, and the form of one with a preview of what it does."""

import datetime as dt
from collections.abc import Callable

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import access
from accounts.access import AuthedRequest
from accounts.models import Workspace
from accounts.permissions import Permission
from analyses.models import Run
from analyses.runs import request_run
from attribution.catalogue import LAST_RESORT
from attribution.custom import custom_models
from attribution.custom.forms import PREVIEW, RUN, SAVE, CustomModelForm
from attribution.custom.presenters import present_rows, present_versions, query_of
from attribution.custom.preview import present_preview
from attribution.models import CustomModel
from marketing.models import Dataset
from marketing.periods import Period, yesterday
from marketing.selectors import data_ends
from mmm_project.problems import Invalid
from mmm_project.web import render_page, wants_fragment

ROWS_PER_PAGE = 20


@require_safe
def custom_list(request: AuthedRequest, slug: str) -> HttpResponse:
    """List the workspace's custom models; the archived ones by themselves."""
    workspace = access.get_workspace(request, slug)
    archived = bool(request.GET.get("archived"))
    known = custom_models.known(workspace)
    page = Paginator(known.filter(archived_at__isnull=not archived), ROWS_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "rows": present_rows(list(page), custom_models.uses(workspace)),
        "page": page,
        "archived": archived,
        "others": known.filter(archived_at__isnull=archived).count(),
        "may_edit": access.can(request, Permission.CUSTOM_MODELS),
    }
    return render_page(request, "attribution/custom_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def custom_new(request: AuthedRequest, slug: str) -> HttpResponse:
    """Ask what the model is to weigh; POST adds or removes a rule, previews, or saves it."""
    workspace = access.get_workspace(request, slug)
    access.require(request, Permission.CUSTOM_MODELS)
    form = CustomModelForm(workspace=workspace, data=request.POST if request.method == "POST" else None)

    def create() -> CustomModel:
        return custom_models.create(
            workspace=workspace,
            name=form.name,
            description=form.description,
            definition=form.definition,
            by=request.user,
        )

    if model := _save(request, form, create):
        messages.success(request, f"“{model.name}” is saved.")
        return _after_saving(request, form, model)
    return _editor(request, workspace, form, None)


@require_http_methods(["GET", "HEAD", "POST"])
def custom_model(request: AuthedRequest, slug: str, model_id: int) -> HttpResponse:
    """Show a model, its form and its versions; POST adds or removes a rule, previews, or saves the next version."""
    workspace = access.get_workspace(request, slug)
    model = custom_models.get(workspace=workspace, model_id=model_id)
    if request.method == "POST":
        access.require(request, Permission.CUSTOM_MODELS)
    form = CustomModelForm(workspace=workspace, model=model, data=request.POST if request.method == "POST" else None)
    before = custom_models.newest(model).number

    def change() -> CustomModel:
        custom_models.change(
            model=model,
            name=form.name,
            description=form.description,
            definition=form.definition,
            by=request.user,
        )
        return custom_models.get(workspace=workspace, model_id=model_id)

    if saved := _save(request, form, change):
        number = custom_models.newest(saved).number
        what = "is saved; it means what it did before" if number == before else f"is saved as version {number}"
        messages.success(request, f"“{saved.name}” {what}.")
        return _after_saving(request, form, saved)
    return _editor(request, workspace, form, custom_models.get(workspace=workspace, model_id=model_id))


@require_POST
def custom_duplicate(request: AuthedRequest, slug: str, model_id: int) -> HttpResponse:
    """Copy what the newest version means into a model of its own, and go to that."""
    model = _find(request, slug, model_id)
    try:
        copy = custom_models.duplicate(model=model, by=request.user)
    except Invalid as refusal:
        messages.error(request, refusal.detail)
        return redirect("attribution:custom_models", slug=slug)
    return redirect("attribution:custom_model", slug=slug, model_id=copy.pk)


@require_POST
def custom_archive(request: AuthedRequest, slug: str, model_id: int) -> HttpResponse:
    """Stop offering a model."""
    model = _find(request, slug, model_id)
    if custom_models.archive(model=model, by=request.user):
        messages.success(request, f"“{model.name}” is archived: it is no longer offered, and its runs stay readable.")
    return redirect("attribution:custom_models", slug=slug)


@require_POST
def custom_restore(request: AuthedRequest, slug: str, model_id: int) -> HttpResponse:
    """Offer an archived model again."""
    model = _find(request, slug, model_id)
    try:
        if custom_models.restore(model=model, by=request.user):
            messages.success(request, f"“{model.name}” is offered again.")
    except Invalid as refusal:
        messages.error(request, refusal.detail)
    return redirect("attribution:custom_models", slug=slug)


def _find(request: AuthedRequest, slug: str, model_id: int) -> CustomModel:
    """Return a model of the workspace, for those who may change it."""
    model = custom_models.get(workspace=access.get_workspace(request, slug), model_id=model_id)
    access.require(request, Permission.CUSTOM_MODELS)
    return model


def _save(request: AuthedRequest, form: CustomModelForm, deed: Callable[[], CustomModel]) -> CustomModel | None:
    """Do it if that is asked for and the form is valid; return the model that was saved. The form says why not."""
    if form.action not in (SAVE, RUN) or request.method != "POST" or not form.is_valid():
        return None
    try:
        return deed()
    except Invalid as refusal:
        form.refuse(refusal.errors, refusal.detail)
        return None


def _after_saving(request: AuthedRequest, form: CustomModelForm, model: CustomModel) -> HttpResponse:
    """Go to the model, or to a run of it; without data for one, to the page that says what is missing."""
    workspace = model.workspace
    if form.action != RUN:
        return redirect("attribution:custom_model", slug=workspace.slug, model_id=model.pk)
    ends = data_ends(workspace=workspace, datasets=[Dataset.CONVERSIONS])
    if ends is None or not access.can(request, Permission.RUN):
        return redirect(f"{reverse('attribution:page', kwargs={'slug': workspace.slug})}?{query_of(model)}")
    run = request_run(
        workspace=workspace,
        kind="attribution",
        params=_beside_the_usual_model(model, ends),
        by=request.user,
        trigger=Run.Trigger.PAGE,
    )
    return redirect("analyses:run", slug=workspace.slug, run_id=run.pk)


def _beside_the_usual_model(model: CustomModel, ends: dt.date) -> dict[str, object]:
    """Ask for the model beside the workspace's default one, in its usual period or, where data end before, the last."""
    workspace = model.workspace
    usual = workspace.default_attribution_model
    beside = LAST_RESORT if usual.startswith(custom_models.PREFIX) else usual
    until = min(ends, yesterday(now=timezone.now(), zone=workspace.zone))
    period = Period.last_days(workspace.period_days, until=until)
    return {
        "model": [f"{custom_models.PREFIX}{model.pk}", beside],
        "start": period.start.isoformat(),
        "end": period.end.isoformat(),
    }


def _editor(
    request: AuthedRequest, workspace: Workspace, form: CustomModelForm, model: CustomModel | None
) -> HttpResponse:
    """The page of a model; to HTMX only its preview, or what adding or removing a rule changed."""
    asks_for_preview = form.action == PREVIEW or (request.method == "GET" and wants_fragment(request))
    is_countable = form.is_countable()
    may_edit = access.can(request, Permission.CUSTOM_MODELS)
    context: dict[str, object] = {
        "form": form,
        "model": model,
        "may_edit": may_edit,
        "is_editable": may_edit and (model is None or model.archived_at is None),
        # Crediting the workspace's own data takes a moment, which a page that opens does not wait for.
        "preview": present_preview(
            workspace,
            form.definition if is_countable else None,
            problems=[] if form.new_place else form.problems(),
            with_data=asks_for_preview,
            is_draft=request.method == "POST",
        ),
    }
    if model is not None:
        context["versions"] = present_versions(model, custom_models.uses(workspace))
        context["run_query"] = query_of(model)
        context["next_number"] = custom_models.newest(model).number + 1
    fragment = "preview" if asks_for_preview else "editor"
    status = 422 if form.action in (SAVE, RUN) else 200
    return render_page(request, "attribution/custom_model.html", context, fragment=fragment, status=status)
