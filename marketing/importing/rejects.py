"""Write the rows that an import rejects into a file that people can mend and upload again."""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from marketing.importing.errors import CellError

ADDED = ("Row", "Column", "Reason")
STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")
IS_A_NUMBER = "0123456789.,"


class RejectsWriter:
    """A CSV file of rejected rows as they were, and for each why it was rejected. Close it, or use `with`.

    It has a byte order mark, by which Excel knows that it is UTF-8.
    """

    def __init__(self, path: Path, header: list[str]) -> None:
        self.count = 0
        self._width = len(header)
        self._file = path.open("w", encoding="utf-8-sig", newline="")
        self._writer = csv.writer(self._file)
        self._writer.writerow([*map(neutral, header), *_free_names(header)])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def write(self, errors: Iterable[CellError]) -> None:
        """Add the rows of the errors; those of a `Checker` that keeps raw cells."""
        for error in errors:
            cells = [neutral(cell) for cell in error.cells]
            # A row with too many cells keeps them all, so that what it says of itself stands further right.
            cells += [""] * (self._width - len(cells))
            self._writer.writerow([*cells, error.row, neutral(error.column), error.reason])
            self.count += 1

    def close(self) -> None:
        self._file.close()


def neutral(cell: str) -> str:
    """Return the cell so that no spreadsheet takes it for a formula: an apostrophe goes before it. Numbers stay."""
    if not cell.startswith(STARTS_A_FORMULA):
        return cell
    return cell if cell[0] in "+-" and len(cell) > 1 and set(cell[1:]) <= set(IS_A_NUMBER) else f"'{cell}"


def _free_names(header: list[str]) -> list[str]:
    """Return names for the added columns that the file does not use itself: a rejects file may be uploaded again."""
    return [name if name not in header else f"{name} (import)" for name in ADDED]
