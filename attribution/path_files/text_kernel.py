"""The compiled loops that read paths and plain numbers. Importing this module imports numba, which takes a second."""

import numpy as np
import numpy.typing as npt

from marketing.frames import Float64Column, Int64Column, UInt8Column
from marketing.native import compiled

NO_ROOM = -1
EMPTY = -1  # slot of the table of names
WORD = 8  # bytes
# What is known of a name: its place, and its first and last word, which are all of it if it is no longer than both.
START, SIZE, HEAD, TAIL, NAME_FIELDS = 0, 1, 2, 3, 4
ZERO, NINE, POINT = 48, 57, 46  # as bytes
EXACT_DIGITS = 15  # as an integer and as a float, and so are the powers of ten: a quotient is rounded but once
POWERS = np.array([10.0**n for n in range(EXACT_DIGITS + 1)])


@compiled
def cut_paths(
    steps: Int64Column,
    ends: Int64Column,
    names: Int64Column,
    slots: Int64Column,
    text: UInt8Column,
    offsets: npt.NDArray[np.int32],
    separator: UInt8Column,
) -> tuple[int, int]:
    """Take each path `text[offsets[j]:offsets[j+1]]` of UTF-8 apart where the separator, one byte at least, stands.

    `steps` gets the number of each step's name, path by path, and `ends` (J,) where in it each path ends. Names are
    numbered as they occur; `names` (N, NAME_FIELDS) gets the place of each in `text`, without the ASCII blanks around
    it. `slots`: scratch space, its length a power of two that is larger than N.
    Returns how many steps and names there are; NO_ROOM if there are more than `steps` or `names` have room for.
    """
    slots[:] = EMPTY
    last_slot = np.uint64(len(slots) - 1)
    count, known = 0, 0
    for path in range(len(ends)):
        start, path_stop = int(offsets[path]), int(offsets[path + 1])
        while start >= 0:
            stop = find(separator, text, start, path_stop)
            first, size = without_blanks(text, start, stop)
            head, tail = head_of(text, first, size), tail_of(text, first, size)
            slot = mixed(head, tail) & last_slot
            while slots[slot] != EMPTY and not is_name(names, slots[slot], text, first, size, head, tail):
                slot = (slot + np.uint64(1)) & last_slot
            if count == len(steps) or (slots[slot] == EMPTY and known == len(names)):
                return NO_ROOM, NO_ROOM
            if slots[slot] == EMPTY:
                slots[slot] = known
                names[known, START], names[known, SIZE] = first, size
                names[known, HEAD], names[known, TAIL] = head, tail
                known += 1
            steps[count] = slots[slot]
            count += 1
            start = stop + len(separator) if stop < path_stop else -1
        ends[path] = count
    return count, known


@compiled
def find(separator: UInt8Column, text: UInt8Column, start: int, stop: int) -> int:
    """Where in `text[start:stop]` the separator stands first, `stop` without one."""
    for at in range(start, stop - len(separator) + 1):
        if text[np.uint64(at)] == separator[0]:
            i = 1
            while i < len(separator) and text[at + i] == separator[i]:
                i += 1
            if i == len(separator):
                return at
    return stop


@compiled
def without_blanks(text: UInt8Column, start: int, stop: int) -> tuple[int, int]:
    """The start and the size of `text[start:stop]` without the blanks around it."""
    while start < stop and is_blank(text[np.uint64(start)]):
        start += 1
    while start < stop and is_blank(text[np.uint64(stop - 1)]):
        stop -= 1
    return start, stop - start


@compiled
def is_name(
    names: Int64Column, name: int, text: UInt8Column, start: int, size: int, head: np.int64, tail: np.int64
) -> bool:
    """Whether `text[start:start + size]`, whose first and last word are given, is the name of this number."""
    if names[name, HEAD] != head or names[name, TAIL] != tail or names[name, SIZE] != size:
        return False
    i, other = WORD, names[name, START]
    while i < size - WORD and text[start + i] == text[other + i]:
        i += 1
    return i >= size - WORD


@compiled
def is_blank(byte: int) -> bool:
    """Whether it is one of the blanks of ASCII, which no part of another letter looks like in UTF-8."""
    return byte == 32 or 9 <= byte <= 13 or 28 <= byte <= 31


@compiled
def head_of(text: UInt8Column, start: int, size: int) -> np.int64:
    """The first eight bytes of a name as a number, or all of a shorter name's."""
    return word(text, start) if size >= WORD else short_word(text, start, size)


@compiled
def tail_of(text: UInt8Column, start: int, size: int) -> np.int64:
    """The last eight bytes of a name as a number; 0 if it is shorter."""
    return word(text, start + size - WORD) if size >= WORD else np.int64(0)


@compiled
def word(text: UInt8Column, start: int) -> np.int64:
    """Eight bytes as a number. The indices are unsigned, or each would be looked at for counting from the end."""
    found = np.uint64(0)
    for i in range(WORD):
        found |= np.uint64(text[np.uint64(start) + np.uint64(i)]) << np.uint64(8 * i)
    return np.int64(found)


@compiled
def short_word(text: UInt8Column, start: int, size: int) -> np.int64:
    """Fewer than eight bytes as a number."""
    found = 0
    for i in range(size):
        found = found << 8 | int(text[np.uint64(start + i)])
    return np.int64(found)


@compiled
def mixed(head: np.int64, tail: np.int64) -> np.uint64:
    """A 64-bit mix of two words."""
    found = np.uint64(head) * np.uint64(0x9E3779B97F4A7C15)
    found = (found ^ (found >> np.uint64(32)) ^ np.uint64(tail)) * np.uint64(0xBF58476D1CE4E5B9)
    found = (found ^ (found >> np.uint64(32))) * np.uint64(0x9E3779B97F4A7C15)
    return found ^ (found >> np.uint64(32))


@compiled
def read_numbers(values: Float64Column, column: int, text: UInt8Column, offsets: npt.NDArray[np.int32]) -> bool:
    """Fill a column of `values` (J, W) with the numbers `text[offsets[j]:offsets[j+1]]`, if they are plain.

    Plain are digits, 15 at most, which may have a point between them. False: one is not, and what the column holds is
    of no use.
    """
    for row in range(len(values)):
        digits, whole, decimals = 0, 0, 0
        start, stop = int(offsets[row]), int(offsets[row + 1])
        for at in range(start, stop):
            byte = int(text[np.uint64(at)])
            if ZERO <= byte <= NINE:
                digits = 10 * digits + byte - ZERO
            elif byte == POINT and whole == 0 and start < at < stop - 1:
                whole = at - start
            else:
                return False
        size = stop - start
        if whole > 0:
            size, decimals = size - 1, size - 1 - whole
        if not 0 < size <= EXACT_DIGITS:
            return False
        values[row, column] = digits / POWERS[decimals]
    return True
