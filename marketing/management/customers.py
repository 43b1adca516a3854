"""What the commands about one customer have in common: which workspace, and by which key."""

import argparse
import sys

from django.core.management.base import CommandError

from accounts.models import Workspace
from marketing import privacy
from marketing.models import Customer
from mmm_project.problems import NotFound

STDIN = "-"


def add_customer_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what names a customer."""
    parser.add_argument("--workspace", required=True, metavar="SLUG")
    parser.add_argument(
        "--key",
        required=True,
        help="the customer's key as it was imported; “-” reads it from stdin, so that no list of processes shows it",
    )


def find_customer(slug: str, key: str) -> Customer:
    """Return the customer. Raises CommandError if there is none of this key, or no such workspace."""
    workspace = Workspace.objects.filter(slug=slug).first()
    if workspace is None:
        raise CommandError(f"There is no workspace “{slug}”.")
    try:
        return privacy.find_customer(workspace=workspace, key=sys.stdin.readline() if key == STDIN else key)
    except NotFound as refusal:
        raise CommandError(refusal.detail) from refusal
