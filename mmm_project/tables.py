"""A table in a file or a terminal. Every kind's numbers leave through here, in full precision."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeAlias

Cell: TypeAlias = str | int | float | None

# A spreadsheet takes text that starts with one of these for a formula.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_ROWS_AT_ONCE = 1_000  # of a piece of CSV


class _Line:
    """A file for `csv.writer` that hands each line back to its caller."""

    def write(self, line: str) -> str:
        return line


def csv_lines(rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """Yield `rows` as CSV (RFC 4180), with text that looks like a formula kept as text by a leading apostrophe."""
    writer = csv.writer(_Line())
    for row in rows:
        yield writer.writerow([_safe(cell) for cell in row])


def csv_pieces(rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """Yield `rows` as `csv_lines` does, in UTF-8 and many at once: for answers of any length, in constant memory."""
    left = iter(rows)
    while some := list(islice(left, _ROWS_AT_ONCE)):
        text = io.StringIO(newline="")
        csv.writer(text).writerows([_safe(cell) for cell in row] for row in some)
        yield text.getvalue().encode()


def text_table(rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """Yield `rows` as aligned lines for a terminal: numbers to the right and rounded to two decimals."""
    table = list(rows)
    texts = [[_readable(cell) for cell in row] for row in table]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    to_the_right = [any(isinstance(cell, int | float) for cell in column) for column in zip(*table, strict=True)]
    for row in texts:
        columns = zip(row, widths, to_the_right, strict=True)
        yield "  ".join(text.rjust(width) if right else text.ljust(width) for text, width, right in columns).rstrip()


def _safe(cell: Cell) -> Cell:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA_STARTS) and not _is_number(cell) else cell


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _readable(cell: Cell) -> str:
    if isinstance(cell, float):
        return f"{cell:,.2f}"
    if isinstance(cell, int):
        return f"{cell:,}"
    # Control characters in a name must not reach the terminal.
    return "".join(character for character in cell or "" if character.isprintable())
