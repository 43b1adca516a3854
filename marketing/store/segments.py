"""A segment on disk: sorted columns as .npy files, and a manifest that says what they hold.

Files: one for each column of the table but `customer`, which is kept as `customer_ids` (ascending) and `offsets` (the
rows of customer i are `offsets[i]:offsets[i+1]`); `manifest.json`. A segment is written beside its place and renamed
into it once every byte is on disk, so a segment that is there is whole, unless the disk itself failed: for that, the
manifest has a checksum of each column, which a process looks at when it first reads one.
"""

import errno
import hashlib
import io
import json
import os
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from marketing.frames import Int64Column
from marketing.store.tables import Columns, ImportVersion, Table

FORMAT = 2  # since 2 with checksums
HEADER_BYTES = 128
MANIFEST = "manifest.json"
CHUNK_BYTES = 2**20
Imports: TypeAlias = frozenset[ImportVersion]


class DamagedSegmentError(Exception):
    """A segment that cannot be read: damaged, of another format, or removed by someone else just now."""

    def __init__(self, path: Path, reason: object) -> None:
        super().__init__(f"The snapshot segment {path} cannot be read: {reason}")
        self.path = path


@dataclass(frozen=True, slots=True)
class Segment:
    """A readable segment, as its manifest describes it."""

    path: Path
    imports: Imports
    rows: int
    customers: int
    checksums: Mapping[str, int] = field(compare=False)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the manifest. Raises DamagedSegmentError."""
        try:
            manifest = json.loads((path / MANIFEST).read_text())
            if manifest["format"] != FORMAT:
                raise ValueError(f"format {manifest['format']}")
            imports = frozenset(ImportVersion(*pair) for pair in manifest["imports"])
            return cls(path, imports, manifest["rows"], manifest["customers"], dict(manifest["checksums"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DamagedSegmentError(path, error) from error

    def column(self, name: str) -> npt.NDArray[Any]:
        """Map a column into memory, read-only. Raises DamagedSegmentError."""
        try:
            _require_as_written(self.path / f"{name}.npy", self.checksums[name])
            column: npt.NDArray[Any] = np.load(self.path / f"{name}.npy", mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError, KeyError) as error:
            raise DamagedSegmentError(self.path, error) from error
        expected = {"customer_ids": self.customers, "offsets": self.customers + 1}.get(name, self.rows)
        if column.shape != (expected,):
            raise DamagedSegmentError(self.path, f"{name} has shape {column.shape}, not ({expected},)")
        return column.view(np.ndarray)

    def rows_of_customers(self, table: Table, first: int, stop: int) -> Columns:
        """Copy out the rows of the customers at positions `first:stop`.

        The maps are dropped at once: pages of a map count as this process's memory for as long as it lives.
        """
        offsets = self.column("offsets")[first : stop + 1].copy()
        columns = {"customer": np.repeat(self.column("customer_ids")[first:stop], np.diff(offsets))}
        for name in (column.name for column in table.columns if column.name != "customer"):
            columns[name] = self.column(name)[offsets[0] : offsets[-1]].copy()
        return columns

    def touch(self) -> None:
        """Note that the segment is in use (its time of last change says when it last was)."""
        try:
            os.utime(self.path)
        except FileNotFoundError as error:
            raise DamagedSegmentError(self.path, error) from error


class _ColumnFile:
    """A .npy file that grows."""

    def __init__(self, path: Path, dtype: str) -> None:
        self._dtype, self._rows = np.dtype(dtype), 0
        self.checksum = 0
        self._file = path.open("wb")
        self._write_header()

    def _write_header(self) -> None:
        header = io.BytesIO()
        description = np.lib.format.dtype_to_descr(self._dtype)
        np.lib.format.write_array_header_1_0(
            header, {"descr": description, "fortran_order": False, "shape": (self._rows,)}
        )
        if header.tell() != HEADER_BYTES:
            raise RuntimeError(f"The header of {self._file.name} has {header.tell()} bytes instead of {HEADER_BYTES}.")
        self._file.seek(0)
        self._file.write(header.getvalue())

    def append(self, values: npt.NDArray[Any]) -> None:
        written = np.ascontiguousarray(values, self._dtype).data.cast("B")
        self._file.write(written)
        self.checksum = zlib.crc32(written, self.checksum)
        self._rows += len(values)

    def close(self) -> None:
        self._write_header()
        self._file.close()


class SegmentWriter:
    """Writes a segment into a new directory, customers in ascending order."""

    def __init__(self, path: Path, *, table: Table, imports: Imports) -> None:
        path.mkdir()
        self._path, self._imports = path, imports
        self._columns = {
            column.name: _ColumnFile(path / f"{column.name}.npy", column.stored)
            for column in table.columns
            if column.name != "customer"
        }
        self._customer_ids = _ColumnFile(path / "customer_ids.npy", "i8")
        self._offsets = _ColumnFile(path / "offsets.npy", "i8")
        self._offsets.append(np.zeros(1, np.int64))
        self._rows = self._customers = 0

    def __enter__(self) -> Self:
        return self

    def append(self, rows: Columns) -> None:
        """Add sorted rows of customers that come after all those added before."""
        if not len(rows["at"]):
            return
        customer_ids, stops = _customers(rows["customer"])
        self._customer_ids.append(customer_ids)
        self._offsets.append(stops + self._rows)
        for name, file in self._columns.items():
            file.append(rows[name])
        self._rows += len(rows["at"])
        self._customers += len(customer_ids)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        files = {**self._columns, "customer_ids": self._customer_ids, "offsets": self._offsets}
        for file in files.values():
            file.close()
        if error is not None:
            return
        manifest = {
            "format": FORMAT,
            "imports": sorted(self._imports),
            "rows": self._rows,
            "customers": self._customers,
            "checksums": {name: file.checksum for name, file in files.items()},
        }
        (self._path / MANIFEST).write_text(json.dumps(manifest))


def _customers(customer: Int64Column) -> tuple[Int64Column, Int64Column]:
    """The distinct customers of a sorted, non-empty column, and where the rows of each stop."""
    stops = np.append(np.flatnonzero(customer[1:] != customer[:-1]) + 1, len(customer))
    return customer[stops - 1], stops


def segment_name(imports: Iterable[ImportVersion]) -> str:
    """The name of the segment that holds these imports."""
    return hashlib.sha256(json.dumps([FORMAT, sorted(imports)]).encode()).hexdigest()[:32]


def publish(draft: Path, *, directory: Path) -> Segment:
    """Move a finished draft to its place in `directory`. If another builder was first, its segment is the one."""
    segment = Segment.read(draft)
    for path in (*draft.iterdir(), draft):
        _sync(path)
    place = directory / segment_name(segment.imports)
    try:
        draft.rename(place)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
    _sync(directory)
    return Segment.read(place)


def _require_as_written(path: Path, checksum: int) -> None:
    """Read a column's bytes, unless this process has read this very file before. Raises ValueError if they changed."""
    known = path.stat()
    if _checksum_of(path, known.st_ino, known.st_mtime_ns, known.st_size) != checksum:
        raise ValueError(f"{path.name} is not what was written")


@lru_cache(maxsize=1000)
def _checksum_of(path: Path, *_as_it_was: int) -> int:
    checksum = 0
    with path.open("rb") as file:
        file.seek(HEADER_BYTES)
        while chunk := file.read(CHUNK_BYTES):
            checksum = zlib.crc32(chunk, checksum)
    return checksum


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
