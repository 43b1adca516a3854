"""How well the media mix model finds what is known, in worlds unlike itself: 29 of each of seven families, 203 in all.

Twice: with true ROIs that differ between channels as much as the prior takes for possible, so that 90% intervals
should hold 90% of them; and with true ROIs that differ less. Of those, intervals hold more: the prior is wider than
the truth is spread, and spend on its own tells about as much as the prior does. Only the first has targets.

Worlds (`tests/weightings/worlds.py`) have delayed adstock, power or exponential saturation, a random walk for a
baseline, correlated spend, much noise, or few weeks: none is from the family that is fitted. Each is fitted as the
program does it, with 5 channels. Coverage and errors are of the ROI of all periods; their standard errors are clustered
by world, as the channels of one share its noise. Every world has as many channels, so means over worlds are means over
channels.

`RECOVERY_WORLDS` sets how many there are: the families take turns, so a multiple of 7 has as many of each.
`RECOVERY_RECORDS` names a file in which fits are kept as they come: an interrupted run goes on where it stopped.
`python -m benchmarks.recovery FILE WORLDS` does the same, and prints the fits.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from benchmarks.harness import ROOT, Database, Measurement
from benchmarks.records import Record, Records
from tests.weightings import worlds
from tests.weightings.worlds import FAMILIES, Family, world
from weightings.methods import priors

FloatArray: TypeAlias = npt.NDArray[np.float64]

WORLDS = int(os.environ.get("RECOVERY_WORLDS", "203"))
RECORDS = "RECOVERY_RECORDS"
LEVEL = 90
POOLED, OF_FAMILY = (0.87, 0.93), (0.80, 0.97)  # between which coverage should be
COVERAGE = f"coverage of the true ROI by {LEVEL}% intervals"
STUDY = {"study": "recovery", "level": LEVEL, "channels": 5, "draws": 4000, "seed": 1}
JUDGED = "true ROI spread as in the prior"
RETURNS: Mapping[str, tuple[float, float]] = {JUDGED: priors.ROI, "true ROI spread less": worlds.RETURNS}


def run(database: Database) -> list[Measurement]:
    if database != "sqlite":
        return []  # no database has a part in this
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        records = os.environ.get(RECORDS, f"{folder}/recovery.jsonl")
        environment = {"JAX_COMPILATION_CACHE_DIR": f"{folder}/jax", "OPENBLAS_NUM_THREADS": "1"} | os.environ
        command = [sys.executable, "-m", "benchmarks.recovery", records, str(WORLDS)]
        done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return measurements(json.loads(done.stdout.splitlines()[-1]))


def measurements(fits: Sequence[Record]) -> list[Measurement]:
    """Of all worlds together and of each family, for each spread of the true ROI."""
    return [
        figure
        for returns in RETURNS
        if (mine := [fit for fit in fits if fit["returns"] == returns])
        for figure in _of_returns(mine, returns)
    ]


def _of_returns(fits: Sequence[Record], returns: str) -> list[Measurement]:
    seconds = np.array([fit["timings"]["total_seconds"] for fit in fits])
    return [
        Measurement(f"{returns}: worlds", len(fits), ""),
        Measurement("  not converged", sum(not fit["converged"] for fit in fits), "", at_most=0),
        Measurement("  largest R-hat", max(fit["max_rhat"] for fit in fits), ""),
        Measurement("  least ESS", min(fit["min_ess"] for fit in fits), ""),
        Measurement("  a fit, median", float(np.median(seconds)), "s"),
        Measurement("  a fit, longest", float(seconds.max()), "s"),
        *_recovered(fits, POOLED if returns == JUDGED else None),
        *_by_family(fits, returns),
    ]


def _by_family(fits: Sequence[Record], returns: str) -> Iterable[Measurement]:
    for family in FAMILIES:
        if mine := [fit for fit in fits if fit["family"] == family]:
            yield Measurement(f"{returns}, {family}: worlds", len(mine), "")
            yield from _recovered(mine, OF_FAMILY if returns == JUDGED else None)


def _recovered(fits: Sequence[Record], between: tuple[float, float] | None) -> Iterable[Measurement]:
    named: Mapping[str, Sequence[Sequence[float] | FloatArray]] = {
        COVERAGE: [fit["covered"] for fit in fits],
        "mean absolute error of log ROI": [np.abs(fit["log_error"]) for fit in fits],
        "mean error of log ROI": [np.asarray(fit["log_error"]) for fit in fits],
        "mean width of the intervals of log ROI": [np.asarray(fit["log_width"]) for fit in fits],
    }
    for name, values in named.items():
        mean, error = clustered(values)
        low, high = between if between and name == COVERAGE else (None, None)
        yield Measurement(f"  {name}", mean, "", at_least=low, at_most=high)
        if np.isfinite(error):
            yield Measurement("    its standard error", error, "")


def clustered(by_world: Sequence[Sequence[float] | FloatArray]) -> tuple[float, float]:
    """The mean over all channels of worlds (W, C), and its standard error: that of the mean of W independent means.

    NaN for the error of a single world.
    """
    means = np.mean(np.asarray(by_world, np.float64), axis=1)
    error = means.std(ddof=1) / np.sqrt(len(means)) if len(means) > 1 else np.nan
    return float(means.mean()), float(error)


def world_of(number: int) -> tuple[Family, int]:
    """The family and the seed of a world: the families take turns."""
    return FAMILIES[number % len(FAMILIES)], number // len(FAMILIES)


def fit_world(family: Family, seed: int, returns: str = JUDGED) -> dict[str, Any]:
    """Fit one world as the program does; whether intervals hold the true ROI, and errors of its logarithm."""
    from weightings.fit_program import fit
    from weightings.methods.storing import pack_panel

    known = world(family, seed, returns=RETURNS[returns])
    described, arrays = pack_panel(known.panel)
    question = {
        "panel": described,
        "model": "hill",
        "window": [0, len(known.panel)],
        "confidence": LEVEL,
        "seed": STUDY["seed"],
        "draws": STUDY["draws"],
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
        "returns": returns,
        "covered": ((low <= known.roi) & (known.roi <= high)).tolist(),
        "log_error": np.log(median / known.roi).tolist(),
        "log_width": np.log(high / low).tolist(),
        **{name: result["diagnostics"][name] for name in ("converged", "max_rhat", "min_ess", "divergences")},
        "timings": result["timings"],
    }


def main() -> None:
    records, count = Records(Path(sys.argv[1]), STUDY), int(sys.argv[2])
    fits = []
    for returns in RETURNS:
        for number in range(count):
            family, seed = world_of(number)
            key = f"{returns}, {family}:{seed}"
            if key not in records:
                records.add(key, fit_world(family, seed, returns))
                print(f"{number + 1} of {count}: {key}", file=sys.stderr, flush=True)
            fits.append(records[key])
    print(json.dumps(fits))


if __name__ == "__main__":
    from weightings.methods.jax_runtime import configure

    configure()
    main()
