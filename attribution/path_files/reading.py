"""Read aggregated paths from a file: one row a path, with how often it converted, for what value, and how often not."""

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from dataclasses import replace as with_
from pathlib import Path

import numpy as np
import pyarrow as pa

from attribution.path_files.growing import GrowingColumn
from attribution.path_files.text import PathCutter, read_plain
from marketing.frames import Float64Column, PathTable
from marketing.importing import numbers
from marketing.importing.columns import Cells, quoted
from marketing.importing.errors import FileRejected
from marketing.importing.files import Chunk, read_chunks, read_header
from marketing.importing.reading import Reading
from marketing.importing.sniffing import DELIMITERS, sniff_encoding, sniff_format

MOST_CHANNELS = 10_000
LARGEST = 10.0**numbers.MOST_DIGITS  # NaN is not below it either
WEIGHTS = ("conversions", "value", "null")  # in the order of a PathTable
ROWS_SHOWN = 10  # of those that are wrong


@dataclass(frozen=True, slots=True)
class PathColumns:
    """The columns of a file of paths; the file may lack `value` and `null` where they are `optional`."""

    path: str = "path"
    conversions: str = "total_conversions"
    value: str = "total_conversion_value"
    null: str = "total_null"
    optional: frozenset[str] = frozenset({"value", "null"})


USUAL_COLUMNS = PathColumns()  # as ChannelAttribution names them in its examples


@dataclass(frozen=True, slots=True, eq=False)
class PathFile:
    """The paths of a file, equal ones added up; `channels`: the names of the table's groups, in order.

    `has_value`, `has_nulls`: whether the file has these columns; without one, all its numbers are 0.
    """

    paths: PathTable
    channels: tuple[str, ...]
    has_value: bool
    has_nulls: bool


@dataclass(slots=True)
class _Rows:
    """What has been read so far: `weights` (J, W), 0 without a column, `steps` (N,), and `offsets` (J+1,) into them."""

    cutter: PathCutter
    steps: GrowingColumn[np.uint32] = field(default_factory=lambda: GrowingColumn(np.empty(0, np.uint32)))
    offsets: GrowingColumn[np.int64] = field(default_factory=lambda: GrowingColumn(np.zeros(1, np.int64), 1))
    weights: GrowingColumn[np.float64] = field(default_factory=lambda: GrowingColumn(np.empty((0, len(WEIGHTS)))))
    wrong: list[tuple[int, str]] = field(default_factory=list)


def read_paths(
    file: Path, *, columns: PathColumns = USUAL_COLUMNS, separator: str = " > ", delimiter: str = ""
) -> PathFile:
    """Read the paths of a CSV file, also under gzip, or of a Parquet file or workbook.

    `separator`: what stands between the channels of a path; blanks around it do not matter. `delimiter`: what stands
    between the cells; "" looks for one that makes the header hold the column of paths. Cells are numbers as data
    imports read them; a blank value or number of null paths is 0.

    Raises FileRejected, with a line for each of the first ten rows that are wrong.
    """
    reading = _reading(file, columns, delimiter)
    of_field = _columns_there(read_header(file, reading), columns)
    rows = _Rows(PathCutter(separator))
    with closing(_chunks(file, reading, list(of_field.values()))) as chunks:
        for chunk in chunks:
            _add(rows, chunk, of_field)
            if len(channels := rows.cutter.codes) > MOST_CHANNELS:
                raise FileRejected(
                    f"The paths hold more than {MOST_CHANNELS:,} different channels, such as "
                    f"{quoted(max(channels, key=len))}. Is “{separator}” what stands between them?"
                )
    if rows.wrong:
        raise FileRejected("\n".join(_sentences(rows.wrong)))
    if not rows.weights.count:
        raise FileRejected("The file holds no paths, only column names.")
    return PathFile(*_table(rows), has_value="value" in of_field, has_nulls="null" in of_field)


def _reading(file: Path, columns: PathColumns, delimiter: str) -> Reading:
    file_format, gzipped = sniff_format(file, file_name=file.name)
    if file_format != "csv":
        return Reading(format=file_format)
    reading = Reading(gzipped=gzipped, encoding=sniff_encoding(file, gzipped=gzipped), delimiter=delimiter or ",")
    if delimiter:
        return reading
    for found in DELIMITERS:
        with suppress(FileRejected):  # of a header that makes no sense when cut like this
            if columns.path in read_header(file, with_(reading, delimiter=found)):
                return with_(reading, delimiter=found)
    return reading


def _columns_there(header: list[str], columns: PathColumns) -> dict[str, str]:
    """Return the column of each field that the file has. Raises FileRejected if one is missing that it must have."""
    of_field = {}
    for name in ("path", *WEIGHTS):
        column = getattr(columns, name)
        if column in header:
            of_field[name] = column
        elif name not in columns.optional:
            there = ", ".join(f"“{name}”" for name in header if name)
            raise FileRejected(f"There is no column “{column}”. The columns are {there}.")
    if len(set(of_field.values())) < len(of_field):
        raise FileRejected("Paths, conversions, value and null paths must be in different columns.")
    return of_field


