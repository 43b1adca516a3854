"""What to test next in the demo world, planted so that the right answer is known: one channel is, all others are not.

Every channel but one has been tested, with small errors, by lifts of the world's own truth. The one that has not spends
nearly the same in every week, so that its history says nothing of it either.
"""

import datetime as dt
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from accounts.models import Workspace
from marketing.demo import media, seasons, tables, world
from marketing.demo.simulation import Simulation, carry_out
from marketing.demo.truth import build_truth, window_lift
from marketing.frames import MediaPanel
from tests.weightings.results import finished
from tests.weightings.surfaces import of_grid
from tests.weightings.worlds import panel
from weightings import fit_program
from weightings.methods.planning.surface import GRID, ResponseSurface
from weightings.methods.planning.testing_next import worth_testing
from weightings.methods.storing import pack_panel
from weightings.presentation import testing_sections as sections
from weightings.presentation.results import Result

FloatArray = npt.NDArray[np.float64]
END = dt.date(2026, 6, 28)  # a Sunday
DAYS = 728
TESTED_WEEKS, RELATIVE_ERROR = 8, 0.05
VARIATION = 0.09  # of the untested channel's spend from week to week: more than nothing, and far too little
CERTAIN, UNCERTAIN = 0.03, 0.7  # spread of log returns


@cache
def untested(channel: str, *, days: int = DAYS) -> Simulation:
    """The demo world in which a channel spends nearly the same in every week."""
    clock = seasons.build_clock(end=END, days=days)
    plans = []
    for plan in media.build_plans(clock=clock, seed=7):
        if plan.channel.name == channel:
            level = 1 + VARIATION * seasons.weekly_normal(clock=clock, seed=7, name="untested")
            shares = media.campaign_shares(clock=clock, channel=plan.channel)
            plan = replace(plan, campaign_spend=np.round(plan.spend.mean() * level[:, None] * shares, 2))
        plans.append(plan)
    return carry_out(clock=clock, seed=7, plans=tuple(plans))


def weekly(simulation: Simulation) -> MediaPanel:
    """Sales, spend and controls of the world's whole weeks."""
    spend = tables.spend_table(simulation)
    sales = tables.outcomes_table(simulation).query("outcome == 'Sales'").set_index("date")["value"]
    controls = tables.controls_table(simulation).pivot(index="date", columns="control", values="value")
    by_channel = spend.pivot_table(index="date", columns="channel", values="spend", aggfunc="sum", fill_value=0)
    names = tuple(channel.name for channel, _media in world.media_channels())
    found = panel(
        by_week(sales.to_numpy()),
        by_week(by_channel[list(names)].to_numpy()),
        names=names,
        controls=by_week(controls.to_numpy()) / 7,
        control_names=tuple(controls.columns),
    )
    first = (sales.index[0] - pd.Timestamp(1970, 1, 1)).days
    return replace(found, period_start=first + 7 * np.arange(len(found), dtype=np.int64))


def by_week(daily: FloatArray) -> FloatArray:
    return np.asarray(daily.reshape(-1, 7, *daily.shape[1:]).sum(axis=1), np.float64)


def lift_tests(simulation: Simulation, given: MediaPanel, without: str) -> list[dict[str, Any]]:
    """A test of each other channel, of the eight weeks in which it spent most, as the truth has it."""
    rng = np.random.default_rng(3)
    found = []
    for place, name in enumerate(given.channels):
        spent = np.convolve(given.spend[:, place], np.ones(TESTED_WEEKS), "valid")[8:-8]
        week = 8 + int(spent.argmax())
        lift = window_lift(simulation, channel=name, first_day=7 * week, last_day=7 * (week + TESTED_WEEKS) - 1)
        error = RELATIVE_ERROR * lift * float(np.clip(rng.standard_normal(), -1.5, 1.5))
        if name != without:
            start = int(given.period_start[week])
            found.append(
                {
                    "channel": name,
                    "start": start,
                    "end": start + 7 * TESTED_WEEKS - 1,
                    "geo": "",
                    "lift": lift + error,
                    "standard_error": RELATIVE_ERROR * lift,
                    "spend": float(spent.max()),
                }
            )
    return found


