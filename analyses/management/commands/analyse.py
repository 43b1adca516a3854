"""Ask a question on the command line: progress on stderr, the answer on stdout."""

import json
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence

from django.core.management.base import CommandError
from django.utils import timezone

from accounts.commands import DataCommand
from accounts.models import Workspace
from analyses import registry
from analyses.models import Run
from analyses.runs import request_run
from jobs.foreground import Interrupted, see_through
from jobs.models import Job
from mmm_project import tables
from mmm_project.problems import Problem


class Command(DataCommand):
    help = "Run an analysis in the foreground and print its result."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", help="what to run, such as attribution")
        parser.add_argument("--workspace", required=True, metavar="SLUG")
        parser.add_argument("--param", nargs="+", action="extend", default=[], dest="params", metavar="NAME=VALUE")
        parser.add_argument("--format", default="json", dest="form", metavar="json|csv|table")

    def handle(self, *, kind: str, workspace: str, params: Sequence[str], form: str, **_options: object) -> None:
        if form not in _FORMS:
            raise CommandError(f"There is no format “{form}”. Use one of: {', '.join(_FORMS)}.")
        asked = Workspace.objects.filter(slug=workspace).first()
        if asked is None:
            raise CommandError(f"There is no workspace “{workspace}”.")
        asked_at = timezone.now()
        try:
            run = request_run(
                workspace=asked, kind=kind, params=_parse(params), by=None, trigger=Run.Trigger.CLI, ring=False
            )
        except Problem as refusal:
            raise CommandError(refusal.detail) from refusal
        try:
            see_through(run.job, ours=run.created_at >= asked_at)
        except Interrupted:
            raise CommandError("Stopped.") from None
        if run.job.status != Job.Status.DONE:
            raise CommandError(run.job.error or "The run was cancelled.")
        run.refresh_from_db(fields=["result"])
        for line in _FORMS[form](run):
            self.stdout.write(line, ending="")


def _parse(params: Sequence[str]) -> dict[str, str]:
    """Return name -> value. Raises CommandError for what is not NAME=VALUE, or comes twice."""
    parsed: dict[str, str] = {}
    for param in params:
        name, equals, value = param.partition("=")
        if not (name and equals):
            raise CommandError(f"“{param}” is not of the form name=value.")
        if name in parsed:
            raise CommandError(f"--param {name} is given twice; separate several values by commas.")
        parsed[name] = value
    return parsed


def _json(run: Run) -> Iterator[str]:
    yield json.dumps(run.result, indent=2, ensure_ascii=False, allow_nan=False)
    yield "\n"


def _csv(run: Run) -> Iterator[str]:
    return tables.csv_lines(registry.get(run.kind).rows(run))


def _table(run: Run) -> Iterator[str]:
    return (f"{line}\n" for line in tables.text_table(registry.get(run.kind).rows(run)))


_FORMS = {"json": _json, "csv": _csv, "table": _table}
