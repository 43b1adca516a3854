"""Building the demo world: the one entry to this package."""

import datetime
from dataclasses import dataclass
from typing import Any

import pandas as pd

from marketing.demo import tables, world
from marketing.demo.experiments import run_experiments
from marketing.demo.simulation import simulate
from marketing.demo.truth import build_truth


@dataclass(frozen=True)
class DemoWorld:
    """One retailer's data, each table ready for the import of the same name, and the truth behind it.

    Dates are local days (`Europe/Berlin`) as naive midnights, times are UTC to the second, money is euros.

    - `touchpoints`: customer, occurred_at, channel, source, medium, campaign, interaction, segment
    - `conversions`: customer, occurred_at, goal, value, order_id, converted
    - `spend`: date, channel, campaign, spend, impressions, clicks
    - `outcomes`: date, outcome, value; Sales of a day is the sum of its purchases
    - `controls`: date, control, value
    - `experiments`: channel, start, end, geo, lift, standard_error, spend
    - `channels`: channel, type
    - `truth`: see `marketing.demo.truth.build_truth`
    """

    touchpoints: pd.DataFrame
    conversions: pd.DataFrame
    spend: pd.DataFrame
    outcomes: pd.DataFrame
    controls: pd.DataFrame
    experiments: pd.DataFrame
    channels: pd.DataFrame
    truth: dict[str, Any]


def build_world(end: datetime.date, *, seed: int = world.DEFAULT_SEED, days: int = world.DEFAULT_DAYS) -> DemoWorld:
    """The demo world of the `days` local days up to and including `end`; the same arguments give the same bits.

    Raises ValueError if `days` is fewer than 180 or the period would start before 2001.
    """
    simulation = simulate(end=end, seed=seed, days=days)
    experiments, experiment_truth = run_experiments(simulation)
    return DemoWorld(
        touchpoints=tables.touchpoints_table(simulation),
        conversions=tables.conversions_table(simulation),
        spend=tables.spend_table(simulation),
        outcomes=tables.outcomes_table(simulation),
        controls=tables.controls_table(simulation),
        experiments=experiments,
        channels=tables.channels_table(),
        truth=build_truth(simulation, experiments=experiment_truth),
    )
