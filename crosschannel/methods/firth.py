"""Logistic regression on counted cells with Firth's penalty, and standard errors that allow for repeated customers."""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from crosschannel.methods.cells import Cells
from marketing.frames import BoolColumn, Float64Column, Float64Table, Int64Column

MOST_STEPS, MOST_HALVINGS = 100, 30
LONGEST_STEP = 4.0  # of a coefficient, in log odds: far more than any effect, and near enough for Newton's method
REMEMBERED = 20  # steps, from which the next ones learn what the penalty adds to the curvature
SETTLED = 1e-6  # standard errors
PARTS = 4  # of the rows, whatever the number of threads: sums then round alike on every machine
HIGHEST_LEVERAGE = 0.5  # by which a residual is enlarged: no more than twofold
LEAST_OF_ITS_OWN = 1e-8  # of a column's variation that no column before it explains
LEAST_SHARE = 1e-6  # of another column in what a dependent one consists of

Part = TypeVar("Part")


class DidNotSettle(ArithmeticError):
    """The estimate kept moving."""


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """A sparse matrix (K, size): row k has `values[offsets[k]:offsets[k+1]]` in `columns[...]`, which ascend."""

    offsets: Int64Column
    columns: Int64Column
    values: Float64Column
    size: int

    def only(self, kept: Int64Column) -> "Design":
        """The design with these columns only; ascending."""
        if len(kept) == self.size:
            return self
        place = np.full(self.size, -1, np.int64)
        place[kept] = np.arange(len(kept))
        stays = place[self.columns] >= 0
        offsets = np.concatenate([[0], np.cumsum(stays)])[self.offsets]
        return Design(offsets, place[self.columns[stays]], self.values[stays], len(kept))

    def times(self, vector: Float64Column) -> Float64Column:
        """Its product with a vector (size,): (K,)."""
        from crosschannel.methods.interactions_kernel import multiply  # here: numba takes a second to import

        products = np.empty(len(self.offsets) - 1)
        multiply(products, self.offsets, self.columns, self.values, vector)
        return products

    def sums(self, weight: Float64Column) -> Float64Column:
        """The sum of its rows, each times its weight (K,): (size,)."""
        from crosschannel.methods.interactions_kernel import add_columns

        sums = np.zeros(self.size)
        add_columns(sums, self.offsets, self.columns, self.values, weight)
        return sums

    def information(self, weight: Float64Column, threads: int) -> Float64Table:
        """X' diag(weight) X, (size, size)."""
        from crosschannel.methods.interactions_kernel import add_information

        def add(begin: int, end: int) -> Float64Table:
            part = np.zeros((self.size, self.size))
            add_information(part, self.offsets, self.columns, self.values, weight, begin, end)
            return part

        return _symmetric(_in_parts(add, len(weight), threads))

    def forms(self, matrix: Float64Table, threads: int) -> Float64Column:
        """x' M x of each row: (K,)."""
        from crosschannel.methods.interactions_kernel import quadratic_forms

        forms = np.empty(len(self.offsets) - 1)

        def write(begin: int, end: int) -> None:
            quadratic_forms(forms, matrix, self.offsets, self.columns, self.values, begin, end)

        _in_parts(write, len(forms), threads)
        return forms


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """`coefficients`, `standard_errors`: (P,), log odds; `covariance`: (P, P), over customers.

    `linear_predictor`: (K,), log odds of each cell.
    """

    coefficients: Float64Column
    covariance: Float64Table
    standard_errors: Float64Column
    linear_predictor: Float64Column


@dataclass(frozen=True, slots=True, eq=False)
class _Point:
    """The penalised likelihood at some coefficients, its gradient, and what the next step takes."""

    likelihood: float
    linear_predictor: Float64Column
    probability: Float64Column
    inverse: Float64Table
    forms: Float64Column
    score: Float64Column


