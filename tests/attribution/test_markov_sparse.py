"""Large chains are solved by iteration: against closed forms, direct sparse solutions, and their own bound."""

import numpy as np
import pytest
import scipy.sparse as sparse
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse.linalg import spsolve

from attribution.methods import removal_sparse
from attribution.methods.chain import Chain, chain_of
from attribution.methods.markov import MarkovModel, markov_credit
from attribution.methods.removal import is_dense
from attribution.methods.removal_dense import dense_rates_of_counts
from attribution.methods.removal_sparse import sparse_rates_of_counts
from marketing.frames import Float64Column, PathTable
from tests.attribution.chains import EXAMPLES, PathRow, path_rows, simulated_rows, table_of

ORDERS = st.integers(1, 3)


def counts_of(chain: Chain, paths: PathTable) -> Float64Column:
    return chain.counts(paths.conversions, paths.nulls)


def random_table(*, groups: int, customers: int, stays: float = 0.3, leaves: float = 0.2, seed: int = 3) -> PathTable:
    """Paths along a random chain in which customers return to the channel they come from, and leave at this rate."""
    rng = np.random.default_rng(seed)
    moves = rng.dirichlet(np.full(groups, 0.5), groups + 1)
    moves[:groups] = (1 - stays) * moves[:groups] + stays * np.eye(groups)
    wins = rng.uniform(0.05, 0.5, groups)
    matrix = np.zeros((groups + 1, groups + 2))
    matrix[:groups, :groups] = (1 - leaves) * moves[:groups]
    matrix[:groups, groups], matrix[:groups, groups + 1] = leaves * wins, leaves * (1 - wins)
    matrix[groups, :groups] = moves[groups]
    return table_of(simulated_rows(rng, matrix, customers), groups)


@EXAMPLES
@given(path_rows(weights=st.floats(0, 3)), ORDERS, st.booleans())
def test_iteration_agrees_with_the_closed_form(rows: list[PathRow], order: int, null_paths: bool) -> None:
    paths = table_of(rows, 4)
    chain = chain_of(paths=paths, order=order, null_paths=null_paths)
    counts = counts_of(chain, paths)[None]
    (rate,), (without,) = sparse_rates_of_counts(chain.graph, counts)
    (exact_rate,), (exact_without,) = dense_rates_of_counts(chain.graph, counts)
    assert rate == pytest.approx(exact_rate, rel=1e-12)
    assert without == pytest.approx(exact_without, abs=1e-11 * rate + 1e-15)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_both_ways_agree_on_a_chain_of_many_blocks(order: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removal_sparse, "MOST_GROUPS", 5)
    monkeypatch.setattr(removal_sparse, "FEWEST_GROUPS", 5)
    paths = random_table(groups=12, customers=3_000)
    chain = chain_of(paths=paths, order=order)
    counts = counts_of(chain, paths)[None]
    rate, without = sparse_rates_of_counts(chain.graph, counts)
    _rate, exact = dense_rates_of_counts(chain.graph, counts)
    assert np.abs(without - exact).max() <= 1e-11 * rate[0]


def test_rates_equal_direct_solutions_of_the_sparse_system() -> None:
    paths = random_table(groups=60, customers=20_000)
    chain = chain_of(paths=paths, order=2)
    graph, counts = chain.graph, counts_of(chain, paths)
    assert not is_dense(graph)
    effects = chain.removal_effects(counts)
    moves = sparse.csr_array((counts[: graph.moves], (graph.origin, graph.target)), (graph.states + 1, graph.states))
    ends = counts[graph.moves :].reshape(2, -1)
    left = moves.sum(axis=1) + np.append(ends.sum(axis=0), 0.0)
    moves = sparse.csr_array(sparse.diags_array(1 / left) @ moves)
    for removed in (0, 17, 59):
        kept = np.flatnonzero(~(graph.grams == removed).any(axis=1))
        among = moves[kept][:, kept]
        success = spsolve(sparse.eye_array(len(kept), format="csc") - among.tocsc(), (ends[0] / left[:-1])[kept])
        expected = moves[[graph.states]][:, kept] @ success
        assert effects.rate_without[removed] == pytest.approx(float(expected[0]), abs=1e-11)


def test_long_paths_need_few_sweeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths of 50 touches: errors shrink by 1/50 a sweep at best, were the rest of the series not added."""
    paths = random_table(groups=10, customers=1_000, stays=0.1, leaves=0.02)
    chain = chain_of(paths=paths, order=2)
    counts = counts_of(chain, paths)[None]
    monkeypatch.setattr(removal_sparse, "MOST_SWEEPS", 250)
    rate, without = sparse_rates_of_counts(chain.graph, counts)
    assert np.abs(without - dense_rates_of_counts(chain.graph, counts)[1]).max() <= 1e-11 * rate[0]
    monkeypatch.setattr(removal_sparse, "MOST_EXTRAPOLATIONS", 0)
    with pytest.raises(ArithmeticError, match="did not settle"):
        sparse_rates_of_counts(chain.graph, counts)


def test_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removal_sparse, "MOST_GROUPS", 8)
    paths = random_table(groups=20, customers=2_000)
    chain = chain_of(paths=paths, order=2)
    counts = counts_of(chain, paths)[None]
    one, two = (sparse_rates_of_counts(chain.graph, counts, threads)[1] for threads in (1, 2))
    assert one.tolist() == two.tolist()


def test_replicates_are_solved_as_each_alone() -> None:
    paths = random_table(groups=15, customers=1_000)
    chain = chain_of(paths=paths, order=2)
    weights = np.random.default_rng(1).poisson(1.0, (3, len(paths))) * np.array([[1], [1], [0]])
    counts = np.stack([chain.counts(weight * paths.conversions, weight * paths.nulls) for weight in weights])
    rate, without = sparse_rates_of_counts(chain.graph, counts)
    exact_rate, exact_without = dense_rates_of_counts(chain.graph, counts)
    assert rate == pytest.approx(exact_rate, rel=1e-12)
    assert without == pytest.approx(exact_without, abs=1e-11)
    assert without[2].tolist() == [0] * 15


def test_the_cheaper_way_is_chosen_by_size() -> None:
    paths = random_table(groups=60, customers=2_000)
    assert is_dense(chain_of(paths=paths, order=1).graph)
    assert not is_dense(chain_of(paths=paths, order=2).graph)


def test_a_large_chain_credits_every_conversion() -> None:
    paths = random_table(groups=60, customers=2_000)
    credit = markov_credit(paths=paths, model=MarkovModel("markov:2", 2), threads=2)
    assert credit.conversions.sum() == pytest.approx(paths.conversions.sum(), rel=1e-12)
    assert credit.conversion_rate == pytest.approx(paths.conversions.sum() / 2_000, rel=1e-12)


def test_counts_that_no_paths_could_make_are_refused() -> None:
    paths = random_table(groups=60, customers=2_000)
    chain = chain_of(paths=paths, order=2)
    counts = counts_of(chain, paths)
    counts[0] += 1
    with pytest.raises(ValueError, match="left as often as it is reached"):
        chain.removal_effects(counts)
