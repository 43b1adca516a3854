"""What the planner's page shows; all queries and wording are finished here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.forms import BoundField
from django.urls import reverse

from accounts.models import Workspace
from analyses.artifacts import ArtifactMissing
from analyses.documents import Section
from analyses.models import Run
from mmm_project import formats
from weightings import standing
from weightings.methods.planning.answers import budget_json
from weightings.methods.planning.plans import CannotBePlanned
from weightings.models import Scenario
from weightings.planner.forms import RECOMMEND, PlannerForm
from weightings.planner.horizon import Horizon, offered_horizons
from weightings.planner.plan import Plan, recommended
from weightings.planner.presentation import PresentedPlan, present_plan
from weightings.planner.scenarios import newer_run
from weightings.presentation.budget_sections import budget_section
from weightings.presentation.results import Result
from weightings.stored import StoredModel


@dataclass(frozen=True, kw_only=True)
class ChannelRow:
    """A channel of the planner: its fields, and texts beside them."""

    name: str
    place: int
    spend: BoundField
    lock: BoundField
    least: BoundField
    most: BoundField
    slider_most: str
    slider_value: str
    current: str
    step: str


@dataclass(frozen=True, kw_only=True)
class PlannerPage:
    """The planner. `form` is None where no plan can be made, and `problem` says why; so it does for a single plan.

    `state`: the plan as the page's address has it. `values`: its spend by place. `why`: the recommendation just made.
    """

    run: Run
    result: Result
    form: PlannerForm | None
    plan: Plan | None
    presented: PresentedPlan | None
    why: Section | None
    problems: Sequence[str]
    doubts: str
    cannot_recommend: str
    horizons: Sequence[tuple[str, str]]
    horizon_value: str
    rows: Sequence[ChannelRow]
    state: str
    values: Sequence[float]
    total: float
    newer: Run | None
    scenario: Scenario | None


def present_planner(run: Run, query: Any, *, scenario: Scenario | None = None) -> PlannerPage:
    """Return the planner of a finished run, with the plan that an address describes."""
    result = Result(run)
    model = StoredModel(run)
    asked = str(query.get("horizon", ""))
    form, plan, presented, why = None, None, None, None
    problems: list[str] = []
    cannot = ""
    try:
        horizon = Horizon(model, int(asked) if asked in map(str, offered_horizons(model)) else None)
        form = PlannerForm(horizon, query)
        valid = form.is_valid()
        problems = form.problems()
        plan = form.plan
        cannot = _cannot_recommend(horizon)
        if valid and query.get("action") == RECOMMEND:
            plan, why = _recommend(result, form)
        if valid:
            presented = present_plan(result, horizon, plan)
    except CannotBePlanned as problem:
        problems = [str(problem)]
    except ArtifactMissing as problem:
        form, problems = None, [str(problem)]
    return PlannerPage(
        run=run,
        result=result,
        form=form,
        plan=plan,
        presented=presented,
        why=why,
        problems=problems,
        doubts=standing.doubts(result.data),
        cannot_recommend=cannot,
        horizons=_horizons(model, result) if form else (),
        horizon_value="" if form is None or form.horizon.periods is None else str(form.horizon.periods),
        rows=_rows(result, form, plan) if form and plan else (),
        state=plan.query(form.horizon.channels) if form and plan else "",
        values=plan.amounts(form.horizon.channels).tolist() if form and plan else (),
        total=round(plan.total, 2) if plan else 0.0,
        newer=newer_run(run),
        scenario=scenario,
    )


def _recommend(result: Result, form: PlannerForm) -> tuple[Plan, Section]:
    doubts = standing.doubts(result.data)
    if doubts and not form.plan.override:
        raise CannotBePlanned(f"{doubts} To have one all the same, say so under “Recommend a budget all the same”.")
    plan, budget = recommended(form.horizon, form.plan, total=form.asked_total)
    found = budget_json(budget, form.horizon.surface, form.horizon.model.level)
    return plan, budget_section(result, found, period=form.horizon.label)


def _cannot_recommend(horizon: Horizon) -> str:
    """Why no budget can be searched for this outcome at all; "" where it can be."""
    try:
        _ = horizon.surface
    except CannotBePlanned as problem:
        return str(problem)
    return ""


def _horizons(model: StoredModel, result: Result) -> list[tuple[str, str]]:
    reported = formats.count(result.data["period"]["periods"], result.granularity)
    return [
        ("", f"The period reported: {reported}, {result.period.label}"),
        *(
            (str(count), f"{formats.count(count, result.granularity)}, as the last ones were")
            for count in offered_horizons(model)
        ),
    ]


def _rows(result: Result, form: PlannerForm, plan: Plan) -> list[ChannelRow]:
    rows = []
    for place, (name, spend, lock, least, most) in enumerate(form.channels()):
        now = float(form.horizon.spend[place])
        rows.append(
            ChannelRow(
                name=name,
                place=place,
                spend=spend,
                lock=lock,
                least=least,
                most=most,
                slider_most=f"{form.horizon.most[place]:.2f}",
                slider_value=f"{plan.spend[name]:.2f}",
                current=formats.short_money(now, result.currency),
                step=f"{max(now / 100, 0.01):.2f}",
            )
        )
    return rows


def planner_url(workspace: Workspace, run: Run, plan: Plan | None = None, channels: Sequence[str] = ()) -> str:
    """Return the address of the planner with a plan."""
    address = reverse("weightings:planner", kwargs={"slug": workspace.slug, "run_id": run.pk})
    return f"{address}?{plan.query(channels)}" if plan else address
