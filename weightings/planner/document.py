"""A scenario as a document, for its page and its exports; and several of them side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from django.urls import reverse

from analyses.age import stale_sentence
from analyses.artifacts import ArtifactMissing
from analyses.documents import DataTable, Document, Figure, Row, Section
from analyses.presenters import asked_at, provenance
from charts import Category, ChartSpec, Colour, Kind, Series, axis
from mmm_project import formats
from weightings import standing
from weightings.methods.planning.plans import CannotBePlanned
from weightings.models import Scenario
from weightings.planner.horizon import Horizon
from weightings.planner.plan import Plan
from weightings.planner.presentation import plan_rows, present_plan
from weightings.presentation import words
from weightings.presentation.method import how_fitted, intervals, with_method
from weightings.presentation.results import Result, extent, listed, mark
from weightings.stored import StoredModel

HOW_READ = (
    "What a plan would bring is read from response curves that are stored for every draw of the model, without fitting "
    "anything again: each channel’s spend is multiplied with its spread over time as it was. What carries over into "
    "the periods that are planned, and behind them, counts."
)


def horizon_of(scenario: Scenario) -> tuple[Horizon, Plan]:
    """The horizon of a scenario's plan, and the plan. Raises CannotBePlanned and ArtifactMissing."""
    plan = Plan.from_json(scenario.plan)
    return Horizon(StoredModel(scenario.run), plan.periods), plan


def scenario_document(scenario: Scenario) -> Document:
    """Return a scenario for its page and its exports. Raises CannotBePlanned and ArtifactMissing."""
    horizon, plan = horizon_of(scenario)
    run, result = scenario.run, Result(scenario.run)
    presented = present_plan(result, horizon, plan)
    doubts = standing.doubts(result.data)
    found = Document(
        title=f"Scenario: {scenario.name}",
        subtitle=f"{result.outcome} · {horizon.label}",
        headline=presented.finding,
        workspace=scenario.workspace.name,
        currency=scenario.workspace.currency,
        facts=(
            ("Planned for", horizon.label),
            ("Model", words.describe(run.params)),
            ("Model of", asked_at(run)),
            ("Intervals", f"{result.data['confidence']}%"),
            ("Locked", listed(sorted(plan.locks)) if plan.locks else "none"),
            ("Kept by", scenario.created_by.email if scenario.created_by else "somebody who has left"),
            *provenance(run),
        ),
        cards=presented.cards,
        sections=presented.sections,
        notes=(
            *filter(None, (doubts, stale_sentence(run))),
            words.ROI_MEANING if result.is_money else words.RETURN_MEANING,
        ),
        rows=plan_rows(horizon, plan),
        data=scenario_data(scenario, horizon, plan),
        file_name=f"scenario-{scenario.workspace.slug}-{scenario.pk}",
        method=(*how_fitted(result), HOW_READ, intervals(result)),
    )
    return with_method(found, result)


def scenario_data(scenario: Scenario, horizon: Horizon, plan: Plan) -> dict[str, Any]:
    """A scenario for programs: the plan, and what it would bring beside the current one, in full precision."""
    found, now = horizon.scenario(plan.amounts(horizon.channels)), horizon.scenario(horizon.spend)
    return {
        "id": scenario.pk,
        "url": reverse("weightings:api_scenario", kwargs={"scenario_id": scenario.pk}),
        "name": scenario.name,
        "workspace": scenario.workspace.slug,
        "run": str(scenario.run_id),
        "created_at": scenario.created_at.isoformat(),
        "updated_at": scenario.updated_at.isoformat(),
        "plan": plan.as_json(),
        "horizon": {"start": horizon.days.start.isoformat(), "end": horizon.days.end.isoformat()},
        "confidence": scenario.run.result["confidence"] if scenario.run.result else None,
        "doubts": standing.doubts(scenario.run.result or {}),
        "current": asdict(now),
        "planned": asdict(found),
    }


