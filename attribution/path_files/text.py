"""Read columns of paths and of plain numbers from their bytes, without a text for each."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from marketing.frames import Float64Column, Int64Column, UInt8Column, UInt32Column
from marketing.importing.columns import trimmed
from marketing.journey_paths import read_only

STEPS, NAMES = 2**17, 2**9  # of a chunk, to begin with; powers of two
NAME_FIELDS = 4  # as many as in the kernel, which is imported late
ENLARGED = 4  # times


@dataclass(slots=True)
class PathCutter:
    """Takes paths apart at a separator; blanks around it and around a path do not matter.

    `codes`: the number of each channel in the order in which they occur, that of an empty step's "" among them.
    Raises ValueError if the separator is "".
    """

    separator: str
    codes: dict[str, int] = field(default_factory=dict)
    _steps: Int64Column = field(default_factory=lambda: np.empty(STEPS, np.int64))
    _names: Int64Column = field(default_factory=lambda: np.empty((NAMES, NAME_FIELDS), np.int64))
    _slots: Int64Column = field(default_factory=lambda: np.empty(2 * NAMES, np.int64))

    def __post_init__(self) -> None:
        if not self.separator:
            raise ValueError("A separator of paths cannot be nothing.")
        self.separator = self.separator.strip() or self.separator

    def cut(self, column: pa.Array) -> tuple[UInt32Column, Int64Column]:
        """Return the codes of the steps of a column (J,) of paths, and where among them each path ends, (J,)."""
        from attribution.path_files.text_kernel import NO_ROOM, SIZE, START, cut_paths

        text, offsets = _bytes_of(self._text(column))
        separator = read_only(np.frombuffer(self.separator.encode(), np.uint8))
        ends = np.empty(len(column), np.int64)
        steps, known = NO_ROOM, NO_ROOM
        while steps == NO_ROOM:
            steps, known = cut_paths(self._steps, ends, self._names, self._slots, text, offsets, separator)
            if steps == NO_ROOM:
                self._enlarge()
        names = self._names[:known, [START, SIZE]].tolist()
        code = self._codes_of([text[start : start + size].tobytes().decode() for start, size in names])
        return code[self._steps[:steps]], ends

    def _text(self, column: pa.Array) -> pa.Array:
        """The column as text. Around a separator of blanks, only those that surround the whole path are needless."""
        return column if _is_plain(column) and not self.separator.isspace() else trimmed(column)

    def _codes_of(self, names: list[str]) -> UInt32Column:
        trimmed_names = pc.utf8_trim_whitespace(pa.array(names, pa.string())).to_pylist()
        return np.array([self.codes.setdefault(name, len(self.codes)) for name in trimmed_names], np.uint32)

    def _enlarge(self) -> None:
        self._steps = np.empty(ENLARGED * len(self._steps), np.int64)
        self._names = np.empty((ENLARGED * len(self._names), NAME_FIELDS), np.int64)
        self._slots = np.empty(ENLARGED * len(self._slots), np.int64)


def read_plain(weights: Float64Column, place: int, column: pa.Array) -> bool:
    """Read numbers (J,) into a column of `weights` (J, W), if all are but digits, with or without a point.

    False: some are not, and nothing of use has been read.
    """
    from attribution.path_files.text_kernel import read_numbers

    return _is_plain(column) and read_numbers(weights, place, *_bytes_of(column))


def _is_plain(column: pa.Array) -> bool:
    return pa.types.is_string(column.type) and not column.null_count


def _bytes_of(text: pa.Array) -> tuple[UInt8Column, npt.NDArray[np.int32]]:
    """Return the bytes of all texts (J,), and the offsets (J+1,) of each, without copying them."""
    _validity, offsets, data = text.buffers()
    from_first = np.frombuffer(offsets, np.int32, count=len(text) + 1, offset=4 * text.offset)
    return read_only(np.frombuffer(data or b"", np.uint8)), read_only(from_first)
