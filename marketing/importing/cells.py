"""Check and convert a column of cells at a time.

Each parser takes a column as the file gave it (text from CSV, any type from Parquet and workbooks) and returns `Cells`:
one NumPy array, with the positions that are wrong and why.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from marketing.importing import numbers, times
from marketing.importing.columns import Cells, Clock, Doubt, bools, factorised, matches, quoted, trimmed

__all__ = [
    "MONEY_DECIMALS", "Cells", "Clock", "Doubt", "Parser", "boolean", "choice", "day", "identifier", "moment", "money",
    "non_negative", "number", "text",
]  # fmt: skip

MONEY_DECIMALS = 6  # cents need two; spend that was scaled to an index needs more
LARGEST_MONEY = 10**12
EXACT_MONEY = 2**53 / 10**MONEY_DECIMALS  # below, scaling a float to an integer is exact to the last decimal
TRUE, FALSE = {"true", "1", "yes", "t", "y"}, {"false", "0", "no", "f", "n"}
# What spreadsheets show instead of a value: no name of anything.
ERROR_SHOWN = r"^#(REF!|N/A|VALUE!|DIV/0!|NAME\?|NULL!|NUM!|SPILL!|CALC!|FIELD!|BLOCKED!|CONNECT!|GETTING_DATA|#+)$"
# What programs write where there is no customer or order: taken for one, it would make many into one.
NOT_GIVEN = [*numbers.NOTHING, "nan", "none", "undefined", "(none)", "(not set)", r"\n"]
ROUNDED = r"^[0-9]([.,][0-9]+)?[eE]\+[0-9]{2,3}$"  # how spreadsheets write long numbers, of which many look the same
NEGATIVE = "negative: take credits and refunds off the amounts that they belong to"

Parser = Callable[[pa.Array, Clock], Cells]


def text(max_length: int, *, blank: Sequence[str] = ()) -> Parser:
    """Trimmed text of at most `max_length` characters. Words in `blank` (lower case, matching any) count as blank."""

    def parse(column: pa.Array, clock: Clock) -> Cells:
        del clock
        cells = trimmed(column)
        if blank:
            cells = pc.if_else(pc.is_in(pc.utf8_lower(cells), pa.array(blank)), "", cells)
        present = bools(pc.not_equal(cells, ""))
        too_long = np.flatnonzero(bools(pc.greater(pc.utf8_length(cells), max_length)))
        wrong = {int(i): f"longer than {max_length} characters" for i in too_long}
        # No database column takes them; text files that hold any are refused before.
        wrong |= {int(i): "holds a NUL character" for i in np.flatnonzero(bools(pc.match_substring(cells, "\0")))}
        if bools(pc.starts_with(cells, "#")).any():
            for i in np.flatnonzero(matches(cells, ERROR_SHOWN)):
                wrong[int(i)] = f"the cell shows the error {cells[int(i)].as_py()}"
        return Cells(cells.to_numpy(zero_copy_only=False), present, wrong)

    return parse


def identifier(max_length: int) -> Parser:
    """Text that tells one customer or order from all others. A word for nothing, such as “NULL”, counts as blank.

    A long number that a spreadsheet has rounded, such as 1.23457E+16, is wrong: others look the same.
    """
    parse_text = text(max_length, blank=NOT_GIVEN)

    def parse(column: pa.Array, clock: Clock) -> Cells:
        found = parse_text(column, clock)
        said_blank = ~found.present & bools(pc.not_equal(trimmed(column), ""))
        if said_blank.any():
            found.doubts[Doubt.SAID_BLANK] = said_blank
        rounded = matches(pa.array(found.values, pa.string()), ROUNDED)
        for i in np.flatnonzero(rounded):
            shown = quoted(found.values[i])
            found.wrong[int(i)] = f"{shown} is a rounded number: format the column as text, and export it again"
        return found

    return parse


def choice(options: dict[str, int]) -> Parser:
    """One of the named options (any case); values are their numbers, 0 where blank."""

    def parse(column: pa.Array, clock: Clock) -> Cells:
        del clock
        codes, names = factorised(pc.utf8_lower(trimmed(column)))
        known = np.array([options.get(name, 0) for name in names], np.int16)
        unknown = np.array([name != "" and name not in options for name in names], bool)
        wrong = {
            int(i): f"{quoted(names[codes[i]])} is not one of {', '.join(options)}"
            for i in np.flatnonzero(unknown[codes])
        }
        present = np.array([name != "" for name in names], bool)
        return Cells(known[codes], present[codes], wrong)

    return parse


def boolean(column: pa.Array, clock: Clock) -> Cells:
    """true/false, yes/no, 1/0; values are bool, True where blank."""
    del clock
    codes, names = factorised(pc.utf8_lower(trimmed(column)))
    wrong_name = np.array([name not in TRUE | FALSE | {""} for name in names], bool)
    values = np.array([name not in FALSE for name in names], bool)
    wrong = {int(i): f"{quoted(names[codes[i]])} is neither true nor false" for i in np.flatnonzero(wrong_name[codes])}
    return Cells(values[codes], np.array([name != "" for name in names], bool)[codes], wrong)


def number(column: pa.Array, clock: Clock) -> Cells:
    """A finite number; values are float64, NaN where blank. The workspace's currency may stand before or after it.

    A word for nothing, such as “n/a”, counts as blank. Raises FileRejected for an amount in another currency.
    """
    return numbers.read(column, decimal=clock.decimal, currency=clock.currency)


def non_negative(column: pa.Array, clock: Clock) -> Cells:
    """A finite number, zero or more, of things rather than money."""
    cells = numbers.read(column, decimal=clock.decimal)
    for i in np.flatnonzero(cells.present & (cells.values < 0)):
        cells.wrong[int(i)] = "negative"
    return cells


def money(column: pa.Array, clock: Clock) -> Cells:
    """An amount, zero or more; values are int64 millionths of the currency's unit, 0 where blank."""
    cells = number(column, clock)
    amounts = cells.values.astype(np.float64)
    for i in np.flatnonzero(cells.present & (amounts < 0)):
        cells.wrong[int(i)] = NEGATIVE
    for i in np.flatnonzero(np.isfinite(amounts) & (amounts >= LARGEST_MONEY)):
        cells.wrong[int(i)] = f"{LARGEST_MONEY:,} or more: too large for an amount"
    valid = np.where((amounts >= 0) & (amounts < LARGEST_MONEY), amounts, 0.0)
    scaled = np.rint(valid * 10**MONEY_DECIMALS).astype(np.int64)
    for i in np.flatnonzero(valid >= EXACT_MONEY):
        scaled[i] = int(Decimal(repr(float(valid[i]))).scaleb(MONEY_DECIMALS).to_integral_value())
    return Cells(scaled, cells.present, cells.wrong, cells.doubts)


def day(column: pa.Array, clock: Clock) -> Cells:
    """A calendar day, 2000 to today in the workspace's zone; values are datetime64[D].

    A time of day is wrong unless it is midnight (in its own zone).
    """
    return times.read_days(column, clock)


def moment(column: pa.Array, clock: Clock) -> Cells:
    """A moment, 2000 to now; values are int64 microseconds since the epoch, UTC.

    Accepted: ISO 8601 with an offset; without one, a time in the workspace's zone; days and times in the order that the
    file is known to have; epoch seconds, milli- or microseconds, also with a fraction. In the hour that daylight saving
    repeats, a time without an offset means its first pass; in the hour that it skips, the moment after the gap.
    """
    return times.read_moments(column, clock)
