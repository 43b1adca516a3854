"""A file on its way to an import: upload, say how it is read and what its columns mean, check, import.

Pages, the API and the command line all go this way. Nothing is read of the rows' contents before the check, and nothing
written before the import.
"""

from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from django.db import transaction

from accounts.audit import record
from accounts.models import User, Workspace
from jobs.actions import request_cancel, submit
from jobs.models import Job
from marketing.importing import kept_files
from marketing.importing.errors import FileRejected
from marketing.importing.kept_files import KeptFile
from marketing.importing.reading import Reading
from marketing.importing.retention import forget_upload
from marketing.models import Dataset, Import, SavedMapping, Upload
from mmm_project.problems import Conflict

if TYPE_CHECKING:
    from marketing.importing.inspection import Inspection
    from marketing.importing.layouts import Binding

CHECK_JOB = "marketing.check"
COUNTS_OR_WILL = (Import.Status.PENDING, Import.Status.LOADING, Import.Status.ACTIVE)


def start_upload(
    *,
    workspace: Workspace,
    file: IO[bytes],
    file_name: str,
    by: User | None,
    origin: Import.Origin,
    chosen: dict[str, Any] | None = None,
) -> Upload:
    """Keep the file, look into it and propose what it holds; `chosen` as in `set_reading`.

    Raises FileTooLarge, and FileRejected for a file that cannot be read; it is not kept then.
    """
    kept = kept_files.keep(file, workspace_id=workspace.pk, name=file_name)
    upload = Upload(
        workspace=workspace,
        origin=origin,
        file_name=kept_files.shown_name(file_name),
        stored_file=kept.stored,
        size=kept.size,
        checksum=kept.checksum,
        requested_by=by,
    )
    try:
        _look_into(upload, chosen=chosen or {})
        _propose(upload)
    except BaseException:
        kept_files.remove(kept.stored)
        raise
    with transaction.atomic():
        upload.save()
        record(workspace=workspace, actor=by, action="upload.started", target=upload.file_name)
    return upload


def upload_again(*, batch: Import, by: User | None) -> Upload:
    """Start from the file of an earlier import, as it was read and mapped then. Raises Conflict if it is not kept."""
    path = kept_files.path_of(batch.stored_file)
    if batch.file_removed_at or not path.is_file():
        raise Conflict("The file of this import is no longer kept. Upload it again.")
    with path.open("rb") as file:
        upload = start_upload(
            workspace=batch.workspace, file=file, file_name=batch.file_name, by=by, origin=Import.Origin.PAGE
        )
    then = {name: value for name, value in batch.reading.items() if value and value != upload.reading.get(name)}
    if then:
        _look_into(upload, chosen=chosen_by_hand(upload) | then)
    upload.dataset, upload.layout, upload.mapping = batch.dataset, batch.layout, batch.mapping
    upload.save(update_fields=["dataset", "layout", "reading", "mapping", "findings"])
    return upload


def set_reading(*, upload: Upload, chosen: dict[str, Any]) -> None:
    """Read the file as somebody says: `chosen` maps names of `Reading` to values, and the file tells the rest.

    What its columns mean is proposed anew if they are others now. Raises FileRejected, and Conflict once it has been
    imported.
    """
    _require_open(upload)
    header = header_of(upload)
    _look_into(upload, chosen=chosen)
    if header_of(upload) != header or not upload.dataset:
        _propose(upload)
    _drop_check(upload)


def layout_for(upload: Upload, dataset: str) -> "Binding | None":
    """Return the export that the file is known as, if it holds this dataset."""
    from marketing.importing.layouts import bind, recognise

    header = header_of(upload)
    if dataset == upload.dataset:
        return bind(upload.layout, header)
    return recognise(header, file_found(upload)["preamble"], dataset=dataset)


def columns_of(upload: Upload, dataset: str) -> list[str]:
    """Return the columns that fields can be mapped to: the file's own, and those that its layout makes of them."""
    layout = layout_for(upload, dataset)
    return layout.header if layout else header_of(upload)


def proposed_mapping(upload: Upload, dataset: Dataset) -> dict[str, str]:
    """Return what the columns probably mean if the file holds this: as it stands, as an export has it, or by guess."""
    from marketing.importing.guessing import guess_mapping

    if dataset == upload.dataset:
        return dict(upload.mapping)
    if layout := layout_for(upload, dataset):
        return layout.mapping
    return guess_mapping(dataset, header_of(upload), sample_of(upload))


