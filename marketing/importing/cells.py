"""Check and convert a column of cells at a time.

Each parser takes a column as the file gave it (text from CSV, any type from Parquet) and returns `Cells`: one NumPy
array, with the positions that are wrong and why.
"""

import datetime as dt
import zoneinfo
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

MONEY_DECIMALS = 6  # cents need two; spend that was scaled to an index needs more
LARGEST_MONEY = 10**12
EXACT_MONEY = 2**53 / 10**MONEY_DECIMALS  # below, scaling a float to an integer is exact to the last decimal
NUMBER = r"^[+-]?(\d{1,17}(\.\d{0,20})?|\.\d{1,20})([eE][+-]?\d{1,2})?$"
DATE = r"^\d{4}-\d{2}-\d{2}$"
LOCAL_TIME = r"^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?)?$"
ABSOLUTE_TIME = r"^\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?( ?(Z|UTC|[+-]\d{2}:?\d{2}))$"
EPOCH = r"^\d{9,10}$|^\d{12,13}$|^\d{15,16}$"
EPOCH_UNITS = {9: 10**6, 10: 10**6, 12: 10**3, 13: 10**3, 15: 1, 16: 1}  # digits -> microseconds a unit
TRUE, FALSE = {"true", "1", "yes", "t", "y"}, {"false", "0", "no", "f", "n"}
EARLIEST_YEAR = 2000
CLOCK_SLACK = dt.timedelta(days=1)  # a time without an offset may come from a zone ahead of the workspace's
QUOTED_CHARACTERS = 40


@dataclass(slots=True)
class Cells:
    """A converted column: `values` (n,), `present` (n,) bool (False: the cell is blank), and what is wrong where."""

    values: NDArray[Any]
    present: NDArray[np.bool_]
    wrong: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Clock:
    """What dates are read against: the workspace's zone, and now."""

    zone: zoneinfo.ZoneInfo
    now: dt.datetime


Parser = Callable[[pa.Array, Clock], Cells]


def text(max_length: int, *, blank: Sequence[str] = ()) -> Parser:
    """Trimmed text of at most `max_length` characters. Words in `blank` (lower case, matching any) count as blank."""

    def parse(column: pa.Array, clock: Clock) -> Cells:
        del clock
        trimmed = _trimmed(column)
        if blank:
            trimmed = pc.if_else(pc.is_in(pc.utf8_lower(trimmed), pa.array(blank)), "", trimmed)
        present = _bools(pc.not_equal(trimmed, ""))
        too_long = np.flatnonzero(_bools(pc.greater(pc.utf8_length(trimmed), max_length)))
        wrong = {int(i): f"longer than {max_length} characters" for i in too_long}
        # No database column takes them; CSV files that hold any are refused before.
        wrong |= {int(i): "holds a NUL character" for i in np.flatnonzero(_bools(pc.match_substring(trimmed, "\0")))}
        return Cells(trimmed.to_numpy(zero_copy_only=False), present, wrong)

    return parse


def choice(options: dict[str, int]) -> Parser:
    """One of the named options (any case); values are their numbers, 0 where blank."""

    def parse(column: pa.Array, clock: Clock) -> Cells:
        del clock
        codes, names = _factorised(pc.utf8_lower(_trimmed(column)))
        known = np.array([options.get(name, 0) for name in names], np.int16)
        unknown = np.array([name != "" and name not in options for name in names], bool)
        wrong = {
            int(i): f"{_quoted(names[codes[i]])} is not one of {', '.join(options)}"
            for i in np.flatnonzero(unknown[codes])
        }
        present = np.array([name != "" for name in names], bool)
        return Cells(known[codes], present[codes], wrong)

    return parse


def boolean(column: pa.Array, clock: Clock) -> Cells:
    """true/false, yes/no, 1/0; values are bool, True where blank."""
    del clock
    codes, names = _factorised(pc.utf8_lower(_trimmed(column)))
    wrong_name = np.array([name not in TRUE | FALSE | {""} for name in names], bool)
    values = np.array([name not in FALSE for name in names], bool)
    wrong = {int(i): f"{_quoted(names[codes[i]])} is neither true nor false" for i in np.flatnonzero(wrong_name[codes])}
    return Cells(values[codes], np.array([name != "" for name in names], bool)[codes], wrong)


