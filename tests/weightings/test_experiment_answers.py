"""What a model says of experiments: its lifts beside those that were measured, and whether they agree."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from tests.weightings.lifts import TESTS, experiment, market
from weightings.methods import fitting
from weightings.methods.experiments.answers import Told, experiment_checks, experiments_json, modelled_lift
from weightings.methods.experiments.answers import tail_probability as tail
from weightings.methods.experiments.lifts import read
from weightings.methods.preparing import Choices, Prepared, prepare
from weightings.methods.quantities import Window, quantities


def told() -> tuple[Told, Prepared]:
    prepared = prepare(
        market(), Choices(lags=5, experiments=(*TESTS, experiment("Radio"), experiment(start=-50, days=7)))
    )
    draws = fitting.prior_of(prepared, 200, np.random.default_rng(1))
    given = prepared.panel
    found = quantities(
        draws, Window(20, 40), spend=given.spend[20:].sum(axis=0), exposure=given.exposure[20:].sum(axis=0)
    )
    return Told(draws, found, True), prepared


def test_the_answer_sets_what_was_measured_beside_what_is_modelled() -> None:
    after, prepared = told()
    found = experiments_json(prepared.readings, after, None, 0.9)
    assert [one["route"] for one in found] == ["likelihood"] * 3 + [None, "prior"]
    assert found[0]["start"] == "2022-01-13"
    assert found[0]["end"] == "2022-02-04"
    measured = found[0]["incremental_per_spend"]
    assert measured["median"] == 6.0
    assert measured["high"] - measured["median"] == pytest.approx(1.6449 * 100 / 150, rel=1e-4)
    lift = modelled_lift(after.posterior, prepared.readings[0])
    assert lift is not None
    assert found[0]["after"]["lift"]["median"] == pytest.approx(np.median(lift))
    returns = after.found.return_on_spend[:, 0]
    assert found[0]["after"]["incremental_per_spend"]["low"] == pytest.approx(np.quantile(returns, 0.05))
    assert found[0]["before"] is None
    assert found[3]["after"] is None
    assert found[4]["after"]["lift"] is None
    assert {one["counts"] for one in found} == {"all"}
    assert [check.subject for check in experiment_checks(prepared.readings, after.posterior, None)] == [
        "Channel 1, 13 Jan – 4 Feb 2022",
        "Channel 2, 14–27 Mar 2022",
        "Channel 1, 1 Aug 2022",
    ]


@pytest.mark.parametrize(
    ("lift", "verdict"),
    [(0.0, "good"), (1.9, "good"), (2.5, "review"), (-2.5, "review"), (3.5, "fail"), (-3.5, "fail")],
)
def test_an_experiment_that_the_model_contradicts_is_a_matter_of_health(lift: float, verdict: str) -> None:
    """All draws at 0, a standard error of 1: the two-sided tail of a standard normal."""
    test = experiment(lift=lift, standard_error=1.0)
    assert tail(test, np.zeros(50)) == pytest.approx(2 * stats.norm.sf(abs(lift)))
    after, prepared = told()
    (reading,) = read(prepared.panel, [replace(test, spend=100.0)], "auto")
    nothing = replace(after.posterior, beta=np.zeros_like(after.posterior.beta))
    for checks in (experiment_checks([reading], nothing, None), experiment_checks([reading], after.posterior, nothing)):
        (check,) = checks
        assert check.verdict == verdict
        assert check.value == pytest.approx(2 * stats.norm.sf(abs(lift)))


def test_health_asks_the_model_without_experiments_and_says_so_if_there_is_none() -> None:
    after, prepared = told()
    (reading,) = read(prepared.panel, [experiment(lift=1e6, standard_error=1e4)], "auto")
    (by_before,) = experiment_checks([reading], after.posterior, after.posterior)
    (by_after,) = experiment_checks([reading], after.posterior, None)
    assert by_before.advice.startswith("What the model without experiments says of its lift is far")
    assert by_after.advice.startswith("What the model, which has learnt from it, says of its lift is far")


def test_the_tail_is_that_of_lifts_measured_anew() -> None:
    rng = np.random.default_rng(3)
    modelled = rng.normal(10, 2, 100_000)
    test = experiment(lift=14.0, standard_error=1.5)
    anew = modelled + 1.5 * rng.standard_normal(100_000)
    assert tail(test, modelled) == pytest.approx(2 * np.mean(anew >= 14.0), abs=0.004)
