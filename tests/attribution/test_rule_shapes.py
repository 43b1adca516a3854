"""Rule models that are not in the daily cube, and what holds for all of them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attribution.methods.rules import (
    INVERSE_J,
    J_SHAPE,
    LAST,
    MORE_RULE_MODELS,
    PARTICIPATION,
    RULE_MODELS,
    SIMPLIFIED_SHAPLEY,
    TIME_DECAY,
    W_SHAPE,
    RuleKind,
    RuleModel,
    journeys_without_lead_touch,
    position,
    reconcile,
    time_decay,
)
from marketing.frames import NO_LEAD, Journeys
from tests.attribution.rule_worlds import GROUP_OF_SOURCE, GROUPS, NONE, credit_of, one_journey, worlds
from tests.marketing.rows import DAY_US, JourneyRow, Touch, journeys_from, touches_from

MORE = tuple(MORE_RULE_MODELS.values())
EVERY = (*RULE_MODELS.values(), *MORE)
DO_ADD_UP = tuple(model for model in EVERY if model.adds_up)
# Touching the same channel again right away changes nothing for these: they look at one touch, or at the set of groups.
INDIFFERENT_TO_SELF_LOOPS = ("first", "last", "last_non_direct", "participation", "shapley:simplified")


def by_touch(model: RuleModel, sources: Sequence[int], lead_day: float | None = None) -> list[float]:
    """Credit of groups 0, 1, 2 and "(none)" for one conversion after touches a day apart, the first on day 0."""
    lead_at = None if lead_day is None else int(lead_day * DAY_US)
    journeys = one_journey([(day * DAY_US, source) for day, source in enumerate(sources)], lead_at=lead_at)
    credit: list[float] = credit_of(journeys, [model]).conversions[0].tolist()
    return credit


# --- Worked by hand ---


@pytest.mark.parametrize(
    ("model", "sources", "expected"),
    [
        (J_SHAPE, (1, 0, 2), [0.2, 0.2, 0.6, 0]),
        (J_SHAPE, (1, 2), [0, 0.25, 0.75, 0]),
        (J_SHAPE, (1,), [0, 1, 0, 0]),
        (INVERSE_J, (1, 0, 0, 2), [0.2, 0.6, 0.2, 0]),
        (INVERSE_J, (1, 2), [0, 0.75, 0.25, 0]),
        (PARTICIPATION, (1, 2, 1, 0), [1, 1, 1, 0]),
        (PARTICIPATION, (0, 3, 0), [1, 0, 0, 0]),
        (SIMPLIFIED_SHAPLEY, (1, 2, 1, 1), [0, 0.5, 0.5, 0]),
        (SIMPLIFIED_SHAPLEY, (0, 3, 2), [0.5, 0, 0.5, 0]),
        (position(30, 40, 30), (1, 0, 2), [0.4, 0.3, 0.3, 0]),
        (time_decay(1), (1, 2), [0, 1 / 3, 2 / 3, 0]),
    ],
)
def test_shapes_worked_by_hand(model: RuleModel, sources: tuple[int, ...], expected: list[float]) -> None:
    assert by_touch(model, sources) == pytest.approx(expected, abs=1e-15)


def test_j_shape_equals_the_worked_example() -> None:
    """Four touches of a conversion worth $50: 10, 5, 5 and 30."""
    journeys = one_journey([(0, 1), (3 * DAY_US, 0), (9 * DAY_US, 0), (9 * DAY_US, 2)], value=50.0)
    assert credit_of(journeys, [J_SHAPE]).value[0].tolist() == pytest.approx([10, 10, 30, 0])


@pytest.mark.parametrize(
    ("sources", "lead_day", "expected"),
    [
        ((1, 0, 2, 0, 1), 2.5, [0.1, 0.6, 0.3, 0]),  # the third touch made the lead; two others share 10%
        ((1, 2, 0), 1, [0.3 / 0.9, 0.3 / 0.9, 0.3 / 0.9, 0]),  # at the very time of the touch; nothing is between
        ((1, 0, 2), 0.5, [0.1, 0.6, 0.3, 0]),  # the first touch made the lead too
        ((1, 0, 2), 2, [0.1, 0.3, 0.6, 0]),  # the last did
        ((1, 2), 0.5, [0, 0.6 / 0.9, 0.3 / 0.9, 0]),
        ((1,), 0.5, [0, 1, 0, 0]),
        ((1, 0, 2), -1, [0.2, 0.4, 0.4, 0]),  # no touch is that old: the U shape
        ((1, 2), -1, [0, 0.5, 0.5, 0]),
        ((1, 0, 2), None, [0.2, 0.4, 0.4, 0]),
    ],
)
def test_w_shape_worked_by_hand(sources: tuple[int, ...], lead_day: float | None, expected: list[float]) -> None:
    assert by_touch(W_SHAPE, sources, lead_day) == pytest.approx(expected, abs=1e-15)


def test_journeys_that_w_credits_as_u_are_counted() -> None:
    touches = touches_from([Touch(0, 10, 1), Touch(0, 20, 2), Touch(1, 10, 1)])
    rows = [
        JourneyRow(0, 30, True, 1.0, (0, 1)),  # a lead after both touches
        JourneyRow(0, 30, True, 1.0, (0, 1)),  # a lead before both
        JourneyRow(1, 30, True, 1.0, (2,)),  # none
        JourneyRow(1, 30, True, 1.0, ()),  # no touch to credit at all
        JourneyRow(0, 30, False, 0.0, (0, 1)),  # no conversion
    ]
    journeys = journeys_from(rows, touches, leads=[25, 9, NO_LEAD, NO_LEAD, NO_LEAD])
    assert journeys_without_lead_touch(journeys) == 2
    assert journeys_without_lead_touch(replace(journeys, lead_at=None)) == 3


@pytest.mark.parametrize("model", MORE, ids=lambda model: model.name)
def test_conversion_without_touches_is_credited_to_none_once(model: RuleModel) -> None:
    credit = credit_of(one_journey([], value=12.5), [model])
    assert credit.conversions[0].tolist() == [0, 0, 0, 1]
    assert credit.value[0].tolist() == [0, 0, 0, 12.5]


def test_settable_models_are_named_by_their_settings() -> None:
    assert [model.name for model in (time_decay(14), time_decay(0.5), position(30, 40, 30))] == [
        "time_decay:14",
        "time_decay:0.5",
        "position:30-40-30",
    ]
    assert time_decay(7, "time_decay") == TIME_DECAY


# --- Against an independent brute force ---


def by_set(path: list[tuple[int, int]], _lead_at: int, *, share_of: Callable[[int], float]) -> dict[int, float]:
    groups = {int(GROUP_OF_SOURCE[source]) for _, source in path}
    return dict.fromkeys(groups, share_of(len(groups)))


def by_roles(path: list[tuple[int, int]], lead_at: int, *, weights: dict[str, float]) -> dict[int, float]:
    """Each touch collects the weights of all roles that it has; middle is what has no other."""
    made_lead = [i for i, (at, _) in enumerate(path) if at <= lead_at][-1:]
    if not made_lead and "lead" in weights:
        weights = {"first": 0.4, "middle": 0.2, "last": 0.4}
    having = {"first": [0], "last": [len(path) - 1]} | ({"lead": made_lead} if "lead" in weights else {})
    taken = {i for touches in having.values() for i in touches}
    having["middle"] = [i for i in range(len(path)) if i not in taken]
    total = sum(weights[role] for role, touches in having.items() if touches)
    given_to: dict[int, float] = {}
    for role, touches in having.items():
        for i in touches:
            group = int(GROUP_OF_SOURCE[path[i][1]])
            given_to[group] = given_to.get(group, 0.0) + weights[role] / total / len(touches)
    return given_to


BRUTE_FORCE: dict[str, Callable[[list[tuple[int, int]], int], dict[int, float]]] = {
    "j_shape": lambda path, lead: by_roles(path, lead, weights={"first": 0.2, "middle": 0.2, "last": 0.6}),
    "inverse_j": lambda path, lead: by_roles(path, lead, weights={"first": 0.6, "middle": 0.2, "last": 0.2}),
    "w_shape": lambda path, lead: by_roles(path, lead, weights={"first": 0.3, "middle": 0.1, "last": 0.3, "lead": 0.3}),
    "participation": lambda path, lead: by_set(path, lead, share_of=lambda _: 1.0),
    "shapley:simplified": lambda path, lead: by_set(path, lead, share_of=lambda groups: 1 / groups),
}


@given(journeys=worlds())
def test_all_shapes_equal_the_brute_force(journeys: Journeys) -> None:
    credit = credit_of(journeys, MORE)
    assert credit.models == tuple(BRUTE_FORCE)
    assert journeys.lead_at is not None
    for row, name in enumerate(credit.models):
        expected = np.zeros((GROUPS + 1, 2))
        for j in np.flatnonzero(journeys.converted):
            touches = range(journeys.start[j], journeys.stop[j])
            path = [(int(journeys.touches.touched_at[i]), int(journeys.touches.source[i])) for i in touches]
            given_to = BRUTE_FORCE[name](path, int(journeys.lead_at[j])) if path else {NONE: 1.0}
            for group, share in given_to.items():
                expected[group] += share, share * journeys.value[j]
        assert credit.conversions[row].tolist() == pytest.approx(expected[:, 0].tolist(), rel=1e-9, abs=1e-9)
        assert credit.value[row].tolist() == pytest.approx(expected[:, 1].tolist(), rel=1e-9, abs=1e-9)


# --- What holds for every model ---


@given(journeys=worlds())
def test_credit_adds_up_in_total_and_for_each_journey(journeys: Journeys) -> None:
    assert reconcile(credit=credit_of(journeys, EVERY), journeys=journeys).ok
    for j in np.flatnonzero(journeys.converted):
        credit = credit_of(journeys.take(np.array([j])), DO_ADD_UP)
        assert credit.conversions.sum(axis=1).tolist() == pytest.approx([1.0] * len(DO_ADD_UP), rel=1e-12)
        value = float(journeys.value[j])
        assert credit.value.sum(axis=1).tolist() == pytest.approx([value] * len(DO_ADD_UP), rel=1e-12, abs=1e-12)


@given(journeys=worlds())
def test_participation_hands_out_the_whole_to_each_group_and_is_left_out_of_the_reconciliation(
    journeys: Journeys,
) -> None:
    credit = credit_of(journeys, [LAST, PARTICIPATION])
    reconciliation = reconcile(credit=credit, journeys=journeys)
    assert credit.not_adding_up == {"participation"}
    assert list(reconciliation.credited_conversions) == list(reconciliation.credited_value) == ["last"]
    touched = [
        {int(GROUP_OF_SOURCE[source]) for source in journeys.touches.source[start:stop]}
        for start, stop, converted in zip(journeys.start, journeys.stop, journeys.converted, strict=True)
        if converted
    ]
    assert credit.conversions[1, :NONE].tolist() == [sum(group in path for path in touched) for group in range(GROUPS)]


@given(journeys=worlds(), order=st.randoms(use_true_random=False))
def test_order_of_journeys_changes_nothing(journeys: Journeys, order: Random) -> None:
    rows = list(range(len(journeys)))
    order.shuffle(rows)
    credit, shuffled = (credit_of(one, EVERY) for one in (journeys, journeys.take(np.array(rows, np.int64))))
    assert shuffled.conversions == pytest.approx(credit.conversions, rel=1e-9, abs=1e-9)
    assert shuffled.value == pytest.approx(credit.value, rel=1e-9, abs=1e-6)


@given(journeys=worlds())
def test_journeys_that_are_doubled_at_half_their_value_get_the_same_value_and_twice_the_conversions(
    journeys: Journeys,
) -> None:
    twice = journeys.take(np.repeat(np.arange(len(journeys)), 2))
    credit, doubled = credit_of(journeys, EVERY), credit_of(replace(twice, value=twice.value / 2), EVERY)
    assert doubled.conversions == pytest.approx(2 * credit.conversions, rel=1e-9, abs=1e-9)
    assert doubled.value == pytest.approx(credit.value, rel=1e-9, abs=1e-9)


@given(journeys=worlds(), labels=st.permutations(range(GROUPS)))
def test_relabelled_groups_get_the_same_credit(journeys: Journeys, labels: list[int]) -> None:
    relabelled = credit_of(journeys, EVERY, group_of_source=np.array(labels)[GROUP_OF_SOURCE])
    assert np.array_equal(relabelled.conversions[:, [*labels, NONE]], credit_of(journeys, EVERY).conversions)


PATHS = st.lists(st.tuples(st.integers(0, 40 * DAY_US), st.integers(0, 3)), min_size=1, max_size=12)


def with_repeats(path: list[tuple[int, int]], times: list[int]) -> Journeys:
    """The path with each touch repeated at its own time: self-loops only."""
    ordered = sorted(path, key=lambda touch: touch[0])
    repeated = [touch for touch, n in zip(ordered, times, strict=False) for _ in range(n)]
    return one_journey(repeated, end=41 * DAY_US)


@given(path=PATHS, times=st.lists(st.integers(1, 4), min_size=12, max_size=12))
def test_self_loops_change_nothing_for_models_of_one_touch_or_of_the_set(
    path: list[tuple[int, int]], times: list[int]
) -> None:
    models = [model for model in EVERY if model.name in INDIFFERENT_TO_SELF_LOOPS]
    once, looped = (credit_of(with_repeats(path, n), models).conversions for n in ([1] * 12, times))
    assert np.array_equal(once, looped)


@pytest.mark.parametrize("model", EVERY, ids=lambda model: model.name)
def test_self_loops_do_count_for_models_that_share_among_touches(model: RuleModel) -> None:
    """A touch more is a share more, as it should be: these models credit touches, not channels."""
    path = [(0, 1), (DAY_US, 2), (2 * DAY_US, 0)]
    once, looped = (credit_of(with_repeats(path, n), [model]).conversions[0] for n in ([1, 1, 1], [3, 1, 1]))
    assert np.allclose(once, looped) == (model.name in INDIFFERENT_TO_SELF_LOOPS)


@given(path=PATHS, later=st.integers(0, 300 * DAY_US))
def test_no_model_depends_on_the_time_of_the_conversion_itself(path: list[tuple[int, int]], later: int) -> None:
    soon, late = (
        credit_of(one_journey(path, end=end, lead_at=20 * DAY_US), EVERY) for end in (41 * DAY_US, 41 * DAY_US + later)
    )
    assert np.array_equal(soon.conversions, late.conversions)


@given(journeys=worlds(), order=st.randoms(use_true_random=False))
def test_credit_does_not_depend_on_the_other_models_asked_for(journeys: Journeys, order: Random) -> None:
    shuffled = list(EVERY)
    order.shuffle(shuffled)
    together = credit_of(journeys, shuffled)
    for row, model in enumerate(shuffled):
        alone = credit_of(journeys, [model])
        assert np.array_equal(together.conversions[row], alone.conversions[0])
        assert np.array_equal(together.value[row], alone.value[0])


@settings(deadline=None, max_examples=20)
@given(journeys=worlds())
def test_only_conversions_without_a_touch_are_credited_to_none(journeys: Journeys) -> None:
    untouched = np.count_nonzero(journeys.converted & (journeys.start == journeys.stop))
    assert credit_of(journeys, EVERY).conversions[:, NONE].tolist() == [untouched] * len(EVERY)


# --- Refusals ---


def test_a_custom_model_needs_a_definition() -> None:
    with pytest.raises(ValueError, match="mine must have a definition if it is a custom model"):
        RuleModel("mine", RuleKind.CUSTOM)


@pytest.mark.parametrize("model", [lambda: time_decay(0), lambda: position(0, 100, 0), lambda: position(-1, 50, 51)])
def test_settings_without_meaning_are_refused(model: Callable[[], RuleModel]) -> None:
    with pytest.raises(ValueError, match="must"):
        model()
