"""Intervals against their formula by hand, exact intervals of counts, and what they must not depend on."""

from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.stats import chi2
from scipy.stats import t as student

from attribution.methods import intervals
from attribution.methods.bootstrap import bootstrap
from attribution.methods.intervals import Sample, difference, interval, share_of, unseen_credit
from attribution.methods.markov import MarkovModel
from attribution.methods.replicates import Model, Replicates
from attribution.methods.rules import FIRST, LAST, LINEAR
from benchmarks import coverage
from marketing.frames import Float64Column
from tests.attribution.customer_worlds import Customers, Path, journeys_of, random_customers

NORMAL = NormalDist()
GROUPS = 4
MODELS: tuple[Model, ...] = (LAST, FIRST, LINEAR, MarkovModel("markov"))


def drawn_of(customers: Customers, models: tuple[Model, ...] = MODELS, *, replicates: int = 1000) -> Replicates:
    return bootstrap(
        journeys=journeys_of(customers),
        models=models,
        group_of_source=np.arange(GROUPS),
        groups=GROUPS,
        direct_source=np.zeros(GROUPS, np.bool_),
        replicates=replicates,
        seed=11,
    )


def sample(estimate: float, left_out: list[float], replicates: list[float]) -> Sample:
    return Sample(np.array([estimate, *left_out, *replicates]), len(left_out))


def ends(found: intervals.Interval) -> tuple[float, float]:
    return float(found.low), float(found.high)


# --- The formula ---


def by_hand(estimate: float, left_out: list[float], replicates: list[float], level: float) -> tuple[float, float]:
    """The module's docstring, one number at a time."""
    ordered = sorted(replicates)
    below = sum(x < estimate for x in ordered) + sum(x == estimate for x in ordered) / 2
    z0 = NORMAL.inv_cdf(below / len(ordered))
    mean = sum(left_out) / len(left_out)
    u = [mean - x for x in left_out]
    squares = sum(x**2 for x in u)
    a = sum(x**3 for x in u) / (6 * squares**1.5)
    degrees = 2 / (sum(x**4 for x in u) / squares**2 - 3 / len(u))
    found = []
    for tail in ((1 - level) / 2, (1 + level) / 2):
        shifted = z0 + student.ppf(tail, degrees)
        place = NORMAL.cdf(z0 + shifted / (1 - a * shifted)) * (len(ordered) + 1) - 1
        i = int(place)
        found.append(ordered[i] + (place - i) * (ordered[i + 1] - ordered[i]))
    return found[0], found[1]


@pytest.mark.parametrize("level", [0.8, 0.9, 0.95])
def test_an_interval_is_that_of_the_formula(level: float) -> None:
    rng = np.random.default_rng(1)
    left_out = [10 - x for x in (rng.lognormal(0, 0.9, 120) / 40).tolist()]
    replicates = rng.gamma(10, 1, 999).tolist()
    replicates[:40] = [10.0] * 40  # ties with the estimate
    found = interval(sample(10.0, left_out, replicates), level)
    assert ends(found) == pytest.approx(by_hand(10.0, left_out, replicates, level))


def test_without_bias_skewness_or_few_customers_it_is_between_percentiles() -> None:
    """99 replicates 1 to 99, the estimate in their middle, 100 customers who matter alike: 5 and 95 of 100."""
    found = interval(sample(50.0, [49.0, 51.0] * 50, list(np.arange(1.0, 100.0))), 0.9)
    # Groups that matter alike have a fourth moment below that of the normal distribution: no fewer degrees of freedom.
    assert ends(found) == pytest.approx((5.0, 95.0), abs=1e-4)


def test_draws_of_a_posterior_have_equal_tails() -> None:
    drawn = Sample.of_draws(estimate=np.array([30.0]), draws=np.arange(1.0, 100.0)[:, None])
    found = interval(drawn, 0.9)
    assert (found.low.tolist(), found.high.tolist()) == (pytest.approx([5.0]), pytest.approx([95.0]))


@pytest.mark.parametrize("count", [10, 40, 200])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_intervals_of_counts_are_close_to_the_exact_ones(count: int, level: float) -> None:
    """Garwood 1936: quantiles of chi-squared, halved. It is wider by about one, as it never covers too little."""
    found = drawn_of({key: [Path((0,))] for key in range(count)}, (LAST,), replicates=4000).interval_of_conversions(
        level
    )
    low, high = chi2.ppf((1 - level) / 2, 2 * count) / 2, chi2.ppf((1 + level) / 2, 2 * count + 2) / 2
    assert found.low[0, 0] == pytest.approx(low, abs=0.5 + 0.01 * count)
    assert found.high[0, 0] == pytest.approx(high, abs=1.0 + 0.01 * count)


