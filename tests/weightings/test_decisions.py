"""The study of decisions: what it asks of the true world, how it finds the best budget there, what it counts."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pytest

from benchmarks import decisions
from benchmarks.decisions import best_budget, measurements, outcome_of, returns, spread, study
from benchmarks.harness import Measurement

FloatArray = npt.NDArray[np.float64]
CURRENT = np.array([100.0, 200.0, 50.0, 150.0])
LOW, HIGH = 0.7 * CURRENT, 1.3 * CURRENT
SCALE = np.array([20.0, 5.0, 30.0, 12.0])


def concave(spend: FloatArray) -> float:
    return float(SCALE @ np.sqrt(spend))


def s_shaped(spend: FloatArray) -> float:
    """Steep around a channel's current spend: the best is in corners, several of which are nearly as good."""
    return float(1000 * SCALE @ (spend**8 / (spend**8 + CURRENT**8)))


def with_a_pair(spend: FloatArray) -> float:
    return concave(spend) + 0.01 * float(spend[0] * spend[3])


# The truth


@dataclass(frozen=True)
class World:
    """Stands for `marketing.demo.responses.TrueResponse`: revenue is 1,000 and what media bring."""

    channels: tuple[str, ...] = ("A", "B", "C", "D")
    brings: Callable[[FloatArray], float] = concave

    @property
    def spend(self) -> FloatArray:
        return CURRENT

    def revenue(self, multipliers: FloatArray) -> float:
        return 1000.0 + self.brings(multipliers * CURRENT)

    def incremental(self) -> FloatArray:
        return np.array([200.0, 100.0, 150.0, 450.0])


def budget(recommended: FloatArray, order: str = "ABCD") -> dict[str, Any]:
    named = zip("ABCD", CURRENT, recommended, LOW, HIGH, strict=True)
    channels = {
        name: {"channel": name, "spend_current": now, "spend_recommended": then, "low": low, "high": high}
        for name, now, then, low, high in named
    }
    return {"gain": {"low": 1.0, "median": 3.0, "high": 5.0}, "channels": [channels[name] for name in order]}


def result(order: str = "ABCD", spend: FloatArray = CURRENT) -> dict[str, Any]:
    spent = dict(zip("ABCD", spend.tolist(), strict=True))
    roi = {"low": 1.0, "median": 1.5, "mean": 1.6, "high": 2.0}
    return {"channels": [{"channel": name, "spend": spent[name], "roi": roi} for name in order]}


def true(world: World) -> Any:
    return cast("Any", world)


def test_true_returns_are_of_the_channel_whose_interval_stands_beside_them() -> None:
    found = returns(result("CADB"), true(World()))
    assert [(channel["channel"], channel["true_roi"]) for channel in found] == [
        ("C", 3.0),
        ("A", 2.0),
        ("D", 3.0),
        ("B", 0.5),
    ]
    assert [found[0][end] for end in ("low", "median", "high")] == [1.0, 1.5, 2.0]


def test_returns_on_another_spend_are_refused() -> None:
    with pytest.raises(ValueError, match="spend on B"):
        returns(result(spend=CURRENT + np.array([0, 1, 0, 0])), true(World()))


@pytest.mark.parametrize("order", ["ABCD", "DBCA"])
def test_a_budget_gains_what_the_true_world_says(order: str) -> None:
    recommended = CURRENT + np.array([30.0, -30.0, 0.0, 0.0])
    found = outcome_of(budget(recommended, order), true(World()))
    assert found["true_gain"] == pytest.approx(20 * (130**0.5 - 10) + 5 * (170**0.5 - 200**0.5))
    assert found["true_media"] == pytest.approx(concave(CURRENT))
    assert found["recommended"] == pytest.approx([1.3, 0.85, 1.0, 1.0])
    best = np.array(found["best"]) * CURRENT
    assert found["best_gain"] == pytest.approx(concave(best) - concave(CURRENT))
    assert found["best_gain"] > found["true_gain"] > 0


def test_without_a_budget_nothing_is_gained() -> None:
    assert set(outcome_of(None, true(World())).values()) == {None}


# The best budget


@pytest.mark.parametrize("revenue", [concave, s_shaped, with_a_pair])
def test_no_budget_on_a_fine_lattice_is_better_than_the_best(revenue: Callable[[FloatArray], float]) -> None:
    best = best_budget(revenue, LOW, HIGH, [CURRENT])
    assert best.sum() == pytest.approx(CURRENT.sum(), rel=1e-12)
    assert np.all((best >= LOW - 1e-9) & (best <= HIGH + 1e-9))
    steps = [np.linspace(low, high, 25) for low, high in zip(LOW[:3], HIGH[:3], strict=True)]
    lattice = [np.array([*three, CURRENT.sum() - sum(three)]) for three in itertools.product(*steps)]
    allowed = [spend for spend in lattice if LOW[3] <= spend[3] <= HIGH[3]]
    assert len(allowed) > 5000
    gain, of_lattice = revenue(best) - revenue(CURRENT), max(map(revenue, allowed)) - revenue(CURRENT)
    assert gain >= of_lattice * (1 - 1e-9)
    assert gain <= 1.1 * of_lattice


def test_the_best_is_never_worse_than_what_is_known() -> None:
    """Also where a search from there ends elsewhere, as on a spike that gradients do not see."""
    spike = spread(np.array([70.0, 260.0, 50.0, 120.0]), LOW, HIGH, CURRENT.sum())

    def spiked(spend: FloatArray) -> float:
        return concave(spend) + 1000.0 * float(np.allclose(spend, spike, rtol=0, atol=1e-6))

    assert spiked(best_budget(spiked, LOW, HIGH, [CURRENT, spike])) == spiked(spike)


