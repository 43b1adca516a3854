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
IntArray: TypeAlias = npt.NDArray[np.int64]

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
    days = panel.period_start[panel.history :]
    tables = (panel.holiday, panel.event, _standardised(panel.control, panel.control))
    return _side_by_side(
        [
            _part("intercept", np.ones((len(panel), 1)), INTERCEPT_SCALE * (1 + abs(level))),
            _trend(days, knot_count(panel) if knots is None else knots),
            *_calendar_and_named(panel, days, tables),
        ]
    )


def baseline_ahead(
    panel: MediaPanel,
    *,
    period_start: IntArray,
    holiday: FloatArray,
    event: FloatArray,
    control: FloatArray,
    knots: int | None = None,
) -> tuple[FloatArray, Baseline]:
    """How the baseline of a panel goes on in the H periods after it.

    `period_start`: first days of these periods and of at least T more, in which the trend's next knot lies. `holiday`
    (H, J), `event` (H, E) and `control` (H, K): as the panel has them. `knots`: as the panel's baseline was given them.

    Returns the columns (H, B) that the data's coefficients go with, and new ones for the trend, (H, W), whose
    coefficients nobody has seen: independent normals with the prior scales of the data's steps. The trend begins where
    it was in the last period, and takes its steps at the distances that the data's knots have. A straight line, which
    two knots are, goes on as it was; without knots the trend has no columns, here as there.
    """
    days, periods = panel.period_start[panel.history :], len(control)
    count = min(knot_count(panel) if knots is None else knots, len(panel))
    known, new = _trend_ahead(days, period_start, periods, count)
    tables = (holiday, event, _standardised(control, panel.control))
    parts = [
        _part("intercept", np.ones((periods, 1)), 1.0),
        known,
        *_calendar_and_named(panel, period_start[:periods], tables),
    ]
    return _side_by_side(parts).columns, new


def knot_count(panel: MediaPanel) -> int:
    """How many knots the trend has if nobody says: one in eight weeks, between 3 and 24, and no more than periods."""
    days = len(panel) * DAYS_PER_PERIOD[panel.granularity]
    return int(min(max(round(days / DAYS_BETWEEN_KNOTS) + 1, FEWEST_KNOTS), MOST_KNOTS, max(len(panel) // 3, 2)))


def _part(group: str, columns: FloatArray, scales: float | FloatArray) -> Baseline:
    width = columns.shape[1]
    return Baseline(columns, np.broadcast_to(np.asarray(scales, np.float64), (width,)).copy(), (group,) * width)


def _side_by_side(parts: Sequence[Baseline]) -> Baseline:
    return Baseline(
        columns=np.hstack([part.columns for part in parts]),
        scales=np.concatenate([part.scales for part in parts]),
        groups=tuple(group for part in parts for group in part.groups),
    )


def _calendar_and_named(
    panel: MediaPanel, days: IntArray, tables: tuple[FloatArray, FloatArray, FloatArray]
) -> list[Baseline]:
    """All that depends on the date alone, in periods that begin on these days, (N,), and what has a name: `tables` of
    holidays, events and standardised controls in these periods."""
    middle = days.astype(np.float64) + DAYS_PER_PERIOD[panel.granularity] / 2
    parts = [_season(panel, middle)]
    if panel.granularity == "day":
        parts.append(_weekdays(days))
    holiday, event, control = tables
    return [
        *parts,
        *_named("holiday", panel.holidays, holiday, HOLIDAY_SCALE),
        *_named("event", panel.events, event, EVENT_SCALE),
        *_named("control", panel.controls, control, CONTROL_SCALE),
    ]


def _trend(days: IntArray, knots: int) -> Baseline:
    """A random walk over the knots, straight between them: each column is one step, taken between two knots."""
    if knots < 2:
        return _no_trend(len(days))
    positions = knot_positions(len(days), min(knots, len(days)))
    steps = _steps(len(days), positions)
    return _part("trend", steps - steps.mean(axis=0), _wander(days[positions]))


def _trend_ahead(days: IntArray, days_ahead: IntArray, periods: int, knots: int) -> tuple[Baseline, Baseline]:
    """The columns of the steps that the data know, in the `periods` after them, and those of the steps to come."""
    known, last = _trend(days, knots), len(days) - 1
    ahead = np.repeat(known.columns[-1:], periods, axis=0)
    if knots == 2:
        ahead += np.arange(1, periods + 1)[:, None] / last
    if knots <= 2:
        return _part("trend", ahead, known.scales), _no_trend(periods)
    # As `knot_positions` would go on, up to the first knot that is not before the last period.
    count = -(-periods * (knots - 1) // last)
    positions = np.arange(count + 1) * last // (knots - 1)
    steps = _steps(positions[-1] + 1, positions)[1 : periods + 1]
    scales = _wander(np.concatenate([days[-1:], days_ahead])[positions])
    return _part("trend", ahead, known.scales), _part("trend", steps, scales)


def _no_trend(periods: int) -> Baseline:
    return _part("trend", np.zeros((periods, 0)), np.zeros(0))


def _steps(periods: int, positions: IntArray) -> FloatArray:
    """How much of the step up to each knot but the first has been taken, (periods, K - 1): it lifts all later ones."""
    taken: FloatArray = np.cumsum(knot_weights(periods, positions)[::-1], axis=0)[::-1][1:].T
    return taken


def _wander(days: IntArray) -> FloatArray:
    """The standard deviations (K - 1,) of the steps between knots on these days, for a wander of 1 in a year."""
    wander: FloatArray = np.sqrt(np.diff(days) / DAYS_PER_YEAR)
    return wander


def _season(panel: MediaPanel, middle: FloatArray) -> Baseline:
    """Fourier terms of the year at the middles of periods, (N,), in days; the higher ones smaller a priori.

    None where the panel is shorter than a year.
    """
    days = panel.period_start[panel.history :]
    if (days[-1] - days[0]) / DAYS_PER_YEAR < SHORTEST_SEASON_YEARS:
        return _part("season", np.zeros((len(middle), 0)), np.zeros(0))
    harmonics = HARMONICS[panel.granularity]
    order = np.repeat(np.arange(1, harmonics + 1), 2)
    angle = 2 * np.pi * np.outer(middle / DAYS_PER_YEAR, order)
    waves = np.where(np.arange(2 * harmonics) % 2 == 0, np.sin(angle), np.cos(angle))
    return _part("season", waves, SEASON_SCALE / order)


def _weekdays(first_days: IntArray) -> Baseline:
    """Seven columns, each against the mean of the week; 1970-01-01 was a Thursday."""
    return _part("weekday", np.eye(7)[(first_days + 3) % 7] - 1 / 7, WEEKDAY_SCALE)


def _named(kind: str, names: Sequence[str], table: FloatArray, scale: float) -> list[Baseline]:
    return [_part(f"{kind}: {name}", table[:, [place]], scale) for place, name in enumerate(names)]


def _standardised(table: FloatArray, of_data: FloatArray) -> FloatArray:
    """In standard deviations of the data from their mean."""
    spread = of_data.std(axis=0)
    standardised: FloatArray = (table - of_data.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return standardised
