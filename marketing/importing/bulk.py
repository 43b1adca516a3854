"""Write many rows at once: COPY on PostgreSQL, batched inserts on SQLite; and have PostgreSQL know of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from django.db import connection, models
from numpy.typing import NDArray

POSTGRES_EPOCH_US = 946_684_800_000_000  # 2000-01-01, from which PostgreSQL counts, in microseconds since 1970
PGCOPY_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
PGCOPY_TRAILER = b"\xff\xff"
BINARY_TYPES = {
    "BooleanField": ">i1",
    "PositiveSmallIntegerField": ">i2",
    "BigIntegerField": ">i8",
    "BigAutoField": ">i8",
    "DateTimeField": ">i8",
}


def write_rows(model: type[models.Model], columns: Mapping[str, Sequence[Any] | NDArray[Any]]) -> None:
    """Insert rows given by column (attribute name -> n values; None or a masked entry is null), in the given order.

    Times are int64 microseconds since the epoch, UTC. Call it inside a transaction.
    """
    fields = [model._meta.get_field(name) for name in columns]
    names = [connection.ops.quote_name(str(field.column)) for field in fields]  # type: ignore[union-attr]
    kinds = [_kind(field) for field in fields]
    values = list(columns.values())
    if connection.vendor == "postgresql":
        _copy(model._meta.db_table, names, kinds, values)
    else:
        _insert(model._meta.db_table, names, kinds, values)


def tell_planner(model: type[models.Model]) -> None:
    """Have PostgreSQL count a table of which much may have changed: about a second, whatever its size.

    It counts by itself, but a minute later. Until then it plans as if the new rows were not there, and may well compare
    each of a million rows with each other.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {connection.ops.quote_name(model._meta.db_table)}")


def _kind(field: Any) -> str:
    return _kind(field.target_field) if field.is_relation else str(field.get_internal_type())


def _insert(table: str, names: list[str], kinds: list[str], values: list[Any]) -> None:
    places, inputs = [], []
    for kind, column in zip(kinds, values, strict=True):
        if kind == "DateTimeField":
            seconds, microseconds = np.divmod(np.asarray(column, np.int64), 10**6)
            places.append("datetime(?, 'unixepoch') || ?")  # as Django writes it: no fraction where it is zero
            inputs += [seconds.tolist(), [f".{rest:06d}" if rest else "" for rest in microseconds.tolist()]]
        else:
            places.append("?")
            inputs.append(column.tolist() if isinstance(column, np.ndarray) else column)
    statement = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(places)})"  # noqa: S608 - model names
    with connection.cursor() as cursor:
        cursor.cursor.executemany(statement, zip(*inputs, strict=True))


def _copy(table: str, names: list[str], kinds: list[str], values: list[Any]) -> None:
    binary = all(kind in BINARY_TYPES for kind in kinds)
    statement = f"COPY {table} ({', '.join(names)}) FROM STDIN" + (" (FORMAT BINARY)" if binary else "")
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        if binary:
            copy.write(PGCOPY_HEADER + _binary_rows(kinds, values) + PGCOPY_TRAILER)
        else:
            for row in zip(*map(_as_list, kinds, values), strict=True):
                copy.write_row(row)


def _as_list(kind: str, column: Any) -> list[Any]:
    if kind == "DateTimeField":
        column = np.asarray(column, np.int64).astype("datetime64[us]")
        return [f"{text}Z" for text in np.datetime_as_string(column).tolist()]
    return column.tolist() if isinstance(column, np.ndarray) else list(column)


def _binary_rows(kinds: list[str], values: list[Any]) -> bytes:
    """Lay rows out as PostgreSQL's binary COPY wants them: a field count, then each field's length and bytes."""
    layout: list[tuple[str, str]] = [("fields", ">i2")]
    for position, kind in enumerate(kinds):
        layout += [(f"length{position}", ">i4"), (f"value{position}", BINARY_TYPES[kind])]
    rows = np.zeros(len(values[0]), np.dtype(layout))
    keep = np.ones((len(rows), rows.dtype.itemsize), bool)
    rows["fields"] = len(kinds)
    for position, (kind, column) in enumerate(zip(kinds, values, strict=True)):
        size = np.dtype(BINARY_TYPES[kind]).itemsize
        rows[f"length{position}"] = size
        data = np.ma.getdata(column)
        rows[f"value{position}"] = data - POSTGRES_EPOCH_US if kind == "DateTimeField" else data
        if np.ma.is_masked(column):  # null: length -1 and no bytes
            absent = np.ma.getmaskarray(column)
            rows[f"length{position}"][absent] = -1
            end = 2 + sum(4 + np.dtype(BINARY_TYPES[kind]).itemsize for kind in kinds[: position + 1])
            keep[absent, end - size : end] = False
    return rows.view(np.uint8).reshape(keep.shape)[keep].tobytes()
