"""What the steps from a file to its import show; all queries and wording are finished here."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Q
from django.forms import BoundField
from django.template.defaultfilters import filesizeformat
from django.urls import reverse

from marketing.importing import uploads
from marketing.models import Dataset, Import, Upload
from marketing.pages.import_forms import DATASET_LABELS, ColumnsForm
from marketing.pages.import_presenters import days_text, left_out, reading_sentence
from mmm_project import formats

EXAMPLES_SHOWN = 3
SUM_LABELS = {
    "rows": "Rows",
    "spend": "Spend",
    "value": "Value",
    "impressions": "Impressions",
    "clicks": "Clicks",
    "outcome": "Outcome",
    "conversions": "Conversions",
    "null": "Journeys without conversion",
}
NAME_LABELS = {
    "channel": ("channel", "channels"),
    "campaign": ("campaign", "campaigns"),
    "goal": ("goal", "goals"),
    "outcome": ("outcome", "outcomes"),
    "control": ("control", "controls"),
}
IN_WIDE_TABLES = (Dataset.SPEND, Dataset.OUTCOMES, Dataset.CONTROLS, Dataset.EVENTS)
MONEY = ("spend", "value")
DO_NOT_ADD_UP = ("outcome",)  # sales and visits have no sum


@dataclass(frozen=True)
class FilePage:
    """A file as it is read: a sentence of facts, what looks odd, and its first rows."""

    facts: Sequence[tuple[str, str]]
    warnings: Sequence[str]
    earlier: str
    preamble: Sequence[Sequence[str]]
    header: Sequence[str]
    sample: Sequence[Sequence[str]]


def present_file(upload: Upload) -> FilePage:
    """Return what looking into the file found."""
    found = uploads.file_found(upload)
    return FilePage(
        facts=[
            ("File", upload.file_name),
            ("Size", filesizeformat(upload.size)),
            ("Read as", reading_sentence(upload.reading)),
        ],
        warnings=found["warnings"],
        earlier=_earlier(upload),
        preamble=found["preamble"],
        header=found["header"],
        sample=found["sample"],
    )


@dataclass(frozen=True)
class ColumnRow:
    """A column of the file: some of its cells, and the form's fields that say what it holds."""

    column: str
    examples: Sequence[str]
    field: BoundField | None
    name: BoundField | None


@dataclass(frozen=True)
class ColumnsPage:
    """The columns of a file, and what it was recognised as."""

    reading: str
    recognised: str
    earlier: str
    columns: Sequence[ColumnRow]
    required: str
    left_out: int


def present_columns(upload: Upload, form: ColumnsForm | None, *, dataset: Dataset | None) -> ColumnsPage:
    """Return the columns; without a form, as nobody knows what the file holds, only their cells."""
    header, sample = uploads.columns_of(upload, dataset or ""), uploads.sample_of(upload)
    if layout := uploads.layout_for(upload, dataset or ""):
        sample = layout.preview(sample)
    rows = [_column_row(place, column, sample, form) for place, column in enumerate(header)]
    return ColumnsPage(
        reading=reading_sentence(upload.reading),
        recognised=layout.label if layout else "",
        earlier=_earlier(upload),
        columns=rows,
        required=" and ".join(filter(None, [", ".join(form.required[:-1]), form.required[-1]])) if form else "",
        left_out=sum(1 for row in rows if row.field is not None and not row.field.value()),
    )


def _column_row(place: int, column: str, sample: Sequence[Sequence[str]], form: ColumnsForm | None) -> ColumnRow:
    cells = [row[place] for row in sample if place < len(row) and row[place].strip()]
    field, name = (form[key] if form and key in form.fields else None for key in (f"column_{place}", f"name_{place}"))
    return ColumnRow(column or "(no name)", list(dict.fromkeys(cells))[:EXAMPLES_SHOWN], field, name)


def _earlier(upload: Upload) -> str:
    """Say that the same file was imported before, if it was."""
    batch = uploads.earlier_import(upload)
    return uploads.imported_before(batch) if batch else ""


@dataclass(frozen=True)
class SumCard:
    """What the valid rows add up to in one measure."""

    label: str
    total: str
    parts: Sequence[tuple[str, str]]
    rest: str


@dataclass(frozen=True)
class CheckPage:
    """What a finished check found, in words."""

    summary: str
    valid: int
    rejected: int
    days: str
    notes: Sequence[str]
    warnings: Sequence[str]
    reasons: Sequence[Mapping[str, Any]]
    reasons_left_out: str
    errors: Sequence[Mapping[str, Any]]
    errors_left_out: str
    sums: Sequence[SumCard]
    new_names: Sequence[tuple[str, str]]
    import_label: str
    earlier: str


