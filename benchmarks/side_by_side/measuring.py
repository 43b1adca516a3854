"""Fitting the worlds by one system: how long each takes until it has converged, and what was found."""

import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.records import Records
from benchmarks.side_by_side.programs import Program, System
from benchmarks.side_by_side.worlds import GivenWorld, against_truth
from weightings.methods.convergence import diagnose

R_HAT, ESS = 1.01, 400.0  # what every sampled parameter must come to, as in weightings/methods/sampling.py


def measure(
    system: System, worlds: Sequence[GivenWorld], records: Records, folder: Path, *, budget_seconds: float
) -> None:
    """Fit the worlds that are not among the records, one after another in one process, and record them.

    Ends the program if the system's fails.
    """
    fitting = _Fitting(system, folder, budget_seconds)
    try:
        for world in worlds:
            key = f"{system.name}:{world.name}"
            if key not in records:
                records.add(key, fitting.fit(world))
                print(f"{key}: {_in_words(records[key])}", file=sys.stderr, flush=True)
    finally:
        fitting.close()


def _in_words(record: Mapping[str, Any]) -> str:
    start = "cold" if record["cold"] else "warm"
    if record["converged"]:
        return f"{start}, converged in {record['seconds']:.1f} s (attempt {record['attempts']})"
    return f"{start}, not converged in {record['seconds']:.0f} s ({record['attempts']} attempts)"


class _Fitting:
    """A system's process as long as it can be used: a new one where a fit must be cold, or the last was killed."""

    def __init__(self, system: System, folder: Path, budget_seconds: float) -> None:
        self._system = system
        self._folder = folder
        self._budget_seconds = budget_seconds
        self._program: Program | None = None

    def fit(self, world: GivenWorld) -> dict[str, Any]:
        """Until it has converged, with twice as many draws each time, within the budget.

        No attempt is begun that cannot end in time, as the last one took so long already.
        """
        cold = self._program is None
        seconds, attempts, last = self._budget_seconds, 0, {}
        converged = killed = False
        spent = least = 0.0
        while not converged and spent + least < self._budget_seconds:
            if cold:
                self.close()  # also of a second attempt nothing was compiled before
            began = time.monotonic()
            program = self._program = self._program or self._start()
            draws = self._folder / f"{self._system.name}-draws.npz"
            question = {"world": str(world.path), "draws": str(draws), "scale": 2**attempts}
            answer = program.ask(question, seconds=self._budget_seconds - spent)
            spent += time.monotonic() - began
            attempts += 1
            if answer is None:
                self._program, killed = None, True
                break
            last = answer | judged(draws, world)
            converged = last["converged"]
            if converged:
                seconds = answer["seconds_since_start" if cold else "seconds"]
            least = max(answer["seconds"], 2 * answer["sampling_seconds"])
        return last | {
            "cold": cold,
            "converged": converged,
            "killed": killed,  # so that the next world is cold
            "attempts": attempts,
            "seconds": seconds,
            "spent_seconds": spent,
        }

    def close(self) -> None:
        if self._program:
            self._program.close()
        self._program = None

    def _start(self) -> Program:
        return Program(self._system, Path(tempfile.mkdtemp(prefix=f"{self._system.name}-", dir=self._folder)) / "run")


def judged(path: Path, world: GivenWorld) -> dict[str, Any]:
    """What the draws in a file say: whether they have converged, and the ROI they find. The file is removed."""
    with np.load(path) as stored:
        names, draws, roi = stored["names"], stored["draws"], stored["roi"]
    path.unlink()
    found = diagnose(draws)
    least = np.minimum(found.bulk_ess, found.tail_ess)
    return {
        "converged": bool(np.all(found.r_hat <= R_HAT) and np.all(least >= ESS)),
        "parameters": len(names),
        "max_rhat": float(np.max(found.r_hat)),
        "min_bulk_ess": float(np.min(found.bulk_ess)),
        "min_tail_ess": float(np.min(found.tail_ess)),
        "slowest": str(names[int(np.argmin(least))]),
        "min_roi_ess": float(np.min(diagnose(roi).bulk_ess)),
        **against_truth(roi, world.roi),
    }
