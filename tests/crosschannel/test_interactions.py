"""Interactions of channels: planted ones are found, others are not called, and what cannot be told is said."""

import dataclasses
from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.interactions.studying import cells_of
from benchmarks.interactions.worlds import world
from crosschannel.methods.cells import LENGTH_BUCKETS, MOST_CHANNELS, SHARES, Cells, count_cells
from crosschannel.methods.interactions import (
    Interactions,
    benjamini_hochberg,
    interactions,
    pairs_that_occur,
    per_thousand,
    spread_of,
    stretch,
)
from crosschannel.methods.verdicts import Verdict
from marketing.frames import Journeys
from marketing.journey_paths import path_table
from tests.crosschannel.worlds import GROUP_OF_SOURCE, GROUPS, Row, journeys_like, rows_of, worlds


def named(found: Interactions, cells: Cells) -> dict[tuple[int, int], int]:
    """The place of each pair by its channels."""
    return {
        (min(one, other), max(one, other)): place
        for place, (one, other) in enumerate((cells.channels[a], cells.channels[b]) for a, b in found.pairs.tolist())
    }


def cells_from(journeys: Journeys) -> Cells:
    return count_cells(
        journeys=journeys, paths=path_table(journeys=journeys, group_of_source=GROUP_OF_SOURCE, groups=GROUPS)
    )


# --- Cells ---


@given(worlds())
@settings(deadline=None, max_examples=40)
def test_cells_count_every_journey_with_a_touch_by_what_it_holds(journeys: Journeys) -> None:
    cells = cells_from(journeys)
    touched = [row for row in rows_of(journeys) if row.groups]
    counted: dict[tuple[object, ...], list[int]] = {}
    for row in touched:
        bucket = max(place for place, first in enumerate(LENGTH_BUCKETS) if first <= len(row.groups))
        shares = tuple(
            max(int(row.groups.count(group) * SHARES / len(row.groups) + 0.5), 1) if group in row.groups else 0
            for group in cells.channels
        )
        tally = counted.setdefault((bucket, shares), [0, 0])
        tally[0] += 1
        tally[1] += row.converted
    found = {
        (int(cells.length[k]), tuple(cells.shares[k].tolist())): [cells.journeys[k], cells.conversions[k]]
        for k in range(len(cells))
    }
    assert found == counted
    assert sorted(cells.converted.tolist()) == sorted(row.converted for row in touched)


@given(worlds(), st.randoms())
@settings(deadline=None, max_examples=30)
def test_cells_do_not_depend_on_the_order_of_journeys(journeys: Journeys, random: object) -> None:
    order = np.arange(len(journeys))
    random.shuffle(order)  # type: ignore[attr-defined]
    one, other = cells_from(journeys), cells_from(journeys.take(order))
    for field in dataclasses.fields(Cells):
        if field.name not in ("cell", "converted", "customer_offsets"):
            np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name))


def test_channels_beyond_the_fiftieth_share_a_bit_and_have_no_pairs() -> None:
    rows = [Row(n, (0,), (0.0,), 1.0, False, 0.0) for n in range(MOST_CHANNELS + 3)]
    journeys = journeys_like(rows)
    sources = np.arange(len(rows))
    many = dataclasses.replace(
        journeys, touches=dataclasses.replace(journeys.touches, source=sources.astype(np.uint32))
    )
    cells = count_cells(journeys=many, paths=path_table(journeys=many, group_of_source=sources, groups=len(rows)))
    assert cells.channels == tuple(range(MOST_CHANNELS))
    assert cells.has_others
    assert cells.holds(MOST_CHANNELS).sum() == 1
    assert cells.journeys[cells.holds(MOST_CHANNELS)].sum() == 3


# --- Interactions ---


@pytest.fixture(scope="module")
def planted() -> tuple[Cells, Interactions, dict[tuple[int, int], float]]:
    simulated = world(3, planted=4, log_odds=1.2)
    cells = cells_of(simulated)
    return cells, interactions(cells=cells, confidence=0.95), simulated.planted


def test_planted_pairs_are_found_with_their_sign_and_no_other(
    planted: tuple[Cells, Interactions, dict[tuple[int, int], float]],
) -> None:
    cells, found, truth = planted
    places = named(found, cells)
    called = {
        pair: found.verdict[place] for pair, place in places.items() if found.verdict[place] != Verdict.INCONCLUSIVE
    }
    assert called == {
        pair: Verdict.SYNERGY if effect > 0 else Verdict.CANNIBALISATION for pair, effect in truth.items()
    }
    for pair, effect in truth.items():
        place = places[pair]
        # Readiness that nobody sees draws effects towards zero, by about an eighth here.
        assert abs(found.log_odds[place] - 0.875 * effect) < 3 * found.standard_error[place]
        assert found.low[place] <= found.effect[place] <= found.high[place]
        assert (found.effect[place] > 0) == (effect > 0)


