"""A backup of PostgreSQL, restored into another database by another process, shows and computes what was lost."""

import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from psycopg import sql

from tests.operations import backup_world
from tests.stack.conftest import DATABASE_URL, require_services

pytestmark = pytest.mark.stack
PASSWORD = "a-password-that-no-command-line-may-show"  # the server on loopback trusts whoever asks
CreateDatabase = Callable[[str], str]
SAYS_ITS_ARGUMENTS = """#!{python}
import os, sys
open({log!r}, "a").write(" ".join(sys.argv) + "\\n")
os.execv({program!r}, sys.argv)
"""


@pytest.fixture
def create_database() -> Iterator[CreateDatabase]:
    """Make an empty database and return its address; all are dropped at the end."""
    require_services()
    names = []

    def create(name: str) -> str:
        name = f"mmm_backup_{name}_{os.getpid()}"
        with psycopg.connect(DATABASE_URL, autocommit=True) as server:
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        names.append(name)
        user, _, where = DATABASE_URL.rpartition("/")[0].rpartition("@")
        return f"{user}:{PASSWORD}@{where}/{name}"

    yield create
    with psycopg.connect(DATABASE_URL, autocommit=True) as server:
        for name in names:
            server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def run(arguments: list[str], *, url: str, data: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
    own = {"DATABASE_URL": url, "DATA_DIR": str(data), "SECRET_KEY": "the same", "DJANGO_SETTINGS_MODULE": SETTINGS}
    return subprocess.run(
        [sys.executable, *arguments],
        env=inherited | own | environment,
        cwd=settings.BASE_DIR,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )


SETTINGS = "mmm_project.settings"


def test_what_is_restored_is_what_was_lost(tmp_path: Path, create_database: CreateDatabase) -> None:
    first, second = create_database("first"), create_database("second")
    world = ["-m", backup_world.__name__]
    built = run([*world, "build", str(tmp_path)], url=first, data=tmp_path / "first", **watched(tmp_path))
    assert built.returncode == 0, built.stdout
    restored = run([*world, "restore", str(tmp_path)], url=second, data=tmp_path / "second", **watched(tmp_path))
    assert restored.returncode == 0, restored.stdout
    assert backup_world.differences(tmp_path) == {}
    with psycopg.connect(second) as connection:  # open to others again
        assert connection.execute("SHOW default_transaction_read_only").fetchone() == ("off",)
    called = (tmp_path / "arguments").read_text()
    assert "pg_dump" in called
    assert "--single-transaction" in called
    assert PASSWORD not in called

    archive = str(tmp_path / backup_world.ARCHIVE)
    again = run(["manage.py", "restore", "--from", archive], url=second, data=tmp_path / "third")
    assert again.returncode == 1
    assert "The database is not empty" in again.stdout
    into_sqlite = run(
        ["manage.py", "restore", "--from", archive], url=f"sqlite:///{tmp_path}/x.sqlite3", data=tmp_path / "third"
    )
    assert "This is a backup of PostgreSQL, and DATABASE_URL names SQLite." in into_sqlite.stdout


def watched(folder: Path) -> dict[str, str]:
    """A PATH on which the client programs of PostgreSQL first write down how they were called."""
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    for name in ("pg_dump", "pg_restore"):
        real = next(path for place in os.environ["PATH"].split(":") if (path := Path(place, name)).exists())
        script = programs / name
        script.write_text(
            SAYS_ITS_ARGUMENTS.format(python=sys.executable, log=str(folder / "arguments"), program=str(real))
        )
        script.chmod(stat.S_IRWXU)
    return {"PATH": f"{programs}:{os.environ['PATH']}"}


def test_a_restore_that_fails_leaves_nothing_behind(tmp_path: Path, create_database: CreateDatabase) -> None:
    first, second = create_database("whole"), create_database("empty")
    migrated = run(["manage.py", "migrate", "--verbosity", "0"], url=first, data=tmp_path / "a")
    assert migrated.returncode == 0, migrated.stdout
    archive = tmp_path / "backup.tar.zst"
    made = run(["manage.py", "backup", "--to", str(archive)], url=first, data=tmp_path / "a")
    assert made.returncode == 0, made.stdout
    command = ["manage.py", "restore", "--from", str(archive)]

    with psycopg.connect(second):
        in_use = run(command, url=second, data=tmp_path / "b")
    assert "The database is in use by 1 other connection." in in_use.stdout
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "pg_restore").write_text(
        '#!/bin/sh\ncase "$*" in *--version*) exec {} "$@";; esac\necho "the disk is full" >&2\nexit 1\n'.format(
            next(str(path) for place in os.environ["PATH"].split(":") if (path := Path(place, "pg_restore")).exists())
        )
    )
    (broken / "pg_restore").chmod(stat.S_IRWXU)
    failed = run(command, url=second, data=tmp_path / "b", PATH=f"{broken}:{os.environ['PATH']}")
    assert failed.returncode == 1
    assert "pg_restore failed: the disk is full" in failed.stdout
    assert not [*(tmp_path / "b" / "media").iterdir()]

    without = tmp_path / "without"
    without.mkdir()
    (without / "python").symlink_to(sys.executable)
    missing = run(command, url=second, data=tmp_path / "b", PATH=str(without))
    assert "pg_restore is not there. Install PostgreSQL's client programs of version" in missing.stdout
    whole = run(command, url=second, data=tmp_path / "b")  # after all of these, it is as empty and open as before
    assert whole.returncode == 0, whole.stdout
