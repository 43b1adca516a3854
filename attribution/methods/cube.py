"""The daily cube: rule credit and spend by day, channel and campaign, and its exact sums over any period.

Days are whole days since 1970-01-01; channels, campaigns and goals are known by the numbers they came with. Campaign
`NO_CAMPAIGN` stands for touches (or spend) without a campaign; channel and campaign `UNTOUCHED` for conversions without
a touch in their window, or, under a custom model, without one that has any weight.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from marketing.frames import Float64Column, Int64Column

NO_CAMPAIGN, UNTOUCHED = 0, -1


@dataclass(frozen=True, slots=True, eq=False)
class CreditRows:
    """Credit, one row for each day, channel and campaign that has any.

    `day`, `channel`, `campaign`: (R,) int64. `conversions`, `value`: (R, M) float64, value in account currency.
    """

    day: Int64Column
    channel: Int64Column
    campaign: Int64Column
    conversions: Float64Column
    value: Float64Column

    @classmethod
    def nothing(cls, models: int) -> Self:
        """No row."""
        key, credit = np.empty(0, np.int64), np.empty((0, models))
        return cls(key, key, key, credit, credit)

    def where(self, chosen: npt.NDArray[np.bool_] | slice) -> "CreditRows":
        """Only these rows."""
        return CreditRows(
            self.day[chosen], self.channel[chosen], self.campaign[chosen], self.conversions[chosen], self.value[chosen]
        )


@dataclass(frozen=True, slots=True, eq=False)
class SpendRows:
    """Spend, one row for each day, channel and campaign. `day`, `channel`, `campaign`: (S,) int64; `spend`: float64."""

    day: Int64Column
    channel: Int64Column
    campaign: Int64Column
    spend: Float64Column

    def where(self, chosen: npt.NDArray[np.bool_] | slice) -> "SpendRows":
        """Only these rows."""
        return SpendRows(self.day[chosen], self.channel[chosen], self.campaign[chosen], self.spend[chosen])


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Sums by `key` (G,) int64, ascending: `conversions`, `value` (G, M) float64 and `spend` (G,) float64."""

    key: Int64Column
    conversions: Float64Column
    value: Float64Column
    spend: Float64Column


@dataclass(frozen=True, slots=True, eq=False)
class Days:
    """Figures of every day of a range, zero where nothing happened: `conversions`, `value` (T, M), `spend` (T,)."""

    conversions: Float64Column
    value: Float64Column
    spend: Float64Column


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """The rows of a range of days, of one goal's credit, perhaps of one channel or campaign only."""

    first_day: int
    last_day: int
    credit: CreditRows
    spend: SpendRows

    def of_channel(self, channel: int) -> "Part":
        """Only what belongs to this channel."""
        return self._only(self.credit.channel == channel, self.spend.channel == channel)

    def of_campaign(self, campaign: int) -> "Part":
        """Only what belongs to this campaign, on whatever channel."""
        return self._only(self.credit.campaign == campaign, self.spend.campaign == campaign)

    def _only(self, credit: npt.NDArray[np.bool_], spend: npt.NDArray[np.bool_]) -> "Part":
        return Part(self.first_day, self.last_day, self.credit.where(credit), self.spend.where(spend))

    def total(self) -> Sums:
        """The sum of everything, as one group with key 0."""
        return Sums(
            np.zeros(1, np.int64),
            self.credit.conversions.sum(axis=0, keepdims=True),
            self.credit.value.sum(axis=0, keepdims=True),
            self.spend.spend.sum(keepdims=True),
        )

    def by_channel(self) -> Sums:
        return self._by(self.credit.channel, self.spend.channel)

    def by_campaign(self) -> Sums:
        return self._by(self.credit.campaign, self.spend.campaign)

    def _by(self, credit_key: Int64Column, spend_key: Int64Column) -> Sums:
        keys, place = np.unique(np.concatenate([credit_key, spend_key]), return_inverse=True)
        credit_place, spend_place = place[: len(credit_key)], place[len(credit_key) :]
        return Sums(
            keys,
            _sums(credit_place, self.credit.conversions, len(keys)),
            _sums(credit_place, self.credit.value, len(keys)),
            _sums(spend_place, self.spend.spend[:, None], len(keys))[:, 0],
        )

    def by_day(self) -> Days:
        """Figures of each day from the first to the last."""
        days = self.last_day - self.first_day + 1
        credit_place = self.credit.day - self.first_day
        return Days(
            _sums(credit_place, self.credit.conversions, days),
            _sums(credit_place, self.credit.value, days),
            _sums(self.spend.day - self.first_day, self.spend.spend[:, None], days)[:, 0],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Cube:
    """All of it. `models`: names of the M models; `credit`: by goal, each sorted by day; `spend`: sorted by day."""

    models: tuple[str, ...]
    credit: Mapping[int, CreditRows]
    spend: SpendRows

    @property
    def nbytes(self) -> int:
        """The memory that its columns take."""
        parts: list[CreditRows | SpendRows] = [*self.credit.values(), self.spend]
        return sum(getattr(part, field.name).nbytes for part in parts for field in fields(part))

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], *, models: tuple[str, ...]) -> Self:
        """The cube that `to_arrays` laid out. Raises KeyError or ValueError for arrays that are none."""
        goals = arrays["goal"]
        rows = CreditRows(*(arrays[name] for name in ("day", "channel", "campaign", "conversions", "value")))
        if rows.conversions.shape != (len(goals), len(models)) or rows.value.shape != rows.conversions.shape:
            raise ValueError("The cube's credit does not fit its models.")
        edges = np.flatnonzero(np.diff(goals, prepend=-1, append=-1))
        credit = {
            int(goals[first]): rows.where(slice(int(first), int(stop))) for first, stop in itertools.pairwise(edges)
        }
        names = ("spend_day", "spend_channel", "spend_campaign", "spend")
        return cls(models, credit, SpendRows(*(arrays[name] for name in names)))

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Flat arrays, goal after goal, to be kept in a file."""
        parts = [self.credit[goal] for goal in sorted(self.credit)]
        nothing = CreditRows.nothing(len(self.models))
        together = {
            name: np.concatenate([getattr(part, name) for part in [nothing, *parts]])
            for name in ("day", "channel", "campaign", "conversions", "value")
        }
        goal = np.repeat(np.array(sorted(self.credit), np.int64), [len(part.day) for part in parts])
        spend = {
            "spend_day": self.spend.day,
            "spend_channel": self.spend.channel,
            "spend_campaign": self.spend.campaign,
            "spend": self.spend.spend,
        }
        return together | {"goal": goal} | spend

    def part(self, *, first_day: int, last_day: int, goal: int) -> Part:
        """The rows of the days from `first_day` to `last_day`, both included: two binary searches, no copy."""
        credit = self.credit.get(goal, CreditRows.nothing(len(self.models)))
        return Part(
            first_day,
            last_day,
            credit.where(_days(credit.day, first_day, last_day)),
            self.spend.where(_days(self.spend.day, first_day, last_day)),
        )


def _days(day: Int64Column, first: int, last: int) -> slice:
    return slice(int(np.searchsorted(day, first)), int(np.searchsorted(day, last + 1)))


def _sums(place: Int64Column, columns: Float64Column, length: int) -> Float64Column:
    """Sum the rows of (R, M) `columns` that have the same place: (length, M)."""
    sums: Float64Column = np.zeros((length, columns.shape[1]))
    for model in range(columns.shape[1]):
        sums[:, model] = np.bincount(place, columns[:, model], length)
    return sums
