"""Aggregated paths side by side with ChannelAttribution and marketing-attribution-models, from the same files.

The peers are installed into environments of their own below DATA_DIR; one that cannot be is left out, with a message.
Every question is put to a fresh process: read a file of paths, then compute. ChannelAttribution takes paths apart
while it computes, the others while they read, so that only the time from the file on is for the same work. This module
is what runs in all of them, the peers' too, which know nothing of the project: what it imports at its top is the
standard library's.
"""

import functools
import importlib
import itertools
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.harness import PEAK, ROOT, ROWS, Database, Measurement

SEED, CHANNELS = 20260503, 20
SIZES = (ROWS // 1000, ROWS // 100, ROWS // 10)
LIMIT_S = 600.0  # for one question; who takes longer is stopped
INSTALL_LIMIT_S = 900.0
QUICK_S = 30.0  # then it is put three times
TARGET = 5.0  # times faster, at the largest size
OURS = "this project"
PEERS = {
    # It is compiled on installation, and loads matplotlib without saying so.
    "ChannelAttribution": ("ChannelAttribution==2.2.5", "numpy==2.4.6", "pandas==3.1.1", "matplotlib==3.11.2"),
    "marketing-attribution-models": ("marketing-attribution-models==2.1.1", "polars==2.1.0", "pandas==3.1.1"),
}
QUESTIONS = {
    "three": "first, last, linear",
    "four": "first, last, linear, position",
    "markov": "Markov, order 1, with null paths",
}
# ChannelAttribution knows three rule models; the other one's time decay does not take aggregated paths.
ASKED = {OURS: ("three", "four", "markov"), "ChannelAttribution": ("three", "markov")}
ASKED["marketing-attribution-models"] = ("three", "four", "markov")
# Targets are for all rule models that a peer has of aggregated paths, and for the chain.
AIMED_AT = {"ChannelAttribution": ("three", "markov"), "marketing-attribution-models": ("four", "markov")}

Credit = dict[str, dict[str, float]]  # by model, or "removal_effect", and channel


class Answer(NamedTuple):
    """`whole_s`: from the start of the process to its end; `read_s`, `compute_s`: parts of it. None if stopped."""

    whole_s: float
    read_s: float
    compute_s: float
    peak_mib: float
    credit: Credit

    @property
    def from_file_s(self) -> float:
        return self.read_s + self.compute_s


def run(_database: Database) -> list[Measurement]:
    return measured()


@functools.cache  # no database is in it: both are told the same
def measured() -> list[Measurement]:
    folder = Path(os.environ.get("DATA_DIR", ROOT / "var")) / "bench-paths"
    folder.mkdir(parents=True, exist_ok=True)
    pythons = {OURS: sys.executable} | {
        peer: python for peer, pins in PEERS.items() if (python := _environment_of(peer, pins, folder))
    }
    measurements: list[Measurement] = []
    for size in SIZES:
        file = folder / f"paths-{size}.csv"
        _child(sys.executable, ["generate", str(size), str(file)], folder)
        if size == SIZES[0]:
            for name, python in pythons.items():  # what is compiled once is not what is measured
                for question in ASKED[name]:
                    _ask(name, python, question, file, folder)
        answers = {
            (name, question): _ask(name, python, question, file, folder)
            for question in QUESTIONS
            for name, python in pythons.items()
            if question in ASKED[name]
        }
        measurements += _figures(size, answers)
        file.unlink()
    return measurements


def _figures(size: int, answers: Mapping[tuple[str, str], Answer | None]) -> list[Measurement]:
    """The times of everybody, and how many times longer a peer takes than we do for the same."""
    figures = []
    for question, words in QUESTIONS.items():
        ours = answers[OURS, question]
        assert ours is not None
        figures.append(Measurement(f"{size:,} paths: {words}", ours.from_file_s, "s"))
        figures += _details(ours)
        for peer in PEERS:
            if (peer, question) not in answers:
                continue
            target = TARGET if size == SIZES[-1] and question in AIMED_AT[peer] else None
            theirs = answers[peer, question]
            if theirs is None:
                figures.append(Measurement(f"  {peer}, stopped after", LIMIT_S, "s"))
                figures.append(Measurement("    times ours, at least", LIMIT_S / ours.from_file_s, "", at_least=target))
                continue
            figures.append(Measurement(f"  {peer}", theirs.from_file_s, "s"))
            figures += _details(theirs, "  ")
            figures.append(
                Measurement("    times ours, from file", theirs.from_file_s / ours.from_file_s, "", at_least=target)
            )
            figures.append(
                Measurement("    times ours, computing only", theirs.compute_s / ours.compute_s, "", at_least=target)
            )
            figures.append(Measurement("    largest difference from ours", _difference(ours, theirs), ""))
    return figures


def _details(answer: Answer, indent: str = "") -> list[Measurement]:
    return [
        Measurement(f"{indent}  of this, computing", answer.compute_s, "s"),
        Measurement(f"{indent}  the whole process", answer.whole_s, "s"),
        Measurement(f"{indent}  peak memory", answer.peak_mib, "MiB"),
    ]


def _difference(ours: Answer, theirs: Answer) -> float:
    """The largest one between removal effects, or between shares of the conversions that channels are credited with."""
    largest = 0.0
    for model, by_channel in theirs.credit.items():
        total = 1.0 if model == "removal_effect" else sum(ours.credit[model].values())
        for channel, number in ours.credit[model].items():
            largest = max(largest, abs(by_channel.get(channel, 0.0) - number) / total)
    return largest


def _ask(name: str, python: str, question: str, file: Path, folder: Path) -> Answer | None:
    """Put a question to fresh processes, three times if that is quick, and take the best; None if it takes too long."""
    best: Answer | None = None
    for _try in range(3):
        started = time.perf_counter()
        try:
            parts = _child(python, ["answer", name, question, str(file)], folder)
        except subprocess.TimeoutExpired:
            break
        found = Answer(time.perf_counter() - started, **parts)
        best = found if best is None or found.from_file_s < best.from_file_s else best
        if found.whole_s > QUICK_S:
            break
    return best


def _child(python: str, arguments: Sequence[str], folder: Path) -> Any:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [python, "-m", "benchmarks.paths", *arguments],
        cwd=ROOT,
        env=environment | {"PYTHONPYCACHEPREFIX": str(folder / "bytecode")},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=LIMIT_S,
    )
    return json.loads(done.stdout.splitlines()[-1])


