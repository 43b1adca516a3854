"""Look into a file before anything is read of it: how it is read, what it holds, and what it alone cannot tell."""

import codecs
import datetime as dt
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from marketing.importing import parquet_files, text_files
from marketing.importing.errors import FileRejected
from marketing.importing.files import as_text, checked_header
from marketing.importing.numbers import NUMBER_TEXT
from marketing.importing.reading import PATH_SEPARATORS, Reading
from marketing.importing.sniffing import (
    ORDERED_DAY,
    find_header,
    half_look_like,
    sniff_date_order,
    sniff_decimal,
    sniff_delimiter,
    sniff_encoding,
    sniff_format,
    two_row_header,
)

SNIFFED_CHARACTERS = 2**18
SNIFFED_ROWS = 5_000
SNIFFED_CELLS = 300_000
SAMPLE_ROWS = 20
SHEETS_ASKED_ABOUT = 50
LAST_HEADER_ROW = 1_000
SAYABLE = ("encoding", "delimiter", "decimal", "date_order", "header_row", "sheet", "path_separator")

TWO_ROWS = "The header takes two rows. Put one name above each column, in a single row, and try again."
MERGED = "The header has merged cells. Unmerge them, put one name above each column, and try again."
READ_AS_CP1252 = (
    "The file is not UTF-8. It is read as Windows-1252 (Western European): check that its letters come out right, and "
    "choose another encoding if they do not."
)
CHOICES: dict[str, tuple[str, ...]] = {
    "decimal": (".", ","),
    "date_order": ("ymd", "dmy", "mdy"),
    "path_separator": PATH_SEPARATORS,
}
DATE_ORDERS = (("dmy", "Day, month, year"), ("mdy", "Month, day, year"))
DECIMALS = ((".", "Point: 1,234.5"), (",", "Comma: 1.234,5"))


