"""Columns of a length that is not known before they are filled."""

from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

Scalar = TypeVar("Scalar", bound=np.generic)

MARGIN = 1.05  # on top of what is expected, as no two parts of a file are the same
MOST, LEAST = 16.0, 1.5  # times what there is by now: an array grows to no more, and no less


@dataclass(slots=True)
class GrowingColumn(Generic[Scalar]):
    """The first `count` rows of `array`, (n,) or (n, m); the others are not filled, and take no memory until they are.

    Rows are copied only when the array grows. Unlike a list of parts that is put together at the end, it never holds
    all of them twice, unless it grows for the last of them.
    """

    array: npt.NDArray[Scalar]
    count: int = 0

    def more(self, rows: int, fraction: float) -> npt.NDArray[Scalar]:
        """Return so many more rows, to be filled before the next ones are asked for.

        `fraction`: what part of all rows there are with them, about; 0 if that is not known.
        """
        count = self.count + rows
        if count > len(self.array):
            expected = min(MARGIN / fraction, MOST) if fraction > 0 else 0.0
            array = np.empty((int(count * max(expected, LEAST)), *self.array.shape[1:]), self.array.dtype)
            array[: self.count] = self.filled()
            self.array = array
        self.count = count
        return self.array[count - rows : count]

    def filled(self) -> npt.NDArray[Scalar]:
        """Return the rows that there are, not copied."""
        return self.array[: self.count]

    def clear(self) -> None:
        """Give the memory back."""
        self.array, self.count = self.array[:0].copy(), 0
