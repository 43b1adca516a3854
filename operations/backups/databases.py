"""What backups ask of a database, whichever kind it is."""

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from django.db import connection

from operations.backups.media import Query, referred_to
from operations.backups.problems import BackupError

LABELS = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The database of one moment: `dump`, a file of it, and what it holds.

    `migrations`: app -> those applied, in order. `rows`: table -> how many. `references`: the paths below MEDIA_ROOT
    that rows refer to. `server`: its version. `tool`: the version of pg_dump; "" for SQLite.
    """

    dump: Path
    migrations: dict[str, list[str]]
    rows: dict[str, int]
    references: set[str]
    server: str
    tool: str


class Database(ABC):
    """The database of this installation. `HINT`: what to do where it is not empty."""

    HINT: ClassVar[str]

    @abstractmethod
    def snapshot(self, folder: Path) -> Snapshot:
        """Write it into a file in the folder, while others go on writing to it. Raises BackupError."""

    def require_empty(self) -> None:
        """Raise BackupError if it holds any table."""
        with connection.cursor() as cursor:
            tables = connection.introspection.table_names(cursor, include_views=True)
        if tables:
            raise BackupError(
                f"The database is not empty: it holds tables, such as {tables[0]}. Nothing is overwritten: {self.HINT}"
            )

    @abstractmethod
    def require_ready(self, tool: str) -> None:
        """Raise BackupError unless nobody uses it, and what `tool` wrote can be read here."""

    @abstractmethod
    def place_for_dump(self, folder: Path) -> Path:
        """Return where to unpack the dump to; `folder` holds what else is being restored."""

    @abstractmethod
    def restored(self, dump: Path) -> AbstractContextManager[None]:
        """Within the block, Django's connection is to what the dump holds; nobody else can change it before its end.

        If the block raises, nothing goes live.
        """


def ask(statement: str) -> list[tuple[object, ...]]:
    """Return the rows of a query to the database that Django is connected to."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def snapshot_of(query: Query, kind: str, *, dump: Path, server: str, tool: str = "") -> Snapshot:
    """Say what the moment holds whose rows `query` asks. Raises BackupError if that is nothing."""
    rows = row_counts(query, kind)
    if "django_migrations" not in rows:
        raise BackupError("The database is empty: there is nothing to back up. See that DATABASE_URL is right.")
    migrations: dict[str, list[str]] = {}
    for app, name in query("SELECT app, name FROM django_migrations ORDER BY id"):
        migrations.setdefault(str(app), []).append(str(name))
    return Snapshot(
        dump=dump, migrations=migrations, rows=rows, references=referred_to(query), server=server, tool=tool
    )


def row_counts(query: Query, kind: str) -> dict[str, int]:
    """Return how many rows each table holds."""
    tables = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
        "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()",
    }[kind]
    count = 'SELECT count(*) FROM "{}"'
    names = sorted(str(name) for (name,) in query(tables))
    return {name: int(query(count.format(name.replace('"', '""')))[0][0]) for name in names}
