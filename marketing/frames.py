"""Frozen column frames: what the numerical methods take instead of ORM rows.

Times are int64 microseconds since 1970-01-01 UTC. Columns may be memory maps and are kept by reference, never copied.
Checks here are cheap: a column of touches is never read through, so the order of touches within a customer is the
builder's promise.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Self, TypeAlias

import numpy as np
import numpy.typing as npt

Dimension: TypeAlias = Literal["channel", "campaign"]
Granularity: TypeAlias = Literal["day", "week", "month"]

BoolColumn: TypeAlias = npt.NDArray[np.bool_]
Float64Column: TypeAlias = npt.NDArray[np.float64]
Float64Table: TypeAlias = npt.NDArray[np.float64]
Int64Column: TypeAlias = npt.NDArray[np.int64]
UInt8Column: TypeAlias = npt.NDArray[np.uint8]
UInt16Column: TypeAlias = npt.NDArray[np.uint16]
UInt32Column: TypeAlias = npt.NDArray[np.uint32]
Columns: TypeAlias = Mapping[str, npt.NDArray[Any]]

MICROSECONDS_PER_DAY = 86_400_000_000
NO_LEAD = int(np.iinfo(np.int64).min) // 2  # halved, so that it can be taken from any time


def _require_columns(frame: object, length: int, **dtypes: type[np.generic]) -> None:
    """Raise ValueError unless each named column of `frame` is one-dimensional, of this length and this dtype."""
    for name, dtype in dtypes.items():
        column: npt.NDArray[Any] = getattr(frame, name)
        if column.dtype != dtype:
            raise ValueError(
                f"{type(frame).__name__}.{name} must have dtype {np.dtype(dtype)}, but it has {column.dtype}."
            )
        if column.shape != (length,):
            raise ValueError(f"{type(frame).__name__}.{name} must have shape ({length},), but it has {column.shape}.")


@dataclass(frozen=True, slots=True, eq=False)
class Touches:
    """The touchpoints of one workspace, sorted by (customer, time, sequence).

    `customer_ids`: (C,) int64, database ids, strictly ascending. A customer's position here is its *dense index*.
    `offsets`: (C+1,) int64; the touches of the customer at position i are `offsets[i]:offsets[i+1]`.
    `touched_at`: (N,) int64, microseconds since the epoch, ascending within a customer.
    `source`: (N,) uint32, database id of the traffic source, which `SourceLookup` is indexed by.
    `interaction`: (N,) uint8, code of the interaction.
    `segment`: (N,) uint32, database id of the kind of customer that the touch came with, 0 for none; None where nobody
    asked for it.

    Raises ValueError if lengths, dtypes, the offsets or the order of customers are wrong.
    """

    customer_ids: Int64Column
    offsets: Int64Column
    touched_at: Int64Column
    source: UInt32Column
    interaction: UInt8Column
    segment: UInt32Column | None = None

    def __post_init__(self) -> None:
        customers, touches = len(self.customer_ids), len(self.touched_at)
        _require_columns(self, customers, customer_ids=np.int64)
        _require_columns(self, customers + 1, offsets=np.int64)
        _require_columns(self, touches, touched_at=np.int64, source=np.uint32, interaction=np.uint8)
        if self.segment is not None:
            _require_columns(self, touches, segment=np.uint32)
        if np.any(self.customer_ids[1:] <= self.customer_ids[:-1]):
            raise ValueError("Touches.customer_ids must be strictly ascending.")
        if self.offsets[0] != 0 or self.offsets[-1] != touches or np.any(self.offsets[1:] < self.offsets[:-1]):
            raise ValueError(f"Touches.offsets must rise from 0 to the number of touches, {touches}.")

    @classmethod
    def from_columns(cls, columns: Columns) -> Self:
        """The touches of a snapshot's columns, by their names there; with `segment` if it is among them."""
        return cls(
            customer_ids=columns["customer_ids"],
            offsets=columns["offsets"],
            touched_at=columns["at"],
            source=columns["source"],
            interaction=columns["interaction"],
            segment=columns.get("segment"),
        )

    def where(self, kept: BoolColumn) -> "Touches":
        """The touches that are kept, (N,) bool, as copies; these themselves if all are.

        Every customer stays, also without any touch left, so that dense indices stay what they are.
        Time O(N + C log N), memory O(touches kept).
        """
        if kept.all():
            return self
        positions = np.flatnonzero(kept)
        return Touches(
            customer_ids=self.customer_ids,
            offsets=np.searchsorted(positions, self.offsets).astype(np.int64),
            touched_at=self.touched_at[positions],
            source=self.source[positions],
            interaction=self.interaction[positions],
            segment=None if self.segment is None else self.segment[positions],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Conversions:
    """Outcome rows of one workspace, sorted by (customer, time, sequence).

    `customer_ids`: (n,) int64, database ids, ascending; the customers need not have any touch.
    `converted_at`: (n,) int64, microseconds since the epoch.
    `goal`: (n,) uint32, database id of the goal.
    `value`: (n,) float64, account currency.
    `converted`: (n,) bool; False is an outcome observed *not* to convert, which only anchors null paths.

    Raises ValueError if lengths, dtypes or the order of rows are wrong.
    """

    customer_ids: Int64Column
    converted_at: Int64Column
    goal: UInt32Column
    value: Float64Column
    converted: BoolColumn

    def __post_init__(self) -> None:
        rows = len(self.customer_ids)
        _require_columns(self, rows, customer_ids=np.int64, converted_at=np.int64, goal=np.uint32)
        _require_columns(self, rows, value=np.float64, converted=np.bool_)
        same_customer = self.customer_ids[1:] == self.customer_ids[:-1]
        earlier = self.converted_at[1:] < self.converted_at[:-1]
        if np.any(self.customer_ids[1:] < self.customer_ids[:-1]) or np.any(same_customer & earlier):
            raise ValueError("Conversions must be sorted by customer, then by time.")

    @classmethod
    def from_columns(cls, columns: Columns) -> Self:
        """The conversions of a snapshot's columns, by their names there."""
        return cls(
            customer_ids=np.repeat(columns["customer_ids"], np.diff(columns["offsets"])),
            converted_at=columns["at"],
            goal=columns["goal"],
            value=columns["value"],
            converted=columns["converted"],
        )


@dataclass(frozen=True, slots=True, eq=False)
class SourceLookup:
    """What each traffic source (channel, source, medium, campaign) resolves to under the present channel grouping.

    `channel`: (S,) uint16, index into `channels`.
    `campaign`: (S,) uint32, index into `campaigns`, of which the first is "(not set)".
    `direct`: (len(channels),) bool, which channels are Direct.

    Raises ValueError if lengths, dtypes or indices are wrong.
    """

    channel: UInt16Column
    campaign: UInt32Column
    channels: tuple[str, ...]
    campaigns: tuple[str, ...]
    direct: BoolColumn

    def __post_init__(self) -> None:
        _require_columns(self, len(self.channel), channel=np.uint16, campaign=np.uint32)
        _require_columns(self, len(self.channels), direct=np.bool_)
        for dimension, index in (("channel", self.channel), ("campaign", self.campaign)):
            if len(index) and index.max() >= len(getattr(self, f"{dimension}s")):
                raise ValueError(f"SourceLookup.{dimension} points beyond the last of its {dimension}s.")

    def labels(self, dimension: Dimension) -> tuple[str, ...]:
        """Names of the groups of a dimension, in the order of their indices."""
        return self.channels if dimension == "channel" else self.campaigns

    def group_of_source(self, dimension: Dimension) -> Int64Column:
        """Group of each traffic source: (S,) int64, index into `labels(dimension)`."""
        return (self.channel if dimension == "channel" else self.campaign).astype(np.int64)

    def direct_source(self) -> BoolColumn:
        """Whether each traffic source is Direct, whatever the dimension of the question: (S,) bool."""
        return self.direct[self.channel]


@dataclass(frozen=True, slots=True, eq=False)
class Journeys:
    """Paths to conversion and null paths, each a contiguous slice of the sorted touches: no path is copied out.

    `touches`: the columns that the slices point into.
    `start`, `stop`: (J,) int64; journey j's touches are `start[j]:stop[j]`, oldest first. An empty slice is a
    conversion without any touch in its lookback window.
    `customer`: (J,) int64 dense customer index in `0..customers-1`; the clusters of the bootstrap.
    `customers`: number of dense customers: those with touches first, then those who converted without a single touch.
    `untouched_ids`: database ids of the latter, in the order of their dense indices, int64; None where nobody gave
    them.
    `anchor_at`: (J,) int64, microseconds: the time of the conversion, or of the end of the null path.
    `converted`: (J,) bool; False is a null path.
    `value`: (J,) float64, account currency; 0 for null paths.
    `lead_at`: (J,) int64, microseconds: the customer's last lead in the lookback window, `NO_LEAD` where there is none;
    None where nobody asked for leads.

    Raises ValueError if lengths, dtypes, slices or customers are out of bounds.
    """

    touches: Touches
    start: Int64Column
    stop: Int64Column
    customer: Int64Column
    customers: int
    anchor_at: Int64Column
    converted: BoolColumn
    value: Float64Column
    untouched_ids: Int64Column | None = None
    lead_at: Int64Column | None = None

    def __post_init__(self) -> None:
        journeys = len(self.start)
        _require_columns(self, journeys, start=np.int64, stop=np.int64, customer=np.int64, anchor_at=np.int64)
        _require_columns(self, journeys, converted=np.bool_, value=np.float64)
        if self.untouched_ids is not None:
            untouched = max(self.customers - len(self.touches.customer_ids), 0)
            _require_columns(self, untouched, untouched_ids=np.int64)
        if self.lead_at is not None:
            _require_columns(self, journeys, lead_at=np.int64)
        if not journeys:
            return
        if self.start.min() < 0 or self.stop.max() > len(self.touches.touched_at) or np.any(self.stop < self.start):
            raise ValueError("Each journey must be a slice within the touches.")
        if self.customer.min() < 0 or self.customer.max() >= self.customers:
            raise ValueError(f"Journeys.customer must lie between 0 and {self.customers - 1}.")

    def __len__(self) -> int:
        return len(self.start)

    def customer_ids(self) -> Int64Column:
        """Database id of each journey's customer: (J,) int64, the same whatever else the data hold.

        Where nobody gave the ids of the customers without touches, theirs are negative and count from the first of
        them.
        """
        known = len(self.touches.customer_ids)
        untouched = self.untouched_ids
        if untouched is None:
            untouched = -1 - np.arange(max(self.customers - known, 0), dtype=np.int64)
        ids = np.empty(len(self), np.int64)
        touched = self.customer < known
        ids[touched] = self.touches.customer_ids[self.customer[touched]]
        ids[~touched] = untouched[self.customer[~touched] - known]
        return ids

    def take(self, chosen: Int64Column) -> "Journeys":
        """The journeys at these positions, in this order, over the same touches."""
        return Journeys(
            touches=self.touches,
            start=self.start[chosen],
            stop=self.stop[chosen],
            customer=self.customer[chosen],
            customers=self.customers,
            anchor_at=self.anchor_at[chosen],
            converted=self.converted[chosen],
            value=self.value[chosen],
            untouched_ids=self.untouched_ids,
            lead_at=None if self.lead_at is None else self.lead_at[chosen],
        )


@dataclass(frozen=True, slots=True, eq=False)
class PathTable:
    """Distinct paths and how often each was taken, whatever customers they came from.

    `offsets`: (P+1,) int64; the steps of path p are `steps[offsets[p]:offsets[p+1]]`, oldest first. No path is empty.
    `steps`: (L,) int64, indices of groups (channels or campaigns) in `0..groups-1`.
    `conversions`: (P,) float64, weight of the journeys along the path that converted.
    `value`: (P,) float64, what these are worth, account currency.
    `nulls`: (P,) float64, weight of the journeys along the path that did not convert.

    That no path occurs twice is the builder's promise. Raises ValueError if lengths, dtypes, offsets or groups are
    wrong, or weights are not numbers of zero or more.
    """

    offsets: Int64Column
    steps: Int64Column
    groups: int
    conversions: Float64Column
    value: Float64Column
    nulls: Float64Column

    def __post_init__(self) -> None:
        paths, steps = len(self.conversions), len(self.steps)
        _require_columns(self, paths, conversions=np.float64, value=np.float64, nulls=np.float64)
        _require_columns(self, paths + 1, offsets=np.int64)
        _require_columns(self, steps, steps=np.int64)
        if self.offsets[0] != 0 or self.offsets[-1] != steps or np.any(self.offsets[1:] <= self.offsets[:-1]):
            raise ValueError(f"PathTable.offsets must rise, by one at least, from 0 to the number of steps, {steps}.")
        if steps and (self.steps.min() < 0 or self.steps.max() >= self.groups):
            raise ValueError(f"Every step of a path must be a group between 0 and {self.groups - 1}.")
        for weights in (self.conversions, self.nulls):
            if not np.all(np.isfinite(weights) & (weights >= 0)):
                raise ValueError("The weights of paths must be numbers of zero or more.")
        if not np.all(np.isfinite(self.value)):
            raise ValueError("The value of every path must be a number.")

    def __len__(self) -> int:
        return len(self.conversions)


@dataclass(frozen=True, slots=True, eq=False)
class MediaPanel:
    """One market by period, oldest first and without gaps: an outcome, the media that may move it, and what else does.

    There are N periods, the first `history` of which come before the outcome begins: their media carry over into it.
    T = N - history is the number of periods of the outcome.

    `granularity`: how long a period is. `period_start`: (N,) int64, the first day of each, days since 1970-01-01.
    `outcome`: (T,) float64, NaN where it is not known. `outcome_name`: what it is called.
    `is_money`: whether it is in account currency. `bounds`: the least and the largest value that it can have, None for
    an amount that adds up over time.
    `channels`: C names of paid media. `spend`: (N, C) float64, account currency per period.
    `exposure`: (N, C) float64, what acts on people, in `exposure_units` (impressions, clicks or spend) per period.
    `organic`: O names of media without spend. `organic_exposure`: (N, O) float64, in `organic_units`.
    `controls`: K names. `control`: (T, K) float64.
    `events`: E names. `event`: (T, E) float64, the share of each period's days that the event is on, 0 to 1.
    `holidays`: J names. `holiday`: (T, J) float64, how many days of each period are that holiday.

    Raises ValueError if shapes or dtypes are wrong, media are negative or not finite, or the outcome lies out of its
    bounds.
    """

    granularity: Granularity
    period_start: Int64Column
    history: int
    outcome: Float64Column
    outcome_name: str
    is_money: bool
    bounds: tuple[float, float] | None
    channels: tuple[str, ...]
    spend: Float64Table
    exposure: Float64Table
    exposure_units: tuple[str, ...]
    organic: tuple[str, ...]
    organic_exposure: Float64Table
    organic_units: tuple[str, ...]
    controls: tuple[str, ...]
    control: Float64Table
    events: tuple[str, ...]
    event: Float64Table
    holidays: tuple[str, ...]
    holiday: Float64Table

    def __post_init__(self) -> None:
        periods = len(self.period_start)
        _require_columns(self, periods, period_start=np.int64)
        _require_columns(self, periods - self.history, outcome=np.float64)
        if self.history < 0 or np.any(np.diff(self.period_start) <= 0):
            raise ValueError("The periods of a MediaPanel must ascend, and its history cannot be negative.")
        tables = {
            "spend": (periods, self.channels),
            "exposure": (periods, self.channels),
            "organic_exposure": (periods, self.organic),
            "control": (periods - self.history, self.controls),
            "event": (periods - self.history, self.events),
            "holiday": (periods - self.history, self.holidays),
        }
        for name, (rows, names) in tables.items():
            table: Float64Table = getattr(self, name)
            if table.dtype != np.float64 or table.shape != (rows, len(names)):
                raise ValueError(
                    f"MediaPanel.{name} must be float64 of shape ({rows}, {len(names)}), "
                    f"but it is {table.dtype} of shape {table.shape}."
                )
            if len(set(names)) < len(names):
                raise ValueError(f"The names of MediaPanel.{name} must differ.")
        for name in ("spend", "exposure", "organic_exposure"):
            media: Float64Table = getattr(self, name)
            if not np.all(np.isfinite(media) & (media >= 0)):
                raise ValueError(f"Every number of MediaPanel.{name} must be zero or more.")
        if len(self.exposure_units) != len(self.channels) or len(self.organic_units) != len(self.organic):
            raise ValueError("Every medium of a MediaPanel must have a unit.")
        if self.bounds is not None:
            low, high = self.bounds
            known = self.outcome[np.isfinite(self.outcome)]
            if not low < high or np.any((known < low) | (known > high)):
                raise ValueError(f"The outcome must lie between its bounds, {low:g} and {high:g}.")

    def __len__(self) -> int:
        """The number of periods of the outcome, T."""
        return len(self.outcome)


@dataclass(frozen=True, slots=True, eq=False)
class GeoPanel:
    """Several markets, called geos, side by side: the same outcome, media and surroundings in the same periods.

    `geos`: G names. `panels`: one of each; only their numbers differ. `sizes`: (G,) float64, how large each market is,
    1 on average: people, or, where nobody counted them, the outcome itself.

    Raises ValueError if the panels do not fit together, sizes are not positive, or the outcome has bounds: what does
    not add up over time does not add up over markets.
    """

    geos: tuple[str, ...]
    panels: tuple[MediaPanel, ...]
    sizes: Float64Column

    def __post_init__(self) -> None:
        _require_columns(self, len(self.geos), sizes=np.float64)
        if len(self.panels) != len(self.geos) or len(set(self.geos)) < len(self.geos) or not self.geos:
            raise ValueError("A GeoPanel has one panel for each of its geos, whose names differ.")
        if not np.all(np.isfinite(self.sizes) & (self.sizes > 0)) or not np.isclose(self.sizes.mean(), 1.0):
            raise ValueError("The sizes of a GeoPanel's geos must be above zero, and 1 on average.")
        alike = (
            *("granularity", "history", "outcome_name", "is_money", "bounds", "channels", "exposure_units"),
            *("organic", "organic_units", "controls", "events", "holidays"),
        )
        first = self.panels[0]
        for panel in self.panels:
            if not np.array_equal(panel.period_start, first.period_start) or any(
                getattr(panel, name) != getattr(first, name) for name in alike
            ):
                raise ValueError("The panels of a GeoPanel must have the same periods, media and surroundings.")
        if first.bounds is not None:
            raise ValueError("An outcome with bounds does not add up over geos.")

    def __len__(self) -> int:
        """The number of periods of the outcome, T."""
        return len(self.panels[0])

    @property
    def by_name(self) -> Mapping[str, MediaPanel]:
        """The panel of each geo."""
        return dict(zip(self.geos, self.panels, strict=True))

    def national(self) -> MediaPanel:
        """All markets as one: outcome and media added up, surroundings averaged by size.

        The outcome of a period is known if that of every market is.
        """
        shares = self.sizes / self.sizes.sum()
        sums = ("outcome", "spend", "exposure", "organic_exposure")
        means = ("control", "event", "holiday")
        of_geos = {name: np.stack([getattr(panel, name) for panel in self.panels]) for name in (*sums, *means)}
        numbers = {name: of_geos[name].sum(axis=0) for name in sums}
        numbers |= {name: np.tensordot(shares, of_geos[name], 1) for name in means}
        return replace(self.panels[0], **numbers)