def test_nothing_is_called_where_there_is_nothing() -> None:
    found = interactions(cells=cells_of(world(1)), confidence=0.95)
    assert len(found.pairs) > 30
    assert set(found.verdict) == {Verdict.INCONCLUSIVE}


def test_an_effect_is_the_difference_of_the_two_rates_over_the_journeys_with_both(
    planted: tuple[Cells, Interactions, dict[tuple[int, int], float]],
) -> None:
    cells, found, _ = planted
    predictor = np.linspace(-3, 1, len(cells))
    a, b = found.pairs[0]
    with_pair = without = total = 0.0
    for k in range(len(cells)):
        if cells.shares[k, a] and cells.shares[k, b]:
            with_pair += cells.journeys[k] / (1 + np.exp(-predictor[k]))
            without += cells.journeys[k] / (1 + np.exp(-(predictor[k] - 0.7)))
            total += cells.journeys[k]
    effect = per_thousand(cells, found.pairs[:1], predictor, np.array([0.7]))
    assert effect[0] == pytest.approx(1000 * (with_pair - without) / total)
    assert found.journeys_both[0] == total


def test_pairs_of_too_few_journeys_are_not_looked_at() -> None:
    rows = [
        *(Row(n, (0,), (0.0,), 1.0, n % 4 == 0, 1.0) for n in range(200)),
        *(Row(200 + n, (1,), (0.0,), 1.0, n % 4 == 0, 1.0) for n in range(200)),
        *(Row(400 + n, (2,), (0.0,), 1.0, n % 4 == 0, 1.0) for n in range(200)),
        *(Row(600 + n, (0, 1), (0.0, 0.5), 1.0, n % 4 == 0, 1.0) for n in range(60)),
        *(Row(700 + n, (0, 2), (0.0, 0.5), 1.0, n % 4 == 0, 1.0) for n in range(49)),
    ]
    cells = cells_from(journeys_like(rows))
    pairs, enough = pairs_that_occur(cells)
    looked_at = [({cells.channels[a], cells.channels[b]}, bool(one)) for (a, b), one in zip(pairs, enough, strict=True)]
    assert sorted(looked_at, key=str) == [({0, 1}, True), ({0, 2}, False)]
    assert interactions(cells=cells, confidence=0.95).too_rare == 1


def paths_of(taken: Mapping[tuple[int, ...], int], log_odds: Mapping[tuple[int, ...], float]) -> Cells:
    """Journeys along each path, as many as said, of which one in seven converts, but for those with log odds."""
    rows: list[Row] = []
    for groups, count in taken.items():
        converting = round(count / (1 + 6 * np.exp(-log_odds.get(tuple(sorted(set(groups))), 0.0))))
        times = tuple(0.1 * i for i in range(len(groups)))
        rows += [Row(len(rows) + n, groups, times, 1.0, n < converting, 1.0) for n in range(count)]
    return cells_from(journeys_like(rows))


def test_a_pair_too_rare_to_be_looked_at_is_not_charged_to_the_others() -> None:
    """Channels 1 and 2 meet in 45 journeys, most of which convert; nothing else does anything together."""
    taken: dict[tuple[int, ...], int] = {(one,): 900 for one in range(4)} | {(one, one): 300 for one in range(4)}
    for a, b in ((0, 1), (0, 2), (0, 3), (1, 3), (2, 3)):
        taken |= {(a, b): 400, (a, a, b): 40, (a, b, b): 40}
    cells = paths_of(taken | {(0, 1, 3): 300, (0, 2, 3): 300, (1, 2): 45}, {(1, 2): 4.0})
    found = interactions(cells=cells, confidence=0.95)
    assert found.too_rare == 1
    assert len(found.pairs) == 5
    assert set(found.verdict) == {Verdict.INCONCLUSIVE}


def test_pairs_that_only_a_rare_one_tells_from_length_are_not_looked_at() -> None:
    """Where no channel is met twice, how many pairs a journey holds is known from its length."""
    taken: dict[tuple[int, ...], int] = {(one,): 900 for one in range(4)}
    taken |= dict.fromkeys(combinations(range(4), 2), 300) | dict.fromkeys(combinations(range(3), 3), 200)
    taken[2, 3] = 40
    found = interactions(cells=paths_of(taken, {(2, 3): 4.0}), confidence=0.95)
    assert (len(found.pairs), len(found.unidentified), found.too_rare) == (0, 5, 1)


