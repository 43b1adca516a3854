"""Settings > Channels & grouping > Grouping: how traffic that names no channel is made into channels."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from accounts import access
from accounts.access import AuthedRequest
from accounts.models import Workspace
from accounts.permissions import Permission
from marketing.channels import change_grouping
from marketing.grouping_rules import Rules
from marketing.models import Channel
from marketing.pages.channel_presenters import GROUPINGS, PreviewPage, preview_page
from marketing.pages.channel_views import RECOMPUTED
from marketing.pages.grouping_editor import CHOICES, GroupingEditor
from marketing.sources import custom_rules
from marketing.traffic import preview
from mmm_project.problems import Conflict
from mmm_project.web import render_page

PAGE = "settings/grouping.html"


@require_http_methods(["GET", "HEAD", "POST"])
def grouping(request: AuthedRequest, slug: str) -> HttpResponse:
    """Show how traffic is grouped, and the workspace's own rules; POST changes the form, previews it or saves it."""
    workspace = access.get_workspace(request, slug)
    access.require(request, Permission.SETTINGS)
    if request.method != "POST":
        editor = GroupingEditor.of(workspace=workspace, stored=custom_rules(workspace=workspace))
        return _page(request, workspace, editor, editor.parsed())
    editor = GroupingEditor.posted(request.POST)
    action = request.POST.get("action", "preview")
    if editor.carry_out(action):
        response = _page(request, workspace, editor, None, fragment="editor")
        response["HX-Trigger-After-Settle"] = "regrouped"  # the preview looks again
        return response
    rules = editor.parsed()
    if action == "save":
        return _save(request, workspace, editor, rules)
    return _page(request, workspace, editor, rules, fragment="preview")


def _save(request: AuthedRequest, workspace: Workspace, editor: GroupingEditor, rules: Rules | None) -> HttpResponse:
    if rules is None:
        return _page(request, workspace, editor, None, status=422)
    try:
        change_grouping(
            workspace=workspace,
            grouping=editor.grouping,
            rules=editor.document() if editor.is_complete else None,
            seen=editor.seen or None,
            by=request.user,
        )
    except Conflict as refusal:
        editor.errors = [refusal.detail]
        return _page(request, workspace, editor, rules, status=409)
    messages.success(request, f"The channel grouping is {workspace.get_channel_grouping_display()} now. {RECOMPUTED}")
    return redirect("marketing:channels", slug=workspace.slug)


def _page(
    request: AuthedRequest,
    workspace: Workspace,
    editor: GroupingEditor,
    rules: Rules | None,
    *,
    fragment: str | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page or a part of it; `rules` are those to preview, None for what cannot be previewed as it stands."""
    found: PreviewPage | None = None
    if rules is not None:
        found = preview_page(
            preview(workspace=workspace, grouping=editor.grouping, rules=rules), grouping=editor.grouping
        )
    context = {
        "editor": editor,
        "groupings": [(value, label, GROUPINGS[value]) for value, label in Workspace.Grouping.choices],
        "choices": CHOICES,
        "preview": found,
        "channel_names": Channel.objects.filter(workspace=workspace, merged_into=None).values_list("name", flat=True)[
            :200
        ],
    }
    return render_page(request, PAGE, context, fragment=fragment, status=status)
