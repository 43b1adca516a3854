"""A production installation whose every process can be killed: by the same entry points as any other, on loopback."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings

from tests.faults.services import Postgres, Redis
from tests.smtp_server import free_port
from tests.stack.stacks import Stack, kill_group, wait_for

# Of each process that is under way at once: two of what has to bear company of its like.
PROCESSES = {"web": 1, "ticks": 1, "default": 2, "fits": 1, "beat": 2}


class Installation(Stack):
    """Web server, workers and schedulers as `deploy/run` starts them, each replaced when it has died."""

    def __init__(
        self, directory: Path, *, postgres: Postgres, redis: Redis, mail_port: int, disk_mb: int | None = 512
    ) -> None:
        super().__init__(directory)
        self.postgres, self.redis = postgres, redis
        self.port = free_port()
        self.env |= {
            "DATABASE_URL": postgres.url,
            "REDIS_URL": redis.url,
            "SECRET_KEY": "the secret of the faults, which a production installation has to be given",
            "STACK_REDIS_PREFIX": "faults:",
            "HTTPS": "false",
            "ALLOWED_HOSTS": "127.0.0.1",
            "WEB_BIND": f"127.0.0.1:{self.port}",
            "EMAIL_URL": f"smtp://127.0.0.1:{mail_port}",
            "MAILS_A_DAY": "100000",
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }
        self.processes: dict[str, list[subprocess.Popen[bytes]]] = {}
        # With `disk_mb` a file system of its own, so that it can be full; whoever is not root does without.
        media = directory / "media"
        media.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={disk_mb}m", "tmpfs", str(media)]
        self._mounted = disk_mb is not None and os.geteuid() == 0 and subprocess.run(mount, check=False).returncode == 0
        self.env["MEDIA_ROOT"] = str(media)
        self.log = (directory / "log").open("ab")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, *, migrated: bool = False) -> None:
        if not migrated:
            self.run("manage.py", "migrate", "--verbosity", "0")
        self.processes = {name: [self._start(name) for _ in range(count)] for name, count in PROCESSES.items()}
        self.wait_until_it_answers()

    def stop(self) -> None:
        self.close_client()
        for processes in self.processes.values():
            for process in processes:
                kill_group(process)
        self.log.close()
        if self._mounted:
            subprocess.run(["umount", "--lazy", self.env["MEDIA_ROOT"]], check=False)

    def memory(self) -> dict[str, float]:
        """How many MiB each process has with all that it has started, by its name and number."""
        occupied: Counter[int] = Counter()
        for place in Path("/proc").glob("[0-9]*"):
            try:
                group = int((place / "stat").read_text().rpartition(")")[2].split()[2])
                occupied[group] += int((place / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            except OSError:
                continue  # it has just ended
        return {
            f"{name} {number}" if PROCESSES[name] > 1 else name: occupied[process.pid] / 2**20
            for name, processes in self.processes.items()
            for number, process in enumerate(processes, 1)
        }

    def kill_worker(self) -> None:
        self.kill("default")

    def kill(self, name: str, index: int = 0) -> None:
        """Kill a process with SIGKILL, with all that it has started, and have another take its place at once."""
        kill_group(self.processes[name][index])
        self.revive()

    def revive(self) -> None:
        """Start again what has ended, as any supervisor does."""
        for name, processes in self.processes.items():
            for index, process in enumerate(processes):
                if process.poll() is not None:
                    processes[index] = self._start(name)

    @contextmanager
    def frozen(self, name: str, index: int = 0) -> Iterator[None]:
        """Stop a process in its tracks for the block; it does not know that time has passed."""
        process = self.processes[name][index]
        os.killpg(process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(process.pid, signal.SIGCONT)

    def ask(self, command: str, **options: object) -> Any:
        """Have a process of its own do something within the product, and return its answer."""
        done = subprocess.run(
            [sys.executable, "-m", "tests.faults.client", command],
            cwd=settings.BASE_DIR,
            env=self.env,
            input=json.dumps(options),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return json.loads(done.stdout)

    def wait_until_it_answers(self) -> None:
        wait_for("a page answers", self._answers)

    def rows(self, query: str) -> Sequence[tuple[Any, ...]]:
        with psycopg.connect(self.postgres.url) as connection:
            return connection.execute(query.encode()).fetchall()

    def _start(self, name: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            ["deploy/run", name],
            cwd=settings.BASE_DIR,
            env=self.env,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
        )

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz/", timeout=5) as response:
                return bool(response.status == 200)
        except OSError:
            return False
