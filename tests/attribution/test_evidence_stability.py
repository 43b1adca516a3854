"""Shares over time: worked by hand, against one run a part, and how often chance is taken for movement."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from attribution.methods.rules import FIRST, LAST, LINEAR, RuleModel, rule_credit
from attribution.methods.stability import Stability, stability
from marketing.frames import Int64Column, Journeys
from tests.attribution.evidence_worlds import DIRECT_SOURCE, GROUP_OF_SOURCE, LABELS, journeys_of, shop, worlds
from tests.marketing.rows import DAY_US, Outcome, Touch

SEARCH, DISPLAY, NONE = 1, 2, 3
GROUPS = len(LABELS)
QUARTERS = np.array([0, 91, 182, 273, 365]) * DAY_US


def shares_of(
    journeys: Journeys, edges_us: Int64Column, models: Sequence[RuleModel] = (LINEAR,), *, by_value: bool = False
) -> Stability:
    return stability(
        journeys=journeys,
        edges_us=edges_us,
        models=models,
        group_of_source=GROUP_OF_SOURCE,
        groups=GROUPS,
        direct_source=DIRECT_SOURCE,
        by_value=by_value,
    )


def two_parts() -> Journeys:
    """Search brings all of the first ten days; of the next, Search 10 and Display 30, and one comes by itself."""
    touches = [Touch(0, DAY_US, 1), Touch(1, 11 * DAY_US, 1), Touch(2, 11 * DAY_US, 2)]
    outcomes = [
        *(Outcome(0, 2 * DAY_US, 50.0), Outcome(1, 12 * DAY_US, 10.0)),
        *(Outcome(2, 12 * DAY_US, 30.0), Outcome(3, 12 * DAY_US, 40.0)),
    ]
    return journeys_of(touches, outcomes)


def test_shares_of_each_part_add_up_to_one() -> None:
    edges = np.array([0, 10, 20]) * DAY_US
    by_count, by_value = (shares_of(two_parts(), edges, by_value=by_value) for by_value in (False, True))
    assert by_count.share[0].tolist() == [[0, 1, 0, 0], pytest.approx([0, 1 / 3, 1 / 3, 1 / 3])]
    assert by_value.share[0].tolist() == [[0, 1, 0, 0], pytest.approx([0, 1 / 8, 3 / 8, 1 / 2])]
    # Of the whole period, Search has 2 of 4: a quarter of the weight lies 1/2 above, the rest 1/6 below.
    assert by_count.moved[0, SEARCH] == pytest.approx(np.sqrt(0.25 * 0.5**2 + 0.75 * (1 / 6) ** 2))
    assert np.isnan(by_count.p_value).all()  # four conversions prove nothing


def test_a_part_without_conversions_has_no_share() -> None:
    found = shares_of(two_parts(), np.array([0, 10, 11, 20]) * DAY_US)
    assert np.isnan(found.share[0, 1]).all()
    assert np.isfinite(found.share[0, [0, 2]]).all()
    assert np.isfinite(found.moved).all()


def test_no_conversions_have_no_shares_and_no_movement() -> None:
    found = shares_of(journeys_of([Touch(0, 0, 1)], []), QUARTERS)
    assert np.isnan(found.share).all()
    assert not found.moved.any()
    assert np.isnan(found.p_value).all()


def test_a_conversion_outside_the_parts_is_refused() -> None:
    with pytest.raises(ValueError, match="within the parts"):
        shares_of(two_parts(), np.array([0, 10]) * DAY_US)


@given(journeys=worlds(), cut=st.integers(1, 60), order=st.randoms(use_true_random=False))
def test_shares_are_the_credit_of_each_part_alone(journeys: Journeys, cut: int, order: Random) -> None:
    edges = np.array([0, cut, 61]) * DAY_US
    models = (FIRST, LAST, LINEAR)
    rows = list(range(len(journeys)))
    order.shuffle(rows)
    found = shares_of(journeys.take(np.array(rows, np.int64)), edges, models)
    for part in range(2):
        inside = (journeys.anchor_at >= edges[part]) & (journeys.anchor_at < edges[part + 1])
        credit = rule_credit(
            journeys=journeys.take(np.flatnonzero(inside)),
            models=models,
            group_of_source=GROUP_OF_SOURCE,
            groups=GROUPS,
            direct_source=DIRECT_SOURCE,
        ).conversions
        if not credit.any():
            assert np.isnan(found.share[:, part]).all()
            continue
        total = np.count_nonzero(inside & journeys.converted)
        assert found.share[:, part] == pytest.approx(credit / total, abs=1e-12)
        assert found.share[:, part].sum(axis=1) == pytest.approx(1.0)


@settings(deadline=None, max_examples=40)
@given(journeys=worlds(), factor=st.floats(0.01, 100))
def test_the_currency_changes_no_share_of_value(journeys: Journeys, factor: float) -> None:
    value = np.abs(journeys.value)
    assume(value.sum() > 0)
    edges = np.array([0, 61]) * DAY_US
    one, other = (
        shares_of(replace(journeys, value=values), edges, by_value=True) for values in (value, factor * value)
    )
    assert other.share == pytest.approx(one.share, rel=1e-9, abs=1e-9)
    assert other.standard_error == pytest.approx(one.standard_error, rel=1e-6, abs=1e-9)


def test_the_standard_error_is_that_of_many_shops() -> None:
    """The error of one shop's shares is the spread of the shares of many such shops, whose customers repeat."""
    found = [shares_of(shop(120, seed=seed), QUARTERS) for seed in range(40)]
    spread = np.std([one.share[0, :, SEARCH] for one in found], axis=0, ddof=1)
    claimed = np.mean([one.standard_error[0, :, SEARCH] for one in found], axis=0)
    assert claimed.mean() == pytest.approx(spread.mean(), rel=0.15)
    moved = np.mean([one.moved[0, SEARCH] ** 2 for one in found])
    assert np.mean([one.by_chance[0, SEARCH] ** 2 for one in found]) == pytest.approx(moved, rel=0.25)


def test_chance_is_seldom_taken_for_movement() -> None:
    """Where nothing changes, one p-value in twenty lies below .05, within the error of 120 of them."""
    p_values = [shares_of(shop(150, seed=1000 + seed), QUARTERS).p_value[0, :NONE] for seed in range(40)]
    below = np.mean(np.concatenate(p_values) < 0.05)
    assert below <= 0.12


def test_a_change_is_found_and_is_that_of_the_groups_that_changed() -> None:
    found = shares_of(shop(600, seed=5, changed_from_day=182), QUARTERS)
    assert found.p_value[0, SEARCH] < 0.001
    assert found.p_value[0, DISPLAY] < 0.001
    assert found.p_value[0, 0] > 0.05
    later = found.share[0, 2:, DISPLAY]
    assert later.min() > found.share[0, :2, DISPLAY].max()
