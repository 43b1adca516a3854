"""What the planner's page shows; all queries and wording are finished here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.forms import BoundField
from django.urls import reverse

from accounts.models import Workspace
from analyses.age import stale_sentence
from analyses.artifacts import ArtifactMissing
from analyses.documents import Document, Section
from analyses.models import Run
from mmm_project import formats
from mmm_project.problems import Conflict, Invalid
from weightings import standing
from weightings.budgets.params import can_flight
from weightings.finished import newer_run
from weightings.methods.planning.answers import budget_json
from weightings.methods.planning.plans import CannotBePlanned
from weightings.models import Scenario
from weightings.planner.document import horizon_of, scenario_data, scenario_document
from weightings.planner.finding import get_run
from weightings.planner.forms import RECOMMEND, AmountInput, PlannerForm
from weightings.planner.horizon import Horizon, offered_horizons
from weightings.planner.plan import Plan, recommended
from weightings.planner.presentation import PresentedPlan, present_plan
from weightings.presentation.budget_sections import budget_section
from weightings.presentation.results import Result, listed
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
    value: str
    slider_most: str
    slider_value: str
    current: str
    step: str


@dataclass(frozen=True, kw_only=True)
class PlannerPage:
    """The planner. `form` is None where no plan can be made, and `problem` says why; so it does for a single plan.

    `state`: the plan as the page's address has it. `values`: its spend by place. `amount`: in the field of the total.
    `why`: the recommendation just made.
    """

    run: Run
    result: Result
    form: PlannerForm | None
    plan: Plan | None
    presented: PresentedPlan | None
    why: Section | None
    problems: Sequence[str]
    doubts: str
    stale: str
    cannot_recommend: str
    can_flight: bool
    horizons: Sequence[tuple[str, str]]
    horizon_value: str
    rows: Sequence[ChannelRow]
    state: str
    values: Sequence[float]
    total: float
    amount: str
    newer: Run | None
    scenario: Scenario | None


def present_planner(run: Run, query: Any, *, scenario: Scenario | None = None) -> PlannerPage:
    """Return the planner of a finished run, with the plan that an address describes."""
    result = Result(run)
    model = StoredModel(run)
    form, plan, presented, why = None, None, None, None
    problems: list[str] = []
    cannot = ""
    try:
        horizon = horizon_asked(run, query)
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
        stale=stale_sentence(run),
        cannot_recommend=cannot,
        can_flight=can_flight(model),
        horizons=_horizons(model, result) if form else (),
        horizon_value="" if form is None or form.horizon.periods is None else str(form.horizon.periods),
        rows=_rows(result, form, plan) if form and plan else (),
        state=plan.query(form.horizon.channels) if form and plan else "",
        values=plan.amounts(form.horizon.channels).tolist() if form and plan else (),
        total=round(plan.total, 2) if plan else 0.0,
        amount=_amount(form, plan) if form and plan else "",
        newer=newer_run(run),
        scenario=scenario,
    )


@dataclass(frozen=True, kw_only=True)
class ScenarioPage:
    """A scenario. Where it cannot be computed there is no `document`, and `problem` says why.

    `newer`: a newer run of the same question, and `newer_url` the planner with the plan on it. `newer_notes`: how that
    plan is another one.
    """

    scenario: Scenario
    document: Document | None
    problem: str
    planner_url: str
    newer: Run | None
    newer_url: str
    newer_notes: Sequence[str]


def present_scenario(scenario: Scenario) -> ScenarioPage:
    """Return the page of a scenario."""
    document, problem, planner = None, "", ""
    newer_url, notes = "", list[str]()
    workspace, newer = scenario.workspace, newer_run(scenario.run)
    try:
        document = scenario_document(scenario)
        horizon, plan = horizon_of(scenario)
        planner = f"{planner_url(workspace, scenario.run, plan, horizon.channels)}&scenario={scenario.pk}"
    except (CannotBePlanned, ArtifactMissing) as refusal:
        problem = str(refusal)
    if newer and document:
        newer_url, notes = _with_newer(scenario, newer)
    return ScenarioPage(
        scenario=scenario,
        document=document,
        problem=problem,
        planner_url=planner,
        newer=newer,
        newer_url=newer_url,
        newer_notes=notes,
    )


def _with_newer(scenario: Scenario, newer: Run) -> tuple[str, list[str]]:
    """The address of the planner of a newer model with the same plan, by the names of channels; and what differs.

    A plan for the period that its run reports is one for the period that the newer run reports: each period's spend
    stays.
    """
    model, plan, notes = StoredModel(get_run(scenario.workspace, newer.pk)), Plan.from_json(scenario.plan), []
    if plan.periods not in offered_horizons(model):
        was, now = plan.periods or StoredModel(scenario.run).window.periods, model.window.periods
        plan = plan.scaled(now / was)
        if now != was:
            each = model.result["granularity"]
            reports = f"The newer model reports {formats.count(now, each)}, this plan is for {was}"
            notes.append(f"{reports}: each {each} keeps its spend.")
    channels = [channel["channel"] for channel in model.result["channels"] if channel["kind"] == "paid"]
    if lost := [name for name in plan.spend if name not in channels]:
        notes.append(f"The newer model does not have {listed(lost)}: what the plan spends there is left out.")
    if added := [name for name in channels if name not in plan.spend]:
        notes.append(f"The plan says nothing of {listed(added)}: nothing is spent there.")
    return planner_url(scenario.workspace, newer, plan, channels), notes


def horizon_asked(run: Run, query: Mapping[str, Any]) -> Horizon:
    """The horizon that an address names; that of the run where it names none that is offered."""
    model, asked = StoredModel(run), str(query.get("horizon", ""))
    return Horizon(model, int(asked) if asked in map(str, offered_horizons(model)) else None)


def plan_of_spend(run: Run, spend: Mapping[str, float], periods: int | None) -> Plan:
    """A plan by channel, which names every one and is within what responses are known for.

    Raises Invalid, by field, and Conflict where the model's file is gone.
    """
    model = StoredModel(run)
    try:
        offered = offered_horizons(model)
        if periods is not None and periods not in offered:
            raise _wrong("horizon", f"The horizon is one of {', '.join(map(str, offered)) or 'none'}, or left out.")
        horizon = Horizon(model, periods)
        for name in spend:
            if name not in horizon.channels:
                known = ", ".join(horizon.channels)
                raise _wrong("spend", f"The model has no channel “{name}” with spend. It has {known}.")
        if missing := [name for name in horizon.channels if name not in spend]:
            names = ", ".join(missing)
            raise _wrong("spend", f"No spend is planned for {names}. Say 0 where there is to be none.")
        plan = Plan(periods=periods, spend={name: round(spend[name], 6) for name in horizon.channels})
        horizon.scenario(plan.amounts(horizon.channels))
    except ArtifactMissing as problem:
        raise Conflict(str(problem)) from problem
    except CannotBePlanned as problem:
        raise _wrong("spend", str(problem)) from problem
    return plan


def _wrong(field: str, sentence: str) -> Invalid:
    return Invalid(sentence, errors={field: [sentence]})


def scenario_json(scenario: Scenario) -> dict[str, Any]:
    """A scenario for programs. Raises Conflict where it cannot be computed."""
    try:
        horizon, plan = horizon_of(scenario)
        return scenario_data(scenario, horizon, plan)
    except (CannotBePlanned, ArtifactMissing) as problem:
        raise Conflict(str(problem)) from problem


def plan_of_state(run: Run, state: Mapping[str, Any]) -> Plan:
    """The plan that a planner's address describes. Raises Invalid with sentences where it is none."""
    try:
        form = PlannerForm(horizon_asked(run, state), state)
        if form.is_valid():
            return form.plan
    except (CannotBePlanned, ArtifactMissing) as problem:
        raise Invalid(str(problem)) from problem
    raise Invalid(" ".join(form.problems()))


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
    """By channel: the amounts of the plan or, where the address is no plan, what it says."""
    is_valid = form.is_valid()
    rows = []
    for place, (name, spend, lock, least, most) in enumerate(form.channels()):
        now = float(form.horizon.spend[place])
        value = f"{plan.spend[name]:.2f}" if is_valid else AmountInput().format_value(spend.value()) or ""
        rows.append(
            ChannelRow(
                name=name,
                place=place,
                spend=spend,
                lock=lock,
                least=least,
                most=most,
                value=value,
                slider_most=f"{form.horizon.most[place]:.2f}",
                slider_value=value or f"{plan.spend[name]:.2f}",
                current=formats.short_money(now, result.currency),
                step=f"{max(now / 100, 0.01):.2f}",
            )
        )
    return rows


def _amount(form: PlannerForm, plan: Plan) -> str:
    """The total of the plan or, where the address is no plan, what it says."""
    return f"{plan.total:.2f}" if form.is_valid() else AmountInput().format_value(form["amount"].value()) or ""


def planner_url(workspace: Workspace, run: Run, plan: Plan | None = None, channels: Sequence[str] = ()) -> str:
    """Return the address of the planner with a plan."""
    address = reverse("weightings:planner", kwargs={"slug": workspace.slug, "run_id": run.pk})
    return f"{address}?{plan.query(channels)}" if plan else address
