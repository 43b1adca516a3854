"""Restore a backup into an installation that is empty and stopped."""

import time
from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import CommandError

from accounts.commands import DataCommand
from operations.backups.problems import BackupError
from operations.backups.restoring import restore


class Command(DataCommand):
    help = "Restore a backup into an empty database and an empty MEDIA_ROOT. Stop the product first."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--from", dest="path", type=Path, required=True, metavar="FILE")
        parser.add_argument(
            "--with-other-keys", action="store_true", help="also where the keys are not those of the backup"
        )

    def handle(self, *, path: Path, with_other_keys: bool, **_options: object) -> None:
        began = time.perf_counter()
        try:
            held = restore(path=path, with_other_keys=with_other_keys, say=self._say)
        except BackupError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Restored in {time.perf_counter() - began:.1f} s.")
        self.stdout.write(
            f"Held back, as they may have been sent since the backup: mails {held.mails}, messages to webhooks "
            f"{held.messages}, due times of schedules {held.schedules}, reminders {held.reminders}. "
            f"Jobs that were running go on: {held.jobs}. Everybody has to sign in again."
        )
        self.stdout.write(
            "Do again what was done since the backup: erasures of customers, people deactivated, keys revoked, "
            "addresses unsubscribed (docs/backups.md)."
        )

    def _say(self, sentence: str) -> None:
        self.stdout.write(sentence)
        self.stdout.flush()