def number(column: pa.Array, clock: Clock) -> Cells:
    """A finite number with a decimal point; values are float64, NaN where blank."""
    del clock
    if _is_numeric(column.type):
        values = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        present = _bools(column.is_valid())
        wrong = {int(i): "not a finite number" for i in np.flatnonzero(present & ~np.isfinite(values))}
        return Cells(values, present, wrong)
    cells = _trimmed(column)
    present = _bools(pc.not_equal(cells, ""))
    well_formed = _bools(pc.match_substring_regex(cells, NUMBER))
    values = pc.if_else(pa.array(well_formed), cells, "nan").cast(pa.float64()).to_numpy(zero_copy_only=False)
    return Cells(values, present, _unread(cells, present & ~well_formed, "a number such as 1234.56"))


def non_negative(column: pa.Array, clock: Clock) -> Cells:
    """A finite number, zero or more."""
    cells = number(column, clock)
    for i in np.flatnonzero(cells.present & (cells.values < 0)):
        cells.wrong[int(i)] = "negative"
    return cells


def money(column: pa.Array, clock: Clock) -> Cells:
    """An amount, zero or more; values are int64 millionths of the currency's unit, 0 where blank."""
    cells = non_negative(column, clock)
    amounts = cells.values.astype(np.float64)
    for i in np.flatnonzero(amounts >= LARGEST_MONEY):
        cells.wrong[int(i)] = f"larger than {LARGEST_MONEY:,}"
    valid = np.where((amounts >= 0) & (amounts < LARGEST_MONEY), amounts, 0.0)
    scaled = np.rint(valid * 10**MONEY_DECIMALS).astype(np.int64)
    for i in np.flatnonzero(valid >= EXACT_MONEY):
        scaled[i] = int(Decimal(repr(float(valid[i]))).scaleb(MONEY_DECIMALS).to_integral_value())
    return Cells(scaled, cells.present, cells.wrong)


def day(column: pa.Array, clock: Clock) -> Cells:
    """A calendar day, 2000 to today in the workspace's zone; values are datetime64[D].

    A time of day is wrong unless it is midnight (in its own zone).
    """
    if pa.types.is_timestamp(column.type) and column.type.tz is not None:
        column = pc.local_timestamp(column)
    cells = _trimmed(column)
    present = _bools(pc.not_equal(cells, ""))
    midnight = pc.replace_substring_regex(cells, r"[ T]00:00(:00(\.0+)?)?(Z|\+00:00)?$", "")
    values = _dates(midnight, _bools(pc.match_substring_regex(midnight, DATE)))
    wrong = _unread(cells, present & np.isnat(values), "a day such as 2026-05-31")
    today = np.datetime64(clock.now.astimezone(clock.zone).date(), "D")
    _check_range(values, wrong, latest=today, what="today")
    return Cells(values, present, wrong)


def moment(column: pa.Array, clock: Clock) -> Cells:
    """A moment, 2000 to now; values are int64 microseconds since the epoch, UTC.

    Accepted: ISO 8601 with an offset; without one, a time in the workspace's zone; epoch seconds, milli- or
    microseconds. In the hour that daylight saving repeats, a time without an offset means its first pass; in the
    hour that it skips, the moment after the gap.
    """
    if pa.types.is_timestamp(column.type):
        cells = _timestamps(column, clock)
    else:
        cells = _moments_from_text(_trimmed(column), clock)
    times = cells.values.astype("datetime64[us]")
    latest = np.datetime64(clock.now.astimezone(dt.UTC).replace(tzinfo=None) + CLOCK_SLACK, "us")
    _check_range(times, cells.wrong, latest=latest, what="now")
    return Cells(times.astype(np.int64), cells.present, cells.wrong)


