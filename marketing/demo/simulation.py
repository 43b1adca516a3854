"""One run of the demo world: from the media plan to who bought what."""

import datetime
from dataclasses import dataclass, replace

import numpy as np

from marketing.demo import journeys, media, outcomes, seasons, world
from marketing.demo.journeys import Considerations, Touches
from marketing.demo.media import MediaPlan
from marketing.demo.outcomes import Behaviour
from marketing.demo.seasons import Clock
from marketing.demo.world import BoolArray


@dataclass(frozen=True)
class Simulation:
    """Everything that happened, with its causes.

    `met` and `met_before_lead` are the channels (E, touch channels) met before the decision and before the inquiry;
    `buys` and `inquires` (E,) are what came of it on reported days.
    """

    clock: Clock
    seed: int
    plans: tuple[MediaPlan, ...]
    considerations: Considerations
    touches: Touches
    behaviour: Behaviour
    met: BoolArray
    met_before_lead: BoolArray
    buys: BoolArray
    inquires: BoolArray


def simulate(*, end: datetime.date, seed: int, days: int, without_spend: frozenset[str] = frozenset()) -> Simulation:
    """Run the world for `days` local days up to `end`; channels in `without_spend` spend nothing, ever.

    Raises ValueError if `days` is too short for the experiments or the period starts before the calendar.
    """
    if days < world.MINIMUM_DAYS:
        raise ValueError(f"The demo world needs at least {world.MINIMUM_DAYS} days, not {days}.")
    if end - datetime.timedelta(days=days) < world.EARLIEST_START:
        raise ValueError(f"The demo world cannot start before {world.EARLIEST_START.isoformat()}.")
    clock = seasons.build_clock(end=end, days=days)
    plans = tuple(
        replace(plan, campaign_spend=np.zeros_like(plan.campaign_spend)) if plan.channel.name in without_spend else plan
        for plan in media.build_plans(clock=clock, seed=seed)
    )
    return carry_out(clock=clock, seed=seed, plans=plans)


def carry_out(*, clock: Clock, seed: int, plans: tuple[MediaPlan, ...]) -> Simulation:
    """Run the world with these media."""
    people = journeys.draw_people(seed=seed)
    considerations = journeys.draw_considerations(clock=clock, seed=seed, people=people, plans=plans)
    touches = journeys.draw_touches(clock=clock, seed=seed, considerations=considerations, plans=plans)
    behaviour = outcomes.behaviour(clock=clock, seed=seed, considerations=considerations)
    met = journeys.presence(touches=touches, before=considerations.decision)
    met_before_lead = journeys.presence(touches=touches, before=considerations.inquiry)
    buys = considerations.purchase_draw < outcomes.purchase_probability(behaviour=behaviour, met=met)
    inquires = considerations.lead_draw < outcomes.lead_probability(behaviour=behaviour, met=met_before_lead)
    return Simulation(
        clock=clock,
        seed=seed,
        plans=plans,
        considerations=considerations,
        touches=touches,
        behaviour=behaviour,
        met=met,
        met_before_lead=met_before_lead,
        buys=buys,
        inquires=inquires,
    )
