"""The newest answer in a glance, for the page that asks."""

from dataclasses import dataclass

from django.urls import reverse

from accounts.models import Workspace
from analyses.age import is_stale
from analyses.presenters import asked_at
from weightings.finished import finished_runs
from weightings.labels import VERDICTS
from weightings.presentation.results import Result
from weightings.presentation.words import describe, headline

TONES = {"good": "good", "review": "warn", "fail": "bad"}


@dataclass(frozen=True, kw_only=True)
class NewestAnswer:
    """What a finished run found, to what question, how far to believe it (`verdict`, with a tone), and its page."""

    headline: str
    question: str
    verdict: str
    tone: str
    asked_at: str
    url: str
    is_stale: bool


def newest_answer(workspace: Workspace) -> NewestAnswer | None:
    """Return the answer of the run that was asked for last, of those that have finished; None of none."""
    run = finished_runs(workspace).select_related("workspace", "job").first()
    if run is None:
        return None
    result = Result(run)
    return NewestAnswer(
        headline=headline(result),
        question=describe(run.params),
        verdict=f"Model health: {VERDICTS[result.verdict].lower()}" if result.converged else "Not converged",
        tone=TONES[result.verdict] if result.converged else "bad",
        asked_at=asked_at(run),
        url=reverse("analyses:run", kwargs={"slug": workspace.slug, "run_id": run.pk}),
        is_stale=is_stale(run),
    )
