"""Visible rows out of the database, a bounded number at a time: by COPY from PostgreSQL, by cursor from SQLite."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import connection

from marketing.store.tables import Columns, Table

CHUNK_ROWS = 1 << 20  # rows held in memory at a time
FETCH_ROWS = 50_000
IMPORTS_PER_QUERY = 10_000  # SQLite takes no more than 32,766 parameters
POSTGRES_EPOCH_US = 946_684_800_000_000  # 2000-01-01 in microseconds since 1970
COPY_HEADER_BYTES = 19
COPY_TRAILER = b"\xff\xff"


def stream_rows(*, table: Table, import_ids: Sequence[int]) -> Iterator[Columns]:
    """Yield the visible rows of these imports as columns, in no particular order, at most `CHUNK_ROWS` at a time."""
    read = _copy_rows if connection.vendor == "postgresql" else _fetch_rows
    for first in range(0, len(import_ids), IMPORTS_PER_QUERY):
        ids = import_ids[first : first + IMPORTS_PER_QUERY]
        sql, params = table.visible_rows(ids).query.sql_with_params()
        for raw in read(table, sql, params):
            yield {column.name: raw[column.name].astype(column.stored) for column in table.columns}


def _fetch_rows(table: Table, sql: str, params: Sequence[Any]) -> Iterator[npt.NDArray[Any]]:
    dtype = np.dtype([(column.name, column.stored) for column in table.columns])
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        parts: list[npt.NDArray[Any]] = []
        while rows := cursor.fetchmany(FETCH_ROWS):
            parts.append(np.array(rows, dtype))
            if len(parts) * FETCH_ROWS >= CHUNK_ROWS:
                yield np.concatenate(parts)
                parts = []
        if parts:
            yield np.concatenate(parts)


def _copy_rows(table: Table, sql: str, params: Sequence[Any]) -> Iterator[npt.NDArray[Any]]:
    """Read PostgreSQL's binary COPY format: every field of a row is its length (4 bytes) and its value."""
    fields = [("fields", ">i2")]
    for column in table.columns:
        fields += [(f"{column.name}_bytes", ">i4"), (column.name, column.wire)]
    dtype = np.dtype(fields)
    with connection.cursor() as cursor, cursor.copy(f"COPY ({sql}) TO STDOUT (FORMAT BINARY)", params) as copy:
        stream = iter(copy)
        buffer = bytearray(next(stream))[COPY_HEADER_BYTES:]
        for block in stream:
            buffer += block
            if len(buffer) >= CHUNK_ROWS * dtype.itemsize:
                whole = len(buffer) - len(buffer) % dtype.itemsize
                yield _parsed(table, buffer[:whole], dtype)
                buffer = buffer[whole:]
    if buffer[-len(COPY_TRAILER) :] != COPY_TRAILER:
        raise RuntimeError(f"PostgreSQL ended the copy of {table.name} early.")
    if len(buffer) > len(COPY_TRAILER):
        yield _parsed(table, buffer[: -len(COPY_TRAILER)], dtype)


def _parsed(table: Table, rows: bytearray, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    raw = np.frombuffer(rows, dtype)
    for column in table.columns:
        if np.any(raw[f"{column.name}_bytes"] != dtype[column.name].itemsize):
            raise RuntimeError(f"PostgreSQL sent {table.name}.{column.name} in a form that is not {column.wire}.")
    raw["at"] += POSTGRES_EPOCH_US
    return raw
