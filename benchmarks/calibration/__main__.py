"""Simulate what is missing, then report: figures in docs/figures, numbers in benchmarks/results, the summary as JSON.

python -m benchmarks.calibration FOLDER SIMULATIONS [--models NAME ...] [--figures FOLDER] [--ranks FILE]

Simulations are kept in FOLDER/<model>.jsonl as they come: name a new folder when the model has changed. One process at
a time for each file. What is there already is not simulated again, so that this also only reports.
"""

import argparse
import json
import os
import sys
from pathlib import Path

from weightings.methods.jax_runtime import configure

configure()

from benchmarks.calibration.models import MODELS  # noqa: E402 - JAX is set up before it is imported
from benchmarks.calibration.reporting import draw, summary  # noqa: E402
from benchmarks.calibration.simulating import simulate_all, study_of  # noqa: E402
from benchmarks.harness import ROOT  # noqa: E402
from benchmarks.records import Record, Records  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("simulations", type=int)
    parser.add_argument("--models", nargs="+", choices=list(MODELS), default=list(MODELS))
    parser.add_argument("--figures", type=Path, default=ROOT / "docs" / "figures")
    parser.add_argument("--ranks", type=Path, default=ROOT / "benchmarks" / "results" / "calibration_ranks.json")
    asked = parser.parse_args()
    models = {name: MODELS[name]() for name in asked.models}
    numbers = range(asked.simulations)
    found = {}
    # The band allows for all models there are, so that each part of a study is judged as the whole is.
    compared = sum(len((models.get(name) or MODELS[name]()).quantities) for name in MODELS)
    for name, model in models.items():
        records = Records(asked.folder / f"{name}.jsonl", study_of(model))
        simulate_all(model, numbers, records, threads=os.cpu_count() or 1, told=_tell)
        kept = [records[str(number)] for number in numbers]
        found[name] = summary(model.name, model.quantities, kept, compared=compared)
        draw(found[name], asked.figures / f"calibration-{name}.svg")
    known = json.loads(asked.ranks.read_text()) if asked.ranks.exists() else {}
    asked.ranks.parent.mkdir(parents=True, exist_ok=True)
    asked.ranks.write_text(json.dumps(known | found) + "\n")
    print(json.dumps(list(found.values())))


def _tell(number: int, record: Record) -> None:
    if (number + 1) % 50 == 0:
        print(f"{number + 1} simulations, the last in {record['seconds']:.1f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
