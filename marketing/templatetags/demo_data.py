"""The badge of a workspace that shows demo data."""

from typing import Any

from django import template
from django.template import Context

from accounts.models import Membership
from marketing import demo_data

register = template.Library()


@register.inclusion_tag("components/demo_badge.html", takes_context=True)
def demo_badge(context: Context) -> dict[str, Any]:
    """Show the badge if the workspace that the page is about holds demo data; one query."""
    membership: Membership | None = getattr(context.get("request"), "membership", None)
    return {
        "badge": demo_data.demo_badge(membership) if membership else None,
        "workspace": membership.workspace if membership else None,
        "csrf_token": context.get("csrf_token"),
    }