class _Curvature:
    """What the last steps say of the penalised likelihood's second derivatives, beside the information matrix.

    That matrix knows nothing of the penalty, which outweighs the data where few journeys, or journeys that all convert,
    decide: steps by it alone lead too far, or hardly on. Source: L-BFGS with the matrix as its first guess (Nocedal and
    Wright 2006, Numerical Optimization, algorithm 7.4).
    """

    def __init__(self) -> None:
        self._steps: deque[tuple[Float64Column, Float64Column]] = deque(maxlen=REMEMBERED)

    def learn(self, step: Float64Column, change: Float64Column) -> None:
        """Note how the score fell, by `change` (P,), along a step (P,); where it rose, nothing is to be learned."""
        if step @ change > 0:
            self._steps.append((step, change))

    def step(self, score: Float64Column, inverse: Float64Table) -> Float64Column:
        """The way to the maximum: (P,). `inverse`: that of the information."""
        rest, along = score.copy(), []
        for taken, change in reversed(self._steps):
            along.append(float(taken @ rest) / float(taken @ change))
            rest -= along[-1] * change
        step: Float64Column = inverse @ rest
        for (taken, change), share in zip(self._steps, reversed(along), strict=True):
            step += (share - float(change @ step) / float(taken @ change)) * taken
        return step


def fit(
    design: Design,
    cells: Cells,
    *,
    precision: Float64Column | None = None,
    start: Float64Column | None = None,
    settled: float = SETTLED,
    threads: int = 1,
) -> Fitted:
    """Maximise the penalised likelihood. The columns must be independent (`column_rank`).

    `precision`: (P,), of a normal prior around zero for each coefficient, 0 for none; what the prior may be wrong by
    is in the covariance. `start`: (P,), coefficients near the answer. `settled`: by how many standard errors a further
    step may still move a coefficient. Raises DidNotSettle.
    """
    prior = np.zeros(design.size) if precision is None else precision
    coefficients = _usual(design, cells) if start is None else start
    point, curvature = _at(coefficients, design, cells, prior, threads), _Curvature()
    for _step in range(MOST_STEPS):
        step = curvature.step(point.score, point.inverse)
        if step @ point.score <= settled**2:  # the square of what moves any coefficient, in standard errors, at most
            covariance = _covariance(point, design, cells, prior, threads)
            errors = np.sqrt(np.maximum(np.diag(covariance), np.diag(point.inverse)))
            return Fitted(coefficients, covariance, errors, point.linear_predictor)
        step *= min(1.0, LONGEST_STEP / float(np.abs(step).max()))
        for _halving in range(MOST_HALVINGS):
            following = _at(coefficients + step, design, cells, prior, threads)
            if following.likelihood >= point.likelihood - 1e-9 * abs(point.likelihood):
                break
            step /= 2
        curvature.learn(step, point.score - following.score)
        coefficients, point = coefficients + step, following
    raise DidNotSettle(f"The estimate had not settled after {MOST_STEPS} steps.")


def column_rank(design: Design, journeys: Float64Column, threads: int = 1) -> tuple[Int64Column, BoolColumn]:
    """Return the columns that do not depend on those before them, and which columns cannot be told apart: (P,) bool.

    A column that depends on others blurs all that it consists of: effects could be moved between them at will.
    """
    from crosschannel.methods.interactions_kernel import eliminate  # here: numba takes a second to import

    information = design.information(journeys, threads)
    scale = np.sqrt(np.diag(information))
    if not scale.all():
        raise ValueError("A column of the design is empty.")
    rest = information / scale / scale[:, None]
    whole, independent = rest.copy(), np.zeros(design.size, np.bool_)
    try:
        own = np.diag(np.linalg.cholesky(rest)) ** 2
    except np.linalg.LinAlgError:
        own = np.zeros(design.size)
    if own.min(initial=1.0) > LEAST_OF_ITS_OWN:
        return np.arange(design.size), np.zeros(design.size, np.bool_)
    eliminate(rest, independent, LEAST_OF_ITS_OWN)
    kept, dropped = np.flatnonzero(independent), np.flatnonzero(~independent)
    consists = np.linalg.solve(whole[np.ix_(kept, kept)], whole[np.ix_(kept, dropped)])
    blurred = ~independent
    blurred[kept] = (np.abs(consists) > LEAST_SHARE).any(axis=1)
    return kept, blurred


def logistic(log_odds: Float64Column) -> Float64Column:
    """The probability of each log odds."""
    from scipy.special import expit  # here: pages must not wait for it

    probability: Float64Column = expit(log_odds)
    return probability


def _usual(design: Design, cells: Cells) -> Float64Column:
    """Coefficients by which all journeys convert alike: (P,), the first of the intercept."""
    rate = (cells.conversions.sum() + 0.5) / (cells.journeys.sum() + 1.0)
    coefficients = np.zeros(design.size)
    coefficients[0] = np.log(rate / (1 - rate))
    return coefficients


