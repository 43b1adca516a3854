"""A thousand runs, ten thousand batches and a thousand mails while everything that can break does, again and again.

Afterwards all of them are there, each once, and each result is what the same question is answered with in calm.
`FAULTS_SHARE=0.01` makes a small storm of it.
"""

import datetime as dt
import json
import os
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.faults.installation import PROCESSES, Installation
from tests.faults.people import Crowd, Program, Said
from tests.faults.services import pause
from tests.smtp_server import MailServer
from tests.stack.stacks import wait_for

pytestmark = pytest.mark.faults
SHARE = float(os.environ.get("FAULTS_SHARE", "1"))
RUNS, BATCHES, SCHEDULES, RECIPIENTS = round(1000 * SHARE), round(10_000 * SHARE), max(round(50 * SHARE), 1), 20
WORKSPACES = 5
ROWS_OF_A_BATCH = 2
SECONDS_BETWEEN_FAULTS = (1.0, 6.0)
SECONDS_TO_SETTLE = 900
MODELS = ("first", "last", "linear", "time_decay", "position")


@dataclass
class Storm:
    """Breaks one thing after another, in an order that its seed decides; each fault as often as every other."""

    installation: Installation
    mail: MailServer
    chance: random.Random = field(default_factory=lambda: random.Random(12))
    count: Counter[str] = field(default_factory=Counter)
    _next: list[str] = field(default_factory=list)

    def strike(self) -> None:
        faults = self._faults()
        if not self._next:
            self._next = sorted(faults)
            self.chance.shuffle(self._next)
        name = self._next.pop()
        faults[name]()
        self.count[name] += 1
        self.installation.revive()
        pause(self.chance.uniform(*SECONDS_BETWEEN_FAULTS))

    def _faults(self) -> dict[str, Callable[[], None]]:
        installation = self.installation
        kills = {
            f"{name} killed": (lambda name=name: installation.kill(name, self.chance.randrange(PROCESSES[name])))
            for name in PROCESSES
        }
        return {
            **kills,
            "Redis flushed": installation.redis.flush,
            "Redis killed, empty after 3 s": self._restart_redis,
            "PostgreSQL killed, back after 3 s": self._restart_postgres,
            "worker frozen beyond its lease": self._freeze,
            "30 doorbells for one job": self._ring,
            "mail server says later": self._refuse_mail,
        }

    def _restart_redis(self) -> None:
        with self.installation.redis.away():
            pause(3)

    def _restart_postgres(self) -> None:
        with self.installation.postgres.away():
            pause(3)

    def _freeze(self) -> None:
        with self.installation.frozen("default", self.chance.randrange(PROCESSES["default"])):
            pause(6)

    def _ring(self) -> None:
        live = "SELECT id FROM jobs_job WHERE status IN ('queued', 'running') ORDER BY id DESC LIMIT 1"
        for (job_id,) in self.installation.rows(live):
            self.installation.ask("ring", job_id=job_id, times=30)

    def _refuse_mail(self) -> None:
        self.mail.answer_to_sender = "451 4.3.0 Try again later"
        pause(3)
        self.mail.answer_to_sender = "250 OK"


def touches(number: int) -> dict[str, Any]:
    """The rows of a batch of touches: no row like any of another batch."""
    first = dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(minutes=number)
    return {
        "rows": [
            {
                "customer": f"customer {number % 500}",
                "occurred_at": (first + dt.timedelta(days=30 * row)).isoformat(),
                "channel": ("Search", "Social", "Email")[number % 3],
                "campaign": f"batch {number}",
            }
            for row in range(ROWS_OF_A_BATCH)
        ]
    }


def send(path: str, body: object, key: str, heard: dict[str, Any]) -> Callable[[Program], None]:
    def thing(program: Program) -> None:
        heard[key] = program.post(path, body, idempotency_key=key)

    return thing


def question(number: int) -> dict[str, Any]:
    return {
        "kind": "attribution",
        "params": {
            "model": MODELS[number % len(MODELS)],
            "window_days": 1 + number // len(MODELS),
            "start": "2026-01-01",
            "end": "2026-03-31",
            "replicates": 100,
        },
    }


