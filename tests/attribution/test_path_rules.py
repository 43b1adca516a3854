"""Rule models of aggregated paths: by hand, against journeys one by one, and against known answers."""

from collections.abc import Mapping
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attribution.methods.path_rules import path_rule_credit
from attribution.methods.rules import MORE_RULE_MODELS, RULE_MODELS, RuleCredit, position, rule_credit, time_decay
from marketing.frames import Journeys, PathTable, Touches
from tests.attribution.synth_paths import expected, needs_reference, synth_paths
from tests.marketing.rows import DAY_US

Rows = Mapping[tuple[int, ...], tuple[float, float]]  # conversions and value of each path
MODELS = {**RULE_MODELS, **MORE_RULE_MODELS, "time_decay:2": time_decay(2), "position:10-0-90": position(10, 0, 90)}
DIRECT = 2
GROUPS = 4


def table(rows: Rows) -> PathTable:
    conversions, value = np.array(list(rows.values()), np.float64).reshape(-1, 2).T.copy()
    return PathTable(
        offsets=np.concatenate([[0], np.cumsum([len(path) for path in rows], dtype=np.int64)]),
        steps=np.array([step for path in rows for step in path], np.int64),
        groups=GROUPS,
        conversions=conversions,
        value=value,
        nulls=np.ones(len(rows)),
    )


def credit_of(rows: Rows) -> RuleCredit:
    direct = np.arange(GROUPS) == DIRECT
    return path_rule_credit(paths=table(rows), models=tuple(MODELS.values()), direct=direct)


def by_model(credit: RuleCredit) -> dict[str, list[float]]:
    return dict(zip(credit.models, credit.conversions.tolist(), strict=True))


def one_by_one(rows: Mapping[tuple[int, ...], int]) -> RuleCredit:
    """Credit of journeys whose touches lie a day apart, one for each conversion, each worth 2.5."""
    paths = [path for path, conversions in rows.items() for _ in range(conversions)]
    offsets = np.concatenate([[0], np.cumsum([len(path) for path in paths], dtype=np.int64)])
    days = np.concatenate([[0], *(np.arange(len(path)) for path in paths)])[1:].astype(np.int64)
    touches = Touches(
        customer_ids=np.arange(len(paths)),
        offsets=offsets,
        touched_at=days * DAY_US,
        source=np.array([step for path in paths for step in path], np.uint32),
        interaction=np.zeros(len(days), np.uint8),
    )
    journeys = Journeys(
        touches=touches,
        start=offsets[:-1],
        stop=offsets[1:],
        customer=np.arange(len(paths)),
        customers=len(paths),
        anchor_at=np.full(len(paths), 365 * DAY_US),
        converted=np.ones(len(paths), np.bool_),
        value=np.full(len(paths), 2.5),
    )
    return rule_credit(
        journeys=journeys,
        models=tuple(MODELS.values()),
        group_of_source=np.arange(GROUPS),
        groups=GROUPS,
        direct_source=np.arange(GROUPS) == DIRECT,
    )


steps = st.lists(st.integers(0, GROUPS - 1), min_size=1, max_size=7).map(tuple)


def test_each_model_worked_by_hand() -> None:
    credit = by_model(credit_of({(0, 1, 0, 2): (10, 0)}))
    thirds = [10 / 3, 10 / 3, 10 / 3, 0, 0]
    assert credit["first"] == [10, 0, 0, 0, 0]
    assert credit["last"] == [0, 0, 10, 0, 0]
    assert credit["linear"] == [5, 2.5, 2.5, 0, 0]
    assert credit["position"] == pytest.approx([5, 1, 4, 0, 0])
    assert credit["position:10-0-90"] == pytest.approx([1, 0, 9, 0, 0])
    assert credit["j_shape"] == pytest.approx([3, 1, 6, 0, 0])
    assert credit["inverse_j"] == pytest.approx([7, 1, 2, 0, 0])
    assert credit["w_shape"] == pytest.approx(credit["position"])
    assert credit["last_non_direct"] == [10, 0, 0, 0, 0]
    assert credit["participation"] == [10, 10, 10, 0, 0]
    assert credit["shapley:simplified"] == pytest.approx(thirds)
    parts = np.exp2([-3 / 7, -2 / 7, -1 / 7, 0])
    shares = 10 * parts / parts.sum()
    assert credit["time_decay"] == pytest.approx([shares[0] + shares[2], shares[1], shares[3], 0, 0])


