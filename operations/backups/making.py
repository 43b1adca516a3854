"""Making a backup, while the product runs."""

import datetime as dt
import errno
import shutil
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.utils import timezone as clock

from operations.backups import archive, keys, media
from operations.backups.databases import Database, Snapshot
from operations.backups.folders import sync, working_folder
from operations.backups.manifest import Manifest
from operations.backups.postgresql import PostgreSQL
from operations.backups.problems import BackupError
from operations.backups.sqlite import SQLite
from operations.status.look import version

WORKING = ".mmm-backup"
SUFFIX = ".tar.zst"
FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that is on disk in full; `size`: of its file, in bytes."""

    path: Path
    size: int
    manifest: Manifest


def make_backup(*, to: Path) -> Backup:
    """Write a backup into a folder, under a name with its time, or to a file that is not there yet.

    The database comes first. A file is written before the row that tells of it, and removed after it: so each file
    that a row of this database tells of was there at its moment, and only what was removed since can be missing. The
    manifest names what is. Under its name the file is complete, and on disk; only its owner may read it. Raises
    BackupError.
    """
    made_at = clock.now()
    target = _target(to, made_at)
    try:
        with working_folder(target.parent / WORKING) as folder:
            draft = folder / f"archive{SUFFIX}"
            manifest = _write(draft, ours().snapshot(folder), made_at)
            sync(draft)
            if target.exists():
                raise BackupError(_is_there(target))
            draft.rename(target)
            sync(target.parent)
    except OSError as error:
        if error.errno in FULL:
            raise BackupError(f"The disk of {target.parent} is full. Nothing has been kept of this backup.") from error
        raise BackupError(f"The backup could not be written: {error}.") from error
    return Backup(target, target.stat().st_size, manifest)


def ours() -> Database:
    """The database of this installation."""
    if connection.vendor == "postgresql":
        return PostgreSQL()
    return SQLite()


def _target(to: Path, made_at: dt.datetime) -> Path:
    """Return the path of the backup. Raises BackupError where none can be."""
    to = to.resolve()
    target = to / f"mmm-{made_at:%Y%m%d-%H%M%S}Z{SUFFIX}" if to.is_dir() else to
    if not target.parent.is_dir():
        raise BackupError(f"There is no folder {target.parent}.")
    if target.is_relative_to(Path(settings.MEDIA_ROOT).resolve()):
        raise BackupError("A backup has to be outside MEDIA_ROOT: the next one would hold it.")
    if target.exists():
        raise BackupError(_is_there(target))
    return target


def _is_there(target: Path) -> str:
    return f"There is a file {target} already. Nothing is overwritten: choose another name, or name a folder."


def _write(draft: Path, snapshot: Snapshot, made_at: dt.datetime) -> Manifest:
    """Write database, files and manifest into the archive."""
    root, links = Path(settings.MEDIA_ROOT), list[str]()
    with archive.writing(draft) as writer:
        writer.add(archive.DATABASE, snapshot.dump)
        snapshot.dump.unlink()  # its room may be needed
        for name, path in media.kept_files(root, links):
            writer.add(archive.MEDIA + name, path)
        missing = snapshot.references - {name.removeprefix(archive.MEDIA) for name in writer.files}
        manifest = Manifest(
            product=version(),
            made_at=made_at.isoformat(),
            database=connection.vendor,
            server=snapshot.server,
            tool=snapshot.tool,
            migrations=snapshot.migrations,
            rows=snapshot.rows,
            keys=keys.fingerprints(),
            files=writer.files,
            missing=sorted(missing),
            links=sorted(links),
        )
        writer.close(manifest)
    return manifest


def room_on(folder: Path) -> int:
    """Bytes that are free on the disk of a folder, or of the nearest one above it that there is."""
    there = next(place for place in (folder, *folder.parents) if place.exists())
    return shutil.disk_usage(there).free
