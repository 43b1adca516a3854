"""A kind of analysis that adds numbers up, on data whose version each test moves on itself."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import celery
import numpy.typing as npt
import pytest

from accounts.models import Feature, User, Workspace
from analyses import registry, runs
from analyses.documents import Document
from analyses.errors import InvalidParams
from analyses.models import Run
from analyses.registry import AnalysisKind, Answer, PresentedResult
from jobs.execution import execute
from jobs.progress import Progress
from marketing.models import Dataset
from mmm_project.tables import Cell


@dataclass
class Sums:
    """The kind `sums`; `work` is called while it computes, `version` is the version of its data."""

    version: str = "v1"
    computed: list[Mapping[str, Any]] = field(default_factory=list)
    work: Callable[[Progress], None] = lambda _progress: None
    arrays: dict[str, npt.NDArray[Any]] = field(default_factory=dict)
    rows: list[Sequence[Cell]] = field(default_factory=lambda: [("name", "sum"), ("=SUM(A1)", 0.1 + 0.2)])

    def kind(self, **changes: Any) -> AnalysisKind:
        fields: dict[str, Any] = {
            "name": "sums",
            "label": "Sums",
            "method_version": "1",
            "datasets": (Dataset.SPEND,),
            "clean": self.clean,
            "compute": self.compute,
            "present": self.present,
            "document": self.document,
            "rows": lambda _run: iter(self.rows),
            "describe": lambda params: "Sum of " + " and ".join(map(str, params["terms"])),
            "page": "analyses:runs",
            "feature": lambda params: Feature.FORECAST if params["premium"] else None,
            "easier": lambda params: [("Only the first term", {**params, "terms": params["terms"][:1]})],
        }
        return AnalysisKind(**(fields | changes))

    def clean(self, _workspace: Workspace, params: Mapping[str, object]) -> dict[str, Any]:
        terms = params.get("terms", [1])
        try:
            numbers = [float(term) for term in (terms.split(",") if isinstance(terms, str) else terms)]  # type: ignore[attr-defined]
        except ValueError:
            raise InvalidParams({"terms": "Give numbers."}) from None
        return {"terms": numbers, "premium": bool(params.get("premium")), "start": "2026-01-01", "end": "2026-01-31"}

    def compute(self, _workspace: Workspace, params: Mapping[str, Any], progress: Progress) -> Answer:
        self.computed.append(params)
        progress("Adding", 0.5)
        self.work(progress)
        return Answer({"sum": sum(params["terms"])}, self.arrays)

    def present(self, run: Run) -> PresentedResult:
        assert run.result is not None
        context = {"title": f"The sum is {run.result['sum']}", "text": "It was added up."}
        return PresentedResult(template_name="components/empty.html", context=context)

    def document(self, run: Run) -> Document:
        assert run.result is not None
        return Document(
            title="Sums",
            subtitle="A sum",
            headline=f"The sum is {run.result['sum']}",
            workspace=run.workspace.name,
            currency=run.workspace.currency,
            facts=(("Terms", str(run.params["terms"])),),
            sections=(),
            rows=self.rows,
            data=run.result,
            file_name=f"sums-{run.workspace.slug}-2026-01-01-to-2026-01-31",
        )


@pytest.fixture
def sums(monkeypatch: pytest.MonkeyPatch) -> Sums:
    sums = Sums()
    monkeypatch.setattr(registry, "_kinds", {"sums": sums.kind()})
    monkeypatch.setattr(runs, "data_version", lambda **_question: sums.version)
    monkeypatch.setattr(celery.current_app, "send_task", lambda *_args, **_kwargs: None)
    return sums


Ask = Callable[..., Run]


@pytest.fixture
def ask(workspace: Workspace, sums: Sums) -> Ask:
    """`ask(terms=[1, 2], by=analyst)` requests a run."""

    def ask(*, by: User | None = None, workspace: Workspace = workspace, **params: object) -> Run:
        return runs.request_run(workspace=workspace, kind="sums", params=params, by=by, trigger=Run.Trigger.PAGE)

    return ask


def carry_out(run: Run) -> Run:
    """Do what a worker does, and return the run as it is then."""
    execute(job_id=run.job_id)
    return Run.objects.select_related("job", "workspace").get(pk=run.pk)
