"""The badge of a workspace that shows demo data."""

from typing import Any

from django import template
from django.template import Context

from accounts.models import Workspace
from marketing.models import Import

register = template.Library()


@register.inclusion_tag("components/demo_badge.html", takes_context=True)
def demo_badge(context: Context) -> dict[str, Any]:
    """Show the badge if the page's workspace holds demo data; one query."""
    workspace: Workspace | None = context["shell"].page_workspace
    shown = workspace is not None and (
        Import.objects.filter(workspace=workspace, origin=Import.Origin.DEMO, status=Import.Status.ACTIVE).exists()
    )
    return {"workspace": workspace, "shown": shown, "csrf_token": context.get("csrf_token")}
