"""Reading files of paths: as a plain reading of the same cells has it, whatever the blanks, separators and formats."""

import csv
import gzip
import io
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.path_files import text as path_text
from attribution.path_files.growing import GrowingColumn
from attribution.path_files.reading import MOST_CHANNELS, ROWS_SHOWN, PathFile, read_paths
from attribution.path_files.text import PathCutter, read_plain
from marketing.importing import files
from marketing.importing.errors import FileRejected
from tests.marketing.test_journey_paths import paths_of

Row = tuple[str, ...]  # the cells: a path, and what comes of it
Write = Callable[[Path, Sequence[Row]], None]
HEADER = ("path", "total_conversions", "total_conversion_value", "total_null")
BLANKS = ("", "", "", " ", "  ", "\t", "\x1c", "\u00a0", "\u3000 ", " \u2003")
# Some begin and end alike, for longer than is looked at first.
NAMES = (
    *("a", "Email", "Paid Search", "12345678", "12345679", "1234567", "É", "東京", "“Café” 1", "x" * 40),
    *("beginning 1 in common", "beginning 2 in common", "beginning 12 in common"),
)
SEPARATORS = (" > ", ">", "->", "=>>", "→", "aa", " ", "\u00a0", " | ")
NUMBERS = ("0", "1", "3", "0.25", "12.5", "007", " 2 ", "1e2", "+4", "1,200.50", "123456789012345678", ".5", "5.")


@st.composite
def files_of_paths(draw: st.DrawFn) -> tuple[str, list[Row]]:
    """A separator and some rows; the same paths come again, written in other ways, and some have empty steps."""
    separator = draw(st.sampled_from(SEPARATORS))
    step = st.sampled_from(NAMES) if draw(st.booleans()) else st.sampled_from([*NAMES, ""])
    paths = draw(st.lists(st.lists(step, min_size=1, max_size=6), min_size=1, max_size=6))
    blank, number = st.sampled_from(BLANKS), st.sampled_from(NUMBERS)
    rows: list[Row] = []
    for steps in draw(st.lists(st.sampled_from(paths), min_size=1, max_size=30)):
        if separator.isspace():
            path = draw(blank) + separator.join(steps) + draw(blank)
        else:
            path = separator.join(draw(blank) + name + draw(blank) for name in steps)
        rows.append((path, draw(number), draw(number | st.just("")), draw(number | st.just("n/a"))))
    return separator, rows


def write_csv(file: Path, rows: Sequence[Row]) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=";").writerows([HEADER, *rows])
    file.write_text(text.getvalue(), encoding="utf-8", newline="")


def write_gzip(file: Path, rows: Sequence[Row]) -> None:
    write_csv(file, rows)
    file.write_bytes(gzip.compress(file.read_bytes()))


def write_parquet(file: Path, rows: Sequence[Row]) -> None:
    """Other types of text, and gaps where a cell is blank."""
    columns = [[cell or None for cell in column] for column in zip(*rows, strict=True)]
    kinds = (pa.large_string(), pa.string(), pa.dictionary(pa.int8(), pa.string()), pa.string())
    arrays = [pa.array(cells, kind) for cells, kind in zip(columns, kinds, strict=True)]
    pq.write_table(pa.table(arrays, HEADER), file)


def read(rows: Sequence[Row], separator: str, write: Write = write_csv) -> PathFile:
    with TemporaryDirectory() as folder, patch.object(files, "BLOCK_BYTES", 2**11):  # several to a file
        write(file := Path(folder) / "file", rows)
        return read_paths(file, separator=separator)


def plainly(row: Row, separator: str) -> tuple[list[str], list[float]]:
    path, *cells = row
    steps = [step.strip() for step in path.strip().split(separator.strip() or separator)]
    return steps, [float(cell.replace(",", "").replace("n/a", "") or 0) for cell in cells]


def sentences(rows: Sequence[Row], separator: str) -> list[str]:
    """What is wrong with the paths, the first row being on line 2."""
    found = []
    for line, row in enumerate(rows, start=2):
        steps, _weights = plainly(row, separator)
        if steps == [""]:
            found.append(f"Line {line}, path: the path is empty.")
        elif "" in steps:
            found.append(f"Line {line}, path: step {steps.index('') + 1} is empty.")
    more = [f"... and {len(found) - ROWS_SHOWN} more lines."] if len(found) > ROWS_SHOWN else []
    return found[:ROWS_SHOWN] + more


