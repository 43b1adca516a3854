"""Whether ranks are uniform: exact bands for the empirical distribution of discrete ranks, all points at once.

A rank is how many of L draws from the posterior lie below the truth: 0 to L. If the truth is a draw from the prior and
the posterior is right, each of the L + 1 ranks is as likely (Talts, Betancourt, Simpson, Vehtari, Gelman 2018,
"Validating Bayesian inference algorithms with simulation-based calibration"). Of N simulations the number of ranks of
at most r is then binomial; from one r to the next these numbers are a Markov chain, from which the chance that all
stay within a band follows exactly (Säilynoja, Bürkner, Vehtari 2022, "Graphical test for discrete uniformity and its
applications in goodness-of-fit evaluation and multiple sample comparison", Statistics and Computing 32, section 2.2).
"""

from bisect import bisect_left
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln
from scipy.stats import binom

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]


def ranks_of(true: FloatArray, drawn: FloatArray, rng: np.random.Generator) -> IntArray:
    """How many of L draws (L, Q) lie below the true values (Q,): 0 to L, by chance among draws that are equal.

    Raises ValueError where a value is not finite, which has no rank.
    """
    if not (np.isfinite(true).all() and np.isfinite(drawn).all()):
        raise ValueError("A quantity is not finite, so it has no rank: leave it out of the calibration.")
    below, equal = (drawn < true).sum(axis=0), (drawn == true).sum(axis=0)
    return np.asarray(below + rng.integers(0, equal + 1), np.int64)


def at_most(ranks: IntArray, draws: int) -> IntArray:
    """How many of the ranks (N,) are at most r, for r = 0 to L - 1: (L,). At most L are all.

    Raises ValueError for ranks that `draws`, L, cannot have, or if there are none.
    """
    if not len(ranks) or ranks.min() < 0 or ranks.max() > draws:
        raise ValueError(f"There must be ranks, each from 0 to {draws}.")
    return np.asarray(np.cumsum(np.bincount(ranks, minlength=draws + 1))[:-1], np.int64)


def p_value(ranks: IntArray, draws: int) -> float:
    """How often uniform ranks are, at their most unusual point, as unusual as these (N,), or more."""
    reached = at_most(ranks, draws)
    tails = _tails(len(ranks), draws)
    tail = tails[reached, np.arange(draws)].min()
    return 1 - chance_within(*_band_at(tail, len(ranks), draws), len(ranks)) if tail < 1 else 1.0


@lru_cache(maxsize=16)
def band(simulations: int, draws: int, error: float) -> tuple[IntArray, IntArray]:
    """Between which numbers, ends included, `at_most` lies at all points at once: (L,) and (L,).

    Uniform ranks leave this band with a chance of at most `error`; and they leave it where `p_value` is at most that.
    """
    tails = _tails(simulations, draws)
    tails = np.unique(tails[tails < 1])

    def leaves_seldom(place: int) -> bool:
        return 1 - chance_within(*_band_at(tails[place], simulations, draws), simulations) <= error

    allowed = bisect_left(range(len(tails)), True, key=lambda place: not leaves_seldom(place))
    if not allowed:
        return np.zeros(draws, np.int64), np.full(draws, simulations)
    return _band_at(tails[allowed - 1], simulations, draws)


def chance_within(low: IntArray, high: IntArray, simulations: int, chances: FloatArray | None = None) -> float:
    """The chance that `at_most` of `simulations` ranks is from `low` to `high` (L,), ends included, at all points.

    `chances`: (L + 1,) of the ranks, to learn what a band finds; the same for all where None.
    """
    draws = len(low)
    chances = np.full(draws + 1, 1 / (draws + 1)) if chances is None else chances
    left = np.cumsum(chances[::-1])[::-1]  # of this rank or a higher one
    log_factorial = gammaln(np.arange(simulations + 1) + 1.0)
    before, probability = np.zeros(1, np.int64), np.ones(1)
    for place in range(draws):
        reached = np.arange(low[place], high[place] + 1)
        probability = probability @ _steps(before, reached, chances[place] / left[place], log_factorial)
        before = reached
    return float(min(probability.sum(), 1.0))


def _steps(before: IntArray, after: IntArray, chance: float, log_factorial: FloatArray) -> FloatArray:
    """The chances (B, A) that as many ranks more as lead from `before` to `after` have a value that `chance` has."""
    rest = (len(log_factorial) - 1 - before)[:, None]
    more = after[None] - before[:, None]
    possible = more >= 0
    more = np.where(possible, more, 0)
    log_chance = log_factorial[rest] - log_factorial[more] - log_factorial[rest - more]
    log_chance = log_chance + more * np.log(chance) + (rest - more) * np.log1p(-chance)
    return np.asarray(np.where(possible, np.exp(log_chance), 0.0))


def _band_at(tail: float, simulations: int, draws: int) -> tuple[IntArray, IntArray]:
    """The lowest and the highest number at each point that are less unusual than `tail`, which is below 1."""
    usual = _tails(simulations, draws) > tail
    return usual.argmax(axis=0), simulations - usual[::-1].argmax(axis=0)


@lru_cache(maxsize=16)
def _tails(simulations: int, draws: int) -> FloatArray:
    """How unusual each number of ranks is at each point (N + 1, L): twice the chance of its tail, 1 at most."""
    number = np.arange(simulations + 1)[:, None]
    expected = np.arange(1, draws + 1) / (draws + 1)
    lower, upper = binom.cdf(number, simulations, expected), binom.sf(number - 1, simulations, expected)
    tails = np.clip(2 * np.minimum(lower, upper), 1e-100, 1.0)
    # What is equal but for rounding, such as both ends of a symmetric distribution, is made equal.
    digits = 10.0 ** (9 - np.floor(np.log10(tails)))
    return np.asarray(np.round(tails * digits) / digits)
