"""Sudden changes of level, and days that stand out, in a daily series of amounts.

Everything is judged on the logarithm, by medians, and by how much the series itself usually moves: a budget that is
pulsed on purpose has to jump further than one that is steady before anybody is told.
"""

from typing import NamedTuple

import numpy as np

from marketing.frames import BoolColumn, Float64Column, Int64Column

WINDOW_DAYS = 28  # before and after a change of level
FEWEST_AFTER = 10  # days that a new level must have lasted
WITH_DATA = 0.8  # share of a window's days that must have an amount
SMALLEST_SHIFT = np.log(2.2)  # a level that more than doubles, or falls by more than half
SHIFT_SPREADS = 6.0  # times the usual difference between neighbouring windows
SHIFT_EXTREMES = 2.0  # times what nearly all other neighbouring windows differ by at most
NEARLY_ALL = 90  # per cent
FEWEST_OTHERS = 28  # days that tell how much a series usually moves
SHIFT_OF_UNKNOWN = np.log(3.0)  # where there are fewer
SHIFT_ERRORS = 8.0  # times the error of the difference of two medians
FEWEST_A_DAY = 10.0  # of counts
SUDDEN = 0.6  # share of the change that must happen within a week
SIDE_DAYS = 7
SMALLEST_OUTLIER = np.log(5.0)
SMALLEST_LAST_OUTLIER = np.log(10.0)
OUTLIER_SPREADS = 8.0  # times the usual distance from the neighbours
LONGEST_OUTLIER = 3  # days in a row; what is longer is a level
FEWEST_DAYS = 42
MAD_TO_SD = 1.4826
WEEK = 7


class Shift(NamedTuple):
    """A new level: positions of its first and last day, and how many times the old level it is."""

    first: int
    last: int
    ratio: float


class Outlier(NamedTuple):
    """Days in a row that stand out: positions of the first and the last, and how many times their neighbours."""

    first: int
    last: int
    ratio: float


def shifts(values: Float64Column, *, is_count: bool = False, by_week: bool = False) -> list[Shift]:
    """Find the days (D,) on which an amount jumps to another level and stays there. NaN and 0 are days without.

    `is_count`: the values are counts; levels of a few are left alone, as chance moves them. `by_week`: each value is
    a week's, so there are no weekdays.
    """
    logs = _logs(values)
    if np.isfinite(logs).sum() < FEWEST_DAYS:
        return []
    if not by_week:
        logs = logs - _weekday_effect(logs)
    steps, errors = _steps(logs, smallest_level=np.log(FEWEST_A_DAY) if is_count else -np.inf)
    found = np.isfinite(steps)
    if not found.any():
        return []
    candidates = np.flatnonzero(found & (np.abs(steps) >= SMALLEST_SHIFT) & (np.abs(steps) >= SHIFT_ERRORS * errors))
    peaks = _peaks(logs, steps, candidates)
    return _ends(logs, [peak for peak in peaks if abs(peak.step) >= _limit(steps, peak, _way_back(peak, peaks))])


def _logs(values: Float64Column) -> Float64Column:
    logs = np.full(len(values), np.nan)
    positive = np.nan_to_num(values) > 0
    logs[positive] = np.log(values[positive])
    return logs


def _weekday_effect(logs: Float64Column) -> Float64Column:
    """(D,) how far each weekday usually lies from the middle of its week."""
    centred = logs - _rolling_median(logs, WEEK)
    effect = np.zeros(len(logs))
    for weekday in range(WEEK):
        of_weekday = centred[weekday::WEEK]
        known = of_weekday[np.isfinite(of_weekday)]
        effect[weekday::WEEK] = np.median(known) if len(known) >= 4 else 0.0
    return effect


