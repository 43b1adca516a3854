"""Replicates of aggregated paths: what they are in the mean, how much they vary, and what changes nothing."""

import numpy as np
import pytest

from attribution.methods import customer_statistics
from attribution.methods.bootstrap_paths import bootstrap_paths
from attribution.methods.markov import MarkovModel, markov_credit
from attribution.methods.path_rules import path_rule_credit
from attribution.methods.replicates import Model, Replicates
from attribution.methods.rules import LAST, PARTICIPATION, RULE_MODELS, RuleModel
from attribution.methods.shapley import ShapleyModel, shapley_credit
from marketing.frames import PathTable
from tests.attribution.chains import PathRow, table_of

GROUPS = 3
DIRECT = np.array([True, False, False])
RULES: tuple[RuleModel, ...] = (*RULE_MODELS.values(), PARTICIPATION)
MODELS: tuple[Model, ...] = (*RULES, MarkovModel("markov:1"), MarkovModel("markov:2", order=2), ShapleyModel("shapley"))
ROWS = [
    PathRow((0,), 30, 100, 300),
    PathRow((1,), 12, 60, 90),
    PathRow((0, 1), 25, 40, 400),
    PathRow((2, 1, 0), 8, 0, 250),
    PathRow((2, 2), 0, 35, 0),
]


def drawn(paths: PathTable, models: tuple[Model, ...] = MODELS, *, replicates: int = 200, seed: int = 3) -> Replicates:
    return bootstrap_paths(paths=paths, models=models, direct=DIRECT, replicates=replicates, seed=seed)


def of_rows(rows: list[PathRow], *models: Model, replicates: int = 200) -> Replicates:
    return drawn(table_of(rows, GROUPS), models or MODELS, replicates=replicates)


def test_the_estimate_is_the_credit_of_the_paths() -> None:
    table = table_of(ROWS, GROUPS)
    found = drawn(table)
    rules = path_rule_credit(paths=table, models=RULES, direct=DIRECT)
    credit = [
        *zip(rules.conversions[:, :GROUPS], rules.value[:, :GROUPS], strict=True),
        *(
            (each.conversions, each.value)
            for each in (
                markov_credit(paths=table, model=MarkovModel("markov:1")),
                markov_credit(paths=table, model=MarkovModel("markov:2", order=2)),
                shapley_credit(paths=table, model=ShapleyModel("shapley")),
            )
        ),
    ]
    np.testing.assert_allclose(found.credited_conversions.estimate[:, :GROUPS], [each for each, _ in credit])
    np.testing.assert_allclose(found.credited_value.estimate[:, :GROUPS], [each for _, each in credit])
    assert not found.conversions[..., -1].any()
    assert found.converting_customers == 75


def test_every_model_that_adds_up_hands_out_the_total_of_each_replicate() -> None:
    found = of_rows(ROWS, *(model for model in MODELS if model != PARTICIPATION))
    totals = np.tile(found.total_conversions.lanes[:, None], len(found.models))
    np.testing.assert_allclose(found.credited_conversions.lanes.sum(axis=2), totals)
    assert found.total_conversions.replicates.std() > 0


def test_conversions_vary_as_though_each_was_another_customers() -> None:
    """Rule credit of path p is share x n, n a Poisson variable: its variance is the sum of share^2 x n."""
    found = of_rows(ROWS, RULE_MODELS["last"], RULE_MODELS["linear"], replicates=8000)
    variance = found.conversions.var(axis=0)[:, :GROUPS]
    np.testing.assert_allclose(variance[0], [30 + 8, 12 + 25, 1e-12], rtol=0.06, atol=1e-9)
    np.testing.assert_allclose(variance[1], [30 + 25 / 4 + 8 / 9, 12 + 25 / 4 + 8 / 9, 8 / 9], rtol=0.06)


