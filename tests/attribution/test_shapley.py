"""Shapley credit: worked by hand, against all orders in which channels may join, its axioms, and the sampling."""

import itertools
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attribution.methods.shapley import EXACT_UP_TO, ShapleyCredit, ShapleyModel, coalitions_of, shapley_credit
from marketing.frames import PathTable

EXACT = ShapleyModel("shapley")
F, G, L = range(3)
Weights = tuple[float, float]  # conversions and null paths
Rows = Mapping[tuple[int, ...], Weights]

# Conversion rates F .18, G .04, L .08, FG .10, FL .26, GL .07, FGL .27, of 100 paths for each exact set of channels.
WORKED: Rows = {
    (F,): (18, 82),
    (G,): (4, 96),
    (L,): (8, 92),
    (F, G): (8, 92),
    (L, F, L): (52, 48),
    (G, L): (9, 91),
    (G, F, L, F): (90, 10),
}


def table(rows: Rows, groups: int, *, value: float = 50.0) -> PathTable:
    """The paths, each conversion worth `value`."""
    conversions, nulls = np.array(list(rows.values()), np.float64).reshape(-1, 2).T.copy()
    return PathTable(
        offsets=np.concatenate([[0], np.cumsum([len(path) for path in rows], dtype=np.int64)]),
        steps=np.array([step for path in rows for step in path], np.int64),
        groups=groups,
        conversions=conversions,
        value=conversions * value,
        nulls=nulls,
    )


def credit_of(rows: Rows, groups: int, model: ShapleyModel = EXACT) -> ShapleyCredit:
    return shapley_credit(paths=table(rows, groups), model=model)


def rate(rows: Rows, coalition: frozenset[int]) -> float:
    inside = [weights for path, weights in rows.items() if coalition.issuperset(path)]
    conversions, paths = sum(weights[0] for weights in inside), sum(map(sum, inside))
    return conversions / paths if paths else 0.0


def phi_over_all_orders(rows: Rows, groups: int) -> npt.NDArray[np.float64]:
    """What each group adds to the conversion rate, averaged over every order in which the groups can join."""
    orders = list(itertools.permutations(range(groups)))
    phi = np.zeros(groups)
    for order in orders:
        for position, joining in enumerate(order):
            before = frozenset(order[:position])
            phi[joining] += rate(rows, before | {joining}) - rate(rows, before)
    return phi / len(orders)


weights = st.tuples(st.integers(0, 40).map(lambda n: n / 4), st.integers(0, 40).map(lambda n: n / 4))
some_rows = st.dictionaries(st.lists(st.integers(0, 4), min_size=1, max_size=6).map(tuple), weights, max_size=12)


def random_rows(groups: int, paths: int, seed: int = 0) -> dict[tuple[int, ...], Weights]:
    rng = np.random.default_rng(seed)
    return {
        tuple(rng.integers(0, groups, rng.integers(1, 6)).tolist()): (float(rng.poisson(3)), float(rng.poisson(20)))
        for _ in range(paths)
    }


def test_three_channels_worked_by_hand() -> None:
    credit = credit_of(WORKED, 3)
    assert credit.phi.tolist() == pytest.approx([1 / 6, 1 / 600, 61 / 600], abs=1e-15)
    assert credit.conversions.tolist() == pytest.approx([189 * p / 0.27 for p in (1 / 6, 1 / 600, 61 / 600)])
    assert credit.value == pytest.approx(50 * credit.conversions)
    assert credit.is_exact
    assert not credit.monte_carlo_error.any()


@settings(deadline=None)  # the first call loads compiled loops
@given(some_rows)
def test_phi_is_the_average_over_all_orders(rows: Rows) -> None:
    assert credit_of(rows, 5).phi == pytest.approx(phi_over_all_orders(rows, 5), abs=1e-13)


@settings(deadline=None)  # the first call loads compiled loops
@given(some_rows)
def test_phi_sums_to_the_conversion_rate_and_credit_to_conversions_and_value(rows: Rows) -> None:
    credit, conversions = credit_of(rows, 5), sum(row[0] for row in rows.values())
    assert credit.phi.sum() == pytest.approx(rate(rows, frozenset(range(5))), abs=1e-13)
    assert credit.conversions.sum() == pytest.approx(conversions, rel=1e-12)
    assert credit.value.sum() == pytest.approx(50 * conversions, rel=1e-12)


def test_a_channel_that_never_changes_the_rate_gets_nothing() -> None:
    dummy = 3
    rows = dict(WORKED) | {(*path, dummy): weights for path, weights in WORKED.items()}
    credit = credit_of(rows, 4)
    assert credit.phi[dummy] == 0
    assert credit.phi[:dummy] == pytest.approx(credit_of(WORKED, 3).phi, abs=1e-15)


def test_channels_that_add_the_same_get_the_same() -> None:
    rows: Rows = {(0,): (3, 7), (1,): (3, 7), (0, 2): (5, 9), (2, 1): (5, 9), (2,): (1, 4), (0, 1): (6, 2)}
    phi = credit_of(rows, 3).phi
    assert phi[0] == pytest.approx(phi[1], abs=1e-15)
    assert phi[0] != pytest.approx(phi[2], abs=0.01)


