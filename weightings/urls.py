from django.urls import path

from weightings import views
from weightings.budgets import views as budget_views
from weightings.channels import views as channel_views
from weightings.forecasts import views as forecast_views
from weightings.lift_tests import views as lift_test_views
from weightings.planner import api as scenario_api
from weightings.planner import scenario_views
from weightings.planner import views as planner_views

app_name = "weightings"
urlpatterns = [
    path("w/<slug:slug>/weightings/", views.page, name="page"),
    path("w/<slug:slug>/weightings/forecast/", forecast_views.page, name="forecast"),
    path("w/<slug:slug>/weightings/forecast/plan.csv", forecast_views.plan_table, name="forecast_plan"),
    path("w/<slug:slug>/weightings/experiments/", lift_test_views.experiments, name="experiments"),
    path("w/<slug:slug>/weightings/experiments/new/", lift_test_views.new_experiment, name="new_experiment"),
    path("w/<slug:slug>/weightings/runs/<uuid:run_id>/plan/", planner_views.planner, name="planner"),
    path("w/<slug:slug>/weightings/budget/", budget_views.page, name="budget"),
    path(
        "w/<slug:slug>/weightings/runs/<uuid:run_id>/channels/<int:place>/",
        channel_views.channel,
        name="channel",
    ),
    path("w/<slug:slug>/weightings/scenarios/", scenario_views.scenarios, name="scenarios"),
    path("w/<slug:slug>/weightings/scenarios/<int:scenario_id>/", scenario_views.scenario, name="scenario"),
    path(
        "w/<slug:slug>/weightings/scenarios/<int:scenario_id>/rename/",
        scenario_views.scenario_rename,
        name="scenario_rename",
    ),
    path(
        "w/<slug:slug>/weightings/scenarios/<int:scenario_id>/duplicate/",
        scenario_views.scenario_duplicate,
        name="scenario_duplicate",
    ),
    path(
        "w/<slug:slug>/weightings/scenarios/<int:scenario_id>/delete/",
        scenario_views.scenario_delete,
        name="scenario_delete",
    ),
    path("api/v1/scenarios/", scenario_api.ScenarioList.as_view(), name="api_scenarios"),
    path("api/v1/scenarios/<int:scenario_id>/", scenario_api.ScenarioDetail.as_view(), name="api_scenario"),
]
