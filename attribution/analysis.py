"""The kind of analysis that credits conversions to channels or campaigns by attribution models."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from accounts.models import Feature, Workspace
from analyses.asking import period_of
from analyses.registry import AnalysisKind, Answer, PresentedResult
from analyses.segments import in_address as segment_in_address
from analyses.tables import OnPhase, Tables
from attribution import channel_types
from attribution.custom import custom_models
from attribution.params import PATHS, clean
from attribution.presentation import presenters
from attribution.presentation.comparison import compare
from attribution.presentation.document import document
from attribution.presentation.presenters import describe, rows, settings
from jobs.progress import Progress
from marketing.models import Dataset
from marketing.periods import Period

if TYPE_CHECKING:
    from analyses.models import Run

EASY_REPLICATES = 200
LONGEST_EASY_PERIOD_DAYS = 30


def compute(workspace: Workspace, params: Mapping[str, Any], progress: Progress) -> Answer:
    """Return totals, credit by model and group with intervals, and the evidence, as JSON of full-precision numbers.

    The arrays are what the credit would have been in each replicate, so that runs can be compared replicate by
    replicate.
    """
    # Here, not above: the methods take a second to import, and pages that only name the kind must not wait for them.
    from attribution import computation

    if params.get("data") == PATHS:
        return computation.of_paths(workspace, params, progress)
    return computation.of_journeys(workspace, params, progress)


def compute_tables(workspace: Workspace, params: Mapping[str, Any], tables: Tables, on_phase: OnPhase) -> Answer:
    """Return the same from tables outside the database, but for evidence that is no sum over customers."""
    from attribution.engines.answering import of_tables  # here: see `compute`

    return of_tables(workspace, params, tables, on_phase)


def feature(params: Mapping[str, Any]) -> Feature | None:
    """Return the plan's feature that the question needs: data-driven models are not part of every plan."""
    models = (presenters.model_of(name, params) for name in params["model"])
    return Feature.DATA_DRIVEN if any(model.is_data_driven for model in models) else None


def easier(params: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return questions that take less time, or are rather answered: a shorter period, channels, all customers."""
    period = period_of(params)
    offers = []
    if period.days > LONGEST_EASY_PERIOD_DAYS:
        shorter = Period.last_days(LONGEST_EASY_PERIOD_DAYS, until=period.end)
        dates = {"start": shorter.start.isoformat(), "end": shorter.end.isoformat()}
        offers.append((f"A shorter period: {shorter.label}", {**params, **dates}))
    if params["dimension"] == "campaign":
        offers.append(("By channel instead of by campaign", {**params, "dimension": "channel"}))
    if params.get("replicates", 0) > EASY_REPLICATES:
        fewer = {**params, "replicates": EASY_REPLICATES}
        offers.append((f"{EASY_REPLICATES} replicates for the intervals", fewer))
    if "segment" in params:
        everybody = {name: value for name, value in params.items() if name != "segment"}
        offers.append(("All customers instead of a segment", everybody))
    return offers


def in_address(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return canonical params as the page's address says them: custom models and types are looked up anew."""
    looked_up = (custom_models.PARAM, channel_types.PARAM)
    return {name: value for name, value in segment_in_address(params).items() if name not in looked_up}


def present_result(run: "Run") -> PresentedResult:
    """Return what the run's page shows."""
    return PresentedResult(template_name="analyses/result.html", context={"document": document(run)})


KIND = AnalysisKind(
    name="attribution",
    label="Attribution",
    method_version="3",  # since 3 the intervals of differences that are near 0 do not depend on rounding
    datasets=(Dataset.TOUCHPOINTS, Dataset.CONVERSIONS, Dataset.PATHS, Dataset.SPEND, Dataset.EXPERIMENTS),
    clean=clean,
    compute=compute,
    compute_tables=compute_tables,
    present=present_result,
    document=document,
    rows=rows,
    describe=describe,
    settings=settings,
    in_address=in_address,
    optional=("segment", "grouping", "view_through", "data", custom_models.PARAM, channel_types.PARAM),
    feature=feature,
    compare=compare,
    page="attribution:page",
    can_be_scheduled=True,
    easier=easier,
)
