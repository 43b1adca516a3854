"""Settings > Scheduled reports."""

import uuid
from collections.abc import Callable

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone as clock
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import access
from accounts.access import AuthedRequest
from accounts.forms import timezone_choices
from accounts.models import Workspace
from accounts.permissions import Permission
from mmm_project.problems import Conflict, Invalid, PlanLimit, QuotaExceeded
from mmm_project.web import render_page
from reports.models import Schedule
from reports.schedules import actions
from reports.schedules.actions import Settings
from reports.schedules.forms import REPORT, RUN, SHOW_NEXT, ScheduleForm, WhenForm, choices_of, first_choices
from reports.schedules.presenters import present_next, present_rows, present_schedule, schedules_of

ROWS_PER_PAGE = 30


@require_safe
def schedules(request: AuthedRequest, slug: str) -> HttpResponse:
    """List the workspace's schedules."""
    workspace = _workspace(request, slug)
    page = Paginator(schedules_of(workspace), ROWS_PER_PAGE).get_page(request.GET.get("page"))
    return render_page(request, "settings/schedules.html", {"rows": present_rows(page.object_list), "page": page})


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: AuthedRequest, slug: str) -> HttpResponse:
    """Ask what is to go out, when and to whom; POST saves it, or shows the next times."""
    workspace = _workspace(request, slug)
    form = ScheduleForm(
        request.POST if request.method == "POST" else None,
        workspace=workspace,
        initial=first_choices(workspace, request.user, what=_asked_for(request)),
    )

    def create(settings: Settings) -> Schedule:
        return actions.create_schedule(workspace=workspace, settings=settings, by=request.membership)

    if schedule := _save(request, form, create):
        messages.success(request, f"“{schedule.name}” goes out from now on.")
        return redirect("reports:schedule", slug=slug, schedule_id=schedule.pk)
    return _editor(request, form)


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: AuthedRequest, slug: str, schedule_id: uuid.UUID) -> HttpResponse:
    """Show a schedule's form; POST saves it, or shows the next times."""
    workspace, found = _find(request, slug, schedule_id)
    if not actions.may_change(found, request.membership):
        access.require(request, Permission.SCHEDULE_ANY)
    posted = request.POST if request.method == "POST" else None
    form = ScheduleForm(posted, workspace=workspace, schedule=found, initial=choices_of(found))

    def change(settings: Settings) -> Schedule:
        actions.change_schedule(schedule=found, settings=settings, by=request.membership)
        return found

    if _save(request, form, change):
        messages.success(request, f"“{found.name}” is saved.")
        return redirect("reports:schedule", slug=slug, schedule_id=found.pk)
    return _editor(request, form)


@require_safe
def upcoming(request: AuthedRequest, slug: str) -> HttpResponse:
    """Show the next times of what the address says."""
    form = WhenForm(request.GET, workspace=_workspace(request, slug))
    return render_page(request, "settings/schedule_upcoming.html", {"next": _next(form)}, fragment="times")


@require_safe
def schedule(request: AuthedRequest, slug: str, schedule_id: uuid.UUID) -> HttpResponse:
    """Show a schedule: what, when, to whom, and what has come of it."""
    _, found = _find(request, slug, schedule_id)
    page = present_schedule(found, request.membership, now=clock.now())
    return render_page(request, "settings/schedule.html", {"page": page})


@require_POST
def preview(request: AuthedRequest, slug: str, schedule_id: uuid.UUID) -> HttpResponse:
    """Make what would go out now, without a mail, and go to it."""
    _, found = _find(request, slug, schedule_id)
    try:
        edition = actions.preview(schedule=found, by=request.membership)
    except (Invalid, PlanLimit, QuotaExceeded) as refusal:
        messages.error(request, refusal.detail)
        return redirect("reports:schedule", slug=slug, schedule_id=schedule_id)
    return redirect("reports:edition", slug=slug, edition_id=edition.pk)


