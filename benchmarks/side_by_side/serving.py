"""Let one system fit worlds as they are asked for: a line of JSON on standard input for each, a line as the answer.

python -P serving.py PROGRAM

PROGRAM is the file of a system's program, run by the interpreter of that system's environment: neither it nor this
file imports anything of the project, and `-P` keeps this folder out of what can be imported. It defines

- `PACKAGES`: the distributions whose versions are recorded,
- `fit(world, scale)`: from data to draws, which is what is timed; a dict of what `report` needs. `world` has `spend`
  (T, C) and `revenue` (T,), both in account currency per week, `dates` (T,), the weeks' Mondays as YYYY-MM-DD, and
  `channels` (C,). `scale`: how many times the documented number of draws. A program that samples by JAX in one go says
  when it did so, by `time.perf_counter`, as `sampled`: (begun, ended); `report` then finds `seconds_without_compiling`,
- `report(fitted)`: what came of it, not timed: `draws`, by name an array (chains, draws, ...) of every parameter that
  was sampled; `roi` (chains, draws, C); `sampling_seconds` after the warm-up; `divergences`; `settings`.

Asked: `world` and `draws`, the files to read from and to write to, and `scale`. Answered: the seconds of the fit, those
since the process was asked for (when SIDE_BY_SIDE_STARTED says), those until everything was imported, and the report.
What a system prints goes to standard error.
"""

import importlib.metadata
import json
import os
import runpy
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Span = tuple[float, float]  # in seconds of `time.perf_counter`


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    started = float(os.environ.get("SIDE_BY_SIDE_STARTED", time.time()))
    program = runpy.run_path(sys.argv[1])
    compiling = _listen_to_jax()
    about = {
        "import_seconds": time.time() - started,
        "versions": {name: importlib.metadata.version(name) for name in program["PACKAGES"]},
    }
    for line in sys.stdin:
        asked = json.loads(line)
        with np.load(asked["world"]) as stored:
            world = dict(stored)
        began = time.perf_counter()
        fitted = program["fit"](world, asked["scale"])
        times = {"seconds": time.perf_counter() - began, "seconds_since_start": time.time() - started}
        if "sampled" in fitted:
            fitted["seconds_without_compiling"] = outside(fitted["sampled"], compiling)
        report = program["report"](fitted)
        names, draws = flattened(report.pop("draws"))
        np.savez(asked["draws"], names=names, draws=draws, roi=np.asarray(report.pop("roi"), np.float64))
        answers.write(json.dumps({**about, **times, **report}) + "\n")
        answers.flush()


def _listen_to_jax() -> list[Span]:
    """When JAX has compiled, from now on, if the program has imported it: a list that grows."""
    spans: list[Span] = []

    def note(event: str, duration_secs: float, **_: str | int) -> None:
        if event.startswith("/jax/core/compile/"):
            now = time.perf_counter()
            spans.append((now - duration_secs, now))

    if jax := sys.modules.get("jax"):
        jax.monitoring.register_event_duration_secs_listener(note)
    return spans


def outside(whole: Span, spans: Sequence[Span]) -> float:
    """The seconds of a span that lie within none of the others, which may overlap."""
    begun, ended = whole
    left, until = 0.0, begun
    for begin, end in sorted(spans):
        left += max(0.0, min(begin, ended) - until)
        until = max(until, min(end, ended))
    return left + max(0.0, ended - until)


def flattened(draws: Mapping[str, Array]) -> tuple[Array, Array]:
    """The names (P,) and the draws (chains, draws, P) of all single numbers of the parameters."""
    names, columns = [], []
    for name, values in draws.items():
        flat = np.asarray(values, np.float64).reshape(*values.shape[:2], -1)
        columns.append(flat)
        names += [name if flat.shape[2] == 1 else f"{name}[{place}]" for place in range(flat.shape[2])]
    return np.array(names), np.concatenate(columns, axis=2)


if __name__ == "__main__":
    main()
