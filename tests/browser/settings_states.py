"""Settings with something in them: people, invitations of every standing, goals, outcomes, plans, who is invited."""

import datetime as dt
from collections.abc import Mapping

from django.utils import timezone

from accounts.actions import add_member, create_workspace
from accounts.audit import record
from accounts.invitations import invite
from accounts.models import ApiUsage, Invitation, Plan, Role, User, Workspace
from accounts.plan_requests import decline, request_plan
from marketing.models import Goal, Outcome
from reports.branding.actions import change_look
from tests.reports.logos import a_logo


def settings_arguments(shop: Workspace, owner: User) -> dict[str, object]:
    """Give the shop colleagues, invitations, goals and outcomes; return what arguments of URLs stand for."""
    analyst = User.objects.create_user("an.analyst.with.quite.a.long.name@a-company-of-some-length.example.com")
    joined = add_member(workspace=shop, user=analyst, role=Role.ANALYST, by=owner)
    by = shop.memberships.get(user=owner)
    waiting = invite(workspace=shop, email="new.person@example.com", role=Role.VIEWER, by=by)
    expired = invite(workspace=shop, email="late@example.com", role=Role.ADMIN, by=by)
    Invitation.objects.filter(pk=expired.invitation.pk).update(expires_at=timezone.now() - dt.timedelta(days=1))
    Goal.objects.create(workspace=shop, name="Newsletter sign-up")
    Goal.objects.create(workspace=shop, name="Catalogue", archived_at=timezone.now())
    is_sales = {"kind": Outcome.Kind.SALES, "is_money": True}
    Outcome.objects.update_or_create(workspace=shop, name="Sales", defaults=is_sales)  # demo data have them already
    awareness = Outcome.objects.create(workspace=shop, name="Awareness", kind=Outcome.Kind.BRAND_AWARENESS)
    change_look(workspace=shop, colour="#0b6b3a", paper="letter", logo=a_logo(), by=owner)
    asked = request_plan(workspace=shop, plan="enterprise", message="", by=by)
    decline(request=asked, by=owner, answer="Not before the invoice of May is paid.")
    return {
        "goal_id": shop.goals.get(name="Lead").pk,
        "outcome_id": awareness.pk,
        "membership_id": joined.pk,
        "invitation_id": waiting.invitation.pk,
        "token": waiting.token,
    }


def invitation_cases(owner: User) -> dict[str, Mapping[str, object]]:
    """Invite the owner, and somebody else, to the workspace of others."""
    host = User.objects.create_user("host@example.org")
    elsewhere = create_workspace(name="Seed & Sail", slug="elsewhere", owner=host)
    by = elsewhere.memberships.get()
    return {
        "for me": {"token": invite(workspace=elsewhere, email=owner.email, role=Role.ANALYST, by=by).token},
        "for somebody else": {
            "token": invite(workspace=elsewhere, email="x@example.org", role=Role.ADMIN, by=by).token
        },
    }


def plan_and_log_states(owner: User, shop: Workspace) -> dict[str, str]:
    """A workspace beyond what its plan includes, which asks for another one; and the shop's audit log, looked through.

    What to call it -> its address.
    """
    Plan.objects.create(code="team", name="Team", rank=9, max_members=1, max_rows=0, runs_a_month=0)
    full = create_workspace(name="Full House", slug="full", owner=owner, plan="team")
    ApiUsage.objects.create(workspace=full, day=timezone.now().date(), calls=1_234_567)
    message = "More rows, please.\n\nWe import from the shop, the app and seventeen countries, as of next month."
    request_plan(workspace=full, plan="enterprise", message=message, by=full.memberships.get())
    long = {"before": "a-very-long-word-" * 12, "after": {"conditions": [{"type": "touches", "at_least": 2}]}}
    record(
        workspace=full, action="segment.changed", target="An object " * 20, actor=owner, changes={"definition": long}
    )
    log = f"/w/{shop.slug}/settings/audit/"
    return {
        "plan that is used up": "/w/full/settings/plan/",
        "log of long words": "/w/full/settings/audit/",
        "log of imports": f"{log}?action=import&actor={owner.pk}&start=2020-01-01",
        "log of nothing": f"{log}?target=no+such+thing",
        "log of nonsense": f"{log}?actor=abc&action=abc&start=abc&after=abc",
    }
