"""The daily cube over all touchpoints, and the dashboard that reads it."""

import datetime as dt
import time
from typing import Any

import numpy as np

from benchmarks.harness import PEAK, Database, Measurement, run_step, scratch, serve_step
from benchmarks.snapshot import DAYS, FIRST_DAY, SEED

VIEWS = 100
PAGE = "/w/benchmark/dashboard/?start=2025-07-01&end=2025-12-31&compare=previous"
EMAIL = "bench@example.com"


def run(database: Database) -> list[Measurement]:
    with scratch(database) as environment:
        run_step("benchmarks.snapshot", "generate", environment)
        run_step("benchmarks.dashboard", "generate", environment)
        cube = run_step("benchmarks.dashboard", "cube", environment)
        run_step("benchmarks.snapshot", "generate_batch", environment)
        stale = run_step("benchmarks.dashboard", "views", environment)
        again = run_step("benchmarks.dashboard", "cube", environment)
        fresh = run_step("benchmarks.dashboard", "views", environment)
    return [
        Measurement("snapshot and daily cube computed", cube["seconds"], "s", at_most=120),
        Measurement("  the cube again after an import of 10,000 touches", again["seconds"], "s", at_most=30),
        Measurement("  peak memory", max(cube[PEAK], again[PEAK]), "MiB", at_most=1536),
        Measurement("  size of its file", cube["mebibytes"], "MiB"),
        Measurement("dashboard, first view after an import, cube to come", stale["first_ms"], "ms", at_most=1500),
        Measurement("dashboard, first view of the new cube", fresh["first_ms"], "ms", at_most=1500),
        Measurement("  warm, median", fresh["p50_ms"], "ms"),
        Measurement("  warm, 95th percentile", fresh["p95_ms"], "ms", at_most=300),
        Measurement("  queries", fresh["queries"], ""),
        Measurement("  peak memory of the web process", fresh[PEAK], "MiB"),
    ]


def generate() -> dict[str, float]:
    """A year of spend by channel and campaign, and somebody to look at it."""
    from accounts.models import Membership, Role, User, Workspace
    from benchmarks.snapshot import _new_import
    from marketing.importing.bulk import write_rows
    from marketing.models import Campaign, Channel, ChannelSpend, Dataset

    workspace = Workspace.objects.get(slug="benchmark")
    user = User.objects.create_user(EMAIL)
    Membership.objects.create(workspace=workspace, user=user, role=Role.OWNER)
    rng = np.random.default_rng(SEED + 2)
    channels = list(Channel.objects.order_by("pk").values_list("pk", flat=True))
    campaigns = list(Campaign.objects.order_by("pk").values_list("pk", flat=True))
    pairs = sorted({(channels[n % len(channels)], campaigns[n % len(campaigns)]) for n in range(len(campaigns))})
    days = [FIRST_DAY + dt.timedelta(day) for day in range(DAYS)]
    rows = [(day, channel, campaign) for day in days for channel, campaign in pairs]
    batch = _new_import(Dataset.SPEND, len(rows))
    write_rows(
        ChannelSpend,
        {
            "batch_id": np.full(len(rows), batch),
            "shadowed": np.zeros(len(rows), bool),
            "date": [str(day) for day, _, _ in rows],
            "channel_id": np.array([channel for _, channel, _ in rows]),
            "campaign_id": [campaign for _, _, campaign in rows],
            "geo": np.full(len(rows), "", np.object_),
            "spend": [f"{amount:.2f}" for amount in rng.gamma(2.0, 30.0, len(rows))],
            "impressions": [None] * len(rows),
            "clicks": [None] * len(rows),
        },
    )
    return {}


def cube() -> dict[str, float]:
    """Ask for the cube and carry it out, as a worker does."""
    from accounts.models import Workspace
    from analyses.models import Run
    from analyses.runs import discard
    from attribution.cube.daily_cube import cube_runs, refresh_cube
    from jobs.execution import execute

    workspace = Workspace.objects.get(slug="benchmark")
    for old in cube_runs().filter(workspace=workspace, void=False):
        discard(run=old)  # rows that are generated move no version of the data
    started = time.perf_counter()
    run = refresh_cube(workspace=workspace, ring=False)
    execute(job_id=run.job_id)
    seconds = time.perf_counter() - started
    run = Run.objects.select_related("job").get(pk=run.pk)
    if run.job.status != "done":
        raise RuntimeError(run.job.error)
    return {"seconds": seconds, "mebibytes": run.artifact_bytes / 2**20}


def views() -> dict[str, float]:
    """Look at the dashboard in a process that has served another page before."""
    from django.db import connection
    from django.test import Client

    from accounts.models import User

    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.get(email=EMAIL))
    _get(client, "/w/benchmark/runs/")
    first = _get(client, PAGE)
    queries: list[str] = []

    def count(execute: Any, sql: str, *rest: Any) -> Any:
        queries.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(count):
        _get(client, PAGE)
    times = sorted(_get(client, PAGE) for _ in range(VIEWS))
    return {
        "first_ms": first,
        "p50_ms": times[VIEWS // 2],
        "p95_ms": times[int(VIEWS * 0.95)],
        "queries": float(len(queries)),
    }


def _get(client: Any, path: str) -> float:
    """The milliseconds that a page takes. Raises RuntimeError if it is not the page."""
    started = time.perf_counter()
    response = client.get(path)
    milliseconds = 1000 * (time.perf_counter() - started)
    if response.status_code != 200 or ("dashboard" in path and b"Overall ROI" not in response.content):
        raise RuntimeError(f"{path} answers {response.status_code}.")
    return milliseconds


if __name__ == "__main__":
    serve_step({"generate": generate, "cube": cube, "views": views})
