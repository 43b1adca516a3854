"""The files that uploads and imports keep below MEDIA_ROOT, under names that say nothing of their contents."""

import hashlib
import uuid
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

from django.conf import settings

from mmm_project.problems import FileTooLarge

FOLDER = "imports"
COPIED_AT_ONCE = 2**20
LONGEST_SUFFIX = 10
LONGEST_NAME = 255
IS_GONE = "The file is no longer kept here. Upload it again."


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file as it was kept: `stored` is its path below MEDIA_ROOT, `checksum` its SHA-256 in hexadecimal."""

    stored: str
    size: int
    checksum: str


def keep(file: IO[bytes], *, workspace_id: int, name: str) -> KeptFile:
    """Copy the file to a random name of the workspace's own. Raises FileTooLarge; what was copied is then removed."""
    target = place_for(workspace_id=workspace_id, suffix=_suffix(name))
    digest, size = hashlib.sha256(), 0
    try:
        with target.open("xb") as copy:
            while block := file.read(COPIED_AT_ONCE):
                size += len(block)
                if size > settings.MAX_FILE_BYTES:
                    raise FileTooLarge
                digest.update(block)
                copy.write(block)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return KeptFile(stored_name(target), size, digest.hexdigest())


def place_for(*, workspace_id: int, suffix: str) -> Path:
    """Return a path that nobody uses yet, in the workspace's folder, which is made if need be."""
    folder = folder_of(workspace_id)
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{uuid.uuid4().hex}{suffix}"


def folder_of(workspace_id: int) -> Path:
    """Return the folder of the files that the workspace's uploads and imports keep."""
    return Path(settings.MEDIA_ROOT) / FOLDER / str(workspace_id)


def path_of(stored: str) -> Path:
    """Return where the file of an upload or import is."""
    return Path(settings.MEDIA_ROOT) / stored


def stored_name(path: Path) -> str:
    """Return the path below MEDIA_ROOT, as the database keeps it."""
    return str(path.relative_to(Path(settings.MEDIA_ROOT)))


def rejects_of(stored: str) -> str:
    """Return the path below MEDIA_ROOT of the rejected rows of a stored file."""
    return f"{stored}.rejects.csv"


def remove(*stored: str) -> None:
    """Remove the files, as far as they are there."""
    for name in filter(None, stored):
        path_of(name).unlink(missing_ok=True)


def shown_name(name: str) -> str:
    """Return the last part of the name that a program gave to a file, without its folders and unprintable characters.

    The name is only shown: no path is ever made of it.
    """
    last = PurePosixPath(PureWindowsPath(name).as_posix()).name
    printable = "".join(character for character in last if character.isprintable()).strip()
    return printable[-LONGEST_NAME:] or "unnamed"


def _suffix(name: str) -> str:
    """Keep the ending, which tells people who look into the folder what they see, if it is a plain one."""
    suffix = PurePosixPath(name).suffix.lower()
    return suffix if suffix[1:].isascii() and suffix[1:].isalnum() and len(suffix) <= LONGEST_SUFFIX else ""
