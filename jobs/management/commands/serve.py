"""Run the whole product from one command."""

from argparse import ArgumentParser

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from jobs.serving import ServiceError, Services


class Command(BaseCommand):
    help = "Run the web server, a worker and the scheduler; Ctrl-C stops all three."
    requires_migrations_checks = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=settings.SERVE_PORT)
        parser.add_argument("--bind", default="127.0.0.1", metavar="ADDRESS")

    def handle(self, *, port: int, bind: str, **_options: object) -> None:
        try:
            with Services(port=port, bind=bind) as services:
                self.stdout.write(f"The page is at {services.url} (Ctrl-C stops it).")
                self.stdout.flush()
                services.wait()
        except ServiceError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("Stopped before the page answered.", returncode=130) from None
