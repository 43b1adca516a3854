"""The columnar snapshot: building it, appending to it, and the six rule models over it in one pass."""

import datetime as dt
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.harness import PEAK, ROWS, Database, Measurement, run_step, scratch, serve_step

if TYPE_CHECKING:
    from accounts.models import Workspace

BATCH_ROWS = 10_000
GENERATED_AT_ONCE = 500_000
FIRST_DAY = dt.date(2025, 1, 1)
DAYS = 365
WINDOWS = (30, 365)
SOURCES = 200
CHANNELS = 12
CAMPAIGNS = 60
SEED = 20260501


def run(database: Database) -> list[Measurement]:
    with scratch(database) as environment:
        run_step("benchmarks.snapshot", "generate", environment)
        build = run_step("benchmarks.snapshot", "build", environment)
        models = run_step("benchmarks.snapshot", "rule_models", environment)
        run_step("benchmarks.snapshot", "generate_batch", environment)
        append = run_step("benchmarks.snapshot", "append", environment)
        merge = run_step("benchmarks.snapshot", "merge", environment)
    return [
        Measurement("snapshot of all touchpoints built", build["touches_s"], "s", at_most=60),
        Measurement("snapshot of all conversions built", build["conversions_s"], "s"),
        Measurement("  peak memory", build[PEAK], "MiB", at_most=600),
        Measurement("loaded: one segment, memory-mapped", models["load_s"], "s"),
        *(figure for window_days in WINDOWS for figure in _of_window(models, window_days)),
        Measurement("  peak memory, memory-mapped pages included", models[PEAK], "MiB", at_most=1536),
        Measurement(
            f"{BATCH_ROWS:,} rows appended: built, merged in memory, usable", append["append_s"], "s", at_most=2
        ),
        Measurement("  loaded again, merged in memory", append["again_s"], "s"),
        Measurement("  peak memory", append[PEAK], "MiB"),
        Measurement("the two segments merged on disk", merge["merge_s"], "s"),
        Measurement("  peak memory", merge[PEAK], "MiB", at_most=600),
    ]


def _of_window(models: dict[str, float], days: int) -> list[Measurement]:
    cut, with_null_paths = models[f"journeys_{days}_s"], models[f"with_null_paths_{days}_s"]
    rules, chain = models[f"two_threads_{days}_s"], models[f"markov_{days}_s"]
    return [
        Measurement(f"a year's journeys cut, lookback {days} days", cut, "s"),
        Measurement("  six rule models in one pass, one thread", models[f"serial_{days}_s"], "s"),
        Measurement("  six rule models in one pass, two threads", rules, "s"),
        Measurement("  six rule models, from the snapshot", cut + rules, "s", at_most=0.5),
        Measurement("  cut with null paths", with_null_paths, "s"),
        Measurement("  exact Markov of order 1, two threads", chain, "s"),
        Measurement("  exact Markov of order 1, from the snapshot", with_null_paths + chain, "s", at_most=1),
    ]


