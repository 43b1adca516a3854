"""What a forecast says in sentences: the question, the finding, and what has to be said with the numbers."""

from collections.abc import Iterator, Mapping
from typing import Any

from analyses import runs
from analyses.age import stale_sentence
from analyses.asking import period_of
from analyses.presenters import asked_at
from mmm_project import formats
from weightings.finished import newer_run
from weightings.forecasts.model_runs import find_model
from weightings.forecasts.params import MULTIPLES, PER_PERIOD, PLAN
from weightings.forecasts.plan_values import SPEND
from weightings.forecasts.presentation.result import ForecastResult
from weightings.presentation.results import Text, listed

IF_THE_PLAN = "All of this holds if the plan is carried out, and if nothing else changes that the model does not know."
NOT_RELIABLE = "Do not rely on this forecast: the model"


def describe(params: Mapping[str, Any]) -> str:
    """Return the question in a line: "Sales · 13 weeks · 4 May - 2 Aug 2026 · spend as before" (with an en dash)."""
    periods = formats.count(params["periods"], params["granularity"])
    return " · ".join([params["outcome"], periods, period_of(params).label, _plan_in_short(params)])


def _plan_in_short(params: Mapping[str, Any]) -> str:
    name = f" “{params['plan_name']}”" if "plan_name" in params else ""
    if SPEND in params.get(PLAN, {}):
        return f"a plan by {params['granularity']}{name}"
    if PER_PERIOD in params:
        return f"the plan{name}" if name else "a plan of spend"
    return "spend as before" if _is_as_before(params) else "spend changed by channel"


def _is_as_before(params: Mapping[str, Any]) -> bool:
    return all(multiple == 1 for multiple in params[MULTIPLES].values())


def settings(params: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the question as a list of settings."""
    given = {kind: of for kind, of in params.get(PLAN, {}).items() if kind != SPEND}
    return [
        ("Outcome", params["outcome"]),
        ("Periods", f"{formats.count(params['periods'], params['granularity'])}, {period_of(params).label}"),
        ("Model run", params["model_run"]),
        ("Spend", _plan_in_full(params)),
        *((("Plan", params["plan_name"]),) if "plan_name" in params else ()),
        ("Given beside spend", listed([name for of in given.values() for name in of]) if given else "nothing"),
        ("Intervals", f"{params['confidence']}%"),
        ("Seed", str(params["seed"])),
        *((("In spite of the model's faults", "yes"),) if "override" in params else ()),
    ]


def _plan_in_full(params: Mapping[str, Any]) -> str:
    if by_period := params.get(PLAN, {}).get(SPEND):
        totals = {name: sum(values) for name, values in by_period.items()}
        return "; ".join(f"{name} {formats.count(total)} in all" for name, total in totals.items())
    if PER_PERIOD in params:
        unit = params["granularity"]
        return "; ".join(f"{name} {formats.count(spend)} a {unit}" for name, spend in params[PER_PERIOD].items())
    if _is_as_before(params):
        return "as before"
    return "; ".join(f"{name} ×{multiple:g}" for name, multiple in params[MULTIPLES].items())


def headline(result: ForecastResult) -> str:
    """Return the finding, or that there is none to be relied on."""
    if not result.data["model_run"]["converged"]:
        return f"{NOT_RELIABLE} has not converged. {finding(result)}."
    if result.data["model_run"]["verdict"] == "fail":
        return f"{NOT_RELIABLE} fails checks. {finding(result)}."
    return f"{finding(result)}."


def finding(result: ForecastResult) -> str:
    """Return what is predicted, and how it compares to a year before, without a full stop."""
    found = result.amounts(result.data["predicted"])
    what = (
        f"{found.with_interval} of {result.outcome} {'is' if result.is_money else 'are'} predicted {result.in_all} for "
        f"the next {result.periods_words}, {result.period.label}"
    )
    compared = beside_year_before(result)
    return f"{what}, {compared}" if compared else what


def beside_year_before(result: ForecastResult) -> str:
    """Return how the forecast compares to the same periods of a year before: "3.2% more than a year before"."""
    before = result.data["year_before"]
    if before["periods_known"] < result.periods:
        return ""
    text_of: Text = formats.percent
    change = before["change"]["median"] if before["change"] else result.factor * before["difference"]["median"]
    if not before["change"]:
        text_of = result.rounded
    text = text_of(abs(change))
    if text == text_of(0.0):
        return "as much as a year before"
    return f"{text} {'more' if change > 0 else 'less'} than a year before"


def notes(result: ForecastResult) -> Iterator[str]:
    """Yield what has to be said with the numbers, the gravest first."""
    of = result.data["model_run"]
    if not of["converged"]:
        yield "The model has not converged: another fit of it would give another forecast."
    elif of["verdict"] == "fail":
        yield "The model fails checks: see Model health of its run. This forecast may mislead."
    if not result.is_sample:
        yield from _moved_on(result)
    yield IF_THE_PLAN
    if as_of := result.data["spent_as"]:
        yield f"Spend is spread over time as it was from {period_of(as_of).label}."
    yield from (remark["sentence"] for remark in result.data["remarks"])


def _moved_on(result: ForecastResult) -> Iterator[str]:
    """Yield what has happened since the model was fitted."""
    model = find_model(result.run.workspace, result.data["model_run"]["id"])
    if model is None:
        yield "The run of this forecast's model is no longer there."
        return
    if stale := stale_sentence(model.run):
        yield f"The model: {stale[0].lower()}{stale[1:]}"
    if (newer := newer_run(model.run)) is not None:
        yield f"There is a newer run of this model, of {asked_at(newer)}: forecast again with it."
    elif runs.inputs_changed(model.run):
        yield "The data have changed since this forecast's model was fitted: run it again, and forecast anew."
