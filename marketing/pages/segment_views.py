"""Data > Segments: those of the workspace, and the form of one with a count of what it holds."""

from collections.abc import Callable

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import access
from accounts.access import AuthedRequest
from accounts.models import Workspace
from accounts.permissions import Permission
from marketing.models import SavedSegment
from marketing.pages.segment_forms import PREVIEW, SAVE, SegmentForm
from marketing.pages.segment_presenters import present_preview, present_rows, sample_in_words, scope_in_words
from marketing.segments import saved
from marketing.segments.preview import scope_of
from mmm_project.problems import Invalid
from mmm_project.web import render_page

ROWS_PER_PAGE = 20


@require_safe
def segments(request: AuthedRequest, slug: str) -> HttpResponse:
    """List the workspace's segments with what each holds; the archived ones by themselves."""
    workspace = access.get_workspace(request, slug)
    archived = bool(request.GET.get("archived"))
    known = workspace.saved_segments.all()
    page = Paginator(known.filter(archived_at__isnull=not archived), ROWS_PER_PAGE).get_page(request.GET.get("page"))
    scope = scope_of(workspace)
    rows, figures = present_rows(workspace, list(page), scope)
    context = {
        "rows": rows,
        "page": page,
        "archived": archived,
        "others": known.filter(archived_at__isnull=archived).count(),
        "scope": scope_in_words(scope) if scope else "",
        "is_unprepared": bool(rows) and figures is None,
        "sample": sample_in_words(figures[0]) if figures else "",
        "may_edit": access.can(request, Permission.SEGMENTS),
    }
    return render_page(request, "data/segments.html", context, fragment="list")


@require_http_methods(["GET", "HEAD", "POST"])
def new_segment(request: AuthedRequest, slug: str) -> HttpResponse:
    """Ask what the segment is to hold; POST adds or removes a condition, counts, or saves it."""
    workspace = access.get_workspace(request, slug)
    access.require(request, Permission.SEGMENTS)
    form = SegmentForm(workspace=workspace, data=request.POST if request.method == "POST" else None)

    def create() -> None:
        saved.create_segment(workspace=workspace, name=form.name, definition=form.definition, by=request.user)

    if _save(request, form, create):
        return redirect("marketing:segments", slug=slug)
    return _editor(request, workspace, form, None)


@require_http_methods(["GET", "HEAD", "POST"])
def segment(request: AuthedRequest, slug: str, segment_id: int) -> HttpResponse:
    """Show a segment's form; POST adds or removes a condition, counts, or saves it."""
    workspace, found = _find(request, slug, segment_id)
    form = SegmentForm(workspace=workspace, segment=found, data=request.POST if request.method == "POST" else None)
    name = found.name

    def change() -> None:
        saved.change_segment(segment=found, name=form.name, definition=form.definition, by=request.user)

    if _save(request, form, change):
        return redirect("marketing:segments", slug=slug)
    return _editor(request, workspace, form, name)


@require_POST
def duplicate_segment(request: AuthedRequest, slug: str, segment_id: int) -> HttpResponse:
    """Copy a segment, and go to the copy."""
    _, found = _find(request, slug, segment_id)
    try:
        copy = saved.duplicate_segment(segment=found, by=request.user)
    except Invalid as refusal:
        messages.error(request, refusal.detail)
        return redirect("marketing:segments", slug=slug)
    return redirect("marketing:segment", slug=slug, segment_id=copy.pk)


@require_POST
def archive_segment(request: AuthedRequest, slug: str, segment_id: int) -> HttpResponse:
    """Stop offering a segment."""
    _, found = _find(request, slug, segment_id)
    if saved.archive_segment(segment=found, by=request.user):
        messages.success(request, f"“{found.name}” is archived: it is no longer offered, and its runs stay readable.")
    return redirect("marketing:segments", slug=slug)


@require_POST
def restore_segment(request: AuthedRequest, slug: str, segment_id: int) -> HttpResponse:
    """Offer an archived segment again."""
    _, found = _find(request, slug, segment_id)
    if saved.restore_segment(segment=found, by=request.user):
        messages.success(request, f"“{found.name}” is offered again.")
    return redirect("marketing:segments", slug=slug)


def _find(request: AuthedRequest, slug: str, segment_id: int) -> tuple[Workspace, SavedSegment]:
    """Return the workspace and its segment, for those who may change segments."""
    workspace = access.get_workspace(request, slug)
    found = saved.get_segment(workspace=workspace, segment_id=segment_id)
    access.require(request, Permission.SEGMENTS)
    return workspace, found


def _save(request: AuthedRequest, form: SegmentForm, deed: Callable[[], None]) -> bool:
    """Do it if that is asked for and the form is valid; return whether it was done. The form says why not."""
    if form.action != SAVE or not form.is_valid():
        return False
    try:
        deed()
    except Invalid as refusal:
        form.refuse(refusal.errors, refusal.detail)
        return False
    messages.success(request, f"“{form.name}” is saved.")
    return True


def _editor(request: AuthedRequest, workspace: Workspace, form: SegmentForm, name: str | None) -> HttpResponse:
    """The form's page; to HTMX only its preview, or what adding or removing a condition changed."""
    context = {
        "form": form,
        "name": name,
        "preview": present_preview(workspace, form.definition if form.is_countable() else None),
    }
    fragment = "preview" if form.action == PREVIEW else "editor"
    status = 422 if form.action == SAVE else 200
    return render_page(request, "data/segment.html", context, fragment=fragment, status=status)
