"""How long before a conversion its touches lie, and which lookback window holds them.

A sales cycle begins where the customer's last one ended: touches before an earlier conversion belong to that one, or
else no window would hold the touches of customers who buy every month.

Data that begins shortly before the conversions hides their older touches, and would make any window look long enough.
So touches are counted by age as recurrent events: at each age, the touches seen for each conversion whose customer
could be seen that far back (the Nelson-Aalen estimator of the mean number of events). Source: Nelson 2003, Recurrent
Events Data Analysis. Where every conversion can be seen all the way back, that is the plain share.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from marketing.frames import MICROSECONDS_PER_DAY, Float64Column, Int64Column, Journeys
from marketing.journey_paths import read_only

LEAST_SEEN = 30  # conversions that can be seen as far back as an age, for touches of that age to be counted
LOOKED_BEYOND = 2  # times a window, that has to be seen to tell what it holds: of what was seen, all of it holds all


@dataclass(frozen=True, slots=True, eq=False)
class SalesCycle:
    """Touches before conversions by age, as far back as the longest window.

    `windows`: W whole days, ascending, the last the longest. `conversions`: how many there are. `touches`: (W,) int64,
    those seen that are no older than each window. `outside`: (W,) int64, conversions with a touch seen that is older
    than the window (and within the longest). `repeated`: (W,) int64, touches seen that are older than the window and
    no later than the customer's previous conversion. `seen_days`: how far back the data can be judged, in whole days,
    at most the longest window; 0 if not at all. `fully_seen`: conversions for which the data reach back over the
    longest window. `held`: (W,) float64, the share that a window holds of the touches since the customer's previous
    conversion, as far back as `seen_days`; NaN where that is neither twice the window nor the longest window, and
    where there are no touches.
    """

    windows: tuple[int, ...]
    conversions: int
    touches: Int64Column
    outside: Int64Column
    repeated: Int64Column
    seen_days: int
    fully_seen: int
    held: Float64Column

    def smallest(self, presets: Sequence[int], share: float) -> int | None:
        """The smallest of these windows that holds the share of touches; None if none does, or none can be judged."""
        held = dict(zip(self.windows, self.held.tolist(), strict=True))
        return next((days for days in sorted(presets) if held[days] >= share), None)


def sales_cycle(
    *, journeys: Journeys, windows: Sequence[int], data_starts_us: int, previous_at: Int64Column
) -> SalesCycle:
    """Count the touches before each conversion of `journeys`, also those before their own window.

    `windows`: whole days; the longest of them is how far is looked back. `data_starts_us`: the time from which on
    touches are known. `previous_at`: (J,) int64, microseconds, when the customer last converted before, if ever.
    Time O(touches within the longest window before each conversion).
    """
    from attribution.methods.evidence_kernel import count_touches_by_age  # here: numba takes a second to import

    days = tuple(sorted(set(windows)))
    converted, touches = journeys.converted, journeys.touches
    seen = np.clip((journeys.anchor_at - data_starts_us) // MICROSECONDS_PER_DAY, 0, days[-1])
    # A customer without any touch is numbered beyond the last of the offsets, and gets an empty range.
    first_touch = touches.offsets[np.minimum(journeys.customer, len(touches.customer_ids))]
    within, outside, repeated = (np.zeros(len(days), np.int64) for _ in range(3))
    by_day = np.zeros(days[-1], np.int64)
    windows_us = np.array(days, np.int64) * MICROSECONDS_PER_DAY
    count_touches_by_age(
        within,
        outside,
        repeated,
        by_day,
        read_only(windows_us),
        read_only(seen),
        read_only(converted),
        read_only(journeys.anchor_at),
        read_only(previous_at),
        read_only(first_touch),
        read_only(journeys.stop),
        read_only(touches.touched_at),
        MICROSECONDS_PER_DAY,
    )
    seen_that_far = np.bincount(seen[converted], minlength=days[-1] + 1)[::-1].cumsum()[::-1][1:]
    seen_days = int(np.count_nonzero(seen_that_far >= LEAST_SEEN))
    return SalesCycle(
        windows=days,
        conversions=int(converted.sum()),
        touches=within,
        outside=outside,
        repeated=repeated,
        seen_days=seen_days,
        fully_seen=int(np.count_nonzero(seen[converted] >= days[-1])),
        held=_held(by_day[:seen_days] / seen_that_far[:seen_days], days),
    )


def _held(touches_a_conversion: Float64Column, windows: Sequence[int]) -> Float64Column:
    """The share of each window from the touches of a conversion at each age in days; the last window is the longest."""
    up_to = np.concatenate([[0.0], touches_a_conversion.cumsum()])
    seen_days, all_of_it = len(touches_a_conversion), up_to[-1]
    if not all_of_it:
        return np.full(len(windows), np.nan)
    return np.array(
        [up_to[days] / all_of_it if min(LOOKED_BEYOND * days, windows[-1]) <= seen_days else np.nan for days in windows]
    )
