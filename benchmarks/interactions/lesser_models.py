"""Simpler models of interactions, to see what each part of the product's is good for.

All are logistic regressions with Firth's penalty and standard errors over customers, by the product's own solver.
"""

import numpy as np

from crosschannel.methods.cells import LENGTH_BUCKETS, Cells
from crosschannel.methods.firth import Design, column_rank, fit
from crosschannel.methods.interactions import benjamini_hochberg, pairs_that_occur
from marketing.frames import BoolColumn, Float64Column, Int64Column

FIRST_TOUCHES = np.array(LENGTH_BUCKETS)


def called_by(cells: Cells, *, length: str, strata: bool, level: float) -> list[tuple[int, int, float]]:
    """Return the pairs that a lesser model calls, by their channels, with their log odds.

    `length`: "linear", "five" (buckets, the last of five touches and more) or "fine". `strata`: whether kinds of
    customer and months are allowed for.
    """
    occurring, enough = pairs_that_occur(cells)
    pairs = occurring[enough]
    touches = FIRST_TOUCHES[cells.length].astype(np.float64)
    parts: list[BoolColumn | Float64Column] = [np.ones(len(cells))]
    if length == "linear":
        parts.append(touches)
    else:
        bucket = np.minimum(touches, 5) if length == "five" else touches
        parts += _levels(bucket)
    if strata:
        parts += [*_levels(cells.segment), *_levels(cells.month)]
    parts += [cells.holds(bit) for bit in range(len(cells.channels))]
    parts += [cells.holds(a) & cells.holds(b) for a, b in pairs]
    design = _design(parts)
    kept, _ = column_rank(design, cells.journeys)
    fitted = fit(design.only(kept), cells)
    log_odds, errors = fitted.coefficients[-len(pairs) :], fitted.standard_errors[-len(pairs) :]
    from scipy.special import ndtr

    adjusted = benjamini_hochberg(2 * ndtr(-np.abs(log_odds / errors)))
    return [
        (cells.channels[a], cells.channels[b], float(effect))
        for (a, b), effect, p in zip(pairs, log_odds, adjusted, strict=True)
        if p <= level
    ]


def _levels(stratum: Float64Column | Int64Column) -> list[BoolColumn]:
    levels = np.unique(stratum)
    return [stratum == level for level in levels[1:]]


def _design(columns: list[BoolColumn | Float64Column]) -> Design:
    rows = [np.flatnonzero(column) for column in columns]
    row = np.concatenate(rows)
    order = np.argsort(row, kind="stable")
    column = np.repeat(np.arange(len(columns)), [len(each) for each in rows])
    values = np.concatenate([np.asarray(each, np.float64)[at] for each, at in zip(columns, rows, strict=True)])
    offsets = np.append(0, np.cumsum(np.bincount(row, minlength=len(columns[0]))))
    return Design(offsets.astype(np.int64), column[order].astype(np.int64), values[order], len(columns))
