"""`manage.py stack`: the processes of deploy/, on PostgreSQL and Redis, as a production installation runs them."""

import json
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from tests.stack.conftest import DATABASE_URL, REDIS_URL, require_services
from tests.stack.stacks import Production, children_of, wait_for
from tests.stack.test_serve import is_alive

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("commands")]
PROBE = "the token of the probe"
LARGE = ("admin", "rest_framework", "redoc", "swagger-ui*.js", "*.js.map")  # files that no page here needs


class Supervised(Production):
    """A production installation whose processes `manage.py stack` starts."""

    def start(self) -> None:
        with psycopg.connect(self.server_url, autocommit=True) as server:
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(self.name)))
        self.env |= {"HTTPS": "false", "WEB_PROCESSES": "2", "HEARTBEAT_FILE": str(self.directory / "alive")}
        self.env |= {"ALLOWED_HOSTS": "localhost,127.0.0.1", "METRICS_TOKEN": PROBE, "TMPDIR": str(self.directory)}
        self.prepare_database()
        self.run("manage.py", "collectstatic", "--no-input", "--verbosity", "0", *_ignoring(*LARGE))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.log = self.directory / "log"
        with self.log.open("wb") as log:
            command = ["manage.py", "stack", "--port", str(self.port)]
            self.stack = self.spawn(*command, stdout=subprocess.PIPE, stderr=log.fileno())
        self.processes.append(self.stack)
        assert self.stack.stdout is not None
        assert f"http://127.0.0.1:{self.port}/" in self.stack.stdout.readline().decode()

    def stop(self) -> None:
        """See that SIGTERM stops all processes in good order, and leaves nothing of theirs behind."""
        try:
            if self.processes:
                self._stop_processes()
        finally:
            super().stop()

    def _stop_processes(self) -> None:
        children = children_of(self.stack.pid)
        self.stack.send_signal(signal.SIGTERM)
        self.stack.communicate(timeout=30)
        assert (len(children), self.stack.returncode) == (5, 0)
        assert not any(map(is_alive, children))
        assert not list(self.directory.glob("mmm-metrics-*"))

    def get(self, path: str, **headers: str) -> str:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers=headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return str(answer.read().decode())

    def metric(self, line: str) -> float:
        """The value of the metric with these labels; 0 where there is none yet."""
        found = [
            told for told in self.get("/metrics", Authorization=f"Bearer {PROBE}").splitlines() if told.startswith(line)
        ]
        return float(found[0].rpartition(" ")[2]) if found else 0.0

    def lines(self) -> list[dict[str, object]]:
        """What the processes have logged; each line has to be JSON."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]


def _ignoring(*patterns: str) -> list[str]:
    return [word for pattern in patterns for word in ("--ignore", pattern)]


@pytest.fixture(scope="module")
def supervised(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Supervised]:
    require_services()
    directory = tmp_path_factory.mktemp("supervised")
    supervised = Supervised(directory, database_url=DATABASE_URL, redis_url=REDIS_URL, name="supervised")
    try:
        supervised.start()
        yield supervised
    finally:
        supervised.stop()


def test_a_worker_of_each_queue_and_a_scheduler_are_heard_of(supervised: Supervised) -> None:
    assert supervised.get("/healthz/") == supervised.get("/healthz/live/") == "ok"
    for metric in (*(f'mmm_workers{{queue="{name}"}}' for name in ("ticks", "default", "fits")), "mmm_schedulers"):
        wait_for(metric, lambda metric=metric: supervised.metric(metric) == 1)  # type: ignore[misc]
    assert supervised.metric("mmm_database_up") == supervised.metric("mmm_redis_up") == 1
    assert (supervised.directory / "alive").exists()


def test_what_is_asked_for_is_done(supervised: Supervised) -> None:
    supervised.client("ask", "by the stack")
    supervised.open_gate("by the stack")
    supervised.wait_until("by the stack", "done")


def test_both_web_processes_count_into_one_sum_and_log_json(supervised: Supervised) -> None:
    counted = 'mmm_http_requests_total{method="GET",route="account_login",status="2xx"}'
    before = supervised.metric(counted)
    ids = [f"request-{number}" for number in range(20)]
    for request_id in ids:
        supervised.get("/accounts/login/", **{"X-Request-ID": request_id, "Connection": "close"})
    assert supervised.metric(counted) == before + 20
    lines = [line for line in supervised.lines() if line["logger"] == "operations.requests"]
    assert {line["request_id"] for line in lines if line["route"] == "account_login"} >= set(ids)
    assert any(line["logger"] == "gunicorn.error" for line in supervised.lines())
