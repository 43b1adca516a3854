"""What other budgets would truly bring in the demo world: by loops, and by running the world with them."""

import datetime as dt
import itertools
import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from marketing.demo import build_world, media, world
from marketing.demo.responses import TrueResponse, true_response
from marketing.demo.simulation import Simulation, carry_out
from marketing.demo.truth import expected_totals

FloatArray = npt.NDArray[np.float64]
END, DAYS = dt.date(2026, 6, 30), 200
START, STOP = dt.date(2026, 1, 12), dt.date(2026, 5, 31)
ALL = [channel.name for channel, _media in world.media_channels()]


def response(seed: int = 7, *, start: dt.date = START, stop: dt.date = STOP) -> TrueResponse:
    return true_response(end=END, seed=seed, days=DAYS, window_start=start, window_end=stop)


@pytest.fixture(scope="module")
def half_year() -> TrueResponse:
    return response()


def multipliers(**changed: float) -> FloatArray:
    """Of the named channels, with _ for spaces; all others as they were."""
    return np.array([changed.get(name.replace(" ", "_"), 1.0) for name in ALL])


def scaled(simulation: Simulation, budget: FloatArray) -> Simulation:
    """The world run again with its spend from START to STOP multiplied."""
    dates = simulation.clock.dates
    inside = (dates >= np.datetime64(START)) & (dates <= np.datetime64(STOP))
    plans = tuple(
        replace(plan, campaign_spend=np.where(inside[:, None], multiplier, 1.0) * plan.campaign_spend)
        for plan, multiplier in zip(simulation.plans, budget, strict=True)
    )
    return carry_out(clock=simulation.clock, seed=simulation.seed, plans=plans)


def test_spend_is_what_the_demo_says_was_spent_in_the_window(half_year: TrueResponse) -> None:
    table = build_world(END, seed=7, days=DAYS).spend
    table = table[(table["date"] >= str(START)) & (table["date"] <= str(STOP))]
    spent = table.groupby("channel")["spend"].sum()
    assert half_year.channels == tuple(ALL)
    np.testing.assert_allclose(half_year.spend, [spent[name] for name in ALL], rtol=1e-12)


def test_after_the_window_nothing_is_spent_and_before_it_everything_is(half_year: TrueResponse) -> None:
    dates = half_year.simulation.clock.dates
    planned = {plan.channel.name: plan.spend for plan in media.build_plans(clock=half_year.simulation.clock, seed=7)}
    for plan in half_year.simulation.plans:
        assert not plan.spend[dates > np.datetime64(STOP)].any()
        before = dates <= np.datetime64(STOP)
        np.testing.assert_array_equal(plan.spend[before], planned[plan.channel.name][before])
    assert dates[half_year.window].min() == np.datetime64(START)
    assert dates[half_year.window].max() == np.datetime64(STOP)


@pytest.mark.parametrize(
    "budget",
    [
        multipliers(),
        multipliers(Paid_Search=0.0, TV=0.0, Paid_Social=1.7),
        multipliers(Display=3.0, Radio=2.0, Paid_Video=0.4, Paid_Social=0.5),
    ],
)
def test_revenue_is_that_of_loops_over_all_that_can_be_met(half_year: TrueResponse, budget: FloatArray) -> None:
    sources = half_year.simulation.considerations.sparked_by
    decides = half_year.simulation.behaviour.decides
    some = np.concatenate([np.flatnonzero((sources == source) & decides)[::1500] for source in np.unique(sources)])
    found = half_year.by_consideration(budget)
    assert len(some) > 15
    for place in some.tolist():
        assert found[place] == pytest.approx(by_loops(half_year, budget, place), rel=1e-9)
    assert half_year.revenue(budget) == pytest.approx(found.sum())
    assert not found[~decides].any()


