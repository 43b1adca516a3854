"""What plans include, and what a workspace hears when its plan does not."""

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command

from accounts.models import Feature, Plan, Workspace
from accounts.plans import PlanRequired, plan_of, require_feature, require_rows
from mmm_project.problems import QuotaExceeded
from tests.factories import WorkspaceFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("code", "features", "concurrent_fits", "max_rows"),
    [
        ("starter", [], 1, 1_000_000),
        ("professional", ["data_driven", "forecast"], 2, 20_000_000),
        ("enterprise", ["data_driven", "forecast"], None, None),
    ],
)
def test_a_new_database_has_the_three_plans(
    code: str, features: list[str], concurrent_fits: int | None, max_rows: int | None
) -> None:
    plan = Plan.objects.get(code=code)
    assert (plan.features, plan.concurrent_fits, plan.max_rows) == (features, concurrent_fits, max_rows)


def test_a_plan_that_the_admin_removed_stays_removed() -> None:
    Plan.objects.get(code="enterprise").delete()
    call_command("migrate", verbosity=0)
    assert not Plan.objects.filter(code="enterprise").exists()


def test_a_feature_beyond_the_plan_names_the_feature_and_the_cheapest_plan_that_has_it(workspace: Workspace) -> None:
    with pytest.raises(PlanRequired) as refusal:
        require_feature(workspace, Feature.DATA_DRIVEN)
    assert refusal.value.as_json() == {
        "type": "urn:mixed-media-modeling:problem:plan_required",
        "title": "Not in this plan",
        "status": 403,
        "code": "plan_required",
        "detail": "Data-driven attribution is part of the Professional plan. An owner of the workspace can change the "
        "plan.",
        "feature": "data_driven",
        "plan": "professional",
    }


def test_a_feature_that_no_plan_has_says_so(workspace: Workspace) -> None:
    Plan.objects.update(features=[])
    with pytest.raises(PlanRequired, match="is not part of any plan at present") as refusal:
        require_feature(workspace, Feature.FORECAST)
    assert refusal.value.plan is None


def test_a_feature_of_the_plan_passes() -> None:
    require_feature(WorkspaceFactory.create(subscription__plan__code="professional"), Feature.FORECAST)


def test_a_workspace_without_a_subscription_is_on_the_cheapest_plan(workspace: Workspace) -> None:
    workspace.subscription.delete()
    assert plan_of(Workspace.objects.get(pk=workspace.pk)).code == "starter"


def test_rows_up_to_the_plans_limit_pass(workspace: Workspace) -> None:
    require_rows(workspace, stored=999_999, added=1)


def test_one_row_more_than_the_plan_holds_is_refused_with_the_numbers(workspace: Workspace) -> None:
    with pytest.raises(QuotaExceeded, match=r"holds 1,000,000 rows.*has 999,999 and would have 1,000,001") as refusal:
        require_rows(workspace, stored=999_999, added=2)
    assert refusal.value.code == "quota_exceeded"


def test_enterprise_has_no_limit_of_rows() -> None:
    require_rows(WorkspaceFactory.create(subscription__plan__code="enterprise"), stored=10**12, added=10**12)


def test_the_admin_cannot_give_a_plan_a_feature_that_does_not_exist() -> None:
    with pytest.raises(ValidationError, match="data_driven, forecast"):
        Plan(code="odd", name="Odd", features=["teleport"]).full_clean()
