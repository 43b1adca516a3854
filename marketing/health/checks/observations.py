"""What the checks look at: daily tallies of every dataset, small whatever the number of rows.

Days are integers counted from 1970-01-01 in the workspace's time zone. An *axis* of days is shared by all tallies:
position 0 is `first_day`, and the last position is yesterday; rows of today are left out, as today is not over.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from marketing.frames import BoolColumn, Float64Column, Int64Column

PAID, OFFLINE = "paid", "offline"
MOST_CHANNELS = 200  # whose days are looked at one by one; a granular grouping makes thousands


@dataclass(frozen=True, slots=True)
class ChannelSeen:
    """A channel of the workspace: its type is paid, organic, owned or offline."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class SourceSeen:
    """A traffic source: the position of the channel that it counts for, and what its rows said ("" for unsaid)."""

    channel: int
    named: bool  # its rows name the channel themselves
    source: str
    medium: str
    campaign: str


@dataclass(frozen=True, slots=True, eq=False)
class TouchTally:
    """Touches by traffic source and day: (R,) each; `source` points into `Observations.sources`."""

    source: Int64Column
    day: Int64Column
    count: Int64Column


@dataclass(frozen=True, slots=True)
class GoalSeen:
    """A goal: whether its conversions are expected to have a value, as a sale's are."""

    name: str
    is_sale: bool


@dataclass(frozen=True, slots=True, eq=False)
class ConversionsSeen:
    """Every conversion: its day, the position of its goal, its value, and how many touches were in its window."""

    day: Int64Column
    goal: Int64Column
    value: Float64Column
    touches: Int64Column


@dataclass(frozen=True, slots=True, eq=False)
class SpendTally:
    """Spend by channel and day, campaigns and geos together: (R,) each; NaN for a measure that no row has."""

    channel: Int64Column
    day: Int64Column
    spend: Float64Column
    impressions: Float64Column
    clicks: Float64Column


@dataclass(frozen=True, slots=True, eq=False)
class SeriesSeen:
    """An outcome or a control: its days, ascending, and its value on each, geos together.

    `is_money`: it should be of the size that the values of sales add up to.
    """

    name: str
    day: Int64Column
    value: Float64Column
    is_money: bool = False


@dataclass(frozen=True, slots=True)
class EventSeen:
    """Something that happened on certain days, both included, and may explain unusual amounts."""

    name: str
    first_day: int
    last_day: int


@dataclass(frozen=True, slots=True)
class ImportSeen:
    """An active import of touchpoints or conversions of which rows were there already: how many, and their days.

    `counted`: rows of it between the first and the last of those that do count.
    """

    dataset: str
    name: str
    duplicates: int
    counted: int
    first_day: int
    last_day: int


@dataclass(frozen=True, slots=True, eq=False)
class ClockCount:
    """Touches of each channel, (C,), in the days just before and just after their customer's sale."""

    before: Int64Column
    after: Int64Column


@dataclass(frozen=True, kw_only=True, eq=False)
class Observations:
    """A workspace's data as of a morning. `yesterday` ends the axis that `first_day` begins.

    `booked`: campaign, in lower case -> the position of the channel that spend of it is booked on.
    """

    first_day: int
    yesterday: int
    window_days: int
    currency: str
    channels: Sequence[ChannelSeen]
    sources: Sequence[SourceSeen]
    touches: TouchTally
    goals: Sequence[GoalSeen]
    conversions: ConversionsSeen
    clock: ClockCount
    spend: SpendTally
    booked: dict[str, int] = field(default_factory=dict)
    outcomes: Sequence[SeriesSeen] = ()
    controls: Sequence[SeriesSeen] = ()
    events: Sequence[EventSeen] = ()
    imports: Sequence[ImportSeen] = ()

    @property
    def days(self) -> int:
        return self.yesterday - self.first_day + 1

    def channel_name(self, position: int) -> str:
        return self.channels[position].name

    @cached_property
    def channel_of_source(self) -> Int64Column:
        return np.array([source.channel for source in self.sources], np.int64)

    @cached_property
    def touches_by_channel(self) -> Int64Column:
        """(C, D) touches."""
        return self.touches_of(np.ones(len(self.sources), np.bool_))

    @cached_property
    def touched_channels(self) -> list[int]:
        """The channels with touches, in their order; of very many those with most."""
        return _largest(self.touches_by_channel.sum(axis=1).astype(np.float64))

    @cached_property
    def spent_channels(self) -> list[int]:
        """The channels with rows of spend, in their order; of very many those with most."""
        rows = np.isfinite(self.spend_by_channel).any(axis=1)
        return _largest(np.where(rows, np.nansum(self.spend_by_channel, axis=1) + 1.0, 0.0))

    def touches_of(self, chosen: BoolColumn) -> Int64Column:
        """(C, D) touches of the chosen traffic sources; `chosen` is (S,)."""
        table = np.zeros((len(self.channels), self.days), np.int64)
        if len(self.touches.source):
            kept = chosen[self.touches.source]
            rows = (self.channel_of_source[self.touches.source[kept]], self.touches.day[kept] - self.first_day)
            np.add.at(table, rows, self.touches.count[kept])
        return table

    @cached_property
    def spend_by_channel(self) -> Float64Column:
        """(C, D) spend, NaN where there is no row."""
        return self.spend_table(self.spend.spend)

    def spend_table(self, measure: Float64Column) -> Float64Column:
        """(C, D) of one of the measures of spend, NaN where there is no row."""
        table = np.full((len(self.channels), self.days), np.nan)
        table[self.spend.channel, self.spend.day - self.first_day] = measure
        return table

    @cached_property
    def conversions_by_goal(self) -> Int64Column:
        """(G, D) conversions."""
        return np.asarray(self._by_goal(np.ones(len(self.conversions.day))), np.int64)

    @cached_property
    def value_by_goal(self) -> Float64Column:
        """(G, D) value of conversions."""
        return self._by_goal(self.conversions.value)

    def _by_goal(self, weights: Float64Column) -> Float64Column:
        cells = self.conversions.goal * self.days + self.conversions.day - self.first_day
        sums = np.bincount(cells, weights=weights, minlength=len(self.goals) * self.days)
        return sums.astype(np.float64).reshape(len(self.goals), self.days)

    def on_axis(self, series: SeriesSeen) -> Float64Column:
        """(D,) value of a series, NaN where there is none."""
        values = np.full(self.days, np.nan)
        values[series.day - self.first_day] = series.value
        return values

    def last(self, days: int) -> slice:
        """The positions of the last so many days of the axis."""
        return slice(max(self.days - days, 0), self.days)


def _largest(volume: Float64Column) -> list[int]:
    largest = np.argsort(-volume, kind="stable")[:MOST_CHANNELS]
    return sorted(int(position) for position in largest if volume[position] > 0)