def test_null_paths_vary_too() -> None:
    """With ten thousand conversions and forty null paths, it is these that move the removal effect's denominator."""
    found = of_rows([PathRow((0,), 10, 40, 10)], MarkovModel("markov:1"), replicates=4000)
    rate = found.explained["markov:1"]["conversion_rate"].replicates
    assert rate.mean() == pytest.approx(0.2, abs=0.01)
    assert rate.std() == pytest.approx(np.sqrt(0.2 * 0.8 / 50), rel=0.06)


def test_value_follows_the_conversions_of_its_path() -> None:
    found = of_rows([PathRow((0,), 4, 0, 100), PathRow((1,), 0, 3, 7)], RULE_MODELS["last"])
    np.testing.assert_allclose(found.value[:, 0, 0], 25 * found.conversions[:, 0, 0])
    assert (found.value[:, 0, 1] == 7).all()  # worth something without a conversion: nothing to vary by


def test_weights_that_are_no_whole_numbers_are_rates() -> None:
    half, whole = (of_rows([PathRow((0,), n, 0, 1)], RULE_MODELS["last"], replicates=8000) for n in (2.5, 10))
    for found, rate in ((half, 2.5), (whole, 10)):
        assert found.conversions[:, 0, 0].mean() == pytest.approx(rate, rel=0.04)
        assert found.conversions[:, 0, 0].var() == pytest.approx(rate, rel=0.06)


def test_the_order_of_paths_changes_nothing() -> None:
    # Not by `table_of`, which sorts: the very columns in another order.
    one, turned = (
        PathTable(
            offsets=np.concatenate([[0], np.cumsum([len(row.steps) for row in rows])]),
            steps=np.concatenate([np.array(row.steps, np.int64) for row in rows]),
            groups=GROUPS,
            conversions=np.array([row.conversions for row in rows], np.float64),
            value=np.array([row.value for row in rows], np.float64),
            nulls=np.array([row.nulls for row in rows], np.float64),
        )
        for rows in (ROWS, ROWS[::-1])
    )
    assert np.array_equal(drawn(one).credited_value.lanes, drawn(turned).credited_value.lanes)


def test_the_size_of_blocks_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = of_rows(ROWS)
    monkeypatch.setattr(customer_statistics, "JOURNEYS_AT_ONCE", 2)
    in_pieces = of_rows(ROWS)
    np.testing.assert_allclose(in_pieces.credited_value.lanes, at_once.credited_value.lanes)


def test_another_seed_draws_others() -> None:
    table = table_of(ROWS, GROUPS)
    assert not np.array_equal(drawn(table).conversions, drawn(table, seed=4).conversions)


def test_tables_of_other_periods_are_drawn_independently_under_one_seed() -> None:
    """They have no customers in common; drawn from one stream, totals of these two were correlated by a third."""
    later = [PathRow(row.steps, row.conversions * 1.1, row.value * 1.1, row.nulls * 1.1) for row in ROWS]
    totals = [of_rows(rows, LAST, replicates=2000).total_conversions.replicates for rows in (ROWS, later)]
    one, other = ((total - total.mean()) / total.std() for total in totals)
    assert abs((one * other).mean()) < 4 / np.sqrt(2000), "correlated"


def test_no_paths_give_no_credit() -> None:
    found = of_rows([])
    assert found.conversions.shape == (200, len(MODELS), GROUPS + 1)
    assert not found.conversions.any()


def test_paths_that_never_convert_give_no_credit() -> None:
    assert not of_rows([PathRow((0, 1), 0, 20, 0)]).conversions.any()


def test_progress_rises_to_the_whole() -> None:
    told: list[float] = []
    table = table_of(ROWS, GROUPS)
    bootstrap_paths(paths=table, models=MODELS, direct=DIRECT, replicates=100, seed=1, on_progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1


def test_one_replicate_is_refused() -> None:
    with pytest.raises(ValueError, match="needs 2 replicates or more"):
        of_rows(ROWS, replicates=1)


def test_a_model_asked_for_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="once only"):
        of_rows(ROWS, MODELS[0], MODELS[0])
