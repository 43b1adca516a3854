"""Do two channels do more, or less, together than each alone? A logistic regression of all pairs at once.

`logit P(conversion) = length + segment + part of the period + mix + channels met + pairs met`, over journeys counted by
cell. The effect of a pair is what is left when both channels are allowed for, and also how long the journey is, how its
touches are divided among channels, who took it and when: people who are about to buy meet more touches, and of other
channels, and what that does would pass for interactions.

Firth's penalty keeps estimates finite where all or none convert (Firth 1993; Heinze and Schemper 2002). Standard errors
allow for customers with several journeys (Liang and Zeger 1986), with residuals enlarged by their leverage (Mancl and
DeRouen 2001), are nowhere smaller than the model's own, as residuals say nothing of the error where none convert, and
as large as seen from no effect (`stretch`).
Benjamini and Hochberg (1995) hold the share of false calls.
"""

from dataclasses import dataclass

import numpy as np

from crosschannel.methods.cells import Cells
from crosschannel.methods.firth import Design, Fitted, column_rank, fit, logistic
from crosschannel.methods.interactions_design import design_of
from crosschannel.methods.verdicts import LEAST_EXPECTED, LEAST_TOGETHER, Verdict
from marketing.frames import BoolColumn, Float64Column, Float64Table, Int64Column

SPREADS = np.geomspace(0.02, 5.0, 60)  # of the effects of shares, log odds
SUPPORT = 0.5  # of log likelihood
RARE_SPREAD = 1.0  # log odds, of the effects of pairs that are too rare to be looked at
ROUGHLY = 0.01  # standard errors
CURVATURES = 5  # between no effect and the estimate


@dataclass(frozen=True, slots=True, eq=False)
class Interactions:
    """The T pairs that could be looked at, by the bits of their channels (`Cells.channels`).

    `pairs`: (T, 2) int64, the smaller bit first. `journeys_both`: (T,) float64, those that hold both. `log_odds`,
    `standard_error`: (T,), of the pair's coefficient. `effect`, `low`, `high`: (T,), how many more conversions (or
    fewer) 1,000 journeys with both have than the two channels' own effects come to, with its interval. `p_value`,
    `p_adjusted`: (T,), the latter for all pairs being looked at at once. `verdict`: T of them.
    `unidentified`: (N, 2), further pairs, whose effect cannot be told from those of others. `too_rare`: how many more
    pairs occur, in too few journeys to say anything.
    """

    pairs: Int64Column
    journeys_both: Float64Column
    log_odds: Float64Column
    standard_error: Float64Column
    effect: Float64Column
    low: Float64Column
    high: Float64Column
    p_value: Float64Column
    p_adjusted: Float64Column
    verdict: tuple[Verdict, ...]
    unidentified: Int64Column
    too_rare: int


NOTHING = Interactions(
    pairs=np.empty((0, 2), np.int64),
    journeys_both=np.empty(0),
    log_odds=np.empty(0),
    standard_error=np.empty(0),
    effect=np.empty(0),
    low=np.empty(0),
    high=np.empty(0),
    p_value=np.empty(0),
    p_adjusted=np.empty(0),
    verdict=(),
    unidentified=np.empty((0, 2), np.int64),
    too_rare=0,
)


