"""Check a chunk of a file against its dataset's fields: good rows in columns, bad rows with a reason."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from marketing.importing.cells import Cells, Clock
from marketing.importing.errors import CellError
from marketing.importing.fields import Field, mapped_fields
from marketing.importing.files import Chunk, read_chunks, read_header
from marketing.models import Dataset

DUPLICATE_MATTERS = (Dataset.SPEND, Dataset.OUTCOMES, Dataset.CONTROLS, Dataset.EXPERIMENTS, Dataset.MEDIA_TABLE)
LOOKED_UP = ("channel", "campaign", "outcome", "control")


@dataclass(frozen=True, slots=True)
class CheckedRows:
    """The good rows of a chunk by field name, and one error for each bad row."""

    cells: dict[str, Cells]
    count: int
    errors: list[CellError]
    fraction: float  # of the file read so far


class Checker:
    """Checks a file's rows, one chunk after another, without writing anything."""

    def __init__(self, *, path: Path, dataset: str, mapping: dict[str, str], clock: Clock) -> None:
        """Raise FileRejected if the mapping does not fit the file's header."""
        self.path, self.dataset, self.clock = path, dataset, clock
        self.fields = mapped_fields(dataset=dataset, header=read_header(path), mapping=mapping)
        self._first_rows: dict[int, int] = {}  # by the key's 64-bit hash: a tenth of the memory of the key itself

    def __iter__(self) -> Iterator[CheckedRows]:
        columns = list(dict.fromkeys(self.fields.values()))
        for chunk in read_chunks(self.path, columns=columns):
            yield self._check(chunk)

    def _check(self, chunk: Chunk) -> CheckedRows:
        parsed = {field: field.parse(chunk.columns[column], self.clock) for field, column in self.fields.items()}
        reasons: dict[int, tuple[str, str]] = {}
        for field, cells in parsed.items():
            for position, reason in _wrong_cells(field, cells).items():
                reasons.setdefault(position, (self.fields[field], reason))
        named = {field.name: cells for field, cells in parsed.items()}
        for position, (column, reason) in self._wrong_rows(named).items():
            reasons.setdefault(position, (column, reason))
        if self.dataset in DUPLICATE_MATTERS:
            reasons |= self._repeated_rows(named, chunk, rejected=reasons.keys())
        errors = [CellError(chunk.rows[i], column, reason) for i, (column, reason) in sorted(reasons.items())]
        good = np.ones(len(chunk.rows), bool)
        good[list(reasons)] = False
        kept = {
            field.name: Cells(cells.values[good], cells.present[good]) if reasons else cells
            for field, cells in parsed.items()
        }
        errors = sorted(chunk.errors + errors, key=lambda error: error.row)
        return CheckedRows(kept, int(good.sum()), errors, chunk.fraction)

    def _wrong_rows(self, named: dict[str, Cells]) -> dict[int, tuple[str, str]]:
        """Return what is wrong with whole rows rather than with one cell."""
        wrong: dict[int, tuple[str, str]] = {}
        if self.dataset == Dataset.TOUCHPOINTS:
            said = [named[name].present for name in ("channel", "source", "medium") if name in named]
            for i in np.flatnonzero(~np.logical_or.reduce(said)):
                wrong[int(i)] = ("", "neither a channel nor a source or medium")
        if self.dataset == Dataset.EXPERIMENTS:
            for i in np.flatnonzero(named["end"].values < named["start"].values):
                wrong[int(i)] = (self._column("end"), "ends before it starts")
            for i in np.flatnonzero(named["standard_error"].values <= 0):
                wrong[int(i)] = (self._column("standard_error"), "not above zero")
        return wrong

    def _repeated_rows(
        self, named: dict[str, Cells], chunk: Chunk, *, rejected: Collection[int]
    ) -> dict[int, tuple[str, str]]:
        """A day's figure given twice is a mistake that only a person can settle: keep the first, reject the rest.

        Rows that are rejected for another reason say nothing, so a corrected row may follow them.
        """
        key_names = [
            name
            for name in ("date", "start", "end", "channel", "campaign", "outcome", "control", "geo")
            if name in named
        ]
        wrong = {}
        keys = zip(*(_folded(name, named[name].values.tolist()) for name in key_names), strict=True)
        for position, (key, row) in enumerate(zip(keys, chunk.rows, strict=True)):
            if position in rejected:
                continue
            first = self._first_rows.setdefault(hash(key), row)
            if first != row:
                wrong[position] = ("", f"the same {', '.join(key_names)} as row {first}")
        return wrong

    def _column(self, name: str) -> str:
        return next(column for field, column in self.fields.items() if field.name == name)


def _folded(name: str, values: list[Any]) -> list[Any]:
    """Fold the case of what is looked up by name: “TV” and “tv” are one channel."""
    return [value.lower() for value in values] if name in LOOKED_UP else values


def _wrong_cells(field: Field, cells: Cells) -> dict[int, str]:
    if not field.required:
        return cells.wrong
    missing = {int(i): "missing" for i in np.flatnonzero(~cells.present)}
    return missing | cells.wrong
