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
_OFFER = "plan_offer"  # looked up once for a page, however much on it is locked


@register.inclusion_tag("components/plan_offer.html", takes_context=True)
def plan_offer(context: Context) -> dict[str, Any]:
    """Lead owners to where they ask for another plan, and tell others who the owners are.

    Also within a component that is included with `only`. Shows nothing on pages of no workspace.
    """
    request: HttpRequest | None = getattr(context, "request", None)
    membership: Membership | None = getattr(request, "membership", None)
    if request is None or membership is None:
        return {}
    offer: dict[str, Any] | None = getattr(request, _OFFER, None)
    if offer is None:
        may_ask = access.can(request, Permission.PLAN)
        offer = {
            "url": reverse("settings_plan", kwargs={"slug": membership.workspace.slug}),
            "may_ask": may_ask,
            "owners": [] if may_ask else owners_of(membership.workspace),
        }
        setattr(request, _OFFER, offer)
    return offer
