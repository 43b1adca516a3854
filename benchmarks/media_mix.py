"""The media mix model: how long a fit takes.

Times are of a process of its own that fits 156 weeks of 5 channels until it has converged (4 chains, R-hat at most
1.01, bulk and tail ESS at least 400): with an empty cache of compilations, with a filled one, and, in a process that
has fitted before, of new data.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.harness import ROOT, Database, Measurement
from benchmarks.recovery import fit_world
from weightings.methods.jax_runtime import configure

COLD_SECONDS, WARM_SECONDS = 20.0, 6.0
STARTED = "MEDIA_MIX_STARTED"  # when a process was asked for, in its environment


def run(database: Database) -> list[Measurement]:
    if database != "sqlite":
        return []  # no database has a part in this
    with tempfile.TemporaryDirectory(prefix="bench-") as cache:
        cold = _fit_elsewhere({"JAX_COMPILATION_CACHE_DIR": cache}, ["delayed:101"])
        cached = _fit_elsewhere({"JAX_COMPILATION_CACHE_DIR": cache}, ["power:102", "walk:103", "correlated:104"])
    warm = cached["fits"][1:]
    first = cold["fits"][0]["timings"]
    return [
        Measurement("whole process, nothing compiled before", cold["wall_seconds"], "s", at_most=COLD_SECONDS),
        Measurement("  of it importing", cold["import_seconds"], "s"),
        Measurement("  of it compiling", first["compile_seconds"], "s"),
        Measurement("  of it sampling", first["sampling_seconds"], "s"),
        Measurement("whole process, compiled before, three fits", cached["wall_seconds"], "s"),
        Measurement(
            "new data in a process that has fitted before, slower of two",
            max(fit["timings"]["total_seconds"] for fit in warm),
            "s",
            at_most=WARM_SECONDS,
        ),
        Measurement("  of it sampling", max(fit["timings"]["sampling_seconds"] for fit in warm), "s"),
        Measurement("  effective draws a second, least", min(_ess_per_second(fit) for fit in warm), "1/s"),
    ]


def _ess_per_second(fit: Mapping[str, Any]) -> float:
    return float(fit["min_ess"] / fit["timings"]["sampling_seconds"])


def _fit_elsewhere(environment: Mapping[str, str], names: list[str]) -> dict[str, Any]:
    """Fit worlds one after another in one process, which says how each went; and how long it lived."""
    began = time.perf_counter()
    environment = {**environment, STARTED: repr(time.time())}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.media_mix", *names],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return {"wall_seconds": time.perf_counter() - began, **json.loads(done.stdout.splitlines()[-1])}


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    configure()
    import weightings.methods.answering  # noqa: F401 - all that a fit imports

    imported = time.time() - float(os.environ[STARTED])
    asked = [name.split(":") for name in sys.argv[1:]]
    fits = [fit_world(family, int(seed)) for family, seed in asked]  # type: ignore[arg-type]
    print(json.dumps({"import_seconds": imported, "fits": fits}))