def test_groups_left_out_know_the_skewness_of_customers() -> None:
    """a = sum x^3 / (6 (sum x^2)^1.5) for a sum over customers, whatever group each is in."""
    values = np.random.default_rng(2).lognormal(3, 1, 3000)
    found = drawn_of({key: [Path((0,), value=float(x))] for key, x in enumerate(values)}, (LAST,), replicates=2)
    acceleration, distance = intervals._acceleration_and_distance(found.credited_value.left_out[:, 0, :1], 0.95)
    exact = (values**3).sum() / (6 * (values**2).sum() ** 1.5)
    assert acceleration[0] == pytest.approx(exact, abs=0.012)  # its standard error from 127 groups is about 0.006
    assert 1.95 < distance[0] < 2.0


# --- What holds for any replicates ---

FIGURES = arrays.arrays(np.float64, (40, 3), elements=st.floats(-1e6, 1e6))


@given(FIGURES, st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_an_interval_holds_the_estimate_and_nothing_no_replicate_is(lanes: Float64Column, level: float) -> None:
    figures = Sample(lanes, 12)
    found = interval(figures, level)
    assert (found.low <= figures.estimate).all()
    assert (figures.estimate <= found.high).all()
    margin = 1e-9 * np.abs(lanes).max(axis=0)
    assert (found.low >= np.minimum(figures.replicates.min(axis=0), figures.estimate) - margin).all()
    assert (found.high <= np.maximum(figures.replicates.max(axis=0), figures.estimate) + margin).all()


@given(FIGURES)
def test_a_higher_level_is_no_narrower(lanes: Float64Column) -> None:
    narrow, wide = (interval(Sample(lanes, 12), level) for level in (0.8, 0.95))
    margin = 1e-9 * np.abs(lanes).max(axis=0)
    assert (wide.low <= narrow.low + margin).all()
    assert (narrow.high <= wide.high + margin).all()


def test_another_unit_and_the_other_sign_change_the_ends_alike() -> None:
    lanes = np.random.default_rng(3).gamma(3, 1, (200, 5))
    one = interval(Sample(lanes, 50), 0.9)
    scaled, turned = interval(Sample(100 * lanes, 50), 0.9), interval(Sample(-lanes, 50), 0.9)
    np.testing.assert_allclose(scaled.low, 100 * one.low)
    np.testing.assert_allclose(scaled.high, 100 * one.high)
    np.testing.assert_allclose(turned.low, -one.high)
    np.testing.assert_allclose(turned.high, -one.low)


def test_figures_do_not_depend_on_those_beside_them(monkeypatch: pytest.MonkeyPatch) -> None:
    lanes = np.random.default_rng(4).gamma(3, 1, (200, 3, 4))
    together = interval(Sample(lanes, 50), 0.9)
    monkeypatch.setattr(intervals, "CELLS_AT_ONCE", 5 * 200)
    in_pieces = interval(Sample(lanes, 50), 0.9)
    assert np.array_equal(together.low, in_pieces.low)
    assert np.array_equal(together.high, in_pieces.high)


def test_what_is_the_same_in_every_replicate_has_no_width() -> None:
    assert ends(interval(Sample(np.full(30, 2.5), 10), 0.95)) == (2.5, 2.5)


def test_limits_are_kept() -> None:
    lanes = np.random.default_rng(5).normal(0.5, 1, 300)
    found = interval(Sample(lanes, 100), 0.99, at_least=0.0, at_most=1.0)
    assert ends(found) == (0.0, 1.0)


# --- Credit ---


def test_no_credit_still_may_be_what_four_customers_bring() -> None:
    """e^-3.689 = 2.5%: had 3.7 customers been expected, none would have come in one case of 40."""
    found = drawn_of({key: [Path((0,), value=20.0)] for key in range(50)}, (LAST,))
    conversions, value = found.interval_of_conversions(0.95), found.interval_of_value(0.95)
    assert conversions.low[0, 1:].tolist() == [0, 0, 0, 0]
    assert conversions.high[0, 1:].tolist() == pytest.approx([3.689, 3.689, 3.689, 0], abs=0.001)
    assert value.high[0, 1:].tolist() == pytest.approx([73.78, 73.78, 73.78, 0], abs=0.01)
    share = found.interval_of_share(0.95, by_value=True)
    assert share.high[0, 1] == pytest.approx(3.689 / 50, abs=1e-4)
    assert (share.low[0, 0], share.high[0, 0]) == (1, 1)


def test_nothing_unseen_where_nobody_converted() -> None:
    assert unseen_credit(total=0.0, customers=0, level=0.95) == 0
    found = drawn_of({1: [Path((0,), converted=False)]}).interval_of_share(0.95, by_value=False)
    assert not found.high.any()


def test_credit_and_shares_stay_within_what_is_possible() -> None:
    found = drawn_of(random_customers(1, 25, GROUPS), replicates=300)
    for level in (0.8, 0.99):
        assert (found.interval_of_conversions(level).low >= 0).all()
        share = found.interval_of_share(level, by_value=True)
        assert (share.low >= 0).all()
        assert (share.high <= 1).all()


def test_shares_are_divided_lane_by_lane() -> None:
    part, whole = Sample(np.array([[1.0, 3.0]] * 4), 1), Sample(np.array([4.0, 2.0, 0.0, 1.0]), 1)
    assert share_of(part, whole).lanes.tolist() == [[0.25, 0.75], [0.5, 1.5], [0, 0], [1, 3]]


# --- Differences ---


def model_of(found: Replicates, m: int) -> Sample:
    return Sample(found.credited_conversions.lanes[:, m], found.credited_conversions.groups_left_out)


def test_models_that_say_the_same_do_not_differ() -> None:
    found = drawn_of({key: [Path((key % GROUPS,))] for key in range(40)}, (LAST, FIRST))
    apart = interval(difference(model_of(found, 0), model_of(found, 1)), 0.95)
    assert not apart.low.any()
    assert not apart.high.any()


def test_models_are_told_apart_where_their_own_intervals_overlap() -> None:
    """Customers weigh the same under both models, so what varies for both alike is not in the difference."""
    found = drawn_of({key: [Path((0, 1)) if key % 10 == 0 else Path((1, 1))] for key in range(400)}, (LAST, FIRST))
    one, other = interval(model_of(found, 0), 0.95), interval(model_of(found, 1), 0.95)
    apart = interval(difference(model_of(found, 0), model_of(found, 1)), 0.95)
    assert one.low[1] < other.high[1]
    assert 0 < apart.low[1] < 40 < apart.high[1]


def test_periods_with_the_same_customers_are_compared_by_them() -> None:
    """Every customer buys once in each period, and twice in the later one if their number is even."""
    before = {key: [Path((0,))] for key in range(200)}
    after = {key: [Path((0,))] * (2 - key % 2) for key in range(200)}
    runs = [drawn_of(customers, (LAST,)) for customers in (before, after)]
    apart = interval(difference(model_of(runs[1], 0), model_of(runs[0], 0)), 0.95)
    assert apart.low[0] == pytest.approx(100 - 1.96 * 10, abs=2.5)  # a hundred customers, of one conversion each
    assert apart.high[0] == pytest.approx(100 + 1.96 * 10, abs=3.5)


def test_runs_with_other_replicates_are_not_compared() -> None:
    short, long = (drawn_of({1: [Path((0,))]}, (LAST,), replicates=number) for number in (5, 6))
    with pytest.raises(ValueError, match="same number of replicates"):
        difference(model_of(short, 0), model_of(long, 0))


# --- Refusals ---


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0])
def test_a_level_that_is_no_share_is_refused(level: float) -> None:
    with pytest.raises(ValueError, match="level of an interval"):
        interval(sample(1.0, [], [1.0, 2.0]), level)


