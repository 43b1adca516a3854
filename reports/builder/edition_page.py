"""What the page of an edition shows, on its way, failed or finished; all queries and wording are finished here."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from django.urls import reverse

from accounts.models import User
from accounts.permissions import Permission
from analyses.documents import Document, Section
from analyses.models import Run
from analyses.presenters import State, present_row
from jobs.models import Job
from marketing.periods import Period
from reports.blocks.definition import KINDS
from reports.editions import snapshots
from reports.editions.actions import runs_of
from reports.editions.composition import SUMMARY
from reports.editions.making import SHARE_OF_RUNS
from reports.editions.tracing import AT, pieces
from reports.exports import FORMATS
from reports.models import Edition

CANCELLED = "Making this edition was cancelled."
FIGURES = "figures"  # the id of the cards
KEY_FIGURES = "Key figures"
_STATES = {
    Job.Status.QUEUED: State("Waiting", "quiet"),
    Job.Status.RUNNING: State("Being made", "accent"),
    Job.Status.DONE: State("Ready", "good"),
    Job.Status.FAILED: State("Failed", "bad"),
    Job.Status.CANCELLED: State("Cancelled", "warn"),
}
LOST = State("Lost", "bad")
_AT_THE_END = State("Read at the end", "quiet")


@dataclass(frozen=True, slots=True)
class BlockState:
    """A block of an edition that is being made. `problem`: why there will be nothing of it, if so."""

    title: str
    label: str
    state: State
    url: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a sentence; with `href` it is a number, and leads to where that stands, which `where` names."""

    text: str
    href: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class PlacedSection:
    """A section with the id of its heading."""

    id: str
    section: Section


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A chapter: its sections, the paragraphs of its author, or why there is nothing."""

    id: str
    title: str
    sections: Sequence[PlacedSection] = ()
    paragraphs: Sequence[str] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadDocument:
    """A finished edition's document. `summary`: a sentence a part, in pieces; `traced`: where its numbers stand.

    `facts`: of all of it; `facts_by_part`: under the title of the part that they are about.
    """

    document: Document
    facts: Sequence[tuple[str, str]]
    facts_by_part: Sequence[tuple[str, Sequence[tuple[str, str]]]]
    summary: Sequence[Sequence[Piece]]
    traced: PlacedSection | None
    parts: Sequence[Part]


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionPage:
    """An edition in its present state.

    `read`: its document, once there is one. `problem`: why there is none and will be none. `percent`, `phase` and
    `blocks`: how far it is, until it has ended.
    """

    edition: Edition
    period: str
    campaign: str
    made: str
    state: State
    url: str
    report_url: str
    is_waiting: bool = False
    phase: str = ""
    percent: int = 0
    blocks: Sequence[BlockState] = ()
    problem: str = ""
    read: ReadDocument | None = None
    exports: Sequence[tuple[str, str]] = ()


def cancel_permission(edition: Edition, user: User) -> Permission:
    """Return what a member needs to be allowed to stop this edition: it matters who asked for it."""
    return Permission.CANCEL_OWN if edition.requested_by_id == user.pk else Permission.CANCEL_ANY


def state_of(edition: Edition) -> State:
    """Return an edition's state in words."""
    return _STATES[Job.Status(edition.job.status)]


def url_of(edition: Edition, slug: str) -> str:
    return reverse("reports:edition", kwargs={"slug": slug, "edition_id": edition.pk})


def made_line(edition: Edition) -> str:
    """Return who asked for an edition, and when: "Asked by ann@example.com, 3 May 2026, 09:00 CEST"."""
    by = edition.requested_by.email if edition.requested_by else str(edition.get_trigger_display())
    return f"Asked by {by}, {edition.created_at.astimezone(edition.workspace.zone):%-d %b %Y, %H:%M %Z}"


def present_edition(edition: Edition) -> EditionPage:
    """Return the page of an edition; needs `workspace`, `job`, `report` and `requested_by` selected with it."""
    slug, job = edition.workspace.slug, edition.job
    report = edition.report
    campaign = edition.definition["campaign"]
    page = EditionPage(
        edition=edition,
        period=Period(edition.start, edition.end).label,
        campaign=campaign["name"] if campaign else "",
        made=made_line(edition),
        state=state_of(edition),
        url=url_of(edition, slug),
        report_url=reverse("reports:report", kwargs={"slug": slug, "report_id": report.pk}) if report else "",
    )
    if not job.finished:
        runs = runs_of(edition)
        percent, phase = _how_far(job, list(runs.values()))
        blocks = [_block_state(block, runs.get(block["id"]), slug) for block in edition.definition["blocks"]]
        return replace(page, is_waiting=True, percent=percent, phase=phase, blocks=blocks)
    if job.status != Job.Status.DONE:
        return replace(page, problem=job.error or CANCELLED)
    try:
        document = snapshots.document_of(edition)
    except snapshots.SnapshotLost as lost:
        return replace(page, state=LOST, problem=str(lost))
    exports = [
        (kind.label, reverse("reports:export_edition", kwargs={"slug": slug, "edition_id": edition.pk, "form": form}))
        for form, kind in FORMATS.items()
    ]
    return replace(page, read=read(document), exports=exports)


