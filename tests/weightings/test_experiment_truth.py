"""What experiments are for: returns that a hidden confounder hides are found with them; and what the demo's count."""

import csv
import datetime as dt
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from marketing.demo import media, outcomes, world
from marketing.demo.experiments import run_experiments
from marketing.demo.simulation import Simulation, simulate
from marketing.frames import MediaPanel
from tests.weightings.worlds import panel
from weightings.methods.experiments.answers import experiment_checks
from weightings.methods.experiments.lifts import Counts, Experiment
from weightings.methods.fitting import Fit, fit, fit_without_experiments
from weightings.methods.preparing import Choices
from weightings.methods.quantities import Window, quantities
from weightings.methods.sampling import Settings

FloatArray = npt.NDArray[np.float64]
REFERENCE = Path(__file__).parents[3] / "shared" / "reference" / "mmm" / "pymc_mmm_roas_data.csv"
TRUE_ROAS = np.array([93.38813, 171.40880])
RETENTION, RATE, BETA = (0.3, 0.5), (1.0, 2.5), (200.0, 150.0)


def confounded() -> MediaPanel:
    """PyMC-Marketing's example of two channels (Apache-2.0) whose outcome a third thing moves, and x1 with it."""
    if not REFERENCE.exists():
        pytest.skip("The reference data are not beside the project.")
    with REFERENCE.open() as file:
        rows = list(csv.DictReader(file))
    y, x1, x2 = (np.array([float(row[name]) for row in rows]) for name in ("y", "x1", "x2"))
    first = (dt.date.fromisoformat(rows[0]["date"]) - dt.date(1970, 1, 1)).days
    return replace(
        panel(y, np.column_stack([x1, x2]), names=("x1", "x2")), period_start=first + 7 * np.arange(len(rows))
    )


def true_effect(place: int, media: FloatArray) -> FloatArray:
    """What the example's channel truly adds: geometric adstock over 4 weeks, then the logistic curve."""
    weights = RETENTION[place] ** np.arange(4) / np.sum(RETENTION[place] ** np.arange(4))
    carried = sum(weights[lag] * np.append(np.zeros(lag), media[: len(media) - lag]) for lag in range(4))
    return np.asarray(BETA[place] * np.tanh(RATE[place] * np.asarray(carried) / 2))


def lift_test(
    given: MediaPanel, place: int, start: int, *, counts: Counts, relative_error: float, rng: np.random.Generator
) -> Experiment:
    """Eight weeks without the channel, measured with an error."""
    media = given.spend[:, place]
    off = media.copy()
    off[start : start + 8] = 0.0
    lost = true_effect(place, media) - true_effect(place, off)
    lift = lost.sum() if counts == "all" else lost[start : start + 8].sum()
    first = int(given.period_start[start])
    return Experiment(
        channel=given.channels[place],
        start=first,
        end=first + 55,
        lift=float(lift * (1 + relative_error * rng.standard_normal())),
        standard_error=float(relative_error * lift),
        spend=float(media[start : start + 8].sum()),
    )


@pytest.mark.full
@pytest.mark.parametrize("counts", ["all", "within"])
def test_experiments_find_the_returns_that_a_hidden_confounder_hides(counts: Counts) -> None:
    """Without tests x1 seems to return twice what it does. With two tests whose errors are 2% both returns are found.

    The data are as sure as a test of their own, so ones with errors of 10% only halve what is wrong. Model health says
    of either that the other data say something else.
    """
    given = confounded()
    effects = [true_effect(place, given.spend[:, place]).sum() for place in (0, 1)]
    np.testing.assert_allclose(effects / given.spend.sum(axis=0), TRUE_ROAS, rtol=1e-6)
    naive, precise, rough = fits(given, counts)
    assert naive.roas[0, 0] > 1.5 * TRUE_ROAS[0]
    assert np.all((precise.roas[0] < TRUE_ROAS) & (precise.roas[2] > TRUE_ROAS))
    np.testing.assert_allclose(precise.roas[1], TRUE_ROAS, rtol=0.07)
    assert precise.verdicts == ["fail", "good"]
    off = [abs(found.roas[1, 0] - TRUE_ROAS[0]) for found in (rough, naive)]
    assert off[0] < 0.5 * off[1]
    assert rough.roas[0, 1] < TRUE_ROAS[1] < rough.roas[2, 1]
    assert rough.verdicts == ["fail", "good"]