def _chunks(file: Path, reading: Reading, columns: list[str]) -> Generator[Chunk]:
    """Yield the chunks of the file. The next one of a text file is read by a thread while one is worked on."""
    chunks = read_chunks(file, reading, columns=columns)
    if reading.format != "csv":
        yield from chunks
        return
    with ThreadPoolExecutor(1) as reader:
        ahead = reader.submit(next, chunks, None)
        while (chunk := ahead.result()) is not None:
            ahead = reader.submit(next, chunks, None)
            yield chunk


def _add(rows: _Rows, chunk: Chunk, of_field: dict[str, str]) -> None:
    rows.wrong += [(error.row, f"Line {error.row:,}: {error.reason}.") for error in chunk.errors]
    if not len(chunk.rows):
        return
    weights = rows.weights.more(len(chunk.rows), chunk.fraction)
    weights[:, [name not in of_field for name in WEIGHTS]] = 0.0
    wrong: dict[int, str] = {}
    for name, column in of_field.items():
        cells = chunk.columns[column]
        found = _add_steps(rows, cells, chunk.fraction) if name == "path" else _read_weights(weights, name, cells)
        for position, reason in found:
            wrong.setdefault(position, f"Line {chunk.rows[position]:,}, {column}: {reason}.")
    rows.wrong += [(chunk.rows[position], sentence) for position, sentence in wrong.items()]


def _add_steps(rows: _Rows, column: pa.Array, fraction: float) -> Iterator[tuple[int, str]]:
    """Take paths apart, and yield the positions of those that are wrong, and why."""
    steps, ends = rows.cutter.cut(column)
    np.add(ends, rows.steps.count, out=rows.offsets.more(len(ends), fraction))
    rows.steps.more(len(steps), fraction)[:] = steps
    nameless = rows.cutter.codes.get("")
    if nameless is None:
        return
    for place in np.flatnonzero(steps == nameless).tolist():
        path = int(np.searchsorted(ends, place, side="right"))
        first = int(ends[path - 1]) if path else 0
        yield path, f"step {place - first + 1:,} is empty" if ends[path] - first > 1 else "the path is empty"


def _read_weights(weights: Float64Column, name: str, column: pa.Array) -> Iterator[tuple[int, str]]:
    """Read the numbers of a column into that of `weights`, and yield the positions of those that are wrong, and why."""
    place = WEIGHTS.index(name)
    if read_plain(weights, place, column):
        return
    plain = _plain(column)
    cells = numbers.read(column, decimal=".") if plain is None else plain
    yield from cells.wrong.items()
    values = np.where(cells.present, cells.values, 0.0)
    weights[:, place] = values
    if name == "conversions":
        yield from ((int(i), "the number is missing") for i in np.flatnonzero(~cells.present))
    if name != "value":
        yield from ((int(i), f"{values[i]:g} is negative") for i in np.flatnonzero(values < 0))


def _plain(column: pa.Array) -> Cells | None:
    """Return the numbers if there is nothing else in the column: in a third of the time."""
    try:
        values = np.array(column.cast(pa.float64()).to_numpy(zero_copy_only=False))
    except pa.ArrowInvalid:
        return None
    return Cells(values, np.ones(len(values), np.bool_)) if np.all(np.abs(values) < LARGEST) else None


def _sentences(wrong: list[tuple[int, str]]) -> Iterator[str]:
    for _row, sentence in sorted(wrong)[:ROWS_SHOWN]:
        yield sentence
    if len(wrong) > ROWS_SHOWN:
        yield f"... and {len(wrong) - ROWS_SHOWN:,} more lines."


def _table(rows: _Rows) -> tuple[PathTable, tuple[str, ...]]:
    """The distinct paths, in an order that that of the rows does not change; channels are numbered by name."""
    # Here, not above: numba takes a second to import, and who only names this module must not wait for it.
    from attribution.path_files.kernel import distinct_paths
    from marketing.journey_paths_kernel import copy_steps

    codes = rows.cutter.codes
    channels = sorted(codes)
    group_of_code = np.empty(len(channels), np.int64)
    group_of_code[[codes[channel] for channel in channels]] = np.arange(len(channels))
    offsets, steps = rows.offsets.filled(), rows.steps.filled()
    starts, path_offsets, merged = distinct_paths(offsets, steps, group_of_code, rows.weights.filled())
    rows.weights.clear()  # before the largest array comes
    groups = np.empty(path_offsets[-1], np.int64)
    copy_steps(groups, path_offsets, starts, steps, group_of_code)
    return PathTable(path_offsets, groups, len(channels), *merged), tuple(channels)
