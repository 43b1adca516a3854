"""`manage.py export_customer --workspace S --key K`: all that is held of a customer, as JSON."""

import argparse
from pathlib import Path
from typing import Any

from accounts.commands import DataCommand
from marketing import privacy
from marketing.management.customers import add_customer_arguments, find_customer


class Command(DataCommand):
    """Export one customer's data on the command line."""

    help = "Print all that is held of a customer as JSON, and note the export in the audit log."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add_customer_arguments(parser)
        parser.add_argument("--output", type=Path, metavar="FILE", help="write to a file, not to stdout")

    def handle(self, *, workspace: str, key: str, output: Path | None, **_options: Any) -> None:
        pieces = privacy.export_customer(customer=find_customer(workspace, key), by=None)
        if output is None:
            for piece in pieces:
                self.stdout.write(piece, ending="")
            return
        with output.open("w", encoding="utf-8") as file:
            file.writelines(pieces)
