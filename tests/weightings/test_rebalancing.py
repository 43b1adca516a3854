"""One channel changes, the total stays."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weightings.methods.planning.plans import CannotBePlanned
from weightings.methods.planning.rebalancing import LEAST_WEIGHT, rebalanced

NOBODY = np.zeros(4, np.bool_)
SPEND = np.array([100.0, 200.0, 300.0, 50.0])
LOW, HIGH = np.zeros(4), 3 * SPEND


def test_the_others_make_up_for_a_channel_in_proportion_and_a_locked_one_stays() -> None:
    locked = np.array([False, False, False, True])
    found = rebalanced(np.array([120.0, 200, 300, 50]), total=650, low=LOW, high=HIGH, locked=locked, changed=0)
    np.testing.assert_allclose(found, [120, 192, 288, 50])


def test_a_channel_at_its_limit_leaves_the_rest_to_those_that_are_free() -> None:
    low = np.array([0.0, 190, 0, 0])
    found = rebalanced(np.array([220.0, 200, 300, 50]), total=650, low=low, high=HIGH, locked=NOBODY, changed=0)
    # 120 less for the others: in proportion that would be 43.6 on the second, which can give up 10.
    np.testing.assert_allclose(found, [220, 190, 240 / 350 * 300, 240 / 350 * 50], atol=0.02)
    assert found.sum() == pytest.approx(650, abs=1e-9)


def test_a_channel_gets_no_more_than_the_others_can_make_up_for() -> None:
    low = np.array([0.0, 150, 250, 50])
    found = rebalanced(np.array([300.0, 200, 300, 50]), total=650, low=low, high=HIGH, locked=NOBODY, changed=0)
    np.testing.assert_allclose(found, [200, 150, 250, 50])


def test_another_total_is_shared_out_in_proportion() -> None:
    found = rebalanced(SPEND, total=1300, low=LOW, high=HIGH, locked=NOBODY)
    np.testing.assert_allclose(found, 2 * SPEND)


def test_where_all_others_have_nothing_they_get_the_usual_proportions() -> None:
    spend = np.array([300.0, 0, 0, 0])
    found = rebalanced(spend, total=400, low=LOW, high=HIGH, locked=NOBODY, changed=0, usual=SPEND)
    np.testing.assert_allclose(found, [300, 100 * 200 / 550, 100 * 300 / 550, 100 * 50 / 550], atol=0.01)


@pytest.mark.parametrize(("second", "third"), [(91.72, 131.88), (296.69, 113.34), (83.41, 66.86)])
def test_others_go_to_their_limits_and_one_that_may_have_nothing_stays_at_nothing(second: float, third: float) -> None:
    usual = np.array([5000.0, second, third, 0.0])
    asked = usual * [0, 1, 1, 1]
    total = float(usual.sum())
    found = rebalanced(asked, total=total, low=LOW, high=3 * usual, locked=NOBODY, changed=0, usual=usual)
    np.testing.assert_allclose(found, [total - 3 * (second + third), 3 * second, 3 * third, 0], atol=0.006)


@pytest.mark.parametrize(
    ("locked", "total", "sentence"),
    [
        (np.ones(4, np.bool_), 700.0, "Every channel is locked, and together they have 650.00, not 700.00."),
        (np.array([True, False, False, False]), 2000.0, "the locked channels have 100.00, and the others can have"),
        (NOBODY, 5000.0, "The total cannot be 5,000.00: the channels can have from 0.00 to 1,950.00."),
    ],
)
def test_a_total_that_cannot_be_is_refused(locked: np.ndarray, total: float, sentence: str) -> None:
    with pytest.raises(CannotBePlanned, match=sentence.split(":")[0][:40]) as refusal:
        rebalanced(SPEND, total=total, low=LOW, high=HIGH, locked=locked)
    assert sentence in str(refusal.value)


amounts = st.floats(0, 1e6).map(lambda amount: round(amount, 2))


@given(st.data())
def test_the_total_holds_to_the_cent_within_all_limits_and_locks(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 8))
    several = st.lists(amounts, min_size=count, max_size=count).map(np.array)
    spend, one, other = data.draw(several), data.draw(several), data.draw(several)
    low, high = np.minimum(one, other), np.maximum(one, other)
    locked = np.array(data.draw(st.lists(st.booleans(), min_size=count, max_size=count)))
    changed = data.draw(st.none() | st.integers(0, count - 1))
    held = spend[locked].sum()
    share = data.draw(st.floats(0, 1))
    total = round(float(held + low[~locked].sum() + share * (high - low)[~locked].sum()), 2)
    found = rebalanced(spend, total=total, low=low, high=high, locked=locked, changed=changed)
    assert found.sum() == pytest.approx(total, abs=0.006)
    np.testing.assert_array_equal(found[locked], spend[locked])
    free = ~locked
    assert np.all(found[free] >= low[free] - 0.006)
    assert np.all(found[free] <= high[free] + 0.006)
    if changed is not None and free[changed]:
        # It has what was asked for, or is as near as the others and its limits let it.
        others = free.copy()
        others[changed] = False
        wanted = np.clip(spend[changed], low[changed], high[changed])
        rest = total - held
        least, most = rest - high[others].sum(), rest - low[others].sum()
        assert found[changed] == pytest.approx(
            np.clip(wanted, max(least, low[changed]), min(most, high[changed])), abs=0.02
        )


@given(st.lists(st.floats(1, 1e5), min_size=2, max_size=6).map(np.array), st.floats(0.5, 1.5))
def test_without_limits_in_the_way_proportions_among_the_others_stay(spend: np.ndarray, factor: float) -> None:
    total, count = float(spend.sum()), len(spend)
    asked = spend.copy()
    asked[0] = min(spend[0] * factor, 0.9 * total)
    high = np.full(count, 10 * total)
    found = rebalanced(asked, total=total, low=np.zeros(count), high=high, locked=np.zeros(count, np.bool_), changed=0)
    rest, others = total - asked[0], float(spend[1:].sum())
    tolerance = 0.02 * count + rest * LEAST_WEIGHT * total / others  # cents, and what a channel with nothing would have
    np.testing.assert_allclose(found[1:], spend[1:] * rest / others, atol=tolerance)