@dataclass(frozen=True)
class Found:
    """The 90% intervals of both returns with their medians, (3, 2), and the verdicts on the tests, if it has any."""

    roas: FloatArray
    verdicts: list[str]


def fits(given: MediaPanel, counts: Counts) -> tuple[Found, Found, Found]:
    """Without tests; with two whose errors are 2% of their lifts; with two of 10%."""
    sampled = Settings(seed=1, threads=2)
    with_tests = []
    for error in (0.02, 0.1):
        rng = np.random.default_rng(1)
        tests = tuple(
            lift_test(given, place, start, counts=counts, relative_error=error, rng=rng)
            for place, start in ((0, 60), (1, 80))
        )
        choices = Choices(saturation="logistic", experiments=tests, lifts_count=counts)
        with_tests.append(fit(given, choices, sampled))
    naive = fit_without_experiments(with_tests[0], choices, sampled)
    precise, rough = with_tests
    return found(naive, naive), found(precise, naive), found(rough, naive)


def found(fitted: Fit, naive: Fit) -> Found:
    assert fitted.draws.converged
    given = fitted.prepared.panel
    spend = given.spend.sum(axis=0)
    of_whole = quantities(fitted.posterior, Window(0, len(given)), spend=spend, exposure=spend)
    checks = experiment_checks(fitted.prepared.readings, fitted.posterior, naive.posterior)
    return Found(np.quantile(of_whole.return_on_spend, [0.05, 0.5, 0.95], axis=0), [check.verdict for check in checks])


def test_the_demo_worlds_lifts_count_what_lifts_count_unless_said_otherwise() -> None:
    """All that the window's spend has brought, also after its days: a good part of it comes there."""
    assert Choices().lifts_count == "all"
    simulation = simulate(end=dt.date(2026, 6, 30), seed=7, days=200)
    _table, truths = run_experiments(simulation)
    assert [truth["channel"] for truth in truths] == ["Display", "TV"]
    for truth in truths:
        before, within, behind = lost_by_loops(
            simulation, truth["channel"], np.datetime64(truth["start"]), np.datetime64(truth["end"])
        )
        assert before == 0
        assert within + behind == pytest.approx(truth["true_lift"], abs=0.01)
        assert behind > 0.05 * within > 0


def lost_by_loops(
    simulation: Simulation, name: str, start: np.datetime64, end: np.datetime64
) -> tuple[float, float, float]:
    """Expected revenue that would be missing without a channel's spend of these days: before, within and after them.

    An exposure would be missing with the probability by which the spend raised its day's intensity, and a consideration
    loses what the channel added to it if all of its exposures are missing.
    """
    clock, considered, touches = simulation.clock, simulation.considerations, simulation.touches
    plan = next(plan for plan in simulation.plans if plan.channel.name == name)
    cut = np.where((clock.dates >= start) & (clock.dates <= end), 0.0, plan.spend)
    reduced, actual = (media.intensity(spend=spend, media=plan.media) for spend in (cut, plan.spend))
    names = [channel.name for channel in world.touch_channels()]
    keep = np.array([other != name for other in names])
    met, without = (
        outcomes.purchase_probability(behaviour=simulation.behaviour, met=met)
        for met in (simulation.met, simulation.met & keep)
    )
    missing = np.ones(len(considered))
    for channel, of, at in zip(touches.channel, touches.consideration, touches.at, strict=True):
        if names[channel] == name and at <= considered.decision[of]:
            day = clock.hour_day[int(at)]
            missing[of] *= 1 - reduced[day] / actual[day]
    parts = [0.0, 0.0, 0.0]
    for place, value in enumerate(simulation.behaviour.expected_value):
        if world.CHANNELS[considered.sparked_by[place]].name == name and considered.sparked_by[place] >= 0:
            day = clock.hour_day[int(considered.start[place])]
            lost = (1 - reduced[day] / actual[day]) * met[place]
        else:
            lost = missing[place] * (met[place] - without[place])
        decided = clock.dates[clock.hour_day[int(min(considered.decision[place], clock.hours - 1))]]
        parts[0 if decided < start else 1 if decided <= end else 2] += value * lost
    return parts[0], parts[1], parts[2]
