"""Attribute aggregated paths of a file, without customers, a workspace or a database."""

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace as with_
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import CommandError

from accounts.commands import DataCommand
from attribution.catalogue import BAYESIAN, Family, UnknownModel, find, parse_method
from attribution.methods.crediting import BayesianModel, Credited, Method, credit_paths
from attribution.methods.shapley import ShapleyModel
from attribution.path_files.reading import USUAL_COLUMNS, PathColumns, PathFile, read_paths
from marketing.grouping import DIRECT
from marketing.importing.errors import FileRejected
from mmm_project.tables import Cell, csv_lines

MODELS = "first,last,linear,time_decay,position,markov:1"
DRAWS = 1_000  # of a posterior
SIGNIFICANT_DIGITS = 12  # by which credit is compared: the last bits are no order


class Command(DataCommand):
    help = (
        "Attribute conversions to the channels of aggregated paths: a CSV file (also gzip, Parquet or .xlsx) with a "
        "path in each row, how often it converted, for what value, and how often it did not."
    )
    requires_system_checks = []  # noqa: RUF012 # as Django declares it; nothing but the file is needed

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        usual = USUAL_COLUMNS
        parser.add_argument("file", help="- stands for standard input")
        parser.add_argument("--models", default=MODELS, metavar="NAME,NAME", help=f"by default {MODELS}")
        parser.add_argument("--delimiter", default="", help="between the cells: one character, or “tab”")
        parser.add_argument("--path-separator", default=" > ", help="between the channels of a path, by default “ > ”")
        parser.add_argument("--path-column", default=usual.path, metavar="NAME", help=f"by default {usual.path}")
        parser.add_argument(
            "--conversions-column", default=usual.conversions, metavar="NAME", help=f"by default {usual.conversions}"
        )
        parser.add_argument("--value-column", metavar="NAME", help=f"by default {usual.value}, if there is one")
        parser.add_argument("--null-column", metavar="NAME", help=f"by default {usual.null}, if there is one")
        parser.add_argument("--format", choices=["json", "csv"], default="json")
        parser.add_argument("--output", type=Path, metavar="FILE", help="write there, not to standard output")
        parser.add_argument("--seed", type=int, default=0, help="of what is sampled (bayesian_markov, large shapley)")

    def handle(self, *, file: str, models: str, output: Path | None, seed: int, **options: Any) -> None:
        methods = _methods(models, seed)
        read = _read(file, options)
        for warning in _warnings(read, methods):
            self.stderr.write(f"Note: {warning}", self.style.WARNING)
        direct = np.array([channel.casefold() == DIRECT.casefold() for channel in read.channels])
        credited = credit_paths(
            paths=read.paths, methods=methods, direct=direct, draws=DRAWS, seed=seed, threads=os.cpu_count() or 1
        )
        result = _result(read, credited)
        text = f"{json.dumps(result, indent=2, ensure_ascii=False)}\n"
        if options["format"] == "csv":
            text = "".join(csv_lines(_rows(result)))
        if output is None:
            self.stdout.write(text, ending="")
            return
        try:
            output.write_text(text, encoding="utf-8", newline="")
        except OSError as error:
            raise CommandError(f"{output} cannot be written: {error.strerror}.") from error


def _methods(names: str, seed: int) -> list[Method]:
    """The methods of the models, each once. Raises CommandError for a name that there is not."""
    methods: dict[str, Method] = {}
    try:
        for asked in filter(None, map(str.strip, names.split(","))):
            model = find(asked)
            methods[model.name] = BayesianModel(model.name) if model.name == BAYESIAN else parse_method(model.name)
    except UnknownModel as error:
        raise CommandError(str(error)) from error
    if not methods:
        raise CommandError("Say --models with one model at least, such as --models last,linear,markov:1.")
    if seed < 0:
        raise CommandError("--seed is a number of zero or more.")
    return [with_(method, seed=seed) if isinstance(method, ShapleyModel) else method for method in methods.values()]


