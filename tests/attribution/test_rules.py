import math
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.methods.rules import (
    POSITION,
    RULE_MODELS,
    TIME_DECAY,
    RuleKind,
    RuleModel,
    reconcile,
    rule_credit,
)
from marketing.frames import Journeys
from marketing.journeys import build_journeys
from tests.attribution.rule_worlds import (
    DIRECT_SOURCE,
    GROUP_OF_SOURCE,
    GROUPS,
    NONE,
    credit_of,
    one_journey,
    worlds,
)
from tests.marketing.rows import DAY_US, JourneyRow, Outcome, Touch, conversions_from, journeys_from, touches_from

MODELS = tuple(RULE_MODELS.values())


def shares(name: str, *sources: int) -> list[float]:
    """Credit of groups 0, 1, 2 and "(none)" for one conversion after touches a day apart."""
    journeys = one_journey([(day * DAY_US, source) for day, source in enumerate(sources)])
    by_group: list[float] = credit_of(journeys, [RULE_MODELS[name]]).conversions[0].tolist()
    return by_group


# --- Worked by hand ---


@pytest.mark.parametrize(
    ("name", "sources", "expected"),
    [
        ("last", (1, 2, 0), [1, 0, 0, 0]),
        ("last", (2,), [0, 0, 1, 0]),
        ("first", (1, 2, 0), [0, 1, 0, 0]),
        ("first", (0, 1), [1, 0, 0, 0]),
        ("linear", (1, 2, 0, 1), [0.25, 0.5, 0.25, 0]),
        ("linear", (2,), [0, 0, 1, 0]),
        ("position", (1,), [0, 1, 0, 0]),
        ("position", (1, 2), [0, 0.5, 0.5, 0]),
        ("position", (1, 0, 2), [0.2, 0.4, 0.4, 0]),
        ("position", (1, 0, 2, 0, 1), [2 / 15, 0.8, 1 / 15, 0]),
        ("last_non_direct", (1, 2, 0, 0), [0, 0, 1, 0]),
        ("last_non_direct", (1, 3, 0), [1, 0, 0, 0]),
        ("last_non_direct", (0, 0), [1, 0, 0, 0]),
        ("time_decay", (1,), [0, 1, 0, 0]),
    ],
)
def test_worked_examples(name: str, sources: tuple[int, ...], expected: list[float]) -> None:
    assert shares(name, *sources) == pytest.approx(expected, abs=1e-15)


def test_time_decay_equals_the_example_published_by_adobe() -> None:
    """Ages of 9, 6, 0 and 0 days, half-life 7 days, $50: 6.92, 9.32, 16.88 and 16.88."""
    journeys = one_journey([(0, 0), (3 * DAY_US, 1), (9 * DAY_US, 2), (9 * DAY_US, 2)], value=50.0)
    value = credit_of(journeys, [TIME_DECAY]).value[0]
    assert value.tolist() == pytest.approx([6.92333, 9.31812, 2 * 16.87928, 0.0], abs=1e-5)


def test_a_touch_one_half_life_older_gets_half_the_credit() -> None:
    journeys = one_journey([(0, 1), (3 * DAY_US, 2)])
    assert credit_of(journeys, [replace(TIME_DECAY, half_life_days=3.0)]).conversions[0, 1:3].tolist() == pytest.approx(
        [1 / 3, 2 / 3]
    )


def test_time_decay_survives_ages_of_a_year_with_a_half_life_of_minutes() -> None:
    touches = touches_from([Touch(0, 0, 1), Touch(0, 0, 2)])
    journeys = journeys_from([JourneyRow(0, 365 * DAY_US, True, 8.0, (0, 1))], touches)
    credit = credit_of(journeys, [replace(TIME_DECAY, half_life_days=0.01)])
    assert credit.conversions[0].tolist() == [0, 0.5, 0.5, 0]
    assert credit.value[0].tolist() == [0, 4, 4, 0]


