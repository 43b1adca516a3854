"""The kind of analysis that says what an outcome will be if a plan is carried out."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

from accounts.models import Feature, Workspace
from analyses.registry import AnalysisKind, Answer, PresentedResult
from jobs.progress import Progress
from weightings.forecasts.params import DERIVED, MULTIPLES, PER_PERIOD, PLAN, by_channel_as_text, clean
from weightings.forecasts.plan_values import plan_as_text
from weightings.forecasts.presentation.comparison import compare
from weightings.forecasts.presentation.document import document
from weightings.forecasts.presentation.rows import rows
from weightings.forecasts.presentation.words import describe, settings

if TYPE_CHECKING:
    from analyses.models import Run

LONGEST_PLAN = 3000  # characters of an address, which servers read some 4,000 of
LEFT_OUT = "plan_left_out"  # says in an address that the plan was too long for it


def compute(workspace: Workspace, params: Mapping[str, Any], progress: Progress) -> Answer:
    """Return what is expected of the outcome, by period and in all, as JSON."""
    # Here, not above: pages that only name the kind must not wait for the numerical libraries.
    from weightings.forecasts import computation

    return computation.compute(workspace, params, progress)


def in_address(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return canonical params as the page's address says them: as text that people type."""
    said = {name: value for name, value in params.items() if name not in (*DERIVED, MULTIPLES, PER_PERIOD, PLAN)}
    said |= {name: by_channel_as_text(params[name]) for name in (MULTIPLES, PER_PERIOD) if name in params}
    if PLAN not in params:
        return said
    text = plan_as_text(params[PLAN])
    return said | ({PLAN: text} if len(quote_plus(text)) <= LONGEST_PLAN else {LEFT_OUT: "1"})


def present_result(run: "Run") -> PresentedResult:
    """Return what the run's page shows."""
    return PresentedResult(template_name="analyses/result.html", context={"document": document(run)})


KIND = AnalysisKind(
    name="forecast",
    label="Forecast",
    method_version="1",
    # All that it depends on is the model's run, which never changes.
    datasets=(),
    clean=clean,
    compute=compute,
    present=present_result,
    document=document,
    rows=rows,
    describe=describe,
    settings=settings,
    in_address=in_address,
    optional=(MULTIPLES, PER_PERIOD, PLAN, "plan_name", "override"),
    compare=compare,
    page="weightings:forecast",
    feature=lambda _params: Feature.FORECAST,
    scope="weightings",
)
