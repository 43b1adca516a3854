"""What the commands that work with data have in common: whatever fails, they say it in one line."""

import sys
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import InterfaceError, OperationalError, ProgrammingError

UNDEFINED_TABLE = "42P01"  # PostgreSQL's state for it


class DataCommand(BaseCommand):
    """Ends with status 2 for wrong usage and 1 for any other failure, and one line on stderr."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        if parser.called_from_command_line:
            parser.error = self._refuse_usage  # type: ignore[method-assign]  # argparse would print a page of usage
        return parser

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run the command. Raises CommandError also where the database cannot be used."""
        try:
            return super().execute(*args, **options)
        except (InterfaceError, OperationalError, ProgrammingError) as error:
            if isinstance(error, ProgrammingError) and getattr(error.__cause__, "sqlstate", "") != UNDEFINED_TABLE:
                raise  # a mistake of ours, which a traceback explains best
            reason = " ".join(str(error).split()) or type(error).__name__
            raise CommandError(
                f"The database cannot be used: {reason}. A new one needs “manage.py migrate”."
            ) from error

    def _refuse_usage(self, message: str) -> NoReturn:
        self.stderr.write(self.style.ERROR(f"{message[:1].upper()}{message[1:]}. Try --help."))
        sys.exit(2)