def set_mapping(*, upload: Upload, dataset: Dataset, mapping: dict[str, str]) -> None:
    """Say what the file holds and what its columns mean: field -> column, "" for a field that none has.

    Raises FileRejected if they do not fit, and Conflict once the file has been imported.
    """
    from marketing.importing.actions import checker_for

    _require_open(upload)
    known = layout_for(upload, dataset)
    layout = known.code if known else ""
    checker = checker_for(
        workspace=upload.workspace,
        path=_path(upload),
        dataset=dataset,
        mapping=mapping,
        reading=reading_of(upload),
        layout=layout,
    )
    # With the columns that bear a field's own name: whoever has such a file next sees all of it.
    mapping = {**mapping, **{field.name: column for field, column in checker.fields.items()}}
    if (dataset, mapping) != (upload.dataset, upload.mapping) or not rows_found(upload):
        upload.dataset, upload.layout, upload.mapping = dataset, layout, mapping
        _drop_check(upload)


def request_check(*, upload: Upload, ring: bool = True) -> Job:
    """Queue a check of every row; one that waits or runs, or has found out all that there is, is returned as it is."""
    if upload.check_job and (not upload.check_job.finished or rows_found(upload)):
        return upload.check_job
    _require_open(upload)
    if not upload.dataset or open_questions(upload):
        raise Conflict("Say first how the file is read and what its columns mean.")
    with transaction.atomic():
        upload.check_job = submit(workspace=upload.workspace, kind=CHECK_JOB, ring=ring)
        upload.save(update_fields=["check_job"])
    return upload.check_job


def import_valid_rows(*, upload: Upload, by: User | None, again: bool = False, ring: bool = True) -> Import:
    """Queue the import of the file and remember its mapping; a second call returns the same import.

    `again`: although the file has been imported before, which is a Conflict otherwise.
    """
    with transaction.atomic():
        upload = Upload.objects.select_for_update(of=("self",)).select_related("workspace", "batch").get(pk=upload.pk)
        if upload.batch:
            return upload.batch
        if not upload.dataset or open_questions(upload):
            raise Conflict("Say first how the file is read and what its columns mean.")
        if (earlier := earlier_import(upload)) and not again:
            raise Conflict(f"{imported_before(earlier)} Import it again only if that is meant.")
        from marketing.importing.actions import queue_import

        upload.batch = queue_import(
            workspace=upload.workspace,
            dataset=upload.dataset,
            file_name=upload.file_name,
            kept=KeptFile(upload.stored_file, upload.size, upload.checksum),
            mapping=upload.mapping,
            reading=reading_of(upload).as_json(),
            layout=upload.layout,
            by=by,
            origin=upload.origin,
            warnings=file_found(upload)["warnings"],
            ring=ring,
        )
        upload.save(update_fields=["batch"])
        _remember_mapping(upload)
    return upload.batch


def discard_upload(*, upload: Upload, by: User | None) -> bool:
    """Forget an upload that has not been imported, and its file; a check that runs is stopped. False if it has been."""
    if not forget_upload(upload):
        return False
    with transaction.atomic():
        if upload.check_job and not upload.check_job.finished:
            request_cancel(job=upload.check_job, by=by)
        record(workspace=upload.workspace, actor=by, action="upload.discarded", target=upload.file_name)
    return True


def earlier_import(upload: Upload) -> Import | None:
    """Return the newest import of the same file that counts, or will, as the same dataset."""
    same = Import.objects.filter(workspace=upload.workspace, checksum=upload.checksum, status__in=COUNTS_OR_WILL)
    if upload.dataset:
        same = same.filter(dataset=upload.dataset)
    return same.select_related("requested_by", "workspace").first()


def imported_before(batch: Import) -> str:
    """Say when, by whom and with how many rows."""
    by = f" by {batch.requested_by.email}" if batch.requested_by else ""
    if batch.activated_at is None:
        return f"This file is being imported{by} at this moment."
    day = batch.activated_at.astimezone(batch.workspace.zone)
    rows = "1 row" if batch.accepted == 1 else f"{batch.accepted:,} rows"
    return f"This file was imported on {day:%-d %b %Y}{by} ({rows})."


