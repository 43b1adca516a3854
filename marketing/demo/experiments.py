"""Two experiments that the retailer ran: a holdout of Display retargeting and a TV burst.

Each reports the incremental revenue of the channel's spend in its window: the truth plus an error of the stated size.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from marketing.demo import world
from marketing.demo.simulation import Simulation
from marketing.demo.truth import window_lift


@dataclass(frozen=True)
class Design:
    """`weeks` long, the window of the highest spend between `earliest` and `latest` (shares of the period)."""

    channel: str
    weeks: int
    earliest: float
    latest: float
    relative_error: float
    least_error: float


DESIGNS = (
    Design("Display", weeks=4, earliest=0.45, latest=0.95, relative_error=0.30, least_error=450.0),
    Design("TV", weeks=5, earliest=0.30, latest=0.90, relative_error=0.18, least_error=1500.0),
)
ERROR_LIMIT = 2.0  # an experiment that misses by more than two standard errors would teach the wrong lesson


def run_experiments(simulation: Simulation) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """The experiments as an import table, and their truth: channel, start, end and true lift in euros."""
    rows = [_run(simulation, design=design) for design in DESIGNS]
    table = pd.DataFrame([row for row, _ in rows])
    for column in ("start", "end"):
        table[column] = table[column].astype("datetime64[us]")
    return table, [truth for _, truth in rows]


def _run(simulation: Simulation, *, design: Design) -> tuple[dict[str, Any], dict[str, Any]]:
    clock = simulation.clock
    plan = next(plan for plan in simulation.plans if plan.channel.name == design.channel)
    spend = clock.reported(plan.spend)
    first_day = _best_monday(simulation, design=design)
    last_day = first_day + 7 * design.weeks - 1
    lift = window_lift(simulation, channel=design.channel, first_day=first_day, last_day=last_day)
    standard_error = round(max(design.relative_error * lift, design.least_error), 2)
    rng = world.random_stream(seed=simulation.seed, name=f"experiment {design.channel}")
    error = standard_error * float(np.clip(rng.standard_normal(), -ERROR_LIMIT, ERROR_LIMIT))
    start, end = (clock.dates[clock.first_reported_day + day] for day in (first_day, last_day))
    row = {
        "channel": design.channel,
        "start": start,
        "end": end,
        "geo": "",
        "lift": round(lift + error, 2),
        "standard_error": standard_error,
        "spend": round(float(spend[first_day : last_day + 1].sum()), 2),
    }
    truth = {"channel": design.channel, "start": str(start), "end": str(end), "true_lift": round(lift, 2)}
    return row, truth


def _best_monday(simulation: Simulation, *, design: Design) -> int:
    """Reported day on which the window starts: the Monday whose window has the highest spend."""
    clock = simulation.clock
    plan = next(plan for plan in simulation.plans if plan.channel.name == design.channel)
    spent = np.concatenate([[0.0], np.cumsum(clock.reported(plan.spend))])
    days, length = len(spent) - 1, 7 * design.weeks
    starts = np.arange(int(design.earliest * days), int(design.latest * days) - length)
    reported = clock.dates[clock.first_reported_day :]
    starts = starts[np.is_busday(reported[starts], weekmask="1000000")]
    return int(starts[np.argmax(spent[starts + length] - spent[starts])])
