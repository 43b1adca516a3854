"""`manage.py create_workspace NAME --slug S --owner EMAIL`: a workspace, and its owner if new."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.core.validators import validate_email
from django.db import transaction

from accounts.actions import create_workspace
from accounts.commands import DataCommand
from accounts.models import User
from mmm_project.problems import Problem


class Command(DataCommand):
    """Create a workspace on the command line."""

    help = "Create a workspace with its owner."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the workspace's name, such as “Blue Fox”")
        parser.add_argument("--slug", required=True, help="the name in addresses, such as blue-fox")
        parser.add_argument("--owner", required=True, metavar="EMAIL", help="created without a password if new")
        parser.add_argument("--plan", help="the code of a plan, such as professional (the cheapest one)")
        parser.add_argument("--currency", default="EUR", help="ISO 4217 code (EUR)")
        parser.add_argument("--timezone", default="UTC", help="IANA name, such as Europe/Berlin (UTC)")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            with transaction.atomic():
                owner, is_new = _get_or_create_user(options["owner"])
                workspace = create_workspace(
                    name=options["name"],
                    slug=options["slug"],
                    owner=owner,
                    plan=options["plan"],
                    currency=options["currency"],
                    timezone=options["timezone"],
                )
        except ValidationError as error:
            raise CommandError(_one_line(error)) from error
        except Problem as problem:
            sentences = [sentence for group in problem.errors.values() for sentence in group]
            raise CommandError(" ".join(sentences) or problem.detail) from problem
        if is_new:
            self.stdout.write(f"Created user {owner.email}, without a password: set one by “Forgot your password?”.")
        self.stdout.write(f"Created workspace {workspace.name}: /w/{workspace.slug}/")


def _get_or_create_user(email: str) -> tuple[User, bool]:
    validate_email(email)
    user = User.objects.filter(email__iexact=email).first()
    return (user, False) if user else (User.objects.create_user(email), True)


def _one_line(error: ValidationError) -> str:
    if not hasattr(error, "error_dict"):
        return " ".join(error.messages)
    return " ".join(f"{field}: {' '.join(sentences)}" for field, sentences in error.message_dict.items())