def reading_of(upload: Upload) -> Reading:
    """Return how the file is read."""
    return Reading.from_json(upload.reading)


def chosen_by_hand(upload: Upload) -> dict[str, Any]:
    """Return what of the reading somebody chose: name -> value."""
    return dict(upload.findings.get("chosen", {}))


def file_found(upload: Upload) -> dict[str, Any]:
    """Return what looking into the file found: header, sample, preamble, sheets, questions, warnings."""
    return dict(upload.findings["file"])


def rows_found(upload: Upload) -> dict[str, Any]:
    """Return what the finished check found (`findings.Gathered.as_json`), {} before."""
    return dict(upload.findings.get("rows", {}))


def open_questions(upload: Upload) -> list[dict[str, Any]]:
    """Return what the file does not tell by itself and nobody has said yet: field, text, options."""
    return list(file_found(upload)["questions"])


def header_of(upload: Upload) -> list[str]:
    return list(file_found(upload)["header"])


def sample_of(upload: Upload) -> list[list[str]]:
    return list(file_found(upload)["sample"])


def _look_into(upload: Upload, *, chosen: dict[str, Any]) -> None:
    from marketing.importing.inspection import inspect

    found = inspect(_path(upload), file_name=upload.file_name, chosen=chosen)
    upload.reading = found.reading.as_json()
    upload.findings = {"chosen": chosen, "file": _as_json(found)}


def _as_json(found: "Inspection") -> dict[str, Any]:
    return {
        "header": found.header,
        "sample": found.sample,
        "preamble": found.preamble,
        "sheets": found.sheets,
        "warnings": found.warnings,
        "questions": [
            {"field": question.field, "text": question.text, "options": list(question.options)}
            for question in found.questions
        ],
    }


def _propose(upload: Upload) -> None:
    """Fill in dataset and mapping: as for the last file with these columns, as an export that is known, or by guess."""
    from marketing.importing.guessing import guess_dataset, guess_mapping, signature
    from marketing.importing.layouts import recognise

    header, preamble = header_of(upload), file_found(upload)["preamble"]
    saved = SavedMapping.objects.filter(workspace=upload.workspace, signature=signature(header)).first()
    if saved and saved.reading and not chosen_by_hand(upload):
        _look_into(upload, chosen=saved.reading)
    layout = recognise(header, preamble, dataset=saved.dataset if saved else None)
    upload.layout = layout.code if layout else ""
    if saved:
        upload.dataset, upload.mapping = saved.dataset, _for_header(saved.mapping, layout.header if layout else header)
    elif layout:
        upload.dataset, upload.mapping = layout.dataset, layout.mapping
    else:
        dataset = guess_dataset(header, sample_of(upload))
        upload.dataset = dataset or ""
        upload.mapping = guess_mapping(dataset, header, sample_of(upload)) if dataset else {}


def _for_header(mapping: dict[str, str], header: list[str]) -> dict[str, str]:
    """Return a saved mapping in this header's spelling: a signature does not tell cases and blanks apart."""
    spelling = {" ".join(column.split()).casefold(): column for column in header}
    return {field: spelling.get(" ".join(column.split()).casefold(), "") for field, column in mapping.items()}


def _remember_mapping(upload: Upload) -> None:
    from marketing.importing.guessing import signature

    SavedMapping.objects.update_or_create(
        workspace=upload.workspace,
        signature=signature(header_of(upload)),
        defaults={"dataset": upload.dataset, "mapping": upload.mapping, "reading": chosen_by_hand(upload)},
    )


def _path(upload: Upload) -> Path:
    """Return where the file is. Raises FileRejected if it is there no more."""
    path = kept_files.path_of(upload.stored_file)
    if not path.is_file():
        raise FileRejected(kept_files.IS_GONE)
    return path


def _require_open(upload: Upload) -> None:
    if upload.batch_id:
        raise Conflict("This file has been imported. To import it otherwise, undo that import and start again.")


def _drop_check(upload: Upload) -> None:
    """Forget what a check found, as it was of another question; one that runs is stopped."""
    with transaction.atomic():
        if upload.check_job and not upload.check_job.finished:
            request_cancel(job=upload.check_job, by=None)
        upload.check_job = None
        upload.findings = {name: found for name, found in upload.findings.items() if name != "rows"}
        upload.save(update_fields=["dataset", "layout", "reading", "mapping", "findings", "check_job"])
