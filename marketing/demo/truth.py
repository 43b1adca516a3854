"""The truth of the demo world: what each channel really added, known because the causes are known.

A channel's incremental outcome is the expected outcome minus the expected outcome of the same world without the
channel's exposures: its touches are gone and the considerations that it sparked never began. The expectation is exact
(the sum of purchase probabilities over all considerations), so no sampling error is left in it.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from marketing.demo import media, outcomes, world
from marketing.demo.simulation import Simulation
from marketing.demo.world import BoolArray, FloatArray


@dataclass(frozen=True)
class Totals:
    """Expected purchases, revenue in euros and leads of the reported days."""

    purchases: float
    revenue: float
    leads: float

    def __sub__(self, other: "Totals") -> "Totals":
        return Totals(
            purchases=self.purchases - other.purchases,
            revenue=self.revenue - other.revenue,
            leads=self.leads - other.leads,
        )


def expected_totals(simulation: Simulation, *, without: frozenset[str] = frozenset()) -> Totals:
    """Expected totals of the world as it was, or without the exposures of the channels named in `without`."""
    stays = ~np.isin(simulation.considerations.sparked_by, [_position(name) for name in sorted(without)])
    keep = np.array([channel.name not in without for channel in world.touch_channels()])
    purchase = stays * outcomes.purchase_probability(behaviour=simulation.behaviour, met=simulation.met & keep)
    lead = stays * outcomes.lead_probability(behaviour=simulation.behaviour, met=simulation.met_before_lead & keep)
    return Totals(
        purchases=float(purchase.sum()),
        revenue=float(purchase @ simulation.behaviour.expected_value),
        leads=float(lead.sum()),
    )


def window_lift(simulation: Simulation, *, channel: str, first_day: int, last_day: int) -> float:
    """Expected revenue of the reported days due to the channel's spend from `first_day` to `last_day`.

    Both are inclusive and count from the first reported day; negative days reach into the burn-in.
    Each exposure of the channel would have happened anyway with the ratio of the intensity without that spend to the
    intensity with it, so carry-over out of the window counts. Exact: only the presence of the channel matters, and a
    touched consideration loses it only if every one of its touches goes.
    """
    considerations, touches, clock = simulation.considerations, simulation.touches, simulation.clock
    survival = _survival(simulation, channel=channel, first_day=first_day, last_day=last_day)
    with_channel = outcomes.purchase_probability(behaviour=simulation.behaviour, met=simulation.met)
    loss = np.zeros(len(considerations))
    names = [item.name for item in world.touch_channels()]
    if channel in names:
        mine = (touches.channel == names.index(channel)) & (
            touches.at <= considerations.decision[touches.consideration]
        )
        all_gone = np.ones(len(considerations))
        np.multiply.at(all_gone, touches.consideration[mine], 1 - survival[clock.day_of(touches.at[mine])])
        keep = np.array([name != channel for name in names])
        without = outcomes.purchase_probability(behaviour=simulation.behaviour, met=simulation.met & keep)
        loss = all_gone * (with_channel - without)
    sparked = considerations.sparked_by == _position(channel)
    loss[sparked] = (1 - survival[clock.day_of(considerations.start[sparked])]) * with_channel[sparked]
    return float(loss @ simulation.behaviour.expected_value)


def build_truth(simulation: Simulation, *, experiments: list[dict[str, Any]]) -> dict[str, Any]:
    """The JSON-serialisable truth of a simulated world.

    Keys: `totals`, `baseline` (no paid or offline media at all), `channels` (by name: incremental outcome, spend,
    incremental ROI or None without spend), `pairs`, `experiments` (with their true lift) and `parameters`.
    """
    everything = expected_totals(simulation)
    baseline = expected_totals(simulation, without=frozenset(plan.channel.name for plan in simulation.plans))
    clock = simulation.clock
    return {
        "seed": simulation.seed,
        "start": str(clock.dates[clock.first_reported_day]),
        "end": str(clock.dates[-1]),
        "currency": world.CURRENCY,
        "time_zone": world.TIME_ZONE,
        "totals": _rounded(everything),
        "baseline": _rounded(baseline),
        "channels": {channel.name: _channel_truth(simulation, name=channel.name) for channel in world.CHANNELS},
        "pairs": [_pair_truth(simulation, pair=pair) for pair in world.PAIRS],
        "experiments": experiments,
        "parameters": _parameters(),
    }


def _channel_truth(simulation: Simulation, *, name: str) -> dict[str, Any]:
    added = expected_totals(simulation) - expected_totals(simulation, without=frozenset({name}))
    spent = {plan.channel.name: simulation.clock.reported(plan.spend).sum() for plan in simulation.plans}
    spend = round(float(spent[name]), 2) if name in spent else None
    return {
        "type": world.channel_named(name).type,
        "incremental_purchases": round(added.purchases, 2),
        "incremental_revenue": round(added.revenue, 2),
        "incremental_leads": round(added.leads, 2),
        "spend": spend,
        "incremental_roi": round(added.revenue / spend, 4) if spend else None,
    }


def _pair_truth(simulation: Simulation, *, pair: world.Pair) -> dict[str, Any]:
    """What the pair's joint effect adds: expected purchases with it minus without it, other pairs unchanged."""
    names = [channel.name for channel in world.touch_channels()]
    both: BoolArray = simulation.met[:, names.index(pair.first)] & simulation.met[:, names.index(pair.second)]
    log_odds = simulation.behaviour.purchase_log_odds + outcomes.touch_log_odds(simulation.met)
    change: FloatArray = outcomes.logistic(log_odds) - outcomes.logistic(log_odds - pair.log_odds * both)
    counted = both & simulation.behaviour.decides
    added = float(change[counted].sum())
    return {
        "kind": pair.kind,
        "channels": [pair.first, pair.second],
        "log_odds": pair.log_odds,
        "considerations_with_both": int(counted.sum()),
        "incremental_purchases": round(added, 2),
        "incremental_purchases_per_1000": round(1000 * added / int(counted.sum()), 2),
    }


def _survival(simulation: Simulation, *, channel: str, first_day: int, last_day: int) -> FloatArray:
    """Ratio (D,) of the channel's intensity without its spend in the window to its intensity with it."""
    plan = next(plan for plan in simulation.plans if plan.channel.name == channel)
    start = simulation.clock.first_reported_day
    cut = plan.spend.copy()
    cut[start + first_day : start + last_day + 1] = 0.0
    actual = media.intensity(spend=plan.spend, media=plan.media)
    reduced = media.intensity(spend=cut, media=plan.media)
    return np.divide(reduced, actual, out=np.ones_like(actual), where=actual > 0)


def _position(name: str) -> int:
    return world.CHANNELS.index(world.channel_named(name))


def _rounded(totals: Totals) -> dict[str, float]:
    return {field: round(value, 2) for field, value in asdict(totals).items()}


def _parameters() -> dict[str, Any]:
    return {
        "channels": [asdict(channel) for channel in world.CHANNELS],
        "segments": [asdict(segment) for segment in world.SEGMENTS],
        "pairs": [asdict(pair) for pair in world.PAIRS],
        "price_elasticity": world.PRICE_ELASTICITY,
        "promotion_log_odds_per_point": world.PROMOTION_LOG_ODDS_PER_POINT,
        "intent_sd": world.INTENT_SD,
        "app_installs_from_media": outcomes.INSTALLS_FROM_MEDIA,
        "sessions_on_air": outcomes.SESSIONS_ON_AIR,
        "awareness_points": outcomes.AWARENESS_POINTS,
        "awareness_retention_per_day": outcomes.AWARENESS_RETENTION_PER_DAY,
    }
