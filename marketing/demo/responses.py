"""What other budgets would have brought in the demo world: the expected revenue of multiples of what was spent.

A budget multiplies a channel's spend on the days of a window, its flighting as it was. What was spent before them has
its effect in any case; after them nothing is spent, so that what is still to come of them comes, and nothing else.

The expectation is over whom media set thinking, whom they touch, and who buys. It is taken over the considerations of
one run of the world, and exact in all else:

- An ad sparks considerations by a Poisson process whose rate is in proportion to its intensity. Those of the run stand
  for those of another budget with the ratio of the two intensities at their start (Campbell's theorem).
- Touches are Poisson, too, and all of them come before the decision. So a consideration meets a channel with the
  probability 1 - exp(-expected touches), whatever else it meets, and the channel that sparked it in any case.
- The probability of a purchase is averaged over the sets of paid channels that can have been met. What is met of other
  channels no budget changes: that is as it was in the run.
"""

import datetime
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from marketing.demo import journeys, media, outcomes, seasons, world
from marketing.demo.media import MediaPlan
from marketing.demo.simulation import Simulation, carry_out
from marketing.demo.world import BoolArray, FloatArray

DAYS_BEHIND = datetime.timedelta(90)  # after the last day, in which all that media still bring is over


@dataclass(frozen=True, eq=False)
class TrueResponse:
    """The revenue of budgets for C channels, from E considerations of a run with the spend as it was.

    `window`: (D,), whether a day is in it. `coefficients`: (2^P, E) of the polynomial in the probabilities of meeting
    each of P paid channels with touches that is a consideration's expected revenue.
    """

    simulation: Simulation
    window: BoolArray
    coefficients: FloatArray

    @property
    def channels(self) -> tuple[str, ...]:
        return tuple(plan.channel.name for plan in self.simulation.plans)

    @property
    def spend(self) -> FloatArray:
        """Of the window's days (C,), in euros."""
        return np.array([plan.spend[self.window].sum() for plan in self.simulation.plans])

    def revenue(self, multipliers: FloatArray) -> float:
        """The expected revenue of all days, in euros, where the window's spend of each channel (C,) is multiplied."""
        return float(self.by_consideration(multipliers).sum())

    def incremental(self) -> FloatArray:
        """What each channel's spend in the window brought (C,), in euros: what there would have been less without."""
        count = len(self.channels)
        brought = self.revenue(np.ones(count))
        return np.array([brought - self.revenue(1.0 - np.eye(count)[place]) for place in range(count)])

    def by_consideration(self, multipliers: FloatArray) -> FloatArray:
        """Each consideration's part (E,) of the expected revenue."""
        left = self.coefficients
        weight = np.ones(left.shape[1])
        for exposure, multiplier in zip(self._exposures, multipliers, strict=True):
            spend = np.where(self.window, multiplier, 1.0) * exposure.plan.spend
            planned = media.intensity(spend=spend, media=exposure.plan.media)
            weight[exposure.sparked] = exposure.sparking(planned)
            if exposure.touches:
                half = len(left) // 2
                left = left[:half] + exposure.met(planned) * left[half:]
        return np.asarray(weight * left[0])

    @cached_property
    def _exposures(self) -> "tuple[_Exposure, ...]":
        return tuple(_Exposure(self.simulation, plan) for plan in self.simulation.plans)


class _Exposure:
    """How a channel's intensity (D,) reaches the considerations of a run."""

    def __init__(self, simulation: Simulation, plan: MediaPlan) -> None:
        considerations, clock = simulation.considerations, simulation.clock
        self.plan = plan
        self.touches = plan.channel in world.touch_channels()
        self.sparked = np.flatnonzero(considerations.sparked_by == world.CHANNELS.index(plan.channel))
        self._sparked_on = clock.day_of(considerations.start[self.sparked])
        self._intensity = media.intensity(spend=plan.spend, media=plan.media)[self._sparked_on]
        self._clock = clock
        self._span = np.stack([considerations.start, considerations.end])
        self._rate = journeys.touch_rate(channel=plan.channel, considerations=considerations)

    def sparking(self, planned: FloatArray) -> FloatArray:
        """For how many considerations each that the channel sparked stands."""
        return np.asarray(planned[self._sparked_on] / self._intensity)

    def met(self, planned: FloatArray) -> FloatArray:
        """The probability (E,) that a consideration meets the channel."""
        reached = seasons.cumulative(clock=self._clock, daily=planned)
        opened, closed = np.interp(self._span, self._clock.ticks, reached)
        probability = -np.expm1(-self._rate * (closed - opened))
        probability[self.sparked] = 1.0
        return np.asarray(probability)


def true_response(
    *, end: datetime.date, seed: int, days: int, window_start: datetime.date, window_end: datetime.date
) -> TrueResponse:
    """The response of `build_world(end, seed=seed, days=days)` to the spend of a window, both of its ends included."""
    clock = seasons.build_clock(end=end + DAYS_BEHIND, days=days + DAYS_BEHIND.days)
    first, last = np.datetime64(window_start, "D"), np.datetime64(window_end, "D")
    over = clock.dates > last
    plans = tuple(
        replace(plan, campaign_spend=np.where(over[:, None], 0.0, plan.campaign_spend))
        for plan in media.build_plans(clock=clock, seed=seed)
    )
    simulation = carry_out(clock=clock, seed=seed, plans=plans)
    return TrueResponse(simulation, (clock.dates >= first) & ~over, _coefficients(simulation))


def _coefficients(simulation: Simulation) -> FloatArray:
    """From the expected revenue with each set of paid channels met, by differences: one channel after another."""
    names = [channel.name for channel in world.touch_channels()]
    paid = [names.index(plan.channel.name) for plan in simulation.plans if plan.channel.name in names]
    met = simulation.met.copy()
    found = np.empty((2,) * len(paid) + (len(met),))
    for of_set in np.ndindex(*found.shape[:-1]):
        met[:, paid] = of_set
        bought = outcomes.purchase_probability(behaviour=simulation.behaviour, met=met)
        found[of_set] = bought * simulation.behaviour.expected_value
    for axis in range(len(paid)):
        without, with_it = np.moveaxis(found, axis, 0)
        with_it -= without
    return found.reshape(-1, len(met))
