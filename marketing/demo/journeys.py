"""Considerations and touches: who thinks about buying, when, and which channels meet them on the way.

A consideration is a spell in which one person thinks about buying. It arises by itself or is sparked by an ad; touches
fall into it as independent Poisson processes that follow each channel's intensity. Because every channel and every
source draws from its own stream, taking a channel away leaves everything else exactly as it was.
"""

from dataclasses import dataclass

import numpy as np

from marketing.demo import seasons, world
from marketing.demo.media import MediaPlan, intensity, touch_intensities
from marketing.demo.seasons import Clock
from marketing.demo.world import BoolArray, Channel, FloatArray, IntArray

DEMAND = "demand"


@dataclass(frozen=True)
class People:
    """Everyone in the market: `segment` index and `activity` (relative frequency of considerations), both (N,)."""

    segment: IntArray
    activity: FloatArray


@dataclass(frozen=True)
class Considerations:
    """E considerations, all arrays (E,). Times are hours since the clock's start.

    `sparked_by` is the index in `world.CHANNELS` of the ad that started it, -1 if none did. `intent` is the unobserved
    readiness to buy in log odds; the `*_draw` columns are uniforms and normals fixed before any channel has acted.
    """

    customer: IntArray
    segment: IntArray
    sparked_by: IntArray
    start: FloatArray
    end: FloatArray
    decision: FloatArray
    inquiry: FloatArray
    intent: FloatArray
    purchase_draw: FloatArray
    lead_draw: FloatArray
    value_draw: FloatArray

    def __len__(self) -> int:
        return len(self.customer)


@dataclass(frozen=True)
class Touches:
    """T touches, all arrays (T,): index of the consideration and of the channel in `world.touch_channels()`, hour."""

    consideration: IntArray
    channel: IntArray
    at: FloatArray


def draw_people(*, seed: int) -> People:
    """The people of the market: segment by share, activity gamma distributed around the segment's."""
    rng = world.random_stream(seed=seed, name="people")
    segment = rng.choice(len(world.SEGMENTS), size=world.CUSTOMERS, p=[segment.share for segment in world.SEGMENTS])
    activity = np.array([segment.activity for segment in world.SEGMENTS])[segment]
    return People(segment=segment.astype(np.int64), activity=activity * rng.gamma(2.5, 1 / 2.5, world.CUSTOMERS))


def draw_considerations(*, clock: Clock, seed: int, people: People, plans: tuple[MediaPlan, ...]) -> Considerations:
    """Considerations that demand and each sparking channel bring, one block per source.

    A block's daily rate is the demand of the day, or the channel's rate times its intensity: a channel without spend
    sparks none.
    """
    blocks = [
        _draw_block(
            clock=clock,
            seed=seed,
            source=DEMAND,
            sparked_by=-1,
            people_weight=people.activity,
            people=people,
            per_day=world.DEMAND_PER_DAY * seasons.demand(clock=clock, seed=seed),
        )
    ]
    for plan in plans:
        if plan.media.considerations_per_day == 0:
            continue
        blocks.append(
            _draw_block(
                clock=clock,
                seed=seed,
                source=plan.channel.name,
                sparked_by=world.CHANNELS.index(plan.channel),
                people_weight=people.activity * np.array(plan.channel.segment_affinity)[people.segment],
                people=people,
                per_day=plan.media.considerations_per_day * intensity(spend=plan.spend, media=plan.media),
            )
        )
    names = Considerations.__dataclass_fields__
    return Considerations(**{name: np.concatenate([block[name] for block in blocks]) for name in names})


def draw_touches(*, clock: Clock, seed: int, considerations: Considerations, plans: tuple[MediaPlan, ...]) -> Touches:
    """Touches of every channel within the considerations, in no particular order.

    A consideration that an ad with touches has sparked begins with that touch.
    """
    reach = touch_intensities(clock=clock, seed=seed, plans=plans)
    parts = []
    for column, channel in enumerate(world.touch_channels()):
        owner, at = _channel_touches(
            clock=clock, seed=seed, channel=channel, considerations=considerations, reach=reach[channel.name]
        )
        sparked = np.flatnonzero(considerations.sparked_by == world.CHANNELS.index(channel))
        owner = np.concatenate([sparked, owner])
        parts.append((owner, np.full(len(owner), column), np.concatenate([considerations.start[sparked], at])))
    return Touches(
        consideration=np.concatenate([owner for owner, _, _ in parts]),
        channel=np.concatenate([column for _, column, _ in parts]),
        at=np.concatenate([at for _, _, at in parts]),
    )


