"""Restoring a backup into an installation that is empty and stopped."""

import errno
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader

from operations.backups import archive, keys, media
from operations.backups.databases import LABELS, ask, row_counts
from operations.backups.folders import working_folder
from operations.backups.holding import Held, hold
from operations.backups.making import FULL, ours, room_on
from operations.backups.manifest import Manifest
from operations.backups.problems import BackupError


def verify(path: Path) -> Manifest:
    """Read a backup from end to end and hold all that is in it against its manifest. Raises BackupError."""
    return archive.read(path)


def restore(*, path: Path, with_other_keys: bool, say: Callable[[str], None] = lambda _sentence: None) -> Held:
    """Restore a backup: its files, then its database; return what is held back.

    Everything is verified before anything is written, and unpacked beside its place; the database, with older schemas
    migrated and mails held, goes live last. Raises BackupError; nothing is live then. `say`: told of each step.
    """
    root, database = Path(settings.MEDIA_ROOT), ours()
    media.require_empty(root)
    database.require_empty()
    say("Verifying the backup ...")
    manifest = verify(path)
    is_older = require_fits(manifest, with_other_keys=with_other_keys)
    database.require_ready(manifest.tool)
    if (room := room_on(root)) < manifest.bytes:
        raise BackupError(
            f"The disk of {root} has {room / 2**20:,.0f} MiB free; the backup needs {manifest.bytes / 2**20:,.0f}."
        )
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        with working_folder(root / media.STAGING) as folder:
            say("Unpacking ...")
            dump = database.place_for_dump(folder)
            try:
                archive.read(path, lambda name: dump if name == archive.DATABASE else folder / name)
                say("Restoring the database ...")
                with database.restored(dump):
                    _require_rows(manifest)
                    if is_older:
                        say("Bringing the database up to this version ...")
                        call_command("migrate", verbosity=0, interactive=False)
                    held = hold(manifest)
                    media.put_in_place(folder / archive.MEDIA, root)
            finally:
                dump.unlink(missing_ok=True)
    except OSError as error:
        if error.errno in FULL:
            raise BackupError("A disk is full. Make room, and restore again.") from error
        if error.errno == errno.EACCES:
            raise BackupError(
                f"{error.filename} may not be written. Restore as the user that the product runs as."
            ) from error
        raise BackupError(f"The backup could not be restored: {error}.") from error
    except DatabaseError as error:
        raise BackupError(f"The backup could not be restored: the database says {error}.") from error
    return held


def require_fits(manifest: Manifest, *, with_other_keys: bool) -> bool:
    """Return whether the backup's schema is older than this version's.

    Raises BackupError for one of another kind of database, of a newer schema, or made under other keys.
    """
    if manifest.database != connection.vendor:
        here = LABELS.get(connection.vendor, connection.vendor)
        raise BackupError(
            f"This is a backup of {LABELS.get(manifest.database, manifest.database)}, and DATABASE_URL names {here}. "
            "Restore it into a database of its own kind."
        )
    loader = MigrationLoader(None)
    known = set(loader.disk_migrations) | {old for one in loader.disk_migrations.values() for old in one.replaces}
    applied = {(app, name) for app, names in manifest.migrations.items() for name in names}
    if newer := sorted(applied - known):
        app, name = newer[0]
        raise BackupError(
            f"This backup was made by a newer version of the product, {manifest.product}: this one does not know the "
            f"migration {app}.{name}. Install that version first."
        )
    if (others := keys.others(manifest.keys)) and not with_other_keys:
        raise BackupError(
            f"This backup was made under {'another' if len(others) == 1 else 'other values of'} {', '.join(others)}. "
            "Set the keys of that installation (without SECRET_KEY, that is DATA_DIR/secret_key), or add "
            "--with-other-keys and lose what docs/backups.md lists."
        )
    return bool(set(loader.disk_migrations) - applied)


def _require_rows(manifest: Manifest) -> None:
    """Raise BackupError unless each table holds as many rows as when the backup was made."""
    restored = row_counts(ask, connection.vendor)
    for table in sorted(manifest.rows.keys() | restored):
        before, now = manifest.rows.get(table), restored.get(table)
        if before != now:
            raise BackupError(f"The table {table} holds {now} rows, and {before} when the backup was made.")