def read(document: Document) -> ReadDocument:
    """Return a report's document by its parts, with its summary's numbers led to where they stand."""
    told = document.data["parts"]
    parts = [_part(document, told_of, number) for number, told_of in enumerate(told, start=1)]
    with_cards = next((told_of["title"] for told_of in told if "headline" in told_of), "")
    summary = next((section for section in document.sections if section.part == SUMMARY), None)
    ids = {part.title: part for part in parts}
    traced = _traced(summary, ids, with_cards) if summary else {}
    sentences = summary.sentences if summary else ()
    by_part = [(part.title, list(_facts(document, part.title))) for part in parts]
    of_parts = {fact for part in parts for fact in document.facts if _is_about(part.title, fact[0])}
    return ReadDocument(
        document=document,
        facts=[fact for fact in document.facts if fact not in of_parts],
        facts_by_part=[(title, facts) for title, facts in by_part if facts],
        summary=[list(_in_pieces(sentence, ids, traced)) for sentence in sentences],
        traced=PlacedSection("summary-numbers", summary) if summary and summary.tables else None,
        parts=[part for part in parts if part.sections or part.paragraphs or part.problem],
    )


def _how_far(job: Job, runs: Sequence[Run]) -> tuple[int, str]:
    """The share that is done, in percent, and what is going on."""
    ended = sum(run.job.finished for run in runs)
    if ended < len(runs):
        share = sum(1.0 if run.job.finished else run.job.progress for run in runs) / len(runs)
        return int(100 * SHARE_OF_RUNS * share), f"Waiting for its analyses: {ended} of {len(runs)} done"
    begun = SHARE_OF_RUNS if runs else 0.0
    waiting = "Waiting for a worker" if job.status == Job.Status.QUEUED else "Starting"
    return int(100 * max(begun, job.progress)), job.phase or waiting


def _block_state(block: Mapping[str, str], run: Run | None, slug: str) -> BlockState:
    label = KINDS[block["kind"]].label
    if block.get("problem"):
        return BlockState(block["title"], label, State("Cannot be made", "warn"), problem=block["problem"])
    if run is None:
        return BlockState(block["title"], label, _AT_THE_END)
    url = reverse("analyses:run", kwargs={"slug": slug, "run_id": run.pk})
    return BlockState(block["title"], label, present_row(run).state, url=url, problem=run.job.error)


def _part(document: Document, told: Mapping[str, str], number: int) -> Part:
    """A part of the document; what has no numbers has neither sections nor tables, only its sentences."""
    id_ = f"part-{number}"
    sections = [section for section in document.sections if section.part == told["title"]]
    if "headline" not in told:
        paragraphs = [] if "problem" in told else [text for section in sections for text in section.sentences]
        return Part(id=id_, title=told["title"], paragraphs=paragraphs, problem=told.get("problem", ""))
    placed = [PlacedSection(f"{id_}-{place}", section) for place, section in enumerate(sections, start=1)]
    return Part(id=id_, title=told["title"], sections=placed)


def _is_about(part: str, name: str) -> bool:
    return name == part or name.startswith(f"{part}: ")


def _facts(document: Document, part: str) -> Iterator[tuple[str, str]]:
    """The facts about a part, without its title before each: “Credit by channel: models” is “Models”."""
    for name, fact in document.facts:
        if _is_about(part, name):
            short = name.removeprefix(part).removeprefix(": ")
            yield f"{short[:1].upper()}{short[1:]}" or "About", fact


def _traced(summary: Section, parts: Mapping[str, Part], with_cards: str) -> dict[tuple[str, str], Piece]:
    """Where each number of each part's sentence stands: (part, number) -> its link."""
    found: dict[tuple[str, str], Piece] = {}
    for row in (row for table in summary.tables for row in table.rows):
        full, where = (figure.text for figure in row.cells)
        part = _longest(parts, where, AT)
        if part is not None:
            place = where.removeprefix(f"{part.title}{AT}")
            href = f"#{_anchor(part, place.partition(AT)[0], has_cards=part.title == with_cards)}"
            found.setdefault((part.title, row.label), Piece("", href, f"{full}: {where}"))
    return found


def _anchor(part: Part, place: str, *, has_cards: bool) -> str:
    """The id of the section of a part in which a number stands, of the cards, or else of the part."""
    by_title = {placed.section.title: placed.id for placed in reversed(part.sections)}
    return by_title.get(place) or (FIGURES if has_cards else by_title.get(KEY_FIGURES, part.id))


def _in_pieces(sentence: str, parts: Mapping[str, Part], traced: Mapping[tuple[str, str], Piece]) -> Iterator[Piece]:
    """The sentence of a part: its title leads to it, and its numbers to where they stand."""
    part = _longest(parts, sentence, ": ")
    if part is None:
        yield Piece(sentence)
        return
    yield Piece(part.title, f"#{part.id}")
    yield Piece(": ")
    for text, number in pieces(sentence.removeprefix(f"{part.title}: ")):
        link = traced.get((part.title, number)) if number else None
        yield Piece(text, link.href, link.where) if link else Piece(text)


def _longest(parts: Mapping[str, Part], text: str, then: str) -> Part | None:
    """The part with whose title the text begins."""
    titles = [title for title in parts if text.startswith(f"{title}{then}")]
    return parts[max(titles, key=len)] if titles else None