def test_position_weights_are_settable_and_renormalised_without_a_middle() -> None:
    j_shape = replace(POSITION, name="position_j", first=0.2, middle=0.2, last=0.6)
    two = credit_of(one_journey([(0, 1), (1, 2)]), [j_shape])
    assert two.conversions[0].tolist() == pytest.approx([0, 0.25, 0.75, 0])
    three = credit_of(one_journey([(0, 1), (1, 0), (2, 2)]), [j_shape])
    assert three.conversions[0].tolist() == pytest.approx([0.2, 0.2, 0.6, 0])


@pytest.mark.parametrize("name", RULE_MODELS)
def test_conversion_without_touches_is_credited_to_none(name: str) -> None:
    credit = credit_of(one_journey([], value=12.5), [RULE_MODELS[name]])
    assert credit.conversions[0].tolist() == [0, 0, 0, 1]
    assert credit.value[0].tolist() == [0, 0, 0, 12.5]


@pytest.mark.parametrize("name", RULE_MODELS)
def test_null_paths_get_no_credit(name: str) -> None:
    credit = credit_of(one_journey([(0, 1)], converted=False), [RULE_MODELS[name]])
    assert not credit.conversions.any()
    assert not credit.value.any()


def test_no_journeys_and_no_touches_give_no_credit() -> None:
    journeys = journeys_from([], touches_from([]))
    credit = credit_of(journeys, MODELS)
    assert credit.conversions.shape == credit.value.shape == (6, 4)
    assert not credit.conversions.any()
    assert reconcile(credit=credit, journeys=journeys).ok


# --- Against an independent brute force ---


def by_position(path: list[tuple[int, int]]) -> list[float]:
    if len(path) <= 2:
        return [1 / len(path)] * len(path)
    return [0.4, *[0.2 / (len(path) - 2)] * (len(path) - 2), 0.4]


def by_time_decay(path: list[tuple[int, int]]) -> list[float]:
    conversion = path[-1][0] + 1
    weights = [2.0 ** (-(conversion - at) / (7 * DAY_US)) for at, _ in path]
    return [weight / math.fsum(weights) for weight in weights]


def by_last_non_direct(path: list[tuple[int, int]]) -> list[float]:
    candidates = [i for i, (_, source) in enumerate(path) if not DIRECT_SOURCE[source]] or list(range(len(path)))
    return [float(i == max(candidates)) for i in range(len(path))]


BRUTE_FORCE: dict[str, Callable[[list[tuple[int, int]]], list[float]]] = {
    "last": lambda path: [0.0] * (len(path) - 1) + [1.0],
    "first": lambda path: [1.0] + [0.0] * (len(path) - 1),
    "linear": lambda path: [1 / len(path)] * len(path),
    "time_decay": by_time_decay,
    "position": by_position,
    "last_non_direct": by_last_non_direct,
}


def brute_force(journeys: Journeys, name: str) -> tuple[list[float], list[float]]:
    """Conversions and value by group, by plain loops."""
    conversions, value = [0.0] * (GROUPS + 1), [0.0] * (GROUPS + 1)
    for j in range(len(journeys)):
        if not journeys.converted[j]:
            continue
        touches = range(journeys.start[j], journeys.stop[j])
        path = [(int(journeys.touches.touched_at[i]), int(journeys.touches.source[i])) for i in touches]
        given_to = [(NONE, 1.0)]
        if path:
            given_to = [(GROUP_OF_SOURCE[path[i][1]], share) for i, share in enumerate(BRUTE_FORCE[name](path))]
        for group, share in given_to:
            conversions[group] += share
            value[group] += share * float(journeys.value[j])
    return conversions, value


@given(journeys=worlds())
def test_all_six_models_equal_the_brute_force(journeys: Journeys) -> None:
    credit = credit_of(journeys, MODELS)
    assert credit.models == tuple(BRUTE_FORCE)
    for row, name in enumerate(credit.models):
        conversions, value = brute_force(journeys, name)
        assert credit.conversions[row].tolist() == pytest.approx(conversions, rel=1e-9, abs=1e-9)
        assert credit.value[row].tolist() == pytest.approx(value, rel=1e-9, abs=1e-9)


# --- Invariants ---