def fitted(given: MediaPanel, tests: list[dict[str, Any]]) -> dict[str, Any]:
    """The result of a model that has learnt from the tests."""
    described, arrays = pack_panel(given)
    question = {
        "panel": described,
        "model": "hill",
        "window": [0, len(given)],
        "confidence": 90,
        "seed": 1,
        "draws": 4000,
        "folds": 0,
        "horizon": 13,
        "threads": 2,
        "effects": {},
        "knots": None,
        "experiments": tests,
    }
    result, _kept = fit_program.fit(question, arrays, lambda _phase, _share: None)
    assert result["diagnostics"]["converged"]
    assert result["verdict"] != "fail", [check for check in result["health"] if check["verdict"] == "fail"]
    assert sum(test["route"] == "likelihood" for test in result["experiments"]) == len(tests)
    return result


@pytest.mark.full
@pytest.mark.parametrize("channel", ["Paid Search", "Paid Social"])
def test_the_only_channel_that_nobody_knows_is_to_be_tested(workspace: Workspace, channel: str) -> None:
    simulation = untested(channel)
    given = weekly(simulation)
    result = fitted(given, lift_tests(simulation, given, without=channel))
    first, second, *_others = result["worth_testing"]
    assert first["channel"] == channel
    assert first["value"] > 3 * second["value"]
    assert first["spend_high"] > 1.2 * first["spend_low"]
    (said,) = sections.worth_testing(Result(finished(workspace, result=result)))
    assert said.sentences[0].startswith(f"Knowing what {channel} adds would be worth about €")


@pytest.mark.full
def test_a_channel_that_has_been_tested_is_no_longer_to_be_tested() -> None:
    simulation = untested("Paid Search")
    given = weekly(simulation)
    result = fitted(given, lift_tests(simulation, given, without=""))
    values = {each["channel"]: each["value"] for each in result["worth_testing"]}
    assert result["worth_testing"][0]["channel"] != "Paid Search"
    assert values["Paid Search"] < 5_000  # 23,500 before it was tested


@cache
def truth(days: int = 180) -> dict[str, Any]:
    return build_truth(untested("Paid Search", days=days), experiments=[])


def known_but_for(channel: str) -> ResponseSurface:
    """What channels truly add in half a year, along their true curves; of one it is not known how much it is."""
    simulation = untested("Paid Search", days=180)
    rng = np.random.default_rng(5)
    spend, curves = [], []
    for plan in simulation.plans:
        known = truth()["channels"][plan.channel.name]
        reach = np.stack(
            [simulation.clock.reported(media.intensity(spend=m * plan.spend, media=plan.media)).sum() for m in GRID]
        )
        spread = UNCERTAIN if plan.channel.name == channel else CERTAIN
        factor = np.exp(spread * rng.standard_normal(600) - spread**2 / 2)
        now = reach[np.argmin(np.abs(GRID - 1))]
        spend.append(known["spend"])
        curves.append(factor[:, None] * known["incremental_revenue"] * reach / now)
    surface = of_grid(np.array(spend), np.stack(curves, axis=1))
    return replace(surface, channels=tuple(plan.channel.name for plan in simulation.plans))


@pytest.mark.parametrize("channel", ["Paid Search", "Paid Shopping", "Paid Video", "Radio"])
def test_the_true_curves_with_one_unknown_return_name_it(channel: str) -> None:
    first, second, *_others = worth_testing(known_but_for(channel))
    assert first.channel == channel
    assert first.value > 5 * second.value
    assert first.spend_high > first.spend > 0
    assert first.spend_low < first.spend_high
