"""Markov attribution: worked answers, one full matrix per removed channel, simulation, and what must not matter."""

from itertools import groupby
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.methods.chain import chain_of
from attribution.methods.markov import (
    MarkovCredit,
    MarkovModel,
    Transitions,
    chain_of_transitions,
    markov_credit,
    markov_credit_of_journeys,
)
from attribution.methods.removal_dense import dense_rates
from marketing.frames import Float64Column
from tests.attribution.chains import EXAMPLES, PathRow, path_rows, rates_the_long_way, simulated_rows, table_of
from tests.marketing.rows import JourneyRow, Touch, journeys_from, touches_from

ORDERS = st.integers(1, 3)
GA, M = 0, 1
GA_AND_M = [PathRow((GA,), 2, 1, 20), PathRow((M,), 1, 0, 10), PathRow((GA, M), 1, 0, 30)]
# Three channels, the start last; then conversion and null.
TRUTH = np.array(
    [
        [0.20, 0.20, 0.10, 0.10, 0.40],
        [0.10, 0.30, 0.10, 0.25, 0.25],
        [0.30, 0.10, 0.10, 0.05, 0.45],
        [0.50, 0.20, 0.30, 0.00, 0.00],
    ]
)


def credit_of(rows: list[PathRow], groups: int, order: int = 1, *, null_paths: bool = True) -> MarkovCredit:
    return markov_credit(paths=table_of(rows, groups), model=MarkovModel("markov", order, null_paths))


def assert_same(one: MarkovCredit, other: MarkovCredit) -> None:
    assert other.removal_effect == pytest.approx(one.removal_effect, abs=1e-12)
    assert other.conversions == pytest.approx(one.conversions, rel=1e-9, abs=1e-12)
    assert other.value == pytest.approx(one.value, rel=1e-9, abs=1e-9)
    assert other.rate_without == pytest.approx(one.rate_without, abs=1e-12)


def test_first_worked_example() -> None:
    credit = credit_of(GA_AND_M, 2)
    assert credit.conversion_rate == pytest.approx(0.8, abs=1e-15)
    assert credit.removal_effect == pytest.approx([0.75, 0.5], abs=1e-15)
    assert credit.conversions == pytest.approx([2.4, 1.6], abs=1e-14)
    assert credit.value == pytest.approx([36, 24], abs=1e-13)


def test_second_worked_example() -> None:
    credit = credit_of([PathRow((0, 1, 2), 1), PathRow((0,), 0, 1), PathRow((1, 2), 0, 1)], 3)
    assert credit.conversion_rate == pytest.approx(1 / 3, abs=1e-15)
    assert credit.removal_effect == pytest.approx([0.5, 1, 1], abs=1e-15)
    assert credit.conversions == pytest.approx([0.2, 0.4, 0.4], abs=1e-15)


def test_rate_without_a_channel_says_what_removing_it_costs() -> None:
    credit = credit_of(GA_AND_M, 2)
    assert credit.rate_without == pytest.approx([0.2, 0.4], abs=1e-15)


def test_transitions_are_counted_for_display() -> None:
    """Columns: GA, M, conversion, null. Rows: GA, M, start."""
    for order in (1, 2, 3):
        transitions = credit_of(GA_AND_M, 2, order).transitions
        assert transitions is not None
        assert transitions.counts.tolist() == [[0, 1, 2, 1], [0, 0, 2, 0], [4, 1, 0, 0]]
        assert transitions.probabilities.tolist() == [[0, 0.25, 0.5, 0.25], [0, 0, 1, 0], [0.8, 0.2, 0, 0]]


def test_order_two_remembers_what_came_before() -> None:
    """After B, those who came from A convert and those from C do not; order 1 cannot tell them apart."""
    rows = [PathRow((0, 1), 10, 0), PathRow((2, 1), 0, 10)]
    assert credit_of(rows, 3, 1).removal_effect == pytest.approx([0.5, 1, 0.5])
    assert credit_of(rows, 3, 2).removal_effect == pytest.approx([1, 1, 0])


@EXAMPLES
@given(path_rows(), ORDERS, st.booleans())
def test_rates_equal_those_of_one_matrix_for_each_removed_channel(
    rows: list[PathRow], order: int, null_paths: bool
) -> None:
    credit = credit_of(rows, 4, order, null_paths=null_paths)
    rate, without = rates_the_long_way(rows, groups=4, order=order, null_paths=null_paths)
    assert credit.conversion_rate == pytest.approx(rate, abs=1e-12)
    assert credit.rate_without == pytest.approx(without, abs=1e-12)


@EXAMPLES
@given(path_rows(), ORDERS, st.booleans())
def test_credit_sums_to_conversions_and_value(rows: list[PathRow], order: int, null_paths: bool) -> None:
    credit = credit_of(rows, 4, order, null_paths=null_paths)
    conversions = sum(row.conversions for row in rows)
    assert credit.conversions.sum() == pytest.approx(conversions, rel=1e-12)
    assert credit.value.sum() == pytest.approx(sum(row.value for row in rows) if conversions else 0, abs=1e-9)