@dataclass(frozen=True, slots=True)
class Question:
    """Something that the file alone cannot tell. `field`: of `Reading`; `options`: (value, label) of each answer."""

    field: str
    text: str
    options: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What was found in a file. `sample`: its first rows below the header, as text; `preamble`: the rows above it."""

    reading: Reading
    header: list[str]
    sample: list[list[str]] = field(default_factory=list)
    preamble: list[list[str]] = field(default_factory=list)
    sheets: list[str] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Rows:
    """The first rows of a table as text. `written`: the same, but blank where the file holds a typed value.

    `more_written`: such rows from further down.
    """

    numbers: list[int]
    cells: list[list[str]]
    written: list[list[str]]
    more_written: list[list[str]] = field(default_factory=list)


def inspect(
    path: Path, *, file_name: str, reading: Reading | None = None, chosen: Mapping[str, Any] | None = None
) -> Inspection:
    """Detect how the file is read.

    `chosen`: what somebody said of it, by names of `Reading`; nothing is asked about that, and the rest is detected.
    `reading`: the same, with everything said. Format and compression are always the file's own. Raises FileRejected for
    a file that cannot be read, or not as was said.
    """
    said = reading.as_json() if reading else dict(chosen or {})
    said = {name: value for name, value in said.items() if value not in (None, "")}
    _check_said(said)
    kind, gzipped = sniff_format(path, file_name=file_name)
    start = Reading(format=kind, gzipped=gzipped, **{k: v for k, v in said.items() if k in SAYABLE})
    if kind == "xlsx":
        return _inspect_workbook(path, start, said)
    if kind == "parquet":
        return _inspect_parquet(path, start, said)
    return _inspect_text(path, start, said)


def _check_said(said: Mapping[str, Any]) -> None:
    for name, options in CHOICES.items():
        if said.get(name, options[0]) not in options:
            raise FileRejected(f"“{said[name]}” is none of {', '.join(options)}.")
    delimiter = said.get("delimiter", ",")
    if not isinstance(delimiter, str) or len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n\0 ':
        raise FileRejected("The separator is one character, such as a comma, a semicolon or a tab.")
    header_row = said.get("header_row", 1)
    if not isinstance(header_row, int) or not 1 <= header_row <= LAST_HEADER_ROW:
        raise FileRejected(f"The header row is a number from 1 to {LAST_HEADER_ROW:,}.")
    try:
        known = codecs.lookup(said.get("encoding", "utf-8"))
    except (LookupError, TypeError) as error:
        raise FileRejected(f"“{said['encoding']}” is no known encoding.") from error
    if not known._is_text_encoding:  # noqa: SLF001 - as bytes.decode asks itself
        raise FileRejected(f"“{said['encoding']}” is no encoding of text.")


def _inspect_text(path: Path, reading: Reading, said: Mapping[str, Any]) -> Inspection:
    warnings = []
    if "encoding" not in said:
        reading = replace(reading, encoding=sniff_encoding(path, gzipped=reading.gzipped))
        warnings += [READ_AS_CP1252] if reading.encoding == "cp1252" else []
    if "delimiter" not in said:
        reading = replace(reading, delimiter=sniff_delimiter(_beginning(path, reading)))
    cells: list[list[str]] = []
    room = SNIFFED_CELLS
    for row in itertools.islice(text_files.text_rows(path, reading), SNIFFED_ROWS):
        cells.append(row.cells)
        room -= len(row.cells)
        if room < 0:
            break
    rows = _Rows(list(range(1, len(cells) + 1)), cells, cells)
    found = _concluded(rows, reading, said, warnings=warnings, ragged=False)
    if found.questions:
        # In a long file in the order of days, the beginning may know the first days of a month only.
        width = len(found.header)
        rows.more_written = [row for row in text_files.scattered_rows(path, reading) if len(row) == width]
        found = _concluded(rows, reading, said, warnings=warnings, ragged=False)
    return found


def _beginning(path: Path, reading: Reading) -> str:
    """Return the first whole lines as text."""
    lines, length = [], 0
    with text_files.open_text(path, reading) as text:
        for line in text_files.text_lines(text):
            lines.append(line)
            length += len(line)
            if length > SNIFFED_CHARACTERS or len(lines) == SNIFFED_ROWS:
                break
    return "".join(lines)


def _inspect_parquet(path: Path, reading: Reading, said: Mapping[str, Any]) -> Inspection:
    names = parquet_files.header_cells(path, reading)
    values = parquet_files.first_rows(path, min(SNIFFED_ROWS, max(SNIFFED_CELLS // max(len(names), 1), SAMPLE_ROWS)))
    rows = _typed_rows([names, *values])
    return _concluded(rows, replace(reading, header_row=1), dict(said) | {"header_row": 1}, ragged=False)


def _inspect_workbook(path: Path, reading: Reading, said: Mapping[str, Any]) -> Inspection:
    from marketing.importing.workbooks import Workbook, values_of

    warnings, questions = [], []
    with Workbook(path) as book:
        shown = [name for name in book.visible[:SHEETS_ASKED_ABOUT] if next(book.rows(name), None)]
        if "sheet" not in said:
            reading = replace(reading, sheet=shown[0] if shown else book.first)
            if len(shown) > 1:
                options = tuple((name, name) for name in shown)
                questions.append(Question("sheet", "The workbook has several sheets. Which holds the data?", options))
        if book.hidden:
            warnings.append(f"Hidden sheets are left out: {', '.join(book.hidden)}.")
        found = list(itertools.islice(book.rows(reading.sheet), SNIFFED_ROWS))
        merged = book.merged_rows(reading.sheet)
    rows = _typed_rows([values_of(row) for row in found])
    rows.numbers = [row.number for row in found]
    found_out = _concluded(rows, reading, said, warnings=warnings, ragged=True)
    if any(first <= found_out.reading.header_row <= last for first, last in merged):
        raise FileRejected(MERGED)
    body = (values_of(row) for row in found if row.number > found_out.reading.header_row)
    warnings = [*found_out.warnings, *_half_converted(found_out.header, body)]
    return replace(found_out, sheets=book.visible, questions=questions + found_out.questions, warnings=warnings)


def _half_converted(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """Warn of columns in which a spreadsheet took days of another country's order for its own, as far as it could."""
    for name, cells in zip(header, itertools.zip_longest(*rows), strict=False):
        text = next((cell for cell in cells if isinstance(cell, str) and ORDERED_DAY.match(cell.strip())), None)
        if text and any(isinstance(cell, dt.date) for cell in cells):
            yield (
                f"“{name}” holds dates in some rows and text such as {text.strip()} in others. The spreadsheet may "
                "have taken the month for the day in the dates: check them."
            )


