"""A quantile made as large as it can be near an allocation, exactly: it is not smooth, and has many local optima.

*Exchange*: spend moved from each channel to each other one, by steps of several sizes, as long as the quantile gains.
*Corners*: near an allocation draws are nearly linear in spend. With the draws below the quantile given, the best
allocation of a neighbourhood is a linear programme's, in a corner where draws meet; its solution says anew which draws
are below (Larsen, Mausser, Uryasev 2002, "Algorithms for optimization of value-at-risk").
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog

from weightings.methods.planning.budget_search import Search
from weightings.methods.planning.objectives import FixedTotal, TargetMarginalReturn, TargetReturn

FloatArray: TypeAlias = npt.NDArray[np.float64]

STEPS: FloatArray = 0.5 ** np.arange(1.0, 7.0)  # of exchanges, as shares of what there is to share out
MOST_EXCHANGES, LEAST_EXCHANGE_GAIN, FEWEST_DECIDING = 60, 1e-5, 500
FIRST_REACH, LAST_REACH, MOST_PROGRAMMES, MOST_ROWS = 0.1, 1e-7, 60, 300  # of linear programmes
PATIENCE, PROMISING = 4, 0.003  # programmes, and how far below another one, as a share of it, may still be good
LEAST_GAIN = 1e-12  # as a share of the objective


def best_exchange(search: Search, start: FloatArray) -> FloatArray:
    """An allocation (C,) from which no exchange of spend between two channels gains."""
    best, worth = start, search.worth(start)
    for _ in range(MOST_EXCHANGES):
        found = _exchanged(search, best)
        gained = search.worth(found)
        if not gained > worth + LEAST_EXCHANGE_GAIN * abs(worth):
            break
        best, worth = found, gained
    return best


def _exchanged(search: Search, spend: FloatArray) -> FloatArray:
    """The best allocation of those in which one channel gets what another one gives.

    Where the total is free, somebody outside may be one of the two. Of very many draws some decide, evenly spaced.
    """
    some = slice(None, None, max(1, len(search.surface.without) // FEWEST_DECIDING))
    free = np.flatnonzero(search.free)
    sizes, total, now = STEPS * search.room, float(spend.sum()), search.added(spend)[:, some]
    wanted = np.stack([spend[free, None] + sizes, spend[free, None] - sizes])  # (2, n, K): more, and less
    slack = 1e-9 * search.room
    possible = (wanted <= search.high[free, None] + slack) & (wanted >= search.low[free, None] - slack)
    wanted = np.clip(wanted, search.low[free, None], search.high[free, None])
    channels = [int(channel) for channel in free]
    added = [[search.surface.along(c, each)[:, some] for c, each in zip(channels, way, strict=True)] for way in wanted]
    changes = np.array(added) - now[free, None]  # (2, n, K, draws)
    if not isinstance(search.goal, FixedTotal):  # nobody gives, or nobody gets
        changes = np.pad(changes, ((0, 0), (0, 1), (0, 0), (0, 0)))
        possible = np.pad(possible, ((0, 0), (0, 1), (0, 0)), constant_values=True)
    best, moved = -np.inf, spend
    for taker, (more, may) in enumerate(zip(changes[0], possible[0], strict=True)):
        worths = search.worths(now.sum(axis=0) + more + changes[1], total + _spent(taker, len(free), changes, sizes))
        worths[~(may & possible[1])] = -np.inf
        if taker < len(free):
            worths[taker] = -np.inf
        giver, size = np.unravel_index(int(worths.argmax()), worths.shape)
        if worths[giver, size] > best:
            best, moved = float(worths[giver, size]), spend.copy()
            if taker < len(free):
                moved[free[taker]] = wanted[0, taker, size]
            if giver < len(free):
                moved[free[giver]] = wanted[1, giver, size]
    return moved


def _spent(taker: int, channels: int, changes: FloatArray, sizes: FloatArray) -> FloatArray:
    """How much more is spent in all (n, K), by who gives and by the step: channels behind the last are nobody."""
    gives = (np.arange(changes.shape[1]) < channels).astype(np.float64)
    return np.asarray((float(taker < channels) - gives)[:, None] * sizes)


def best_corner(search: Search, start: FloatArray, safe: FloatArray, beat: float = -np.inf) -> FloatArray:
    """From one corner of a quantile to a better one, by linear programmes of less and less reach.

    `beat`: the worth of another allocation: no time is lost on what will not become better than that.
    """
    best, worth, reach = start, search.worth(start), FIRST_REACH
    for number in range(MOST_PROGRAMMES):
        if reach < LAST_REACH or (number >= PATIENCE and worth < beat - PROMISING * abs(beat)):
            break
        step, promised = _programme(search, best, reach * search.room)
        found = search.kept(search.filled(best + step), safe)
        gain = search.worth(found) - worth
        if gain > LEAST_GAIN * abs(worth):
            best, worth = found, worth + gain
            reach = min(2 * reach, FIRST_REACH) if gain > promised / 2 else reach / 2 if gain < promised / 10 else reach
        else:
            reach /= 4
    return best


def _programme(search: Search, spend: FloatArray, reach: float) -> tuple[FloatArray, float]:
    """The step (C,) that a quantile gains most by if draws are linear, no channel's by more than `reach`; and the gain.

    The draws that are now below the quantile stay there. Of those above only the lowest can meet it.
    Unknowns: steps of the free channels in multiples of `reach`, and the two ranks that the quantile lies between.
    """
    totals, slopes = search.with_slopes(spend)
    free = np.flatnonzero(search.free)
    place, rank = search.objective.rank(len(totals))
    above = np.argsort(totals, kind="stable")[rank:][:MOST_ROWS]
    now = totals[above[0]]
    unit = abs(float(now)) or 1.0
    rows = np.zeros((len(above) + 1, len(free) + 2))
    rows[:-1, : len(free)] = -slopes[free][:, above].T * (reach / unit)
    rows[0, -2] = rows[1:-1, -1] = rows[-1, -2] = 1.0  # the lower rank is at most its draw, the upper one all others
    rows[-1, -1] = -1.0
    limits = np.append((totals[above] - now) / unit, 0.0)
    costs = np.zeros(len(free) + 2)
    costs[-2:] = -(1 - (place - rank)), -(place - rank)
    bounds = [
        (max(-1.0, low), min(1.0, high))
        for low, high in zip((search.low - spend)[free] / reach, (search.high - spend)[free] / reach, strict=True)
    ]
    fixed = isinstance(search.goal, FixedTotal)
    per_step = search.target * reach / unit
    if isinstance(search.goal, TargetMarginalReturn):
        costs[: len(free)] = per_step
    elif isinstance(search.goal, TargetReturn):
        rows = np.vstack([rows, costs + np.append(np.full(len(free), per_step), [0.0, 0.0])])
        limits = np.append(limits, (now - search.target * float(spend.sum())) / unit)
    found = linprog(
        costs,
        A_ub=rows,
        b_ub=limits,
        A_eq=np.append(np.ones(len(free)), [0.0, 0.0])[None] if fixed else None,
        b_eq=[0.0] if fixed else None,
        bounds=[*bounds, (None, None), (None, None)],
        method="highs",
    )
    step = np.zeros_like(spend)
    if found.x is None:
        return step, 0.0
    step[free] = found.x[: len(free)] * reach
    now_reached = (place - rank) * float(totals[above[min(1, len(above) - 1)]] - now) / unit
    return step, max((-float(found.fun) - now_reached) * unit, 0.0)