@EXAMPLES
@given(path_rows(weights=st.floats(0, 3)), ORDERS)
def test_conversion_rate_is_the_observed_one(rows: list[PathRow], order: int) -> None:
    conversions, nulls = (sum(getattr(row, name) for row in rows) for name in ("conversions", "nulls"))
    expected = conversions / (conversions + nulls) if conversions else 0.0
    assert credit_of(rows, 4, order).conversion_rate == pytest.approx(expected, rel=1e-9)


@EXAMPLES
@given(path_rows())
def test_self_loops_change_nothing_in_order_one(rows: list[PathRow]) -> None:
    collapsed = [row._replace(steps=tuple(step for step, _ in groupby(row.steps))) for row in rows]
    repeated = [row._replace(steps=tuple(np.repeat(row.steps, 3).tolist())) for row in rows]
    assert_same(credit_of(rows, 4), credit_of(collapsed, 4))
    assert_same(credit_of(rows, 4), credit_of(repeated, 4))


@EXAMPLES
@given(path_rows(), ORDERS, st.randoms(use_true_random=False))
def test_order_of_rows_changes_nothing(rows: list[PathRow], order: int, random: Random) -> None:
    assert_same(credit_of(rows, 4, order), credit_of(random.sample(rows, len(rows)), 4, order))


@EXAMPLES
@given(path_rows(), ORDERS)
def test_rows_in_two_halves_change_nothing(rows: list[PathRow], order: int) -> None:
    halves = [PathRow(row.steps, row.conversions / 2, row.nulls / 2, row.value / 2) for row in rows * 2]
    assert_same(credit_of(rows, 4, order), credit_of(halves, 4, order))


@EXAMPLES
@given(path_rows(), ORDERS, st.permutations(range(4)))
def test_other_numbers_for_channels_change_nothing_else(rows: list[PathRow], order: int, number: list[int]) -> None:
    relabelled = [row._replace(steps=tuple(number[step] for step in row.steps)) for row in rows]
    credit, other = credit_of(rows, 4, order), credit_of(relabelled, 4, order)
    assert other.removal_effect[number] == pytest.approx(credit.removal_effect, abs=1e-12)
    assert other.conversions[number] == pytest.approx(credit.conversions, abs=1e-9)


@EXAMPLES
@given(path_rows(), ORDERS)
def test_without_null_paths_every_path_converts(rows: list[PathRow], order: int) -> None:
    credit = credit_of([*rows, PathRow((2,), 1)], 4, order, null_paths=False)
    assert credit.conversion_rate == pytest.approx(1, abs=1e-12)
    assert credit.transitions is not None
    assert credit.transitions.counts[:, -1].tolist() == [0] * 5


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("null_paths", [True, False])
def test_without_conversions_nobody_is_credited(order: int, null_paths: bool) -> None:
    for rows in ([PathRow((0, 1), 0, 3)], []):
        credit = credit_of(rows, 2, order, null_paths=null_paths)
        assert credit.conversion_rate == 0
        for numbers in (credit.conversions, credit.value, credit.removal_effect, credit.rate_without):
            assert numbers.tolist() == [0, 0]


def test_a_channel_that_nobody_touched_gets_nothing() -> None:
    credit = credit_of(GA_AND_M, 3)
    assert credit.removal_effect[2] == 0
    assert credit.rate_without[2] == credit.conversion_rate


@EXAMPLES
@given(path_rows(), ORDERS, st.integers(0, 2**32))
def test_many_tables_of_counts_are_solved_as_each_alone(rows: list[PathRow], order: int, seed: int) -> None:
    """Some replicates leave states without any count, and some have no conversions."""
    paths, rng = table_of(rows, 4), np.random.default_rng(seed)
    chain = chain_of(paths=paths, order=order)
    weights = rng.poisson(1.0, (5, len(paths)))
    counts = np.stack([chain.counts(weight * paths.conversions, weight * paths.nulls) for weight in weights])
    together = chain.removal_effects(counts)
    for row in range(5):
        alone = chain.removal_effects(counts[row])
        assert together.effect[row] == pytest.approx(alone.effect, abs=1e-12)
        assert together.rate_without[row] == pytest.approx(alone.rate_without, abs=1e-12)
        assert together.conversion_rate[row] == pytest.approx(float(alone.conversion_rate), abs=1e-12)


def test_counts_follow_the_weights_of_paths() -> None:
    chain = chain_of(paths=table_of(GA_AND_M, 2), order=1)
    moves = list(zip(chain.graph.origin.tolist(), chain.graph.target.tolist(), strict=True))
    assert moves == [(GA, M), (2, GA), (2, M)]
    # The paths are GA, GA > M, M; then conversion and null from GA and from M.
    counts = chain.counts(np.array([1.0, 10.0, 100.0]), np.array([0.5, 0.0, 0.25]))
    assert counts.tolist() == [10, 11.5, 100.25, 1, 110, 0.5, 0.25]


