"""Journeys across channels of ten million touchpoints: what an answer takes from the snapshot on, and its memory.

The whole year is asked about, with null paths; flows, paths and pairs are computed as a run does.
"""

import datetime as dt
import time

import numpy as np

from benchmarks.harness import PEAK, Database, Measurement, run_step, scratch, serve_step
from benchmarks.snapshot import DAYS, FIRST_DAY

SECONDS, MANY_S, MEBIBYTES = 5.0, 30.0, 1536.0
CHANNELS, JOURNEYS, SEED = 50, 1_000_000, 1


def run(database: Database) -> list[Measurement]:
    with scratch(database) as environment:
        run_step("benchmarks.snapshot", "generate", environment)
        run_step("benchmarks.snapshot", "build", environment)
        run_step(__name__, "answer", environment)  # what is compiled once is not what is measured
        found = run_step(__name__, "answer", environment)
        run_step(__name__, "many_channels", environment)
        many = run_step(__name__, "many_channels", environment)
    return [
        Measurement("journeys of a year, null paths among them", found["journeys"], ""),
        Measurement("  their distinct paths", found["paths"], ""),
        Measurement("  cells of the model of interactions", found["cells"], ""),
        Measurement("flows, paths and interactions from the snapshot", found["seconds"], "s", at_most=SECONDS),
        Measurement("  of it: journeys loaded and cut", found["load_s"], "s"),
        Measurement("  of it: flows and paths", found["flows_s"], "s"),
        Measurement("  of it: interactions and pairs", found["pairs_s"], "s"),
        Measurement("  peak memory, memory-mapped pages included", found[PEAK], "MiB", at_most=MEBIBYTES),
        Measurement("  size of what the run stores", found["stored_mib"], "MiB"),
        Measurement(f"interactions of {CHANNELS} channels in a million journeys", many["seconds"], "s", at_most=MANY_S),
        Measurement("  their cells", many["cells"], ""),
        Measurement("  pairs that are looked at", many["pairs"], ""),
        Measurement("  peak memory", many[PEAK], "MiB", at_most=MEBIBYTES),
    ]


def many_channels() -> dict[str, float]:
    """Look at all pairs of as many channels as may have pairs, whose journeys are hardly ever alike."""
    from benchmarks.bootstrap import simulate
    from crosschannel.computation import THREADS
    from crosschannel.methods.cells import count_cells
    from crosschannel.methods.interactions import interactions
    from marketing.journey_paths import path_table

    journeys = simulate(np.random.default_rng(SEED), JOURNEYS, CHANNELS)
    started = time.perf_counter()
    paths = path_table(journeys=journeys, group_of_source=np.arange(CHANNELS), groups=CHANNELS)
    cells = count_cells(journeys=journeys, paths=paths)
    found = interactions(cells=cells, confidence=0.95, threads=THREADS)
    return {"seconds": time.perf_counter() - started, "cells": len(cells), "pairs": len(found.pairs)}


def answer() -> dict[str, float]:
    """Answer the question once, in a process of its own, and note when its phases begin."""
    from accounts.models import Workspace
    from crosschannel import computation
    from crosschannel.params import clean

    workspace = Workspace.objects.get(slug="benchmark")
    dates = {"start": FIRST_DAY.isoformat(), "end": (FIRST_DAY + dt.timedelta(DAYS - 1)).isoformat()}
    params = clean(workspace, dates)
    began: dict[str, float] = {}

    def progress(phase: str, _share: float) -> None:
        began.setdefault(phase, time.perf_counter())

    import numba  # noqa: F401 - a worker has it loaded

    started = time.perf_counter()
    found = computation.compute(workspace, params, progress)
    ended = time.perf_counter()
    following, pairing = began["Following the journeys"], began["Looking for interactions"]
    return {
        "journeys": found.result["all_journeys"]["journeys"],
        "paths": found.result["distinct_paths"],
        "cells": found.result["interactions"]["cells"],
        "seconds": ended - started,
        "load_s": following - started,
        "flows_s": pairing - following,
        "pairs_s": ended - pairing,
        "stored_mib": sum(array.nbytes for array in found.arrays.values()) / 2**20,
    }


if __name__ == "__main__":
    serve_step({"answer": answer, "many_channels": many_channels})
