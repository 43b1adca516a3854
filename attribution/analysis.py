"""The kind of analysis that credits conversions to channels or campaigns by attribution models."""

import datetime as dt
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from accounts.models import Workspace
from analyses.errors import AnalysisError
from analyses.registry import AnalysisKind, Answer, PresentedResult
from analyses.segments import in_address, segment_name, segment_of, segment_settings
from attribution.comparison import compare
from attribution.document import document
from attribution.labels import NONE
from attribution.methods.rules import RULE_MODELS, RuleCredit, reconcile, rule_credit
from attribution.params import clean
from attribution.presenters import describe, rows, settings
from jobs.progress import Progress
from marketing.frames import Dimension, Journeys
from marketing.models import Dataset, Goal
from marketing.periods import Period, where_data_ends
from marketing.selectors import JourneyData, last_conversion_day, load_journeys
from mmm_project import formats

if TYPE_CHECKING:
    from analyses.models import Run

LONGEST_EASY_PERIOD_DAYS = 30
LOADING_SHARE = 0.7  # of the progress bar: building the snapshot is the long part of a first run


def compute(workspace: Workspace, params: Mapping[str, Any], progress: Progress) -> Answer:
    """Return totals, credit by model and group, and the reconciliation, as JSON of full-precision numbers."""
    period = Period(dt.date.fromisoformat(params["start"]), dt.date.fromisoformat(params["end"]))
    goal = Goal.objects.filter(workspace=workspace, name=params["goal"]).first()
    if goal is None:
        raise AnalysisError(f"The goal “{params['goal']}” no longer exists. Choose another goal.")
    data = load_journeys(
        workspace=workspace,
        goal=goal,
        start=period.start,
        end=period.end,
        window_days=params["window_days"],
        null_paths=False,  # rule models credit conversions only
        segment=segment_of(params),
        on_progress=lambda fraction: progress("Reading the data", LOADING_SHARE * fraction),
    )
    if not data.whole.converted.any():
        raise AnalysisError(_no_conversions(workspace, goal, period), code="no_conversions")
    if not data.journeys.converted.any():
        raise AnalysisError(_none_in_segment(data, params, period), code="no_conversions")
    progress("Crediting", LOADING_SHARE)
    result = _credit(data, models=params["model"], dimension=params["dimension"])
    if "segment" in params:
        result["all_customers"] = _totals(data.whole)
    return Answer(result)


def _totals(journeys: Journeys) -> dict[str, float]:
    value = journeys.value[journeys.converted]
    return {"conversions": len(value), "value": math.fsum(value)}


def _credit(data: JourneyData, *, models: Sequence[str], dimension: Dimension) -> dict[str, Any]:
    journeys, sources = data.journeys, data.sources
    labels = sources.labels(dimension)
    credit = rule_credit(
        journeys=journeys,
        models=[RULE_MODELS[name] for name in models],
        group_of_source=sources.group_of_source(dimension),
        groups=len(labels),
        direct_source=sources.direct_source(),
    )
    check = reconcile(credit=credit, journeys=journeys)
    if not check.ok:
        raise AnalysisError(
            "The credit does not add up to the conversions, so it is not shown. Please report this run.",
            code="not_reconciled",
        )
    untouched = journeys.converted & (journeys.start == journeys.stop)
    return {
        "totals": {"conversions": check.total_conversions, "value": check.total_value},
        "models": {
            name: {f"{dimension}s": list(_groups(credit, row, labels, dimension))}
            for row, name in enumerate(credit.models)
        },
        "reconciliation": {
            "ok": check.ok,
            "largest_difference_conversions": check.largest_difference_conversions,
            "largest_difference_value": check.largest_difference_value,
            "conversions_without_touch": int(untouched.sum()),
        },
    }


def _groups(credit: RuleCredit, row: int, labels: Sequence[str], dimension: str) -> Iterator[dict[str, Any]]:
    """Yield the groups credited under any of the models, so that all models list the same ones; "(none)" last."""
    credited = np.flatnonzero(credit.conversions[:, :-1].any(axis=0))
    for group in [*credited.tolist(), len(labels)]:
        yield {
            dimension: labels[group] if group < len(labels) else NONE,
            "conversions": float(credit.conversions[row, group]),
            "value": float(credit.value[row, group]),
        }


def _none_in_segment(data: JourneyData, params: Mapping[str, Any], period: Period) -> str:
    conversions = formats.count(_totals(data.whole)["conversions"], f"{params['goal']} conversion")
    meaning = dict(segment_settings(params))["Segment means"]
    return (
        f"None of the {conversions} from {period.label} is in the segment “{segment_name(params)}” ({meaning}). "
        "Choose a longer period or another segment."
    )


def _no_conversions(workspace: Workspace, goal: Goal, period: Period) -> str:
    sentence = f"There are no conversions with the goal “{goal.name}” from {period.label}."
    ends = last_conversion_day(workspace=workspace, goal=goal)
    if ends is None:
        return f"{sentence} None have been imported yet."
    offer = where_data_ends(period, data_ends=ends)
    if offer is None:
        return sentence
    return (
        f"{sentence} The last ones are of {ends:%-d %b %Y}: "
        f"choose {offer.start} to {offer.end}, {formats.count(offer.days, 'day')} up to then."
    )


def easier(params: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return questions that take less time, or are rather answered: a shorter period, channels, all customers."""
    period = Period(dt.date.fromisoformat(params["start"]), dt.date.fromisoformat(params["end"]))
    offers = []
    if period.days > LONGEST_EASY_PERIOD_DAYS:
        shorter = Period.last_days(LONGEST_EASY_PERIOD_DAYS, until=period.end)
        dates = {"start": shorter.start.isoformat(), "end": shorter.end.isoformat()}
        offers.append((f"A shorter period: {shorter.label}", {**params, **dates}))
    if params["dimension"] == "campaign":
        offers.append(("By channel instead of by campaign", {**params, "dimension": "channel"}))
    if "segment" in params:
        everybody = {name: value for name, value in params.items() if name != "segment"}
        offers.append(("All customers instead of a segment", everybody))
    return offers


def present_result(run: "Run") -> PresentedResult:
    """Return what the run's page shows."""
    return PresentedResult(template_name="analyses/result.html", context={"document": document(run)})


KIND = AnalysisKind(
    name="attribution",
    label="Attribution",
    method_version="1",
    datasets=(Dataset.TOUCHPOINTS, Dataset.CONVERSIONS),
    clean=clean,
    compute=compute,
    present=present_result,
    document=document,
    rows=rows,
    describe=describe,
    settings=settings,
    in_address=in_address,
    optional=("segment",),
    compare=compare,
    page="attribution:page",
    easier=easier,
)
