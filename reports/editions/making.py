"""The job that makes an edition: it waits for its runs, composes the document, keeps it, and makes its files."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from django.utils import timezone

from analyses import registry
from analyses.documents import Document
from analyses.models import Run
from analyses.runs import inputs_changed
from analyses.similar import asking_the_same
from jobs.handlers import JobDeferred, JobFailed
from jobs.models import Job
from jobs.progress import Progress
from marketing.periods import Period
from mmm_project.problems import NotFound
from reports import dashboard
from reports.blocks.definition import BRIEF, DASHBOARD, KINDS, SCENARIOS, TEXT, Block
from reports.editions import files, signals, snapshots
from reports.editions.actions import runs_of
from reports.editions.campaigns import campaign_first
from reports.editions.composition import Chapter, compose, in_brief
from reports.models import Edition
from weightings.models import Scenario

# Figures of the day that are being computed are waited for this long; then what is there is taken.
WAIT_FOR_FIGURES = dt.timedelta(minutes=10)
SHARE_OF_RUNS, SHARE_OF_DOCUMENT = 0.7, 0.8  # of the progress bar
NOTHING = "None of the parts of this report could be made. "
STILL_COMPUTING = "Figures of newer data were still being computed when this was made: these are the ones before."
SUPERSEDED = "superseded"  # what a run fails with when its question was asked anew, of newer data
GONE = "The analysis of this part has been deleted."


def make(job: Job, progress: Progress) -> None:
    """The job handler. Safe to repeat: what an interrupted claim left behind is under a name of its own."""
    edition = Edition.objects.select_related("workspace", "report", "requested_by", "job").get(job=job)
    runs = {block: _standing(run) for block, run in runs_of(edition).items()}
    if any(not run.job.finished for run in runs.values()):
        raise JobDeferred
    progress("Putting the report together", SHARE_OF_RUNS)
    ready_at = max([job.created_at, *(run.job.finished_at or job.created_at for run in runs.values())])
    document = _document(edition, runs, may_wait=timezone.now() - ready_at < WAIT_FOR_FIGURES)
    edition.snapshot = snapshots.write(edition, document, fence=job.fence)
    forms = edition.definition["formats"]
    for place, form in enumerate(forms):
        progress(f"Making the {form.upper()}", SHARE_OF_DOCUMENT + (1 - SHARE_OF_DOCUMENT) * place / len(forms))
        files.make(edition, document, form)
    progress.complete(lambda: _store(edition))


def tell_of_failure(job: Job) -> None:
    """Run in the transaction that fails or cancels the job."""
    for edition in Edition.objects.select_related("workspace").filter(job=job):
        sentence = job.error or "Making the report was cancelled."
        signals.edition_failed.send(sender=Edition, edition=edition, sentence=sentence)


def _store(edition: Edition) -> None:
    Edition.objects.filter(pk=edition.pk).update(snapshot=edition.snapshot, problems=edition.problems)
    signals.edition_made.send(sender=Edition, edition=edition)


def _standing(run: Run) -> Run:
    """The run, or the one that answers the same question in its place: data came in while it waited for a worker."""
    if run.job.error_code != SUPERSEDED:
        return run
    dates = {f"params__{name}": run.params[name] for name in ("start", "end") if name in run.params}
    same = asking_the_same(workspace=run.workspace, kind=run.kind, params=run.params).filter(void=False, **dates)
    return same.select_related("workspace", "job", "requested_by", "api_key").first() or run


def _document(edition: Edition, runs: dict[str, Run], *, may_wait: bool) -> Document:
    workspace, definition = edition.workspace, edition.definition
    chapters = [_chapter(edition, block, runs.get(block["id"]), may_wait=may_wait) for block in definition["blocks"]]
    problems = [f"{chapter.title}: {chapter.problem}" for chapter in chapters if chapter.problem]
    edition.problems = problems
    if problems and not any(chapter.document or chapter.paragraphs for chapter in chapters):
        first = next(chapter.problem for chapter in chapters if chapter.problem)
        raise JobFailed(f"{NOTHING}{first}", code="empty_report")
    campaign = definition["campaign"]
    return compose(
        chapters,
        title=edition.title,
        workspace=workspace.name,
        slug=workspace.slug,
        currency=workspace.currency,
        period=Period(edition.start, edition.end),
        facts=(
            *([("Campaign", campaign["name"])] if campaign else []),
            ("Made", f"{timezone.now().astimezone(workspace.zone):%-d %b %Y, %H:%M %Z}"),
        ),
    )


def _chapter(edition: Edition, block: Block, run: Run | None, *, may_wait: bool) -> Chapter:
    kind, known = block["kind"], {"id": block["id"], "kind": block["kind"], "title": block["title"]}
    if kind == TEXT:
        return Chapter(**known, paragraphs=[line for line in block["params"]["text"].split("\n") if line.strip()])
    if kind == DASHBOARD:
        document, problem = _figures(edition, block, may_wait=may_wait)
    elif kind == SCENARIOS:
        document, problem = _scenarios(edition, block["params"]["scenarios"])
    else:
        document, problem = _of_run(block, run)
    if document is not None and (campaign := edition.definition["campaign"]):
        document = campaign_first(document, kind=kind, campaign=campaign["name"])
    if document is not None and block["extent"] == BRIEF:
        document = in_brief(document)
    return Chapter(**known, document=document, problem=problem)


def _of_run(block: Block, run: Run | None) -> tuple[Document | None, str]:
    if run is None:
        return None, block["problem"] or GONE
    if run.job.status != Job.Status.DONE:
        label = KINDS[block["kind"]].label
        return None, run.job.error or f"{label} could not be computed: it was cancelled."
    document = registry.get(run.kind).document(run)
    if not inputs_changed(run):
        return document, ""
    finished = run.job.finished_at or run.created_at
    at = f"{finished.astimezone(run.workspace.zone):%-d %b %Y, %H:%M}"
    note = f"“{block['title']}” was computed on {at}. Data, or the method, have changed since."
    return replace(document, notes=(note, *document.notes)), ""


def _figures(edition: Edition, block: Block, *, may_wait: bool) -> tuple[Document | None, str]:
    """The dashboard, or the page of the report's campaign. Raises JobDeferred while newer figures are on their way."""
    campaign, workspace = edition.definition["campaign"], edition.workspace
    query = {"start": str(edition.start), "end": str(edition.end), "compare": edition.definition["comparison"]}
    query |= block["params"]
    now = timezone.now()
    try:
        page = (
            dashboard.campaign(workspace, campaign["id"], query, now=now)
            if campaign
            else dashboard.overview(workspace, query, now=now)
        )
    except NotFound as refusal:
        return None, refusal.detail
    if may_wait and (page.updating or page.situation == "preparing"):
        raise JobDeferred
    if page.document is None:
        return None, "There are no figures yet: import conversions and spend first."
    # What the page says above its figures, such as that a model is still to be computed.
    late = (STILL_COMPUTING,) if page.updating else ()
    return replace(page.document, notes=(*page.errors, *late, *page.document.notes)), ""


def _scenarios(edition: Edition, ids: Sequence[int]) -> tuple[Document | None, str]:
    """The scenarios that are still there, side by side, in the order in which they were chosen."""
    # Here, not above: it brings SciPy, which the web process must not wait for.
    from weightings.planner.side_by_side import comparison_document

    found = Scenario.objects.filter(workspace=edition.workspace, pk__in=ids)
    by_id = {one.pk: one for one in found.select_related("workspace", "run__workspace", "run__job", "created_by")}
    if not by_id:
        return None, "The scenarios of this part have been deleted."
    return comparison_document([by_id[pk] for pk in ids if pk in by_id])
