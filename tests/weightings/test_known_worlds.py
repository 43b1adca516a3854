"""Worlds whose truth is known, and what is reported of how well it is found."""

from typing import Any

import numpy as np
import pytest

from benchmarks import recovery
from tests.weightings.worlds import BURN_IN, FAMILIES, Family, world


@pytest.mark.parametrize("family", FAMILIES)
def test_the_true_roi_of_a_world_is_what_would_be_missing_without_the_spend(family: Family) -> None:
    known = world(family, 4)
    periods = len(known.panel)
    np.testing.assert_array_equal(known.spend[BURN_IN:], known.panel.spend)
    for channel in range(5):
        without = known.spend.copy()
        without[BURN_IN:, channel] = 0
        missing = known.added(known.spend) - known.added(without)
        assert missing.shape == (periods + BURN_IN - 1, 5)
        assert missing.sum() / known.panel.spend[:, channel].sum() == pytest.approx(known.roi[channel], rel=1e-9)
        assert missing[periods:].sum() > 0  # the carry-over behind the data is part of it
    total = known.added(known.spend)[:periods].sum()
    assert 0.1 < total / known.panel.outcome.sum() < 0.4


def test_worlds_are_balanced_over_families() -> None:
    worlds = [recovery.world_of(number) for number in range(203)]
    assert len(set(worlds)) == 203
    assert [sum(family == each for each, _seed in worlds) for family in FAMILIES] == [29] * 7


def test_standard_errors_are_those_of_independent_worlds() -> None:
    """Means 0, 1 and 0.5: variance 0.25, over three worlds."""
    mean, error = recovery.clustered([[0, 0], [1, 1], [1, 0]])
    assert (mean, error) == pytest.approx((0.5, np.sqrt(0.25 / 3)))
    assert np.isnan(recovery.clustered([[1.0, 0.0]])[1])


def a_fit(family: str, covered: list[bool], log_error: list[float], **changed: Any) -> dict[str, Any]:
    return {
        "family": family,
        "returns": recovery.JUDGED,
        "covered": covered,
        "log_error": log_error,
        "log_width": [2.0, 2.0],
        "converged": True,
        "max_rhat": 1.005,
        "min_ess": 500.0,
        "timings": {"total_seconds": 3.0},
    } | changed


def test_coverage_is_reported_of_all_worlds_and_of_each_family() -> None:
    fits = [
        a_fit("walk", [True, True], [0.1, -0.3]),
        a_fit("walk", [True, False], [0.5, 0.1], max_rhat=1.3, converged=False),
        a_fit("noisy", [True, True], [-0.2, -0.2], min_ess=120.0),
        a_fit("noisy", [False, True], [0.3, 0.3], returns="true ROI spread less"),
    ]
    found = recovery.measurements(fits)
    named = [(figure.what.strip(), figure.value, figure.verdict) for figure in found]
    assert ("not converged", 1, "MISSED") in named
    assert ("largest R-hat", 1.3, "") in named
    assert ("least ESS", 120.0, "") in named
    coverage = [figure for figure in found if "coverage" in figure.what]
    # All, walk, noisy; and those whose truth is spread less, which are not judged: all, noisy.
    assert [figure.value for figure in coverage] == pytest.approx([5 / 6, 0.75, 1.0, 0.5, 0.5])
    assert [figure.verdict for figure in coverage] == ["MISSED"] * 3 + [""] * 2
    absolute, mean = ([each.value for each in found if f"{kind} error" in each.what] for kind in ("absolute", "mean"))
    assert absolute == pytest.approx([1.4 / 6, 0.25, 0.2, 0.3, 0.3])
    assert mean == pytest.approx([0.0, 0.1, -0.2, 0.3, 0.3])


@pytest.mark.full
def test_in_worlds_unlike_the_model_every_fit_converges_and_intervals_hold_the_truth() -> None:
    """Three worlds of each family; the benchmark has 29."""
    fits = [recovery.fit_world(*recovery.world_of(number)) for number in range(21)]
    assert all(fit["converged"] for fit in fits)
    coverage, error = recovery.clustered([fit["covered"] for fit in fits])
    assert abs(coverage - 0.9) < 3 * error + 0.01
    assert recovery.clustered([np.abs(fit["log_error"]) for fit in fits])[0] < 0.5
