"""Ask a question on the command line: progress on stderr, the answer on stdout."""

import json
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from accounts.commands import DataCommand
from accounts.models import Workspace
from analyses import registry
from analyses.errors import AnalysisError
from analyses.models import Run
from analyses.runs import request_run
from analyses.tables import Tables, ask_of_tables
from jobs.foreground import Interrupted, see_through
from jobs.models import Job
from mmm_project import tables
from mmm_project.problems import Problem

ENGINES = ("local", "spark")


class Command(DataCommand):
    help = "Run an analysis in the foreground and print its result."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", help="what to run, such as attribution")
        parser.add_argument("--workspace", required=True, metavar="SLUG")
        parser.add_argument("--param", nargs="+", action="extend", default=[], dest="params", metavar="NAME=VALUE")
        parser.add_argument("--format", default="json", dest="form", metavar="json|csv|table")
        outside = parser.add_argument_group("tables outside the database", "see docs/spark.md; nothing is kept of them")
        outside.add_argument("--engine", metavar="local|spark", help="what reads the tables")
        outside.add_argument("--source", help="a directory of Parquet tables, its address, or a JDBC URL")
        outside.add_argument("--touches", default="touches", metavar="NAME", help="the table of touches")
        outside.add_argument("--conversions", default="conversions", metavar="NAME", help="the table of conversions")
        outside.add_argument("--master", default="local[*]", help="the Spark cluster, such as spark://host:7077")
        outside.add_argument("--partitions", type=int, metavar="N", help="parts that the customers are cut into")
        outside.add_argument(
            "--spark-conf", nargs="+", action="extend", default=[], metavar="NAME=VALUE", help="settings of Spark"
        )

    def handle(self, *, kind: str, workspace: str, params: Sequence[str], form: str, **options: Any) -> None:
        if form not in _FORMS:
            raise CommandError(f"There is no format “{form}”. Use one of: {', '.join(_FORMS)}.")
        asked = Workspace.objects.filter(slug=workspace).first()
        if asked is None:
            raise CommandError(f"There is no workspace “{workspace}”.")
        named = _parse("param", params)
        try:
            run = (
                self._of_tables(asked, kind, named, options) if _asks_tables(options) else _of_data(asked, kind, named)
            )
        except Problem as refusal:
            raise CommandError(refusal.detail) from refusal
        for line in _FORMS[form](run):
            self.stdout.write(line, ending="")

    def _of_tables(self, workspace: Workspace, kind: str, params: Mapping[str, str], options: Mapping[str, Any]) -> Run:
        """Return the answer from tables outside the database."""
        said: set[str] = set()

        def on_phase(phase: str, _share: float) -> None:
            if phase not in said:
                said.add(phase)
                self.stderr.write(f"{phase} …", self.style.NOTICE)

        outside = Tables(
            **{name: options[name] for name in ("engine", "source", "touches", "conversions", "master", "partitions")},
            settings=_parse("spark-conf", options["spark_conf"]),
        )
        try:
            return ask_of_tables(workspace=workspace, kind=kind, params=params, tables=outside, on_phase=on_phase)
        except AnalysisError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("Stopped.") from None


def _asks_tables(options: Mapping[str, Any]) -> bool:
    """Whether tables outside the database are asked. Raises CommandError for options that do not fit together."""
    engine, source = options["engine"], options["source"]
    if engine is None and source is None:
        return False
    if engine not in ENGINES:
        raise CommandError(
            f"There is no engine “{engine}”. Use one of: {', '.join(ENGINES)}."
            if engine
            else "--source needs --engine."
        )
    if not source:
        raise CommandError("--engine needs --source: a directory of Parquet tables, or a JDBC URL.")
    if options["partitions"] is not None and options["partitions"] < 1:
        raise CommandError("--partitions is 1 or more.")
    return True


def _of_data(workspace: Workspace, kind: str, params: Mapping[str, str]) -> Run:
    """Return the finished run that answers the question on the workspace's own data."""
    asked_at = timezone.now()
    run = request_run(workspace=workspace, kind=kind, params=params, by=None, trigger=Run.Trigger.CLI, ring=False)
    try:
        see_through(run.job, ours=run.created_at >= asked_at)
    except Interrupted:
        raise CommandError("Stopped.") from None
    if run.job.status != Job.Status.DONE:
        raise CommandError(run.job.error or "The run was cancelled.")
    run.refresh_from_db(fields=["result"])
    return run


def _parse(option: str, params: Sequence[str]) -> dict[str, str]:
    """Return name -> value. Raises CommandError for what is not NAME=VALUE, or comes twice."""
    parsed: dict[str, str] = {}
    for param in params:
        name, equals, value = param.partition("=")
        if not (name and equals):
            raise CommandError(f"“{param}” is not of the form name=value.")
        if name in parsed:
            raise CommandError(f"--{option} {name} is given twice; separate several values by commas.")
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
