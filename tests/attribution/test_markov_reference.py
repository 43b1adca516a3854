"""Exact Markov models against removal effects solved independently on 100,000 simulated paths."""

import pytest

from attribution.methods.markov import MarkovModel, markov_credit
from tests.attribution.synth_paths import expected, needs_reference, synth_paths

pytestmark = needs_reference


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("null_paths", [True, False])
def test_markov_equals_the_independent_computation(order: int, null_paths: bool) -> None:
    paths, channels = synth_paths()
    credit = markov_credit(paths=paths, model=MarkovModel("markov", order, null_paths))
    known = expected(f"exact_markov_{'null' if null_paths else 'nonull'}_o{order}")
    assert sorted(known) == list(channels)
    effects = [known[channel]["removal_effect"] for channel in channels]
    conversions = [known[channel]["total_conversions"] for channel in channels]
    assert credit.removal_effect == pytest.approx(effects, abs=1e-9)
    assert credit.conversions == pytest.approx(conversions, rel=1e-9)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_credit_adds_up_to_all_conversions_and_all_revenue(order: int) -> None:
    paths, _channels = synth_paths()
    credit = markov_credit(paths=paths, model=MarkovModel("markov", order))
    assert credit.conversion_rate == pytest.approx(0.19176, abs=1e-12)
    assert credit.conversions.sum() == pytest.approx(19_176, rel=1e-12)
    assert credit.value.sum() == pytest.approx(969_256.92, rel=1e-12)
