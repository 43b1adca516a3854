"""What the pages about imports show; all queries and wording are finished here."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Max, Min, QuerySet, Sum
from django.urls import NoReverseMatch, reverse

from accounts.models import User, Workspace
from accounts.permissions import allows
from jobs.models import Job
from marketing.importing.undo_requests import delete_permission
from marketing.models import Dataset, Import, Upload
from marketing.pages.import_forms import DATASET_LABELS, field_label
from mmm_project import formats

DATASET_USES = {
    Dataset.TOUCHPOINTS: "Visits, clicks and views of customers: what attribution credits.",
    Dataset.CONVERSIONS: "Orders, leads and other goals: what is credited.",
    Dataset.SPEND: "What each channel cost, by day: for ROI and the media mix.",
    Dataset.OUTCOMES: "Totals by day, such as sales of all shops: for the media mix.",
    Dataset.CONTROLS: "Prices, weather, competitors: what else moves the outcome.",
    Dataset.EXPERIMENTS: "Lift tests, to hold the results against.",
    Dataset.MEDIA_TABLE: "Spend, outcomes and controls in one wide table, a row for each day or week.",
    Dataset.EVENTS: "Holidays, launches and outages that explain a peak or a dip.",
    Dataset.PATHS: "How often each path of channels was taken: attribution where no customer is known.",
}
READING_WORDS = {
    "format": {"csv": "Text", "xlsx": "Excel workbook", "parquet": "Parquet"},
    "encoding": {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "utf-16": "UTF-16", "cp1252": "Windows-1252"},
    "delimiter": {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"},
    "decimal": {".": "decimal point", ",": "decimal comma"},
}


@dataclass(frozen=True)
class State:
    """A state in words, and the tone of its badge."""

    label: str
    tone: str


IMPORT_STATES = {
    Import.Status.PENDING: State("Waiting", "quiet"),
    Import.Status.LOADING: State("Importing", "accent"),
    Import.Status.ACTIVE: State("Imported", "good"),
    Import.Status.FAILED: State("Failed", "bad"),
    Import.Status.UNDONE: State("Undone", "warn"),
}
CAME_IN = (Import.Status.ACTIVE, Import.Status.UNDONE)
FIRST_HOLDS = (Dataset.TOUCHPOINTS, Dataset.CONVERSIONS)  # of the others, the newest import does
UNDOING = State("Being undone", "accent")
CANCELLED = State("Cancelled", "warn")


@dataclass(frozen=True)
class DatasetRow:
    """A dataset in the overview: what there is of it, and what it is for."""

    dataset: Dataset
    label: str
    use: str
    rows: str
    days: str
    last_import: str

    @property
    def is_empty(self) -> bool:
        return not self.rows


@dataclass(frozen=True)
class ImportRow:
    """An import as a line of the history."""

    batch: Import
    state: State
    label: str
    asked_by: str
    asked_at: str
    accepted: str
    rejected: str
    duplicates: str
    days: str


@dataclass(frozen=True)
class ImportPage:
    """An import for its page: what there is to say, and what may be done with it."""

    row: ImportRow
    phase: str
    percent: int
    waits_for: Import | None
    is_stopping: bool
    duplicates_note: str
    health_url: str  # "" for paths, of which data health says nothing
    attribution_url: str  # of what is credited nowhere unless somebody asks
    facts: Sequence[tuple[str, str]]
    columns: Sequence[tuple[str, str]]
    errors: Sequence[Mapping[str, Any]]
    errors_left_out: str
    error: str
    undo_error: str
    may_cancel: bool
    may_undo: bool
    may_import: bool
    has_file: bool
    has_rejects: bool

    @property
    def batch(self) -> Import:
        return self.row.batch

    @property
    def counts(self) -> bool:
        """Whether it has come to its end, so that its counts are those of the whole file."""
        return self.batch.status in CAME_IN

    @property
    def steps(self) -> list[tuple[str, str, str]]:
        """The steps of an import by the pages, as (label, "", state), while it is the last of them."""
        if not self.is_moving or self.batch.origin != Import.Origin.PAGE or self.row.state is UNDOING:
            return []
        return [*((label, "", "done") for label in ("File", "Columns", "Check")), ("Import", "", "current")]

    @property
    def is_demo(self) -> bool:
        return self.batch.origin == Import.Origin.DEMO

    @property
    def rows_text(self) -> str:
        """How many rows an undo is about: equal ones that took the place of others are among them."""
        is_figures = self.batch.dataset not in FIRST_HOLDS
        return formats.count(self.batch.accepted + (self.batch.duplicates if is_figures else 0), "row")

    @property
    def is_moving(self) -> bool:
        return self.row.state in (IMPORT_STATES[Import.Status.PENDING], IMPORT_STATES[Import.Status.LOADING], UNDOING)


def imported_statuses() -> list[tuple[str, str]]:
    """Return the statuses to filter the history by, with their labels."""
    return [(status.value, state.label) for status, state in IMPORT_STATES.items()]


def present_datasets(workspace: Workspace) -> list[DatasetRow]:
    """Return every dataset, with what its imports that count have brought; one query."""
    active = Import.objects.filter(workspace=workspace, status=Import.Status.ACTIVE).order_by()
    found = {
        row["dataset"]: row
        for row in active.values("dataset").annotate(
            rows=Sum("accepted"), first=Min("first_day"), last=Max("last_day"), at=Max("activated_at")
        )
    }
    return [_dataset_row(dataset, found.get(dataset), workspace) for dataset in Dataset]


def _dataset_row(dataset: Dataset, found: Mapping[str, Any] | None, workspace: Workspace) -> DatasetRow:
    label, use = DATASET_LABELS[dataset], DATASET_USES[dataset]
    if found is None:
        return DatasetRow(dataset, label, use, rows="", days="", last_import="")
    return DatasetRow(
        dataset,
        label,
        use,
        rows=f"{found['rows']:,}",
        days=days_text(found["first"], found["last"]),
        last_import=day_of(found["at"], workspace) if found["at"] else "–",
    )


def history(workspace: Workspace, *, dataset: str = "", status: str = "") -> QuerySet[Import]:
    """Return the imports of the workspace, newest first; those of a dataset or with a status if they are told."""
    listed = Import.objects.filter(workspace=workspace).defer(
        "errors", "mapping", "reading", "warnings", "created_names"
    )
    if dataset in Dataset.values:
        listed = listed.filter(dataset=dataset)
    if status in Import.Status.values:
        listed = listed.filter(status=status)
    return listed.select_related("workspace", "job", "requested_by")


def unfinished_uploads(workspace: Workspace) -> QuerySet[Upload]:
    """Return the uploads that nobody has imported yet, newest first."""
    return Upload.objects.filter(workspace=workspace, batch=None).select_related("requested_by").defer("findings")


def present_row(batch: Import) -> ImportRow:
    """Return a line of the history; needs `workspace`, `job` and `requested_by` selected with the import."""
    ended = batch.status not in (Import.Status.PENDING, Import.Status.LOADING)
    came_in = batch.status in CAME_IN
    return ImportRow(
        batch=batch,
        state=_state(batch),
        label=DATASET_LABELS[batch.dataset],
        asked_by=asked_by(batch),
        asked_at=_moment(batch.created_at, batch.workspace),
        accepted=f"{batch.accepted:,}" if came_in else "–",
        rejected=f"{batch.rejected:,}" if ended else "–",
        duplicates=f"{batch.duplicates:,}" if came_in else "–",
        days=days_text(batch.first_day, batch.last_day) if came_in else "–",
    )


def asked_by(batch: Import) -> str:
    """Return who asked for the import: a person, or by which way it came."""
    if batch.requested_by:
        return batch.requested_by.email
    return {"cli": "Command line", "api": "API"}.get(batch.origin, "–")


def present_import(batch: Import, *, user: User, role: str, undo: Job | None) -> ImportPage:
    """Return what the page of an import shows; `undo`: the newest undo of the workspace."""
    row = present_row(batch)
    mine = allows(role, delete_permission(batch=batch, user=user))
    counts = batch.status == Import.Status.ACTIVE
    being_undone = row.state is UNDOING
    job = undo if being_undone and undo else batch.job
    return ImportPage(
        row=row,
        phase=("Undo: " if being_undone else "") + (job.phase or "Waiting for a worker"),
        percent=int(job.progress * 100),
        waits_for=_waits_for(batch),
        is_stopping=batch.job.cancel_requested,
        duplicates_note=_duplicates_note(batch),
        health_url=_url("marketing:health", batch) if counts and batch.dataset != Dataset.PATHS else "",
        attribution_url=_attribution_url(batch) if counts and batch.dataset == Dataset.PATHS else "",
        facts=list(_facts(batch, row)),
        columns=[(column, series_label(field)) for field, column in batch.mapping.items() if column],
        errors=batch.errors,
        errors_left_out=left_out(batch.rejected - len(batch.errors)),
        error=batch.job.error,
        undo_error=undo.error if undo and counts and not being_undone and undo.status == Job.Status.FAILED else "",
        may_cancel=mine and batch.status in (Import.Status.PENDING, Import.Status.LOADING),
        may_undo=mine and counts and not being_undone and batch.origin != Import.Origin.DEMO,
        may_import=mine,
        has_file=batch.file_removed_at is None and batch.origin != Import.Origin.DEMO,
        has_rejects=bool(batch.rejects_file) and batch.file_removed_at is None,
    )


def _state(batch: Import) -> State:
    if batch.status == Import.Status.ACTIVE and batch.undone_at:
        return UNDOING
    if batch.status == Import.Status.FAILED and batch.job.status == Job.Status.CANCELLED:
        return CANCELLED
    return IMPORT_STATES[Import.Status(batch.status)]


def _waits_for(batch: Import) -> Import | None:
    """The import that this one waits for, as one of a workspace loads at a time."""
    if batch.status != Import.Status.PENDING:
        return None
    return Import.objects.filter(workspace=batch.workspace_id, status=Import.Status.LOADING).first()


def _duplicates_note(batch: Import) -> str:
    """What it means that some rows are duplicates."""
    if batch.status not in CAME_IN or not batch.duplicates:
        return ""
    if batch.dataset in FIRST_HOLDS:
        return "Duplicates say what was there already: the first of equal rows counts, and no other."
    return "Duplicates say exactly what was there already. They change nothing."


def _attribution_url(batch: Import) -> str:
    """The page that asks for attribution, of paths: by name, as that app lies above."""
    url = _url("attribution:page", batch)
    return f"{url}?data=paths" if url else ""


def _url(name: str, batch: Import) -> str:
    try:
        return reverse(name, kwargs={"slug": batch.workspace.slug})
    except NoReverseMatch:
        return ""


def _facts(batch: Import, row: ImportRow) -> Iterator[tuple[str, str]]:
    yield "Dataset", row.label
    yield "Days", row.days
    yield "Imported by", row.asked_by
    yield "Asked for at", row.asked_at
    if batch.activated_at:
        yield "Imported at", _moment(batch.activated_at, batch.workspace)
    if batch.status == Import.Status.UNDONE and batch.undone_at:
        by = f" by {batch.undone_by.email}" if batch.undone_by else ""
        yield "Undone", _moment(batch.undone_at, batch.workspace) + by
    if batch.layout:
        from marketing.importing.layouts import LAYOUTS  # pyarrow: only where one was recognised

        yield "Recognised as", LAYOUTS[batch.layout].label if batch.layout in LAYOUTS else batch.layout
    if batch.reading:
        yield "Read as", reading_sentence(batch.reading)
    if batch.file_removed_at:
        yield "File", f"Removed on {day_of(batch.file_removed_at, batch.workspace)}"


def reading_sentence(reading: Mapping[str, Any]) -> str:
    """Return how a file is read, in a few words: "Text, UTF-8, separated by commas, decimal point"."""
    words = [READING_WORDS["format"].get(reading["format"], reading["format"])]
    if reading["format"] == "csv":
        words.append(READING_WORDS["encoding"].get(reading["encoding"], reading["encoding"]))
        words.append("separated by " + READING_WORDS["delimiter"].get(reading["delimiter"], reading["delimiter"]))
    if reading.get("sheet"):
        words.append(f"sheet “{reading['sheet']}”")
    words.append(READING_WORDS["decimal"][reading["decimal"]])
    if reading["date_order"] != "ymd":
        words.append("day first" if reading["date_order"] == "dmy" else "month first")
    if reading.get("path_separator"):
        words.append(f"steps parted by {reading['path_separator']}")
    if reading["header_row"] > 1:
        words.append(f"column names in row {reading['header_row']}")
    return ", ".join(words)


def series_label(field: str) -> str:
    """Return what people call a field, also one of a wide table: "Spend: Paid Search"."""
    kind, colon, label = field.partition(":")
    return f"{field_label(kind)}: {label}" if colon else field_label(field)


def left_out(count: int, noun: str = "row") -> str:
    """Return that there is more than what is shown, or nothing."""
    return f"and {formats.count(count, f'more {noun}')}" if count > 0 else ""


def days_text(first: date | None, last: date | None) -> str:
    """Return the days as people write them: "1 Jan – 31 Mar 2026"."""
    if first is None or last is None:
        return "–"
    if first == last:
        return f"{first:%-d %b %Y}"
    if first.year == last.year:
        return f"{first:%-d %b} – {last:%-d %b %Y}"
    return f"{first:%-d %b %Y} – {last:%-d %b %Y}"


def _moment(at: datetime, workspace: Workspace) -> str:
    return f"{at.astimezone(workspace.zone):%-d %b %Y, %H:%M}"


def day_of(at: datetime, workspace: Workspace) -> str:
    """Return the day of a moment, by the workspace's clock."""
    return f"{at.astimezone(workspace.zone):%-d %b %Y}"
