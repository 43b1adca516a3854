"""Run benchmarks, print their figures and keep them in `results/<name>.json`.

python benchmarks/run.py [NAME ...] [--database sqlite|postgresql]

Without names: every module of this package that has a function `run`, but not side_by_side, which takes most of an hour
and needs its peers (`make setup-peers`, `make bench-mmm`), nor spark, which needs Java and the extra `spark`.
`BENCH_ROWS` sets the number of rows (10 million by default), `BENCH_DATABASE_URL` the PostgreSQL database, which is
dropped and created.
"""

import argparse
import datetime as dt
import importlib
import json
import pkgutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import get_args

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import harness

RESULTS = Path(__file__).with_name("results")
ONLY_BY_NAME = {"side_by_side", "spark"}


def main() -> None:
    databases = get_args(harness.Database)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(benchmark_names()))
    parser.add_argument("--database", choices=databases, action="append")
    arguments = parser.parse_args()
    for database in arguments.database or databases:
        if obstacle := harness.obstacle(database):
            sys.exit(obstacle)
        for name in arguments.names or usual_names():
            measure(name, database)


def benchmark_names() -> list[str]:
    modules = pkgutil.iter_modules([str(Path(__file__).parent)])
    return [module.name for module in modules if module.name not in ("run", "harness", "records")]


def usual_names() -> list[str]:
    """Those that are run when none is named."""
    return [name for name in benchmark_names() if name not in ONLY_BY_NAME]


def measure(name: str, database: harness.Database) -> None:
    """Run one benchmark on one database, print its table and keep its figures."""
    machine = harness.machine(database)
    print(f"\n{name}, {harness.ROWS:,} rows, {machine['database']}, {machine['cores']} x {machine['cpu']}", flush=True)
    measurements: list[harness.Measurement] = importlib.import_module(f"benchmarks.{name}").run(database)
    for figure in measurements:
        target = f"at most {figure.at_most:,g}" if figure.at_most is not None else ""
        target = f"at least {figure.at_least:,g}" if figure.at_least is not None else target
        if figure.at_least is not None and figure.at_most is not None:
            target = f"{figure.at_least:,g} to {figure.at_most:,g}"
        print(f"  {figure.what:<60} {figure.value:>12,.2f} {figure.unit:<8} {target:<18} {figure.verdict}", flush=True)
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    results = json.loads(path.read_text()) if path.exists() else {}
    results[database] = {
        "measured_on": dt.datetime.now(dt.UTC).date().isoformat(),
        "rows": harness.ROWS,
        "machine": machine,
        "measurements": [asdict(figure) | {"verdict": figure.verdict} for figure in measurements],
    }
    path.write_text(json.dumps(results, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
