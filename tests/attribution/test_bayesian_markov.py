"""The posterior of removal effects: known answers, the limit of much data, and coverage."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.methods import bayesian_markov as module
from attribution.methods.bayesian_markov import Posterior, bayesian_markov
from attribution.methods.markov import MarkovModel, Transitions, chain_of_transitions, markov_credit
from attribution.methods.removal_dense import dense_rates
from tests.attribution.chains import EXAMPLES, PathRow, path_rows, simulated_rows, table_of

# Two channels, the start last; then conversion and null.
TRUTH = np.array([[0.10, 0.30, 0.20, 0.40], [0.25, 0.05, 0.15, 0.55], [0.60, 0.40, 0.00, 0.00]])
ROWS = [PathRow((0,), 20, 30, 200), PathRow((0, 1), 12, 20, 90), PathRow((1, 1), 5, 40, 10)]


def posterior_of(rows: list[PathRow], groups: int = 2, *, draws: int = 200, seed: int = 1) -> Posterior:
    return bayesian_markov(paths=table_of(rows, groups), draws=draws, seed=seed)


def test_one_channel_has_the_beta_posterior_of_its_conversion_rate() -> None:
    """Whether it is touched again says nothing about whether it converts: Beta(7 + 1/2, 13 + 1/2)."""
    rows = [PathRow((0,), 3, 8), PathRow((0, 0, 0), 4, 5)]
    posterior = posterior_of(rows, 1, draws=40_000)
    a, b = 7.5, 13.5
    variance = a * b / (a + b) ** 2 / (a + b + 1)
    assert posterior.conversion_rate.mean() == pytest.approx(a / (a + b), abs=4 * np.sqrt(variance / 40_000))
    assert posterior.conversion_rate.var() == pytest.approx(variance, rel=0.03)
    assert posterior.effect == pytest.approx(np.ones((40_000, 1)), abs=1e-12)


def test_with_much_data_the_posterior_closes_in_on_the_exact_answer() -> None:
    rows = [row._replace(conversions=1e5 * row.conversions, nulls=1e5 * row.nulls) for row in ROWS]
    exact = markov_credit(paths=table_of(rows, 2), model=MarkovModel("markov"))
    posterior = posterior_of(rows)
    assert posterior.effect.std(axis=0).max() < 1e-3
    assert posterior.effect.mean(axis=0) == pytest.approx(exact.removal_effect, abs=1e-4)
    assert posterior.conversion_rate.mean() == pytest.approx(exact.conversion_rate, abs=1e-4)
    assert posterior.conversions.mean(axis=0) == pytest.approx(exact.conversions, rel=1e-3)


@EXAMPLES
@given(path_rows(groups=3), st.booleans())
def test_every_draw_credits_every_conversion_and_all_value(rows: list[PathRow], null_paths: bool) -> None:
    posterior = bayesian_markov(paths=table_of(rows, 3), draws=5, seed=2, null_paths=null_paths)
    conversions, value = sum(row.conversions for row in rows), sum(row.value for row in rows)
    assert posterior.conversions.sum(axis=1) == pytest.approx([conversions] * 5)
    assert posterior.value.sum(axis=1) == pytest.approx([value if conversions else 0] * 5, abs=1e-9)
    assert np.all((posterior.effect >= 0) & (posterior.effect <= 1))


def test_the_same_seed_gives_the_same_draws_and_another_does_not() -> None:
    one, same, other = posterior_of(ROWS), posterior_of(list(reversed(ROWS))), posterior_of(ROWS, seed=2)
    assert one.effect.tolist() == same.effect.tolist()
    assert not np.any(one.effect == other.effect)


def test_chunks_change_no_draw_and_tell_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = posterior_of(ROWS)
    monkeypatch.setattr(module, "MOST_DRAWS_OF_CHUNK", 80)
    done: list[float] = []
    chunked = bayesian_markov(paths=table_of(ROWS, 2), draws=200, seed=1, on_progress=done.append)
    assert chunked.effect == pytest.approx(whole.effect, abs=1e-13)
    assert done == [0.4, 0.8, 1.0]


def test_without_null_paths_every_draw_converts() -> None:
    posterior = bayesian_markov(paths=table_of(ROWS, 2), draws=50, seed=1, null_paths=False)
    assert posterior.conversion_rate == pytest.approx(np.ones(50), abs=1e-12)
    assert 0 < posterior.effect[:, 1].min() < posterior.effect[:, 1].max() < 1


def test_a_channel_that_nobody_touched_has_no_effect_and_changes_no_draw() -> None:
    assert posterior_of(ROWS, 3).effect[:, :2].tolist() == posterior_of(ROWS, 2).effect.tolist()
    assert not posterior_of(ROWS, 3).effect[:, 2].any()


@pytest.mark.parametrize("rows", [[], [PathRow((0, 1), 0, 5)]])
def test_without_conversions_nobody_is_credited(rows: list[PathRow]) -> None:
    posterior = posterior_of(rows)
    for numbers in (posterior.effect, posterior.share, posterior.conversions, posterior.conversion_rate):
        assert not numbers.any()


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    """Independent customers of a known chain, 400 times: 90% intervals of effects and of the conversion rate.

    Were coverage exactly 0.9, the share of 400 worlds would have a standard error of 0.015.
    """
    graph, _ = chain_of_transitions(Transitions(TRUTH))
    (rate,), (without,) = dense_rates(graph, TRUTH[None, :, :2], TRUTH[None, :2, 2])
    truth = np.append(1 - without / rate, rate)
    rng = np.random.default_rng(20)
    covered = np.zeros(3)
    worlds = 400
    for world in range(worlds):
        posterior = posterior_of(simulated_rows(rng, TRUTH, 300), draws=400, seed=world)
        draws = np.column_stack([posterior.effect, posterior.conversion_rate])
        low, high = np.quantile(draws, [0.05, 0.95], axis=0)
        covered += (low <= truth) & (truth <= high)
    assert covered / worlds == pytest.approx(np.full(3, 0.9), abs=0.045)
    assert covered.mean() / worlds == pytest.approx(0.9, abs=0.03)


def test_impossible_questions_are_refused() -> None:
    with pytest.raises(ValueError, match="At least one draw"):
        posterior_of(ROWS, draws=0)
    for alpha in (0.0, -1.0, np.inf):
        with pytest.raises(ValueError, match="positive number"):
            bayesian_markov(paths=table_of(ROWS, 2), draws=1, seed=1, alpha=alpha)
