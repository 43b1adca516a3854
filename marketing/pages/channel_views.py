"""Settings > Channels & grouping."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import access
from accounts.access import AuthedRequest
from accounts.models import Workspace
from accounts.permissions import Permission
from charts import channel_colour
from marketing import channels as actions
from marketing.channel_index import ChannelIndex, channel_index
from marketing.models import Channel, ChannelAlias
from marketing.pages.channel_forms import ChannelForm, OtherChannelForm
from marketing.pages.channel_presenters import channel_list, grouping_summary, merge_effect
from mmm_project.problems import Conflict, Invalid, NotFound
from mmm_project.web import render_page

RECOMPUTED = "The figures are being computed again; until they are ready, the dashboard shows the previous ones."


@require_safe
def channels(request: AuthedRequest, slug: str) -> HttpResponse:
    """List the workspace's channels, and say how traffic is grouped into them."""
    workspace = access.get_workspace(request, slug)
    context = {
        "list": channel_list(workspace=workspace, page=request.GET.get("page")),
        "grouping": grouping_summary(workspace=workspace),
        "may_change": access.can(request, Permission.SETTINGS),
    }
    return render_page(request, "settings/channels.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def channel(request: AuthedRequest, slug: str, channel_id: int) -> HttpResponse:
    """Show what can be changed about a channel; POST gives it another name and type."""
    workspace, index, found = _find(request, slug, channel_id)
    form = ChannelForm(
        request.POST if request.method == "POST" else None, initial={"name": found.name, "type": found.type}
    )
    title = found.name
    if form.is_valid():
        try:
            actions.rename_channel(channel=found, name=form.cleaned_data["name"], by=request.user)
            actions.set_channel_type(channel=found, type=form.cleaned_data["type"], by=request.user)
        except Invalid as refusal:
            form.add_error("name", list(refusal.errors["name"]))
        else:
            messages.success(request, f"“{found.name}” is saved.")
            return redirect("marketing:channels", slug=workspace.slug)
    context = {
        "channel": found,
        "title": title,
        "form": form,
        "colour": channel_colour(found.colour_slot),
        "aliases": ChannelAlias.objects.filter(channel=found).order_by("name"),
        "merged_into": index.channels[index.counted_for(found.pk)] if found.merged_into_id else None,
        "includes": [index.channels[pk] for pk in index.counting_for(found.pk) if pk != found.pk],
        "merge_form": _other(index, found, "Merge into"),
        "colour_form": _other(index, found, "Exchange colours with"),
    }
    return render_page(request, "settings/channels_channel.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def merge_channel(request: AuthedRequest, slug: str, channel_id: int) -> HttpResponse:
    """Say what merging a channel into another (`other`) would change; POST merges them."""
    workspace, index, found = _find(request, slug, channel_id)
    form = _other(index, found, "Merge into", request.POST if request.method == "POST" else request.GET)
    if not form.is_valid():
        status = 422 if request.method == "POST" else 200
        context = {"channel": found, "form": form}
        return render_page(request, "settings/channels_merge.html", context, status=status)
    if request.method == "POST":
        try:
            actions.merge_channels(source=found, target=form.chosen, by=request.user)
        except Conflict as refusal:
            messages.error(request, refusal.detail)
        else:
            messages.success(request, f"{found.name} now counts for {form.chosen.name}. {RECOMPUTED}")
        return redirect("marketing:channels", slug=slug)
    effect = merge_effect(workspace=workspace, index=index, source=found, target=form.chosen)
    return render_page(request, "settings/channels_merge.html", {"channel": found, "form": form, "effect": effect})


@require_POST
def unmerge_channel(request: AuthedRequest, slug: str, channel_id: int) -> HttpResponse:
    """Let a merged channel stand on its own again."""
    _, _, found = _find(request, slug, channel_id)
    if found.merged_into_id is not None:
        actions.unmerge_channel(channel=found, by=request.user)
        messages.success(request, f"{found.name} stands on its own again. {RECOMPUTED}")
    return redirect("marketing:channel", slug=slug, channel_id=channel_id)


@require_POST
def swap_colours(request: AuthedRequest, slug: str, channel_id: int) -> HttpResponse:
    """Exchange the colours of two channels."""
    _, index, found = _find(request, slug, channel_id)
    form = _other(index, found, "Exchange colours with", request.POST)
    if form.is_valid():
        actions.swap_colours(channel=found, other=form.chosen, by=request.user)
        messages.success(request, f"{found.name} and {form.chosen.name} have exchanged their colours.")
    else:
        messages.error(request, "Choose another channel to exchange colours with.")
    return redirect("marketing:channel", slug=slug, channel_id=channel_id)


@require_POST
def forget_name(request: AuthedRequest, slug: str, channel_id: int, alias_id: int) -> HttpResponse:
    """Let a former name of a channel go."""
    _, _, found = _find(request, slug, channel_id)
    alias = ChannelAlias.objects.filter(channel=found, pk=alias_id).select_related("channel__workspace").first()
    if alias is None:
        raise NotFound("The channel has no such former name.")
    actions.forget_name(alias=alias, by=request.user)
    messages.success(request, f"“{alias.name}” is no longer a name of {found.name}.")
    return redirect("marketing:channel", slug=slug, channel_id=channel_id)


def _find(request: AuthedRequest, slug: str, channel_id: int) -> tuple[Workspace, ChannelIndex, Channel]:
    """Return the workspace, its channels and the one in question, for those who may change settings."""
    workspace = access.get_workspace(request, slug)
    access.require(request, Permission.SETTINGS)
    index = channel_index(workspace=workspace)
    found = index.channels.get(channel_id)
    if found is None:
        raise NotFound("There is no such channel in this workspace.")
    return workspace, index, found


def _other(index: ChannelIndex, channel: Channel, label: str, data: object = None) -> OtherChannelForm:
    others = [each for each in index.standing() if each.pk != channel.pk]
    return OtherChannelForm(data, label=label, channels=sorted(others, key=lambda each: each.name.lower()))