def by_loops(given: TrueResponse, budget: FloatArray, place: int) -> float:
    """A consideration's expected revenue: over all sets of paid channels that it can meet, hour by hour."""
    simulation, clock = given.simulation, given.simulation.clock
    considered, behaviour = simulation.considerations, simulation.behaviour
    start, end = considered.start[place], considered.end[place]
    sparked_by = considered.sparked_by[place]
    chances: dict[str, float] = {}
    weight = 1.0
    for plan, multiplier in zip(simulation.plans, budget, strict=True):
        channel, response_of = plan.channel, plan.media
        now, then = list(plan.spend), list(plan.spend)
        for day, date in enumerate(clock.dates):
            if np.datetime64(START) <= date <= np.datetime64(STOP):
                then[day] *= multiplier
        reach = hill(then, response_of)
        is_source = sparked_by >= 0 and world.CHANNELS[sparked_by] is channel
        if is_source:
            first = clock.hour_day[int(start)]
            weight = reach[first] / hill(now, response_of)[first]
        if channel.touches_per_day:
            hours = range(int(start), min(math.ceil(end), clock.hours))
            within = sum(
                reach[clock.hour_day[hour]]
                * busy(int(clock.hour_of_day[hour]))
                * (min(end, hour + 1) - max(start, hour))
                for hour in hours
            )
            expected = channel.touches_per_day * channel.segment_affinity[considered.segment[place]] * within
            expected *= math.exp(channel.intent_slope * considered.intent[place])
            expected /= math.exp((channel.intent_slope * world.INTENT_SD) ** 2 / 2)
            chances[channel.name] = 1.0 if is_source else 1 - math.exp(-expected)
    others = {
        channel.name
        for column, channel in enumerate(world.touch_channels())
        if channel.name not in chances and simulation.met[place, column]
    }
    revenue = 0.0
    for choice in itertools.product((False, True), repeat=len(chances)):
        met = others | {name for name, is_met in zip(chances, choice, strict=True) if is_met}
        log_odds = behaviour.purchase_log_odds[place] + sum(world.channel_named(name).log_odds for name in met)
        log_odds += sum(pair.log_odds for pair in world.PAIRS if {pair.first, pair.second} <= met)
        chance = math.prod(p if is_met else 1 - p for p, is_met in zip(chances.values(), choice, strict=True))
        revenue += chance * behaviour.expected_value[place] / (1 + math.exp(-log_odds))
    return float(weight * revenue)


def hill(spend: list[float], response_of: world.Media) -> list[float]:
    retained, carried, reach = response_of.retention_per_day, spend[0], []
    for amount in spend:
        carried = retained * carried + (1 - retained) * amount
        usual = carried / response_of.daily_budget
        half = response_of.half_saturation**response_of.slope
        reach.append(usual**response_of.slope / (usual**response_of.slope + half) * (1 + half))
    return reach


def busy(hour: int) -> float:
    from marketing.demo.seasons import HOUR_DEMAND

    return float(HOUR_DEMAND[hour] / HOUR_DEMAND.sum())


@pytest.mark.parametrize(
    "budget",
    [
        pytest.param(multipliers(TV=2.5), id="sparks only"),
        pytest.param(multipliers(Paid_Search=2.0, Paid_Shopping=3.0), id="touches only"),
        pytest.param(multipliers(Paid_Social=3.0), id="both"),
        pytest.param(0.0 * multipliers(), id="nothing"),
    ],
)
def test_running_the_world_with_another_budget_changes_revenue_by_as_much(budget: FloatArray) -> None:
    """Noise-free outcomes of both runs; what is left of chance is whom media set thinking and whom they touch."""
    simulated, expected = [], []
    for seed in range(1, 7):
        given = response(seed)
        after, before = expected_totals(scaled(given.simulation, budget)), expected_totals(given.simulation)
        simulated.append(after.revenue - before.revenue)
        expected.append(given.revenue(budget) - given.revenue(multipliers()))
    error = float(np.std(np.subtract(simulated, expected), ddof=1)) / math.sqrt(len(simulated))
    assert error < 0.04 * abs(np.mean(expected))
    assert abs(np.mean(simulated) - np.mean(expected)) < 3 * error


def test_all_spend_taken_away_is_what_the_truth_says_each_channel_brought() -> None:
    """Carry-over out of the days of the data counts here, and into them there: two days' worth in a month's."""
    whole = true_response(end=END, seed=7, days=730, window_start=END - dt.timedelta(729), window_end=END)
    published = build_world(END, seed=7).truth["channels"]
    np.testing.assert_allclose(
        whole.incremental() / whole.spend, [published[n]["incremental_roi"] for n in ALL], rtol=0.03
    )
