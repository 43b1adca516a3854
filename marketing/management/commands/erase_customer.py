"""`manage.py erase_customer --workspace S --key K`: erase all that is held of a customer, in the foreground."""

import argparse
from typing import Any

from django.core.management.base import CommandError

from accounts.commands import DataCommand
from jobs.foreground import Interrupted, see_through
from jobs.models import Job
from marketing import privacy
from marketing.management.customers import add_customer_arguments, find_customer


class Command(DataCommand):
    """Erase one customer's data on the command line."""

    help = "Erase all that is held of a customer: rows, kept files that name them, and the hash of their key."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add_customer_arguments(parser)
        parser.add_argument("--yes", action="store_true", help="do not ask whether it is meant")

    def handle(self, *, workspace: str, key: str, yes: bool, **_options: Any) -> None:
        customer = find_customer(workspace, key)
        holding = privacy.holding_of(customer)
        held = f"{holding.touches:,} touchpoints and {holding.conversions:,} conversions"
        if not yes and input(f"Erase {held} for good? Type yes: ").strip().lower() != "yes":
            raise CommandError("Nothing was erased.")
        job = privacy.request_erasure(customer=customer, by=None, ring=False)
        try:
            see_through(job, ours=True, title="Erasing")
        except Interrupted:
            raise CommandError(
                "Stopped. What is erased by now stays erased; start it again to erase the rest."
            ) from None
        if job.status != Job.Status.DONE:
            raise CommandError(job.error or "The erasure was cancelled.")
        self.stdout.write(f"Erased {held}.")