def _typed_rows(rows: Sequence[Sequence[Any]]) -> _Rows:
    cells = [[as_text(value) for value in row] for row in rows]
    written = [[value if isinstance(value, str) else "" for value in row] for row in rows]
    return _Rows(list(range(1, len(rows) + 1)), cells, written)


def _concluded(
    rows: _Rows, reading: Reading, said: Mapping[str, Any], *, ragged: bool, warnings: Sequence[str] = ()
) -> Inspection:
    """Find the header, and tell from the rows below it how days and numbers are written."""
    position = _header_position(rows, said, ragged=ragged)
    names = checked_header(_trimmed(rows.cells[position]) if ragged else rows.cells[position])
    body = rows.written[position + 1 :] + rows.more_written
    columns = list(itertools.zip_longest(*body, fillvalue=""))[: len(names)]
    questions = []
    if "date_order" not in said:
        dates = sniff_date_order(column for column in columns if half_look_like(ORDERED_DAY, column))
        reading = replace(reading, date_order=dates.order or "ymd")
        if dates.order is None:
            questions.append(
                Question("date_order", f"Days are written like {dates.example}. Which comes first?", DATE_ORDERS)
            )
    if "decimal" not in said:
        numbers = (column for column in columns if half_look_like(NUMBER_TEXT, column))
        decimal = sniff_decimal(numbers, commas_part_cells=reading.format == "csv" and reading.delimiter == ",")
        reading = replace(reading, decimal=decimal.sign or ".")
        if not decimal.sign:
            text = f"Numbers are written like {decimal.example}. Which sign stands before the decimals?"
            questions.append(Question("decimal", text, DECIMALS))
    filled = (row for row in rows.cells[position + 1 :] if any(row))
    return Inspection(
        reading=replace(reading, header_row=rows.numbers[position]),
        header=names,
        sample=[[*row, *[""] * (len(names) - len(row))] for row in itertools.islice(filled, SAMPLE_ROWS)],
        preamble=rows.cells[:position],
        questions=questions,
        warnings=[*warnings, *_header_warnings(rows.cells[position])],
    )


def _header_position(rows: _Rows, said: Mapping[str, Any], *, ragged: bool) -> int:
    if "header_row" not in said:
        position = find_header(rows.cells, ragged=ragged)
        if two_row_header(rows.cells, position):
            raise FileRejected(TWO_ROWS)
        return position
    if said["header_row"] not in rows.numbers:
        raise FileRejected(f"The file has no row {said['header_row']:,}, which is said to hold the column names.")
    return rows.numbers.index(said["header_row"])


def _trimmed(cells: list[str]) -> list[str]:
    last = max((n for n, cell in enumerate(cells) if cell.strip()), default=-1)
    return cells[: last + 1]


def _header_warnings(cells: Sequence[str]) -> list[str]:
    odd = [cell for cell in cells if cell.strip() and cell != " ".join(cell.split())]
    if not odd:
        return []
    names = ", ".join(f"“{' '.join(cell.split())}”" for cell in odd[:3])
    more = f" and {len(odd) - 3:,} more" if len(odd) > 3 else ""
    return [f"Needless blanks in the column names {names}{more} are left out."]
