"""What can be wrong with an import."""

from dataclasses import dataclass


class FileRejected(Exception):
    """The file as a whole cannot be imported; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class CellError:
    """Why a row was rejected. `row` counts as a spreadsheet does: the header is row 1."""

    row: int
    column: str
    reason: str
