"""Read a file through its layout: columns are derived, cells made readable, and rows that are no data passed over."""

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from marketing.importing.errors import FileRejected
from marketing.importing.files import Chunk, read_chunks, read_header
from marketing.importing.layouts import bind
from marketing.importing.layouts.shape import Binding
from marketing.importing.reading import DateOrder, Reading

ORDERS: dict[DateOrder, tuple[int, int, int]] = {"ymd": (0, 1, 2), "dmy": (2, 1, 0), "mdy": (2, 0, 1)}


class LayoutReader:
    """Reads a file as `files` does; if it has a known layout, the layout's derived columns are there as well.

    `file_header`: the file's own columns. `header`: those, and the derived ones.
    """

    def __init__(self, path: Path, reading: Reading, *, layout: str) -> None:
        """Raise FileRejected if there is no header, or if the file's rows are split in a way that cannot be kept."""
        self._path, self._reading = path, reading
        self.file_header = read_header(path, reading)
        self._binding = bind(layout, self.file_header)
        self._skipped: Counter[str] = Counter()
        if self._binding and (column := self._binding.split_by):
            raise FileRejected(
                f"This export is split by “{column}”, so that a campaign has several rows for the same day. "
                f"{self._binding.layout.split_advice}"
            )

    @property
    def header(self) -> list[str]:
        return self._binding.header if self._binding else self.file_header

    @property
    def warnings(self) -> list[str]:
        """Return sentences on rows that were passed over, after `chunks`."""
        return [told.format(count=f"{count:,}") for told, count in self._skipped.items() if told]

    def chunks(self, *, columns: Sequence[str], keep_raw: bool = False) -> Iterator[Chunk]:
        """Yield the wanted columns, as `read_chunks` does."""
        if self._binding is None:
            yield from read_chunks(self._path, self._reading, columns=columns, keep_raw=keep_raw)
            return
        self._skipped.clear()
        some_kept = False
        own = self._binding.columns_for(columns)
        for chunk in read_chunks(self._path, self._reading, columns=own, keep_raw=keep_raw):
            seen = self._through_layout(self._binding, chunk, columns)
            some_kept = some_kept or bool(len(seen.rows)) or bool(seen.errors)
            yield seen
        if self._skipped and not some_kept:
            raise FileRejected(self._binding.layout.nothing_left)

    def _through_layout(self, binding: Binding, chunk: Chunk, columns: Sequence[str]) -> Chunk:
        count = len(chunk.rows)
        kept = np.ones(count, bool)
        for skip in binding.skips:
            data = binding.kept(skip, chunk.columns, count)
            if skipped := int((kept & ~data).sum()):
                self._skipped[skip.told] += skipped
            kept &= data
        if not kept.all():
            chunk = _only(chunk, kept)
        count = len(chunk.rows)
        if binding.layout.longest_days and not binding.has("day"):
            self._refuse_long_rows(binding, chunk)
        return replace(chunk, columns={name: binding.make(name, chunk.columns, count) for name in columns})

    def _refuse_long_rows(self, binding: Binding, chunk: Chunk) -> None:
        starts, ends = binding.cells(chunk.columns, ("start", "end"), len(chunk.rows))
        for row, start, end in zip(chunk.rows, starts.to_pylist(), ends.to_pylist(), strict=True):
            days = days_between(start, end, self._reading.date_order)
            if days > binding.layout.longest_days:
                raise FileRejected(
                    f"Row {row} covers {days} days in one figure. {binding.layout.split_advice or 'Export it by day.'}"
                )


def days_between(start: str, end: str, order: DateOrder) -> int:
    """Return how many days there are from one day to another, both included; 0 if one of them cannot be read."""
    first, last = (_day(cell, order) for cell in (start, end))
    return (last - first).days + 1 if first and last else 0


def _day(cell: str, order: DateOrder) -> dt.date | None:
    numbers = [int(number) for number in re.findall(r"\d+", cell)[:3]]
    is_iso = re.match(r"\d{4}\D", cell)
    try:
        year, month, day = (numbers[place] for place in ORDERS["ymd" if is_iso else order])
        return dt.date(year, month, day)
    except (IndexError, ValueError):
        return None


def _only(chunk: Chunk, kept: NDArray[np.bool_]) -> Chunk:
    mask = pa.array(kept)
    return replace(
        chunk,
        columns={name: column.filter(mask) for name, column in chunk.columns.items()},
        rows=[row for row, keep in zip(chunk.rows, kept.tolist(), strict=True) if keep],
    )
