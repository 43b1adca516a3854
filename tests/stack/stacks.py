"""The two ways to run the product, as processes that a test can start, watch and kill."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import redis
from django.conf import settings
from psycopg import sql

from tests.stack.slow_kind import diary, gate

T = TypeVar("T")
SECONDS_TO_WAIT = 60


def wait_for(what: str, look: Callable[[], T], *, seconds: float = SECONDS_TO_WAIT) -> T:
    """Look until there is something to see, and return it. Fails, saying what was missed, when that takes too long."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, f"After {seconds} seconds still not: {what}"
        time.sleep(0.05)
    return seen


class Stack(ABC):
    """A running installation with a database of its own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.env = {
            **{name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")},
            "DJANGO_SETTINGS_MODULE": "tests.stack.settings",
            "DATA_DIR": str(directory),
            "STACK_DIRECTORY": str(directory),
        }
        self._client: subprocess.Popen[str] | None = None

    @abstractmethod
    def start(self) -> None:
        """Create the database and start worker and scheduler."""

    @abstractmethod
    def stop(self) -> None:
        """Stop everything and remove the database."""

    @abstractmethod
    def kill_worker(self) -> None:
        """Kill the worker with SIGKILL and see to it that there will be another."""

    @abstractmethod
    def rows(self, query: str) -> Sequence[tuple[Any, ...]]:
        """Return the rows of an SQL query."""

    def spawn(self, *arguments: str, stdout: int | None = None, stderr: int | None = None) -> subprocess.Popen[bytes]:
        """Start Python with these arguments as a process group of its own."""
        command = [sys.executable, *arguments]
        return subprocess.Popen(
            command, cwd=settings.BASE_DIR, env=self.env, stdout=stdout, stderr=stderr, start_new_session=True
        )

    def run(self, *arguments: str) -> str:
        """Run Python with these arguments to its end and return what it printed."""
        command = [sys.executable, *arguments]
        return subprocess.run(
            command, cwd=settings.BASE_DIR, env=self.env, check=True, timeout=120, stdout=subprocess.PIPE, text=True
        ).stdout

    def client(self, command: str, *arguments: object, **options: object) -> Any:
        """Have the client do something and return its answer."""
        if self._client is None:
            self._client = subprocess.Popen(
                [sys.executable, "-m", "tests.stack.client"],
                cwd=settings.BASE_DIR,
                env=self.env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        assert self._client.stdin is not None
        assert self._client.stdout is not None
        self._client.stdin.write(f"{json.dumps([command, arguments, options])}\n")
        self._client.stdin.flush()
        return json.loads(self._client.stdout.readline())

    def close_client(self) -> None:
        if self._client is not None and self._client.returncode is None:
            self._client.communicate()

    def prepare_database(self) -> None:
        self.run("manage.py", "migrate", "--verbosity", "0")
        self.client("prepare")

    def open_gate(self, name: str) -> None:
        gate(self.directory, name).touch()

    def diary(self, name: str) -> list[str]:
        path = diary(self.directory, name)
        return path.read_text().split() if path.exists() else []

    def job(self, name: str) -> tuple[str, int, str]:
        """Status, attempt and error code of the question's job; fails if there are several."""
        runs = self.rows(
            "SELECT run.params, job.status, job.attempt, job.error_code "
            "FROM analyses_run run JOIN jobs_job job ON job.id = run.job_id"
        )
        (found,) = [row for row in runs if _as_json(row[0]).get("name") == name]
        return found[1], found[2], found[3]

    def fitted(self, seed: int) -> tuple[str, str, Any]:
        """Status and phase of the job that fits the media mix model with this seed, and its result."""
        runs = self.rows(
            "SELECT run.params, job.status, job.phase, run.result "
            "FROM analyses_run run JOIN jobs_job job ON job.id = run.job_id WHERE run.kind = 'weightings'"
        )
        (found,) = [row for row in runs if _as_json(row[0])["seed"] == seed]
        return found[1], found[2], None if found[3] is None else _as_json(found[3])

    def wait_until(self, name: str, status: str) -> None:
        wait_for(f"{name} {status}", lambda: self.job(name)[0] == status)


