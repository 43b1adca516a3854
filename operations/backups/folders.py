"""Folders in which a backup or a restore does its work, one at a time; what a killed one left there goes first."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from operations.backups.problems import BackupError


@contextmanager
def working_folder(path: Path) -> Iterator[Path]:
    """Make the folder (mode 0700), empty it, and remove it at the end. Raises BackupError if somebody works there."""
    path.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # ends with the process, however that ends
        except BlockingIOError as error:
            raise BackupError(f"Another backup or restore is at work in {path.parent}. Wait for its end.") from error
        try:
            empty(path)
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(descriptor)


def empty(folder: Path) -> None:
    """Remove all that is in a folder."""
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def sync(path: Path) -> None:
    """Have a file, or the names in a folder, on disk when this returns."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
