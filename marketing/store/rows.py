"""Visible rows out of the database, a bounded number at a time: by COPY from PostgreSQL, by cursor from SQLite.

No query is open while a chunk is out: whoever takes it may use the connection, and another may write meanwhile.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import connection
from django.db.models import Max, Min

from marketing.store.merging import concatenated
from marketing.store.tables import Columns, Table

CHUNK_ROWS = 1 << 20  # rows held in memory at a time
IDS_AT_ONCE = 1 << 17  # a query reads rows of one stretch of primary keys
IMPORTS_PER_QUERY = 10_000  # SQLite takes no more than 32,766 parameters
POSTGRES_EPOCH_US = 946_684_800_000_000  # 2000-01-01 in microseconds since 1970
COPY_HEADER_BYTES = 19
COPY_TRAILER = b"\xff\xff"


def stream_rows(*, table: Table, import_ids: Sequence[int]) -> Iterator[Columns]:
    """Yield the visible rows of these imports as columns, in no particular order, about `CHUNK_ROWS` at a time.

    Chunks are read one after another: rows that change in between are not noticed.
    """
    parts: list[Columns] = []
    held = 0
    for part in _stretches(table, import_ids):
        parts.append(part)
        held += len(part["at"])
        if held >= CHUNK_ROWS:
            yield concatenated(parts)
            parts, held = [], 0
    if held:
        yield concatenated(parts)


def _stretches(table: Table, import_ids: Sequence[int]) -> Iterator[Columns]:
    """Yield the rows of one stretch of primary keys after the other."""
    read = _copy_rows if connection.vendor == "postgresql" else _fetch_rows
    for first in range(0, len(import_ids), IMPORTS_PER_QUERY):
        imports = _imports_by_stretch(table, import_ids[first : first + IMPORTS_PER_QUERY])
        for stretch, ids in sorted(imports.items()):
            low = stretch * IDS_AT_ONCE
            rows = table.visible_rows(ids).filter(pk__gte=low, pk__lt=low + IDS_AT_ONCE)
            raw = read(table, *rows.query.sql_with_params())
            yield {column.name: raw[column.name].astype(column.stored) for column in table.columns}


def _imports_by_stretch(table: Table, import_ids: Sequence[int]) -> dict[int, list[int]]:
    """Which imports may have rows in which stretch: an import's rows lie close together, in the order of its file."""
    rows = table.model.objects.filter(batch__in=import_ids).order_by()
    found: dict[int, list[int]] = defaultdict(list)
    spans = rows.values("batch").annotate(low=Min("pk"), high=Max("pk")).values_list("batch", "low", "high")
    for batch, lowest, highest in spans:
        for stretch in range(lowest // IDS_AT_ONCE, highest // IDS_AT_ONCE + 1):
            found[stretch].append(batch)
    return found


def _fetch_rows(table: Table, sql: str, params: Sequence[Any]) -> npt.NDArray[Any]:
    dtype = np.dtype([(column.name, column.stored) for column in table.columns])
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return np.array(cursor.fetchall(), dtype)


def _copy_rows(table: Table, sql: str, params: Sequence[Any]) -> npt.NDArray[Any]:
    """Read PostgreSQL's binary COPY format: every field of a row is its length (4 bytes) and its value."""
    fields = [("fields", ">i2")]
    for column in table.columns:
        fields += [(f"{column.name}_bytes", ">i4"), (column.name, column.wire)]
    dtype = np.dtype(fields)
    with connection.cursor() as cursor, cursor.copy(f"COPY ({sql}) TO STDOUT (FORMAT BINARY)", params) as copy:
        sent = bytearray().join(copy)
    if sent[-len(COPY_TRAILER) :] != COPY_TRAILER:
        raise RuntimeError(f"PostgreSQL ended the copy of {table.name} early.")
    raw = np.frombuffer(memoryview(sent)[COPY_HEADER_BYTES : -len(COPY_TRAILER)], dtype)
    for column in table.columns:
        if np.any(raw[f"{column.name}_bytes"] != dtype[column.name].itemsize):
            raise RuntimeError(f"PostgreSQL sent {table.name}.{column.name} in a form that is not {column.wire}.")
    raw["at"] += POSTGRES_EPOCH_US
    return raw
