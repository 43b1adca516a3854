"""What the pages about runs show; all queries and wording are finished here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from analyses import artifacts, registry, runs
from analyses.age import is_stale, stale_sentence
from analyses.models import Run
from analyses.registry import AnalysisKind, Params, PresentedResult
from analyses.similar import asking_the_same
from jobs.models import Job
from marketing.freshness import Freshness, dataset_freshness

# From here on a run that is still going is offered easier questions.
SLOW_AFTER = timedelta(seconds=60)
SHOWN_OF_DIGEST = 12
SIMILAR_RUNS = 10
# The formats of `reports.exports`, which is above this app: addresses are all that is known of it here.
EXPORT_FORMATS = {"csv": "CSV", "xlsx": "Excel", "json": "JSON", "pdf": "PDF", "pptx": "PowerPoint"}


@dataclass(frozen=True)
class State:
    """A run's state in words, and the tone of its badge."""

    label: str
    tone: str


_STATES = {
    Job.Status.QUEUED: State("Waiting for a worker", "quiet"),
    Job.Status.RUNNING: State("Running", "accent"),
    Job.Status.DONE: State("Done", "good"),
    Job.Status.FAILED: State("Failed", "bad"),
    Job.Status.CANCELLED: State("Cancelled", "warn"),
}


@dataclass(frozen=True)
class Offer:
    """An easier question, as a link to the page to ask it from."""

    label: str
    url: str


@dataclass(frozen=True)
class RunPage:
    """A run for its page.

    `offers` and `freshness` are filled in where a run is slow or has failed; `exports`, as (label, address), and
    `compare_url` where it is done. `similar`: the same question about any period or data, this run
    included. `schedule_url`: where its question can be scheduled, "" where it cannot.
    `figures_lost`: the file of a finished run is. `stale`: that it is too old to act on, or "". `newest_day`: up to
    which the question can be asked anew, if there are days that the run does not know.
    """

    run: Run
    label: str
    question: str
    state: State
    asked_by: str
    asked_at: str
    elapsed: str
    percent: int
    ask_url: str
    styles: Sequence[str]
    data_changed: bool
    figures_lost: bool
    stale: str
    newest_day: date | None
    offers: Sequence[Offer]
    freshness: Sequence[Freshness]
    result: PresentedResult | None
    facts: Sequence[tuple[str, str]]
    exports: Sequence[tuple[str, str]]
    compare_url: str
    schedule_url: str
    similar: Sequence["RunRow"]

    @property
    def job(self) -> Job:
        return self.run.job

    @property
    def may_run_again(self) -> bool:
        """Whether the question would be computed anew."""
        return self.data_changed or self.figures_lost


@dataclass(frozen=True)
class RunRow:
    """A run as a line of the history."""

    run: Run
    label: str
    question: str
    state: State
    asked_by: str
    asked_at: str
    is_stale: bool

    @property
    def is_done(self) -> bool:
        return self.run.job.status == Job.Status.DONE


def present_run(run: Run) -> RunPage:
    """Return what the run's page shows in its present state."""
    kind = registry.get(run.kind)
    job = run.job
    elapsed = _elapsed(job)
    done = job.status == Job.Status.DONE
    troubled = job.status in (Job.Status.FAILED, Job.Status.CANCELLED) or (not job.finished and elapsed > SLOW_AFTER)
    return RunPage(
        run=run,
        label=kind.label,
        question=kind.describe(run.params),
        state=_STATES[Job.Status(job.status)],
        asked_by=asked_by(run),
        asked_at=asked_at(run),
        elapsed=_duration(elapsed),
        percent=int(job.progress * 100),
        ask_url=_ask_url(kind, run, run.params),
        styles=kind.styles,
        data_changed=done and runs.inputs_changed(run),
        figures_lost=done and artifacts.is_lost(run),
        stale=stale_sentence(run) if done else "",
        newest_day=_newest_day(kind, run) if done else None,
        offers=[Offer(label, _ask_url(kind, run, params)) for label, params in kind.easier(run.params)]
        if troubled
        else [],
        freshness=dataset_freshness(workspace=run.workspace) if troubled else [],
        result=kind.present(run) if done else None,
        facts=[*kind.settings(run.params), *provenance(run)],
        exports=_exports(run) if done else [],
        schedule_url=_schedule_url(kind, run) if done or troubled else "",
        compare_url=f"{_history_url(run)}?{urlencode({'kind': run.kind, 'run': run.pk})}" if done else "",
        similar=[present_row(other) for other in _similar(run)[:SIMILAR_RUNS]] if job.finished else [],
    )


