"""Fifty people look at dashboards of ten million touchpoints while data come in and models are fitted.

`LOAD_MINUTES` (20) says for how long, `BENCH_ROWS` (10,000,000) of how much, `LOAD_PEOPLE` (50) how many;
`LOAD_REPORT` names the folder that gets the figures.
"""

import json
import os
import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from benchmarks.harness import ROWS
from tests.faults.installation import Installation
from tests.faults.people import Program, Said

pytestmark = pytest.mark.load
PEOPLE, MINUTES = int(os.environ.get("LOAD_PEOPLE", "50")), float(os.environ.get("LOAD_MINUTES", "20"))
SECONDS_TO_READ = 8.0  # on average, before somebody goes on to another page
MOST_MS = 400
SECONDS_BETWEEN_BATCHES = 1.0
ROWS_OF_A_BATCH = 100
GROWTH = 1.10  # of memory between the second quarter and the last: what is below is no leak


@dataclass
class Seen:
    """How long each page took, in milliseconds, by its name; what went wrong; memory by process over time."""

    took: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    wrong: Counter[str] = field(default_factory=Counter)
    memory: defaultdict[str, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    lock: threading.Lock = field(default_factory=threading.Lock)


def test_fifty_people_while_data_come_in_and_models_are_fitted(installation: Installation, tmp_path: Path) -> None:
    prepared = installation.ask("watchers", slug="benchmark", people=PEOPLE)
    pages = addresses(installation)
    seen, said = Seen(), Said()
    ended = threading.Event()
    began = time.monotonic()
    with at_work(
        ended,
        *(
            person(installation, cookies, pages, seen, ended, number)
            for number, cookies in enumerate(prepared["people"])
        ),
        ingestion(installation, prepared["key"], said, ended),
        questions(installation, prepared["key"], said, ended),
        gauge(installation, seen, began, ended),
    ):
        ended.wait(MINUTES * 60)
    figures = summary(installation, seen, said, time.monotonic() - began)
    (Path(os.environ.get("LOAD_REPORT", tmp_path)) / "people.json").write_text(json.dumps(figures, indent=2))
    assert figures["wrong"] == {}
    assert figures["slowest_95th_percentile_ms"] < MOST_MS, figures["pages"]
    assert figures["growth"] == {}, figures["memory_mib"]


def addresses(installation: Installation) -> dict[str, list[str]]:
    """What people look at, by the name of the page; each as often as it is in the list of names."""
    base = "/w/benchmark"
    ((channel,),) = installation.rows("SELECT min(id) FROM marketing_channel")
    ((campaign,),) = installation.rows("SELECT min(id) FROM marketing_campaign")
    runs = dict(
        installation.rows(
            "SELECT DISTINCT ON (run.kind) run.kind, run.id::text FROM analyses_run run "
            "JOIN jobs_job job ON job.id = run.job_id WHERE job.status = 'done' ORDER BY run.kind, run.created_at DESC"
        )
    )
    periods = [f"start=2025-{month:02}-01&end=2025-{month + 2:02}-28" for month in range(1, 11)]
    return {
        "dashboard": [
            f"{base}/dashboard/?{period}&compare={kind}" for period in periods for kind in ("none", "previous")
        ],
        "dashboard, year": [f"{base}/dashboard/?start=2025-01-01&end=2025-12-31&compare=none"],
        "channel": [f"{base}/dashboard/channels/{channel}/?{period}" for period in periods],
        "campaign": [f"{base}/dashboard/campaigns/{campaign}/?{period}" for period in periods],
        "attribution": [f"{base}/attribution/"],
        "attribution run": [f"{base}/runs/{runs['attribution']}/"],
        "weightings run": [f"{base}/runs/{runs['weightings']}/"],
        "cross-channel run": [f"{base}/runs/{runs['crosschannel']}/"],
        "runs": [f"{base}/runs/"],
        "data": [f"{base}/data/"],
        "data health": [f"{base}/data/health/"],
        "reports": [f"{base}/reports/"],
    }


def person(
    installation: Installation,
    cookies: dict[str, str],
    pages: dict[str, list[str]],
    seen: Seen,
    ended: threading.Event,
    number: int,
) -> Callable[[], None]:
    """Somebody who opens a page, reads it for some seconds, and goes on; dashboards half of the time."""
    chance = random.Random(number)
    names = [*pages, *["dashboard"] * 6, *["channel"] * 2, *["campaign"] * 2]

    def work() -> None:
        ended.wait(chance.uniform(0, SECONDS_TO_READ))
        with httpx.Client(base_url=installation.url, cookies=cookies, timeout=60) as browser:
            while not ended.is_set():
                name = chance.choice(names)
                began = time.perf_counter()
                try:
                    status = str(browser.get(chance.choice(pages[name])).status_code)
                except httpx.HTTPError as error:
                    status = type(error).__name__
                took = (time.perf_counter() - began) * 1000
                with seen.lock:
                    seen.took[name].append(took)
                    if status != "200":
                        seen.wrong[f"{name}: {status}"] += 1
                ended.wait(chance.expovariate(1 / SECONDS_TO_READ))

    return work


def ingestion(installation: Installation, key: str, said: Said, ended: threading.Event) -> Callable[[], None]:
    """A program that sends a batch of touches each second."""

    def work() -> None:
        program = Program(installation.port, key, said)
        number = 0
        while not ended.wait(SECONDS_BETWEEN_BATCHES):
            rows = [
                {
                    "customer": f"{number} {row}",
                    "occurred_at": f"2025-12-{1 + row % 28:02}T{number % 24:02}:{number // 24 % 60:02}:00Z",
                    "channel": f"Channel {1 + row % 11}",
                }
                for row in range(ROWS_OF_A_BATCH)
            ]
            program.post("/api/v1/touchpoints/", {"rows": rows}, idempotency_key=f"batch {number}")
            number += 1

    return work


def questions(installation: Installation, key: str, said: Said, ended: threading.Event) -> Callable[[], None]:
    """A program that has one media mix model fitted after another, and asks for attribution in between."""

    def work() -> None:
        program = Program(installation.port, key, said)
        number = 0
        while not ended.is_set():
            number += 1
            fit = {"kind": "weightings", "params": {"seed": 1000 + number, "folds": 6, "short_allowed": "yes"}}
            window = {"kind": "attribution", "params": {"model": "linear", "window_days": 5 + number % 60}}
            urls = [
                program.post("/api/v1/runs/", body, idempotency_key=f"{body['kind']} {number}")["url"]
                for body in (fit, window)
            ]
            while not ended.wait(2.0):
                if all(program.get(url)["status"] in ("done", "failed", "cancelled") for url in urls):
                    break

    return work


def gauge(installation: Installation, seen: Seen, began: float, ended: threading.Event) -> Callable[[], None]:
    """Somebody who notes how much memory each process has, every ten seconds."""

    def work() -> None:
        while not ended.wait(10.0):
            for name, mebibytes in installation.memory().items():
                seen.memory[name].append((time.monotonic() - began, mebibytes))

    return work


@contextmanager
def at_work(ended: threading.Event, *works: Callable[[], None]) -> Iterator[None]:
    """All of them at work during the block; raises what one of them failed with."""
    failures: list[BaseException] = []

    def carry_out(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as failure:  # noqa: BLE001 (raised below)
            failures.append(failure)
            ended.set()

    threads = [threading.Thread(target=carry_out, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    if failures:
        raise failures[0]


def summary(installation: Installation, seen: Seen, said: Said, seconds: float) -> dict[str, Any]:
    pages = {
        name: {
            "views": len(took),
            **{f"p{share}_ms": round(float(np.percentile(took, share))) for share in (50, 95, 99)},
            "most_ms": round(max(took)),
        }
        for name, took in sorted(seen.took.items())
    }
    every = np.concatenate([np.array(took) for took in seen.took.values()])
    memory = {name: _by_quarter(figures, seconds) for name, figures in sorted(seen.memory.items())}
    ((fits,),) = installation.rows(
        "SELECT count(*) FROM analyses_run run JOIN jobs_job job ON job.id = run.job_id "
        "WHERE run.kind = 'weightings' AND job.status = 'done'"
    )
    ((imports,),) = installation.rows(
        "SELECT count(*) FROM marketing_import WHERE status = 'active' AND origin = 'api'"
    )
    ((failed,),) = installation.rows("SELECT count(*) FROM jobs_job WHERE status = 'failed'")
    return {
        "touchpoints": ROWS,
        "people": PEOPLE,
        "minutes": round(seconds / 60, 1),
        "views": len(every),
        "views_a_second": round(len(every) / seconds, 1),
        "p50_ms": round(float(np.percentile(every, 50))),
        "p95_ms": round(float(np.percentile(every, 95))),
        "p99_ms": round(float(np.percentile(every, 99))),
        "slowest_95th_percentile_ms": max(page["p95_ms"] for page in pages.values()),
        "wrong": dict(seen.wrong),
        "pages": pages,
        "answers_of_the_api": {str(status): count for status, count in sorted(said.statuses.items())},
        "models_fitted": fits,
        "batches_imported": imports,
        "jobs_failed": failed,
        "memory_mib": memory,
        "growth": {
            name: quarters for name, quarters in memory.items() if quarters[3] > quarters[1] * GROWTH and name != "fits"
        },
    }


def _by_quarter(figures: list[tuple[float, float]], seconds: float) -> list[int]:
    """The median of each quarter of the time."""
    at, mebibytes = np.array(figures).T
    quarter = np.minimum((at / seconds * 4).astype(int), 3)
    return [round(float(np.median(mebibytes[quarter == number]))) for number in range(4)]
