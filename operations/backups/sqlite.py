"""SQLite: copied page by page while others write, and put in place by renaming."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from django.db import connection

from operations.backups.databases import Database, Snapshot, snapshot_of
from operations.backups.folders import sync
from operations.backups.problems import BackupError

STAGED = ".restoring"
BESIDE = ("-wal", "-shm", "-journal")


class SQLite(Database):
    """A file, and its write-ahead log beside it."""

    HINT = "move its file away, or let DATABASE_URL name another one."

    def snapshot(self, folder: Path) -> Snapshot:
        dump = folder / "database.sqlite3"
        os.close(os.open(dump, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with closing(sqlite3.connect(dump)) as copy:
            try:
                # Not read-only: that cannot open a write-ahead log whose index is yet to be made.
                with closing(sqlite3.connect(f"file:{quote(self._name())}?mode=rw", uri=True, timeout=20)) as source:
                    source.backup(copy)  # all pages in one read transaction: writers go on, and it is one moment's
                copy.execute("PRAGMA journal_mode=DELETE")  # one file, with nothing beside it
            except sqlite3.Error as error:
                raise BackupError(f"The database {self._name()} could not be copied: {error}.") from error
            return snapshot_of(
                lambda statement: copy.execute(statement).fetchall(), "sqlite", dump=dump, server=sqlite3.sqlite_version
            )

    def require_ready(self, tool: str) -> None:
        """Who has an empty file open cannot be seen, and no program is needed."""

    def place_for_dump(self, folder: Path) -> Path:  # noqa: ARG002 - it has to be on the database's file system
        place = Path(self._name() + STAGED)
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _remove(place)  # of a restore that was killed
        return place

    @contextmanager
    def restored(self, dump: Path) -> Iterator[None]:
        name = self._name()
        connection.close()
        connection.settings_dict["NAME"] = str(dump)
        try:
            yield
            connection.close()  # the last one writes the log into the file
            sync(dump)
            for suffix in BESIDE:
                Path(name + suffix).unlink(missing_ok=True)  # an empty database's: it must not meet another one
            dump.replace(name)
            sync(dump.parent)
        finally:
            connection.close()
            connection.settings_dict["NAME"] = name
            _remove(dump)

    def _name(self) -> str:
        return str(connection.settings_dict["NAME"])


def _remove(path: Path) -> None:
    for suffix in ("", *BESIDE):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
