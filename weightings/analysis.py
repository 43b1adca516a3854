"""The kind of analysis that says what media brought, by a media mix model."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.urls import reverse

from accounts.models import Workspace
from analyses.registry import AnalysisKind, Answer, PresentedResult
from jobs.models import Job
from jobs.progress import Progress
from marketing.models import Dataset
from weightings import expected_returns
from weightings.params import EFFECTS, LEAVE_OUT, MEASURED_IN, clean, is_lightweight
from weightings.presentation.comparison import compare
from weightings.presentation.document import document
from weightings.presentation.rows import rows
from weightings.presentation.words import describe, settings
from weightings.refresh.renewal import renewed
from weightings.refresh.staleness import STALE_AFTER

if TYPE_CHECKING:
    from analyses.models import Run

COARSER = {"day": "week", "week": "month"}
WITH_HILL = "With the Hill curve, the plain model"


def compute(workspace: Workspace, params: Mapping[str, Any], progress: Progress) -> Answer:
    """Return what media brought, with the model's health, as JSON; the posterior and the panel as arrays."""
    # Here, not above: pages that only name the kind must not wait for the numerical libraries.
    from weightings import computation

    return computation.compute(workspace, params, progress)


def easier(params: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return questions that take less time: coarser periods, one market, no periods held back, a plainer model.

    The logistic curve has fewer parameters than the Hill curve, which is no way out of it.
    """
    offers = []
    if coarser := COARSER.get(params["granularity"]):
        offers.append((f"By {coarser} instead of by {params['granularity']}", {**params, "granularity": coarser}))
    if "by_geo" in params:
        offers.append(("All geos together, as one market", {k: v for k, v in params.items() if k != "by_geo"}))
    if params["folds"]:
        offers.append(("Without trying it on periods held back", {**params, "folds": 0}))
    if is_lightweight(params):  # how long it samples, and that nothing is held back, is of that package's models alone
        kept = {name: value for name, value in params.items() if name not in ("folds", "draws")}
        offers.append((WITH_HILL, {**kept, "model": "hill"}))
    elif params["model"] == "delayed":
        offers.append((WITH_HILL, {**params, "model": "hill"}))
    return offers


def in_address(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return canonical params as the page's address says them: as text that people type, and names one by one."""
    said = {
        name: ",".join(map(_said, value)) if isinstance(value, list) and name not in LEAVE_OUT else value
        for name, value in params.items()
        if name not in (EFFECTS, MEASURED_IN)
    }
    return {**said, "roi": expected_returns.as_text(params[EFFECTS])} if EFFECTS in params else said


def _said(value: object) -> str:
    return expected_returns.plain(value) if isinstance(value, float) else str(value)


def present_result(run: "Run") -> PresentedResult:
    """Return what the run's page shows."""
    context = {"document": document(run), "plan_links": plan_links(run)}
    return PresentedResult(template_name="weightings/result.html", context=context)


def plan_links(run: "Run") -> list[tuple[str, str]]:
    """Return what can be done with a model, as (label, address)."""
    of_workspace = {"slug": run.workspace.slug}
    of_run = of_workspace | {"run_id": run.pk}
    return [
        ("Plan a budget", reverse("weightings:planner", kwargs=of_run)),
        ("Scenarios", reverse("weightings:scenarios", kwargs=of_workspace)),
        ("Forecast", f"{reverse('weightings:forecast', kwargs=of_workspace)}?{urlencode({'model_run': run.pk})}"),
        ("Experiments", reverse("weightings:experiments", kwargs=of_workspace)),
    ]


KIND = AnalysisKind(
    name="weightings",
    label="Weightings",
    method_version="2",  # since 2 a result recommends a budget
    # A wide table of media has rows of these: an import of it changes their versions.
    datasets=(Dataset.SPEND, Dataset.OUTCOMES, Dataset.CONTROLS, Dataset.EVENTS, Dataset.EXPERIMENTS),
    clean=clean,
    compute=compute,
    present=present_result,
    document=document,
    rows=rows,
    describe=describe,
    settings=settings,
    in_address=in_address,
    optional=(
        *("exposure", "holidays", "bounds", "knots", "short_allowed", "experiments", "lifts", "by_geo", EFFECTS),
        *LEAVE_OUT,
    ),
    compare=compare,
    stale_after=STALE_AFTER,
    renewed=renewed,
    page="weightings:page",
    queue=Job.Queue.FITS,
    can_be_scheduled=True,
    easier=easier,
)
