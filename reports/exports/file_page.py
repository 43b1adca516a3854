"""What the page of a file that is made in the background shows; all wording is finished here."""

from dataclasses import dataclass

from django.template.defaultfilters import filesizeformat
from django.urls import reverse

from analyses import registry
from analyses.models import Run
from jobs.models import Job
from reports.exports import FORMATS
from reports.exports.background import place_of
from reports.models import ExportFile

CANCELLED = "It was stopped before the file was ready."
GONE = "The file is no longer there. It can be prepared again."


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferPage:
    """That a file takes a while, and how to have it. `what`: the kind of analysis; `question`: the run's."""

    what: str
    question: str
    format_label: str
    run_url: str
    prepare_url: str
    paper: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePage:
    """A file on its way, ready or failed. `url`: where it is, once it is; `problem`: why there is none, if so."""

    offer: OfferPage
    url: str
    file_url: str = ""
    is_waiting: bool = False
    phase: str = ""
    percent: int = 0
    size: str = ""
    kept_until: str = ""
    problem: str = ""


def present_offer(run: Run, form: str, paper: str) -> OfferPage:
    """Return the page that offers to prepare a file."""
    kind = registry.get(run.kind)
    arguments = {"slug": run.workspace.slug, "run_id": run.pk}
    return OfferPage(
        what=kind.label,
        question=kind.describe(run.params),
        format_label=FORMATS[form].label,
        run_url=reverse("analyses:run", kwargs=arguments),
        prepare_url=reverse("reports:prepare_export", kwargs={**arguments, "form": form}),
        paper=paper,
    )


def present_file(file: ExportFile) -> FilePage:
    """Return the page of a file in its present state."""
    arguments = {"slug": file.workspace.slug, "file_id": file.pk}
    offer = present_offer(file.run, file.form, file.paper)
    url = reverse("reports:export_page", kwargs=arguments)
    job = file.job
    if not job.finished:
        return FilePage(
            offer=offer,
            url=url,
            is_waiting=True,
            phase=job.phase or ("Waiting for a worker" if job.status == Job.Status.QUEUED else "Starting"),
            percent=int(job.progress * 100),
        )
    if job.status != Job.Status.DONE:
        return FilePage(offer=offer, url=url, problem=job.error or CANCELLED)
    if place_of(file) is None or file.expires_at is None:
        return FilePage(offer=offer, url=url, problem=GONE)
    return FilePage(
        offer=offer,
        url=url,
        file_url=reverse("reports:export_file", kwargs=arguments),
        size=filesizeformat(file.bytes),
        kept_until=f"{file.expires_at.astimezone(file.workspace.zone):%-d %b %Y, %H:%M %Z}",
    )
