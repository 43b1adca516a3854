"""Read numbers, however people write them: `1234.56`, `1.234,56`, `1 234`, `€ 12`. What has two readings is wrong."""

import re
from typing import Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from marketing.importing.columns import Cells, Doubt, bools, matches, quoted, trimmed
from marketing.importing.currencies import SIGN, require_currency

DecimalSign = Literal[".", ","]

BLANKS = " \u00a0\u202f\u2009"
APOSTROPHES = "'\u2019"
NOTHING = ["na", "n/a", "n.a.", "null", "-", "--", "–", "—"]  # what programs write where there is no number
MOST_DIGITS = 18  # before the decimals
# Eighteen digits are what a 64-bit integer holds; ASCII only, as RE2 and [0-9] have it.
PLAIN: dict[DecimalSign, str] = {
    sign: rf"^[+-]?([0-9]{{1,18}}([{sign}][0-9]{{0,20}})?|[{sign}][0-9]{{1,20}})([eE][+-]?[0-9]{{1,2}})?$"
    for sign in get_args(DecimalSign)
}
OTHER_SIGN: dict[DecimalSign, str] = {".": ",", ",": "."}
GROUPED: dict[DecimalSign, str] = {  # the same mark between all groups
    sign: f"^[1-9][0-9]{{0,2}}(([{other}][0-9]{{3}}){{1,5}}|([{BLANKS}][0-9]{{3}}){{1,5}}"
    f"|([{APOSTROPHES}][0-9]{{3}}){{1,5}})([{sign}][0-9]{{0,20}})?$"
    for sign, other in OTHER_SIGN.items()
}
GROUPING: dict[DecimalSign, str] = {".": f"[,{BLANKS}{APOSTROPHES}]", ",": f"[.{BLANKS}{APOSTROPHES}]"}
WITH_CURRENCY = (
    rf"^(?P<minus>[-+−]?)[{BLANKS}]?(?P<before>(?:{SIGN})?)[{BLANKS}]?(?P<minus_within>[-+−]?)"
    rf"(?P<digits>[0-9.,][0-9.,{BLANKS}{APOSTROPHES}]*?)[{BLANKS}]?(?P<after>(?:{SIGN})?)$"
)
NUMBER_TEXT = re.compile(  # what is meant for a number, though it may not be read as one: a percentage, one in brackets
    rf"^[(]?[-+−]?(?:{SIGN})?[{BLANKS}]?[-+−]?([0-9][0-9.,{BLANKS}{APOSTROPHES}]*|[.,][0-9]+)(?:[eE][-+]?[0-9]+)?"
    rf"[{BLANKS}]?(?:{SIGN}|%)?[)]?$"
)
IN_BRACKETS = re.compile(r"^\([^()]*[0-9][^()]*\)$")


def read(column: pa.Array, *, decimal: DecimalSign, currency: str = "") -> Cells:
    """Return the numbers as float64, NaN where blank or wrong. Raises FileRejected for another currency's amounts."""
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_decimal(column.type):
        return _typed(column)
    cells = trimmed(column)
    present = bools(pc.not_equal(cells, ""))
    plain = matches(cells, PLAIN[decimal])
    simple = pc.if_else(pa.array(plain), cells, "nan")
    if decimal == ",":
        simple = pc.replace_substring(simple, ",", ".")
    # A copy: what pyarrow gives is read-only.
    values = np.array(simple.cast(pa.float64()).to_numpy(zero_copy_only=False))
    found = Cells(values, present)
    others = present & ~plain
    if others.any():
        _read_others(found, cells, others, decimal=decimal, currency=currency)
    _refuse_too_large(found)
    return found


def _refuse_too_large(found: Cells) -> None:
    """A longer number is a mistake, or an identifier; sums of some would have no end."""
    too_large = np.isfinite(found.values) & (np.abs(found.values) >= 10.0**MOST_DIGITS)
    found.wrong |= {int(i): f"a number of more than {MOST_DIGITS} digits" for i in np.flatnonzero(too_large)}


def _typed(column: pa.Array) -> Cells:
    values = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    present = bools(column.is_valid())
    wrong = {int(i): "not a finite number" for i in np.flatnonzero(present & ~np.isfinite(values))}
    found = Cells(values, present, wrong)
    _refuse_too_large(found)
    return found


def _read_others(
    found: Cells, cells: pa.Array, others: NDArray[np.bool_], *, decimal: DecimalSign, currency: str
) -> None:
    """Read the cells that are not plain numbers: grouped ones, amounts with a currency, words for nothing."""
    odd = cells.filter(pa.array(others))
    values, signs = _odd_numbers(odd, decimal, with_currency=bool(currency))
    found.values[others] = values
    if signs:
        require_currency(signs, currency)
    said_blank = others.copy()
    said_blank[others] = bools(pc.is_in(pc.utf8_lower(odd), pa.array(NOTHING)))
    if said_blank.any():
        found.present = found.present & ~said_blank
        found.doubts[Doubt.SAID_BLANK] = said_blank
    unread = found.present & np.isnan(found.values)
    reasons = (_reason(cell, decimal) for cell in cells.filter(pa.array(unread)).to_pylist())
    found.wrong |= dict(zip(np.flatnonzero(unread).tolist(), reasons, strict=True))


def _odd_numbers(odd: pa.Array, decimal: DecimalSign, *, with_currency: bool) -> tuple[NDArray[np.float64], set[str]]:
    """Return the numbers, NaN where a cell is none, and the signs of currencies that stand beside them."""
    parts = pc.extract_regex(odd, WITH_CURRENCY)
    minus, before, minus_within, digits, after = (pc.fill_null(part, "") for part in parts.flatten())
    grouped = pa.array(matches(digits, GROUPED[decimal]))
    digits = pc.if_else(grouped, pc.replace_substring_regex(digits, GROUPING[decimal], ""), digits)
    sign, other_sign = pc.if_else(pc.equal(before, ""), after, before), pc.if_else(pc.equal(before, ""), "", after)
    minus, other_minus = (
        pc.if_else(pc.equal(minus, ""), minus_within, minus),
        pc.if_else(pc.equal(minus, ""), "", minus_within),
    )
    good = matches(digits, PLAIN[decimal]) & bools(pc.equal(other_minus, ""))
    good &= bools(pc.or_(pc.equal(other_sign, ""), pc.equal(other_sign, sign)))
    if not with_currency:
        good &= bools(pc.equal(sign, ""))
    plain = pc.if_else(pa.array(good), pc.replace_substring(digits, ",", "."), "nan")
    values = plain.cast(pa.float64()).to_numpy(zero_copy_only=False)
    negative = bools(pc.is_in(minus, pa.array(["-", "−"])))
    signs = set(pc.unique(sign.filter(pa.array(good))).to_pylist()) - {""}
    return np.where(negative, -values, values), signs


def _reason(cell: str, decimal: DecimalSign) -> str:
    if IN_BRACKETS.match(cell):
        return f"{quoted(cell)} is negative, being in brackets: write a minus sign instead"
    if cell.endswith("%"):
        return f"{quoted(cell)} is a percentage, not a number"
    return f"{quoted(cell)} is not a number such as 1234{decimal}56"
