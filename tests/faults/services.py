"""A PostgreSQL and a Redis of one's own on loopback, to be killed and started again as a test likes."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import redis

from tests.smtp_server import free_port
from tests.stack.stacks import wait_for

SECONDS_TO_START = 60


class Service(ABC):
    """A server process that is started, killed and started again on one port."""

    def __init__(self) -> None:
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = self._spawn()
        wait_for(f"{type(self).__name__} answers", self.answers, seconds=SECONDS_TO_START)

    @contextmanager
    def away(self) -> Iterator[None]:
        """Have it killed for the block, and started again afterwards."""
        self.kill()
        try:
            yield
        finally:
            self.start()

    def kill(self) -> None:
        """Kill the server, and with it its own processes."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    @abstractmethod
    def answers(self) -> bool:
        """Whether it does what it is for."""

    @abstractmethod
    def _spawn(self) -> subprocess.Popen[bytes]: ...


class Postgres(Service):
    """A cluster in a temporary directory. Killed, it recovers from its log when it is started, as after a power cut."""

    def __init__(self) -> None:
        super().__init__()
        self._programs = _programs_of_postgres()
        # The server refuses to run as root.
        self._user = "postgres" if os.geteuid() == 0 else None
        self.directory = Path(tempfile.mkdtemp(prefix="faults-postgres-"))
        if self._user is not None:
            shutil.chown(self.directory, self._user)
        self._run(
            "initdb",
            "--pgdata",
            str(self.directory),
            "--username",
            "mmm",
            "--auth",
            "trust",
            "--no-locale",
            "-E",
            "UTF8",
        )

    @property
    def url(self) -> str:
        return f"postgres://mmm@127.0.0.1:{self.port}/postgres"

    def answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def kill(self) -> None:
        """Kill the server as a crash would; its processes notice, and go, within a moment."""
        super().kill()
        (self.directory / "postmaster.pid").unlink(missing_ok=True)
        wait_for("its processes have gone", lambda: not _processes_in(self.directory))

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _spawn(self) -> subprocess.Popen[bytes]:
        settings = {
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": "200",
            "log_min_messages": "fatal",
        }
        options = [option for name, value in settings.items() for option in ("-c", f"{name}={value}")]
        command = [str(self._programs / "postgres"), "-D", str(self.directory), *options]
        return subprocess.Popen(command, user=self._user, stderr=subprocess.DEVNULL, start_new_session=True)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        subprocess.run(command, user=self._user, check=True, stdout=subprocess.DEVNULL, cwd=self.directory)


class Redis(Service):
    """A server that keeps nothing: killed and started again, it is empty."""

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_connect_timeout=1) as server:
                return bool(server.ping())
        except redis.RedisError:
            return False

    def flush(self) -> None:
        """Have it forget everything."""
        with redis.Redis.from_url(self.url) as server:
            server.flushall()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def _spawn(self) -> subprocess.Popen[bytes]:
        program = shutil.which("redis-server")
        if program is None:
            pytest.fail("These tests start Redis: install redis-server.", pytrace=False)
        options = ("--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
        return subprocess.Popen([program, *options], stdout=subprocess.DEVNULL, start_new_session=True)


def _programs_of_postgres() -> Path:
    """The directory of the newest PostgreSQL server that is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if on_path := shutil.which("postgres"):
        found.append(Path(on_path))
    if not found:
        pytest.fail("These tests start PostgreSQL: install postgresql.", pytrace=False)
    if os.geteuid() == 0:
        try:
            pwd.getpwnam("postgres")
        except KeyError:
            pytest.fail("PostgreSQL does not run as root: these tests need a user called postgres.", pytrace=False)
    return found[-1].parent


def _processes_in(directory: Path) -> list[int]:
    """The processes that work in this directory."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if (place / "cwd").readlink() == directory:
                found.append(int(place.name))
        except OSError:
            continue  # it has just ended
    return found


def pause(seconds: float) -> None:
    """Let time pass between two faults: the length of an outage is part of what is tested."""
    time.sleep(seconds)
