"""Run what a production installation runs, on one machine."""

from argparse import ArgumentParser

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from jobs.serving import ServiceError
from operations.stack import Stack

WHAT_IT_NEEDS = "Set DATABASE_URL (postgres://...), REDIS_URL and SECRET_KEY; “manage.py serve” runs without them."


class Command(BaseCommand):
    help = "Run the processes of a production installation (deploy/run); Ctrl-C stops them all."
    requires_migrations_checks = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=settings.SERVE_PORT)
        parser.add_argument("--bind", default="127.0.0.1", metavar="ADDRESS")

    def handle(self, *, port: int, bind: str, **_options: object) -> None:
        if settings.EMBEDDED or connection.vendor != "postgresql":
            raise CommandError(WHAT_IT_NEEDS)
        try:
            with Stack(port=port, bind=bind) as stack:
                self.stdout.write(f"The page is at {stack.url} (Ctrl-C stops it).")
                self.stdout.flush()
                stack.wait()
        except ServiceError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("Stopped before the page answered.", returncode=130) from None
