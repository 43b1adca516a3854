"""Media mix runs for the pages that the browser visits: their results are written by hand, as a fit takes its time."""

from accounts.actions import create_workspace
from accounts.models import User, Workspace
from analyses.models import Run
from marketing.models import Dataset, Outcome, OutcomeValue
from tests.marketing.batches import add_import
from tests.weightings.forecasts import market
from tests.weightings.premium import forecast, on_professional
from tests.weightings.results import a_check, finished
from tests.weightings.stored_runs import a_stored_run, held_back
from weightings.models import Scenario
from weightings.planner.horizon import Horizon
from weightings.planner.plan import Plan, current_plan
from weightings.planner.scenarios import create
from weightings.stored import StoredModel


def keep_weightings(workspace: Workspace) -> tuple[Run, Run]:
    """Keep values of an outcome, a run that is good, and one of points that has not converged and fails checks."""
    is_sales = {"kind": Outcome.Kind.SALES, "is_money": True}
    outcome, _ = Outcome.objects.get_or_create(workspace=workspace, name="Sales", defaults=is_sales)
    if not OutcomeValue.objects.filter(outcome=outcome).exists():
        batch = add_import(workspace, Dataset.OUTCOMES)
        OutcomeValue.objects.create(batch=batch, outcome=outcome, date="2026-01-05", value=5)
    good = finished(workspace, checks=[a_check("VIF", 1.2, 5.0, "good", "TV")])
    checks = [a_check("VIF", 12.0, 5.0, "fail", "TV"), a_check("Variation", 0.1, 0.15, "review", "Search")]
    bad = finished(workspace, is_money=False, bounds=[0, 100_000], converged=False, checks=checks, seed=1)
    for run in (good, bad):
        run.job.save()
        run.job, run.fingerprint = run.job, run.pk.hex  # the job has its key only now
        run.save()
    return good, bad


def forecast_states(owner: User) -> dict[str, str]:
    """Return pages about forecasts, what to call each -> its address, of workspaces whose plan has them."""
    bare = on_professional(create_workspace(name="Barely begun", slug="bare", owner=owner))
    insight = on_professional(create_workspace(name="Insight", slug="insight", owner=owner))
    doubtful = a_stored_run(insight, converged=False, seed=1)
    points = a_stored_run(insight, bounded=True, seed=2)
    good = a_stored_run(insight, folds=held_back(market(), horizon=13), holidays=["DE"])
    plan = {"spend": {"TV": [100.0] * 8, "Search": [900.0] * 8}, "controls": {"Price": [20.0] * 8}}
    runs = {
        "forecast": forecast(insight, periods=26),
        "forecast of a plan": forecast(
            insight, plan=plan, plan_name="A plan whose name is rather long for a phone.csv"
        ),
        "forecast in points": forecast(insight, model_run=points.pk, multiples=0),
        "forecast in spite of doubts": forecast(insight, model_run=doubtful.pk, override="yes", multiples="TV: 3"),
    }
    page = f"/w/{insight.slug}/weightings/forecast/"
    pasted = "Week,TV,Search%0A1,1,2%0A2,1,2%0A3,1,2%0A4,1,2"
    return {
        **{name: f"/w/{insight.slug}/runs/{run.pk}/" for name, run in runs.items()},
        "forecast to ask for": page,
        "forecast of a plan to ask for": f"{page}?model_run={good.pk}&plan={pasted}",
        "forecast without a model": f"/w/{bare.slug}/weightings/forecast/",
        "forecasts compared": f"/w/{insight.slug}/runs/compare/?run={runs['forecast'].pk}"
        f"&run={runs['forecast of a plan'].pk}",
    }


def keep_scenario(workspace: Workspace, owner: User) -> tuple[Run, Scenario]:
    """Keep a run with all that plans are computed from, one of the same question after it, and a plan on the first."""
    run = a_stored_run(workspace, folds=held_back(market()), draws=4001)
    spend = {**current_plan(Horizon(StoredModel(run))).spend, "Search": 100.0}
    plan = Plan(spend=spend, locks=frozenset({"TV"}), is_fixed=False)
    scenario = create(run=run, name="A plan whose name is rather long for a phone", plan=plan, by=owner)
    a_stored_run(workspace, draws=4001)
    return run, scenario


def plan_states(run: Run, scenario: Scenario) -> dict[str, str]:
    """Return what to call a state of the planner or the scenarios -> its address."""
    weightings = f"/w/{run.workspace.slug}/weightings"
    planner = f"{weightings}/runs/{run.pk}/plan/"
    return {
        "plan beyond history": f"{planner}?s0=9000&s1=10&total=free&lock1=on&min0=5&max0=9500",
        "plan recommended": f"{planner}?horizon=13&action=recommend&objective=cvar",
        "plan of nonsense": f"{planner}?s0=much&goal=return",
        "scenarios compared": f"{weightings}/scenarios/?compare={scenario.pk}",
    }
