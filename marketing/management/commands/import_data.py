"""Import a file into a workspace, in the foreground."""

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from accounts.commands import DataCommand
from accounts.models import Workspace
from jobs.execution import execute
from jobs.foreground import Interrupted, see_through
from jobs.models import Job
from marketing.importing import kept_files, uploads
from marketing.importing.errors import FileRejected
from marketing.importing.reading import PATH_SEPARATORS
from marketing.models import Dataset, Import, Upload
from mmm_project.problems import Conflict, FileTooLarge

ERRORS_SHOWN = 10


class Command(DataCommand):
    help = "Import a file and print how many rows were accepted, rejected and duplicates."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--workspace", required=True, metavar="SLUG")
        parser.add_argument(
            "--dataset", choices=Dataset.values, help="needed if the columns do not tell what the file holds"
        )
        parser.add_argument(
            "--map",
            nargs="+",
            action="extend",
            default=[],
            metavar="FIELD=COLUMN",
            help="may be given several times; FIELD= leaves a field out",
        )
        parser.add_argument("--encoding", help="such as cp1252, if it is not the one that is found")
        parser.add_argument("--delimiter", help="one character, or “tab”")
        parser.add_argument("--decimal", choices=[".", ","], help="the decimal sign")
        parser.add_argument("--date-order", choices=["ymd", "dmy", "mdy"], help="which of the three comes first")
        parser.add_argument("--header-row", type=int, metavar="N", help="the row with the column names, from 1")
        parser.add_argument("--sheet", help="of a workbook")
        parser.add_argument(
            "--path-separator", choices=PATH_SEPARATORS, help="what stands between the channels of a path"
        )
        parser.add_argument("--check", action="store_true", help="check every row and import nothing")
        parser.add_argument("--again", action="store_true", help="although the file has been imported before")
        parser.add_argument("--rejects", type=Path, metavar="FILE", help="write the rejected rows there, with reasons")
        parser.add_argument("--format", choices=["text", "json"], default="text")

    def handle(self, *, file: Path, workspace: str, **options: Any) -> None:
        _require_file(file)
        upload = _upload(_workspace(workspace), file, options)
        try:
            _settle(upload, options)
            answer = self._check(upload) if options["check"] else self._import(upload, again=options["again"])
            if options["rejects"]:
                _copy_rejects(answer.rejects_file, options["rejects"])
        except (FileRejected, Conflict) as error:
            raise CommandError(str(error)) from error
        finally:
            # What did not become an import is not kept: whoever works here has the file.
            uploads.discard_upload(upload=upload, by=None)
        as_json = options["format"] == "json"
        if isinstance(answer, Upload):
            self.stdout.write(json.dumps(_findings(answer)) if as_json else _findings_as_text(answer))
        else:
            self.stdout.write(_as_json(answer) if as_json else _as_text(answer))

    def _check(self, upload: Upload) -> Upload:
        """See the check through. Raises CommandError if it does not come to its end."""
        job = uploads.request_check(upload=upload, ring=False)
        try:
            see_through(job, ours=True, title=upload.file_name)
        except Interrupted:
            raise CommandError("Cancelled.") from None
        if job.status != Job.Status.DONE:
            raise CommandError(job.error or "The check was cancelled.")
        upload.refresh_from_db()
        return upload

    def _import(self, upload: Upload, *, again: bool) -> Import:
        earlier = None if again else uploads.earlier_import(upload)
        if earlier is not None and earlier.status == Import.Status.ACTIVE:
            raise CommandError(f"{uploads.imported_before(earlier)} Say --again if it is to be imported again.")
        batch = uploads.import_valid_rows(upload=upload, by=None, again=True, ring=False)
        upload.batch = batch
        carry_out(batch)
        return batch


def carry_out(batch: Import) -> None:
    """See the import's job through here, behind one that is loading already. Raises CommandError unless it succeeds."""

    def help_whoever_is_before_us() -> None:
        """Carry on an import that holds the workspace's lock and whose process has died."""
        loading = Import.objects.filter(workspace=batch.workspace, status=Import.Status.LOADING).exclude(pk=batch.pk)
        for job_id in loading.values_list("job_id", flat=True):
            execute(job_id=job_id)

    try:
        see_through(batch.job, ours=True, title=batch.file_name, before_looking=help_whoever_is_before_us)
    except Interrupted:
        batch.refresh_from_db()
        ended = batch.status == Import.Status.ACTIVE
        raise CommandError("The import had ended before it could be stopped." if ended else "Cancelled.") from None
    batch.refresh_from_db()
    if batch.status != Import.Status.ACTIVE:
        raise CommandError(batch.job.error or "The import was cancelled.")


