"""What can be wrong with an import."""

import errno
from dataclasses import dataclass, field


class FileRejected(Exception):
    """The file as a whole cannot be imported; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class CellError:
    """Why a row was rejected. `row` counts as a spreadsheet does: the first row of the file is row 1.

    `cells`: the whole row as the file has it, if the reader was asked to keep it.
    """

    row: int
    column: str
    reason: str
    cells: tuple[str, ...] = field(default=(), compare=False)


def is_the_files_fault(error: Exception) -> bool:
    """Return whether what went wrong while reading a file is due to its contents, rather than to the disk."""
    # Libraries raise OSError without a number for what they find; EINVAL is a place in the file that cannot be.
    return not isinstance(error, OSError) or error.errno in (None, errno.EINVAL)
