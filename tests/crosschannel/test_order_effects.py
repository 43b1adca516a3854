"""What the order of two groups changes: its interval by hand and by plain loops, and how often it holds the truth."""

from collections import defaultdict
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from crosschannel.methods.pairs import FEWEST_CUSTOMERS, OrderEffect, PairDetails, order_effect, pair_details
from marketing.frames import Journeys
from tests.crosschannel.worlds import (
    EMAIL,
    GROUP_OF_SOURCE,
    GROUPS,
    SEARCH,
    SOCIAL,
    Row,
    journeys_like,
)


def details_of(journeys: Journeys) -> PairDetails:
    return pair_details(
        journeys=journeys,
        group_of_source=GROUP_OF_SOURCE,
        groups=GROUPS,
        month=np.zeros(len(journeys), np.int64),
        months=1,
        gap_edges_days=(1.0,),
    )


def in_order(customer: int, first: int, second: int, *, converted: bool) -> Row:
    return Row(customer, (first, second), (0, 1), 2, converted, 0.0)


def one_by_one(rows: list[Row]) -> Journeys:
    """Each row three days after the one before, as customers may have several."""
    return journeys_like(
        [
            row._replace(at=tuple(at + 3 * n for at in row.at), anchor_at=row.anchor_at + 3 * n)
            for n, row in enumerate(rows)
        ]
    )


def customers(rates: dict[tuple[int, int], tuple[int, int]]) -> Journeys:
    """So many customers of one journey each in each order, and so many of these convert."""
    rows: list[Row] = []
    for (first, second), (journeys, conversions) in rates.items():
        rows += [in_order(len(rows) + n, first, second, converted=n < conversions) for n in range(journeys)]
    return one_by_one(rows)


def effect_of(journeys: Journeys, *, confidence: float = 0.95) -> OrderEffect:
    found = order_effect(details=details_of(journeys), a=EMAIL, b=SEARCH, confidence=confidence)
    assert found is not None
    return found


def ends_of(found: OrderEffect) -> list[float]:
    assert found.low is not None
    assert found.high is not None
    return [found.low, found.high]


def by_loops(rows: list[Row], a: int, b: int, confidence: float) -> list[float]:
    """Both ends, customer by customer, with the added customers as customers like any other."""
    residuals: dict[object, list[float]] = defaultdict(lambda: [0.0, 0.0])
    rates, variances, counts = [], [], []
    for order, (one, other) in enumerate(((a, b), (b, a))):
        held = [row for row in rows if {a, b} <= set(row.groups) and row.groups.index(one) < row.groups.index(other)]
        own: dict[object, list[float]] = defaultdict(lambda: [0.0, 0.0])
        for row in held:
            own[row.customer][0] += 1
            own[row.customer][1] += row.converted
        each = len(held) / len(own)
        own["all", order], own["none", order] = [each, each], [each, 0.0]
        total = sum(n for n, _ in own.values())
        rates.append(sum(s for _, s in own.values()) / total)
        for customer, (n, s) in own.items():
            residuals[customer][order] = (s - rates[order] * n) / total
        counts.append(len(own))
        variances.append(len(own) / (len(own) - 1) * sum(pair[order] ** 2 for pair in residuals.values()))
    variance = sum(variances) - 2 * sum(one * other for one, other in residuals.values())
    degrees = sum(variances) ** 2 / sum(v**2 / (k - 1) for v, k in zip(variances, counts, strict=True))
    away = stats.t.ppf((1 + confidence) / 2, degrees) * variance**0.5
    raw = raw_difference(rows, a, b)
    middle = rates[0] - rates[1]
    return [min(max(middle - away, -1), raw), max(min(middle + away, 1), raw)]


def raw_difference(rows: list[Row], a: int, b: int) -> float:
    rates = []
    for one, other in ((a, b), (b, a)):
        held = [row for row in rows if {a, b} <= set(row.groups) and row.groups.index(one) < row.groups.index(other)]
        rates.append(sum(row.converted for row in held) / len(held))
    return rates[0] - rates[1]


def test_the_difference_is_that_of_the_rates() -> None:
    found = effect_of(customers({(EMAIL, SEARCH): (10, 6), (SEARCH, EMAIL): (20, 5)}))
    assert (found.a_first_rate, found.b_first_rate) == (0.6, 0.25)
    assert found.difference == pytest.approx(0.35)


def test_customers_of_one_journey_have_the_interval_of_agresti_and_caffo() -> None:
    """(7 of 12) less (6 of 22), with variances p (1 - p) / (n - 1) and Welch's degrees of freedom."""
    found = effect_of(customers({(EMAIL, SEARCH): (10, 6), (SEARCH, EMAIL): (20, 5)}))
    p, q = 7 / 12, 6 / 22
    one, other = p * (1 - p) / 11, q * (1 - q) / 21
    away = stats.t.ppf(0.975, (one + other) ** 2 / (one**2 / 11 + other**2 / 21)) * (one + other) ** 0.5
    assert ends_of(found) == pytest.approx([p - q - away, p - q + away])


def test_rates_of_none_and_all_are_not_certain() -> None:
    found = effect_of(customers({(EMAIL, SEARCH): (5, 5), (SEARCH, EMAIL): (5, 0)}))
    assert (found.difference, found.high) == (1, 1)
    assert 0 < ends_of(found)[0] < 0.6