class Production(Stack):
    """PostgreSQL, Redis, a worker that forks, and a scheduler."""

    def __init__(self, directory: Path, *, database_url: str, redis_url: str, name: str = "stack") -> None:
        super().__init__(directory)
        self.server_url, self.redis_url = database_url, redis_url
        self.name = f"mmm_{name}_{os.getpid()}"
        self.url = f"{database_url.rpartition('/')[0]}/{self.name}"
        self.env |= {
            "DATABASE_URL": self.url,
            "REDIS_URL": redis_url,
            "SECRET_KEY": "the stack's secret, which a production installation has to be given",
            "STACK_REDIS_PREFIX": f"{self.name}:",
        }
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        with psycopg.connect(self.server_url, autocommit=True) as server:
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(self.name)))
        self.prepare_database()
        self.beat = self.start_beat()
        self.worker = self.start_worker()

    def start_worker(self) -> subprocess.Popen[bytes]:
        return self.celery("worker", "--pool", "prefork", "--concurrency", "2", "--without-mingle")

    def start_beat(self) -> subprocess.Popen[bytes]:
        return self.celery("beat", "--pidfile", "")

    def celery(self, *arguments: str) -> subprocess.Popen[bytes]:
        command = ("-m", "celery", "--app", "mmm_project", "--quiet", *arguments, "--loglevel", "ERROR")
        process = self.spawn(*command)
        self.processes.append(process)
        return process

    def kill_worker(self) -> None:
        kill_group(self.worker)
        self.worker = self.start_worker()

    def stop(self) -> None:
        self.close_client()
        for process in self.processes:
            kill_group(process)
        with psycopg.connect(self.server_url, autocommit=True) as server:
            server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(self.name)))
        with redis.Redis.from_url(self.redis_url) as broker:
            for key in broker.scan_iter(f"{self.name}:*"):
                broker.delete(key)

    def rows(self, query: str) -> Sequence[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(query.encode()).fetchall()


class Embedded(Stack):
    """`manage.py serve` alone: SQLite, and doorbells in files."""

    def start(self) -> None:
        self.prepare_database()
        self.port = _free_port()
        self.serve = self.spawn("manage.py", "serve", "--port", str(self.port), stdout=subprocess.PIPE)
        assert self.serve.stdout is not None
        assert f"http://127.0.0.1:{self.port}/" in self.serve.stdout.readline().decode()

    def worker_pids(self) -> list[int]:
        """The worker of quick jobs that `serve` has started, if it lives."""
        return [pid for pid in children_of(self.serve.pid) if b"\0worker\0--queues\0default\0" in _command_line(pid)]

    def kill_worker(self) -> None:
        (pid,) = wait_for("a worker", self.worker_pids)
        os.kill(pid, signal.SIGKILL)
        wait_for("another worker", lambda: set(self.worker_pids()) - {pid})

    def stop(self) -> None:
        self.close_client()
        self.serve.send_signal(signal.SIGTERM)
        try:
            assert self.serve.wait(timeout=30) == 0
            assert not _listens(self.port)
        finally:
            self.kill()

    def kill(self) -> None:
        """Kill `serve`, if it still runs, and with it its services."""
        self.close_client()
        self.serve.kill()
        self.serve.communicate()

    def rows(self, query: str) -> Sequence[tuple[Any, ...]]:
        connection = sqlite3.connect(self.directory / "db.sqlite3", timeout=20)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a process, unless it has ended, and those that it has started."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def children_of(pid: int) -> list[int]:
    """The process ids of the children of a process."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it has just ended
        return b""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _as_json(value: Any) -> Any:
    """PostgreSQL returns JSON columns as objects, SQLite as text."""
    return json.loads(value) if isinstance(value, str) else value
