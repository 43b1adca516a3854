"""The kind of analysis that recommends a budget by a finished run's model."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from accounts.models import Workspace
from analyses.registry import AnalysisKind, Answer, PresentedResult
from jobs.progress import Progress
from weightings.budgets.document import describe, document, rows, settings
from weightings.budgets.params import DERIVED, clean

if TYPE_CHECKING:
    from analyses.models import Run


def compute(workspace: Workspace, params: Mapping[str, Any], progress: Progress) -> Answer:
    """Return a recommended budget as JSON of full-precision numbers."""
    from weightings.budgets import computation

    return computation.compute(workspace, params, progress)


def easier(params: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return questions that take less time: without spreading it anew."""
    if "flighting" not in params:
        return []
    return [("Spread over time as it is now", {name: value for name, value in params.items() if name != "flighting"})]


def present_result(run: "Run") -> PresentedResult:
    """Return what the run's page shows."""
    return PresentedResult(template_name="analyses/result.html", context={"document": document(run)})


def in_address(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return canonical params as the page's address says them: which model, and the horizon."""
    return {name: value for name, value in params.items() if name in ("model_run", "horizon") and name not in DERIVED}


KIND = AnalysisKind(
    name="budget",
    label="Budget",
    method_version="1",
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