def comparison(scenarios: Sequence[Scenario]) -> tuple[Section, list[str]]:
    """Set scenarios side by side, each beside the plan that is current by its own model; and say what could not be.

    Raises nothing: a scenario that cannot be read is named in the second part.
    """
    lost: list[str] = []
    shown: list[tuple[Scenario, Result, Horizon, Plan, Mapping[str, Any]]] = []
    for scenario in scenarios:
        try:
            horizon, plan = horizon_of(scenario)
            found = horizon.scenario(plan.amounts(horizon.channels))
        except (CannotBePlanned, ArtifactMissing) as problem:
            lost.append(f"“{scenario.name}” cannot be shown: {problem}")
            continue
        shown.append((scenario, Result(scenario.run), horizon, plan, asdict(found)))
    if not shown:
        return Section(title="Side by side"), lost
    return Section(title="Side by side", charts=_chart(shown), tables=(_outcomes(shown), _spends(shown))), lost


def _chart(shown: Sequence[tuple[Scenario, Result, Horizon, Plan, Mapping[str, Any]]]) -> tuple[ChartSpec, ...]:
    """What each would bring against its current plan; none where they are about different outcomes."""
    first = shown[0][1]
    if any((one.outcome, one.unit) != (first.outcome, first.unit) for _scenario, one, *_rest in shown):
        return ()
    marks = tuple(
        mark(result.amounts(found["difference"]), href=_href(scenario))
        for scenario, result, _horizon, _plan, found in shown
    )
    best = max(shown, key=lambda each: each[4]["difference"]["median"] or 0.0)
    verb = "loses least" if (best[4]["difference"]["median"] or 0.0) < 0 else "brings most"
    title = f"“{best[0].name}” {verb} against the current plan"
    levels = " and ".join(dict.fromkeys(result.interval_words for _scenario, result, *_rest in shown))
    return (
        ChartSpec(
            id="scenarios",
            kind=Kind.DOTS,
            title=title,
            subtitle=f"{first.outcome} more than in the current plan, {first.unit}, {levels}",
            summary=f"{first.outcome} of each scenario against the current plan. {title}.",
            category_title="Scenario",
            categories=tuple(Category(label=scenario.name) for scenario, *_rest in shown),
            series=(Series(name="Against the current plan", colour=Colour.ACCENT, marks=marks),),
            axis=axis([0.0, *extent(marks)], title=f"{first.outcome}, {first.unit}", text=first.tick),
            interval=levels,
        ),
    )


def _href(scenario: Scenario) -> str:
    return reverse("weightings:scenario", kwargs={"slug": scenario.workspace.slug, "scenario_id": scenario.pk})


def _outcomes(shown: Sequence[tuple[Scenario, Result, Horizon, Plan, Mapping[str, Any]]]) -> DataTable:
    rows = tuple(
        Row(
            label=scenario.name,
            cells=(
                result.money(found["spend"]),
                result.amounts(found["outcome"]),
                result.amounts(found["difference"]),
                Figure(
                    formats.percent(found["probability_better"]),
                    f"{found['probability_better']:.6%}",
                    found["probability_better"],
                ),
                result.returns(found["per_spend"]),
                Figure(horizon.label),
                Figure(f"{result.run.created_at:%-d %b %Y}"),
            ),
            href=_href(scenario),
        )
        for scenario, result, horizon, _plan, found in shown
    )
    return DataTable(
        title="What each would bring",
        columns=("Scenario", "Spend", "Outcome", "Against current", "Better", "Return", "Planned for", "Model of"),
        rows=rows,
        note="Medians with the intervals of each model. Better: the probability of it. Scenarios of different models "
        "or periods are each held against what was spent in their own.",
    )


def _spends(shown: Sequence[tuple[Scenario, Result, Horizon, Plan, Mapping[str, Any]]]) -> DataTable:
    names = list(dict.fromkeys(name for _scenario, _result, horizon, *_rest in shown for name in horizon.channels))
    rows = []
    for name in names:
        cells = []
        for _scenario, result, horizon, plan, _found in shown:
            cells.append(result.money(plan.spend.get(name, 0.0)) if name in horizon.channels else Figure("\N{EN DASH}"))
        rows.append(Row(label=name, cells=tuple(cells)))
    total = tuple(result.money(plan.total) for _scenario, result, _horizon, plan, _found in shown)
    return DataTable(
        title="Spend of each",
        columns=("Channel", *(scenario.name for scenario, *_rest in shown)),
        rows=(*rows, Row(label="All channels", cells=total, is_total=True)),
    )
