"""`manage.py create_api_key EMAIL --workspace S --scopes runs:read`: a key, printed once."""

from argparse import ArgumentParser
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone as clock

from accounts.api_key_actions import create_api_key
from accounts.commands import DataCommand
from accounts.models import User, Workspace
from accounts.scopes import Scope
from mmm_project.problems import Problem


class Command(DataCommand):
    """Create an API key on the command line."""

    help = "Create an API key and print it; it cannot be shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", help="the member whose role the key acts with")
        parser.add_argument("--workspace", required=True, metavar="SLUG")
        parser.add_argument("--scopes", required=True, nargs="+", help=f"any of {', '.join(Scope.values)}")
        parser.add_argument("--name", default="Command line", help="to recognise the key by")
        parser.add_argument("--expires-days", type=int, help="the key ends after so many days (never)")

    def handle(self, *_args: Any, **options: Any) -> None:
        user = User.objects.filter(email__iexact=options["email"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['email']}.")
        workspace = Workspace.objects.filter(slug=options["workspace"]).first()
        if workspace is None:
            raise CommandError(f"There is no workspace {options['workspace']}.")
        try:
            _, text = create_api_key(
                workspace=workspace,
                created_by=user,
                name=options["name"],
                scopes=[scope for argument in options["scopes"] for scope in argument.split(",") if scope],
                expires_at=_expiry(options["expires_days"]),
            )
        except Problem as problem:
            raise CommandError(" ".join([problem.detail, *problem.errors.get("name", ())])) from problem
        self.stdout.write(text)


def _expiry(days: int | None) -> datetime | None:
    try:
        return None if days is None else clock.now() + timedelta(days=days)
    except OverflowError as error:
        raise CommandError(
            f"--expires-days {days} is beyond the calendar. Leave it out for a key without end."
        ) from error
