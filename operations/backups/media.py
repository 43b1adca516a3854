"""The files below MEDIA_ROOT: which of them a backup keeps, which of them rows refer to, and putting them back."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from operations.backups.folders import sync
from operations.backups.problems import BackupError

Query = Callable[[str], Sequence[tuple[Any, ...]]]

# Built again when they are missing, or asked for again. All else is kept, so that no new kind of file is forgotten.
LEFT_OUT = frozenset({"snapshots", "exports", "export_files"})
DRAFT = ".draft"  # what is being written at this moment; no row refers to it
STAGING = ".restoring"
NOBODYS = frozenset({"lost+found", STAGING})  # of the file system, and of a restore that was killed
REFERENCES = (
    "SELECT stored_file FROM marketing_import WHERE file_removed_at IS NULL",
    "SELECT rejects_file FROM marketing_import WHERE file_removed_at IS NULL",
    "SELECT stored_file FROM marketing_upload WHERE batch_id IS NULL",
    "SELECT rejects_file FROM marketing_upload WHERE batch_id IS NULL",
    "SELECT artifact FROM analyses_run WHERE NOT void",
    "SELECT snapshot FROM reports_edition",
)


def kept_files(root: Path, links: list[str]) -> Iterator[tuple[str, Path]]:
    """Yield path below `root` and place of each file to keep; what is neither file nor folder is added to `links`.

    The folders directly below `root` may be links to other disks.
    """
    for top in sorted(root.iterdir()) if root.is_dir() else ():
        if top.name in LEFT_OUT or top.name in NOBODYS:
            continue
        if not top.is_dir():
            yield from _if_file(root, top, links)
        for folder, folders, names in os.walk(top):
            folders.sort()
            for name in sorted([*names, *(one for one in folders if Path(folder, one).is_symlink())]):
                yield from _if_file(root, Path(folder, name), links)


def _if_file(root: Path, path: Path, links: list[str]) -> Iterator[tuple[str, Path]]:
    if path.suffix == DRAFT:
        return
    name = path.relative_to(root).as_posix()
    if path.is_symlink() or not (path.is_file() or not path.exists()):
        links.append(name)
    else:
        yield name, path


def referred_to(query: Query) -> set[str]:
    """Return the paths below MEDIA_ROOT that rows of the database refer to."""
    return {str(name) for statement in REFERENCES for (name,) in query(statement) if name}


def require_empty(root: Path) -> None:
    """Raise BackupError unless there is nothing below MEDIA_ROOT."""
    if root.is_dir() and any(entry.name not in NOBODYS for entry in root.iterdir()):
        raise BackupError(
            f"MEDIA_ROOT, {root}, is not empty. Nothing is overwritten: move away what is in it, or set MEDIA_ROOT to "
            "another folder."
        )


def put_in_place(staged: Path, root: Path) -> None:
    """Move what was unpacked to where it belongs, on the same file system; all of it or nothing."""
    moved: list[Path] = []
    try:
        for entry in sorted(staged.iterdir()) if staged.is_dir() else ():
            moved.append(entry.rename(root / entry.name))  # noqa: PERF401 - what was moved is known if one fails
        sync(root)
    except BaseException:
        for entry in moved:
            entry.rename(staged / entry.name)
        raise
