"""Accuracy by steps ahead, by hand and against the scores of whole folds."""

import json

import numpy as np
import numpy.typing as npt
import pytest

from marketing.frames import MediaPanel
from tests.weightings.worlds import panel
from weightings.methods import scores
from weightings.methods.fitting import Fold
from weightings.methods.forecasting.backtest import as_a_year_before, backtest, held_back_json

FloatArray = npt.NDArray[np.float64]
WEEKS = 120


def market(outcome: FloatArray | None = None) -> MediaPanel:
    rng = np.random.default_rng(71)
    return panel(np.arange(1.0, WEEKS + 1) if outcome is None else outcome, rng.gamma(2, 5, (WEEKS, 1)))


def a_fold(origin: int, observed: list[float], predicted: FloatArray) -> Fold:
    return Fold(origin, len(observed), np.array(observed), predicted, converged=True)


def test_two_folds_by_hand() -> None:
    """The outcome of week t is t + 1, so a year before it is 52 less."""
    of = market()
    later = a_fold(110, [111.0, 112.0], np.array([[110.0, 100.0], [114.0, 108.0]]))
    earlier = a_fold(108, [109.0, 110.0], np.array([[109.0, 105.0], [109.0, 119.0]]))
    found = backtest(of, [later, earlier], level=0.9)
    assert found.periods.tolist() == [2, 2]
    np.testing.assert_allclose(found.wmape, [(1 + 0) / 220, (8 + 2) / 222])
    np.testing.assert_allclose(found.naive_wmape, [104 / 220, 104 / 222])
    np.testing.assert_allclose(found.naive_crps, 52.0)
    # E|X - y| - E|X - X'| / 2 of two draws: the mean distance less a quarter of theirs.
    np.testing.assert_allclose(found.crps, [(2 - 1 + 0) / 2, (8 - 2 + 7 - 3.5) / 2])
    np.testing.assert_allclose(found.coverage, [1.0, 0.5])
    np.testing.assert_allclose(found.skill, 1 - found.crps / 52)


def test_steps_add_up_to_the_scores_of_whole_folds() -> None:
    rng = np.random.default_rng(72)
    of = market(rng.normal(100, 10, WEEKS))
    folds = [
        a_fold(
            WEEKS - 13 * place, of.outcome[WEEKS - 13 * place :][:13].tolist(), rng.normal(100, 10, (300 * place, 13))
        )
        for place in (1, 2, 3)
    ]
    found = backtest(of, folds, level=0.8)
    observed = np.array([fold.observed for fold in folds])
    means = np.array([fold.predicted.mean(axis=0) for fold in folds])
    assert found.periods.tolist() == [3] * 13
    sizes = np.abs(observed).sum(axis=0)
    whole = scores.wmape(observed.ravel(), means.ravel())
    assert np.average(found.wmape, weights=sizes) == pytest.approx(whole)
    coverage = [scores.interval_coverage(fold.predicted, fold.observed, 0.8) for fold in folds]
    assert found.coverage.mean() == pytest.approx(np.mean(coverage))
    by_fold = [scores.crps(fold.predicted, fold.observed) for fold in folds]
    np.testing.assert_allclose(found.crps, np.mean(by_fold, axis=0))
    again = backtest(of, folds[::-1], level=0.8)
    np.testing.assert_allclose(again.crps, found.crps)


def test_outcomes_that_are_not_known_do_not_count() -> None:
    of = market()
    known = a_fold(110, [111.0, np.nan, np.nan], np.array([[112.0, 1e9, 1e9]]))
    shorter = a_fold(100, [101.0, 102.0], np.array([[100.0, 102.0]]))
    none = a_fold(90, [np.nan, np.nan], np.array([[1e9, 1e9]]))
    found = backtest(of, [known, shorter, none])
    assert found.periods.tolist() == [2, 1, 0]
    np.testing.assert_allclose(found.wmape, [2 / 212, 0.0, np.nan])
    np.testing.assert_allclose(found.coverage, [0.0, 1.0, np.nan])
    np.testing.assert_allclose(found.skill, [1 - 1 / 52, 1.0, np.nan])


def test_an_outcome_of_nothing_has_no_relative_error() -> None:
    of = market(np.zeros(WEEKS))
    found = backtest(of, [a_fold(110, [0.0], np.array([[1.0]]))])
    assert np.isnan(found.wmape[0])
    assert found.crps[0] == 1.0
    assert found.naive_crps[0] == 0.0
    assert found.skill[0] == -np.inf


def test_no_fold_and_no_level_are_refused() -> None:
    with pytest.raises(ValueError, match="fit with at least one fold"):
        backtest(market(), [])
    for level in (0.0, 1.0, 90.0):
        with pytest.raises(ValueError, match="level must lie between 0 and 1"):
            backtest(market(), [a_fold(110, [1.0], np.array([[1.0]]))], level=level)


# The year before


def test_a_year_before_is_52_weeks() -> None:
    np.testing.assert_array_equal(as_a_year_before(market(), 100, 3), [49.0, 50.0, 51.0])


def test_what_is_not_known_of_the_year_before_is_as_the_last_that_is() -> None:
    outcome = np.arange(1.0, WEEKS + 1)
    outcome[[49, 99]] = np.nan
    np.testing.assert_array_equal(as_a_year_before(market(outcome), 100, 3), [49.0, 99.0, 51.0])
    np.testing.assert_array_equal(as_a_year_before(market(), 50, 3), [50.0, 50.0, 1.0])


def test_nothing_of_what_is_to_be_predicted_is_used() -> None:
    found = as_a_year_before(market(), 60, 55)
    np.testing.assert_array_equal(found[52:], found[:3])
    assert found.max() == 60.0


def test_a_year_before_needs_an_outcome() -> None:
    with pytest.raises(ValueError, match="No outcome is known before period 10"):
        as_a_year_before(market(np.append(np.full(20, np.nan), np.ones(WEEKS - 20))), 10, 3)


def test_what_is_kept_has_the_accuracy_by_steps_ahead_and_nothing_that_json_has_not() -> None:
    of = market(np.append(np.arange(1.0, WEEKS), np.nan))
    unknown = a_fold(WEEKS - 2, [119.0, np.nan], np.array([[110.0, 100.0], [114.0, 108.0]]))
    earlier = a_fold(WEEKS - 4, [117.0, 118.0], np.array([[117.0, 118.0], [117.0, 120.0]]))
    kept = held_back_json(of, [unknown, earlier], level=0.9)
    assert kept is not None
    json.dumps(kept, allow_nan=False)
    found = backtest(of, [unknown, earlier], level=0.9)
    assert [step["ahead"] for step in kept["by_steps"]] == [1, 2]
    assert [step["periods"] for step in kept["by_steps"]] == [2, 1]
    for name in ("wmape", "naive_wmape", "crps", "naive_crps", "coverage", "skill"):
        assert [step[name] for step in kept["by_steps"]] == getattr(found, name).tolist()
    nothing = a_fold(WEEKS - 1, [np.nan], np.array([[1.0], [2.0]]))
    assert held_back_json(of, [nothing], level=0.9) is None
