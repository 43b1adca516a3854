"""What the reading of numbers, times and text has in common: a converted column, and how to look at one of text."""

import datetime as dt
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from marketing.importing.reading import DateOrder, PathSeparator

QUOTED_CHARACTERS = 40
EXACT_INTEGER = 2**53  # whole numbers below are exact as floats


class Doubt(StrEnum):
    """Why a cell that was read deserves a warning."""

    SAID_BLANK = "said_blank"  # a word for nothing, such as “n/a”
    NO_OFFSET = "no_offset"  # a time without one
    REPEATED_HOUR = "repeated_hour"  # such a time, in the hour that daylight saving repeats
    SKIPPED_HOUR = "skipped_hour"


@dataclass(slots=True)
class Cells:
    """A converted column: `values` (n,), `present` (n,) bool (False: the cell is blank), and what is wrong where.

    `doubts`: which cells (n,) bool were read, but deserve a warning.
    """

    values: NDArray[Any]
    present: NDArray[np.bool_]
    wrong: dict[int, str] = field(default_factory=dict)
    doubts: dict[Doubt, NDArray[np.bool_]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Clock:
    """What cells are read against: the workspace's zone and currency, now, and how the file writes numbers and days.

    `currency`: ISO 4217; "" takes no sign of a currency for part of an amount. The rest: see `Reading`.
    """

    zone: zoneinfo.ZoneInfo
    now: dt.datetime
    currency: str = ""
    decimal: Literal[".", ","] = "."
    date_order: DateOrder = "ymd"
    path_separator: PathSeparator | Literal[""] = ""


def trimmed(column: pa.Array) -> pa.Array:
    """Return the column as text without surrounding blanks, "" where null."""
    text = _float_text(column) if pa.types.is_floating(column.type) else column.cast(pa.string())
    return pc.utf8_trim_whitespace(pc.fill_null(text, ""))


def _float_text(column: pa.Array) -> pa.Array:
    """Write whole numbers as such: a customer's number is the same one, whether or not its column has gaps."""
    floats = column.cast(pa.float64()) if pa.types.is_float16(column.type) else column
    whole = pc.and_(pc.equal(pc.floor(floats), floats), pc.less(pc.abs(floats), EXACT_INTEGER))
    integers = pc.if_else(whole, floats, 0).cast(pa.int64())
    return pc.if_else(whole, integers.cast(pa.string()), floats.cast(pa.string()))


def matches(cells: pa.Array, pattern: str) -> NDArray[np.bool_]:
    """Return which cells match the regular expression (of RE2)."""
    return bools(pc.match_substring_regex(cells, pattern))


def bools(column: pa.Array) -> NDArray[np.bool_]:
    result: NDArray[np.bool_] = column.to_numpy(zero_copy_only=False).astype(bool)
    return result


def factorised(cells: pa.Array) -> tuple[NDArray[np.int64], Sequence[str]]:
    """Return each cell's code, and what the codes stand for."""
    encoded = cells.dictionary_encode()
    return encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64), encoded.dictionary.to_pylist()


def unread(cells: pa.Array, positions: NDArray[np.bool_], expected: str) -> dict[int, str]:
    """Return the reason for each of the positions: its cell is not what was expected."""
    found = zip(np.flatnonzero(positions).tolist(), cells.filter(pa.array(positions)).to_pylist(), strict=True)
    return {i: f"{quoted(cell)} is not {expected}" for i, cell in found}


def quoted(cell: str) -> str:
    return f"“{cell}”" if len(cell) <= QUOTED_CHARACTERS else f"“{cell[:QUOTED_CHARACTERS]}...”"
