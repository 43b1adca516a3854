"""Firth's regression by hand, against a plain optimiser and a dense sandwich, and columns that depend on others."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from crosschannel.methods.cells import Cells
from crosschannel.methods.firth import Design, DidNotSettle, column_rank, fit

Matrix = npt.NDArray[np.float64]


def design_like(matrix: Matrix) -> Design:
    row, column = np.nonzero(matrix)
    offsets = np.append(0, np.cumsum(np.bincount(row, minlength=len(matrix))))
    return Design(offsets.astype(np.int64), column.astype(np.int64), matrix[row, column], matrix.shape[1])


def cells_like(journeys: list[tuple[int, int, bool]], count: int) -> Cells:
    """Cells of which only the counts matter; `journeys`: (customer, cell, converted), sorted by customer."""
    customer, cell, converted = (np.array(column) for column in zip(*journeys, strict=True))
    nothing = np.zeros(count, np.int64)
    return Cells(
        channels=(),
        has_others=False,
        shares=np.zeros((count, 0), np.uint8),
        sets=np.zeros(count, np.uint64),
        length=nothing,
        segment=nothing,
        month=nothing,
        journeys=np.bincount(cell, minlength=count).astype(np.float64),
        conversions=np.bincount(cell, converted, count).astype(np.float64),
        customer_offsets=np.append(np.flatnonzero(np.diff(customer, prepend=-1)), len(customer)).astype(np.int64),
        cell=cell.astype(np.int64),
        converted=converted.astype(np.bool_),
    )


def counted(*cells: tuple[int, int]) -> Cells:
    """Journeys and conversions of each cell, each journey by a customer of its own."""
    journeys = [(number, conversions) for number, conversions in cells]
    rows = [
        (cell, place < conversions) for cell, (number, conversions) in enumerate(journeys) for place in range(number)
    ]
    return cells_like([(customer, cell, converted) for customer, (cell, converted) in enumerate(rows)], len(cells))


TWO_BY_TWO = np.array([[1, 0, 0, 0], [1, 1, 0, 0], [1, 0, 1, 0], [1, 1, 1, 1]], np.float64)


def test_a_saturated_table_has_half_a_conversion_more_in_each_cell() -> None:
    """With a parameter for each cell every leverage is one, so Firth's penalty adds one half to both counts."""
    table = ((100, 10), (80, 20), (60, 9), (50, 25))
    odds = [np.log((k + 0.5) / (n - k + 0.5)) for n, k in table]
    fitted = fit(design_like(TWO_BY_TWO), counted(*table))
    expected = [odds[0], odds[1] - odds[0], odds[2] - odds[0], odds[3] - odds[1] - odds[2] + odds[0]]
    assert fitted.coefficients == pytest.approx(expected, abs=1e-7)
    # Its own standard error: the counts of the cells, at the fitted rates.
    rates = 1 / (1 + np.exp(-np.array(odds)))
    variance = sum(1 / (n * p * (1 - p)) for (n, _), p in zip(table, rates, strict=True))
    assert fitted.standard_errors[3] >= np.sqrt(variance) * (1 - 1e-9)


def test_all_or_none_converting_stays_finite_and_is_not_taken_as_certain() -> None:
    fitted = fit(design_like(TWO_BY_TWO), counted((1000, 100), (200, 20), (200, 20), (60, 0)))
    assert np.isfinite(fitted.coefficients).all()
    assert fitted.coefficients[3] < -1
    assert fitted.standard_errors[3] > 1.0  # residuals alone would say 0.2


@st.composite
def problems(draw: st.DrawFn) -> tuple[Matrix, list[tuple[int, int, bool]]]:
    cells, columns = draw(st.integers(4, 8)), draw(st.integers(1, 4))
    numbers = st.sampled_from([0.0, 1.0, 0.5])
    matrix = np.array(
        draw(st.lists(st.lists(numbers, min_size=columns, max_size=columns), min_size=cells, max_size=cells))
    )
    matrix = np.column_stack([np.ones(cells), matrix])
    entries = st.tuples(st.integers(0, 12), st.integers(0, cells - 1), st.booleans())
    journeys = sorted(draw(st.lists(entries, min_size=20, max_size=60)))
    return matrix, journeys