def test_a_channel_that_lowers_the_rate_gets_negative_credit() -> None:
    credit = credit_of({(0,): (50, 50), (1,): (0, 100), (0, 1): (1, 99)}, 2)
    # v(0) = .5, v(1) = 0, v(01) = 51/300 = .17: channel 1 adds 0 alone and -.33 after the other.
    assert credit.phi.tolist() == pytest.approx([0.335, -0.165])
    assert credit.conversions.tolist() == pytest.approx([51 * 0.335 / 0.17, -51 * 0.165 / 0.17])


def test_neither_order_nor_repetition_of_touches_counts() -> None:
    plain: Rows = {(0,): (2, 8), (0, 1): (3, 5), (1, 2): (4, 9)}
    other: Rows = {(0, 0, 0): (2, 8), (1, 0, 1): (3, 5), (2, 1, 1): (4, 9)}
    assert credit_of(plain, 3).phi.tolist() == credit_of(other, 3).phi.tolist()


@settings(deadline=None)  # the first call loads compiled loops
@given(some_rows, st.permutations(range(5)))
def test_relabelling_channels_relabels_their_credit(rows: Rows, new: list[int]) -> None:
    relabelled = {tuple(new[step] for step in path): weights for path, weights in rows.items()}
    assert credit_of(relabelled, 5).phi[new] == pytest.approx(credit_of(rows, 5).phi, abs=1e-14)


@settings(deadline=None)  # the first call loads compiled loops
@given(some_rows, st.randoms(use_true_random=False))
def test_order_of_rows_and_duplicated_and_halved_weights_change_nothing(rows: Rows, random: object) -> None:
    halved = table({path: (a / 2, b / 2) for path, (a, b) in rows.items()}, 5)
    order = np.random.default_rng(len(rows)).permutation(2 * len(rows))
    paths = [list(rows)[i % len(rows)] for i in order]
    twice = PathTable(
        offsets=np.concatenate([[0], np.cumsum([len(path) for path in paths], dtype=np.int64)]),
        steps=np.array([step for path in paths for step in path], np.int64),
        groups=5,
        conversions=np.tile(halved.conversions, 2)[order],
        value=np.tile(halved.value, 2)[order],
        nulls=np.tile(halved.nulls, 2)[order],
    )
    once, again = credit_of(rows, 5), shapley_credit(paths=twice, model=EXACT)
    assert again.phi.tolist() == once.phi.tolist()
    assert again.conversions.tolist() == once.conversions.tolist()


def test_only_channels_that_occur_matter() -> None:
    apart = [3, 150, 199]
    rows = {tuple(apart[step] for step in path): weights for path, weights in WORKED.items()}
    credit = credit_of(rows, 200)
    assert credit.is_exact
    assert credit.phi[apart].tolist() == credit_of(WORKED, 3).phi.tolist()
    assert np.count_nonzero(credit.phi) == 3


def test_paths_without_conversions_credit_nobody() -> None:
    credit = credit_of({(0,): (0, 5), (0, 1): (0, 7)}, 2)
    assert credit.conversions.tolist() == credit.value.tolist() == credit.phi.tolist() == [0, 0]


@pytest.mark.parametrize("permutations", [0, 10])
def test_no_path_credits_nobody(permutations: int) -> None:
    credit = credit_of({}, 2, ShapleyModel("shapley", permutations=permutations))
    assert credit.conversions.tolist() == [0, 0]


def test_without_null_paths_rates_are_one_or_zero() -> None:
    # v is 1 for every set of channels with a path inside, so 0 alone adds 1, and 1 adds nothing to it.
    assert credit_of({(0,): (5, 0), (0, 1): (7, 0)}, 2).phi.tolist() == [1, 0]


def test_replicates_of_weights_are_answered_one_by_one() -> None:
    paths = table(random_rows(6, 80), 6)
    coalitions = coalitions_of(paths)
    rng = np.random.default_rng(1)
    conversions, nulls = rng.poisson(paths.conversions, (7, len(paths))).T, rng.poisson(paths.nulls, (7, len(paths))).T
    for model in (EXACT, ShapleyModel("shapley", permutations=20)):
        together = coalitions.values(
            conversions=coalitions.by_set(conversions.astype(np.float64)),
            nulls=coalitions.by_set(nulls.astype(np.float64)),
            model=model,
        )
        assert together.phi.shape == together.monte_carlo_error.shape == (7, 6)
        assert together.shares().sum(axis=1) == pytest.approx(np.ones(7))
        for replicate in range(7):
            alone = coalitions.values(
                conversions=coalitions.by_set(conversions[:, replicate].astype(np.float64)),
                nulls=coalitions.by_set(nulls[:, replicate].astype(np.float64)),
                model=model,
            )
            assert together.phi[replicate] == pytest.approx(alone.phi, abs=1e-15)
            assert together.monte_carlo_error[replicate] == pytest.approx(alone.monte_carlo_error, abs=1e-15)


