"""Check a chunk of a file against its dataset's fields: good rows in columns, bad rows with a reason."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marketing.importing.cells import Cells, Clock, Doubt
from marketing.importing.columns import trimmed
from marketing.importing.doubts import PATH_AGAIN, PATH_OF_NO_DAY, WORTH_WITHOUT_CONVERSIONS, ZERO_IMPRESSIONS, Doubts
from marketing.importing.errors import CellError, FileRejected
from marketing.importing.fields import (
    Field,
    currency_column,
    mapped_fields,
    require_currency_of_columns,
    require_currency_of_rows,
)
from marketing.importing.files import Chunk
from marketing.importing.inspection import inspect
from marketing.importing.layouts.reader import LayoutReader
from marketing.importing.paths import DEFAULT, separator_told
from marketing.importing.reading import Reading
from marketing.importing.regularity import Regularity
from marketing.importing.repeats import SeenHashes, path_hashes
from marketing.models import Dataset

DUPLICATE_MATTERS = (
    Dataset.SPEND,
    Dataset.OUTCOMES,
    Dataset.CONTROLS,
    Dataset.EXPERIMENTS,
    Dataset.EVENTS,
    Dataset.MEDIA_TABLE,
)
LOOKED_UP = ("channel", "campaign", "outcome", "control")
# What names a series of figures whose days should be regular. Spend is not so for each channel, but for all of them.
SERIES_NAMED_BY: dict[str, str | None] = {
    Dataset.SPEND: None,
    Dataset.MEDIA_TABLE: None,
    Dataset.OUTCOMES: "outcome",
    Dataset.CONTROLS: "control",
}


@dataclass(frozen=True, slots=True)
class CheckedRows:
    """The good rows of a chunk by field name, and one error for each bad row."""

    cells: dict[str, Cells]
    count: int
    errors: list[CellError]
    fraction: float  # of the file read so far


class Checker:
    """Checks a file's rows, one chunk after another, without writing anything.

    Iterate over it; then `warnings` holds sentences on what was accepted, but looks odd. Iterating raises FileRejected
    for what makes the whole file unusable, at its end if only the whole shows it.
    """

    def __init__(
        self,
        *,
        path: Path,
        dataset: str,
        mapping: dict[str, str],
        clock: Clock,
        reading: Reading | None = None,
        layout: str = "",
        keep_raw: bool = False,
        former_names: Mapping[str, str] | None = None,
    ) -> None:
        """Raise FileRejected if the mapping does not fit the file's header.

        `reading`: None lets the file tell, and raises FileRejected if it does not. `keep_raw`: errors carry the cells
        of their rows, for the file of rejected rows. `former_names`: of channels -> what they are called now, both in
        lower case: rows that say either are of one channel.
        """
        reading = reading or _told_by_the_file(path)
        self.path, self.dataset, self.keep_raw = path, dataset, keep_raw
        self._former_names = former_names or {}
        self._separator_said = reading.path_separator or None
        self.clock = replace(clock, decimal=reading.decimal, date_order=reading.date_order)
        self._source = LayoutReader(path, reading, layout=layout)
        self.fields = mapped_fields(dataset=dataset, header=self._source.header, mapping=mapping)
        self._currency_column: str | None = None
        if clock.currency:
            require_currency_of_columns(self.fields, currency=clock.currency)
            self._currency_column = currency_column(self.fields, self.header)
        self.warnings: list[str] = []
        self._forget()

    @property
    def header(self) -> list[str]:
        """The file's own columns, in their order: those that the cells of errors are of."""
        return self._source.file_header

    def __iter__(self) -> Iterator[CheckedRows]:
        self._forget()
        columns = list(dict.fromkeys(self.fields.values()))
        if self._currency_column and self._currency_column not in columns:
            columns.append(self._currency_column)
        for chunk in self._source.chunks(columns=columns, keep_raw=self.keep_raw):
            yield self._check(chunk)
        self._regularity.require_one_rhythm()
        missing = self._regularity.missing_weeks()
        doubts = self._doubts.sentences(zone=str(self.clock.zone))
        told = self._separator_told()
        self.warnings = [*self._source.warnings, *([told] if told else []), *doubts, *([missing] if missing else [])]

    def _forget(self) -> None:
        self._first_rows: dict[int, int] = {}  # by the key's 64-bit hash: a tenth of the memory of the key itself
        self._paths = SeenHashes()
        self._doubts = Doubts()
        self._regularity = Regularity()
        self._separator = self._separator_said

    def _check(self, chunk: Chunk) -> CheckedRows:
        if column := self._currency_column:
            require_currency_of_rows(column, trimmed(chunk.columns[column]), currency=self.clock.currency)
        clock = self.clock
        if self.dataset == Dataset.PATHS:
            clock = self._clock_for_paths(chunk)
        parsed = {field: field.parse(chunk.columns[column], clock) for field, column in self.fields.items()}
        reasons: dict[int, tuple[str, str]] = {}
        for field, cells in parsed.items():
            for position, reason in _wrong_cells(field, cells).items():
                reasons.setdefault(position, (self.fields[field], reason))
        named = {field.name: cells for field, cells in parsed.items()}
        for position, (column, reason) in self._wrong_rows(named).items():
            reasons.setdefault(position, (column, reason))
        if self.dataset in DUPLICATE_MATTERS:
            reasons |= self._repeated_rows(named, chunk, rejected=reasons.keys())
        good = np.ones(len(chunk.rows), bool)
        good[list(reasons)] = False
        self._note_doubts(parsed, chunk, good)
        kept = {
            field.name: Cells(cells.values[good], cells.present[good]) if reasons else cells
            for field, cells in parsed.items()
        }
        self._note_days(kept)
        errors = [_error(chunk, position, *reasons[position]) for position in sorted(reasons)]
        errors = sorted(chunk.errors + errors, key=lambda error: error.row)
        return CheckedRows(kept, int(good.sum()), errors, chunk.fraction)

    def _wrong_rows(self, named: dict[str, Cells]) -> dict[int, tuple[str, str]]:
        """Return what is wrong with whole rows rather than with one cell."""
        wrong: dict[int, tuple[str, str]] = {}
        if self.dataset == Dataset.TOUCHPOINTS:
            said = [named[name].present for name in ("channel", "source", "medium") if name in named]
            for i in np.flatnonzero(~np.logical_or.reduce(said)):
                wrong[int(i)] = ("", "neither a channel nor a source or medium")
        if "start" in named and "end" in named:
            for i in np.flatnonzero(named["end"].values < named["start"].values):
                wrong[int(i)] = (self._column("end"), "ends before it starts")
        if self.dataset == Dataset.EXPERIMENTS:
            for i in np.flatnonzero(named["standard_error"].values <= 0):
                wrong[int(i)] = (self._column("standard_error"), "not above zero")
        if self.dataset == Dataset.PATHS:
            nulls = named["null"].values if "null" in named else 0
            for i in np.flatnonzero(np.nan_to_num(named["conversions"].values) + np.nan_to_num(nulls) == 0):
                wrong[int(i)] = (self._column("conversions"), "the path was never taken: it has no journey at all")
        return wrong

    def _repeated_rows(
        self, named: dict[str, Cells], chunk: Chunk, *, rejected: Collection[int]
    ) -> dict[int, tuple[str, str]]:
        """A day's figure given twice is a mistake that only a person can settle: keep the first, reject the rest.

        Rows that are rejected for another reason say nothing, so a corrected row may follow them.
        """
        key_names = [
            name
            for name in ("date", "name", "start", "end", "channel", "campaign", "outcome", "control", "geo")
            if name in named and (name != "end" or self.dataset != Dataset.EVENTS)  # an event's end is no part of it
        ]
        wrong = {}
        keys = zip(*(self._folded(name, named[name].values.tolist()) for name in key_names), strict=True)
        for position, (key, row) in enumerate(zip(keys, chunk.rows, strict=True)):
            if position in rejected:
                continue
            first = self._first_rows.setdefault(hash(key), row)
            if first != row:
                wrong[position] = ("", f"the same {', '.join(key_names)} as row {first}")
        return wrong

    def _note_doubts(self, parsed: dict[Field, Cells], chunk: Chunk, good: NDArray[np.bool_]) -> None:
        """Count what is odd about the rows that are accepted; what is odd about others does not matter."""
        for field, cells in parsed.items():
            for kind, doubtful in cells.doubts.items():
                self._doubts.add(kind, self.fields[field], doubtful & good, chunk.rows)
        named = {field.name: cells for field, cells in parsed.items()}
        for name, spend in named.items():
            measure, _, label = name.partition(":")
            impressions = named.get(f"impressions:{label}" if label else "impressions")
            if measure == "spend" and impressions is not None and self.dataset != Dataset.EXPERIMENTS:
                shown_to_nobody = impressions.present & (impressions.values == 0) & (spend.values > 0)
                self._doubts.add(ZERO_IMPRESSIONS, self._column(name), shown_to_nobody & good, chunk.rows)
        if self.dataset == Dataset.PATHS:
            self._note_odd_paths(named, chunk, good)

    def _note_odd_paths(self, named: dict[str, Cells], chunk: Chunk, good: NDArray[np.bool_]) -> None:
        """Programs that count paths write one as often as they like; equal ones are added up when they are loaded."""
        days = named["date"].values[good] if "date" in named else None
        if "date" in named:
            self._doubts.add(PATH_OF_NO_DAY, self._column("date"), good & ~named["date"].present, chunk.rows)
        again = np.zeros(len(good), bool)
        again[good] = self._paths.add(path_hashes(named["path"].values[good], days, former_names=self._former_names))
        self._doubts.add(PATH_AGAIN, self._column("path"), again, chunk.rows)
        if "value" in named:
            unearned = (named["value"].values > 0) & (named["conversions"].values == 0)
            self._doubts.add(WORTH_WITHOUT_CONVERSIONS, self._column("value"), unearned & good, chunk.rows)

    def _clock_for_paths(self, chunk: Chunk) -> Clock:
        """The clock with the sign that parts the steps of paths, which is the same in all of the file."""
        if self._separator_said is None:
            cells = chunk.columns[self._column("path")]
            self._separator = separator_told(cells, before=self._separator)
        return replace(self.clock, path_separator=self._separator or DEFAULT)

    def _separator_told(self) -> str:
        """Say which sign was taken for what parts the steps, if nobody said so and it is not the usual one."""
        if self._separator_said or self._separator in (None, DEFAULT):
            return ""
        return f"The steps in “{self._column('path')}” are parted by “{self._separator}”."

    def _note_days(self, kept: dict[str, Cells]) -> None:
        if self.dataset in SERIES_NAMED_BY and len(kept["date"].values):
            named_by = SERIES_NAMED_BY[self.dataset]
            self._regularity.add(kept["date"].values, kept[named_by].values if named_by else None)

    def _folded(self, name: str, values: list[Any]) -> list[Any]:
        """Fold the case of what is looked up by name: “TV” and “tv” are one channel, and so is what it was called."""
        if name not in LOOKED_UP:
            return values
        folded = [value.lower() for value in values]
        if name == "channel" and self._former_names:
            folded = [self._former_names.get(value, value) for value in folded]
        return folded

    def _column(self, name: str) -> str:
        return next(column for field, column in self.fields.items() if field.name == name)


def _told_by_the_file(path: Path) -> Reading:
    found = inspect(path, file_name=path.name)
    if found.questions:
        raise FileRejected(found.questions[0].text)
    return found.reading


def _error(chunk: Chunk, position: int, column: str, reason: str) -> CellError:
    row = chunk.rows[position]
    return CellError(row, column, reason, chunk.raw.cells(row) if chunk.raw else ())


def _wrong_cells(field: Field, cells: Cells) -> dict[int, str]:
    if not field.required:
        return cells.wrong
    missing = {int(i): "missing" for i in np.flatnonzero(~cells.present)}
    if Doubt.SAID_BLANK in cells.doubts:
        said_blank = np.flatnonzero(cells.doubts[Doubt.SAID_BLANK])
        missing |= {int(i): "missing: the cell says that there is none" for i in said_blank}
    return missing | cells.wrong