@given(problems(), st.booleans())
@settings(deadline=None, max_examples=40)
def test_estimates_and_errors_equal_a_dense_computation(
    problem: tuple[Matrix, list[tuple[int, int, bool]]], with_prior: bool
) -> None:
    matrix, journeys = problem
    cells = cells_like(journeys, len(matrix))
    seen = np.flatnonzero(cells.journeys)
    if np.linalg.matrix_rank(matrix[seen], tol=1e-3) < matrix.shape[1]:
        return
    precision = np.full(matrix.shape[1], 2.0) * with_prior
    fitted = fit(design_like(matrix), cells, precision=precision)

    def penalised(coefficients: Matrix) -> float:
        predictor = matrix @ coefficients
        p = 1 / (1 + np.exp(-predictor))
        information = (matrix.T * (cells.journeys * p * (1 - p))) @ matrix + np.diag(precision)
        likelihood = cells.conversions @ predictor - cells.journeys @ np.logaddexp(0, predictor)
        value = likelihood + 0.5 * np.linalg.slogdet(information)[1] - 0.5 * float(precision @ coefficients**2)
        return -float(value)

    assert penalised(fitted.coefficients) <= minimize(penalised, np.zeros(matrix.shape[1])).fun + 1e-6

    p = 1 / (1 + np.exp(-matrix @ fitted.coefficients))
    bread = np.linalg.inv((matrix.T * (cells.journeys * p * (1 - p))) @ matrix + np.diag(precision))
    scatter = np.diag(precision).astype(np.float64)
    customers = sorted({customer for customer, _, _ in journeys})
    for customer in customers:
        score = np.zeros(matrix.shape[1])
        for who, cell, converted in journeys:
            if who == customer:
                leverage = min(p[cell] * (1 - p[cell]) * matrix[cell] @ bread @ matrix[cell], 0.5)
                score += matrix[cell] * (converted - p[cell]) / (1 - leverage)
        scatter += np.outer(score, score) * len(customers) / max(len(customers) - 1, 1)
    covariance = bread @ scatter @ bread
    np.testing.assert_allclose(fitted.covariance, covariance, rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(
        fitted.standard_errors, np.sqrt(np.maximum(np.diag(covariance), np.diag(bread))), rtol=1e-5
    )


def test_several_threads_change_nothing() -> None:
    cells, design = counted((100, 10), (80, 20), (60, 9), (50, 25)), design_like(TWO_BY_TWO)
    one, three = fit(design, cells), fit(design, cells, threads=3)
    np.testing.assert_array_equal(three.coefficients, one.coefficients)
    np.testing.assert_array_equal(three.covariance, one.covariance)


def test_a_column_that_others_make_up_is_left_out_and_blurs_them() -> None:
    """Of A, B, C and the sum of A and B, the last is dropped, and neither A nor B is what it seems."""
    base = np.array([[1, a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)], np.float64)
    kept, blurred = column_rank(design_like(np.column_stack([base, base[:, 1] + base[:, 2]])), np.ones(8))
    assert kept.tolist() == [0, 1, 2, 3]
    assert blurred.tolist() == [False, True, True, False, True]


def test_independent_columns_are_all_kept_and_clear() -> None:
    kept, blurred = column_rank(design_like(TWO_BY_TWO), np.array([100.0, 80.0, 60.0, 50.0]))
    assert kept.tolist() == [0, 1, 2, 3]
    assert not blurred.any()


@given(st.integers(0, 2**32 - 1), st.integers(2, 6), st.integers(0, 3))
@settings(deadline=None, max_examples=30)
def test_what_depends_on_columns_before_it_is_found(seed: int, independent: int, dependent: int) -> None:
    rng = np.random.default_rng(seed)
    free = rng.integers(0, 3, (40, independent)).astype(np.float64)
    made = free @ rng.integers(-2, 3, (independent, dependent))
    matrix = np.column_stack([free, made])[:, rng.permutation(independent + dependent)]
    matrix = matrix[:, matrix.any(axis=0)]
    kept, blurred = column_rank(design_like(matrix), np.ones(40))
    expected = [
        column
        for column in range(matrix.shape[1])
        if np.linalg.matrix_rank(matrix[:, : column + 1]) > np.linalg.matrix_rank(matrix[:, :column])
    ]
    assert kept.tolist() == expected
    # What is left of the others cannot be changed without changing the products.
    null = np.linalg.svd(matrix)[2][len(kept) :]
    assert blurred.tolist() == (np.abs(null) > 1e-6).any(axis=0).tolist()


def test_an_estimate_near_the_answer_leads_to_it() -> None:
    cells, design = counted((100, 10), (80, 20), (60, 9), (50, 25)), design_like(TWO_BY_TWO)
    from_afar = fit(design, cells)
    near = fit(design, cells, start=from_afar.coefficients + 0.1)
    assert near.coefficients == pytest.approx(from_afar.coefficients, abs=1e-6)


def test_an_estimate_that_does_not_settle_is_not_passed_off_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crosschannel.methods.firth.MOST_STEPS", 1)
    with pytest.raises(DidNotSettle, match="had not settled after 1 steps"):
        fit(design_like(TWO_BY_TWO), counted((100, 10), (80, 20), (60, 9), (50, 25)))
