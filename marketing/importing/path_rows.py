"""Lay checked rows of paths out as they are stored: channels by their ids, equal paths added up, a digest of each."""

import hashlib
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from marketing.importing.checking import CheckedRows
from marketing.importing.paths import steps_of
from marketing.models import PathCount

CHANNEL_ID = np.dtype(PathCount.CHANNEL_DTYPE)
DIGEST_BYTES = 16
LARGEST_SUM = 2.0**62  # of 64-bit integers, with room for what a float leaves out


def path_columns(rows: CheckedRows, look_up: Callable[[list[str]], dict[str, int]]) -> tuple[dict[str, Any], set[int]]:
    """Return the columns of `PathCount` for the good rows of a chunk, and the ids of all channels that they name.

    Rows of one path and day are one. `value` is whole millionths of the currency's unit.
    """
    names, steps, first = steps_of(rows.cells["path"].values)
    id_of = look_up(names)
    ids = np.array([id_of[name] for name in names], CHANNEL_ID)
    whole = ids[steps].tobytes()
    ends = (first * CHANNEL_ID.itemsize).tolist()
    channels = [whole[start:stop] for start, stop in pairwise(ends)]
    days = _days(rows)
    digests = [_digest(day, path) for day, path in zip(days, channels, strict=True)]

    path_of_row, _distinct = pd.factorize(np.array(digests, object))
    paths = len(_distinct)
    row_of_path = np.zeros(paths, np.int64)
    row_of_path[path_of_row[::-1]] = np.arange(rows.count)[::-1]  # the first of each
    columns: dict[str, Any] = {
        "date": [days[row] or None for row in row_of_path],
        "channels": [channels[row] for row in row_of_path],
        "digest": [digests[row] for row in row_of_path],
        "conversions": np.bincount(path_of_row, _amounts(rows, "conversions", np.float64), paths),
        "value": _added_up(_amounts(rows, "value", np.int64), path_of_row, paths),
        "nulls": np.bincount(path_of_row, _amounts(rows, "null", np.float64), paths),
        "file_rows": np.bincount(path_of_row, minlength=paths),
    }
    return columns, set(ids.tolist())


def _days(rows: CheckedRows) -> list[str]:
    """The day of each row, "" where it has none."""
    date = rows.cells.get("date")
    if date is None:
        return [""] * rows.count
    return ["" if day == "NaT" else day for day in date.values.astype("datetime64[D]").astype(str).tolist()]


def _amounts(rows: CheckedRows, name: str, dtype: type[np.generic]) -> NDArray[Any]:
    """A column of counts, 0 where blank."""
    cells = rows.cells.get(name)
    return np.zeros(rows.count, dtype) if cells is None else np.where(cells.present, cells.values, 0).astype(dtype)


def _added_up(amounts: NDArray[Any], path_of_row: NDArray[np.int64], paths: int) -> NDArray[Any]:
    """The sum of each path, exact as sums of floats would not be; Python's integers where 64 bits do not hold it."""
    overflows = float(amounts.sum(dtype=np.float64)) >= LARGEST_SUM
    sums = np.zeros(paths, np.object_ if overflows else np.int64)
    np.add.at(sums, path_of_row, amounts.astype(sums.dtype))
    return sums


def _digest(day: str, channels: bytes) -> str:
    """The same path on the same day has the same digest; the ids tell workspaces apart."""
    return hashlib.blake2b(day.encode() + b"\0" + channels, digest_size=DIGEST_BYTES).hexdigest()