def _environment_of(peer: str, pins: Sequence[str], folder: Path) -> str | None:
    """Return the peer's Python, installing it first if need be; None, with a message, if it cannot be installed."""
    environment = folder / "-".join(pins[0].lower().split("=="))
    python, complete = environment / "bin" / "python", environment / "complete"
    if complete.exists():
        return str(python)
    print(f"  Installing {peer} ...", flush=True)
    uv = shutil.which("uv") or str(ROOT / ".uv" / "bin" / "uv")
    for command in (
        [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(environment)],
        [uv, "pip", "install", "--quiet", "--python", str(python), *pins],
    ):
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=INSTALL_LIMIT_S)
        except (subprocess.SubprocessError, OSError) as error:
            reason = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
            print(f"  {peer} is left out, as it cannot be installed: {reason[-1] if reason else error}", flush=True)
            return None
    complete.touch()
    return str(python)


# What follows runs in child processes.


def generate(size: int, file: Path) -> None:
    """Write so many distinct paths through 20 channels, of which some are much more frequent than others."""
    import numpy as np

    rng = np.random.default_rng(SEED)
    names = np.array([f"Channel {n + 1}" for n in range(CHANNELS)])
    frequency = 1 / np.arange(1, CHANNELS + 1) ** 0.5
    paths: dict[str, None] = {}
    while len(paths) < size:
        lengths = 1 + rng.poisson(4.5, size)
        steps = names[rng.choice(CHANNELS, lengths.sum(), p=frequency / frequency.sum())]
        ends = np.cumsum(lengths)
        for length, end in zip(lengths.tolist(), ends.tolist(), strict=True):
            paths[" > ".join(steps[end - length : end])] = None
    conversions, nulls = rng.poisson(1.0, size), rng.poisson(5.0, size)
    value = np.round(conversions * rng.lognormal(4, 0.5, size), 2)
    with file.open("w") as target:
        target.write("path;total_conversions;total_conversion_value;total_null\n")
        for row in zip(list(paths)[:size], conversions.tolist(), value.tolist(), nulls.tolist(), strict=True):
            target.write(";".join(map(str, row)) + "\n")