def generate() -> dict[str, float]:
    """A workspace with a year of touchpoints of a tenth as many customers, each of whom converts once."""
    from accounts.models import Workspace
    from marketing.importing.bulk import write_rows
    from marketing.models import Campaign, Channel, Customer, Dataset, Goal, TrafficSource

    rng = np.random.default_rng(SEED)
    workspace = Workspace.objects.create(name="Benchmark", slug="benchmark")
    goal = Goal.objects.filter(workspace=workspace, is_default=True).first() or Goal.objects.create(
        workspace=workspace, name="Purchase", is_default=True
    )
    channels = [
        Channel.objects.create(workspace=workspace, name=name, colour_slot=slot)
        for slot, name in enumerate(["Direct", *(f"Channel {n}" for n in range(1, CHANNELS))])
    ]
    campaigns = Campaign.objects.bulk_create(
        Campaign(workspace=workspace, name=f"Campaign {n}") for n in range(CAMPAIGNS)
    )
    TrafficSource.objects.bulk_create(
        TrafficSource(
            workspace=workspace,
            channel=channels[n % CHANNELS],
            source=f"source {n}",
            campaign=campaigns[n % CAMPAIGNS],
        )
        for n in range(SOURCES)
    )
    customers = np.unique(rng.integers(0, 2**63 - 1, max(ROWS // 10, 1)))
    write_rows(Customer, {"id": customers, "workspace_id": np.full(len(customers), workspace.pk)})
    touches = _new_import(Dataset.TOUCHPOINTS, ROWS)
    _without_natural_key(lambda: _write_touches(rng, customers, touches, ROWS))
    _write_conversions(rng, customers, _new_import(Dataset.CONVERSIONS, len(customers)), goal.pk)
    return {}


def generate_batch() -> dict[str, float]:
    """One more day's import, mostly of customers that are known."""
    from marketing.models import Customer, Dataset

    rng = np.random.default_rng(SEED + 1)
    known = np.fromiter(Customer.objects.order_by("id").values_list("id", flat=True)[: BATCH_ROWS * 9], np.int64)
    customers = np.concatenate([known, rng.integers(0, 2**63 - 1, BATCH_ROWS)])
    _write_touches(rng, customers, _new_import(Dataset.TOUCHPOINTS, BATCH_ROWS), BATCH_ROWS)
    return {}


def build() -> dict[str, float]:
    from marketing import store

    imports = store.active_imports(workspace=_workspace())
    return {
        f"{table.name}_s": _seconds(
            lambda table=table: store.prepare(  # type: ignore[misc]
                workspace=_workspace(), table=table, imports=imports[table.dataset], on_progress=_write_progress
            )
        )
        for table in (store.TOUCHES, store.CONVERSIONS)
    }


def rule_models() -> dict[str, float]:
    """Journeys and credit over the usual lookback window, and over the longest, where half of all touches count.

    The best of three times each.
    """
    from attribution.methods.markov import MarkovModel, markov_credit_of_journeys
    from attribution.methods.rules import RULE_MODELS, RuleCredit, reconcile, rule_credit
    from marketing import selectors
    from marketing.models import Goal

    goal = Goal.objects.get(workspace=_workspace(), is_default=True)
    loaded: list[selectors.JourneyData] = []

    def journeys(window_days: int, days: int = DAYS, *, null_paths: bool = False) -> None:
        end = FIRST_DAY + dt.timedelta(days - 1)
        loaded[:] = [
            selectors.load_journeys(
                workspace=_workspace(),
                goal=goal,
                start=FIRST_DAY,
                end=end,
                window_days=window_days,
                null_paths=null_paths,  # which a chain counts; rule models credit conversions only
            )
        ]

    def chain() -> None:
        [data] = loaded
        markov_credit_of_journeys(
            journeys=data.journeys,
            group_of_source=data.sources.group_of_source("channel"),
            groups=len(data.sources.channels),
            model=MarkovModel("markov:1"),
            threads=2,
        )

    def credit(threads: int) -> RuleCredit:
        [data] = loaded
        return rule_credit(
            journeys=data.journeys,
            models=list(RULE_MODELS.values()),
            group_of_source=data.sources.group_of_source("channel"),
            groups=len(data.sources.channels),
            direct_source=data.sources.direct_source(),
            threads=threads,
        )

    journeys(1, days=1)
    credit(1)  # compiles
    chain()
    figures = {"load_s": _seconds(lambda: selectors.load_touches(workspace=_workspace()))}
    for window_days in WINDOWS:
        figures[f"journeys_{window_days}_s"] = _best(partial(journeys, window_days))
        figures[f"serial_{window_days}_s"] = _best(lambda: credit(1))
        figures[f"two_threads_{window_days}_s"] = _best(lambda: credit(2))
        if not reconcile(credit=credit(2), journeys=loaded[0].journeys).ok:
            raise RuntimeError("Credit does not add up to the conversions.")
        figures[f"with_null_paths_{window_days}_s"] = _best(partial(journeys, window_days, null_paths=True))
        figures[f"markov_{window_days}_s"] = _best(chain)
    return figures


def append() -> dict[str, float]:
    from marketing import selectors

    def usable() -> None:
        touches = selectors.load_touches(workspace=_workspace())
        if len(touches.touched_at) != ROWS + BATCH_ROWS:
            raise RuntimeError(f"{len(touches.touched_at)} touches were loaded instead of {ROWS + BATCH_ROWS}.")

    return {"append_s": _seconds(usable), "again_s": _seconds(usable)}


def merge() -> dict[str, float]:
    from marketing import store
    from marketing.store import snapshot

    snapshot.MOST_SMALL_SEGMENTS = 0  # merging is due already
    imports = store.active_imports(workspace=_workspace())[store.TOUCHES.dataset]
    return {"merge_s": _seconds(lambda: store.prepare(workspace=_workspace(), table=store.TOUCHES, imports=imports))}


def _write_progress(fraction: float) -> None:
    """Write to the database, as the progress of a job does."""
    from jobs.models import Job

    Job.objects.filter(pk=-1).update(progress=fraction)


def _workspace() -> "Workspace":
    from accounts.models import Workspace

    return Workspace.objects.get(slug="benchmark")


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _best(work: Callable[[], object]) -> float:
    return min(_seconds(work) for _ in range(3))


def _new_import(dataset: str, accepted: int) -> int:
    from jobs.models import Job
    from marketing.models import Import

    workspace = _workspace()
    job = Job.objects.create(workspace=workspace, kind="import", status=Job.Status.DONE)
    batch = Import.objects.create(
        workspace=workspace,
        job=job,
        dataset=dataset,
        status=Import.Status.ACTIVE,
        origin=Import.Origin.CLI,
        accepted=accepted,
    )
    return batch.pk


def _without_natural_key(write: Callable[[], None]) -> None:
    """Write millions of touchpoints without keeping their index up to date row by row."""
    from django.db import connection

    from marketing.models import Touchpoint

    index = next(index for index in Touchpoint._meta.indexes if index.name == "touchpoint_natural_key")
    with connection.schema_editor() as editor:
        editor.remove_index(Touchpoint, index)
    write()
    with connection.schema_editor() as editor:
        editor.add_index(Touchpoint, index)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")  # as autovacuum does before long


def _write_touches(rng: np.random.Generator, customers: np.ndarray, batch: int, rows: int) -> None:
    from django.db import transaction

    from marketing.importing.bulk import write_rows
    from marketing.models import Touchpoint, TrafficSource

    sources = np.fromiter(TrafficSource.objects.values_list("id", flat=True), np.int64)
    times = np.sort(_times(rng, rows))
    for first in range(0, rows, GENERATED_AT_ONCE):
        at = times[first : first + GENERATED_AT_ONCE]
        with transaction.atomic():
            write_rows(
                Touchpoint,
                {
                    "batch_id": np.full(len(at), batch),
                    "shadowed": np.zeros(len(at), bool),
                    "customer_id": rng.choice(customers, len(at)),
                    "occurred_at": at,
                    "traffic_source_id": rng.choice(sources, len(at)),
                    "interaction": rng.integers(0, 8, len(at)),
                },
            )


def _write_conversions(rng: np.random.Generator, customers: np.ndarray, batch: int, goal: int) -> None:
    from django.db import transaction

    from marketing.importing.bulk import write_rows
    from marketing.models import Conversion

    rows = len(customers)
    with transaction.atomic():
        write_rows(
            Conversion,
            {
                "batch_id": np.full(rows, batch),
                "shadowed": np.zeros(rows, bool),
                "customer_id": customers,
                "occurred_at": _times(rng, rows),
                "goal_id": np.full(rows, goal),
                "value": np.round(rng.gamma(2.0, 40.0, rows), 2),
                "converted": np.ones(rows, bool),
            },
        )


def _times(rng: np.random.Generator, rows: int) -> np.ndarray:
    start = np.datetime64(FIRST_DAY, "us").astype(np.int64)
    return start + rng.integers(0, DAYS * 86_400 * 10**6, rows)


if __name__ == "__main__":
    serve_step(
        {
            "generate": generate,
            "generate_batch": generate_batch,
            "build": build,
            "rule_models": rule_models,
            "append": append,
            "merge": merge,
        }
    )
