"""The first steps in a workspace: which there are, and which its state says are done. Nothing is stored for it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from django.urls import NoReverseMatch, reverse
from django.utils import timezone as clock

from accounts.models import Invitation, Membership, Workspace
from accounts.permissions import Permission, allows
from marketing.models import Conversion, Dataset, Goal, HealthReport, Import

# Afterwards a step that is still open is one that nobody means to take.
SHOWN_FOR = timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class Step:
    """`url`: where it is done; "" for a member who may not."""

    label: str
    text: str
    url: str
    is_done: bool


@dataclass(frozen=True, kw_only=True)
class Checklist:
    """The steps, in the order in which to take them."""

    steps: list[Step]

    @property
    def done(self) -> int:
        return sum(step.is_done for step in self.steps)

    @property
    def is_complete(self) -> bool:
        return self.done == len(self.steps)


def checklist(membership: Membership) -> Checklist:
    """Return the first steps in the member's workspace. Demo data is no step of its owner's."""
    own = Import.objects.filter(workspace=membership.workspace_id, status=Import.Status.ACTIVE)
    own = own.exclude(origin=Import.Origin.DEMO)
    datasets = set(own.order_by().values_list("dataset", flat=True).distinct())
    steps = [
        *_import_steps(membership, datasets),
        _health_step(membership, datasets),
        _goals_step(membership, datasets),
        _team_step(membership),
    ]
    return Checklist(steps=steps)


def checklist_beside_figures(membership: Membership) -> Checklist | None:
    """Return the first steps for a page that has figures already.

    None once all are taken, a month after the workspace was made, and where the figures are of demo data.
    """
    if clock.now() - membership.workspace.created_at > SHOWN_FOR or _has_demo_data(membership.workspace):
        return None
    found = checklist(membership)
    return None if found.is_complete else found


def _has_demo_data(workspace: Workspace) -> bool:
    demo = Import.objects.filter(workspace=workspace, origin=Import.Origin.DEMO, status=Import.Status.ACTIVE)
    return demo.exists()


def _import_steps(membership: Membership, datasets: Collection[str]) -> list[Step]:
    url = _url("marketing:data", membership, Permission.IMPORT)
    spend = {Dataset.SPEND, Dataset.MEDIA_TABLE}
    return [
        Step(
            label="Import touchpoints",
            text="Clicks, visits and impressions of your customers: an export of GA4 or Matomo will do.",
            url=url,
            is_done=Dataset.TOUCHPOINTS in datasets,
        ),
        Step(
            label="Import conversions",
            text="Orders, leads and sign-ups, with their values, from your shop or CRM.",
            url=url,
            is_done=Dataset.CONVERSIONS in datasets,
        ),
        Step(
            label="Import spend",
            text="What each channel cost on each day: exports of Google Ads and Meta Ads are known.",
            url=url,
            is_done=bool(spend.intersection(datasets)),
        ),
    ]


def _health_step(membership: Membership, datasets: Collection[str]) -> Step:
    """Done once there is a report about data of one's own: that of data which is gone says nothing."""
    return Step(
        label="Have data health checked",
        text="By itself after each import: gaps, spelling variants, missing tags, before they make answers wrong.",
        url=_url("marketing:health", membership, Permission.VIEW),
        is_done=bool(datasets) and HealthReport.objects.filter(workspace=membership.workspace_id).exists(),
    )


def _goals_step(membership: Membership, datasets: Collection[str]) -> Step:
    """Done where the goal that pages begin with is one that the data knows."""
    is_done = False
    if Dataset.CONVERSIONS in datasets:
        default = Goal.objects.filter(workspace=membership.workspace_id, is_default=True)
        rows = Conversion.objects.filter(batch__workspace=membership.workspace_id, converted=True, shadowed=False)
        is_done = rows.filter(batch__status=Import.Status.ACTIVE, goal__in=default).exists()
    return Step(
        label="Choose your goals",
        text="Which conversion the dashboard begins with, and which of them are leads.",
        url=_url("marketing:goals", membership, Permission.SETTINGS),
        is_done=is_done,
    )


def _team_step(membership: Membership) -> Step:
    others = Membership.objects.filter(workspace=membership.workspace_id).exclude(pk=membership.pk)
    waiting = Invitation.objects.filter(workspace=membership.workspace_id, accepted_at=None, revoked_at=None)
    return Step(
        label="Invite your team",
        text="Analysts to run analyses, viewers to read them.",
        url=_url("settings_team", membership, Permission.MANAGE_MEMBERS),
        is_done=others.exists() or waiting.exists(),
    )


def _url(name: str, membership: Membership, permission: Permission) -> str:
    if not allows(membership.role, permission):
        return ""
    try:
        return reverse(name, kwargs={"slug": membership.workspace.slug})
    except NoReverseMatch:
        return ""
