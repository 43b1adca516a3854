"""Make a backup of the installation while it runs, or look whether one is whole."""

import time
from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import CommandError

from accounts.commands import DataCommand
from operations.backups import restoring
from operations.backups.making import make_backup
from operations.backups.problems import BackupError

NAMED = 10


class Command(DataCommand):
    help = "Back up the database and the files that cannot be computed again, while the product runs."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--to", type=Path, metavar="DIR|FILE", help="a folder, or a file that is not there yet")
        what.add_argument("--verify", type=Path, metavar="FILE", help="read a backup to its end, and restore nothing")

    def handle(self, *, to: Path | None, verify: Path | None, **_options: object) -> None:
        began = time.perf_counter()
        try:
            if to is not None:
                backup = make_backup(to=to)
                manifest, said = backup.manifest, f"{backup.path}: {backup.size / 2**20:,.1f} MiB"
            elif verify is not None:
                manifest, said = restoring.verify(verify), f"{verify} is whole"
        except BackupError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{said}, in {time.perf_counter() - began:.1f} s.")
        self.stdout.write(
            f"Of {manifest.when}, by version {manifest.product}, {manifest.database} {manifest.server}: "
            f"{sum(manifest.rows.values()):,} rows in {len(manifest.rows)} tables, {len(manifest.files) - 1:,} files, "
            f"{manifest.bytes / 2**20:,.1f} MiB unpacked."
        )
        self._warn("Rows refer to files that are not there", manifest.missing)
        self._warn("These are no plain files, and were left out", manifest.links)

    def _warn(self, what: str, names: list[str]) -> None:
        if names:
            more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
            self.stderr.write(self.style.WARNING(f"{what}: {', '.join(names[:NAMED])}{more}."))
