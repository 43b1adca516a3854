"""Read days and moments, in ISO 8601 and in the order of day and month that the file is known to have."""

import datetime as dt
import re
import zoneinfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from marketing.importing.columns import Cells, Clock, Doubt, bools, matches, quoted, trimmed, unread
from marketing.importing.reading import DateOrder

Times = NDArray[np.datetime64]

DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
STARTS_AS_ISO = r"^([0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:|$)|$|[0-9]{9,16}(\.[0-9]+)?$)"
LOCAL_TIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?)?$"
OFFSET = r" ?(Z|UTC|[+-][0-9]{2}(:?[0-9]{2})?)"
ABSOLUTE_TIME = rf"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[ T][0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}}(\.[0-9]{{1,9}})?)?{OFFSET}$"
MIDNIGHT = rf"[ T]00:00(:00(\.0+)?)?({OFFSET})?$"
EPOCH = r"^([0-9]{9,10}|[0-9]{12,13}|[0-9]{15,16})(\.[0-9]{1,9})?$"
EPOCH_UNITS = {9: 10**6, 10: 10**6, 12: 10**3, 13: 10**3, 15: 1, 16: 1}  # digits -> microseconds a unit
MILLIONTHS = 6  # digits of a fraction
SERIAL = re.compile(r"^[3-7][0-9]{4}(?:\.[0-9]+)?$")  # of spreadsheets: the days since 1900
TWO_DIGIT_YEAR = re.compile(r"^[0-9]{1,2}([-./])[0-9]{1,2}\1[0-9]{2}(?: .*)?$")
HALF_DAY = re.compile(r"^(\S+) ([0-9]{1,2}):([0-9]{2}(?::[0-9]{2})?) ?([AaPp])\.?[Mm]\.?$")
NOON = 12
# What stands for year, month and day in a match of the three numbers.
REORDERED: dict[DateOrder, str] = {"dmy": r"\3-\2-\1\4", "mdy": r"\3-\1-\2\4"}
EXAMPLES: dict[DateOrder, str] = {"ymd": "2026-05-31", "dmy": "31/05/2026", "mdy": "05/31/2026"}
EARLIEST_YEAR = 2000
READABLE = np.datetime64("1900-01-01"), np.datetime64("2200-01-01")  # pandas knows no zone far beyond
CLOCK_SLACK = dt.timedelta(days=1)  # a time without an offset may come from a zone ahead of the workspace's


def read_days(column: pa.Array, clock: Clock) -> Cells:
    """Return calendar days as datetime64[D], 2000 to today in the workspace's zone.

    A time of day is wrong unless it is midnight (in its own zone).
    """
    if pa.types.is_timestamp(column.type) and column.type.tz is not None:
        column = pc.local_timestamp(column)
    cells = trimmed(column)
    present = bools(pc.not_equal(cells, ""))
    days = pc.replace_substring_regex(_iso(cells, clock.date_order), MIDNIGHT, "")
    values = _dates(days, matches(days, DATE))
    wrong = unread(cells, present & np.isnat(values), f"a day such as {EXAMPLES[clock.date_order]}")
    _explain(wrong, cells)
    today = np.datetime64(clock.now.astimezone(clock.zone).date(), "D")
    _check_range(values, wrong, latest=today, what="today")
    return Cells(values, present, wrong)


def read_moments(column: pa.Array, clock: Clock) -> Cells:
    """Return moments as int64 microseconds since the epoch, UTC; 2000 to now."""
    cells = _timestamps(column, clock) if pa.types.is_timestamp(column.type) else _moments(trimmed(column), clock)
    times = cells.values.astype("datetime64[us]")
    latest = np.datetime64(clock.now.astimezone(dt.UTC).replace(tzinfo=None) + CLOCK_SLACK, "us")
    _check_range(times, cells.wrong, latest=latest, what="now")
    return Cells(times.astype(np.int64), cells.present, cells.wrong, cells.doubts)


def _moments(cells: pa.Array, clock: Clock) -> Cells:
    present = bools(pc.not_equal(cells, ""))
    iso = _iso(cells, clock.date_order)
    values = np.full(len(cells), np.datetime64("NaT", "us"))
    absolute = matches(iso, ABSOLUTE_TIME)
    if absolute.any():
        ended = pc.replace_substring_regex(iso.filter(pa.array(absolute)), " ?(Z|UTC)$", "+00:00")
        parsed = pd.to_datetime(ended.to_pandas(), format="ISO8601", utc=True, errors="coerce")
        values[absolute] = parsed.dt.tz_localize(None).to_numpy("datetime64[us]")
    local = matches(iso, LOCAL_TIME)
    doubts = {}
    if local.any():
        parsed = pd.to_datetime(iso.filter(pa.array(local)).to_pandas(), format="ISO8601", errors="coerce")
        values[local], found = _localised(parsed, clock.zone)
        doubts = {kind: _spread(mask, local) for kind, mask in found.items()}
    epoch = matches(iso, EPOCH)
    if epoch.any():
        values[epoch] = _since_epoch(iso.filter(pa.array(epoch)))
    example = f"{EXAMPLES[clock.date_order]} 14:05" if clock.date_order != "ymd" else "2026-05-31T14:05:00+02:00"
    wrong = unread(cells, present & np.isnat(values), f"a time such as {example}")
    _explain(wrong, cells)
    return Cells(values, present, wrong, doubts)


