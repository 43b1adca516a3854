"""The cube's sums over any days, against plain loops over its rows; and the arrays that it is kept as."""

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.methods.cube import NO_CAMPAIGN, UNTOUCHED, CreditRows, Cube, Part, SpendRows, Sums

MODELS = ("last", "linear")
FIRST, LAST = 20_500, 20_510
Triple = tuple[float, float, float]  # conversions and value under "linear", spend


class Key(NamedTuple):
    day: int
    channel: int
    campaign: int


@dataclass
class World:
    """Rows in plain terms: by goal, what is credited under "linear" (twice as much under "last"); and the spend."""

    credit: dict[int, dict[Key, tuple[float, float]]]
    spend: dict[Key, float]

    def cube(self) -> Cube:
        return Cube(MODELS, {goal: _credit_rows(rows) for goal, rows in self.credit.items() if rows}, self._spend())

    def _spend(self) -> SpendRows:
        keys = sorted(self.spend)
        return SpendRows(*_columns(keys), np.array([self.spend[key] for key in keys], np.float64))

    def sums(self, goal: int, belongs: Callable[[Key], bool], by: Callable[[Key], int]) -> dict[int, Triple]:
        found: dict[int, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
        for key, (conversions, value) in self.credit.get(goal, {}).items():
            if belongs(key):
                found[by(key)][0] += conversions
                found[by(key)][1] += value
        for key, spend in self.spend.items():
            if belongs(key):
                found[by(key)][2] += spend
        return {group: (figures[0], figures[1], figures[2]) for group, figures in found.items()}


def _columns(keys: Iterable[Key]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    columns = np.array(list(keys), np.int64).reshape(-1, 3)
    day, channel, campaign = (np.ascontiguousarray(columns[:, place]) for place in range(3))
    return day, channel, campaign


def _credit_rows(rows: dict[Key, tuple[float, float]]) -> CreditRows:
    keys = sorted(rows)
    linear = np.array([rows[key] for key in keys], np.float64).reshape(-1, 2)
    twice = np.array([2.0, 1.0])
    return CreditRows(*_columns(keys), linear[:, :1] * twice, linear[:, 1:] * twice)


def table(sums: Sums) -> dict[int, Triple]:
    """Key -> figures, having looked that those under "last" are twice as large."""
    assert np.array_equal(sums.conversions[:, 0], 2 * sums.conversions[:, 1])
    assert np.array_equal(sums.value[:, 0], 2 * sums.value[:, 1])
    figures = zip(sums.conversions[:, 1].tolist(), sums.value[:, 1].tolist(), sums.spend.tolist(), strict=True)
    return dict(zip(sums.key.tolist(), figures, strict=True))


def part_of(world: World, first: int = FIRST, last: int = LAST, goal: int = 1) -> Part:
    return world.cube().part(first_day=first, last_day=last, goal=goal)


amounts = st.integers(0, 1000).map(lambda eighths: eighths / 8)  # which add up without rounding
credit_keys = st.builds(
    Key, st.integers(FIRST, LAST), st.sampled_from([1, 2, UNTOUCHED]), st.sampled_from([NO_CAMPAIGN, 7, 8, UNTOUCHED])
)
spend_keys = st.builds(Key, st.integers(FIRST, LAST), st.integers(1, 3), st.sampled_from([NO_CAMPAIGN, 7, 9]))
world_strategy = st.builds(
    World,
    st.dictionaries(st.integers(1, 3), st.dictionaries(credit_keys, st.tuples(amounts, amounts), max_size=30)),
    st.dictionaries(spend_keys, amounts, max_size=30),
)
days = st.integers(FIRST - 3, LAST + 3)


@given(world=world_strategy, ends=st.tuples(days, days), goal=st.integers(1, 4))
def test_any_days_add_up_to_what_plain_loops_find(world: World, ends: tuple[int, int], goal: int) -> None:
    first, last = min(ends), max(ends)
    part = part_of(world, first, last, goal)

    def within(key: Key) -> bool:
        return first <= key.day <= last

    assert table(part.by_channel()) == world.sums(goal, within, lambda key: key.channel)
    assert table(part.by_campaign()) == world.sums(goal, within, lambda key: key.campaign)
    assert table(part.total()) == (world.sums(goal, within, lambda _key: 0) or {0: (0.0, 0.0, 0.0)})
    for channel in (1, 3, UNTOUCHED):
        expected = world.sums(goal, lambda key: within(key) and key.channel == channel, lambda key: key.campaign)  # noqa: B023 - called at once
        assert table(part.of_channel(channel).by_campaign()) == expected
    expected = world.sums(goal, lambda key: within(key) and key.campaign == 7, lambda key: key.channel)
    assert table(part.of_campaign(7).by_channel()) == expected


@given(world=world_strategy, ends=st.tuples(days, days))
def test_the_days_one_by_one_leave_none_out(world: World, ends: tuple[int, int]) -> None:
    first, last = min(ends), max(ends)
    by_day = part_of(world, first, last).by_day()
    expected = world.sums(1, lambda key: first <= key.day <= last, lambda key: key.day - first)
    dense = [expected.get(day, (0.0, 0.0, 0.0)) for day in range(last - first + 1)]
    found = zip(by_day.conversions[:, 1].tolist(), by_day.value[:, 1].tolist(), by_day.spend.tolist(), strict=True)
    assert list(found) == dense


@given(world=world_strategy, cut=st.integers(FIRST, LAST - 1))
def test_two_periods_side_by_side_add_up_to_both_together(world: World, cut: int) -> None:
    both = part_of(world).total()
    parts = [part_of(world, FIRST, cut).total(), part_of(world, cut + 1, LAST).total()]
    for name in ("conversions", "value", "spend"):
        assert np.array_equal(sum(getattr(part, name) for part in parts), getattr(both, name))


@given(world=world_strategy)
def test_the_arrays_are_the_cube(world: World) -> None:
    cube = world.cube()
    again = Cube.from_arrays(cube.to_arrays(), models=MODELS)
    assert again.credit.keys() == cube.credit.keys()
    for goal in range(1, 4):
        ours, theirs = (of.part(first_day=FIRST, last_day=LAST, goal=goal) for of in (cube, again))
        for rows in ("credit", "spend"):
            for name in ("day", "channel", "campaign"):
                assert np.array_equal(getattr(getattr(ours, rows), name), getattr(getattr(theirs, rows), name))
        assert np.array_equal(ours.credit.value, theirs.credit.value)
        assert np.array_equal(ours.credit.conversions, theirs.credit.conversions)


@pytest.mark.parametrize(
    "world", [World({}, {}), World({1: {Key(FIRST, 1, 7): (1.0, 10.0)}}, {}), World({}, {Key(FIRST, 1, 7): 5.0})]
)
def test_a_cube_may_lack_credit_or_spend_or_both(world: World) -> None:
    again = Cube.from_arrays(world.cube().to_arrays(), models=MODELS)
    total = again.part(first_day=FIRST, last_day=LAST, goal=1).total()
    figures = (total.conversions[0, 1], total.value[0, 1], total.spend[0])
    assert figures == world.sums(1, lambda _key: True, lambda _key: 0).get(0, (0.0, 0.0, 0.0))


def test_arrays_of_other_models_are_refused() -> None:
    arrays = World({1: {Key(FIRST, 1, 7): (1.0, 10.0)}}, {}).cube().to_arrays()
    with pytest.raises(ValueError, match="does not fit its models"):
        Cube.from_arrays(arrays, models=("last",))


def test_a_period_is_read_without_copying_rows() -> None:
    keys = [Key(day, 1, 7) for day in range(FIRST, LAST + 1)]
    cube = World({1: dict.fromkeys(keys, (1.0, 1.0))}, dict.fromkeys(keys, 1.0)).cube()
    for first, last in itertools.pairwise(range(FIRST, LAST)):
        part = cube.part(first_day=first, last_day=last, goal=1)
        assert np.shares_memory(part.credit.value, cube.credit[1].value)
        assert np.shares_memory(part.spend.spend, cube.spend.spend)