def test_nothing_is_lost_and_nothing_done_twice(installation: Installation, mail: MailServer, tmp_path: Path) -> None:
    keys = installation.ask("people", workspaces=WORKSPACES)
    said = Said()
    asking = Program(installation.port, keys["questions"], said)
    load_journeys(asking)
    # All mails are due while the storm lasts, the first at once.
    schedules = installation.ask(
        "schedules", number=SCHEDULES, recipients=RECIPIENTS, first_in_seconds=5, apart_seconds=300 * SHARE / SCHEDULES
    )

    answered: dict[str, Any] = {}
    batches = {
        f"data-{number}": [
            send("/api/v1/touchpoints/", touches(count), f"batch-{count}", answered)
            for count in range(number, BATCHES, WORKSPACES)
        ]
        for number in range(WORKSPACES)
    }
    crowds = [Crowd(things, [Program(installation.port, keys[slug], said)]) for slug, things in batches.items()]
    asked: dict[str, Any] = {}
    questions = [send("/api/v1/runs/", question(count), f"run-{count}", asked) for count in range(RUNS)]
    crowds.append(Crowd(questions, [Program(installation.port, keys["questions"], said) for _ in range(2)]))

    storm = Storm(installation, mail)
    began = time.monotonic()
    for crowd in crowds:
        crowd.start()
    while not all(crowd.is_done for crowd in crowds) or len(storm.count) < len(storm._faults()):
        storm.strike()
    lasted = time.monotonic() - began
    assert [failure for crowd in crowds for failure in crowd.failures] == []
    unfinished = "SELECT count(*) FROM jobs_job WHERE status IN ('queued', 'running')"
    waiting = (
        "SELECT count(*) FROM reports_schedule s WHERE NOT EXISTS "
        "(SELECT 1 FROM reports_occurrence o WHERE o.schedule_id = s.id)"
    )
    undecided = "SELECT count(*) FROM reports_delivery WHERE status NOT IN ('sent', 'unknown', 'failed')"

    def settled() -> bool:
        installation.revive()
        return all(installation.rows(query) == [(0,)] for query in (unfinished, waiting, undecided))

    wait_for("everything has come to its end", settled, seconds=SECONDS_TO_SETTLE)
    took = time.monotonic() - began

    figures = {
        "seconds of storm": round(lasted),
        "seconds in all": round(took),
        "faults": dict(sorted(storm.count.items())),
        "answers of the API": {str(status): count for status, count in sorted(said.statuses.items())},
        "connections that broke": said.broken,
        "runs": check_runs(installation, asked),
        "batches": check_batches(installation, answered),
        "mails": check_mails(installation, mail, schedules),
    }
    figures["attempts"] = dict(installation.rows("SELECT attempt::text, count(*) FROM jobs_job GROUP BY 1 ORDER BY 1"))
    (Path(os.environ.get("FAULTS_REPORT", tmp_path)) / "storm.json").write_text(json.dumps(figures, indent=2))


def load_journeys(program: Program) -> None:
    """The data that all questions are about: they do not change any more."""
    for path, rows in (
        (
            "/api/v1/touchpoints/",
            [
                {
                    "customer": f"c{customer}",
                    "occurred_at": f"2026-02-{1 + (customer * 3 + touch * 5) % 28:02}T10:00:00Z",
                    "channel": ("Search", "Social", "Email", "Display")[(customer + touch) % 4],
                }
                for customer in range(300)
                for touch in range(4)
            ],
        ),
        (
            "/api/v1/conversions/",
            [
                {
                    "customer": f"c{customer}",
                    "occurred_at": f"2026-03-{1 + customer % 28:02}T10:00:00Z",
                    "value": f"{20 + customer}.50",
                    "order_id": f"order {customer}",
                    "goal": "Purchase",
                }
                for customer in range(0, 300, 2)
            ],
        ),
    ):
        batch = program.post(path, {"rows": rows}, idempotency_key=path)
        ended = wait_for(f"{path} ends", partial(_ended, program, batch["url"]))
        assert ended is not None
        assert ended["status"] == "active", ended