@require_POST
def send(request: AuthedRequest, slug: str, schedule_id: uuid.UUID) -> HttpResponse:
    """Send it to its recipients at once."""
    return _do(request, slug, schedule_id, actions.send_now, "“{}” is being made, and is sent once it is.")


@require_POST
def pause(request: AuthedRequest, slug: str, schedule_id: uuid.UUID) -> HttpResponse:
    """Send nothing for now."""
    return _do(request, slug, schedule_id, actions.pause_schedule, "“{}” is paused.")


@require_POST
def resume(request: AuthedRequest, slug: str, schedule_id: uuid.UUID) -> HttpResponse:
    """Let a paused schedule go out again."""
    return _do(request, slug, schedule_id, actions.resume_schedule, "“{}” goes out again.")


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: AuthedRequest, slug: str, schedule_id: uuid.UUID) -> HttpResponse:
    """Ask whether a schedule is to go; POST deletes it."""
    _, found = _find(request, slug, schedule_id)
    if not actions.may_change(found, request.membership):
        access.require(request, Permission.SCHEDULE_ANY)
    if request.method != "POST":
        return render_page(request, "settings/schedule_delete.html", {"schedule": found})
    actions.delete_schedule(schedule=found, by=request.membership)
    messages.success(request, f"“{found.name}” is deleted.")
    return redirect("reports:schedules", slug=slug)


def _workspace(request: AuthedRequest, slug: str) -> Workspace:
    """Return the workspace, for those who may schedule reports."""
    workspace = access.get_workspace(request, slug)
    access.require(request, Permission.SCHEDULE_OWN)
    return workspace


def _find(request: AuthedRequest, slug: str, schedule_id: uuid.UUID) -> tuple[Workspace, Schedule]:
    workspace = _workspace(request, slug)
    return workspace, actions.find_schedule(workspace=workspace, schedule_id=schedule_id)


def _asked_for(request: AuthedRequest) -> str:
    """What the address says is to be scheduled, as a choice of the form; what cannot be is not chosen."""
    if run := request.GET.get("run"):
        return f"{RUN}{run}"
    if report := request.GET.get("report"):
        return f"{REPORT}{report}"
    return ""


def _save(request: AuthedRequest, form: ScheduleForm, deed: Callable[[Settings], Schedule]) -> Schedule | None:
    """Do it if that is asked for and the form is valid; None, with the form saying why, where it was not done."""
    if request.POST.get("action") == SHOW_NEXT or not form.is_valid() or form.settings is None:
        return None
    try:
        return deed(form.settings)
    except (Invalid, PlanLimit) as refusal:
        form.refuse(refusal)
        return None


def _editor(request: AuthedRequest, form: ScheduleForm) -> HttpResponse:
    shows_next = request.POST.get("action") == SHOW_NEXT
    context = {
        "form": form,
        "schedule": form.schedule,
        "next": _next(form),
        "timezones": timezone_choices(),
    }
    status = 422 if form.is_bound and not shows_next else 200
    return render_page(request, "settings/schedule_form.html", context, status=status)


def _next(form: WhenForm) -> object:
    """The next times of what the form says, or of what it begins with; None where it says nothing that makes sense."""
    if not form.is_bound:
        form = WhenForm({name: form[name].value() for name in WhenForm.base_fields}, workspace=form.workspace)
    form.is_valid()
    if form.recurrence is None:
        return None
    return present_next(form.recurrence, form.workspace, form.chosen_period, now=clock.now())


def _do(
    request: AuthedRequest, slug: str, schedule_id: uuid.UUID, deed: Callable[..., object], sentence: str
) -> HttpResponse:
    """Do something about a schedule, say what was done or why not, and go back to it."""
    _, found = _find(request, slug, schedule_id)
    try:
        deed(schedule=found, by=request.membership)
    except (Conflict, Invalid, PlanLimit, QuotaExceeded) as refusal:
        messages.error(request, refusal.detail)
    else:
        messages.success(request, sentence.format(found.name))
    return redirect("reports:schedule", slug=slug, schedule_id=schedule_id)
