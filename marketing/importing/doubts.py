"""Count what was accepted but deserves a warning, and say it in sentences."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from marketing.importing.columns import Doubt

ZERO_IMPRESSIONS = "zero_impressions"
PATH_AGAIN = "path_again"
PATH_OF_NO_DAY = "path_of_no_day"
WORTH_WITHOUT_CONVERSIONS = "worth_without_conversions"
SENTENCES: dict[str, tuple[str, str]] = {  # for one cell, and for more
    Doubt.SAID_BLANK: (
        "1 cell in “{column}” says that there is no number, and counts as blank",
        "{count} cells in “{column}” say that there is no number, and count as blank",
    ),
    Doubt.NO_OFFSET: (
        "1 time in “{column}” has no UTC offset, and is taken for one in {zone}",
        "{count} times in “{column}” have no UTC offset, and are taken for times in {zone}",
    ),
    Doubt.REPEATED_HOUR: (
        "1 time in “{column}” is in the hour that daylight saving repeats, and is taken for its first pass",
        "{count} times in “{column}” are in the hour that daylight saving repeats, and are taken for its first pass",
    ),
    Doubt.SKIPPED_HOUR: (
        "1 time in “{column}” is in the hour that daylight saving skips, and is taken for the moment after it",
        "{count} times in “{column}” are in the hour that daylight saving skips, and are taken for the moment after it",
    ),
    ZERO_IMPRESSIONS: (
        "1 row has spend in “{column}”, but no impressions",
        "{count} rows have spend in “{column}”, but no impressions",
    ),
    PATH_AGAIN: (
        "1 row has a path in “{column}” that an earlier row of the file has: their counts are added up",
        "{count} rows have a path in “{column}” that an earlier row of the file has: their counts are added up",
    ),
    PATH_OF_NO_DAY: (
        "1 row has no day in “{column}”: it counts in every period",
        "{count} rows have no day in “{column}”: they count in every period",
    ),
    WORTH_WITHOUT_CONVERSIONS: (
        "1 row has a value in “{column}”, but no conversions",
        "{count} rows have a value in “{column}”, but no conversions",
    ),
}


@dataclass(slots=True)
class Doubts:
    """How many cells there are of each doubt, and the first row of each."""

    _counts: dict[tuple[str, str], int] = field(default_factory=dict)
    _first_rows: dict[tuple[str, str], int] = field(default_factory=dict)

    def add(self, kind: str, column: str, doubtful: NDArray[np.bool_], rows: Sequence[int]) -> None:
        """Count the doubtful cells of a chunk; `rows` are the numbers of its rows."""
        if count := int(doubtful.sum()):
            self._counts[kind, column] = self._counts.get((kind, column), 0) + count
            self._first_rows.setdefault((kind, column), rows[int(np.argmax(doubtful))])

    def sentences(self, *, zone: str) -> list[str]:
        """Return a sentence for each doubt."""
        said = []
        for (kind, column), count in self._counts.items():
            one, more = SENTENCES[kind]
            text = (one if count == 1 else more).format(count=f"{count:,}", column=column, zone=zone)
            said.append(f"{text} ({'row' if count == 1 else 'first: row'} {self._first_rows[kind, column]:,}).")
        return said