def test_a_sample_without_replicates_is_refused() -> None:
    with pytest.raises(ValueError, match="2 replicates or more"):
        replace(sample(1.0, [1.0], [1.0, 2.0]), groups_left_out=3)


# --- Coverage ---


@pytest.mark.full
def test_intervals_hold_the_truth_as_often_as_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """The benchmark's study with a tenth of its data sets: pooled over models and channels to within three points."""
    monkeypatch.setattr(coverage, "REPLICATIONS", 200)
    monkeypatch.setattr(coverage, "PARTS_OF_TRUTH", 15)
    found = coverage.study()
    for measure in (*coverage.MEASURES, "removal effect"):
        for level in coverage.LEVELS:
            covered = found[f"{measure} | customers | {100 * level:.0f}%"]
            assert covered == pytest.approx(100 * level, abs=1 + coverage.WITHIN_POINTS[level]), (measure, level)
    # Customers come back, which journeys drawn on their own do not know.
    assert found["conversions | journeys | 95%"] < 93 < found["conversions | customers | 95%"]


def test_replicates_that_equal_a_difference_but_for_rounding_are_equal_to_it() -> None:
    rng = np.random.default_rng(4)
    other = rng.integers(29_000, 31_000, 328).astype(np.float64)
    by_fifths = rng.integers(-3, 4, 328) / 5
    for noise in (0.0, 4e-12, -4e-12):  # of sums in another order, which is large beside a difference near 0
        one = other + by_fifths
        one[0] += noise
        found = interval(difference(Sample(one, 127), Sample(other, 127)), 0.95)
        if noise == 0.0:
            expected = found
        assert found.low == pytest.approx(expected.low, abs=1e-9)
        assert found.high == pytest.approx(expected.high, abs=1e-9)
