"""Settings with something in them: people, invitations of every standing, goals and outcomes; and who is invited."""

import datetime as dt
from collections.abc import Mapping

from django.utils import timezone

from accounts.actions import add_member, create_workspace
from accounts.invitations import invite
from accounts.models import Invitation, Role, User, Workspace
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
