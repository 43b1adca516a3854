"""Read Parquet files in chunks of columns."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from marketing.importing.errors import FileRejected, is_the_files_fault
from marketing.importing.files import Chunk, RawRows, value_of
from marketing.importing.reading import Reading

ROWS = 65_536


def header_cells(path: Path, reading: Reading) -> list[str]:
    """Return the names of the columns, as they are."""
    del reading
    with _open(path) as parquet:
        names: list[str] = parquet.schema_arrow.names
    return names


def first_rows(path: Path, count: int) -> list[tuple[Any, ...]]:
    """Return the values of the first rows; columns that cannot be imported, such as lists, have none."""
    with _open(path) as parquet, damage_refused():
        batch = next(parquet.iter_batches(batch_size=count), None)
        if batch is None:
            return []
        return list(zip(*(_values(column) for column in batch.columns), strict=True))


def _values(column: pa.Array) -> list[Any]:
    return [None] * len(column) if pa.types.is_nested(column.type) else [value_of(cell) for cell in column]


def parquet_chunks(path: Path, reading: Reading, *, columns: Collection[str], keep_raw: bool) -> Iterator[Chunk]:
    """See `files.read_chunks`. As if the names were a row, its first row is row 2; with `header_row=0` it is row 1."""
    with damage_refused():
        yield from _chunks(path, columns, first_row=reading.header_row + 1, keep_raw=keep_raw)


@contextmanager
def damage_refused() -> Iterator[None]:
    """Raise FileRejected for what pyarrow finds wrong with a file."""
    try:
        yield
    except (pa.ArrowException, OSError, OverflowError, ValueError) as error:
        if not is_the_files_fault(error):
            raise
        raise FileRejected(f"The Parquet file is damaged: {_first_line(error)}.") from error


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__).rstrip(".")


def _open(path: Path) -> pq.ParquetFile:
    with damage_refused():
        return pq.ParquetFile(path)


def _chunks(path: Path, columns: Collection[str], *, first_row: int, keep_raw: bool) -> Iterator[Chunk]:
    with _open(path) as parquet:
        names = parquet.schema_arrow.names
        named = {" ".join(name.split()): name for name in names}
        total = parquet.metadata.num_rows
        done = 0
        for batch in parquet.iter_batches(
            batch_size=ROWS, columns=None if keep_raw else [named[name] for name in columns]
        ):
            rows = range(first_row + done, first_row + done + batch.num_rows)
            done += batch.num_rows
            raw = RawRows(rows, [batch.column(name) for name in names]) if keep_raw else None
            plain = {name: _plain(name, batch.column(named[name])) for name in columns}
            yield Chunk(plain, rows, fraction=done / total, raw=raw)


def _plain(name: str, column: pa.Array) -> pa.Array:
    """Return the column without dictionary coding. Raises FileRejected if it holds anything but single values."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if pa.types.is_nested(kind) or pa.types.is_time(kind) or pa.types.is_duration(kind) or pa.types.is_interval(kind):
        raise FileRejected(
            f"The column “{name}” holds values of type {kind}. Text, numbers, dates, timestamps and true/false can be "
            f"imported."
        )
    try:
        if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
            column = column.cast(pa.string())
        column.validate(full=True)
    except pa.ArrowInvalid as error:
        raise FileRejected(f"The column “{name}” is not UTF-8 text.") from error
    return column