def test_swapped_groups_have_the_opposite_effect() -> None:
    details = details_of(customers({(EMAIL, SEARCH): (10, 6), (SEARCH, EMAIL): (20, 5)}))
    found = order_effect(details=details, a=EMAIL, b=SEARCH, confidence=0.9)
    swapped = order_effect(details=details, a=SEARCH, b=EMAIL, confidence=0.9)
    assert found is not None
    assert swapped is not None
    assert swapped.difference == pytest.approx(-found.difference)
    low, high = ends_of(found)
    assert ends_of(swapped) == pytest.approx([-high, -low])


def test_without_journeys_in_both_orders_there_is_no_effect() -> None:
    details = details_of(customers({(EMAIL, SEARCH): (10, 6)}))
    assert order_effect(details=details, a=EMAIL, b=SEARCH, confidence=0.95) is None
    assert order_effect(details=details, a=EMAIL, b=SOCIAL, confidence=0.95) is None


def test_few_customers_have_no_interval_however_many_journeys_they_make() -> None:
    few = FEWEST_CUSTOMERS - 1
    rows = [in_order(n % few, EMAIL, SEARCH, converted=n % 3 == 0) for n in range(40)]
    rows += [in_order(100 + n, SEARCH, EMAIL, converted=n % 2 == 0) for n in range(40)]
    found = effect_of(one_by_one(rows))
    assert (found.low, found.high) == (None, None)
    assert found.difference == pytest.approx(14 / 40 - 0.5)


def test_the_same_journeys_of_fewer_customers_say_less() -> None:
    rows = [in_order(n, EMAIL, SEARCH, converted=n < 20) for n in range(40)]
    rows += [in_order(40 + n, SEARCH, EMAIL, converted=n < 10) for n in range(40)]
    repeated = [row._replace(customer=row.customer // 4) for row in rows]
    one, other = effect_of(one_by_one(rows)), effect_of(one_by_one(repeated))
    assert one.difference == other.difference
    assert ends_of(other)[0] < ends_of(one)[0] - 0.1


@pytest.mark.parametrize(("a", "b", "confidence"), [(EMAIL, EMAIL, 0.9), (EMAIL, SEARCH, 1.0), (EMAIL, SEARCH, 0.0)])
def test_what_makes_no_sense_is_refused(a: int, b: int, confidence: float) -> None:
    with pytest.raises(ValueError, match=r"different groups|must lie between"):
        order_effect(details=details_of(journeys_like([])), a=a, b=b, confidence=confidence)


@given(
    st.lists(st.tuples(st.integers(0, 11), st.booleans(), st.booleans()), min_size=15, max_size=60),
    st.sampled_from([0.5, 0.8, 0.95, 0.99]),
)
def test_intervals_agree_with_plain_loops(drawn: list[tuple[int, bool, bool]], confidence: float) -> None:
    """Customers often have journeys in both orders."""
    rows = [
        in_order(customer, *((EMAIL, SEARCH) if email_first else (SEARCH, EMAIL)), converted=converted)
        for customer, email_first, converted in drawn
    ]
    details = details_of(one_by_one(rows))
    for a, b in ((EMAIL, SEARCH), (SEARCH, EMAIL)):
        found = order_effect(details=details, a=a, b=b, confidence=confidence)
        orders = [{row.customer for row in rows if row.groups == order} for order in ((a, b), (b, a))]
        if not all(orders):
            assert found is None
            continue
        assert found is not None
        assert found.difference == pytest.approx(raw_difference(rows, a, b))
        if min(map(len, orders)) < FEWEST_CUSTOMERS:
            assert found.low is None
        else:
            assert ends_of(found) == pytest.approx(by_loops(rows, a, b, confidence))


@pytest.mark.parametrize(("many", "rates"), [(8, (0.5, 0.3)), (40, (0.08, 0.05)), (200, (0.3, 0.3))])
def test_intervals_hold_the_truth_as_often_as_they_say(many: int, rates: tuple[float, float]) -> None:
    """Customers have several journeys and are unlike each other: their rates are drawn from a beta distribution."""
    rng = np.random.default_rng(20260504)
    nothing = details_of(journeys_like([]))
    held, worlds = 0, 600
    for _ in range(worlds):
        sums = np.zeros((4, 2 * many))  # journeys and conversions in one order, and in the other
        for order, rate in enumerate(rates):
            here = slice(order * many, (order + 1) * many)
            sums[2 * order, here] = rng.geometric(0.5, many)
            sums[2 * order + 1, here] = rng.binomial(
                sums[2 * order, here].astype(np.int64), rng.beta(3 * rate, 3 * (1 - rate), many)
            )
        details = replace(
            nothing,
            first_journeys=two_ways(*sums[[0, 2]].sum(axis=1)),
            first_conversions=two_ways(*sums[[1, 3]].sum(axis=1)),
            first_customers=two_ways(many, many),
            order_moments=np.broadcast_to(sums @ sums.T, (GROUPS, GROUPS, 4, 4)),
        )
        found = order_effect(details=details, a=EMAIL, b=SEARCH, confidence=0.9)
        assert found is not None
        low, high = ends_of(found)
        held += low <= rates[0] - rates[1] <= high
    assert held / worlds >= 0.88  # 0.90 but for the chance of 600 worlds; with few customers or conversions, more


def two_ways(there: float, back: float) -> npt.NDArray[np.int64]:
    table = np.zeros((GROUPS, GROUPS), np.int64)
    table[EMAIL, SEARCH], table[SEARCH, EMAIL] = there, back
    return table
