"""Whether Markov chains have converged, and how many independent draws theirs are worth.

Source: Vehtari, Gelman, Simpson, Carpenter, Bürkner 2021, "Rank-normalization, folding, and localization: an improved
R-hat for assessing convergence of MCMC", Bayesian Analysis 16(2); Geyer 1992 (Statistical Science 7) for where to cut
the autocorrelations off.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.fft import irfft, next_fast_len, rfft
from scipy.special import ndtri

from marketing.frames import Float64Column, Float64Table

Int64Table: TypeAlias = npt.NDArray[np.int64]

TAIL_PARTS = 20  # the tails are the lowest and the highest twentieth: 5%


@dataclass(frozen=True, slots=True, eq=False)
class Convergence:
    """Diagnostics by parameter, each (P,) float64.

    `r_hat`: 1 where the chains agree; up to 1.01 is good. Infinite where every half of a chain stands still, but not at
    the same place. NaN for a parameter that never moves, and NaN is not <= 1.01.
    `bulk_ess`, `tail_ess`: effective draws for the centre and for the 5% and 95% quantiles, whichever are fewer. The
    number of draws for a parameter that never moves, as ArviZ has it: there is nothing to be unsure of.
    All three are NaN for a parameter with a draw that is not finite.
    """

    r_hat: Float64Column
    bulk_ess: Float64Column
    tail_ess: Float64Column


def diagnose(draws: Float64Table) -> Convergence:
    """Rank-normalised split R-hat, bulk ESS and tail ESS of every parameter.

    `draws`: (chains, draws, P) float64. Each chain is split in halves; of an odd number of draws the middle one is left
    out of all but the tails' quantiles. One chain will do, whose halves are then compared.

    R-hat is the larger of that of the ranks' normal scores and that of the scores of |draw - median|.
    Raises ValueError if `draws` has another shape, or chains of fewer than 4 draws.
    """
    if draws.ndim != 3 or 0 in draws.shape:
        raise ValueError(f"Draws must have shape (chains, draws, parameters), none 0, but they have {draws.shape}.")
    if draws.shape[1] < 4:
        raise ValueError(f"Diagnostics need chains of at least 4 draws, but these have {draws.shape[1]}.")
    chains = np.array(np.moveaxis(draws, 2, 0), dtype=np.float64, order="C")
    finite = np.asarray(np.isfinite(chains).all(axis=(1, 2)))
    chains[~finite] = 0.0
    halves = _split(chains)
    scores = _normal_scores(halves)
    folded = _normal_scores(np.abs(halves - np.median(halves, axis=(1, 2), keepdims=True)))
    # fmax: draws of two values are all as far from their median, which says nothing against them.
    r_hat = np.fmax(_split_r_hat(scores), _split_r_hat(folded))
    bulk, tail = _effective_draws(scores), _tail_effective_draws(chains)
    return Convergence(*(np.where(finite, values, np.nan) for values in (r_hat, bulk, tail)))


def _split(chains: Float64Table) -> Float64Table:
    """The first and the last half of each chain as chains of their own: (P, 2 C, draws // 2) from (P, C, draws)."""
    half = chains.shape[2] // 2
    return np.concatenate([chains[:, :, :half], chains[:, :, -half:]], axis=1)


def _normal_scores(halves: Float64Table) -> Float64Table:
    """What a normal sample would have at the ranks of these (P, M, n) values among all of their parameter.

    z = Phi^-1((rank - 3/8) / (S + 1/4)), equal values share their mean rank. Source: Vehtari et al. 2021.
    """
    parameters, chains, length = halves.shape
    size = chains * length
    values = halves.reshape(parameters, size)
    order = np.argsort(values, axis=1)
    first, last = _equals(np.take_along_axis(values, order, axis=1))
    # First + last is a whole number, so the inverse normal is looked up in a table and not computed for every draw.
    table = ndtri((np.arange(2 * size - 1) / 2 + 1 - 3 / 8) / (size + 1 / 4))
    scores = np.empty_like(values)
    np.put_along_axis(scores, order, table[first + last], axis=1)
    return scores.reshape(halves.shape)


def _equals(ordered: Float64Table) -> tuple[Int64Table, Int64Table]:
    """The positions, from 0, of the first and of the last value in its row that equal this one; rows ascend."""
    position = np.broadcast_to(np.arange(ordered.shape[1]), ordered.shape)
    differs = ordered[:, 1:] != ordered[:, :-1]
    first, last = position.copy(), position.copy()
    first[:, 1:][~differs] = 0
    last[:, :-1][~differs] = ordered.shape[1]
    return np.maximum.accumulate(first, axis=1), np.minimum.accumulate(last[:, ::-1], axis=1)[:, ::-1]


def _split_r_hat(halves: Float64Table) -> Float64Column:
    """sqrt(((n - 1) / n W + B / n) / W) of (P, M, n), W the mean variance within, B / n that between halves."""
    length = halves.shape[2]
    # The variance of equal numbers may be a rounding error instead of 0, and R-hat then large by chance.
    stands_still = np.ptp(halves, axis=2) == 0
    within = np.where(stands_still, 0.0, halves.var(axis=2, ddof=1)).mean(axis=1)
    between = length * halves.mean(axis=2).var(axis=1, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.sqrt((between / within + length - 1) / length))


def _tail_effective_draws(chains: Float64Table) -> Float64Column:
    """The fewer of the effective draws of "is at most the 5% quantile" and of "is at most the 95% quantile".

    The quantile itself lies between two draws, so that comparing with the lower of the two is the same and does not
    depend on the scale of the parameter.
    """
    size = chains.shape[1] * chains.shape[2]
    low, high = (size - 1) // TAIL_PARTS, (size - 1) * (TAIL_PARTS - 1) // TAIL_PARTS
    ordered = np.sort(chains.reshape(len(chains), size), axis=1)
    quantiles = ordered[:, (low, high), None, None]
    tails = [_effective_draws(_split((chains <= quantiles[:, tail]).astype(np.float64))) for tail in (0, 1)]
    return np.minimum(*tails)


def _effective_draws(halves: Float64Table) -> Float64Column:
    """S / tau of (P, M, n), S = M n, tau = -1 + 2 sum of the autocorrelations over Geyer's initial monotone sequence.

    As in ArviZ 0.21, the even autocorrelation at the cut is counted once if it is positive, and tau is at least
    1 / log10 S.
    """
    parameters, chains, length = halves.shape
    size = chains * length
    covariance = _mean_autocovariance(halves)
    pooled = covariance[:, :1] + halves.mean(axis=2).var(axis=1, ddof=1)[:, None]
    moves = pooled[:, 0] > 0
    pooled = np.where(moves[:, None], pooled, 1.0)
    correlation = 1 - (covariance[:, :1] * length / (length - 1) - covariance) / pooled
    correlation[:, 0] = 1
    pairs = max((length - 3) // 2, 0) + 1  # up to this lag the estimates rest on three draws or more
    even, odd = correlation[:, : 2 * pairs : 2], correlation[:, 1 : 2 * pairs : 2]
    sums = even + odd
    # The pair at the cut is the first without a positive sum, or the last.
    ends = sums <= 0
    ends[:, -1] = True
    cut = ends.argmax(axis=1)
    counted = np.minimum.accumulate(sums, axis=1) * (np.arange(pairs) < cut[:, None])
    row = np.arange(parameters)
    beyond = np.where(sums[row, cut] >= 0, even[row, cut], np.maximum(even[row, cut], 0))
    tau = np.maximum(-1 + 2 * counted.sum(axis=1) + beyond, 1 / np.log10(size))
    return np.asarray(np.where(moves, size / tau, size))


def _mean_autocovariance(halves: Float64Table) -> Float64Table:
    """The chains' mean autocovariance at lags 0..n-1, each divided by n: (P, n) from (P, M, n)."""
    length = halves.shape[2]
    padded = next_fast_len(2 * length, real=True)
    spectrum = rfft(halves - halves.mean(axis=2, keepdims=True), n=padded, axis=2)
    power = (spectrum.real**2 + spectrum.imag**2).mean(axis=1)
    return np.asarray(irfft(power, n=padded, axis=1)[:, :length] / length)