def _read(file: str, options: dict[str, Any]) -> PathFile:
    """Read the file as the options say. Raises CommandError if it cannot be read."""
    said = {name for name in ("value", "null") if options[f"{name}_column"] is not None}
    columns = PathColumns(
        path=options["path_column"],
        conversions=options["conversions_column"],
        value=options["value_column"] or USUAL_COLUMNS.value,
        null=options["null_column"] or USUAL_COLUMNS.null,
        optional=USUAL_COLUMNS.optional - said,
    )
    delimiter = "\t" if options["delimiter"] in ("tab", "\\t") else options["delimiter"]
    if len(delimiter) > 1 or delimiter in ('"', "\n", "\r"):
        raise CommandError(f"--delimiter is one character, or “tab”, not “{delimiter}”.")
    if not options["path_separator"]:
        raise CommandError("--path-separator is what stands between the channels of a path; it cannot be nothing.")
    try:
        with _file_named(file) as path:
            return read_paths(path, columns=columns, separator=options["path_separator"], delimiter=delimiter)
    except FileRejected as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror or error}.") from error


@contextmanager
def _file_named(name: str) -> Iterator[Path]:
    """The file; of standard input or a pipe, which cannot be read twice, a copy. Raises CommandError without one."""
    path = Path(name)
    if name != "-" and path.is_file():
        yield path
        return
    if name != "-" and (path.is_dir() or not path.exists()):
        raise CommandError(f"{name} is a folder, not a file." if path.is_dir() else f"There is no file {name}.")
    with tempfile.NamedTemporaryFile() as copy:
        with nullcontext(sys.stdin.buffer) if name == "-" else path.open("rb") as stream:
            shutil.copyfileobj(stream, copy)
        copy.flush()
        yield Path(copy.name)


def _warnings(read: PathFile, methods: Sequence[Method]) -> Iterator[str]:
    """Say what the file does not tell, as far as the models ask for it."""
    learning = [method.name for method in methods if find(method.name).family == Family.DATA_DRIVEN]
    learning = [name for name in learning if name != "shapley:simplified"]  # which no null path changes
    if learning and not read.paths.nulls.any():
        yield (
            f"the file has no paths that did not convert, and {', '.join(learning)} can only compare those that did. "
            f"Say --null-column, or add a column {USUAL_COLUMNS.null}."
        )
    if any(method.name == "w_shape" for method in methods):
        yield "aggregated paths know no leads, so w_shape credits 40% to the first and the last touch each."


def _result(read: PathFile, credited: Credited) -> dict[str, Any]:
    """Return totals and credit as JSON, channels in order of credit."""
    paths = read.paths
    models = {}
    for place, method in enumerate(credited.methods):
        columns: dict[str, list[float]] = {
            "conversions": credited.conversions[place, :-1].tolist(),
            "value": credited.value[place, :-1].tolist(),
        } | _explained(credited, method.name)
        rows = [
            {"channel": channel} | {name: column[group] for name, column in columns.items()}
            for group, channel in enumerate(read.channels)
        ]
        models[method.name] = {"channels": sorted(rows, key=_by_credit)}
    totals = {"conversions": paths.conversions, "value": paths.value, "null": paths.nulls}
    return {
        "totals": {"paths": len(paths)} | {name: float(weights.sum()) for name, weights in totals.items()},
        "models": models,
    }


def _explained(credited: Credited, model: str) -> dict[str, list[float]]:
    """Return what the credit of a data-driven model follows from, by channel."""
    if found := credited.markov.get(model):
        return {"removal_effect": found.removal_effect.tolist()}
    if drawn := credited.posterior.get(model):
        return {"removal_effect": drawn.effect.mean(axis=0).tolist()}
    if valued := credited.shapley.get(model):
        error = {} if valued.is_exact else {"monte_carlo_error": valued.monte_carlo_error.tolist()}
        return {"phi": valued.phi.tolist()} | error
    return {}


def _by_credit(row: dict[str, Any]) -> tuple[float, str]:
    return -float(f"{row['conversions']:.{SIGNIFICANT_DIGITS}g}"), row["channel"]


def _rows(result: dict[str, Any]) -> Iterator[Sequence[Cell]]:
    """Yield the same as a table, one row for each model and channel; what a model does not say is blank."""
    known = ("conversions", "value", "removal_effect", "phi", "monte_carlo_error")
    rows = [(model, row) for model, credit in result["models"].items() for row in credit["channels"]]
    columns = [name for name in known if any(name in row for _model, row in rows)]
    yield ["model", "channel", *columns]
    for model, row in rows:
        yield [model, row["channel"], *(row.get(name, "") for name in columns)]
