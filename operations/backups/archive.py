"""The one file that a backup is: a tar of the database, the files and the manifest, compressed by Zstandard.

It is written and read in one pass and in small pieces, so that memory does not grow with it. `tar --zstd -tf` lists it.
"""

import hashlib
import io
import os
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from operations.backups.manifest import Entry, Manifest, from_json, to_json
from operations.backups.problems import BackupError

DATABASE = "database"
MEDIA = "media/"
MANIFEST = "manifest.json"
LARGEST_MANIFEST = 512 * 2**20
AT_ONCE = 2**20
NO_BACKUP = "{} is not a backup of this product, or it is damaged or cut off: {}."

Place = Callable[[str], Path | None]


class Writer:
    """Adds files to an archive; `files`: those added so far."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self.files: dict[str, Entry] = {}

    def add(self, name: str, path: Path) -> bool:
        """Copy a file into the archive; False where there is none any more. Raises BackupError if it shrinks."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            return False
        with os.fdopen(descriptor, "rb") as file:
            size = os.fstat(descriptor).st_size
            reader = _Hashing(file, path)
            self._put(name, size, reader)
        self.files[name] = Entry(size, reader.digest.hexdigest())
        return True

    def close(self, manifest: Manifest) -> None:
        """Add the manifest: without it, an archive is none."""
        text = to_json(manifest)
        self._put(MANIFEST, len(text), io.BytesIO(text))

    def _put(self, name: str, size: int, file: "IO[bytes] | _Hashing") -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mode = size, 0o600
        self._tar.addfile(info, file)  # type: ignore[arg-type]  # it only reads
        self._tar.members.clear()  # type: ignore[attr-defined]  # it would remember each of them


class _Hashing:
    """A file that is read once, and hashed meanwhile."""

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self.digest, self._file, self._path = hashlib.sha256(), file, path

    def read(self, size: int) -> bytes:
        block = self._file.read(size)
        if len(block) < size:
            raise BackupError(f"{self._path} was cut off while it was read. Make the backup again.")
        self.digest.update(block)
        return block


@contextmanager
def writing(path: Path) -> Iterator[Writer]:
    """Write an archive that only its owner may read; it is on disk when the block ends. `path`: of no file yet."""
    import pyarrow as pa  # Zstandard; only where a backup is at work

    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with (
        pa.OSFile(str(path), "wb") as file,
        pa.CompressedOutputStream(file, "zstd") as stream,
        tarfile.open(fileobj=stream, mode="w|", bufsize=AT_ONCE, format=tarfile.PAX_FORMAT) as tar,
    ):
        yield Writer(tar)


def read(path: Path, place: Place = lambda _name: None) -> Manifest:
    """Read all of an archive, and hold every file against the manifest, which is returned.

    `place`: name -> where to write the file to; None to look at it only. Raises BackupError for what is no backup, is
    damaged or cut off, or holds anything but plain files under the names that backups have.
    """
    try:
        path.open("rb").close()
    except OSError as error:
        raise BackupError(f"{path} cannot be read: {error.strerror}.") from error
    found: dict[str, Entry] = {}
    text = b""
    for name, size, file in _members(path):
        if text:
            raise BackupError(NO_BACKUP.format(path, "something follows its list of contents"))
        if name in found:
            raise BackupError(NO_BACKUP.format(path, f"it holds {name!r} twice"))
        if name != MANIFEST:
            found[name] = _copy(_pieces(file, path), place(name))
        elif size <= LARGEST_MANIFEST:
            text = b"".join(_pieces(file, path))
        else:
            raise BackupError(NO_BACKUP.format(path, "its list of contents is too long"))
    if not text:
        raise BackupError(NO_BACKUP.format(path, "it ends before its list of contents"))
    manifest = from_json(text)
    if differing := sorted(
        name for name in manifest.files.keys() | found if manifest.files.get(name) != found.get(name)
    ):
        raise BackupError(NO_BACKUP.format(path, f"{differing[0]!r} is not what its list of contents says"))
    if DATABASE not in found:
        raise BackupError(NO_BACKUP.format(path, "it holds no database"))
    return manifest


def _members(path: Path) -> Iterator[tuple[str, int, IO[bytes]]]:
    """Name, size and content of each file. Raises BackupError as `read` does."""
    import pyarrow as pa

    with (
        _reading(path),
        pa.OSFile(str(path), "rb") as file,
        pa.CompressedInputStream(file, "zstd") as stream,
        tarfile.open(fileobj=stream, mode="r|", bufsize=AT_ONCE) as tar,
    ):
        for info in tar:
            tar.members.clear()  # type: ignore[attr-defined]  # as above
            content = tar.extractfile(info) if info.isreg() and not info.issparse() else None
            if content is None or not _is_ours(info.name):
                raise BackupError(NO_BACKUP.format(path, f"it holds {info.name!r}, which no backup does"))
            yield info.name, info.size, content


def _pieces(file: IO[bytes], path: Path) -> Iterator[bytes]:
    """The content of a file of the archive at `path`. Raises BackupError as `read` does."""
    with _reading(path):
        while block := file.read(AT_ONCE):
            yield block


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Say of whatever goes wrong with reading an archive that it is none, or damaged."""
    try:
        yield
    except (tarfile.TarError, OSError, EOFError, ValueError) as error:
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise BackupError(NO_BACKUP.format(path, reason)) from error


def _is_ours(name: str) -> bool:
    """Whether a backup has files of this name: the database, the manifest, and what lies below media/ and not above."""
    if name in (DATABASE, MANIFEST):
        return True
    parts = PurePosixPath(name).parts
    plain = "/".join(parts) == name and ".." not in parts and "\0" not in name
    return plain and name.startswith(MEDIA)


def _copy(pieces: Iterator[bytes], target: Path | None) -> Entry:
    """Read a file to its end, and write it to a place that nothing is at yet, for its owner alone."""
    digest, size = hashlib.sha256(), 0
    with _new(target) as copy:
        for block in pieces:
            digest.update(block)
            size += len(block)
            if copy is not None:
                copy.write(block)
        if copy is not None:
            copy.flush()
            os.fsync(copy.fileno())
    return Entry(size, digest.hexdigest())


@contextmanager
def _new(target: Path | None) -> Iterator[IO[bytes] | None]:
    if target is None:
        yield None
        return
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as copy:
        yield copy
