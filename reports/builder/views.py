"""Reports: the list of them, a new one from a template, and the builder of one."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import access
from accounts.access import AuthedRequest
from accounts.permissions import Permission
from mmm_project.problems import Conflict, Invalid, NotFound
from mmm_project.web import render_page
from reports.blocks.templates import TEMPLATES
from reports.builder import actions
from reports.builder.choices import BlockChoices
from reports.builder.forms import PREVIEW, STORES, HeadForm, ReportForm, initial_of_template
from reports.builder.listing import (
    EMPTY,
    editions_of,
    present_reports,
    present_rows,
    schedule_url,
    template_cards,
)
from reports.models import Report

EDITIONS_PER_PAGE = 15
RECENT_EDITIONS = 5  # on the page of their report


@require_safe
def reports(request: AuthedRequest, slug: str) -> HttpResponse:
    """List the workspace's reports, and what was made of them, newest first."""
    workspace = access.get_workspace(request, slug)
    page = Paginator(editions_of(workspace), EDITIONS_PER_PAGE).get_page(request.GET.get("page"))
    rows = present_reports(workspace)
    context = {
        "rows": rows,
        "page": page,
        "editions": present_rows(page),
        "may_edit": access.can(request, Permission.REPORTS),
        "templates": [] if rows else template_cards(workspace),
    }
    return render_page(request, "reports/reports.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def new_report(request: AuthedRequest, slug: str) -> HttpResponse:
    """Offer the templates; with one chosen, ask for the report's name and what it is about. POST creates it."""
    workspace = access.get_workspace(request, slug)
    access.require(request, Permission.REPORTS)
    name = request.GET.get("template", "")
    template = TEMPLATES.get(name)
    if template is None and name != EMPTY:
        return render_page(request, "reports/report_templates.html", {"templates": template_cards(workspace)})
    label = template.label if template else "Report"
    form = HeadForm(
        request.POST or None,
        initial=initial_of_template(template, actions.free_name(workspace, label)),
        choices=BlockChoices(workspace),
        needs_campaign=template is not None and template.for_campaign,
        judged=True,
    )
    if request.method == "POST" and form.is_valid():
        try:
            report = actions.create(
                workspace=workspace, template=name if template else "", by=request.user, **form.settings()
            )
        except Invalid as refusal:
            for field, sentences in (refusal.errors or {"": [refusal.detail]}).items():
                form.refuse(field, sentences)
        else:
            messages.success(request, f"“{report.name}” is created.")
            return redirect("reports:report", slug=slug, report_id=report.pk)
    context = {"form": form, "label": label, "purpose": template.purpose if template else ""}
    return render_page(request, "reports/report_new.html", context, status=422 if request.method == "POST" else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def report(request: AuthedRequest, slug: str, report_id: int) -> HttpResponse:
    """Show a report and its form; POST adds, moves or removes a block, saves it, or saves and previews it."""
    workspace = access.get_workspace(request, slug)
    found = actions.get(workspace=workspace, report_id=report_id)
    is_sent = request.method == "POST"
    if is_sent:
        access.require(request, Permission.REPORTS)
    form = ReportForm(report=found, data=request.POST if is_sent else None)
    stores = is_sent and form.action in STORES
    if stores and form.is_valid() and (answer := _stored(request, found, form)):
        return answer
    context = {
        "report": found,
        "form": form,
        "may_edit": access.can(request, Permission.REPORTS),
        "may_run": access.can(request, Permission.RUN),
        "schedule_url": schedule_url(found),
        "editions": present_rows(editions_of(workspace).filter(report=found)[:RECENT_EDITIONS]),
    }
    return render_page(request, "reports/report.html", context, fragment="editor", status=422 if stores else 200)


@require_POST
def duplicate_report(request: AuthedRequest, slug: str, report_id: int) -> HttpResponse:
    """Copy a report, and go to the copy."""
    original = actions.get(workspace=access.get_workspace(request, slug), report_id=report_id)
    access.require(request, Permission.REPORTS)
    try:
        copy = actions.duplicate(report=original, by=request.user)
    except Invalid as refusal:
        messages.error(request, refusal.detail)
        return redirect("reports:report", slug=slug, report_id=report_id)
    messages.success(request, f"This is “{copy.name}”. Schedules stay with “{original.name}”.")
    return redirect("reports:report", slug=slug, report_id=copy.pk)


@require_http_methods(["GET", "HEAD", "POST"])
def delete_report(request: AuthedRequest, slug: str, report_id: int) -> HttpResponse:
    """Ask whether a report is to be deleted, naming the schedules that go with it; POST deletes it."""
    found = actions.get(workspace=access.get_workspace(request, slug), report_id=report_id)
    access.require(request, Permission.REPORTS)
    if request.method == "POST":
        try:
            actions.delete(report=found, by=request.membership)
        except Conflict as refusal:
            messages.error(request, refusal.detail)
            return redirect("reports:report", slug=slug, report_id=report_id)
        messages.success(request, f"“{found.name}” is deleted. What was made of it stays.")
        return redirect("reports:reports", slug=slug)
    schedules = list(found.schedules.order_by("name"))
    context = {
        "report": found,
        "schedules": [schedule.name for schedule in schedules],
        "in_the_way": actions.in_the_way(schedules, request.membership),
    }
    return render_page(request, "reports/report_delete.html", context)


def _stored(request: AuthedRequest, report: Report, form: ReportForm) -> HttpResponse | None:
    """Save the report, and go to it or to its preview; None where that is refused, which the form then says."""
    if form.action == PREVIEW:
        access.require(request, Permission.RUN)
    try:
        actions.change(report=report, by=request.user, **form.settings())
        if form.action == PREVIEW:
            saved = actions.get(workspace=report.workspace, report_id=report.pk)
            edition = actions.preview(report=saved, by=request.user)
            return redirect("reports:edition", slug=report.workspace.slug, edition_id=edition.pk)
    except NotFound:
        raise
    except Invalid as refusal:
        form.refuse(refusal.errors, refusal.detail)
        return None
    messages.success(request, "The report is saved.")
    return redirect("reports:report", slug=report.workspace.slug, report_id=report.pk)