def _moments_from_text(cells: pa.Array, clock: Clock) -> Cells:
    present = _bools(pc.not_equal(cells, ""))
    values = np.full(len(cells), np.datetime64("NaT", "us"))
    absolute = _bools(pc.match_substring_regex(cells, ABSOLUTE_TIME))
    if absolute.any():
        trimmed = pc.replace_substring_regex(cells.filter(pa.array(absolute)), " ?(Z|UTC)$", "+00:00")
        parsed = pd.to_datetime(trimmed.to_pandas(), format="ISO8601", utc=True, errors="coerce")
        values[absolute] = parsed.dt.tz_localize(None).to_numpy("datetime64[us]")
    local = _bools(pc.match_substring_regex(cells, LOCAL_TIME))
    if local.any():
        parsed = pd.to_datetime(cells.filter(pa.array(local)).to_pandas(), format="ISO8601", errors="coerce")
        values[local] = _localised(parsed, clock.zone)
    epoch = _bools(pc.match_substring_regex(cells, EPOCH))
    if epoch.any():
        stamps = cells.filter(pa.array(epoch))
        units = pd.Series(pc.utf8_length(stamps).to_numpy(zero_copy_only=False)).map(EPOCH_UNITS).to_numpy()
        values[epoch] = (stamps.cast(pa.int64()).to_numpy() * units).astype("datetime64[us]")
    wrong = _unread(cells, present & np.isnat(values), "a time such as 2026-05-31T14:05:00+02:00")
    return Cells(values, present, wrong)


def _timestamps(column: pa.Array, clock: Clock) -> Cells:
    present = _bools(column.is_valid())
    times = column.cast(pa.timestamp("us", tz=column.type.tz), safe=False)
    if column.type.tz is None:
        return Cells(_localised(pd.Series(times.to_numpy(zero_copy_only=False)), clock.zone), present)
    values = times.cast(pa.int64()).fill_null(0).to_numpy().astype("datetime64[us]")
    return Cells(np.where(present, values, np.datetime64("NaT", "us")), present)


def _localised(times: pd.Series, zone: zoneinfo.ZoneInfo) -> NDArray[np.datetime64]:
    first_pass = np.ones(len(times), bool)
    aware = times.dt.tz_localize(zone, ambiguous=first_pass, nonexistent="shift_forward")
    moments: NDArray[np.datetime64] = aware.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[us]")
    return moments


def _check_range(values: NDArray[np.datetime64], wrong: dict[int, str], *, latest: np.datetime64, what: str) -> None:
    for i in np.flatnonzero(values > latest):
        wrong[int(i)] = f"later than {what}"
    for i in np.flatnonzero(values < np.datetime64(f"{EARLIEST_YEAR}-01-01")):
        wrong[int(i)] = f"before the year {EARLIEST_YEAR}"


def _unread(cells: pa.Array, positions: NDArray[np.bool_], expected: str) -> dict[int, str]:
    return {int(i): f"{_quoted(cells[int(i)].as_py())} is not {expected}" for i in np.flatnonzero(positions)}


def _quoted(cell: str) -> str:
    return f"“{cell}”" if len(cell) <= QUOTED_CHARACTERS else f"“{cell[:QUOTED_CHARACTERS]}...”"


def _dates(cells: pa.Array, well_formed: NDArray[np.bool_]) -> NDArray[np.datetime64]:
    values = np.full(len(cells), np.datetime64("NaT", "D"))
    if well_formed.any():
        parsed = pd.to_datetime(cells.filter(pa.array(well_formed)).to_pandas(), format="%Y-%m-%d", errors="coerce")
        values[well_formed] = parsed.to_numpy("datetime64[D]")
    return values


def _trimmed(column: pa.Array) -> pa.Array:
    """Return the column as text without surrounding blanks, "" where null."""
    return pc.utf8_trim_whitespace(pc.fill_null(column.cast(pa.string()), ""))


def _factorised(cells: pa.Array) -> tuple[NDArray[np.int64], Sequence[str]]:
    encoded = cells.dictionary_encode()
    return encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64), encoded.dictionary.to_pylist()


def _bools(column: pa.Array) -> NDArray[np.bool_]:
    result: NDArray[np.bool_] = column.to_numpy(zero_copy_only=False).astype(bool)
    return result


def _is_numeric(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))