@pytest.mark.parametrize("groups", [5, 62, 63, 200])
def test_coalitions_are_the_distinct_sets_of_channels(groups: int) -> None:
    rows = random_rows(groups, 300)
    coalitions = coalitions_of(table(rows, groups))
    found = [
        frozenset(coalitions.channels[coalitions.members[start:stop]].tolist())
        for start, stop in itertools.pairwise(coalitions.offsets.tolist())
    ]
    assert len(set(found)) == len(found)
    assert [found[of_path] for of_path in coalitions.set_of_path] == [frozenset(path) for path in rows]


def test_sampled_values_lie_within_their_error_of_the_exact_ones() -> None:
    rows = random_rows(10, 400)
    exact, sampled = credit_of(rows, 10), credit_of(rows, 10, ShapleyModel("shapley", permutations=2_000, seed=3))
    assert not sampled.is_exact
    errors = (sampled.phi - exact.phi) / sampled.monte_carlo_error
    assert np.abs(errors).max() < 3.5
    assert 0.4 < np.sqrt(np.mean(errors**2)) < 1.6
    assert sampled.phi.sum() == pytest.approx(exact.phi.sum(), abs=1e-14)


def test_four_times_as_many_permutations_halve_the_error() -> None:
    rows = random_rows(10, 400)
    few, many = (
        credit_of(rows, 10, ShapleyModel("shapley", permutations=number)).monte_carlo_error for number in (1_000, 4_000)
    )
    assert (few / many).mean() == pytest.approx(2, abs=0.15)


def test_an_order_and_its_reverse_are_all_there_is_to_two_channels() -> None:
    rows: Rows = {(0,): (5, 5), (1,): (1, 9), (0, 1): (7, 3)}
    sampled = credit_of(rows, 2, ShapleyModel("shapley", permutations=4))
    assert sampled.phi == pytest.approx(credit_of(rows, 2).phi, abs=1e-15)
    assert sampled.monte_carlo_error == pytest.approx(np.zeros(2), abs=1e-15)


def test_the_seed_decides_the_sample() -> None:
    rows = random_rows(8, 100)
    first, same, other = (
        credit_of(rows, 8, ShapleyModel("shapley", permutations=60, seed=seed)).phi.tolist() for seed in (1, 1, 2)
    )
    assert first == same != other


def test_one_channel_more_than_can_be_counted_is_sampled() -> None:
    rows = random_rows(EXACT_UP_TO + 1, 500)
    everything, without_last = {*range(EXACT_UP_TO + 1)}, {p: w for p, w in rows.items() if EXACT_UP_TO not in p}
    assert everything == set(itertools.chain(*rows))
    sampled, exact = credit_of(rows, EXACT_UP_TO + 1), credit_of(without_last, EXACT_UP_TO + 1)
    assert (sampled.is_exact, exact.is_exact) == (False, True)
    assert sampled.phi.sum() == pytest.approx(rate(rows, frozenset(everything)), abs=1e-14)
    assert exact.phi.sum() == pytest.approx(rate(without_last, frozenset(everything)), abs=1e-13)


def test_progress_is_told_and_can_end_the_work() -> None:
    model = ShapleyModel("shapley", permutations=300)
    told: list[float] = []
    shapley_credit(paths=table(WORKED, 3), model=model, on_progress=told.append)
    assert told == pytest.approx([1 / 3, 2 / 3, 1])

    class Cancelled(Exception):
        pass

    def cancel(share: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        shapley_credit(paths=table(WORKED, 3), model=model, on_progress=cancel)


def test_simulated_customers_give_the_value_of_the_world_they_come_from() -> None:
    rates = {path: 0.05 + 0.04 * len(set(path)) + 0.2 * ({0, 1} <= set(path)) for path in WORKED}
    truth = phi_over_all_orders({path: (p, 1 - p) for path, p in rates.items()}, 3)
    customers = np.random.default_rng(5).multinomial(700_000, [1 / 7] * 7)
    converted = np.random.default_rng(6).binomial(customers, list(rates.values()))
    rows = {path: (float(a), float(n - a)) for path, a, n in zip(rates, converted, customers, strict=True)}
    assert credit_of(rows, 3).phi == pytest.approx(truth, abs=0.004)


def test_weights_must_be_those_of_the_paths_and_sets() -> None:
    coalitions = coalitions_of(table(WORKED, 3))
    with pytest.raises(ValueError, match="There are 7 paths, but 6 weights"):
        coalitions.by_set(np.ones(6))
    with pytest.raises(ValueError, match="There are 7 sets, but 7 and 6 weights"):
        coalitions.values(conversions=np.ones(7), nulls=np.ones(6), model=EXACT)


@pytest.mark.parametrize("permutations", [-2, 2, 5])
def test_permutations_come_in_pairs(permutations: int) -> None:
    with pytest.raises(ValueError, match="an even number of permutations, at least 4"):
        ShapleyModel("shapley", permutations=permutations)