def _schedule_url(kind: AnalysisKind, run: Run) -> str:
    """Where to have the question answered again and again; what has not been answered is to be set up anew."""
    if not kind.can_be_scheduled:
        return ""
    address = reverse("reports:schedule_new", kwargs={"slug": run.workspace.slug})
    return f"{address}?{urlencode({'run': run.pk})}" if run.job.status == Job.Status.DONE else address


def present_row(run: Run) -> RunRow:
    """Return a line of the history; needs `job`, `requested_by` and `api_key` selected with the run."""
    kind = registry.get(run.kind)
    return RunRow(
        run=run,
        label=kind.label,
        question=kind.describe(run.params),
        state=_STATES[Job.Status(run.job.status)],
        asked_by=asked_by(run),
        asked_at=asked_at(run),
        is_stale=run.job.status == Job.Status.DONE and is_stale(run),
    )


def provenance(run: Run) -> list[tuple[str, str]]:
    """Return where a run's numbers come from: who asked, when, of which data, by which version of the method.

    A page or a schedule that asked says nothing to somebody who reads a report.
    """
    finished_at = run.job.finished_at
    return [
        *((("Asked by", asked_by(run)),) if run.requested_by or run.api_key else ()),
        ("Asked at", asked_at(run)),
        *((("Computed at", _time(run, finished_at)),) if finished_at else ()),
        ("Data version", data_version(run.data_version, kind=run.kind)),
        ("Method version", run.method_version),
        ("Run", str(run.pk)),
    ]


def data_version(version: str, *, kind: str) -> str:
    """Return a version of the data with the datasets that it is of: "1ae0ffc8a1f2 (touchpoints, conversions, spend)".

    Kinds of analyses look at different datasets, so their versions differ on the same day.
    """
    datasets = registry.get(kind).datasets
    if not datasets:
        return "that of the run that it is answered from"
    return f"{version[:SHOWN_OF_DIGEST]} ({', '.join(dataset.value.replace('_', ' ') for dataset in datasets)})"


def asked_by(run: Run) -> str:
    """Return who asked: a person, an API key or, with neither, what led to it."""
    person: User | None = run.requested_by
    if run.api_key:
        return f"API key {run.api_key.name}"
    return person.email if person else str(run.get_trigger_display())


def asked_at(run: Run) -> str:
    """Return the time in the workspace's zone, with the zone's abbreviation."""
    return _time(run, run.created_at)


def _time(run: Run, time: datetime) -> str:
    return f"{time.astimezone(run.workspace.zone):%-d %b %Y, %H:%M %Z}"


def _similar(run: Run) -> QuerySet[Run]:
    """Return the runs that ask the same about any period, on any data, newest first."""
    asked = asking_the_same(workspace=run.workspace, kind=run.kind, params=run.params).defer("result")
    return asked.select_related("workspace", "job", "requested_by", "api_key")


def _newest_day(kind: AnalysisKind, run: Run) -> date | None:
    renewed = kind.renewed(run.workspace, run.params)
    return None if renewed is None else date.fromisoformat(renewed["end"])


def _elapsed(job: Job) -> timedelta:
    return (job.finished_at or timezone.now()) - (job.started_at or job.created_at)


def _duration(elapsed: timedelta) -> str:
    minutes, seconds = divmod(max(int(elapsed.total_seconds()), 0), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {seconds:02} s" if minutes else f"{seconds} s" if seconds else "less than 1 s"


def _exports(run: Run) -> list[tuple[str, str]]:
    arguments = {"slug": run.workspace.slug, "run_id": run.pk}
    return [
        (label, reverse("reports:export_run", kwargs={**arguments, "form": form}))
        for form, label in EXPORT_FORMATS.items()
    ]


def _history_url(run: Run) -> str:
    return reverse("analyses:runs", kwargs={"slug": run.workspace.slug})


def _ask_url(kind: AnalysisKind, run: Run, params: Params) -> str:
    query = urlencode({name: value for name, value in kind.in_address(params).items() if value is not None}, doseq=True)
    return f"{reverse(kind.page, kwargs={'slug': run.workspace.slug})}?{query}"
