"""A kind of analysis that computes until the test opens its gate, or kills the process that computes it."""

import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from accounts.models import Workspace
from analyses.documents import Document
from analyses.models import Run
from analyses.registry import AnalysisKind, Answer, PresentedResult
from jobs.handlers import JobCancelled, LeaseLost
from jobs.progress import Progress

_DIRECTORY = Path(os.environ.get("STACK_DIRECTORY", "."))


def gate(directory: Path, name: str) -> Path:
    """The file that ends the computation of the question `name` once it exists."""
    return directory / f"{name}.gate"


def diary(directory: Path, name: str) -> Path:
    """The file that says, in a line each, when a computation of the question `name` started and how it ended."""
    return directory / f"{name}.diary"


def _write_down(name: str, what: str) -> None:
    with diary(_DIRECTORY, name).open("a") as file:
        file.write(f"{what}\n")


def _compute(_workspace: Workspace, params: Mapping[str, Any], progress: Progress) -> Answer:
    name = params["name"]
    _write_down(name, "started")
    if params["poison"]:
        os.kill(os.getpid(), signal.SIGKILL)
    try:
        while not gate(_DIRECTORY, name).exists():
            progress("Waiting", 0.5)
            time.sleep(0.02)
    except (JobCancelled, LeaseLost) as stop:
        _write_down(name, type(stop).__name__)
        raise
    return Answer({"answer": 42})


def _document(run: Run) -> Document:
    return Document(
        title="Slow",
        subtitle="",
        headline="",
        workspace=run.workspace.name,
        currency=run.workspace.currency,
        facts=(),
        sections=(),
        rows=(),
        data={},
        file_name="slow",
    )


SLOW = AnalysisKind(
    name="slow",
    label="Slow",
    method_version="1",
    datasets=(),
    clean=lambda _workspace, params: {"name": params["name"], "poison": bool(params.get("poison"))},
    compute=_compute,
    present=lambda _run: PresentedResult(template_name="components/empty.html", context={}),
    document=_document,
    rows=lambda _run: [],
    describe=lambda params: params["name"],
    page="analyses:runs",
)
