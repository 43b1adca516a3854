"""Importing a CSV of touchpoints: rows a second and memory, into an empty and into a full table; people meanwhile."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from benchmarks.harness import PEAK, ROWS, Database, Measurement, run_step, scratch, serve_step

MODULE = "benchmarks.imports"
IMPORTED_ROWS = min(1_000_000, ROWS)
TOUCHES_PER_CUSTOMER = 3
REPEATED_SHARE = 0.01  # of the file's rows say what an earlier row said
SEED = 20260502
SLUG = "benchmark"
EMAIL, PASSWORD = "bench@example.com", "correct horse battery"
RATES = {"sqlite": (30_000, 15_000), "postgresql": (50_000, 30_000)}  # rows a second into an empty and a full table
MOST_MEMORY_MIB = 400
SECONDS_BETWEEN_SIGN_INS = 0.25


def run(database: Database) -> list[Measurement]:
    into_empty, into_full = RATES[database]
    with scratch(database) as environment:
        run_step(MODULE, "prepare", environment)
        empty = run_step(MODULE, "import_file", environment)
    with scratch(database) as environment:
        run_step("benchmarks.snapshot", "generate", environment)
        run_step(MODULE, "prepare", environment)
        full = run_step(MODULE, "import_file", environment)
    with scratch(database) as environment, ThreadPoolExecutor() as pool:
        run_step(MODULE, "prepare", environment)
        importing = pool.submit(run_step, MODULE, "import_file", environment)
        people = run_step(MODULE, "sign_in_meanwhile", environment)
        importing.result()
    return [
        Measurement(f"{IMPORTED_ROWS:,} rows imported, table empty", empty["rate"], "rows/s", at_least=into_empty),
        Measurement("  peak memory", empty[PEAK], "MiB", at_most=MOST_MEMORY_MIB),
        Measurement(f"the same, table of {ROWS:,} rows", full["rate"], "rows/s", at_least=into_full),
        Measurement("  peak memory", full[PEAK], "MiB", at_most=MOST_MEMORY_MIB),
        Measurement("meanwhile, slowest of the sign-ins", people["sign_in_s"], "s", at_most=2),
        Measurement("  slowest of the heartbeats", people["heartbeat_s"], "s", at_most=2),
        Measurement("  sign-ins", people["sign_ins"], ""),
    ]


def prepare() -> dict[str, float]:
    """A workspace whose plan has room, somebody to sign in, and a file whose customers are partly known."""
    from accounts.actions import create_workspace
    from accounts.models import Plan, Subscription, User, Workspace

    owner = User.objects.create_user(EMAIL, PASSWORD)
    workspace = Workspace.objects.filter(slug=SLUG).first() or create_workspace(
        name="Benchmark", slug=SLUG, owner=owner
    )
    Subscription.objects.update_or_create(workspace=workspace, defaults={"plan": Plan.objects.get(code="enterprise")})
    _write_file(_file())
    return {}


def import_file() -> dict[str, float]:
    from accounts.models import Workspace
    from jobs.execution import execute
    from marketing.importing.actions import request_import
    from marketing.models import Dataset, Import

    started = time.perf_counter()
    batch = request_import(
        workspace=Workspace.objects.get(slug=SLUG),
        dataset=Dataset.TOUCHPOINTS,
        file=_file(),
        mapping={},
        by=None,
        origin=Import.Origin.CLI,
        ring=False,
    )
    execute(job_id=batch.job_id)
    seconds = time.perf_counter() - started
    batch.refresh_from_db()
    if batch.status != Import.Status.ACTIVE or batch.accepted + batch.duplicates != IMPORTED_ROWS:
        raise RuntimeError(
            f"{batch.status}: {batch.accepted} accepted, {batch.duplicates} duplicates, {batch.job.error}"
        )
    return {"rate": IMPORTED_ROWS / seconds}


def sign_in_meanwhile() -> dict[str, float]:
    """Sign in, and renew a job's lease, again and again until the import has ended."""
    from django.core.cache import cache
    from django.test import Client

    from accounts.models import Workspace
    from jobs.actions import claim, renew_lease, submit
    from marketing.models import Import

    heart = claim(job_id=submit(workspace=Workspace.objects.get(slug=SLUG), kind="benchmark", ring=False).pk)
    if heart is None:
        raise RuntimeError("The job whose lease is to be renewed could not be claimed.")
    unfinished = Import.objects.filter(status__in=[Import.Status.PENDING, Import.Status.LOADING])
    while not Import.objects.exists():
        time.sleep(SECONDS_BETWEEN_SIGN_INS)
    sign_ins, heartbeats = [], []
    while unfinished.exists():
        cache.clear()  # the rate limit is not what is measured
        started = time.perf_counter()
        page = Client().post("/accounts/login/", {"login": EMAIL, "password": PASSWORD}, HTTP_HOST="localhost")
        sign_ins.append(time.perf_counter() - started)
        if page.status_code != 302:
            raise RuntimeError(f"Signing in was answered with {page.status_code}.")
        started = time.perf_counter()
        renew_lease(job=heart)
        heartbeats.append(time.perf_counter() - started)
        time.sleep(SECONDS_BETWEEN_SIGN_INS)
    return {"sign_in_s": max(sign_ins), "heartbeat_s": max(heartbeats), "sign_ins": float(len(sign_ins))}


def _file() -> Path:
    return Path(os.environ["DATA_DIR"]) / "touchpoints.csv"


def _write_file(path: Path) -> None:
    """A year of touches in the order of time, as an export has them."""
    import pandas as pd

    rng = np.random.default_rng(SEED)
    fresh = IMPORTED_ROWS - int(IMPORTED_ROWS * REPEATED_SHARE)
    times = np.datetime64("2025-01-01", "s") + np.sort(rng.integers(0, 365 * 86_400, fresh))
    table = pd.DataFrame(
        {
            "customer": np.char.add("customer-", rng.integers(0, fresh // TOUCHES_PER_CUSTOMER, fresh).astype(str)),
            "occurred_at": np.char.add(np.datetime_as_string(times), "Z"),
            "channel": rng.choice(["Paid Search", "Paid Social", "Email", "Display", "Direct", "Referral"], fresh),
            "campaign": rng.choice([f"campaign {n}" for n in range(40)], fresh),
            "interaction": rng.choice(["click", "impression"], fresh),
        }
    ).drop_duplicates()
    repeated = table.sample(IMPORTED_ROWS - len(table), random_state=SEED)
    pd.concat([table, repeated]).to_csv(path, index=False)


if __name__ == "__main__":
    serve_step({"prepare": prepare, "import_file": import_file, "sign_in_meanwhile": sign_in_meanwhile})