@EXAMPLES
@given(path_rows(), ORDERS)
def test_the_map_from_paths_to_transitions_adds_up_to_the_counts(rows: list[PathRow], order: int) -> None:
    paths = table_of(rows, 4)
    chain = chain_of(paths=paths, order=order)
    expected = np.zeros(chain.graph.transitions)
    for path, (conversions, nulls) in enumerate(zip(paths.conversions, paths.nulls, strict=True)):
        for step in range(chain.offsets[path], chain.offsets[path + 1]):
            expected[chain.transition_of_step[step]] += conversions + nulls
        expected[chain.conversion_of_path[path]] += conversions
        expected[chain.null_of_path[path]] += nulls
    assert chain.counts(paths.conversions, paths.nulls) == pytest.approx(expected, abs=1e-12)


@EXAMPLES
@given(
    st.lists(st.tuples(st.lists(st.integers(0, 2), max_size=5), st.booleans()), max_size=8),
    ORDERS,
    st.booleans(),
    st.integers(1, 3),
)
def test_journeys_are_credited_as_their_paths(
    drawn: list[tuple[list[int], bool]], order: int, null_paths: bool, threads: int
) -> None:
    """Sources 0 and 2 are one channel; a journey without touches takes no part."""
    group_of_source = np.array([1, 0, 1])
    touches = touches_from(
        [Touch(c, at, source) for c, (path, _) in enumerate(drawn) for at, source in enumerate(path)]
    )
    rows, first = [], 0
    for customer, (path, converted) in enumerate(drawn):
        rows.append(JourneyRow(customer, 9, converted, 5.0 * converted, tuple(range(first, first + len(path)))))
        first += len(path)
    credit = markov_credit_of_journeys(
        journeys=journeys_from(rows, touches),
        group_of_source=group_of_source,
        groups=2,
        model=MarkovModel("markov", order, null_paths),
        threads=threads,
    )
    steps = [(tuple(group_of_source[path].tolist()), float(won)) for path, won in drawn if path]
    expected = credit_of([PathRow(path, won, 1 - won, 5 * won) for path, won in steps], 2, order, null_paths=null_paths)
    assert_same(expected, credit)
    assert credit.transitions is not None
    assert expected.transitions is not None
    assert credit.transitions.counts.tolist() == expected.transitions.counts.tolist()


def true_rates() -> tuple[float, Float64Column]:
    """Conversion rate, and the rate without each channel, of the true chain."""
    graph, _ = chain_of_transitions(Transitions(TRUTH))
    (rate,), (without,) = dense_rates(graph, TRUTH[None, :, :3], TRUTH[None, :3, 3])
    return float(rate), without


def test_removal_is_what_customers_do_who_are_sent_away() -> None:
    """300,000 simulated customers for each removed channel: standard errors are below 0.001."""
    rate, without = true_rates()
    rng = np.random.default_rng(11)
    for removed, expected in ((None, rate), *enumerate(without)):
        assert walk(rng, removed, 300_000) == pytest.approx(expected, abs=0.003)


def walk(rng: np.random.Generator, removed: int | None, customers: int) -> float:
    """Share of simulated customers who convert where touching the group `removed` ends the path."""
    cumulative, state, won = np.cumsum(TRUTH, axis=1), np.full(customers, 3), 0
    while len(state):
        reached = (rng.random(len(state))[:, None] >= cumulative[state]).sum(axis=1)
        won += int((reached == 3).sum())
        state = reached[(reached < 3) & (reached != removed)]
    return won / customers


def test_estimates_approach_the_simulated_truth() -> None:
    rate, without = true_rates()
    rows = simulated_rows(np.random.default_rng(5), TRUTH, 50_000)
    credit = credit_of(rows, 3)
    assert credit.conversion_rate == pytest.approx(rate, abs=0.01)
    assert credit.removal_effect == pytest.approx(1 - without / rate, abs=0.02)
    # What comes next depends on the last touch alone here: a longer memory finds the same.
    assert credit_of(rows, 3, 2).removal_effect == pytest.approx(credit.removal_effect, abs=0.02)


@pytest.mark.parametrize("order", [0, 4])
def test_other_orders_are_refused(order: int) -> None:
    with pytest.raises(ValueError, match="between 1 and 3"):
        MarkovModel("markov", order)
    with pytest.raises(ValueError, match="between 1 and 3"):
        chain_of(paths=table_of(GA_AND_M, 2), order=order)


def test_weights_of_other_paths_are_refused() -> None:
    chain = chain_of(paths=table_of(GA_AND_M, 2), order=1)
    with pytest.raises(ValueError, match="There are 3 paths"):
        chain.counts(np.ones(2), np.ones(3))


@pytest.mark.parametrize(
    ("counts", "message"),
    [(np.ones(6), "must have shape"), (np.full(7, -1.0), "zero or more"), (np.full(7, np.nan), "zero or more")],
)
def test_malformed_counts_are_refused(counts: Float64Column, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        chain_of(paths=table_of(GA_AND_M, 2), order=1).removal_effects(counts)
