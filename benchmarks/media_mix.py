"""The media mix model: how long a fit takes, and how well it finds what is known, in worlds unlike itself.

Times are of a process of its own that fits 156 weeks of 5 channels until it has converged (4 chains, R-hat at most
1.01, bulk and tail ESS at least 400): with an empty cache of compilations, with a filled one, and, in a process that
has fitted before, of new data. Worlds (`tests/weightings/worlds.py`) have delayed adstock, power or exponential
saturation, a random walk for a baseline, correlated spend, much noise, or few weeks: none is from the family that is
fitted.

`MEDIA_MIX_WORLDS` sets how many there are (20 by default).
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

import numpy as np

from benchmarks.harness import ROOT, Database, Measurement
from weightings.methods.jax_runtime import configure

WORLDS = int(os.environ.get("MEDIA_MIX_WORLDS", "20"))
COLD_SECONDS, WARM_SECONDS = 20.0, 6.0
LEVEL = 90
STARTED = "MEDIA_MIX_STARTED"  # when a process was asked for, in its environment


def run(database: Database) -> list[Measurement]:
    if database != "sqlite":
        return []  # no database has a part in this
    with tempfile.TemporaryDirectory(prefix="bench-") as cache:
        cold = _fit_elsewhere({"JAX_COMPILATION_CACHE_DIR": cache}, ["delayed:101"])
        cached = _fit_elsewhere({"JAX_COMPILATION_CACHE_DIR": cache}, ["power:102", "walk:103", "correlated:104"])
        families = _families()
        names = [f"{families[number % len(families)]}:{number // len(families)}" for number in range(WORLDS)]
        worlds = _fit_elsewhere({"JAX_COMPILATION_CACHE_DIR": cache}, names)
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
        *_recovery(worlds["fits"]),
    ]


def _recovery(fits: list[Mapping[str, Any]]) -> list[Measurement]:
    """Coverage and error over all channels of all worlds; standard errors are clustered by world."""
    covered = np.array([np.mean(fit["covered"]) for fit in fits])
    error = np.array([np.mean(np.abs(fit["log_error"])) for fit in fits])
    bias = np.array([np.mean(fit["log_error"]) for fit in fits])
    width = np.array([np.mean(fit["log_width"]) for fit in fits])
    share = sum(fit["converged"] for fit in fits) / len(fits)
    figures = [
        Measurement(f"{len(fits)} worlds: share that converged", share, "", at_least=1.0),
        Measurement("  largest R-hat", max(fit["max_rhat"] for fit in fits), ""),
        Measurement("  least ESS", min(fit["min_ess"] for fit in fits), ""),
    ]
    named = {
        f"coverage of the true ROI by {LEVEL}% intervals": covered,
        "mean absolute error of log ROI": error,
        "mean error of log ROI": bias,
        "mean width of the intervals of log ROI": width,
    }
    for name, values in named.items():
        figures.append(Measurement(f"  {name}", float(values.mean()), ""))
        figures.append(Measurement("    its standard error", float(values.std(ddof=1) / np.sqrt(len(values))), ""))
    for family in dict.fromkeys(fit["family"] for fit in fits):
        mine = [place for place, fit in enumerate(fits) if fit["family"] == family]
        figures.append(Measurement(f"  {family}: coverage, {len(mine)} worlds", float(covered[mine].mean()), ""))
        figures.append(Measurement("    absolute error of log ROI", float(error[mine].mean()), ""))
    return figures


def _ess_per_second(fit: Mapping[str, Any]) -> float:
    return float(fit["min_ess"] / fit["timings"]["sampling_seconds"])


def _families() -> tuple[str, ...]:
    from tests.weightings.worlds import FAMILIES

    return FAMILIES


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


def _fit_named(name: str) -> dict[str, Any]:
    from tests.weightings.worlds import world
    from weightings.fit_program import fit
    from weightings.methods.storing import pack_panel

    family, _colon, seed = name.partition(":")
    known = world(family, int(seed))  # type: ignore[arg-type]
    described, arrays = pack_panel(known.panel)
    question = {
        "panel": described,
        "model": "hill",
        "window": [0, len(known.panel)],
        "confidence": LEVEL,
        "seed": 1,
        "draws": 4000,
        "folds": 0,
        "horizon": 13,
        "threads": os.cpu_count(),
        "effects": {},
        "knots": None,
    }
    result, _arrays = fit(question, arrays, lambda _phase, _share: None)
    roi = [channel["roi"] for channel in result["channels"]]
    low, median, high = (np.array([each[end] for each in roi]) for end in ("low", "median", "high"))
    return {
        "family": family,
        "covered": ((low <= known.roi) & (known.roi <= high)).tolist(),
        "log_error": np.log(median / known.roi).tolist(),
        "log_width": np.log(high / low).tolist(),
        **{name: result["diagnostics"][name] for name in ("converged", "max_rhat", "min_ess")},
        "timings": result["timings"],
    }


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    configure()
    import weightings.methods.answering  # noqa: F401 - all that a fit imports

    imported = time.time() - float(os.environ[STARTED])
    print(json.dumps({"import_seconds": imported, "fits": [_fit_named(name) for name in sys.argv[1:]]}))
