"""Interactions of channels: planted ones are found, others are not called, and what cannot be told is said."""

import dataclasses

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
    pairs_to_look_at,
    per_thousand,
    spread_of,
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
    pairs, too_rare = pairs_to_look_at(cells)
    assert [{cells.channels[a], cells.channels[b]} for a, b in pairs.tolist()] == [{0, 1}]
    assert too_rare == 1


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
