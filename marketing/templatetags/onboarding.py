"""The first steps in a workspace, on the pages that have nothing to show yet."""

from typing import Any

from django import template
from django.template import Context

from accounts.models import Membership
from marketing.onboarding import checklist, checklist_beside_figures

register = template.Library()


@register.inclusion_tag("marketing/checklist.html", takes_context=True)
def first_steps(context: Context, *, folded: bool = False) -> dict[str, Any]:
    """Show what is left to do in the workspace that the page is about; `folded`: beside figures, if anything is."""
    membership: Membership | None = getattr(context.get("request"), "membership", None)
    found = None
    if membership:
        found = checklist_beside_figures(membership) if folded else checklist(membership)
    return {"checklist": found, "folded": folded}