def ours(file: Path, question: str) -> tuple[Callable[[], Any], Callable[[Any], Credit]]:
    import numpy as np

    from attribution.catalogue import parse_method
    from attribution.methods.markov import MarkovModel, markov_credit
    from attribution.methods.path_rules import path_rule_credit
    from attribution.path_files.reading import PathFile, read_paths

    threads = os.cpu_count() or 1  # as the command attribute_paths has

    def compute(read: PathFile) -> Credit:
        if question == "markov":
            found = markov_credit(paths=read.paths, model=MarkovModel("markov:1"), threads=threads)
            return {"removal_effect": dict(zip(read.channels, found.removal_effect.tolist(), strict=True))}
        models = [parse_method(name) for name in QUESTIONS[question].split(", ")]
        direct = np.zeros(read.paths.groups, np.bool_)
        credit = path_rule_credit(paths=read.paths, models=models, direct=direct, threads=threads)  # type: ignore[arg-type]
        return {
            name: dict(zip(read.channels, row[:-1].tolist(), strict=True))
            for name, row in zip(credit.models, credit.conversions, strict=True)
        }

    with tempfile.NamedTemporaryFile("w", suffix=".csv") as few, file.open() as lines:
        few.writelines(itertools.islice(lines, 10))
        few.flush()
        compute(read_paths(Path(few.name)))  # compiled loops are loaded on their first use, as libraries are imported
    return lambda: read_paths(file), compute


def channel_attribution(file: Path, question: str) -> tuple[Callable[[], Any], Callable[[Any], Credit]]:
    pandas, library = importlib.import_module("pandas"), importlib.import_module("ChannelAttribution")
    columns = {"var_path": "path", "var_conv": "total_conversions", "var_value": "total_conversion_value"}

    def compute(table: Any) -> Credit:
        if question == "markov":
            found = library.markov_model(
                table, **columns, var_null="total_null", out_more=True, verbose=False, flg_pro=False
            )["removal_effects"]
            return {
                "removal_effect": dict(zip(found["channel_name"], found["removal_effects_conversion"], strict=True))
            }
        found = library.heuristic_models(table, **columns, flg_pro=False)
        return {
            model: dict(zip(found["channel_name"], found[f"{model}_touch_conversions"], strict=True))
            for model in QUESTIONS[question].split(", ")
        }

    return lambda: pandas.read_csv(file, sep=";"), compute


def marketing_attribution_models(file: Path, question: str) -> tuple[Callable[[], Any], Callable[[Any], Credit]]:
    polars, library = importlib.import_module("polars"), importlib.import_module("mam.core")

    def read() -> Any:
        """It takes a row for the conversions of a path and another one for what did not convert."""
        table = polars.read_csv(file, separator=";")
        rows = [
            table.filter(polars.col(column) > 0).select(
                "path", polars.lit(column == "total_conversions").alias("converted"), polars.col(column).alias("times")
            )
            for column in ("total_conversions", "total_null")
        ]
        return library.MAM(
            df=polars.concat(rows),
            format_type="grouped_journey",
            channels_colname="path",
            journey_with_conv_colname="converted",
            occurrences_colname="times",
        )

    def compute(table: Any) -> Credit:
        if question == "markov":
            effect = table.run_markov().metadata["removal_effect"]["removal_effect"]
            return {"removal_effect": effect.to_dict()}
        runs = {"first": "first_click", "last": "last_click", "linear": "linear", "position": "position_based"}
        credit = {model: getattr(table, f"run_{runs[model]}")().to_dict() for model in QUESTIONS[question].split(", ")}
        return {
            model: dict(zip(columns["channels"], columns["attribution"], strict=True))
            for model, columns in credit.items()
        }

    return read, compute


LIBRARIES = {
    OURS: ours,
    "ChannelAttribution": channel_attribution,
    "marketing-attribution-models": marketing_attribution_models,
}


def answer(name: str, question: str, file: Path) -> dict[str, Any]:
    """Read the file and compute; what a library imports is in neither."""
    read, compute = LIBRARIES[name](file, question)
    started = time.perf_counter()
    table = read()
    have_read = time.perf_counter()
    credit = compute(table)
    computed = time.perf_counter()
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "read_s": have_read - started,
        "compute_s": computed - have_read,
        PEAK: peak_kib / 1024,
        "credit": credit,
    }


if __name__ == "__main__":
    if sys.argv[1] == "generate":
        generate(int(sys.argv[2]), Path(sys.argv[3]))
        print("{}")
    else:
        print(json.dumps(answer(sys.argv[2], sys.argv[3], Path(sys.argv[4]))))