@pytest.mark.parametrize("conversions", ["met", "long", "both", "all three"])
def test_separated_outcomes_have_an_answer(conversions: str) -> None:
    """All journeys of one kind convert and no others: estimates without a penalty would never end."""
    rng = np.random.default_rng(3)
    length = np.minimum(1 + rng.poisson(2 * rng.gamma(2.0, 0.5, 4000)), 12)
    rows: list[Row] = []
    for customer, touches in enumerate(length.tolist()):
        groups = tuple((rng.integers(0, GROUPS, touches) * rng.integers(0, 2, touches)).tolist())
        held = set(groups)
        separated = {"met": 1 in held, "long": touches > 3, "both": {0, 1} <= held, "all three": {0, 1, 2} <= held}
        rows.append(Row(customer, groups, tuple(0.1 * i for i in range(touches)), 1.0, separated[conversions], 1.0))
    found = interactions(cells=cells_from(journeys_like(rows)), confidence=0.95)
    assert len(found.pairs) > 0
    assert np.isfinite(found.effect).all()
    assert (found.low <= found.effect).all()
    assert (found.effect <= found.high).all()


def test_errors_reach_as_far_as_the_likelihood_ratio_against_no_effect() -> None:
    """Of rare conversions the curvature is as `e^b`: the ratio is `2 (b - 1 + e^-b) / b^2` of the estimate's."""
    cells = paths_of({(0,): 100, (1,): 100, (0, 1): 100}, {})
    rare = np.full(len(cells), -9.0)
    pairs = np.array([[0, 1]])
    for effect in (0.5, 1.0, 2.0):
        ratio = 2 * (effect - 1 + np.exp(-effect)) / effect**2
        assert stretch(cells, pairs, rare, np.array([effect])) == pytest.approx(ratio**-0.5, rel=1e-3)
    assert stretch(cells, pairs, rare, np.array([-1.0])) == 1.0
    assert stretch(cells, pairs, rare, np.zeros(1)) == pytest.approx(1.0)


def test_a_pair_that_never_converts_is_found_without_false_certainty() -> None:
    taken: dict[tuple[int, ...], int] = {(one,): 500 for one in range(3)} | {(one, one): 200 for one in range(3)}
    taken |= {(0, 2): 300, (1, 2): 300, (0, 0, 2): 150, (1, 1, 2): 150, (0, 2, 2): 150, (1, 2, 2): 150}
    taken |= {(0, 1): 300, (0, 0, 1): 100, (0, 1, 1): 100, (0, 1, 2): 100}  # none of which converts
    rows: list[Row] = []
    for groups, count in taken.items():
        times = tuple(0.1 * i for i in range(len(groups)))
        for n in range(count):
            rows.append(Row(len(rows), groups, times, 1.0, n % 5 == 0 and not {0, 1} <= set(groups), 1.0))
    cells = cells_from(journeys_like(rows))
    found = interactions(cells=cells, confidence=0.95)
    place = named(found, cells)[0, 1]
    assert np.isfinite(found.log_odds).all()
    assert found.effect[place] < 0
    assert found.standard_error[place] > 0.2


def test_where_no_journey_holds_three_channels_pairs_cannot_be_told_from_single_effects() -> None:
    """Of journeys of one or two touches, all different, the number of pairs is the number of channels less one."""
    rows: list[Row] = []
    customer = 0
    for groups in ((0,), (1,), (2,), (0, 1), (0, 2), (1, 2)):
        for n in range(200):
            times = tuple(0.1 * i for i in range(len(groups)))
            rows.append(Row(customer, groups, times, 1.0, (n + len(groups)) % 4 == 0, 1.0))
            customer += 1
    found = interactions(cells=cells_from(journeys_like(rows)), confidence=0.95)
    assert len(found.pairs) == 0
    assert len(found.unidentified) == 3


def test_without_pairs_there_is_no_answer_and_no_fault() -> None:
    found = interactions(cells=cells_from(journeys_like([Row(0, (0,), (0.0,), 1.0, True, 1.0)])), confidence=0.9)
    assert len(found.pairs) == 0
    assert found.verdict == ()


def test_a_confidence_level_is_a_share() -> None:
    cells = cells_from(journeys_like([Row(0, (0,), (0.0,), 1.0, True, 1.0)]))
    with pytest.raises(ValueError, match="between 0 and 1"):
        interactions(cells=cells, confidence=95)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.floats(0.001, 0.5))
def test_adjusted_p_values_call_what_benjamini_and_hochberg_call(p_values: list[float], q: float) -> None:
    count = len(p_values)
    ranked = sorted(p_values)
    passing = [p for rank, p in enumerate(ranked, start=1) if p * count / rank <= q]
    limit = max(passing, default=-1.0)
    assert (benjamini_hochberg(np.array(p_values)) <= q).tolist() == [p <= limit for p in p_values]


def test_the_spread_of_effects_is_small_where_estimates_are_noise_and_large_where_they_are_not() -> None:
    rng = np.random.default_rng(5)
    noise = np.eye(40) * 0.3**2
    assert spread_of(rng.normal(0, 0.3, 40), noise) < 0.25
    assert 0.8 < spread_of(rng.normal(0, np.hypot(0.3, 1.0), 40), noise) < 1.6