def _is_utf8(name: str) -> bool:
    """Whether the name can be kept: Python passes on other bytes as surrogates, which no database stores."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _workspace(slug: str) -> Workspace:
    found = Workspace.objects.filter(slug=slug).first()
    if found is None:
        raise CommandError(f"There is no workspace “{slug}”.")
    return found


def _require_file(file: Path) -> None:
    if not file.is_file():
        raise CommandError(f"There is no file {file}.")
    if not _is_utf8(file.name):
        raise CommandError("The name of the file is not in UTF-8. Rename it, then import it again.")


def _upload(workspace: Workspace, file: Path, options: dict[str, Any]) -> Upload:
    """Take the file in. Raises CommandError if it cannot be read."""
    try:
        with file.open("rb") as content:
            return uploads.start_upload(
                workspace=workspace,
                file=content,
                file_name=file.name,
                by=None,
                origin=Import.Origin.CLI,
                chosen=_chosen(options),
            )
    except (FileRejected, FileTooLarge) as error:
        raise CommandError(str(error)) from error


def _chosen(options: dict[str, Any]) -> dict[str, Any]:
    """What is said of how the file is read."""
    sayable = ("encoding", "delimiter", "decimal", "date_order", "header_row", "sheet", "path_separator")
    said = {name: options[name] for name in sayable}
    if said["delimiter"] in ("tab", "\\t"):
        said["delimiter"] = "\t"
    return {name: value for name, value in said.items() if value is not None}


def _settle(upload: Upload, options: dict[str, Any]) -> None:
    """Say what the file holds and what its columns mean, as far as it does not tell. Raises CommandError."""
    for question in uploads.open_questions(upload):
        option = "--" + question["field"].replace("_", "-")
        answers = ", ".join(value for value, _label in question["options"])
        raise CommandError(f"{question['text']} Say {option} with one of: {answers}.")
    dataset = options["dataset"] or upload.dataset
    if not dataset:
        raise CommandError(f"The columns do not tell what the file holds. Say --dataset: {', '.join(Dataset.values)}.")
    mapping = _mapping(options["map"])
    if options["dataset"] and not mapping:
        try:
            uploads.set_mapping(upload=upload, dataset=Dataset(dataset), mapping={})  # by the fields' own names
        except FileRejected:
            mapping = uploads.proposed_mapping(upload, Dataset(dataset))
        else:
            return
    uploads.set_mapping(
        upload=upload,
        dataset=Dataset(dataset),
        mapping=mapping or uploads.proposed_mapping(upload, Dataset(dataset)),
    )


def _mapping(pairs: list[str]) -> dict[str, str]:
    mapping = {}
    for pair in pairs:
        field, equals, column = pair.partition("=")
        if not (field and equals):
            raise CommandError(f"--map takes FIELD=COLUMN, not “{pair}”.")
        mapping[field] = column
    return mapping


def _copy_rejects(stored: str, target: Path) -> None:
    """Write the rejected rows where they are wanted; with none rejected, there is no file."""
    if stored:
        shutil.copyfile(kept_files.path_of(stored), target)


def _findings(upload: Upload) -> dict[str, Any]:
    """What a check found, as JSON."""
    found = uploads.rows_found(upload)
    said = ("valid", "rejected", "repeated", "first_day", "last_day", "errors", "sums", "new_names")
    columns = {field: column for field, column in upload.mapping.items() if column}
    of_the_rows = {name: found[name] for name in said}
    return {"dataset": upload.dataset, "mapping": columns} | of_the_rows | {"warnings": _warnings(upload)}


def _warnings(upload: Upload) -> list[str]:
    """Return what is odd about the file, then about its rows."""
    return [*uploads.file_found(upload)["warnings"], *uploads.rows_found(upload)["warnings"]]


def _findings_as_text(upload: Upload) -> str:
    found = uploads.rows_found(upload)
    columns = ", ".join(f"{column} → {field}" for field, column in upload.mapping.items() if column)
    lines = [f"{found['valid']:,} valid, {found['rejected']:,} rejected", f"  {upload.dataset}: {columns}"]
    if found["repeated"]:
        lines.append(f"  {found['repeated']:,} say the same as an earlier row of the file")
    lines += [f"  warning: {warning}" for warning in _warnings(upload)]
    return "\n".join([*lines, *_errors(found["errors"], found["rejected"])])


def _as_json(batch: Import) -> str:
    return json.dumps(
        {
            "import": batch.pk,
            "dataset": batch.dataset,
            "accepted": batch.accepted,
            "rejected": batch.rejected,
            "duplicates": batch.duplicates,
            "errors": batch.errors,
            "warnings": batch.warnings,
        }
    )


def _as_text(batch: Import) -> str:
    noun = "duplicate" if batch.duplicates == 1 else "duplicates"
    lines = [f"{batch.accepted:,} accepted, {batch.rejected:,} rejected, {batch.duplicates:,} {noun}"]
    lines += [f"  warning: {warning}" for warning in batch.warnings]
    return "\n".join([*lines, *_errors(batch.errors, batch.rejected)])


def _errors(errors: list[dict[str, Any]], rejected: int) -> list[str]:
    lines = []
    for error in errors[:ERRORS_SHOWN]:
        where = f", column “{error['column']}”" if error["column"] else ""
        lines.append(f"  row {error['row']}{where}: {error['reason']}")
    if rejected > ERRORS_SHOWN:
        lines.append(f"  ... and {rejected - ERRORS_SHOWN:,} more")
    return lines
