"""The kind of analysis that recommends a budget by a finished run's model."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from accounts.models import Workspace
from analyses.registry import AnalysisKind, Answer, PresentedResult
from jobs.progress import Progress
from mmm_project.tables import Cell
from weightings.budgets.words import describe, settings

if TYPE_CHECKING:
    from analyses.documents import Document
    from analyses.models import Run

# What follows imports where it is called: pages that only name the kind must not wait for the numerical libraries.


def clean(workspace: Workspace, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return canonical params, as `weightings.budgets.params` has them."""
    from weightings.budgets import params as budget_params

    return budget_params.clean(workspace, params)


def compute(workspace: Workspace, params: Mapping[str, Any], progress: Progress) -> Answer:
    """Return a recommended budget as JSON of full-precision numbers."""
    from weightings.budgets import computation

    return computation.compute(workspace, params, progress)


def document(run: "Run") -> "Document":
    """Return a finished run for its page and its exports."""
    from weightings.budgets import document as of_budget

    return of_budget.document(run)


def rows(run: "Run") -> Iterable[Sequence[Cell]]:
    """Yield the result as one table, header first."""
    from weightings.budgets import document as of_budget

    return of_budget.rows(run)


def easier(params: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return questions that take less time: without spreading it anew."""
    if "flighting" not in params:
        return []
    return [("Spread over time as it is now", {name: value for name, value in params.items() if name != "flighting"})]


def present_result(run: "Run") -> PresentedResult:
    """Return what the run's page shows."""
    return PresentedResult(template_name="analyses/result.html", context={"document": document(run)})


def in_address(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return canonical params as the page's address says them, as text; by channel as JSON, as any name may be."""
    said = {name: value for name, value in params.items() if name not in ("outcome", "start", "end", "flighting")}
    return said | {name: json.dumps(params[name]) for name in ("limits", "locks") if name in params}


KIND = AnalysisKind(
    name="budget",
    label="Budget",
    method_version="2",  # since 2 flighting is held against the recommended budget
    datasets=(),  # it is answered from a run, which never changes
    clean=clean,
    compute=compute,
    present=present_result,
    document=document,
    rows=rows,
    describe=describe,
    settings=settings,
    in_address=in_address,
    optional=("horizon", "target", "limits", "locks", "flighting", "override"),
    page="weightings:budget",
    easier=easier,
    scope="weightings",
)
