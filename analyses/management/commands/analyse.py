"""Ask a question on the command line: progress on stderr, the answer on stdout."""

import json
import time
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from accounts.models import Workspace
from analyses import exports, registry
from analyses.models import Run
from analyses.runs import request_run
from jobs import actions as job_actions
from jobs.execution import execute
from jobs.models import Job
from mmm_project.problems import Problem

SECONDS_BETWEEN_LOOKS = 0.5


class Command(BaseCommand):
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
        try:
            run = request_run(
                workspace=asked, kind=kind, params=_parse(params), by=None, trigger=Run.Trigger.CLI, ring=False
            )
        except Problem as refusal:
            raise CommandError(refusal.detail) from refusal
        self._see_through(run.job)
        run.refresh_from_db(fields=["result"])
        for line in _FORMS[form](run):
            self.stdout.write(line, ending="")

    def _see_through(self, job: Job) -> None:
        """Execute the job, or wait for the worker that has claimed it. Raises CommandError unless it is done."""
        with tqdm(total=100, unit="%", bar_format="{l_bar}{bar}| {elapsed}", file=self.stderr, leave=False) as bar:

            def show(phase: str, fraction: float) -> None:
                bar.set_description(phase, refresh=False)
                bar.n = round(fraction * 100)
                bar.refresh()

            try:
                while not job.finished:
                    execute(job_id=job.pk, on_progress=show)
                    job.refresh_from_db()
                    if not job.finished:
                        show(job.phase, job.progress)
                        time.sleep(SECONDS_BETWEEN_LOOKS)
                        # There may be no scheduler here to notice that the worker we wait for has died.
                        job_actions.sweep()
            except KeyboardInterrupt:
                job_actions.request_cancel(job=job, by=None)
                raise CommandError("Cancelled.") from None
        if job.status != Job.Status.DONE:
            raise CommandError(job.error or "The run was cancelled.")


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
    return exports.csv_lines(registry.get(run.kind).rows(run))


def _table(run: Run) -> Iterator[str]:
    return (f"{line}\n" for line in exports.text_table(registry.get(run.kind).rows(run)))


_FORMS = {"json": _json, "csv": _csv, "table": _table}
