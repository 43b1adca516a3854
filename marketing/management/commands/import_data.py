"""Import a file into a workspace, in the foreground."""

import argparse
import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from accounts.commands import DataCommand
from accounts.models import Workspace
from jobs.execution import execute
from jobs.foreground import Interrupted, see_through
from marketing.importing.actions import request_import
from marketing.importing.errors import FileRejected
from marketing.models import Dataset, Import

ERRORS_SHOWN = 10


class Command(DataCommand):
    help = "Import a CSV or Parquet file and print how many rows were accepted, rejected and duplicates."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--workspace", required=True, metavar="SLUG")
        parser.add_argument("--dataset", required=True, choices=Dataset.values)
        parser.add_argument(
            "--map", nargs="+", action="extend", default=[], metavar="FIELD=COLUMN", help="may be given several times"
        )
        parser.add_argument("--format", choices=["text", "json"], default="text")

    def handle(self, *, file: Path, workspace: str, dataset: str, **options: Any) -> None:
        if not file.is_file():
            raise CommandError(f"There is no file {file}.")
        if not _is_utf8(file.name):
            raise CommandError("The name of the file is not in UTF-8. Rename it, then import it again.")
        found = Workspace.objects.filter(slug=workspace).first()
        if found is None:
            raise CommandError(f"There is no workspace “{workspace}”.")
        try:
            batch = request_import(
                workspace=found,
                dataset=Dataset(dataset),
                file=file,
                mapping=_mapping(options["map"]),
                by=None,
                origin=Import.Origin.CLI,
                ring=False,
            )
        except FileRejected as error:
            raise CommandError(str(error)) from error
        carry_out(batch)
        self.stdout.write(_as_json(batch) if options["format"] == "json" else _as_text(batch))


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
        raise CommandError("Cancelled.") from None
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


def _mapping(pairs: list[str]) -> dict[str, str]:
    mapping = {}
    for pair in pairs:
        field, equals, column = pair.partition("=")
        if not (field and equals and column):
            raise CommandError(f"--map takes FIELD=COLUMN, not “{pair}”.")
        mapping[field] = column
    return mapping


def _as_json(batch: Import) -> str:
    return json.dumps(
        {
            "import": batch.pk,
            "dataset": batch.dataset,
            "accepted": batch.accepted,
            "rejected": batch.rejected,
            "duplicates": batch.duplicates,
            "errors": batch.errors,
        }
    )


def _as_text(batch: Import) -> str:
    lines = [f"{batch.accepted:,} accepted, {batch.rejected:,} rejected, {batch.duplicates:,} duplicates"]
    for error in batch.errors[:ERRORS_SHOWN]:
        where = f", column “{error['column']}”" if error["column"] else ""
        lines.append(f"  row {error['row']}{where}: {error['reason']}")
    if batch.rejected > ERRORS_SHOWN:
        lines.append(f"  ... and {batch.rejected - ERRORS_SHOWN:,} more")
    return "\n".join(lines)
