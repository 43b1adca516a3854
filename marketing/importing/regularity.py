"""Look at the days that a file's figures are of: does it skip weeks, and is it of days or of weeks?"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from marketing.importing.errors import FileRejected

FIRST_DAY = np.datetime64("2000-01-01", "D")
DAYS_KEPT = 20_000
WEEK = 7
DAILY_RUN, WEEKLY_RUN = 6, 4  # steps in a row that make a stretch of daily, or of weekly, figures
WEEKS_WORTH_A_WARNING = 4  # that a file covers at least
MOST_MISSING_SHARE = 0.1  # of the weeks: with more, the media mix is not modelled


@dataclass(slots=True)
class Regularity:
    """Gathers the days of a file, by series, at most one bit a day."""

    series: dict[str, NDArray[np.bool_]] = field(default_factory=dict)

    def add(self, days: NDArray[np.datetime64], names: NDArray[Any] | None) -> None:
        """Take in the days of some rows. `names`: what series each is of; None for a single one."""
        offsets = (days.astype("datetime64[D]") - FIRST_DAY).astype(np.int64)
        if names is None:
            self._days_of("")[offsets] = True
            return
        codes, distinct = pd.factorize(names)
        for code, name in enumerate(distinct.tolist()):
            self._days_of(name.lower())[offsets[codes == code]] = True

    def require_one_rhythm(self) -> None:
        """Raise FileRejected if a series is daily in one stretch and weekly in another."""
        for name, there in self.series.items():
            days = np.flatnonzero(there)
            steps = np.diff(days)
            daily, weekly = _first_run(steps == 1, DAILY_RUN), _first_run(steps == WEEK, WEEKLY_RUN)
            if daily is not None and weekly is not None:
                of = f" of “{name}”" if name else ""
                raise FileRejected(
                    f"The figures{of} are daily from {_day(days[daily])} and weekly from {_day(days[weekly])}. "
                    "Import them in two files, or bring them to one rhythm."
                )

    def missing_weeks(self) -> str:
        """Return a sentence on weeks without any row between the first and the last, "" if there are none."""
        if not self.series:
            return ""
        days = np.flatnonzero(np.logical_or.reduce(list(self.series.values())))
        if len(days) < WEEKS_WORTH_A_WARNING or np.median(np.diff(days)) > WEEK:
            return ""  # of months or of quarters: then nothing is missing
        weeks = (days - days[0]) // WEEK
        covered = np.zeros(weeks[-1] + 1, bool)
        covered[weeks] = True
        missing = np.flatnonzero(~covered)
        if not len(missing) or len(covered) < WEEKS_WORTH_A_WARNING:
            return ""
        first = _day(days[0] + missing[0] * WEEK)
        said = f"{len(missing):,} of {len(covered):,} weeks have no rows, the first from {first}."
        if len(missing) > MOST_MISSING_SHARE * len(covered):
            said += f" With more than {MOST_MISSING_SHARE:.0%} missing, the media mix cannot be modelled."
        return said

    def _days_of(self, name: str) -> NDArray[np.bool_]:
        return self.series.setdefault(name, np.zeros(DAYS_KEPT, bool))


def _first_run(found: NDArray[np.bool_], length: int) -> int | None:
    """Return where `length` of them first follow one another."""
    if len(found) < length:
        return None
    runs = np.flatnonzero(np.lib.stride_tricks.sliding_window_view(found, length).all(axis=1))
    return int(runs[0]) if len(runs) else None


def _day(offset: int | np.int64) -> str:
    return str(FIRST_DAY + np.timedelta64(int(offset), "D"))