@given(journeys=worlds())
def test_credit_adds_up_to_conversions_and_value(journeys: Journeys) -> None:
    reconciliation = reconcile(credit=credit_of(journeys, MODELS), journeys=journeys)
    assert reconciliation.ok
    assert reconciliation.total_conversions == sum(journeys.converted)


@given(
    touches=st.lists(st.tuples(st.integers(0, 400 * DAY_US), st.integers(0, 3)), max_size=20),
    value=st.floats(-1e6, 1e6),
    half_life_days=st.floats(1e-3, 1e3),
)
def test_credit_of_each_journey_adds_up_to_one_and_to_its_value(
    touches: list[tuple[int, int]], value: float, half_life_days: float
) -> None:
    models = [*MODELS, replace(TIME_DECAY, name="decay", half_life_days=half_life_days)]
    credit = credit_of(one_journey(touches, value), models)
    assert credit.conversions.sum(axis=1).tolist() == pytest.approx([1.0] * 7)
    assert credit.value.sum(axis=1).tolist() == pytest.approx([value] * 7)
    assert credit.conversions.min() >= 0


@given(
    touches=st.lists(st.builds(Touch, st.integers(0, 3), st.integers(0, 40 * DAY_US), st.integers(0, 3)), max_size=20),
    shift=st.integers(0, 300 * DAY_US),
)
def test_time_decay_does_not_change_when_the_conversions_move(touches: list[Touch], shift: int) -> None:
    def value_after(moved_by: int) -> list[list[float]]:
        journeys = build_journeys(
            touches=touches_from(touches),
            conversions=conversions_from([Outcome(c, 40 * DAY_US + moved_by, 10.0 + c) for c in range(4)]),
            goal=0,
            period_start_us=0,
            period_stop_us=400 * DAY_US,
            window_us=365 * DAY_US,
        )
        value: list[list[float]] = credit_of(journeys, [TIME_DECAY]).value.tolist()
        return value

    assert value_after(shift) == value_after(0)


@pytest.mark.parametrize("threads", [2, 3, 5])
def test_any_number_of_threads_gives_the_same_bits(threads: int) -> None:
    rng = np.random.default_rng(11)
    touches = touches_from(
        [Touch(int(c), int(at), int(s)) for c, at, s in rng.integers(0, [900, 90 * DAY_US, 4], (4000, 3))]
    )
    ends = touches.offsets[1:] - rng.integers(0, 2, len(touches.customer_ids))
    journeys = Journeys(
        touches=touches,
        start=np.minimum(touches.offsets[:-1], ends),
        stop=ends,
        customer=np.arange(len(ends)),
        customers=len(ends),
        anchor_at=np.full(len(ends), 90 * DAY_US),
        converted=rng.random(len(ends)) < 0.7,
        value=rng.lognormal(3, 1, len(ends)),
    )
    serial, parallel = credit_of(journeys, MODELS), credit_of(journeys, MODELS, threads=threads)
    assert serial.conversions.tobytes() == parallel.conversions.tobytes()
    assert serial.value.tobytes() == parallel.value.tobytes()


def test_memory_maps_are_read_as_they_are(tmp_path: Path) -> None:
    journeys = one_journey([(0, 1), (DAY_US, 2)])
    np.save(tmp_path / "source.npy", journeys.touches.source)
    mapped = replace(journeys.touches, source=np.load(tmp_path / "source.npy", mmap_mode="r"))
    from_disk = credit_of(replace(journeys, touches=mapped), MODELS)
    assert np.array_equal(from_disk.conversions, credit_of(journeys, MODELS).conversions)


# --- Reconciliation ---


def test_reconciliation_reports_totals_and_what_each_model_hands_out() -> None:
    journeys = one_journey([(0, 1), (1, 2)], value=30.0)
    reconciliation = reconcile(credit=credit_of(journeys, MODELS), journeys=journeys)
    assert (reconciliation.total_conversions, reconciliation.total_value) == (1, 30.0)
    assert reconciliation.credited_value["linear"] == 30.0
    assert reconciliation.credited_conversions["last"] == 1.0
    assert (reconciliation.largest_difference_conversions, reconciliation.largest_difference_value) == (0.0, 0.0)
    assert reconciliation.ok