def interactions(*, cells: Cells, confidence: float, threads: int = 1) -> Interactions:
    """Look at all pairs of channels at once; `confidence`: of the intervals, and 1 - confidence is the rate q of BH.

    Pairs that too few journeys hold are left out beforehand, whatever their conversions. `threads`: how many loops may
    run side by side. Raises ValueError if not every confidence lies between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"A confidence level lies between 0 and 1, not at {confidence}.")
    from scipy.special import ndtr, ndtri  # here: pages must not wait for it

    occurring, enough = pairs_that_occur(cells)
    pairs, unidentified = occurring[enough], np.empty((0, 2), np.int64)
    log_odds, error, predictor = np.empty(0), np.empty(0), np.empty(0)
    if len(pairs):
        design, shares = design_of(cells, occurring)
        is_share, looked_at, is_rare = np.zeros((3, design.size), np.bool_)
        is_share[shares], looked_at[-len(occurring) :], is_rare[-len(occurring) :] = True, enough, ~enough
        kept, blurred = column_rank(design, cells.journeys, threads)
        fitted = _fit(design.only(kept), cells, is_share[kept], is_rare[kept], threads)
        clear = (looked_at & ~blurred)[kept]
        unidentified, pairs = pairs[blurred[looked_at]], pairs[~blurred[looked_at]]
        predictor, log_odds = fitted.linear_predictor, fitted.coefficients[clear]
        error = fitted.standard_errors[clear] * stretch(cells, pairs, predictor, log_odds)
    p_value = 2 * ndtr(-np.abs(log_odds / error))
    adjusted = benjamini_hochberg(p_value)
    reach = float(ndtri(0.5 + confidence / 2)) * error
    effect, low, high = (
        per_thousand(cells, pairs, predictor, change) for change in (log_odds, log_odds - reach, log_odds + reach)
    )
    return Interactions(
        pairs=pairs,
        journeys_both=together_in(cells)[tuple(pairs.T)],
        log_odds=log_odds,
        standard_error=error,
        effect=effect,
        low=low,
        high=high,
        p_value=p_value,
        p_adjusted=adjusted,
        verdict=tuple(
            Verdict.INCONCLUSIVE if p > 1 - confidence else Verdict.SYNERGY if sign > 0 else Verdict.CANNIBALISATION
            for p, sign in zip(adjusted, log_odds, strict=True)
        ),
        unidentified=unidentified,
        too_rare=int(np.count_nonzero(~enough)),
    )


def _fit(design: Design, cells: Cells, is_share: BoolColumn, is_rare: BoolColumn, threads: int) -> Fitted:
    """Fit, and fit again with the shares' coefficients held as close to zero as they seem to be.

    Shares take much of the evidence on pairs away, and mostly for nothing: only where customers' unknown readiness
    chooses their channels does the mix say more than the channels met. Pairs that are too rare have effects, too: left
    out, they would be charged to the others wherever only their few journeys tell the others from length.
    """
    precision = np.where(is_rare, RARE_SPREAD**-2, 0.0)
    free = fit(design, cells, precision=precision, settled=ROUGHLY, threads=threads)
    shares = np.flatnonzero(is_share)
    precision[shares] = spread_of(free.coefficients[shares], free.covariance[np.ix_(shares, shares)]) ** -2
    return fit(design, cells, precision=precision, start=free.coefficients, threads=threads)


def spread_of(estimates: Float64Column, covariance: Float64Table) -> float:
    """Return the largest standard deviation of effects around zero that estimates (S,) still speak for.

    With effects ~ Normal(0, spread^2), estimates ~ Normal(0, covariance + spread^2 I). Its likelihood is highest at
    the usual estimate of the spread; the largest spread that is not SUPPORT worse is the cautious one.
    """
    values, vectors = np.linalg.eigh(covariance)
    along = (vectors.T @ estimates) ** 2
    variance = np.maximum(values, 0.0)[:, None] + SPREADS**2
    likelihood = -0.5 * (np.log(variance) + along[:, None] / variance).sum(axis=0)
    return float(SPREADS[np.flatnonzero(likelihood >= likelihood.max() - SUPPORT)[-1]])


def pairs_that_occur(cells: Cells) -> tuple[Int64Column, BoolColumn]:
    """Return the pairs that any journey holds, (N, 2) and sorted, and which of them have enough to be looked at, (N,).

    What decides are counts of journeys alone, so that choosing says nothing of the effects (Bourgon et al. 2010).
    """
    total = float(cells.journeys.sum())
    rate = float(cells.conversions.sum()) / total if total else 0.0
    together = together_in(cells)
    alone = np.diag(together)
    least = np.minimum(together, np.minimum(alone[:, None] - together, alone - together))
    enough = (least >= LEAST_TOGETHER) & (together * min(rate, 1 - rate) >= LEAST_EXPECTED)
    pairs = np.argwhere(np.triu(together, 1) > 0)
    return pairs, enough[tuple(pairs.T)]


def together_in(cells: Cells) -> Float64Table:
    """Return the journeys that hold both of two channels: (C, C); on the diagonal those that hold one."""
    from crosschannel.methods.interactions_kernel import count_together  # here: numba takes a second to import

    bits = cells.shares.shape[1]
    together = np.zeros((bits, bits))
    count_together(together, cells.shares, cells.journeys)
    named = len(cells.channels)
    return together[:named, :named]


def benjamini_hochberg(p_values: Float64Column) -> Float64Column:
    """Return adjusted p-values (T,): calling those of at most q keeps the expected share of false calls at most q."""
    count = len(p_values)
    order = np.argsort(-p_values, kind="stable")
    scaled = p_values[order] * count / (count - np.arange(count))
    adjusted = np.empty(count)
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled), 1.0)
    return adjusted


def stretch(
    cells: Cells, pairs: Int64Column, linear_predictor: Float64Column, log_odds: Float64Column
) -> Float64Column:
    """Return how many times as large as at the estimate the errors of log odds are, seen from no effect: (T,), from 1.

    Where few convert, much of what tells an effect from none are the conversions that make it: the curvature of the
    likelihood is larger at the estimate than on the way there. With the curvature W at each share t of the log odds b,
    the likelihood ratio is `2 b^2 integral of t W(t b) dt` over t from 0 to 1, where the estimate's says `b^2 W(b)`.
    """
    shares, weights = np.polynomial.legendre.leggauss(CURVATURES)
    shares, weights = (shares + 1) / 2, weights / 2
    stretched = np.ones(len(pairs))
    for place, (one, other) in enumerate(pairs):
        both = np.flatnonzero(cells.holds(one) & cells.holds(other))
        probability = logistic(linear_predictor[both, None] + np.append(shares - 1, 0.0) * log_odds[place])
        curvature = cells.journeys[both] @ (probability * (1 - probability))
        along = 2 * float(weights * shares @ curvature[:-1])
        if along < curvature[-1]:
            stretched[place] = np.sqrt(curvature[-1] / along)
    return stretched


def per_thousand(
    cells: Cells, pairs: Int64Column, linear_predictor: Float64Column, log_odds: Float64Column
) -> Float64Column:
    """Return how many more conversions 1,000 journeys with both channels have than without the pair's log odds: (T,).

    What journeys with both do is what the model says they do; what they would do without is found by taking the log
    odds away. It rises with the log odds, so the ends of their interval give those of the effect.
    """
    with_pair = logistic(linear_predictor)
    effects = np.zeros(len(pairs))
    for place, (one, other) in enumerate(pairs):
        both = np.flatnonzero(cells.holds(one) & cells.holds(other))
        change = with_pair[both] - logistic(linear_predictor[both] - log_odds[place])
        effects[place] = 1000 * float(change @ cells.journeys[both]) / float(cells.journeys[both].sum())
    return effects
