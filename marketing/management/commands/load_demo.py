"""Load the demo world into a workspace, through the ordinary import."""

import argparse
import datetime as dt
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from accounts.commands import DataCommand
from accounts.models import Workspace
from jobs.actions import request_cancel
from marketing.importing.demo import DEFAULT_SEED, DemoAlreadyLoaded, request_demo
from marketing.management.commands.import_data import carry_out
from marketing.periods import yesterday


class Command(DataCommand):
    help = "Load two years of a believable retailer's data, up to yesterday, into a workspace."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--workspace", required=True, metavar="SLUG")
        parser.add_argument("--end", type=dt.date.fromisoformat, help="last day, default yesterday")
        parser.add_argument("--seed", type=int, default=DEFAULT_SEED)

    def handle(self, *, workspace: str, end: dt.date | None, seed: int, **_options: Any) -> None:
        found = Workspace.objects.filter(slug=workspace).first()
        if found is None:
            raise CommandError(f"There is no workspace “{workspace}”.")
        end = end or yesterday(now=timezone.now(), zone=found.zone)
        try:
            batches = request_demo(workspace=found, end=end, seed=seed, by=None, ring=False)
        except DemoAlreadyLoaded as error:
            raise CommandError(str(error)) from error
        try:
            for batch in batches:
                carry_out(batch)
                self.stdout.write(f"{batch.dataset}: {batch.accepted:,} rows")
        finally:
            # What was not reached must not wait for some later worker; the next load_demo asks for it again.
            for batch in batches:
                request_cancel(job=batch.job, by=None)
