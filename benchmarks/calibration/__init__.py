"""Simulation-based calibration of the media mix model: is the truth anywhere in the posterior as often as it should be?

Parameters are drawn from the prior, an outcome from the parameters, a posterior from the outcome; each parameter, and
what is reported of it, is ranked within its posterior. Over many simulations ranks are uniform if density, sampler and
everything computed from the draws are right; the first rank distribution that is not shows up here. The chance that
any quantity of any model is called wrong where all are right is 1% in all (Bonferroni: true whatever their dependence).

`CALIBRATION_SIMULATIONS` sets how many there are of each model (200 by default). `CALIBRATION_RECORDS` names a folder
in which they are kept as they come, so that an interrupted run goes on where it stopped; else it is a temporary one.
`python -m benchmarks.calibration --help` does the same in parts.
"""

import json
import os
import subprocess
import sys
import tempfile
from typing import Any

from benchmarks.harness import ROOT, Database, Measurement

SIMULATIONS = int(os.environ.get("CALIBRATION_SIMULATIONS", "200"))
RECORDS = "CALIBRATION_RECORDS"
NOT_CONVERGED = 0.01  # of the simulations at most: less than moves any rank distribution out of its band


def run(database: Database) -> list[Measurement]:
    if database != "sqlite":
        return []  # no database has a part in this
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        command = [sys.executable, "-m", "benchmarks.calibration", os.environ.get(RECORDS, folder), str(SIMULATIONS)]
        environment = {"JAX_COMPILATION_CACHE_DIR": f"{folder}/jax", "OPENBLAS_NUM_THREADS": "1"} | os.environ
        done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return [figure for model in json.loads(done.stdout.splitlines()[-1]) for figure in measurements(model)]


def measurements(found: dict[str, Any]) -> list[Measurement]:
    """Of one model, as `reporting.summary` has it."""
    simulations = found["simulations"]
    return [
        Measurement(f"{found['model']}: simulations", simulations, ""),
        Measurement("  sampled with more patience at the second go", found["second_attempts"], ""),
        Measurement(
            "  not converged even then, ranked all the same",
            found["not_converged"],
            "",
            at_most=NOT_CONVERGED * simulations,
        ),
        Measurement("  not sampled at all", found["failed"], "", at_most=0),
        Measurement("  largest R-hat", found["max_rhat"], ""),
        Measurement("  least ESS", found["min_ess"], ""),
        Measurement("  divergent draws", found["divergences"], ""),
        Measurement("  quantities ranked", len(found["p_values"]), ""),
        Measurement("  outside of their band", len(found["outside"]), "", at_most=0),
        Measurement("  least p-value", min(found["p_values"].values()), "", at_least=found["error_of_each"]),
        Measurement("  a simulation, on average", found["seconds"], "s"),
    ]
