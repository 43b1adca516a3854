"""What a workspace's plan includes, and how much of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.apps import apps as installed_apps
from django.core.exceptions import ObjectDoesNotExist

from accounts.audit import changes_between, record
from accounts.models import Feature, Plan, User, Workspace
from mmm_project.formats import count
from mmm_project.problems import PlanLimit, QuotaExceeded

_ALL_FEATURES = [Feature.DATA_DRIVEN.value, Feature.FORECAST.value]
_FIRST_PLANS: list[dict[str, Any]] = [
    {
        "code": "starter",
        "name": "Starter",
        "rank": 1,
        "features": [],
        "concurrent_fits": 1,
        "max_rows": 1_000_000,
        "api_calls_a_minute": 300,
    },
    {
        "code": "professional",
        "name": "Professional",
        "rank": 2,
        "features": _ALL_FEATURES,
        "concurrent_fits": 2,
        "max_rows": 20_000_000,
        "api_calls_a_minute": 600,
    },
    {"code": "enterprise", "name": "Enterprise", "rank": 3, "features": _ALL_FEATURES, "api_calls_a_minute": 1200},
]
ENTITLEMENTS = (
    "code",
    "name",
    "rank",
    "features",
    "concurrent_fits",
    "max_rows",
    "max_members",
    "runs_a_month",
    "api_calls_a_minute",
)


class PlanRequired(PlanLimit):
    """A feature that the workspace's plan lacks; `plan` is the cheapest one that has it (None: no plan has it)."""

    def __init__(self, *, feature: Feature, plan: Plan | None) -> None:
        self.feature = feature
        self.plan = plan
        offer = f"is part of the {plan.name} plan" if plan else "is not part of any plan at present"
        super().__init__(
            f"{feature.label} {offer}. An owner of the workspace can change the plan.",
            feature=feature.value,
            plan=plan.code if plan else None,
        )


def plan_of(workspace: Workspace) -> Plan:
    """Return the workspace's plan; a workspace without a subscription is on the cheapest one."""
    try:
        return workspace.subscription.plan
    except ObjectDoesNotExist:
        return cheapest_plan()


def cheapest_plan() -> Plan:
    """Return the plan that workspaces begin on."""
    return Plan.objects.order_by("rank", "pk")[0]


def has_feature(workspace: Workspace, feature: Feature) -> bool:
    return feature.value in plan_of(workspace).features


def require_feature(workspace: Workspace, feature: Feature) -> None:
    """Raise PlanRequired unless the workspace's plan includes `feature`."""
    if not has_feature(workspace, feature):
        cheapest = next((plan for plan in Plan.objects.order_by("rank") if feature.value in plan.features), None)
        raise PlanRequired(feature=feature, plan=cheapest)


def require_rows(workspace: Workspace, *, stored: int, added: int) -> None:
    """Raise QuotaExceeded if `added` rows on top of `stored` ones are more than the plan holds."""
    plan = plan_of(workspace)
    if plan.max_rows is not None and stored + added > plan.max_rows:
        raise _quota_exceeded(
            f"The {plan.name} plan holds {plan.max_rows:,} rows; this workspace has {stored:,} and would have "
            f"{stored + added:,}. Delete imports that are no longer needed",
            plan=plan,
            limit="max_rows",
            used=stored,
            needed=stored + added,
        )


def require_seat(workspace: Workspace, *, taken: int) -> None:
    """Raise QuotaExceeded if the plan has no seat beside those that are `taken`."""
    plan = plan_of(workspace)
    if plan.max_members is not None and taken >= plan.max_members:
        raise _quota_exceeded(
            f"The {plan.name} plan has {count(plan.max_members, 'seat')} for members and open invitations, and "
            f"{taken:,} {'is' if taken == 1 else 'are'} taken. Remove a member or revoke an invitation",
            plan=plan,
            limit="max_members",
            used=taken,
            needed=taken + 1,
        )


def require_run(workspace: Workspace, *, asked: int, again_on: datetime) -> None:
    """Raise QuotaExceeded if the plan includes no run this month beside those `asked`; the next begins `again_on`."""
    plan = plan_of(workspace)
    if plan.runs_a_month is not None and asked >= plan.runs_a_month:
        raise _quota_exceeded(
            f"The {plan.name} plan includes {count(plan.runs_a_month, 'run')} a month, and this workspace has asked "
            f"for {asked:,}. Results that are there stay open to read. Ask for new ones from {again_on:%-d %B} on",
            plan=plan,
            limit="runs_a_month",
            used=asked,
            needed=asked + 1,
        )


def roomier_plan(*, limit: str, needed: int) -> Plan | None:
    """Return the cheapest plan whose `limit` (a field of Plan) is at least `needed`, or that has no such limit."""
    fits = (plan for plan in Plan.objects.order_by("rank") if (most := getattr(plan, limit)) is None or most >= needed)
    return next(fits, None)


def _quota_exceeded(sentence: str, *, plan: Plan, limit: str, used: int, needed: int) -> QuotaExceeded:
    """Return the refusal. `sentence`: how it stands, and what helps besides another plan; without the full stop."""
    roomier, most = roomier_plan(limit=limit, needed=needed), getattr(plan, limit)
    if roomier is None:
        offer = "No plan at present includes more."
    else:
        room = getattr(roomier, limit)
        holds = "has no fixed limit" if room is None else f"includes {room:,}"
        offer = f"The {roomier.name} plan {holds}: an owner of the workspace can ask for it under Settings › Plan."
    return QuotaExceeded(
        f"{sentence}. {offer}",
        quota=limit,
        plan=plan.code,
        limit=most,
        used=used,
        unlocked_by=roomier.code if roomier else None,
    )


def entitlements(plan: Plan) -> dict[str, Any]:
    """Return what the plan is called and includes, by field: what an edit of it may change."""
    return {name: getattr(plan, name) for name in ENTITLEMENTS}


def record_plan_change(*, plan: Plan, before: Mapping[str, Any] | None, by: User | None) -> None:
    """Note that a plan was created (`before` is None) or edited; `before` are its `entitlements` until then.

    To be called in the transaction that saves the plan. An edit that changed nothing leaves no trace.
    """
    changed = changes_between(before or {}, entitlements(plan))
    if before is None:
        record(workspace=None, action="plan.created", target=plan.code, actor=by, changes=changed)
    elif changed:
        record(workspace=None, action="plan.edited", target=plan.code, actor=by, changes=changed)


def record_plan_deletion(*, plan: Plan, by: User | None) -> None:
    """Note that a plan is deleted, and what it included; to be called in the transaction that deletes it."""
    record(workspace=None, action="plan.deleted", target=plan.code, actor=by, **entitlements(plan))


def seed_plans(apps: Any = installed_apps, **_signal: object) -> None:
    """Create the first plans in a database that has none (`post_migrate`).

    A signal and not a data migration: it also runs after a flush, and it never brings back a plan that the site's
    admin has removed.
    """
    try:
        plans = apps.get_model("accounts", "Plan").objects
    except LookupError:  # migrated back to before the table
        return
    if not plans.exists():
        plans.bulk_create([plans.model(**fields) for fields in _FIRST_PLANS])
