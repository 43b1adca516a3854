"""The question mark beside a page's title."""

from typing import Any

from django import template
from django.template import Context

from guide.help_links import help_url

register = template.Library()


@register.inclusion_tag("guide/help_link.html", takes_context=True)
def help_link(context: Context) -> dict[str, Any]:
    """Lead to the part of the guide that belongs to the page which is shown; the guide itself has no such link."""
    match = getattr(context.get("request"), "resolver_match", None)
    return {"url": help_url(match.view_name) if match and match.app_name != "guide" else ""}
