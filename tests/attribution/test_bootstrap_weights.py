"""How often customers count in replicates: Poisson(1), independently, and from their id alone."""

import math

import numpy as np
import pytest
from scipy.stats import chisquare, poisson

from attribution.methods.replicates import GROUPS_LEFT_OUT, JACKKNIFE_PASSES, LANES
from tests.attribution.customer_worlds import weights


def mixed(bits: int) -> int:
    """SplitMix64's finaliser, in whole numbers of any size."""
    everything = 2**64 - 1
    bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9 & everything
    bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB & everything
    return bits ^ (bits >> 31)


def test_weights_are_splitmix_bits_looked_up_in_the_distribution_of_poisson() -> None:
    golden, everything, seed, replicate_pair = 0x9E3779B97F4A7C15, 2**64 - 1, 5, 40
    number, lane = JACKKNIFE_PASSES + replicate_pair // 32, replicate_pair % 32
    for customer in (0, 1, 77, 2**63 - 1):
        key = mixed(mixed((seed + golden) & everything) ^ customer)
        bits = mixed((key + (replicate_pair + 1) * golden) & everything)
        expected = [poisson.ppf((half + 0.5) / 2**32, 1) for half in (bits % 2**32, bits >> 32)]
        assert weights([customer], number)[0, [lane, lane + LANES // 2]].tolist() == expected


def test_mean_and_variance_of_a_weight_are_one() -> None:
    from attribution.methods.bootstrap_kernel import THRESHOLDS

    reached = 1 - np.array(THRESHOLDS, np.float64) / 2**32  # P(weight >= 1), P(weight >= 2), ...
    mean = reached.sum()
    assert mean == pytest.approx(1, abs=1e-8)
    assert (reached * (2 * np.arange(1, len(reached) + 1) - 1)).sum() - mean**2 == pytest.approx(1, abs=1e-7)


def test_weights_are_distributed_as_poisson() -> None:
    filled = weights(range(1, 4001), JACKKNIFE_PASSES).ravel().astype(int)
    observed = np.bincount(np.minimum(filled, 6), minlength=7)
    expected = np.append(poisson.pmf(np.arange(6), 1), poisson.sf(5, 1)) * len(filled)
    assert chisquare(observed, expected).pvalue > 0.001


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(lambda ids: weights(ids, JACKKNIFE_PASSES + 1), id="other replicates"),
        pytest.param(lambda ids: weights([key + 1 for key in ids], JACKKNIFE_PASSES), id="neighbouring customers"),
        pytest.param(lambda ids: weights(ids, JACKKNIFE_PASSES, seed=6), id="another seed"),
        pytest.param(lambda ids: np.roll(weights(ids, JACKKNIFE_PASSES), 1, axis=1), id="neighbouring replicates"),
    ],
)
def test_weights_are_independent_of_those_of(other: object) -> None:
    ids = range(0, 40_000, 2)
    assert callable(other)
    one, another = weights(ids, JACKKNIFE_PASSES), other(ids)
    correlation = np.mean((one - 1) * (another - 1), axis=0)  # in each lane
    assert np.abs(correlation).max() < 5 / math.sqrt(len(ids))


def test_each_customer_is_left_out_once_and_nobody_from_the_estimate() -> None:
    ids = range(1000)
    lanes = np.concatenate([weights(ids, number) for number in range(JACKKNIFE_PASSES)], axis=1)
    assert lanes.shape[1] == GROUPS_LEFT_OUT + 1
    assert set(np.unique(lanes)) == {0.0, 1.0}
    assert ((lanes == 0).sum(axis=1) == 1).all()
    assert (lanes[:, -1] == 1).all()
    assert (lanes[:, :-1] == 0).sum(axis=0).max() < 30  # groups of eight on average
