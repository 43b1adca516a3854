"""What a panel is built from, how it is to be, and what is said about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

import numpy as np

from marketing.frames import BoolColumn, Float64Column, Granularity, Int64Column, MediaPanel
from marketing.health.checks.findings import span

Exposure: TypeAlias = Literal["auto", "spend", "impressions"]

MEASURES = ("spend", "impressions", "clicks")
LARGEST = 1e18  # any number beyond is a mistake, and its square is on the way to what floats cannot hold


class PanelProblem(Exception):
    """The data cannot give a panel; the sentence says what is wrong, where, and what to do."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class PanelRemark:
    """Something that was accepted, but that people should know. `names`: the series that it is about."""

    code: str
    sentence: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class LoadedPanel:
    """A panel, and what there is to say about how it came about."""

    panel: MediaPanel
    remarks: tuple[PanelRemark, ...]


@dataclass(frozen=True, slots=True, eq=False)
class DaySeries:
    """A figure by day, in any order: `day` (n,) int64, each once; `value` (n,) float64."""

    name: str
    day: Int64Column
    value: Float64Column

    def where(self, kept: BoolColumn) -> "DaySeries":
        """The rows that are kept, (n,) bool."""
        return DaySeries(self.name, self.day[kept], self.value[kept])


@dataclass(frozen=True, slots=True, eq=False)
class MediaRows:
    """Media by series and day, in any order. A series is what rows call a channel; it counts for a channel.

    `channels`: C names, in the order of the panel. `names`: those of the S series. `channel_of_series`: (S,) int64,
    index into `channels`. `series`: (n,) int64, index into `names`. `day`: (n,) int64, each once in a series.
    `spend` (account currency), `impressions`, `clicks`: (n,) float64, 0 where a row does not say.
    """

    channels: tuple[str, ...]
    names: tuple[str, ...]
    channel_of_series: Int64Column
    series: Int64Column
    day: Int64Column
    spend: Float64Column
    impressions: Float64Column
    clicks: Float64Column

    def where(self, kept: BoolColumn) -> "MediaRows":
        """The rows that are kept, (n,) bool."""
        return replace(
            self,
            series=self.series[kept],
            day=self.day[kept],
            spend=self.spend[kept],
            impressions=self.impressions[kept],
            clicks=self.clicks[kept],
        )

    def days_of(self) -> dict[str, Int64Column]:
        """The days of each series that has any, by its name; in the order of `names`."""
        order = np.argsort(self.series, kind="stable")
        ends = np.cumsum(np.bincount(self.series, minlength=len(self.names)))[:-1]
        split = np.split(self.day[order], ends)
        return {name: days for name, days in zip(self.names, split, strict=False) if len(days)}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PanelRows:
    """All that a panel is built from.

    `outcome_geos`: (n,) int64, how many geos each value of the outcome is of. `events`, `holidays`: the days of each
    name, int64, in any order and as often as they come.
    """

    outcome: DaySeries
    outcome_geos: Int64Column
    media: MediaRows
    controls: Sequence[DaySeries] = ()
    events: Mapping[str, Int64Column] = field(default_factory=dict)
    holidays: Mapping[str, Int64Column] = field(default_factory=dict)

    def require_usable(self) -> None:
        """Raise PanelProblem for a number that is none, that is negative where it cannot be, or beyond all sense."""
        media = self.media
        for measure in MEASURES:
            value: Float64Column = getattr(media, measure)
            unusable = ~((value >= 0) & (value <= LARGEST))
            for row in _first(unusable, media.day):
                of = f"The {measure} of “{media.names[media.series[row]]}”"
                raise _unusable(of, value[row], media.day[row], "a number of zero or more")
        for series in (self.outcome, *self.controls):
            for row in _first(~(np.abs(series.value) <= LARGEST), series.day):
                raise _unusable(f"“{series.name}”", series.value[row], series.day[row], "a number")


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelChoice:
    """How the panel is to be.

    `start`, `end`: the first and the last day that the outcome may be of, None for no bound. `exposure`: what acts on
    people; "auto" is impressions where a channel has some in every period in which it has spend. `is_share`: the
    outcome is a share or a percentage, bounded by 0 and 1 or 0 and 100; `bounds`: by others. A bounded outcome is
    averaged over days, any other adds up. `history_periods`: of how many periods before the outcome media are wanted,
    at most. `short_allowed`: of too few periods it is only said that they are.

    Raises ValueError if `history_periods` is negative or the bounds are none.
    """

    granularity: Granularity
    start: int | None = None
    end: int | None = None
    exposure: Exposure = "auto"
    is_money: bool = False
    is_share: bool = False
    bounds: tuple[float, float] | None = None
    history_periods: int = 0
    short_allowed: bool = False

    def __post_init__(self) -> None:
        if self.history_periods < 0:
            raise ValueError("history_periods cannot be negative.")
        if self.bounds is not None and not -LARGEST <= self.bounds[0] < self.bounds[1] <= LARGEST:
            raise ValueError("The lower bound of the outcome must lie below the upper one.")

    @property
    def is_bounded(self) -> bool:
        return self.is_share or self.bounds is not None


def date_of(day: int) -> str:
    """A day for a sentence: "3 May 2026"."""
    return span(int(day), int(day))


def _first(unusable: BoolColumn, day: Int64Column) -> list[int]:
    """The row of the earliest day among those that are unusable, if any is."""
    rows = np.flatnonzero(unusable)
    return [int(row) for row in rows[np.argsort(day[rows], kind="stable")][:1]]


def _unusable(of: str, value: Any, day: Any, wanted: str) -> PanelProblem:
    return PanelProblem(
        "unusable_number",
        f"{of} is {value:g} on {date_of(day)}, where there must be {wanted}, up to {LARGEST:g}. "
        "Import that day again with the right one.",
    )