def test_a_step_counts_as_a_day() -> None:
    # Weights 1/2, 1/√2 and 1 with a half-life of two days.
    total = 0.5 + 0.5**0.5 + 1
    assert by_model(credit_of({(0, 1, 3): (1, 0)}))["time_decay:2"] == pytest.approx(
        [0.5 / total, 0.5**0.5 / total, 0, 1 / total, 0]
    )


@settings(deadline=None)  # the first call loads compiled loops
@given(st.dictionaries(steps, st.integers(0, 5), max_size=8))
def test_aggregated_paths_get_what_their_journeys_get(rows: dict[tuple[int, ...], int]) -> None:
    aggregated = credit_of({path: (conversions, 2.5 * conversions) for path, conversions in rows.items()})
    apart = one_by_one(rows)
    assert aggregated.conversions == pytest.approx(apart.conversions, abs=1e-12)
    assert aggregated.value == pytest.approx(apart.value, abs=1e-12)
    assert aggregated.not_adding_up == apart.not_adding_up == {"participation"}


weight = st.fractions(0, 9, max_denominator=8)


@settings(deadline=None)  # the first call loads compiled loops
@given(st.dictionaries(steps, st.tuples(weight, weight | weight.map(lambda number: -number)), max_size=8))
def test_credit_adds_up_to_fractional_conversions_and_to_value_without_any(
    rows: dict[tuple[int, ...], tuple[Fraction, Fraction]],
) -> None:
    credit = credit_of({path: (float(conversions), float(value)) for path, (conversions, value) in rows.items()})
    totals = [float(sum(column)) for column in zip(*rows.values(), strict=True)] or [0.0, 0.0]
    for row, model in enumerate(credit.models):
        if model != "participation":
            assert credit.conversions[row].sum() == pytest.approx(totals[0], abs=1e-12)
            assert credit.value[row].sum() == pytest.approx(totals[1], abs=1e-12)


def test_paths_without_conversions_or_value_count_for_nothing() -> None:
    rows: Rows = {(0, 1): (3, 30)}
    assert by_model(credit_of({**rows, (2, 3): (0, 0)})) == by_model(credit_of(rows))


def test_no_path_credits_nobody() -> None:
    assert not credit_of({}).conversions.any()


COLUMN_OF_MODEL = {
    "first": "first",
    "last": "last",
    "linear": "linear",
    "position": "u_40_20_40",
    "j_shape": "j_20_20_60",
    "inverse_j": "invj_60_20_20",
    "last_non_direct": "last_non_direct",
    "participation": "participation",
}


@pytest.fixture(scope="module")
def synth_credit() -> RuleCredit:
    paths, channels = synth_paths()
    models = tuple(RULE_MODELS.values()) + tuple(MORE_RULE_MODELS.values())
    direct = np.array([channel == "Direct" for channel in channels])
    return path_rule_credit(paths=paths, models=models, direct=direct)


@needs_reference
@pytest.mark.parametrize("model", COLUMN_OF_MODEL)
def test_simulated_customers_get_the_independently_computed_credit(model: str, synth_credit: RuleCredit) -> None:
    row, (_paths, channels) = synth_credit.models.index(model), synth_paths()
    for quantity, credit in (("conversions", synth_credit.conversions), ("revenue", synth_credit.value)):
        known = expected(f"rule_models_{quantity}")
        column = [known[channel][COLUMN_OF_MODEL[model]] for channel in channels]
        assert credit[row].tolist() == pytest.approx([*column, 0.0], abs=1e-6)


@needs_reference
def test_the_simplified_shapley_value_is_linear_over_distinct_channels(synth_credit: RuleCredit) -> None:
    row, (_paths, channels) = synth_credit.models.index("shapley:simplified"), synth_paths()
    known = expected("shapley_simplified_setlinear")
    assert synth_credit.conversions[row, :-1] == pytest.approx([known[name]["credit"] for name in channels], abs=1e-6)