def _since_epoch(stamps: pa.Array) -> Times:
    """Return seconds, milli- or microseconds since 1970 as moments; what is less than a microsecond is left off."""
    whole = pc.replace_substring_regex(stamps, r"\..*", "")
    fraction = pc.utf8_rpad(pc.replace_substring_regex(stamps, r"^[0-9]+\.?", ""), MILLIONTHS, "0")
    millionths = pc.utf8_slice_codeunits(fraction, 0, MILLIONTHS).cast(pa.int64()).to_numpy()
    units = pd.Series(pc.utf8_length(whole).to_numpy(zero_copy_only=False)).map(EPOCH_UNITS).to_numpy()
    moments: Times = whole.cast(pa.int64()).to_numpy() * units + millionths * units // 10**MILLIONTHS
    return moments.astype("datetime64[us]")


def _timestamps(column: pa.Array, clock: Clock) -> Cells:
    present = bools(column.is_valid())
    times = column.cast(pa.timestamp(column.type.unit)).to_numpy(zero_copy_only=False)
    times = np.clip(times, *READABLE).astype("datetime64[us]")
    if column.type.tz is None:
        values, found = _localised(pd.Series(times), clock.zone)
        return Cells(values, present, doubts={kind: mask & present for kind, mask in found.items()})
    return Cells(times, present)


def _localised(times: pd.Series, zone: zoneinfo.ZoneInfo) -> tuple[Times, dict[Doubt, NDArray[np.bool_]]]:
    """Return times of the zone in UTC: the first pass of an hour that is repeated, the moment after a gap."""
    first = times.dt.tz_localize(zone, ambiguous=np.ones(len(times), bool), nonexistent="shift_forward")
    second = times.dt.tz_localize(zone, ambiguous=np.zeros(len(times), bool), nonexistent="shift_forward")
    moments: Times = first.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[us]")
    read = times.notna().to_numpy()
    doubts = {
        Doubt.NO_OFFSET: read,
        Doubt.REPEATED_HOUR: read & (first != second).to_numpy(),
        Doubt.SKIPPED_HOUR: read & (first.dt.tz_localize(None) != times).to_numpy(),
    }
    return moments, doubts


def _iso(cells: pa.Array, order: DateOrder) -> pa.Array:
    """Return cells that begin with a day in the known order with the day in ISO 8601; others stay as they are."""
    if matches(cells, STARTS_AS_ISO).all():
        return cells
    cells = pc.replace_substring_regex(cells, r"^(20[0-9]{2})([0-9]{2})([0-9]{2})$", r"\1-\2-\3")
    for mark in ("-", "/", r"\."):
        if order != "ymd":
            pattern = rf"^([0-9]{{1,2}}){mark}([0-9]{{1,2}}){mark}([0-9]{{4}})($|[ T].*)"
            cells = pc.replace_substring_regex(cells, pattern, REORDERED[order])
        pattern = rf"^([0-9]{{4}}){mark}([0-9]{{1,2}}){mark}([0-9]{{1,2}})($|[ T].*)"
        cells = pc.replace_substring_regex(cells, pattern, r"\1-\2-\3\4")
    cells = pc.replace_substring_regex(cells, r"^([0-9]{4})-([0-9])-", r"\1-0\2-")
    cells = pc.replace_substring_regex(cells, r"^([0-9]{4}-[0-9]{2})-([0-9])($|[ T])", r"\1-0\2\3")
    cells = _full_days(cells)
    # RE2 knows no reference of two digits, so \10 is the first group and a nought.
    return pc.replace_substring_regex(cells, r"^([0-9]{4}-[0-9]{2}-[0-9]{2}[ T])([0-9]:)", r"\10\2")


def _full_days(cells: pa.Array) -> pa.Array:
    """Return times such as 2:05 PM in the hours of the full day."""
    if not matches(cells, r"[AaPp]\.?[Mm]\.?$").any():
        return cells
    return pa.array([_full_day(cell) for cell in cells.to_pylist()], pa.string())


def _full_day(cell: str) -> str:
    found = HALF_DAY.match(cell)
    if found is None or not 1 <= int(found[2]) <= NOON:
        return cell
    hour = int(found[2]) % NOON + (NOON if found[4].lower() == "p" else 0)
    return f"{found[1]} {hour:02}:{found[3]}"


def _explain(wrong: dict[int, str], cells: pa.Array) -> None:
    """Say more about what spreadsheets do to days."""
    for i in wrong:
        cell = cells[i].as_py()
        if SERIAL.match(cell):
            wrong[i] = f"{quoted(cell)} is a spreadsheet's number for a day: format the column as dates, and save again"
        elif TWO_DIGIT_YEAR.match(cell):
            wrong[i] = f"{quoted(cell)} has a year of two digits: write all four"


def _check_range(values: Times, wrong: dict[int, str], *, latest: np.datetime64, what: str) -> None:
    for i in np.flatnonzero(values > latest):
        wrong[int(i)] = f"later than {what}"
    for i in np.flatnonzero(values < np.datetime64(f"{EARLIEST_YEAR}-01-01")):
        wrong[int(i)] = f"before the year {EARLIEST_YEAR}"


def _dates(cells: pa.Array, well_formed: NDArray[np.bool_]) -> Times:
    values = np.full(len(cells), np.datetime64("NaT", "D"))
    if well_formed.any():
        parsed = pd.to_datetime(cells.filter(pa.array(well_formed)).to_pandas(), format="%Y-%m-%d", errors="coerce")
        values[well_formed] = parsed.to_numpy("datetime64[D]")
    return values


def _spread(mask: NDArray[np.bool_], chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the mask of the chosen cells as one of all cells."""
    whole = np.zeros(len(chosen), bool)
    whole[chosen] = mask
    return whole
