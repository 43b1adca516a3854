"""Import a file into a workspace, in the foreground."""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from accounts.models import Workspace
from jobs.execution import execute
from marketing.importing.actions import request_import
from marketing.importing.errors import FileRejected
from marketing.models import Dataset, Import

SECONDS_BETWEEN_LOOKS = 0.5
ERRORS_SHOWN = 10


class Command(BaseCommand):
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
        if batch.status != Import.Status.ACTIVE:
            raise CommandError(batch.job.error or "The import was cancelled.")
        self.stdout.write(_as_json(batch) if options["format"] == "json" else _as_text(batch))


def carry_out(batch: Import) -> None:
    """Execute the import's job here, with a progress bar on stderr; waits its turn behind a running import."""
    with tqdm(total=100, unit="%", file=sys.stderr, disable=None, leave=False, desc=batch.file_name) as bar:

        def show(phase: str, fraction: float) -> None:
            bar.set_postfix_str(phase, refresh=False)
            bar.update(100 * fraction - bar.n)

        while not batch.job.finished:
            execute(job_id=batch.job_id, on_progress=show)
            batch.job.refresh_from_db()
            if not batch.job.finished:
                time.sleep(SECONDS_BETWEEN_LOOKS)
    batch.refresh_from_db()


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
