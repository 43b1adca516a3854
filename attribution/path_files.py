"""Read aggregated paths from a file: one row a path, with how often it converted, for what value, and how often not."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from dataclasses import replace as with_
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from marketing.frames import Float64Column, Int64Column, PathTable, UInt32Column
from marketing.importing import numbers
from marketing.importing.columns import Cells, quoted, trimmed
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
    """What has been read so far. `codes`: the number of each channel in the order in which they occur."""

    codes: dict[str, int] = field(default_factory=dict)
    steps: list[UInt32Column] = field(default_factory=list)
    lengths: list[Int64Column] = field(default_factory=list)
    weights: dict[str, list[Float64Column]] = field(default_factory=dict)
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
    rows = _Rows()
    for chunk in read_chunks(file, reading, columns=list(of_field.values())):
        _add(rows, chunk, of_field, separator.strip() or separator)
        if len(rows.codes) > MOST_CHANNELS:
            longest = quoted(max(rows.codes, key=len))
            raise FileRejected(
                f"The paths hold more than {MOST_CHANNELS:,} different channels, such as {longest}. "
                f"Is “{separator}” what stands between them?"
            )
    if rows.wrong:
        raise FileRejected("\n".join(_sentences(rows.wrong)))
    if not rows.lengths:
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


def _add(rows: _Rows, chunk: Chunk, of_field: dict[str, str], separator: str) -> None:
    rows.wrong += [(error.row, f"Line {error.row:,}: {error.reason}.") for error in chunk.errors]
    if not len(chunk.rows):
        return
    wrong: dict[int, str] = {}
    for name, column in of_field.items():
        cells = chunk.columns[column]
        found = _add_steps(rows, cells, separator) if name == "path" else _add_weights(rows, name, cells)
        for position, reason in found:
            wrong.setdefault(position, f"Line {chunk.rows[position]:,}, {column}: {reason}.")
    rows.wrong += [(chunk.rows[position], sentence) for position, sentence in wrong.items()]


def _add_steps(rows: _Rows, column: pa.Array, separator: str) -> Iterator[tuple[int, str]]:
    """Take paths apart, and yield the positions of those that are wrong, and why."""
    cells = trimmed(column)
    paths = pc.split_pattern(cells, separator)
    names = pc.list_flatten(paths).dictionary_encode()
    lengths = pc.list_value_length(paths).to_numpy(zero_copy_only=False).astype(np.int64)
    different = pc.utf8_trim_whitespace(names.dictionary).to_pylist()  # few, unlike the steps
    code = np.array([rows.codes.setdefault(name, len(rows.codes)) for name in different], np.uint32)
    rows.steps.append(code[names.indices.to_numpy(zero_copy_only=False)])
    rows.lengths.append(lengths)
    nameless = np.flatnonzero(rows.steps[-1] == rows.codes.get("", -1))
    first = np.cumsum(lengths) - lengths
    for place in nameless.tolist():
        path = int(np.searchsorted(first, place, side="right")) - 1
        yield path, f"step {place - first[path] + 1:,} is empty" if cells[path].as_py() else "the path is empty"


def _add_weights(rows: _Rows, name: str, column: pa.Array) -> Iterator[tuple[int, str]]:
    """Read the numbers of a column, and yield the positions of those that are wrong, and why."""
    plain = _plain(column)
    cells = numbers.read(column, decimal=".") if plain is None else plain
    yield from cells.wrong.items()
    values = np.where(cells.present, cells.values, 0.0)
    rows.weights.setdefault(name, []).append(values)
    if name == "conversions":
        yield from ((int(i), "the number is missing") for i in np.flatnonzero(~cells.present))
    if name != "value":
        yield from ((int(i), f"{values[i]:g} is negative") for i in np.flatnonzero(values < 0))


def _plain(column: pa.Array) -> Cells | None:
    """Return the numbers if there is nothing else in the column, as is usual: in a third of the time."""
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
    from attribution.path_files_kernel import add_up, copy_paths, hash_paths

    channels = sorted(rows.codes)
    group_of_code = np.empty(len(channels), np.int64)
    group_of_code[[rows.codes[channel] for channel in channels]] = np.arange(len(channels))
    codes = np.concatenate(rows.steps)
    offsets = np.concatenate([[0], np.cumsum(np.concatenate(rows.lengths))])
    weights = np.zeros((len(offsets) - 1, len(WEIGHTS)))
    for place, name in enumerate(WEIGHTS):
        if name in rows.weights:
            weights[:, place] = np.concatenate(rows.weights[name])

    hashes = np.empty(len(weights), np.int64)
    hash_paths(hashes, offsets, codes, group_of_code)
    order = np.argsort(hashes, kind="stable")
    row_of_path, merged = np.empty_like(order), np.empty_like(weights)
    paths = add_up(row_of_path, merged, order, hashes, offsets, codes, group_of_code, weights)
    row_of_path, merged = row_of_path[:paths], merged[:paths]
    path_offsets = np.concatenate([[0], np.cumsum(offsets[row_of_path + 1] - offsets[row_of_path])])
    steps = np.empty(path_offsets[-1], np.int64)
    copy_paths(steps, path_offsets, row_of_path, offsets, codes, group_of_code)
    return PathTable(path_offsets, steps, len(channels), *merged.T.copy()), tuple(channels)