def touch_rate(*, channel: Channel, considerations: Considerations) -> FloatArray:
    """Expected touches (E,) of a channel by consideration, per day of it with intensity 1."""
    # E[exp(slope x intent)] is divided out, so that `touches_per_day` stays the mean.
    selection = np.exp(channel.intent_slope * considerations.intent) / np.exp(
        (channel.intent_slope * world.INTENT_SD) ** 2 / 2
    )
    affinity = np.array(channel.segment_affinity)[considerations.segment]
    rate: FloatArray = channel.touches_per_day * affinity * selection
    return rate


def presence(*, touches: Touches, before: FloatArray) -> BoolArray:
    """Whether each consideration met each channel by its moment `before` (E,) in hours: (E, touch channels)."""
    met = np.zeros((len(before), len(world.touch_channels())), dtype=np.bool_)
    in_time = touches.at <= before[touches.consideration]
    met[touches.consideration[in_time], touches.channel[in_time]] = True
    return met


def _draw_block(
    *,
    clock: Clock,
    seed: int,
    source: str,
    sparked_by: int,
    people_weight: FloatArray,
    people: People,
    per_day: FloatArray,
) -> dict[str, IntArray | FloatArray]:
    """The considerations of one source, drawn from its streams; keys are the fields of `Considerations`."""
    elapsed = seasons.cumulative(clock=clock, daily=per_day)
    rng = world.random_stream(seed=seed, name=f"considerations {source}")
    count = int(rng.poisson(elapsed[-1]))
    start = np.minimum(np.interp(np.sort(rng.random(count)) * elapsed[-1], elapsed, clock.ticks), clock.hours - 1e-6)
    ladder = np.cumsum(people_weight)
    customer = np.searchsorted(ladder, rng.random(count) * ladder[-1], side="right")
    days = rng.gamma(world.DURATION_SHAPE, world.DURATION_SCALE_DAYS, count)
    end = start + 24 * np.minimum(days, world.DURATION_LIMIT_DAYS)
    inquiry = start + (0.35 + 0.6 * rng.random(count)) * (end - start)
    return {
        "customer": customer,
        "segment": people.segment[customer],
        "sparked_by": np.full(count, sparked_by),
        "start": start,
        "end": end,
        "decision": _at_shopping_hours(clock=clock, hours=end, wait=rng.exponential(size=count)),
        "inquiry": _at_shopping_hours(clock=clock, hours=inquiry, wait=rng.exponential(size=count)),
        "intent": world.INTENT_SD * rng.standard_normal(count) + (world.SPARKED_INTENT if sparked_by >= 0 else 0.0),
        "purchase_draw": rng.random(count),
        "lead_draw": rng.random(count),
        "value_draw": rng.standard_normal(count),
    }


def _at_shopping_hours(*, clock: Clock, hours: FloatArray, wait: FloatArray) -> FloatArray:
    """Move moments to when people act: a short wait on a clock that stands still at night. Past the end: infinity."""
    activity = seasons.cumulative(clock=clock, daily=np.ones(len(clock.dates)))
    due = np.interp(hours, clock.ticks, activity) + world.DECISION_DELAY_DAYS * wait
    return np.where((hours >= clock.hours) | (due >= activity[-1]), np.inf, np.interp(due, activity, clock.ticks))


def _channel_touches(
    *, clock: Clock, seed: int, channel: Channel, considerations: Considerations, reach: FloatArray
) -> tuple[IntArray, FloatArray]:
    """Owner and hour of one channel's touches: Poisson in the reach that falls within each consideration.

    Draws are made per source, so that the touches in one source's considerations do not depend on another source.
    """
    owners, moments = [], []
    reached = seasons.cumulative(clock=clock, daily=reach)
    rate = touch_rate(channel=channel, considerations=considerations)
    for source in np.unique(considerations.sparked_by):
        block = np.flatnonzero(considerations.sparked_by == source)
        rng = world.random_stream(seed=seed, name=f"touches {channel.name} {source}")
        opened = np.interp(considerations.start[block], clock.ticks, reached)
        closed = np.interp(considerations.end[block], clock.ticks, reached)
        expected = rate[block] * (closed - opened)
        count = np.minimum(rng.poisson(expected), world.TOUCH_LIMIT)
        owner = np.repeat(np.arange(len(block)), count)
        position = rng.beta(*channel.placement, size=len(owner))
        owners.append(block[owner])
        moments.append(np.interp(opened[owner] + position * (closed - opened)[owner], reached, clock.ticks))
    return np.concatenate(owners), np.minimum(np.concatenate(moments), clock.hours - 1e-6)
