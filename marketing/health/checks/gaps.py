"""Days without data: which of them are missing, and which are a pause, a weekend or the rhythm of weekly rows.

A series is known by the days that have a row (spend, outcomes, controls), or by a count for each day (touches,
conversions). Runs of days without data are judged by what is usual for the series itself.
"""

import itertools
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from marketing.frames import BoolColumn, Float64Column, Int64Column

_Number = TypeVar("_Number", np.bool_, np.float64, np.int64)

LONGEST_HOLE = 10  # days; what is longer is taken for a pause, unless the series never pauses
SIDE_DAYS = 14  # a hole is judged by so many days on each side
DENSE = 0.8  # share of those that must have data
ALWAYS_ON = 0.97  # share of days with data of a series that never pauses
RECENT_DAYS = 60  # by which a series that ends is judged; what ran for less may have been a campaign
ENDS_EARLY_DAYS = 3
LONGEST_STOP = 90  # days after which what stopped is over, not missing
UNLIKELY_COUNT = 25  # expected touches in a hole; of pure chance it would be empty once in 10^10 times
NEXT_DAYS = 3  # the nearest days must expect as much: a channel may have been on its way to a pause
LOW = 0.15  # of the usual amount or count
AS_GOOD_AS_NONE = 0.1  # of the usual count, where that is high enough for chance not to leave so few
UNUSUAL_LENGTH = 2  # times as long as nearly all other runs without data
WEEK = 7
MISSING_WEEKS_SEARCHED = 26


class Cadence(StrEnum):
    """How often a series has a row."""

    DAILY = "daily"
    WEEKLY = "weekly"
    RARE = "rare"


class Hole(NamedTuple):
    """Missing days of a series: positions on the axis, both included. `at_end`: none followed."""

    first: int
    last: int
    at_end: bool = False

    @property
    def days(self) -> int:
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True, eq=False)
class Coverage:
    """What a series has: (D,) `present`, its rhythm, and the holes in it.

    `covered`: (D,) days that a row speaks for, of weekly rows the days of the week that they begin. `low`: (D,) days
    with far less than the days around.
    """

    present: BoolColumn
    covered: BoolColumn
    cadence: Cadence
    holes: tuple[Hole, ...]
    low: BoolColumn

    @property
    def missing(self) -> BoolColumn:
        """(D,) the days of all holes."""
        days = np.zeros(len(self.present), np.bool_)
        for hole in self.holes:
            days[hole.first : hole.last + 1] = True
        return days

    @property
    def first(self) -> int | None:
        """The position of the first day with data; None without any."""
        return int(np.argmax(self.present)) if self.present.any() else None

    @property
    def last(self) -> int | None:
        """The position of the last day that a row speaks for."""
        return len(self.covered) - 1 - int(np.argmax(self.covered[::-1])) if self.covered.any() else None


