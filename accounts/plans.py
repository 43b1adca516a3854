"""What a workspace's plan includes, and how much of it."""

from typing import Any

from django.apps import apps as installed_apps
from django.core.exceptions import ObjectDoesNotExist

from accounts.models import Feature, Plan, Workspace
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
        return Plan.objects.order_by("rank")[0]


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
        raise QuotaExceeded(
            f"The {plan.name} plan holds {plan.max_rows:,} rows; this workspace has {stored:,} and would have "
            f"{stored + added:,}. Delete imports that are no longer needed, or ask an owner to change the plan.",
            plan=plan.code,
            limit=plan.max_rows,
        )


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
