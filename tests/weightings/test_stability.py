"""Stability between two models: by hand, its invariants, and what a shift of a posterior costs."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from weightings.methods.quantities import Quantities, Window
from weightings.methods.stability import Returned, moved_share, returns_of, stability

FloatArray = npt.NDArray[np.float64]
NAMES = ("TV", "Search", "Radio")


def returned(spend: float, *draws: float) -> Returned:
    return Returned(spend, np.array(draws))


def test_by_hand() -> None:
    """TV: one of four draws has passed the others by, a distance of 1/4. Search: nothing is as it was."""
    before = {"TV": returned(300, 1, 2, 3, 4), "Search": returned(100, 1, 1, 1, 1)}
    after = {"TV": returned(100, 2, 3, 4, 5), "Search": returned(100, 2, 2, 2, 2)}
    found = stability(before, after)
    assert found is not None
    assert list(found.channels) == ["Search", "TV"], "the furthest moved first"
    assert [moved.distance for moved in found.channels.values()] == [1.0, 0.25]
    # TV has 3/4 and 1/2 of the spend, so a weight of 5/8: 3/8 x 1 + 5/8 x 1/4 = 17/32.
    assert [moved.weight for moved in found.channels.values()] == [0.375, 0.625]
    assert found.score == pytest.approx(100 * 15 / 32)
    assert found.standing == "changed"


def test_channels_of_one_model_alone_do_not_count() -> None:
    before = {"TV": returned(100, 1, 2), "Radio": returned(10_000, 1, 2)}
    after = {"TV": returned(50, 1, 2), "Search": returned(10_000, 1, 2)}
    found = stability(before, after)
    assert found is not None
    assert (found.score, list(found.channels)) == (100.0, ["TV"])
    assert stability({"Radio": returned(1, 1)}, {"TV": returned(1, 1)}) is None


spends = st.floats(1e-3, 1e9)
draws = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30).map(lambda values: np.array(values, np.float64))
models = st.fixed_dictionaries({name: st.builds(Returned, spends, draws) for name in NAMES})


@given(first=models, second=models)
def test_it_is_between_nothing_and_all_and_has_no_direction(
    first: dict[str, Returned], second: dict[str, Returned]
) -> None:
    there, back = stability(first, second), stability(second, first)
    assert there is not None
    assert back is not None
    assert 0 <= there.score <= 100
    assert there.score == pytest.approx(back.score)
    assert sum(moved.weight for moved in there.channels.values()) == pytest.approx(1.0)


@given(model=models, seed=st.integers(0, 10**6))
def test_the_same_posterior_is_wholly_stable_however_its_draws_are_ordered(
    model: dict[str, Returned], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    shuffled = {name: Returned(of.spend, rng.permutation(of.draws)) for name, of in model.items()}
    found = stability(model, shuffled)
    assert found is not None
    assert found.score == 100.0
    assert found.standing == "stable"


@given(first=models, second=models, spend_in=st.floats(1e-3, 1e3), returns_in=st.floats(1e-2, 1e2))
def test_units_are_of_no_matter(
    first: dict[str, Returned], second: dict[str, Returned], spend_in: float, returns_in: float
) -> None:
    """Neither the currency of spend, nor, where it is in both models, that of the returns."""

    def converted(model: dict[str, Returned]) -> dict[str, Returned]:
        return {name: Returned(spend_in * of.spend, returns_in * of.draws) for name, of in model.items()}

    # Draws that differ by less than rounding may become equal: such are no case of this.
    for name in {**first, **second}:
        draws = np.concatenate([of[name].draws for of in (first, second) if name in of])
        assume(len(np.unique(returns_in * draws)) == len(np.unique(draws)))
    as_it_is, other = stability(first, second), stability(converted(first), converted(second))
    assert as_it_is is not None
    assert other is not None
    assert other.score == pytest.approx(as_it_is.score, abs=1e-6)


@pytest.mark.parametrize("shift", [0.25, 0.5, 1.0])
def test_a_shift_costs_what_the_documentation_says(shift: float) -> None:
    """Of a normal posterior by so many of its standard deviations: 2 Phi(shift / 2) - 1."""
    normal = stats.norm.ppf((np.arange(4000) + 0.5) / 4000)
    found = stability({"TV": Returned(1.0, normal)}, {"TV": Returned(1.0, normal + shift)})
    assert found is not None
    assert found.score == pytest.approx(100 * (2 - 2 * stats.norm.cdf(shift / 2)), abs=0.1)
    assert found.standing == ("stable" if shift == 0.25 else "moved" if shift == 0.5 else "changed")


def test_two_samples_of_one_posterior_come_to_about_97() -> None:
    rng = np.random.default_rng(0)
    first, second = ({name: Returned(1.0, rng.normal(size=2000)) for name in NAMES} for _ in range(2))
    found = stability(first, second)
    assert found is not None
    assert 96 < found.score < 99


def quantities(spend: list[float], incremental: FloatArray) -> Quantities:
    return Quantities(
        window=Window(0, 4),
        media=NAMES,
        expected=np.ones(len(incremental)),
        baseline=np.ones(len(incremental)),
        contribution=incremental,
        incremental=incremental,
        carry_over=incremental,
        marginal=incremental,
        spend=np.array(spend),
        exposure=np.array(spend),
    )


def test_returns_are_read_of_media_with_spend_under_their_present_names() -> None:
    found = quantities([100.0, 0.0, 50.0], np.array([[200.0, 5.0, 25.0], [100.0, 5.0, 50.0]]))
    names = {"TV": "Television", "Search": "Search", "Radio": "Radio"}
    read = returns_of(found, names)
    assert {name: (of.spend, of.draws.tolist()) for name, of in read.items()} == {
        "Television": (100.0, [2.0, 1.0]),
        "Radio": (50.0, [0.5, 1.0]),
    }
    assert list(returns_of(found, {**names, "TV": "Audio", "Radio": "Audio"})) == [], "two that are one now"


# Budgets


def test_what_has_moved_of_a_budget_by_hand() -> None:
    """A half and a half against three quarters and a quarter: one quarter is elsewhere."""
    assert moved_share({"TV": 50, "Search": 50}, {"TV": 300, "Search": 100}) == pytest.approx(0.25)
    assert moved_share({"TV": 1}, {"Search": 9}) == 1.0
    assert moved_share({"TV": 10, "Search": 0}, {"TV": 99}) == 0.0
    assert moved_share({"TV": 0}, {"TV": 1}) is None


budgets = st.dictionaries(st.sampled_from(NAMES), st.floats(0, 1e9), min_size=1).filter(
    lambda spend: sum(spend.values()) > 1e-3
)


@given(first=budgets, second=budgets, third=budgets, times=st.floats(1e-3, 1e3))
def test_what_has_moved_is_a_distance_between_shares(
    first: dict[str, float], second: dict[str, float], third: dict[str, float], times: float
) -> None:
    def moved(one: dict[str, float], other: dict[str, float]) -> float:
        found = moved_share(one, other)
        assert found is not None
        return found

    assert 0 <= moved(first, second) <= 1
    assert moved(first, second) == pytest.approx(moved(second, first), abs=1e-12)
    assert moved(first, {name: times * spend for name, spend in first.items()}) == pytest.approx(0.0, abs=1e-12)
    assert moved(first, third) <= moved(first, second) + moved(second, third) + 1e-12
    # What has to be taken away is what has to be given: by another way than half the sum.
    shares = [{name: spend / sum(of.values()) for name, spend in of.items()} for of in (first, second)]
    given_more = sum(max(shares[1].get(name, 0.0) - shares[0].get(name, 0.0), 0.0) for name in NAMES)
    assert moved(first, second) == pytest.approx(given_more, abs=1e-9)