def runs_of(days: BoolColumn) -> list[Hole]:
    """The runs of true days, in order."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], days, [False]]).astype(np.int8)))
    last = len(days) - 1
    return [
        Hole(int(start), int(stop) - 1, int(stop) - 1 == last)
        for start, stop in zip(edges[::2], edges[1::2], strict=True)
    ]


def newest_stretch(days: BoolColumn, *, across: int = SIDE_DAYS) -> tuple[int, int] | None:
    """The first and last position of the newest stretch of true days, across breaks of up to so many days."""
    runs = runs_of(days)
    if not runs:
        return None
    first, last = runs[-1].first, runs[-1].last
    for run in reversed(runs[:-1]):
        if first - run.last > across:
            break
        first = run.first
    return first, last


def cadence_of(present: BoolColumn) -> Cadence:
    """Whether a series has rows by day, by week or now and then, from the distances between its days."""
    distances = np.diff(np.flatnonzero(present))
    if len(distances) < 3:
        return Cadence.RARE
    if np.mean(distances % WEEK == 0) >= DENSE:
        return Cadence.WEEKLY
    # A business that rests at weekends has distances of one and, each week, of three days.
    return Cadence.DAILY if np.mean(distances <= 1) >= 0.6 else Cadence.RARE


def coverage_by_rows(present: BoolColumn, *, amount: Float64Column | None = None, until: int | None = None) -> Coverage:
    """Judge a series by the days that have rows.

    `amount`: (D,) what the rows say, for days with far less than others. `until`: the last position for which others of
    its kind have rows.
    """
    cadence = cadence_of(present)
    until = len(present) - 1 if until is None else until
    if cadence == Cadence.WEEKLY:
        return _weekly(present, until)
    low = np.zeros(len(present), np.bool_)
    if cadence == Cadence.RARE:
        return Coverage(present, present, cadence, (), low)
    if amount is not None:
        values = np.nan_to_num(amount)
        low = present & (values > 0) & (values < LOW * _usual(values))
    absent = [hole for hole in runs_of(~present) if hole.first > np.argmax(present)]
    inner = [hole for hole in absent if not hole.at_end]
    holes = [hole for hole in inner if _is_hole(present, hole, inner)]
    holes += _stop(present, until)
    return Coverage(present, present, cadence, tuple(holes), low)


def coverage_by_count(count: Int64Column, *, expected: BoolColumn | None = None) -> Coverage:
    """Judge a series by its count on each day (D,): a day without is a hole only where chance does not leave one.

    `expected`: (D,) false where none is to be expected, as nothing was spent.
    """
    usual = _usual(count.astype(np.float64))
    judged = usual >= UNLIKELY_COUNT
    # An outage that begins at 02:00 leaves the touches before it.
    present = (count > 0) & ~(judged & (count < AS_GOOD_AS_NONE * usual))
    low = present & judged & (count < LOW * usual)
    cadence = cadence_of(present)
    if cadence != Cadence.DAILY:
        return Coverage(count > 0, count > 0, cadence, (), low & False)
    absent = [hole for hole in runs_of(~present) if hole.first > np.argmax(present) and not hole.at_end]
    holes = []
    for hole in absent:
        before, after = sides_of(count, hole)
        near = (before, after, before[-NEXT_DAYS:], after[:NEXT_DAYS])
        expects = min(float(np.mean(side)) for side in near) * hole.days
        silent = expected is not None and not expected[hole.first : hole.last + 1].any()
        if expects >= UNLIKELY_COUNT and not silent and hole.days > UNUSUAL_LENGTH * _usual_length(hole, absent):
            holes.append(hole)
    return Coverage(present, present, cadence, tuple(holes), low)


def _usual(values: Float64Column) -> Float64Column:
    """(D,) the smaller one of the medians of the two weeks before, and after, each day: a channel may be fading out."""
    padded = np.pad(values, (SIDE_DAYS, SIDE_DAYS), mode="edge")
    medians = np.median(np.lib.stride_tricks.sliding_window_view(padded, SIDE_DAYS), axis=1)
    smaller: Float64Column = np.minimum(medians[: len(values)], medians[SIDE_DAYS + 1 : SIDE_DAYS + 1 + len(values)])
    return smaller


def _is_hole(present: BoolColumn, hole: Hole, others: list[Hole]) -> bool:
    if hole.days > LONGEST_HOLE:
        long = [other for other in others if other.days > LONGEST_HOLE]
        rest = np.delete(present, np.r_[tuple(slice(other.first, other.last + 1) for other in long)])
        rest = rest[int(np.argmax(present)) :]
        return len(long) <= 2 and hole.days <= LONGEST_STOP and float(np.mean(rest)) >= ALWAYS_ON
    short = [other for other in others if other.days <= LONGEST_HOLE]
    before, after = sides_of(present, hole)
    # Weekends without rows count as if they had some: they are part of the rhythm.
    usual = _usual_length(hole, short)
    rhythm = WEEK / (WEEK - min(usual, WEEK - 1)) if usual else 1.0
    dense = min(float(np.mean(before)), float(np.mean(after))) * rhythm >= DENSE
    return dense and hole.days > UNUSUAL_LENGTH * usual


def _usual_length(hole: Hole, runs: list[Hole]) -> float:
    """How long nearly all other runs without data are; 0 where there are too few to be a habit."""
    others = [run.days for run in runs if run != hole]
    return float(np.percentile(others, 90)) if len(others) >= 8 else 0.0


def sides_of(column: npt.NDArray[_Number], hole: Hole) -> tuple[npt.NDArray[_Number], npt.NDArray[_Number]]:
    """The two weeks before a hole, and after it, as far as there are days."""
    before = column[max(hole.first - SIDE_DAYS, 0) : hole.first]
    after = column[hole.last + 1 : hole.last + 1 + SIDE_DAYS]
    return before, after


def _stop(present: BoolColumn, until: int) -> list[Hole]:
    """The days since a series that never paused has ended, if others of its kind went on."""
    last = len(present) - 1 - int(np.argmax(present[::-1]))
    recent = present[max(last - RECENT_DAYS + 1, int(np.argmax(present))) : last + 1]
    stopped = until - last
    if not ENDS_EARLY_DAYS <= stopped <= LONGEST_STOP:
        return []
    if len(recent) < RECENT_DAYS or np.mean(recent) < ALWAYS_ON:
        return []
    return [Hole(last + 1, until, at_end=True)]


def _weekly(present: BoolColumn, until: int) -> Coverage:
    """Weekly rows speak for the six days after theirs, too."""
    days = np.flatnonzero(present)
    covered = np.zeros(len(present), np.bool_)
    for day in days:
        covered[day : day + WEEK] = True
    holes = []
    for day, following in itertools.pairwise(days):
        weeks = round((following - day) / WEEK) - 1
        if 1 <= weeks <= MISSING_WEEKS_SEARCHED:
            holes.append(Hole(int(day) + WEEK, int(following) - 1))
    if WEEK + ENDS_EARLY_DAYS <= until - int(days[-1]) - WEEK <= LONGEST_STOP:
        holes.append(Hole(int(days[-1]) + WEEK, until, at_end=True))
    if len(holes) > max(2, 0.1 * len(days)):  # so many that pauses are its rhythm
        holes = []
    return Coverage(present, covered, Cadence.WEEKLY, tuple(holes), np.zeros(len(present), np.bool_))