def present_check(upload: Upload) -> CheckPage:
    """Return what the check found, and what is stored of the same days already."""
    found = uploads.rows_found(upload)
    valid, rejected = found["valid"], found["rejected"]
    return CheckPage(
        summary=f"{valid:,} valid, {rejected:,} rejected",
        valid=valid,
        rejected=rejected,
        days=_days(upload, found),
        notes=list(_notes(upload, found)),
        warnings=[*uploads.file_found(upload)["warnings"], *found["warnings"]],
        reasons=[one | {"rows": ", ".join(f"{row:,}" for row in one["rows"])} for one in found["reasons"]],
        reasons_left_out=left_out(found["reasons_left_out"], "reason"),
        errors=found["errors"],
        errors_left_out=left_out(rejected - len(found["errors"])),
        sums=[_sum_card(one, upload) for one in found["sums"]],
        new_names=[_new_names(one) for one in found["new_names"]],
        import_label=f"Import {formats.count(valid, 'valid row' if rejected else 'row')}",
        earlier=_earlier(upload),
    )


def _days(upload: Upload, found: Mapping[str, Any]) -> str:
    if upload.dataset == Dataset.PATHS and found["valid"] and not found["first_day"]:
        return "Of no day in particular: these paths count in every period."
    return days_text(_as_date(found["first_day"]), _as_date(found["last_day"]))


def _notes(upload: Upload, found: Mapping[str, Any]) -> Iterator[str]:
    if found["repeated"]:
        yield (
            f"{formats.count(found['repeated'], 'row')} say the same as an earlier row of the file. "
            "They are counted once, and reported as duplicates."
        )
    overlapping = _overlapping(upload, found)
    if not overlapping:
        return
    imports = formats.count(overlapping, "earlier import")
    if upload.dataset == Dataset.PATHS:
        yield (
            f"{imports} brought paths of the same days, or of no day in particular. Where this file has the same path "
            "for the same day, or for none, it takes the place of the earlier one; the other paths of before go on "
            "counting beside it. If this file is to replace them all, undo the earlier imports."
        )
        return
    if upload.dataset in (Dataset.TOUCHPOINTS, Dataset.CONVERSIONS):
        yield (
            f"{imports} brought {DATASET_LABELS[upload.dataset].lower()} of the same days. What is there already is "
            "found during the import, counted as duplicates, and not doubled."
        )
    else:
        yield (
            f"{imports} brought figures of the same days. Where this file has a figure for the same day and name, it "
            "takes the place of the earlier one; undoing this import brings that back."
        )


def _overlapping(upload: Upload, found: Mapping[str, Any]) -> int:
    if not found["first_day"] and upload.dataset != Dataset.PATHS:
        return 0
    same = Q(dataset=upload.dataset)
    if upload.dataset in IN_WIDE_TABLES:
        same |= Q(dataset=Dataset.MEDIA_TABLE)
    if upload.dataset == Dataset.MEDIA_TABLE:
        same |= Q(dataset__in=IN_WIDE_TABLES)
    active = Import.objects.filter(same, workspace=upload.workspace, status=Import.Status.ACTIVE)
    others = active.exclude(checksum=upload.checksum)  # the same file is told of already
    if not found["first_day"]:
        return others.count()  # paths that may be of any day
    overlapping = Q(first_day__lte=found["last_day"], last_day__gte=found["first_day"])
    if upload.dataset == Dataset.PATHS:
        overlapping |= Q(first_day=None)
    return others.filter(overlapping).count()


def _sum_card(found: Mapping[str, Any], upload: Upload) -> SumCard:
    measure, currency = found["measure"], upload.workspace.currency

    def text(amount: float) -> str:
        return formats.money(amount, currency) if measure in MONEY else formats.count(amount)

    return SumCard(
        label=SUM_LABELS[measure] + (", by last channel" if upload.dataset == Dataset.PATHS else ""),
        total="" if measure in DO_NOT_ADD_UP else text(found["total"]),
        parts=[(name or "(blank)", text(amount)) for name, amount in found["parts"]],
        rest=f"{formats.count(found['others'], 'other')}: {text(found['rest'])}" if found["others"] else "",
    )


def _new_names(found: Mapping[str, Any]) -> tuple[str, str]:
    """The heading and the names of what an import would create."""
    one, several = NAME_LABELS[found["kind"]]
    count = found["count"]
    left_out = count - len(found["names"])
    names = ", ".join(found["names"]) + (f" and {left_out:,} more" if left_out else "")
    return f"{count:,} new {one if count == 1 else several}", names


def _as_date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def steps(upload: Upload, *, current: str) -> list[tuple[str, str, str]]:
    """Return the steps to an import as (label, address or "", state)."""
    slug, open_questions = upload.workspace.slug, uploads.file_found(upload)["questions"]
    reachable = {"File": True, "Columns": not open_questions, "Check": bool(upload.check_job_id), "Import": False}
    names = {"File": "upload_file", "Columns": "upload_columns", "Check": "upload_check"}
    order = list(reachable)
    listed = []
    for place, label in enumerate(order):
        state = "current" if label == current else "done" if place < order.index(current) else "ahead"
        href = ""
        if label != current and reachable[label]:
            href = reverse(f"marketing:{names[label]}", kwargs={"slug": slug, "upload_id": upload.pk})
        listed.append((label, href, state))
    return listed