def _rolling_median(logs: Float64Column, width: int) -> Float64Column:
    half = width // 2
    padded = np.concatenate([np.full(half, np.nan), logs, np.full(half, np.nan)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, width)
    return _nanmedian(windows)


def _nanmedian(windows: Float64Column) -> Float64Column:
    """The median of each row's finite values, (N,); NaN for a row without any."""
    counts = np.isfinite(windows).sum(axis=1)
    ordered = np.sort(np.where(np.isfinite(windows), windows, np.inf), axis=1)
    rows = np.arange(len(windows))
    low, high = np.maximum((counts - 1) // 2, 0), np.minimum(counts // 2, windows.shape[1] - 1)
    medians = np.full(len(windows), np.nan)
    some = counts > 0
    medians[some] = (ordered[rows, low][some] + ordered[rows, high][some]) / 2
    return medians


def _steps(logs: Float64Column, *, smallest_level: float) -> tuple[Float64Column, Float64Column]:
    """(D,) how much higher the median from each day on is than that before it, and the error of that; NaN unknown."""
    days = len(logs)
    padded = np.concatenate([np.full(WINDOW_DAYS, np.nan), logs, np.full(WINDOW_DAYS, np.nan)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW_DAYS)
    before, after = windows[:days], windows[WINDOW_DAYS : WINDOW_DAYS + days]
    middle_before, middle_after = _nanmedian(before), _nanmedian(after)
    known_before, known_after = np.isfinite(before).sum(axis=1), np.isfinite(after).sum(axis=1)
    left = np.minimum(days - np.arange(days), WINDOW_DAYS)
    enough = (known_before >= WITH_DATA * WINDOW_DAYS) & (known_after >= np.maximum(WITH_DATA * left, FEWEST_AFTER))
    enough &= np.fmax(middle_before, middle_after) >= smallest_level
    spread = MAD_TO_SD * np.maximum(
        _nanmedian(np.abs(before - middle_before[:, None])), _nanmedian(np.abs(after - middle_after[:, None]))
    )
    error = 1.2533 * spread * np.sqrt(1 / np.maximum(known_before, 1) + 1 / np.maximum(known_after, 1))
    return np.where(enough, middle_after - middle_before, np.nan), error


class _Peak(NamedTuple):
    """The day of a change, and its step."""

    day: int
    step: float

    def undoes(self, other: "_Peak") -> bool:
        """Whether the level is about what it was before the other step."""
        return abs(self.step + other.step) < 0.5 * abs(other.step)


def _way_back(peak: _Peak, peaks: list[_Peak]) -> _Peak | None:
    """The nearest change that undoes this one, or that this one undoes."""
    others = [other for other in peaks if other.undoes(peak) or peak.undoes(other)]
    return min(others, key=lambda other: abs(other.day - peak.day), default=None)


def _limit(steps: Float64Column, peak: _Peak, way_back: _Peak | None) -> float:
    """How large a step must be: beyond what the series does elsewhere, away from this step and the way back."""
    elsewhere = steps.copy()
    for one in filter(None, (peak, way_back)):
        elsewhere[max(one.day - WINDOW_DAYS, 0) : one.day + WINDOW_DAYS + 1] = np.nan
    known = np.abs(elsewhere[np.isfinite(elsewhere)])
    if len(known) < FEWEST_OTHERS:
        return float(SHIFT_OF_UNKNOWN)
    usual, nearly_all = np.percentile(known, (50, NEARLY_ALL))
    return float(max(SMALLEST_SHIFT, SHIFT_SPREADS * usual, SHIFT_EXTREMES * nearly_all))


def _peaks(logs: Float64Column, steps: Float64Column, candidates: Int64Column) -> list[_Peak]:
    """Of the candidates around each change the day where the weeks beside it differ most, and its step."""
    peaks: list[_Peak] = []
    for group in np.split(candidates, np.flatnonzero(np.diff(candidates) > WEEK) + 1):
        if not len(group):
            continue
        nearby = range(max(int(group[0]) - WEEK, 1), min(int(group[-1]) + WEEK, len(logs) - 1) + 1)
        sudden = {day: _jump(logs, day) for day in nearby}
        day = max(sudden, key=lambda day: abs(sudden[day]))
        step = float(steps[day] if np.isfinite(steps[day]) else steps[group[np.argmax(np.abs(steps[group]))]])
        if np.sign(sudden[day]) == np.sign(step) and abs(sudden[day]) >= SUDDEN * abs(step):
            peaks.append(_Peak(day, step))
    return peaks


def _jump(logs: Float64Column, day: int) -> float:
    """How much higher the week from a day on is than the week before, sharpened by the two days themselves."""
    before, after = logs[max(day - WEEK, 0) : day], logs[day : day + WEEK]
    before, after = before[np.isfinite(before)], after[np.isfinite(after)]
    if len(before) < 3 or len(after) < 3:
        return 0.0
    level = float(np.median(after) - np.median(before))
    edge = float(after[0] - before[-1])
    return level + 0.1 * edge if np.sign(edge) == np.sign(level) else level * 0.5


def _ends(logs: Float64Column, peaks: list[_Peak]) -> list[Shift]:
    """Let each new level last until the level changes again; a change back is no finding of its own."""
    last = int(np.flatnonzero(np.isfinite(logs))[-1])
    found: list[Shift] = []
    for place, peak in enumerate(peaks):
        if place and found and found[-1].last == peak.day - 1 and peak.undoes(peaks[place - 1]):
            continue
        until = peaks[place + 1].day - 1 if place + 1 < len(peaks) else last
        found.append(Shift(peak.day, until, float(np.exp(peak.step))))
    return found


def outliers(values: Float64Column, *, is_count: bool = False, by_week: bool = False) -> list[Outlier]:
    """Find days (D,), up to three in a row, far above both the week before and the week after. NaN, 0: none.

    `is_count`: the values are counts, which chance alone spreads by their square root. `by_week`: as in `shifts`.
    """
    logs = _logs(values)
    if np.isfinite(logs).sum() < FEWEST_DAYS:
        return []
    if not by_week:
        logs = logs - _weekday_effect(logs)
    padded = np.concatenate([np.full(SIDE_DAYS, np.nan), logs, np.full(SIDE_DAYS, np.nan)])
    middle = _nanmedian(np.lib.stride_tricks.sliding_window_view(padded, SIDE_DAYS))
    before, after = middle[: len(logs)], middle[SIDE_DAYS + 1 : SIDE_DAYS + 1 + len(logs)]
    neighbours = np.fmax(before, after)
    distance = logs - neighbours
    usual = distance[np.isfinite(distance)]
    spread = MAD_TO_SD * float(np.median(np.abs(usual - np.median(usual)))) if len(usual) else 0.0
    high = distance >= max(SMALLEST_OUTLIER, OUTLIER_SPREADS * spread)
    # Where nothing follows yet, a new level looks the same.
    high &= np.isfinite(after) | (distance >= SMALLEST_LAST_OUTLIER)
    if is_count:
        expected = np.exp(np.nan_to_num(neighbours))
        high &= np.nan_to_num(values) - expected >= OUTLIER_SPREADS * np.sqrt(expected + 1)
    return _in_a_row(high, distance)


def _in_a_row(high: BoolColumn, distance: Float64Column) -> list[Outlier]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], high, [False]]).astype(np.int8)))
    return [
        Outlier(int(start), int(stop) - 1, float(np.exp(np.max(distance[start:stop]))))
        for start, stop in zip(edges[::2], edges[1::2], strict=True)
        if stop - start <= LONGEST_OUTLIER
    ]


def moves_along(other: Float64Column, change: Shift | Outlier) -> bool:
    """Whether another series (D,) changed its level, or stood out, on the same days, the same way and half as far."""
    days = WINDOW_DAYS if isinstance(change, Shift) else SIDE_DAYS
    during = other[change.first : min(change.last, change.first + days - 1) + 1]
    before = other[max(change.first - days, 0) : change.first]
    during, before = during[during > 0], before[before > 0]  # NaN is not above 0
    if not len(during) or not len(before):
        return False
    step, asked = np.log(np.median(during) / np.median(before)), np.log(change.ratio)
    return bool(np.sign(step) == np.sign(asked) and abs(step) >= 0.5 * abs(asked))