def _ended(program: Program, url: str) -> dict[str, Any] | None:
    """The import at this address, once it has come to an end."""
    batch: dict[str, Any] = program.get(url)
    return None if batch["status"] in ("pending", "loading") else batch


def check_runs(installation: Installation, asked: dict[str, Any]) -> dict[str, int]:
    """Every question has one run, which is done, was computed to one result, and to the right one."""
    assert len(asked) == RUNS
    ids = {run["id"] for run in asked.values()}
    assert len(ids) == RUNS
    kept = installation.rows(
        "SELECT run.id::text, job.status, run.result IS NOT NULL, job.error FROM analyses_run run "
        "JOIN jobs_job job ON job.id = run.job_id WHERE run.kind = 'attribution'"
    )
    assert {row[0] for row in kept} == ids
    assert len(kept) == RUNS
    assert [row for row in kept if row[1:3] != ("done", True)] == []
    assert installation.ask("recompute", kind="attribution") == []
    return {"asked": RUNS, "done once": len(kept), "lost": 0, "doubled": 0}


def check_batches(installation: Installation, answered: dict[str, Any]) -> dict[str, int]:
    """Every batch that was acknowledged is one import, which counts, and its rows are there once."""
    assert len(answered) == BATCHES
    imports = installation.rows(
        "SELECT batch.status, batch.accepted, batch.duplicates FROM marketing_import batch "
        "JOIN accounts_workspace workspace ON workspace.id = batch.workspace_id WHERE workspace.slug LIKE 'data-%'"
    )
    assert Counter(imports) == Counter({("active", ROWS_OF_A_BATCH, 0): BATCHES})
    ((rows, distinct),) = installation.rows(
        "SELECT count(*), count(DISTINCT (source.workspace_id, campaign.name, touch.occurred_at)) "
        "FROM marketing_touchpoint touch JOIN marketing_trafficsource source ON source.id = touch.traffic_source_id "
        "JOIN marketing_campaign campaign ON campaign.id = source.campaign_id "
        "JOIN accounts_workspace workspace ON workspace.id = source.workspace_id WHERE workspace.slug LIKE 'data-%'"
    )
    assert (rows, distinct) == (BATCHES * ROWS_OF_A_BATCH,) * 2
    return {"acknowledged": len(answered), "imported once": len(imports), "lost": 0, "doubled": 0}


def check_mails(installation: Installation, mail: MailServer, schedules: list[str]) -> dict[str, int]:
    """Everybody got each report once at most; who may not have got it is on record as such."""
    assert len(schedules) == SCHEDULES
    rows = installation.rows(
        "SELECT report.name, delivery.email, delivery.status FROM reports_delivery delivery "
        "JOIN reports_occurrence occurrence ON occurrence.id = delivery.occurrence_id "
        "JOIN reports_schedule schedule ON schedule.id = occurrence.schedule_id "
        "JOIN reports_report report ON report.id = schedule.report_id WHERE delivery.purpose = 'report'"
    )
    assert len(rows) == SCHEDULES * RECIPIENTS
    states = {(name, email): status for name, email, status in rows}
    assert len(states) == len(rows)
    got = Counter((str(one.message["Subject"]).partition(":")[0], one.recipient) for one in mail.received)
    got = Counter({key: count for key, count in got.items() if key in states})
    assert set(got.values()) == {1}
    sent = [key for key, status in states.items() if status == "sent"]
    assert [key for key in sent if key not in got] == []
    doubtful = [key for key, status in states.items() if status == "unknown"]
    assert len(sent) + len(doubtful) == len(states)
    return {
        "due": len(rows),
        "arrived": len(got),
        "doubled": 0,
        "on record as doubtful": len(doubtful),
        "of these arrived": sum(key in got for key in doubtful),
    }
