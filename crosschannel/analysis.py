"""The kind of analysis that follows journeys across channels and looks for what channels do together."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.urls import reverse

from accounts.models import Workspace
from analyses.asking import period_of
from analyses.registry import AnalysisKind, Answer, PresentedResult
from analyses.segments import in_address as segment_in_address
from crosschannel.labels import KIND as NAME
from crosschannel.labels import PATH_FILTERS
from crosschannel.params import clean, path_in_words
from crosschannel.presentation.words import describe, settings
from jobs.progress import Progress
from marketing.models import Dataset
from marketing.periods import Period
from mmm_project.tables import Cell

if TYPE_CHECKING:
    from analyses.documents import Document
    from analyses.models import Run

LONGEST_EASY_PERIOD_DAYS = 30


def compute(workspace: Workspace, params: Mapping[str, Any], progress: Progress) -> Answer:
    """Return flows, paths and pairs as JSON of full-precision numbers, and the arrays that their pages count from."""
    # Here, not above: pages that only name the kind must not wait for the numerical libraries.
    from crosschannel import computation

    return computation.compute(workspace, params, progress)


def document(run: "Run") -> "Document":
    """Return a finished run for its page and its exports."""
    from crosschannel.presentation import document as of_run

    return of_run.document(run)


def rows(run: "Run") -> Iterable[Sequence[Cell]]:
    """Yield the result as one table, header first."""
    from crosschannel.presentation import rows as of_run

    return of_run.rows(run)


def present_result(run: "Run") -> PresentedResult:
    """Return what the run's page shows."""
    journeys_url = reverse("crosschannel:journeys", kwargs={"slug": run.workspace.slug, "run_id": run.pk})
    context = {"document": document(run), "journeys_url": journeys_url}
    return PresentedResult(template_name="crosschannel/result.html", context=context)


def easier(params: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return questions that are rather answered: a shorter period, all paths, all customers."""
    period = period_of(params)
    offers = []
    if period.days > LONGEST_EASY_PERIOD_DAYS:
        shorter = Period(period.end - dt.timedelta(LONGEST_EASY_PERIOD_DAYS - 1), period.end)
        dates = {"start": shorter.start.isoformat(), "end": shorter.end.isoformat()}
        offers.append((f"A shorter period: {shorter.label}", {**params, **dates}))
    filters = {*PATH_FILTERS, "converting", "min_journeys"}
    if filters & params.keys():
        offers.append(("All paths", {name: value for name, value in params.items() if name not in filters}))
    if "segment" in params:
        everybody = {name: value for name, value in params.items() if name != "segment"}
        offers.append(("All customers instead of a segment", everybody))
    return offers


def in_address(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return canonical params as the page's address says them: channels as text."""
    said = dict(segment_in_address(params))
    return said | {name: path_in_words(name, said[name]) for name in PATH_FILTERS if name in said}


KIND = AnalysisKind(
    name=NAME,
    label="Cross-channel",
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
    optional=("segment", "grouping", "view_through", *PATH_FILTERS, "converting", "min_journeys"),
    page="crosschannel:page",
    can_be_scheduled=True,
    easier=easier,
    styles=("css/crosschannel.css",),
)
