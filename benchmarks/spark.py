"""Attribution of tables outside the database: in this process, and by a Spark cluster of one and of two workers.

The tables are drawn anew each time, the same ones, in Parquet: `BENCH_ROWS` touches of a quarter as many customers, who
convert once in eight times. The cluster is a standalone one on loopback; each worker has one core and 2 GiB. Needs
the extra `spark` and Java (`make setup`, `uv sync --extra spark`). Names two answers the same where every number of one
is within 1e-9 of the other's.
"""

import json
import math
import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.harness import PEAK, ROWS, Database, Measurement, run_step, scratch, serve_step

CHANNELS = ("Direct", "Email", "Organic Search", "Paid Search", "Paid Social", "Display", "Affiliates", "Referral")
FILES = 8
FIRST_DAY_US = 20_454 * 86_400_000_000  # 1 January 2026
DAYS = 90
PARAMS = {
    "model": "last,linear,time_decay,position,data_driven,markov:2,shapley",
    "start": "2026-02-01",
    "end": "2026-03-31",
    "replicates": 200,
}
LOAD = "load average when it began"


def run(database: Database) -> list[Measurement]:
    if database != "sqlite":
        return []  # no database has a part in this
    from tests.spark.cluster import cluster, obstacle

    if why := obstacle():
        raise SystemExit(why)
    with scratch(database) as environment, tempfile.TemporaryDirectory(dir=environment["DATA_DIR"]) as name:
        folder = Path(name)
        write_tables(folder)
        environment = {**environment, "BENCH_TABLES": name}
        found = {"this process": run_step(__name__, "local", environment)}
        for workers in (1, 2):
            with cluster(folder / f"cluster-{workers}", workers=workers) as master:
                step = {**environment, "BENCH_MASTER": master, "BENCH_ANSWER": f"spark-{workers}"}
                found[f"Spark, {workers} worker{'s' if workers > 1 else ''}"] = run_step(__name__, "spark", step)
        answers = [json.loads((folder / f"{answer}.json").read_text()) for answer in ("local", "spark-1", "spark-2")]
    measured = []
    for what, figures in found.items():
        measured += [
            Measurement(what, figures["seconds"], "s"),
            Measurement(f"  {LOAD}", figures["load"], ""),
            Measurement("  memory of the process that asks", figures[PEAK], "MiB"),
        ]
    for workers, answer in enumerate(answers[1:], start=1):
        apart = largest_difference(answer, answers[0], answers[0]["totals"])
        measured.append(Measurement(f"difference of {workers} to this process, largest", apart, "", at_most=1e-9))
    return measured


def write_tables(folder: Path) -> None:
    """Write the tables: the same ones for the same number of rows."""
    customers = ROWS // 4
    for name in ("touches", "conversions"):
        (folder / name).mkdir()
    for file in range(FILES):
        rng = np.random.default_rng([7, file])
        rows = ROWS // FILES
        # Some channels are met more often than others.
        channel = np.minimum(rng.geometric(0.3, rows) - 1, len(CHANNELS) - 1)
        touches = {
            "customer": rng.integers(customers, size=rows) * FILES + file,
            "occurred_at": _moments(rng, rows),
            "channel": pa.DictionaryArray.from_arrays(channel.astype(np.int32), pa.array(CHANNELS)),
        }
        pq.write_table(pa.table(touches), folder / "touches" / f"{file}.parquet")
        rows = ROWS // 8 // FILES // 4
        conversions = {
            "customer": rng.integers(customers, size=rows) * FILES + file,
            "occurred_at": _moments(rng, rows),
            "goal": np.full(rows, "Purchase"),
            "value": np.round(rng.lognormal(4, 1, rows), 2),
        }
        pq.write_table(pa.table(conversions), folder / "conversions" / f"{file}.parquet")


def _moments(rng: np.random.Generator, rows: int) -> pa.Array:
    us = FIRST_DAY_US + rng.integers(DAYS * 86_400, size=rows) * 1_000_000
    return pa.array(us, pa.timestamp("us", "UTC"))


def largest_difference(one: Any, other: Any, totals: Mapping[str, float], size: float = 1.0) -> float:
    """How far two results are apart at most: relative to the number, or to all there is to credit of its kind.

    `size`: that of numbers of this kind; 1 for shares and effects.
    """
    if isinstance(other, dict) and one.keys() == other.keys():
        sizes = {name: next((total for kind, total in totals.items() if kind in name), size) for name in other}
        return max((largest_difference(one[name], other[name], totals, sizes[name]) for name in other), default=0.0)
    if isinstance(other, list) and len(one) == len(other):
        pairs = zip(one, other, strict=True)
        return max((largest_difference(mine, theirs, totals, size) for mine, theirs in pairs), default=0.0)
    if isinstance(other, int | float) and not isinstance(other, bool):
        return float(abs(one - other) / max(abs(other), size))
    return 0.0 if one == other else math.inf


def answer_of(engine: str, **options: str) -> dict[str, float]:
    """Answer the question in this process, and keep it beside the tables."""
    from accounts.actions import set_plan
    from accounts.models import Workspace
    from analyses.tables import Tables, ask_of_tables
    from marketing.receivers import create_default_goals
    from tests import factories

    if not Workspace.objects.filter(slug="bench").exists():
        made = factories.WorkspaceFactory.create(name="Bench", slug="bench", timezone="UTC")
        create_default_goals(workspace=made)
        set_plan(workspace=made, plan="enterprise", by=None)
    workspace = Workspace.objects.get(slug="bench")
    load, began = os.getloadavg()[0], time.perf_counter()
    folder = os.environ["BENCH_TABLES"]
    run = ask_of_tables(
        workspace=workspace,
        kind="attribution",
        params=PARAMS,
        tables=Tables(engine=engine, source=folder, **options),  # type: ignore[arg-type]
        on_phase=lambda _phase, _share: None,
    )
    seconds = time.perf_counter() - began
    kept = {name: run.result[name] for name in ("totals", "models", "evidence")} if run.result else {}
    name = os.environ.get("BENCH_ANSWER", "local")
    Path(folder, f"{name}.json").write_text(json.dumps(kept))
    return {"seconds": seconds, "load": load}


def local() -> dict[str, float]:
    return answer_of("local")


def spark() -> dict[str, float]:
    return answer_of("spark", master=os.environ["BENCH_MASTER"])


if __name__ == "__main__":
    serve_step({"local": local, "spark": spark})
