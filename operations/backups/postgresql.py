"""PostgreSQL: its own pg_dump and pg_restore, which never see the password on their command line."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import DatabaseError, connection, transaction
from django.db.backends.postgresql.client import DatabaseClient

from operations.backups.databases import Database, Snapshot, ask, snapshot_of
from operations.backups.problems import BackupError

HALF_PREPARED = (
    "The database holds what was restored, but is not ready for use, and has been left read-only: drop it, create it "
    "again, and start once more."
)


class PostgreSQL(Database):
    """A database on a server, which the client programs of PostgreSQL reach as Django does."""

    HINT = "create another database, and let DATABASE_URL name it."

    def snapshot(self, folder: Path) -> Snapshot:
        server = _server()
        tool = _tool("pg_dump", at_least=_major(server))
        dump = folder / "database.dump"
        os.close(os.open(dump, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with transaction.atomic():
            ask_nothing("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            ask_nothing("SET LOCAL statement_timeout = 0")
            ask_nothing("SET LOCAL idle_in_transaction_session_timeout = 0")  # it waits for pg_dump
            ((moment,),) = ask("SELECT pg_export_snapshot()")
            # Not compressed: the archive is, and better.
            options = ("--format=custom", "--compress=0", f"--snapshot={moment}", f"--file={dump}")
            _run("pg_dump", *options)
            return snapshot_of(ask, "postgresql", dump=dump, server=server, tool=tool)

    def require_ready(self, tool: str) -> None:
        _tool("pg_restore", at_least=max(_major(tool), _major(_server())))
        statement = (
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() AND usesysid IS NOT NULL"
        )
        ((others,),) = ask(statement)
        if others:
            raise BackupError(
                f"The database is in use by {others} other connection{'s' * (others != 1)}. Stop web processes, "
                "workers and schedulers first, and whatever else is connected to it."
            )

    def place_for_dump(self, folder: Path) -> Path:
        return folder / "database.dump"

    @contextmanager
    def restored(self, dump: Path) -> Iterator[None]:
        _let_others_write(False)
        try:
            options = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges")
            _run("pg_restore", *options, str(dump))
        except BaseException:
            _let_others_write(True)  # nothing has been restored
            raise
        try:
            ask_nothing("ANALYZE")  # without it, the planner knows nothing of these tables
            yield
        except BackupError as error:
            raise BackupError(f"{error} {HALF_PREPARED}") from error
        except Exception as error:
            raise BackupError(f"{type(error).__name__}: {error} {HALF_PREPARED}") from error
        _let_others_write(True)


def ask_nothing(statement: str) -> None:
    """Carry out a statement that has no answer."""
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _let_others_write(allowed: bool) -> None:
    """Let sessions that begin from now on change the database, or not; the one of this process may.

    Until a restore is through, no worker that somebody starts too early sends what it finds.
    """
    name = connection.ops.quote_name(str(connection.settings_dict["NAME"]))
    try:
        if allowed:
            ask_nothing(f"ALTER DATABASE {name} RESET default_transaction_read_only")
        else:
            ask_nothing("SET default_transaction_read_only = off")
            ask_nothing(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    except DatabaseError as error:
        raise BackupError(f"The user of DATABASE_URL has to own the database {name}: {error}") from error


def _run(program: str, *options: str) -> None:
    """Run a client program on the database of Django's connection. Raises BackupError with what it said."""
    arguments, environment = DatabaseClient.settings_to_cmd_args_env(connection.settings_dict, [])
    *where, name = arguments[1:]
    environment = {**os.environ, **(environment or {}), "PGCONNECT_TIMEOUT": "20", "LC_MESSAGES": "C"}
    environment["PGOPTIONS"] = f"{environment.get('PGOPTIONS', '')} -c default_transaction_read_only=off".strip()
    command = [_path_of(program), *where, f"--dbname={name}", "--no-password", *options]
    done = subprocess.run(  # noqa: S603 - a program of PostgreSQL's, without a shell
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        said = " ".join(done.stderr.split())[:1000] or f"it ended with status {done.returncode}"
        raise BackupError(f"{program} failed: {said}")


def _server() -> str:
    ((version,),) = ask("SHOW server_version")
    return str(version)


def _tool(program: str, *, at_least: int) -> str:
    """Return the version of a client program. Raises BackupError if it is not there, or too old."""
    package = (
        f"Install PostgreSQL's client programs of version {at_least} or newer (Debian: postgresql-client-{at_least})."
    )
    if shutil.which(program) is None:
        raise BackupError(f"{program} is not there. {package}")
    command = [_path_of(program), "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - as above
    version = done.stdout.strip().partition(" (PostgreSQL) ")[2].partition(" ")[0]
    if not version or _major(version) < at_least:
        raise BackupError(f"{program} is of version {version or 'unknown'}, which is too old. {package}")
    return version


def _path_of(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        raise BackupError(f"{program} is not there.")
    return path


def _major(version: str) -> int:
    found = re.match(r"\d+", version)
    return int(found[0]) if found else 0