@pytest.mark.parametrize("write", [write_csv, write_gzip, write_parquet])
@given(of_file=files_of_paths(), random=st.randoms(use_true_random=False))
def test_files_are_read_as_their_cells_say(write: Write, of_file: tuple[str, list[Row]], random: Random) -> None:
    separator, rows = of_file
    if wrong := sentences(rows, separator):
        with pytest.raises(FileRejected) as caught:
            read(rows, separator, write)
        assert str(caught.value).splitlines() == wrong
        return
    known: dict[tuple[str, ...], list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for steps, weights in (plainly(row, separator) for row in rows):
        known[tuple(steps)] = [a + b for a, b in zip(known[tuple(steps)], weights, strict=True)]
    found = read(rows, separator, write)
    assert list(found.channels) == sorted({step for steps in known for step in steps})
    paths = [tuple(found.channels[group] for group in path) for path in paths_of(found.paths)]
    columns = (found.paths.conversions, found.paths.value, found.paths.nulls)
    assert dict(zip(paths, np.transpose(columns).tolist(), strict=True)) == known
    assert len(paths) == len(known)
    shuffled = read(random.sample(rows, len(rows)), separator, write)
    assert paths_of(shuffled.paths) == paths_of(found.paths)


@given(cells=st.lists(st.from_regex(r"[0-9]{0,17}(\.[0-9]{0,17})?", fullmatch=True), min_size=1, max_size=3))
def test_plain_numbers_are_those_that_python_reads(cells: list[str]) -> None:
    numbers = np.empty((len(cells), 2))
    padded = pa.array(["x", *cells, "x"]).slice(1, len(cells))
    lengths = [[len(part) for part in cell.split(".")] for cell in cells]
    plain = all(sum(parts) <= 15 and all(parts) for parts in lengths)
    assert read_plain(numbers, 1, padded) is plain
    if plain:
        assert numbers[:, 1].tolist() == [float(cell) for cell in cells]


def test_a_chunk_may_hold_more_steps_and_names_than_there_is_room_for_at_first() -> None:
    paths = [[f"Channel {n}", *"ab" * n, f"Channel {n // 2}"] for n in range(900)]
    with patch.multiple(path_text, STEPS=2**4, NAMES=2**2):
        cutter = PathCutter(" > ")
        steps, ends = cutter.cut(pa.array([" > ".join(path) for path in paths]))
    names = list(cutter.codes)
    assert names[:5] == ["Channel 0", "Channel 1", "a", "b", "Channel 2"]
    assert [names[code] for code in steps.tolist()] == [name for path in paths for name in path]
    assert np.diff(ends, prepend=0).tolist() == [len(path) for path in paths]


def test_as_many_channels_as_are_allowed_are_read() -> None:
    rows = [(f"a{n} > a{n + 1}", "1", "", "") for n in range(MOST_CHANNELS - 1)]
    assert len(read(rows, " > ").channels) == MOST_CHANNELS
    with pytest.raises(FileRejected, match="more than 10,000 different channels, such as “a10000”"):
        read([*rows, (f"a{MOST_CHANNELS}", "1", "", "")], " > ")


@given(
    hashes=st.lists(
        st.sampled_from([0, 1, 2, 8, 9, -1, -2, -9, 2**63 - 1, -(2**63), 2**62]) | st.integers(-(2**63), 2**63 - 1),
        min_size=1,
        max_size=20,
    )
)
def test_rows_are_sorted_as_by_their_whole_hash(hashes: list[int]) -> None:
    from attribution.path_files.kernel import rows_by_hash

    order, alike = rows_by_hash(column := np.array(hashes, np.int64))
    assert order.tolist() == np.argsort(column, kind="stable").tolist()
    assert alike.tolist() == [False, *(np.diff(np.sort(column).view(np.uint64)) == 0).tolist()]


def test_a_growing_column_keeps_what_it_holds() -> None:
    column = GrowingColumn(np.empty((0, 2)))
    for n in range(1, 40):
        column.more(n, fraction=0.0 if n % 3 else n / 40)[:] = n
    assert column.filled()[:, 1].tolist() == [n for n in range(1, 40) for _ in range(n)]
