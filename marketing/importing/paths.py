"""Read paths: the channels of a journey, oldest first, written in one cell with a sign between them."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from marketing.importing.cells import text
from marketing.importing.columns import Cells, Clock, bools, matches, quoted, trimmed
from marketing.importing.errors import FileRejected
from marketing.importing.reading import PathSeparator

MOST_STEPS = 1_000
LONGEST_NAME = 100  # of a channel
# What parts the steps of a parsed path: text from a file holds none, so names may hold any sign there is.
JOINT = "\0"
DEFAULT: PathSeparator = ">"
# How each sign is written; blanks around it belong to it.
WRITTEN: dict[PathSeparator, str] = {">": "[-=]?>|→", "|": r"\|", ";": ";", "/": "/", ",": ","}
# By which cells a sign is known, and by which it is known for part of a name: “SEO/SEA” is one channel.
SIGNS: dict[PathSeparator, tuple[str, str | None]] = {
    "|": (r"\|", None),
    ";": (";", None),
    "/": (r"\s/\s", r"\S/|/\S"),
}
WHOLE = text(MOST_STEPS * (LONGEST_NAME + 3))
NOT_SAID = ("(not set)", "(none)")  # what Google Analytics writes for a channel that it does not know


def parse(column: pa.Array, clock: Clock) -> Cells:
    """The channels of each path, joined by `JOINT`; "" where blank.

    Wrong are paths with an empty step, with one that names nothing, or with more than `MOST_STEPS`.
    """
    found = WHOLE(column, clock)
    present, wrong = found.present, found.wrong
    cells = trimmed(column)
    paths = pc.split_pattern_regex(cells, WRITTEN[clock.path_separator or DEFAULT])
    steps = pc.utf8_trim_whitespace(pc.list_flatten(paths))
    lengths = pc.list_value_length(paths).to_numpy(zero_copy_only=False).astype(np.int64)
    first = np.concatenate([[0], np.cumsum(lengths)])
    for path in np.flatnonzero(lengths > MOST_STEPS).tolist():
        wrong.setdefault(path, f"{lengths[path]:,} steps; a path has {MOST_STEPS:,} at most")
    path_of_step = np.repeat(np.arange(len(lengths)), lengths)
    for place, reason in _wrong_steps(steps):
        path = int(path_of_step[place])
        if present[path]:
            wrong.setdefault(path, f"step {place - first[path] + 1:,} {reason}")
    joined = pc.binary_join(pa.ListArray.from_arrays(pa.array(first, pa.int32()), steps), JOINT)
    return Cells(joined.to_numpy(zero_copy_only=False), present, wrong)


def _wrong_steps(steps: pa.Array) -> Iterator[tuple[int, str]]:
    """Yield the places of steps that are no channels, and why, the first of each path first."""
    empty = bools(pc.equal(steps, ""))
    unsaid = bools(pc.is_in(pc.utf8_lower(steps), pa.array(NOT_SAID)))
    long = bools(pc.greater(pc.utf8_length(steps), LONGEST_NAME))
    for place in np.flatnonzero(empty | unsaid | long).tolist():
        if empty[place]:
            yield place, "is empty"
        elif unsaid[place]:
            yield place, f"is {quoted(steps[place].as_py())}: write Unassigned where the channel is not known"
        else:
            yield place, f"is longer than {LONGEST_NAME} characters"


def steps_of(paths: NDArray[np.object_]) -> tuple[list[str], NDArray[np.int64], NDArray[np.int64]]:
    """Take apart n parsed paths that are not blank.

    Returns the distinct names in the order in which they occur, the place among them of each of L steps (L,) int64, and
    where the steps of each path begin (n+1,) int64.
    """
    lists = pc.split_pattern(pa.array(paths, pa.string()), JOINT)
    encoded = pc.list_flatten(lists).dictionary_encode()
    lengths = pc.list_value_length(lists).to_numpy(zero_copy_only=False).astype(np.int64)
    codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return encoded.dictionary.to_pylist(), codes, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def separator_told(column: pa.Array, *, before: PathSeparator | None) -> PathSeparator | None:
    """Return the sign that parts the steps in these cells, None if there is no sign in any; `before`: in earlier cells.

    Where “>” occurs, the others are part of names. Raises FileRejected if several could be meant.
    """
    if before == DEFAULT:
        return before
    cells = trimmed(column)
    if matches(cells, WRITTEN[DEFAULT]).any():
        told: set[PathSeparator] = {DEFAULT}
    else:
        told = {
            sign
            for sign, (known_by, part_of_name) in SIGNS.items()
            if matches(cells, known_by).any() and not (part_of_name and matches(cells, part_of_name).any())
        }
    if before is not None:
        told.add(before)
    if len(told) > 1:
        listed = " and ".join(f"“{sign}”" for sign in WRITTEN if sign in told)
        raise FileRejected(
            f"The paths have {listed} between words. Say which of them parts the steps, where it is said how the file "
            "is read, or write > between the channels."
        )
    return next(iter(told), None)
