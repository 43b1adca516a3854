"""How the service is, on the command line: for people, and for what watches the machine."""

import dataclasses
import json
from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from operations.status.lines import Line, Report, State
from operations.status.look import look

SIGNS = {State.OK: "ok     ", State.WARNING: "WARNING", State.PROBLEM: "PROBLEM"}


class Command(BaseCommand):
    help = "Say how the service is. Ends with status 1 when something is wrong."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--format", choices=("text", "json"), default="text")
        parser.add_argument("--strict", action="store_true", help="end with status 1 for warnings as well")

    def handle(self, *, format: str, strict: bool, **_options: object) -> None:  # noqa: A002 - the option's name
        report = look()
        if format == "json":
            self.stdout.write(json.dumps(_as_json(report), indent=2))
        else:
            self._print(report)
        if report.state >= (State.WARNING if strict else State.PROBLEM):
            raise CommandError("; ".join(f"{line.name}: {line.sentence}" for line in report.troubles))

    def _print(self, report: Report) -> None:
        self.stdout.write(f"Mixed Media Modeling {report.version}")
        width = max(len(line.name) for section in report.sections for line in section.lines)
        for section in report.sections:
            self.stdout.write(f"\n{section.title}")
            for line in section.lines:
                self.stdout.write(f"  {SIGNS[line.state]} {line.name.ljust(width)}  {line.sentence}")
                if line.advice and line.state is not State.OK:
                    self.stdout.write(f"  {'':7} {'':{width}}  {line.advice}")


def _as_json(report: Report) -> dict[str, object]:
    return {
        "state": report.state.name.lower(),
        "version": report.version,
        "at": report.at.isoformat(timespec="seconds"),
        "took_seconds": round(report.took, 3),
        "sections": [
            {"title": section.title, "lines": [_line(line) for line in section.lines]} for section in report.sections
        ],
    }


def _line(line: Line) -> dict[str, object]:
    return dataclasses.asdict(line) | {"state": line.state.name.lower()}