def _at(coefficients: Float64Column, design: Design, cells: Cells, prior: Float64Column, threads: int) -> _Point:
    predictor = design.times(coefficients)
    probability = logistic(predictor)
    weight = cells.journeys * probability * (1 - probability)
    information = design.information(weight, threads)
    information[np.diag_indices_from(information)] += prior
    half_log_determinant, inverse = _inverse(information)
    likelihood = float(cells.conversions @ predictor - cells.journeys @ np.logaddexp(0.0, predictor))
    likelihood += half_log_determinant - 0.5 * float(prior @ coefficients**2)
    forms = design.forms(inverse, threads)
    residual = cells.conversions - cells.journeys * probability + weight * forms * (0.5 - probability)
    return _Point(
        likelihood=likelihood,
        linear_predictor=predictor,
        probability=probability,
        inverse=inverse,
        forms=forms,
        score=design.sums(residual) - prior * coefficients,
    )


def _inverse(information: Float64Table) -> tuple[float, Float64Table]:
    """Half the logarithm of a symmetric matrix's determinant, and its inverse; minus infinity where it has none."""
    from scipy.linalg.lapack import dpotrf, dpotri  # here: pages must not wait for it

    factor, failed = dpotrf(information, lower=True)
    if failed:
        return -np.inf, information
    lower, _failed = dpotri(factor, lower=True)
    return float(np.log(np.diag(factor)).sum()), _symmetric([lower])


def _covariance(point: _Point, design: Design, cells: Cells, prior: Float64Column, threads: int) -> Float64Table:
    """The sandwich over customers, with what the prior adds."""
    probability = point.probability
    leverage = np.minimum(probability * (1 - probability) * point.forms, HIGHEST_LEVERAGE)
    if_converted, if_not = (1 - probability) / (1 - leverage), -probability / (1 - leverage)
    several = np.diff(cells.customer_offsets) > 1
    customers = len(several)
    scatter = _of_single_journeys(design, cells, ~several, if_converted, if_not, threads)
    scatter += _of_several_journeys(design, cells, several, if_converted, if_not, threads)
    scatter *= customers / max(customers - 1, 1)
    scatter[np.diag_indices_from(scatter)] += prior
    covariance: Float64Table = point.inverse @ scatter @ point.inverse
    return covariance


def _of_single_journeys(
    design: Design,
    cells: Cells,
    single: BoolColumn,
    if_converted: Float64Column,
    if_not: Float64Column,
    threads: int,
) -> Float64Table:
    """The outer products of the scores of customers with one journey, which cells count together."""
    journey = cells.customer_offsets[:-1][single]
    cell, converted = cells.cell[journey], cells.converted[journey]
    journeys = np.bincount(cell, minlength=len(cells))
    conversions = np.bincount(cell, converted, len(cells))
    weight = conversions * if_converted**2 + (journeys - conversions) * if_not**2
    return design.information(weight, threads)


def _of_several_journeys(
    design: Design,
    cells: Cells,
    several: BoolColumn,
    if_converted: Float64Column,
    if_not: Float64Column,
    threads: int,
) -> Float64Table:
    from crosschannel.methods.interactions_kernel import add_scores

    begins, ends = cells.customer_offsets[:-1][several], cells.customer_offsets[1:][several]

    def add(first: int, last: int) -> Float64Table:
        part = np.zeros((design.size, design.size))
        add_scores(
            part,
            begins[first:last],
            ends[first:last],
            cells.cell,
            cells.converted,
            if_converted,
            if_not,
            design.offsets,
            design.columns,
            design.values,
        )
        return part

    return _symmetric(_in_parts(add, len(begins), threads))


def _symmetric(parts: Sequence[Float64Table]) -> Float64Table:
    """The sum of symmetric matrices, of which only the lower triangles are there; the first is overwritten."""
    whole = parts[0]
    for part in parts[1:]:
        whole += part
    whole += np.tril(whole, -1).T
    return whole


def _in_parts(act: Callable[[int, int], Part], rows: int, threads: int) -> list[Part]:
    """Act on equal parts of the rows, several at once; what came of each, in their order."""
    edges = np.linspace(0, rows, PARTS + 1).astype(np.int64).tolist()
    if threads == 1:
        return list(map(act, edges[:-1], edges[1:]))
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(act, edges[:-1], edges[1:]))
