"""What leads on from something that the plan does not include, or not as much of."""

from typing import Any

from django import template
from django.http import HttpRequest
from django.template import Context
from django.urls import reverse

from accounts import access
from accounts.models import Membership
from accounts.permissions import Permission
from accounts.team import owners_of

register = template.Library()


@register.inclusion_tag("components/plan_offer.html", takes_context=True)
def plan_offer(context: Context) -> dict[str, Any]:
    """Lead owners to where they ask for another plan, and tell others who the owners are.

    Also within a component that is included with `only`. Shows nothing on pages of no workspace.
    """
    request: HttpRequest | None = getattr(context, "request", None)
    membership: Membership | None = getattr(request, "membership", None)
    if request is None or membership is None:
        return {}
    may_ask = access.can(request, Permission.PLAN)
    return {
        "url": reverse("settings_plan", kwargs={"slug": membership.workspace.slug}),
        "may_ask": may_ask,
        "owners": [] if may_ask else owners_of(membership.workspace),
    }
