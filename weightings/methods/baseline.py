"""The baseline of a media mix model: everything but media, as a matrix of columns with a prior scale for each.

Baseline = intercept + trend + seasonality + weekdays + holidays + events + controls, linear in its coefficients, which
are a priori independent normals around zero. So they can be integrated out exactly (`weightings.methods.collapsed`).
All scales are in standard deviations of the outcome.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from marketing.frames import Granularity, MediaPanel
from weightings.methods.knots import knot_positions, knot_weights

FloatArray: TypeAlias = npt.NDArray[np.float64]

DAYS_PER_YEAR = 365.25
DAYS_PER_PERIOD: dict[Granularity, float] = {"day": 1.0, "week": 7.0, "month": DAYS_PER_YEAR / 12}
DAYS_BETWEEN_KNOTS = 56
FEWEST_KNOTS, MOST_KNOTS = 3, 24
HARMONICS: dict[Granularity, int] = {"day": 4, "week": 4, "month": 2}
SHORTEST_SEASON_YEARS = 0.9  # from here on there is a year's season to see
# How far the trend wanders in a year, in standard deviations of the outcome: nobody knows beforehand, so the model
# weighs these by what the data say of each.
TREND_SCALES = (0.05, 0.15, 0.5, 1.5, 4.0)
INTERCEPT_SCALE, SEASON_SCALE, WEEKDAY_SCALE, HOLIDAY_SCALE, EVENT_SCALE, CONTROL_SCALE = 10.0, 1.0, 1.0, 1.0, 1.0, 1.0


@dataclass(frozen=True, eq=False)
class Baseline:
    """`columns`: (T, B) float64. `scales`: (B,) prior standard deviations, the trend's for a wander of 1 in a year.

    `groups`: (B,), what each column belongs to: intercept, trend, season, weekday, or the name of a holiday, an event
    or a control with its kind before it ("control: Price").
    """

    columns: FloatArray
    scales: FloatArray
    groups: tuple[str, ...]

    def scales_at(self, trend_scale: float) -> FloatArray:
        """The prior standard deviations (B,) for a trend that wanders this far in a year."""
        is_trend = np.array([group == "trend" for group in self.groups])
        scaled: FloatArray = np.where(is_trend, trend_scale, 1.0) * self.scales
        return scaled


def baseline_of(panel: MediaPanel, *, level: float, knots: int | None = None) -> Baseline:
    """The baseline of a panel whose outcome, in its standard deviations, has this mean `level`.

    `knots`: of the trend, by the length of the data unless given; 0 for no trend, 2 for a straight line,
    at most one in each period.
    """
    days = panel.period_start[panel.history :].astype(np.float64)
    middle = days + DAYS_PER_PERIOD[panel.granularity] / 2
    parts = [
        _part("intercept", np.ones((len(panel), 1)), INTERCEPT_SCALE * (1 + abs(level))),
        _trend(days, knot_count(panel) if knots is None else knots),
        _season(middle, HARMONICS[panel.granularity]),
    ]
    if panel.granularity == "day":
        parts.append(_weekdays(panel.period_start[panel.history :]))
    parts += [
        *_named("holiday", panel.holidays, panel.holiday, HOLIDAY_SCALE),
        *_named("event", panel.events, panel.event, EVENT_SCALE),
        *_named("control", panel.controls, _standardised(panel.control), CONTROL_SCALE),
    ]
    return Baseline(
        columns=np.hstack([part.columns for part in parts]),
        scales=np.concatenate([part.scales for part in parts]),
        groups=tuple(group for part in parts for group in part.groups),
    )


def knot_count(panel: MediaPanel) -> int:
    """How many knots the trend has if nobody says: one in eight weeks, between 3 and 24, and no more than periods."""
    days = len(panel) * DAYS_PER_PERIOD[panel.granularity]
    return int(min(max(round(days / DAYS_BETWEEN_KNOTS) + 1, FEWEST_KNOTS), MOST_KNOTS, max(len(panel) // 3, 2)))


def _part(group: str, columns: FloatArray, scales: float | FloatArray) -> Baseline:
    width = columns.shape[1]
    return Baseline(columns, np.broadcast_to(np.asarray(scales, np.float64), (width,)).copy(), (group,) * width)


def _trend(days: FloatArray, knots: int) -> Baseline:
    """A random walk over the knots, straight between them: each column is one step, taken between two knots."""
    if knots < 2:
        return _part("trend", np.zeros((len(days), 0)), np.zeros(0))
    positions = knot_positions(len(days), min(knots, len(days)))
    # A step up to one knot lifts all later ones as well.
    steps = np.cumsum(knot_weights(len(days), positions)[::-1], axis=0)[::-1][1:].T
    years = np.diff(days[positions]) / DAYS_PER_YEAR
    return _part("trend", steps - steps.mean(axis=0), np.sqrt(years))


def _season(days: FloatArray, harmonics: int) -> Baseline:
    """Fourier terms of the year; the higher ones smaller a priori. None where the data are shorter than a year."""
    if (days[-1] - days[0]) / DAYS_PER_YEAR < SHORTEST_SEASON_YEARS:
        return _part("season", np.zeros((len(days), 0)), np.zeros(0))
    order = np.repeat(np.arange(1, harmonics + 1), 2)
    angle = 2 * np.pi * np.outer(days / DAYS_PER_YEAR, order)
    waves = np.where(np.arange(2 * harmonics) % 2 == 0, np.sin(angle), np.cos(angle))
    return _part("season", waves, SEASON_SCALE / order)


def _weekdays(first_days: npt.NDArray[np.int64]) -> Baseline:
    """Seven columns, each against the mean of the week; 1970-01-01 was a Thursday."""
    return _part("weekday", np.eye(7)[(first_days + 3) % 7] - 1 / 7, WEEKDAY_SCALE)


def _named(kind: str, names: Sequence[str], table: FloatArray, scale: float) -> list[Baseline]:
    return [_part(f"{kind}: {name}", table[:, [place]], scale) for place, name in enumerate(names)]


def _standardised(table: FloatArray) -> FloatArray:
    spread = table.std(axis=0)
    standardised: FloatArray = (table - table.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return standardised