@pytest.mark.parametrize(("lost", "ok"), [(1e-10, True), (1e-8, False), (math.nan, False)])
def test_reconciliation_fails_when_a_model_loses_credit(lost: float, ok: bool) -> None:
    journeys = one_journey([(0, 1)], value=30.0)
    credit = credit_of(journeys, MODELS)
    credit.value[3, 1] -= 30.0 * lost
    reconciliation = reconcile(credit=credit, journeys=journeys)
    assert reconciliation.ok is ok
    assert reconciliation.largest_difference_value == pytest.approx(30.0 * lost, rel=1e-4, nan_ok=True)


def test_value_that_refunds_cancel_out_still_reconciles() -> None:
    """Rounding must be judged by the money that moved, not by the little that is left of it."""
    touches = touches_from([Touch(0, at, at % 3) for at in range(14)])
    sales = [JourneyRow(0, 20, True, 1e6 / 3, tuple(range(start, start + 7))) for start in range(7)]
    refunds = [row._replace(value=-row.value, touches=row.touches[:3]) for row in sales]
    journeys = journeys_from([*sales, *refunds], touches)
    reconciliation = reconcile(credit=credit_of(journeys, MODELS), journeys=journeys)
    assert reconciliation.total_value == pytest.approx(0.0, abs=1e-6)
    assert 0.0 < reconciliation.largest_difference_value < 1e-6
    assert reconciliation.ok


# --- Refusals ---


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"first": 1.0, "lead": -0.1}, "weights of custom must be numbers of zero or more"),
        ({"first": -0.1, "last": 1.0}, "weights of custom must be numbers of zero or more"),
        ({"first": math.nan}, "weights of custom must be numbers of zero or more"),
        ({"first": 1e308, "last": 1e308}, "weights of custom must be numbers of zero or more"),
        ({"middle": 1.0}, "must give weight to the first or the last touch"),
        ({"first": 1.0, "half_life_days": 0.0}, "half-life of custom must be a positive number"),
        ({"first": 1.0, "half_life_days": math.inf}, "half-life of custom must be a positive number"),
    ],
)
def test_rule_models_refuse_parameters_without_meaning(model: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RuleModel("custom", RuleKind.POSITION, **model)


def test_a_source_or_group_out_of_bounds_is_refused() -> None:
    journeys = one_journey([(0, 4)])
    with pytest.raises(ValueError, match="traffic source 4, but only 4 are known"):
        credit_of(journeys, MODELS)
    with pytest.raises(ValueError, match="group between 0 and 1"):
        rule_credit(
            journeys=journeys,
            models=MODELS,
            group_of_source=GROUP_OF_SOURCE,
            groups=2,
            direct_source=DIRECT_SOURCE,
        )
    with pytest.raises(ValueError, match="4 traffic sources with a group, but 3 known as Direct"):
        rule_credit(
            journeys=journeys,
            models=MODELS,
            group_of_source=GROUP_OF_SOURCE,
            groups=GROUPS,
            direct_source=DIRECT_SOURCE[:3],
        )


def test_a_model_asked_for_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="once only"):
        credit_of(one_journey([(0, 1)]), [TIME_DECAY, TIME_DECAY])


# --- Where nothing can be cached ---


def test_models_are_computed_where_no_directory_for_compiled_code_is_writable(tmp_path: Path) -> None:
    """Root may write anywhere, so a file stands where numba would make its only directory."""
    (tmp_path / "file").touch()
    environment = {"NUMBA_CACHE_DIR": str(tmp_path / "file"), "NUMBA_CACHE_LOCATOR_CLASSES": "UserProvidedCacheLocator"}
    program = (
        "import numpy as np; from attribution.methods.rule_kernel import give; "
        "credit = np.zeros((1, 1, 2)); give(credit, 0, 0, 0.5, 8.0); print(credit.tolist())"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[2],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.stdout == "[[[0.5, 4.0]]]\n", finished.stderr
