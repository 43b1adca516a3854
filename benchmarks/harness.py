"""What every benchmark shares: a scratch database, steps in child processes, and a description of the machine.

A benchmark is a module of this package with a function `run(database) -> list[Measurement]`. It measures in *steps*,
functions without arguments that run in a child process each, with Django set up on the scratch database:

    STEPS = {"build": build}                      # what a child can be asked for
    def run(database): ...run_step(__name__, "build", environment)...
    if __name__ == "__main__": serve_step(STEPS)
"""

import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias
from urllib.parse import urlsplit, urlunsplit

Database: TypeAlias = Literal["sqlite", "postgresql"]
Step: TypeAlias = Callable[[], dict[str, float]]

ROOT = Path(__file__).resolve().parent.parent
ROWS = int(os.environ.get("BENCH_ROWS", "10_000_000"))
POSTGRES_URL = os.environ.get("BENCH_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/mmm_bench")
PEAK = "peak_mib"


@dataclass(frozen=True, slots=True)
class Measurement:
    """One figure; `at_most` or `at_least` is the target, if there is one."""

    what: str
    value: float
    unit: str
    at_most: float | None = None
    at_least: float | None = None

    @property
    def verdict(self) -> str:
        if self.at_most is None and self.at_least is None:
            return ""
        met = (self.at_most is None or self.value <= self.at_most) and (
            self.at_least is None or self.value >= self.at_least
        )
        return "met" if met else "MISSED"


def obstacle(database: Database) -> str | None:
    """Why nothing can be measured on this database, if so, and what to do."""
    import psycopg

    if database == "sqlite":
        return None
    try:
        _on_postgres_server("SHOW server_version")
    except psycopg.OperationalError as error:
        return f"PostgreSQL does not answer at BENCH_DATABASE_URL ({POSTGRES_URL}): {error}. Use --database sqlite?"
    return None


@contextmanager
def scratch(database: Database) -> Iterator[dict[str, str]]:
    """The environment of child processes that work on an empty database and media folder of their own."""
    data_dir = Path(os.environ.get("DATA_DIR", ROOT / "var"))
    data_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=data_dir) as folder:
        environment = os.environ | {"DATA_DIR": folder, "MEDIA_ROOT": f"{folder}/media"}
        environment["DATABASE_URL"] = f"sqlite:///{folder}/db.sqlite3" if database == "sqlite" else POSTGRES_URL
        environment.pop("REDIS_URL", None)
        if database == "postgresql":
            _recreate_postgres()
        try:
            run_step("benchmarks.harness", "migrate", environment)
            yield environment
        finally:
            if database == "postgresql":
                _on_postgres_server('DROP DATABASE IF EXISTS "{name}"')


def _recreate_postgres() -> None:
    _on_postgres_server('DROP DATABASE IF EXISTS "{name}"')
    _on_postgres_server('CREATE DATABASE "{name}"')


def _on_postgres_server(statement: str) -> str:
    import psycopg

    url = urlsplit(POSTGRES_URL)
    server = urlunsplit(url._replace(scheme="postgresql", path="/postgres"))
    with psycopg.connect(server, autocommit=True) as connection:
        cursor = connection.execute(statement.format(name=url.path.lstrip("/")).encode())
        return str(cursor.fetchone()[0]) if cursor.description else ""  # type: ignore[index]


def run_step(module: str, step: str, environment: Mapping[str, str]) -> dict[str, float]:
    """Run a step in a child process; return its figures, among them its peak memory in MiB (`PEAK`)."""
    done = subprocess.run(
        [sys.executable, "-m", module, step], cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def serve_step(steps: Mapping[str, Step]) -> None:
    """The child's part of `run_step`."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mmm_project.settings")
    import django

    django.setup()
    figures = steps[sys.argv[1]]()
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # pages of memory maps count, too
    print(json.dumps(figures | {PEAK: peak_kib / 1024}))


def migrate() -> dict[str, float]:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    return {}


def machine(database: Database) -> dict[str, Any]:
    """What the figures were measured on."""
    import sqlite3

    cpu_lines = Path("/proc/cpuinfo").read_text().splitlines()
    memory_kib = int(Path("/proc/meminfo").read_text().split()[1])
    version = sqlite3.sqlite_version if database == "sqlite" else _on_postgres_server("SHOW server_version")
    return {
        "cpu": next((line.split(":")[1].strip() for line in cpu_lines if line.startswith("model name")), "unknown"),
        "cores": os.cpu_count(),
        "memory_gib": round(memory_kib / 2**20, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "database": f"{database} {version}",
    }


if __name__ == "__main__":
    serve_step({"migrate": migrate})
