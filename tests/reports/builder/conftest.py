"""A report of the small shop, and who works with it."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Role, User, Workspace
from marketing.models import Campaign
from reports.builder import actions
from reports.models import Report
from tests.factories import MembershipFactory

MakeReport = Callable[..., Report]


@pytest.fixture
def make_report(shop: Workspace) -> MakeReport:
    """`make_report("Review", "attribution", "text")`: a report with these blocks, or of a `template`."""

    def make_report(name: str = "Review", *kinds: str, **options: Any) -> Report:
        report = actions.create(workspace=shop, name=name, by=None, **options)
        if kinds:
            blocks = [{"kind": kind, "title": kind.title(), "params": {}} for kind in kinds]
            settings = {field: getattr(report, field) for field in ("name", "period", "comparison", "campaign")}
            actions.change(report=report, blocks=blocks, by=None, **settings)
            report.refresh_from_db()
        return report

    return make_report


@pytest.fixture
def elsewhere(outsider: User) -> Workspace:
    """Another workspace, with a campaign."""
    workspace = outsider.memberships.get().workspace
    Campaign.objects.create(workspace=workspace, name="Their campaign")
    return workspace


@pytest.fixture
def second_analyst(shop: Workspace) -> User:
    user: User = MembershipFactory.create(workspace=shop, role=Role.ANALYST, user__email="second@example.com").user
    return user
