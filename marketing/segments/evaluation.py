"""Which journeys a segment holds: a mask over all of them at once, without a loop over journeys or touches.

Time O(J + N) for each condition that looks at the touches in the window, O(J) for the others, with J journeys over N
touches; memory 5 bytes a touch while such a condition is being looked at.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from marketing.frames import BoolColumn, Conversions, Int64Column, Journeys, SourceLookup
from marketing.segments.definition import INTERACTIONS, Bounded, Condition, Definition, Match, Named, Newness, What


@dataclass(frozen=True, slots=True)
class Codes:
    """What names stand for, by their casefolded text: none where there is nothing of that name.

    `channels`: indices into `SourceLookup.channels`. `attributes`: database ids, as `Touches.segment` has them.
    """

    channels: Mapping[str, frozenset[int]]
    attributes: Mapping[str, frozenset[int]]


def select(
    *,
    definition: Definition,
    journeys: Journeys,
    sources: SourceLookup,
    codes: Codes,
    returning: BoolColumn | None = None,
) -> BoolColumn:
    """Return which journeys the segment holds: (J,) bool.

    `returning`: (J,) bool, as `returning_customers` says, needed by conditions on new or returning customers;
    `journeys.touches.segment` is needed by conditions on a customer attribute.

    Raises ValueError if what a condition needs is missing.
    """
    holds = _Holds(journeys, sources, codes, returning)
    masks = (holds.condition(condition) for condition in definition.conditions)
    if not definition.conditions:
        return np.ones(len(journeys), np.bool_)
    chosen = next(masks)
    for mask in masks:
        chosen = chosen & mask if definition.match == Match.ALL else chosen | mask
    return chosen


def returning_customers(
    *, journeys: Journeys, conversions: Conversions, goal: int, period_start_us: int, period_stop_us: int
) -> BoolColumn:
    """Return for which journeys the customer had converted to `goal` before: (J,) bool.

    Before means at an earlier moment than the journey's end, however long ago; conversions at the same moment do not
    make each other returning. `journeys` are those that `build_journeys` cut from `conversions` with the same goal and
    period, in its order. Raises ValueError if they are not.
    """
    to_goal = np.flatnonzero(conversions.converted & (conversions.goal == goal))
    ids, at = conversions.customer_ids[to_goal], conversions.converted_at[to_goal]
    is_first = np.ones(len(ids), np.bool_)
    is_first[1:] = ids[1:] != ids[:-1]
    first_ids, first_at = ids[is_first], at[is_first]
    in_period = (at >= period_start_us) & (at < period_stop_us)
    if not np.array_equal(journeys.anchor_at[journeys.converted], at[in_period]):
        raise ValueError("The journeys are not those of these conversions, goal and period.")
    returning = np.zeros(len(journeys), np.bool_)
    converted_before = first_at[np.cumsum(is_first) - 1] < at
    returning[journeys.converted] = converted_before[in_period]
    if len(first_ids):
        null_paths = np.flatnonzero(~journeys.converted)
        customer_ids = journeys.touches.customer_ids[journeys.customer[null_paths]]
        place = np.minimum(np.searchsorted(first_ids, customer_ids), len(first_ids) - 1)
        known = first_ids[place] == customer_ids
        returning[null_paths] = known & (first_at[place] < journeys.anchor_at[null_paths])
    return returning


class _Holds:
    """For which journeys a condition holds."""

    def __init__(self, journeys: Journeys, sources: SourceLookup, codes: Codes, returning: BoolColumn | None) -> None:
        self.journeys, self.touches = journeys, journeys.touches
        self.sources, self.codes, self.returning = sources, codes, returning

    def condition(self, condition: Condition) -> BoolColumn:
        match condition:
            case Named():
                holds = self._named(condition)
            case Bounded():
                holds = self._bounded(condition)
            case Newness():
                if self.returning is None:
                    raise ValueError("It must be known which customers are returning.")
                holds = ~self.returning
        return ~holds if condition.negated else holds

    def _bounded(self, condition: Bounded) -> BoolColumn:
        journeys = self.journeys
        if condition.what == What.TOUCHES:
            touches = journeys.stop - journeys.start
            holds = np.ones(len(journeys), np.bool_)
            if condition.high is not None:
                holds &= touches <= condition.high
            if condition.low is not None:
                holds &= touches >= condition.low
            return holds
        # A null path has no value, so it lies between no bounds.
        holds = journeys.converted.copy()
        if condition.low is not None:
            holds &= journeys.value >= condition.low
        if condition.high is not None:
            holds &= journeys.value < condition.high
        return holds

    def _named(self, condition: Named) -> BoolColumn:
        names = [name.casefold() for name in condition.names]
        if condition.what == What.INTERACTIONS:
            known = {name: frozenset([code]) for code, name in enumerate(INTERACTIONS)}
            return self._touched([known[name] for name in names], self._of_interactions, every=condition.every)
        if condition.what == What.ATTRIBUTE:
            return self._has_attribute(_union(names, self.codes.attributes))
        if condition.what == What.CHANNELS:
            codes = [self.codes.channels.get(name, frozenset()) for name in names]
            return self._touched(codes, self._of_channels, every=condition.every)
        is_one = self._is_one(_union(names, self.codes.channels))
        if condition.what == What.FIRST_CHANNEL:
            return self._at(self.journeys.start, is_one)
        return self._at(self._history(), is_one)

    def _history(self) -> Int64Column:
        """Where the touches of each journey's customer begin, whatever the window: (J,) int64."""
        return self.touches.offsets[np.minimum(self.journeys.customer, len(self.touches.customer_ids))]

    def _at(self, position: Int64Column, is_one: BoolColumn) -> BoolColumn:
        """Whether the touch at each journey's position, if it lies before the end, is from a source that `is_one`."""
        holds = position < self.journeys.stop
        holds[holds] = is_one[self.touches.source[position[holds]]]
        return holds

    def _is_one(self, channels: frozenset[int]) -> BoolColumn:
        """Which sources are of one of these channels: (S,) bool."""
        return np.isin(self.sources.channel, np.array(sorted(channels), np.int64))

    def _of_channels(self, channels: frozenset[int]) -> BoolColumn:
        return self._is_one(channels)[self.touches.source]

    def _of_interactions(self, codes: frozenset[int]) -> BoolColumn:
        is_one = np.zeros(256, np.bool_)
        is_one[sorted(codes)] = True
        return is_one[self.touches.interaction]

    def _touched(
        self, wanted: list[frozenset[int]], hits: Callable[[frozenset[int]], BoolColumn], *, every: bool
    ) -> BoolColumn:
        """Whether each journey's window holds a touch of one of the wanted, or of every one."""
        if not every:
            return self._holds_hit(hits(frozenset().union(*wanted)))
        holds = np.ones(len(self.journeys), np.bool_)
        for codes in wanted:
            if not holds.any():
                break
            holds &= self._holds_hit(hits(codes))
        return holds

    def _holds_hit(self, hit: BoolColumn) -> BoolColumn:
        """Whether each journey's window holds a touch that is hit; `hit` is (N,)."""
        # How many come before each touch: windows overlap, so counting each by itself could take N times J.
        before: npt.NDArray[np.uint32] = np.zeros(len(hit) + 1, np.uint32)
        np.cumsum(hit, dtype=np.uint32, out=before[1:])
        holds: BoolColumn = before[self.journeys.stop] != before[self.journeys.start]
        return holds

    def _has_attribute(self, wanted: frozenset[int]) -> BoolColumn:
        """Whether the last known attribute of each journey's customer, when it ends, is one of these."""
        attribute = self.touches.segment
        if attribute is None:
            raise ValueError("The touches must be loaded with their segments.")
        history, last = self._history(), self.journeys.stop - 1
        codes = np.array(sorted(wanted), np.int64)
        holds = last >= history
        latest = np.zeros(len(last), np.uint32)
        latest[holds] = attribute[last[holds]]
        if len(unsaid := np.flatnonzero(holds & (latest == 0))):
            said = np.flatnonzero(attribute)
            place = np.searchsorted(said, last[unsaid], side="right") - 1
            known = place >= 0
            known[known] = said[place[known]] >= history[unsaid[known]]
            latest[unsaid[known]] = attribute[said[place[known]]]
        has_it: BoolColumn = np.isin(latest, codes)  # 0 is the id of nothing
        return has_it


def _union(names: list[str], codes: Mapping[str, frozenset[int]]) -> frozenset[int]:
    return frozenset().union(*(codes.get(name, frozenset()) for name in names))