def test_spend_is_shifted_to_a_total_within_its_bounds() -> None:
    found = spread(HIGH, LOW, HIGH, CURRENT.sum())
    np.testing.assert_allclose(found, CURRENT, rtol=1e-12)
    uneven = spread(np.array([130.0, 140.0, 60.0, 110.0]), LOW, HIGH, 500.0)
    assert uneven.sum() == pytest.approx(500.0)
    assert np.all((uneven >= LOW) & (uneven <= HIGH))
    np.testing.assert_allclose(spread(CURRENT, LOW, HIGH, LOW.sum()), LOW, rtol=1e-9)


# What is counted


def decided(
    *, covered: int, true_gain: float | None, best_gain: float = 10.0, converged: bool = True
) -> dict[str, Any]:
    """A world of 10 channels, in so many of which the interval holds the true return."""
    gain = None if true_gain is None else {"low": 1.0, "median": 4.0, "high": 9.0}
    return {
        "converged": converged,
        "max_rhat": 1.004,
        "min_ess": 900.0,
        "channels": [
            {
                "channel": f"C{place}",
                "low": 1.0,
                "median": 2.0,
                "high": 3.0,
                "true_roi": 2.0 if place < covered else 4.0,
            }
            for place in range(10)
        ],
        "gain": gain,
        "true_gain": true_gain,
        "best_gain": best_gain if gain else None,
        "true_media": 100.0 if gain else None,
    }


def by_name(worlds: list[dict[str, Any]]) -> dict[str, Measurement]:
    return {figure.what.strip(): figure for figure in measurements(worlds)}


def test_coverage_is_held_against_its_level_within_three_standard_errors_of_worlds() -> None:
    worlds = [decided(covered=covered, true_gain=8.0) for covered in (10, 9, 8, 9)]
    found = by_name(worlds)
    coverage, error = found["true ROI within its 90% interval, share"], np.std([1.0, 0.9, 0.8, 0.9], ddof=1) / 2
    assert coverage.value == pytest.approx(0.9)
    assert (coverage.at_least, coverage.at_most) == pytest.approx((0.9 - 3 * error, 0.9 + 3 * error))
    assert coverage.verdict == "met"
    assert found["its standard error"].value == pytest.approx(error)
    assert [found[f"of C{place}"].value for place in (0, 7, 8, 9)] == [1.0, 1.0, 0.75, 0.25]
    low = by_name([decided(covered=covered, true_gain=8.0) for covered in (6, 7, 6, 7)])
    assert low["true ROI within its 90% interval, share"].verdict == "MISSED"
    high = by_name([decided(covered=covered, true_gain=8.0) for covered in (10, 10, 10, 10)])
    assert high["true ROI within its 90% interval, share"].verdict == "MISSED"


def test_errors_of_returns_are_of_their_logarithms() -> None:
    found = by_name([decided(covered=5, true_gain=8.0), decided(covered=5, true_gain=8.0)])
    assert found["mean error of log ROI"].value == pytest.approx(-np.log(2) / 2)
    assert found["mean absolute error of log ROI"].value == pytest.approx(np.log(2) / 2)


def test_budgets_count_that_truly_gain() -> None:
    gains = [9.0, 8.5, 8.5, 8.0, 8.0, 8.0, 8.0, 8.0, 7.0, -3.0]
    found = by_name([decided(covered=9, true_gain=gain) for gain in gains])
    better = found["recommended budget truly better than the current one, worlds"]
    assert (better.value, better.at_least, better.verdict) == (9.0, 9.0, "met")
    captured = found["share of the best possible gain, median"]
    assert captured.value == pytest.approx(0.8)
    assert captured.verdict == "met"
    assert found["least"].value == pytest.approx(-0.3)
    assert found["true gain, share of what paid media bring, median"].value == pytest.approx(0.08)
    assert found["the best possible"].value == pytest.approx(0.1)
    assert found["as promised"].value == pytest.approx(0.04)
    assert found["true gain within its 90% interval, share"].value == pytest.approx(0.9)
    worse = by_name([decided(covered=9, true_gain=gain) for gain in [*gains[:8], 0.0, -3.0]])
    assert worse["recommended budget truly better than the current one, worlds"].verdict == "MISSED"


def test_a_world_without_a_recommended_budget_counts_as_one_in_which_nothing_is_gained() -> None:
    found = by_name([decided(covered=9, true_gain=9.0), *(decided(covered=9, true_gain=None) for _ in range(2))])
    assert (found["no budget recommended"].value, found["no budget recommended"].verdict) == (2, "MISSED")
    assert found["recommended budget truly better than the current one, worlds"].value == 1
    assert found["share of the best possible gain, median"].value == 0


def test_worlds_that_did_not_converge_are_counted() -> None:
    found = by_name([decided(covered=9, true_gain=8.0), decided(covered=9, true_gain=8.0, converged=False)])
    assert (found["not converged"].value, found["not converged"].verdict) == (1, "MISSED")


def test_an_interrupted_study_decides_only_in_the_worlds_that_are_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def decide(seed: int) -> dict[str, Any]:
        if len(asked) == 2:
            raise KeyboardInterrupt
        asked.append(seed)
        return decided(covered=9, true_gain=float(seed))

    monkeypatch.setenv(decisions.RECORDS, str(tmp_path / "decisions.jsonl"))
    monkeypatch.setattr(decisions, "WORLDS", 4)
    monkeypatch.setattr(decisions, "decide", decide)
    with pytest.raises(KeyboardInterrupt):
        study()
    asked.clear()
    study()
    assert asked == [3, 4]
