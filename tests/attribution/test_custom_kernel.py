"""Custom models credit what their definition says."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attribution.methods.custom import compile_custom, touch_weights
from attribution.methods.custom_definition import parse
from attribution.methods.rules import (
    FIRST,
    INVERSE_J,
    J_SHAPE,
    LAST,
    LINEAR,
    PARTICIPATION,
    POSITION,
    RULE_MODELS,
    RuleModel,
    reconcile,
    time_decay,
)
from marketing.frames import Journeys
from tests.attribution.custom_worlds import (
    CAMPAIGN_OF_SOURCE,
    CAMPAIGNS,
    CHANNEL_OF_SOURCE,
    CHANNELS,
    INTERACTION_CODES,
    TYPES,
    VALID,
    PathTouch,
    compiled,
    custom_model,
    expected_shares,
)
from tests.attribution.rule_worlds import GROUP_OF_SOURCE, GROUPS, NONE, credit_of, one_journey, worlds
from tests.marketing.rows import DAY_US, JourneyRow, Touch, journeys_from, touches_from


def shares(raw: dict[str, Any], path: list[PathTouch], anchor_at: int) -> list[float]:
    """The share of each touch of the path, as a preview shows it."""
    found: list[float] = touch_weights(
        compiled(raw),
        touched_at=np.array([touch.at for touch in path], np.int64),
        source=np.array([touch.source for touch in path], np.uint32),
        interaction=np.array([touch.interaction for touch in path], np.uint8),
        anchor_at=anchor_at,
    ).tolist()
    return found


def days(*touches: tuple[float, int] | tuple[float, int, str]) -> list[PathTouch]:
    """Touches of (day, source) or (day, source, interaction)."""
    return [
        PathTouch(int(day * DAY_US), source, INTERACTION_CODES[interaction[0]] if interaction else 0)
        for day, source, *interaction in touches
    ]


# --- Worked by hand ---

SIX_DAYS = days((0, 1), (1, 2), (2, 0), (6, 1, "impression"))  # Email, Paid Search, Direct, Email seen; converts
DECAYED = 1 + 2**0.5 + 2 + 8  # weights by a half-life of two days, in eighths


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({}, [1 / 4, 1 / 4, 1 / 4, 1 / 4]),
        ({"position": {"first": 50, "middle": 30, "last": 20}}, [0.5, 0.15, 0.15, 0.2]),
        ({"position": {"nth": [3, 2], "rest": 1}}, [3 / 7, 2 / 7, 1 / 7, 1 / 7]),
        ({"position": {"nth": [3, 2], "from": "end"}}, [0, 0, 2 / 5, 3 / 5]),
        ({"half_life_days": 2}, [1 / DECAYED, 2**0.5 / DECAYED, 2 / DECAYED, 8 / DECAYED]),
        ({"channels": {"EMAIL": 3}}, [3 / 8, 1 / 8, 1 / 8, 3 / 8]),
        ({"channel_types": {"owned": 0}}, [0, 1, 0, 0]),
        ({"channels": {"Email": 2}, "channel_types": {"owned": 3}}, [6 / 16, 1 / 16, 3 / 16, 6 / 16]),
        ({"rules": [{"when": {"interaction": ["impression"]}, "factor": 0}]}, [1 / 3, 1 / 3, 1 / 3, 0]),
        ({"rules": [{"when": {"campaign": ["spring sale"]}, "factor": 2}]}, [2 / 6, 1 / 6, 1 / 6, 2 / 6]),
        ({"rules": [{"when": {"campaign": {"contains": "brand"}}, "factor": 7}]}, [1 / 10, 7 / 10, 1 / 10, 1 / 10]),
        ({"rules": [{"when": {"age_days": {"at_least": 4, "below": 6}}, "factor": 0}]}, [1 / 2, 0, 0, 1 / 2]),
        ({"rules": [{"when": {"position": ["middle"]}, "factor": 4}]}, [0.1, 0.4, 0.4, 0.1]),
        ({"rules": [{"when": {"position": [{"nth": 2, "from": "end"}]}, "factor": 7}]}, [0.1, 0.1, 0.7, 0.1]),
        (  # all rules that hold multiply
            {
                "rules": [
                    {"when": {"channel": ["Email"]}, "factor": 2},
                    {"when": {"channel": ["Email"], "position": ["last"]}, "factor": 3},
                ]
            },
            [2 / 10, 1 / 10, 1 / 10, 6 / 10],
        ),
    ],
)
def test_weights_worked_by_hand(raw: dict[str, Any], expected: list[float]) -> None:
    assert shares(raw, SIX_DAYS, 6 * DAY_US) == pytest.approx(expected, abs=1e-12)


def test_a_path_of_two_renormalises_first_and_last_and_an_only_touch_takes_all() -> None:
    raw = {"position": {"first": 60, "middle": 20, "last": 20}}
    assert shares(raw, days((0, 1), (1, 2)), 2 * DAY_US) == pytest.approx([0.75, 0.25])
    assert shares(raw, days((0, 1)), 2 * DAY_US) == [1.0]


def test_the_only_touch_is_neither_first_nor_last() -> None:
    raw = {"rules": [{"when": {"position": ["first", "last"]}, "factor": 0}]}
    assert shares(raw, days((0, 1)), DAY_US) == [1.0]
    assert shares({"rules": [{"when": {"position": ["only"]}, "factor": 0}]}, days((0, 1)), DAY_US) == [0.0]
    assert shares({"rules": [{"when": {"position": [{"nth": 1}]}, "factor": 0}]}, days((0, 1)), DAY_US) == [0.0]


def test_age_bounds_include_the_lower_and_exclude_the_upper_to_the_microsecond() -> None:
    raw = {"rules": [{"when": {"age_days": {"at_least": 1, "below": 2}}, "factor": 0}]}
    path = [PathTouch(-2 * DAY_US, 0), PathTouch(-2 * DAY_US + 1, 0), PathTouch(-DAY_US, 0), PathTouch(1 - DAY_US, 0)]
    assert shares(raw, path, 0) == [0.5, 0, 0, 0.5]


def test_a_short_half_life_does_not_lose_the_touches_that_have_weight() -> None:
    """The newest touch weighs nothing, and the others are thousands of half-lives old."""
    raw = {"half_life_days": 0.01, "channels": {"Direct": 0}}
    assert shares(raw, days((0, 1), (0, 2), (300, 0)), 365 * DAY_US) == [0.5, 0.5, 0.0]


def test_the_largest_and_the_smallest_factors_of_all_rules_together_stay_numbers() -> None:
    for factor in (1e6, 1e-6):
        rules = [{"when": {"channel": ["Email"]}, "factor": factor}] * 19
        raw = {
            "position": {"nth": [factor], "rest": factor},
            "channels": {"Email": factor},
            "channel_types": {"owned": factor},
            "rules": [*rules, {"when": {"channel": ["Email"], "position": ["first"]}, "factor": factor}],
        }
        assert shares(raw, days((0, 1), (1, 2)), DAY_US) == pytest.approx([float(factor > 1), float(factor < 1)])


# --- Journeys without weight ---


def test_a_journey_whose_weights_are_all_zero_goes_to_none() -> None:
    touches = touches_from([Touch(0, 0, 1), Touch(0, 1, 2), Touch(1, 0, 2)])
    rows = [
        JourneyRow(0, 5, True, 10.0, (0, 1)),
        JourneyRow(1, 5, True, 20.0, (2,)),
        JourneyRow(1, 5, True, 40.0, ()),
        JourneyRow(1, 5, False, 0.0, (2,)),
    ]
    journeys = journeys_from(rows, touches)
    credit = credit_of(journeys, [LAST, custom_model({"channels": {"Paid Search": 0}})])
    assert credit.conversions.tolist() == [[0, 0, 2, 1], [0, 1, 0, 2]]
    assert credit.value.tolist() == [[0, 0, 30, 40], [0, 10, 0, 60]]
    assert reconcile(credit=credit, journeys=journeys).ok


# --- Against an independent brute force ---


@given(raw=VALID, journeys=worlds())
def test_custom_models_equal_the_brute_force(raw: dict[str, Any], journeys: Journeys) -> None:
    expected = np.zeros((GROUPS + 1, 2))
    touches = journeys.touches
    for j in np.flatnonzero(journeys.converted):
        within = slice(journeys.start[j], journeys.stop[j])
        columns = (touches.touched_at[within], touches.source[within], touches.interaction[within])
        path = [PathTouch(*touch) for touch in zip(*(column.tolist() for column in columns), strict=True)]
        weights = expected_shares(raw, path, int(journeys.anchor_at[j]))
        assert shares(raw, path, int(journeys.anchor_at[j])) == pytest.approx(weights, rel=1e-12, abs=1e-12)
        given_to = [(GROUP_OF_SOURCE[touch.source], weight) for touch, weight in zip(path, weights, strict=True)]
        for group, share in given_to if sum(weights) else [(NONE, 1.0)]:
            expected[group] += share, share * journeys.value[j]
    credit = credit_of(journeys, [custom_model(raw)])
    assert credit.conversions[0].tolist() == pytest.approx(expected[:, 0].tolist(), rel=1e-12, abs=1e-12)
    assert credit.value[0].tolist() == pytest.approx(expected[:, 1].tolist(), rel=1e-12, abs=1e-9)
    assert reconcile(credit=credit, journeys=journeys).ok


# --- Invariants ---


@pytest.mark.parametrize(
    ("raw", "model"),
    [
        ({}, LINEAR),
        ({"position": {"first": 0, "middle": 0, "last": 100}}, LAST),
        ({"position": {"nth": [1]}}, FIRST),
        ({"position": {"first": 40, "middle": 20, "last": 40}}, POSITION),
        ({"position": {"first": 20, "middle": 20, "last": 60}}, J_SHAPE),
        ({"position": {"first": 60, "middle": 20, "last": 20}}, INVERSE_J),
        ({"half_life_days": 2.5}, time_decay(2.5)),
    ],
)
@settings(deadline=None, max_examples=30)
@given(journeys=worlds())
def test_definitions_of_the_usual_models_credit_as_these_do(
    raw: dict[str, Any], model: RuleModel, journeys: Journeys
) -> None:
    credit = credit_of(journeys, [custom_model(raw), model])
    assert credit.conversions[0] == pytest.approx(credit.conversions[1], rel=1e-9, abs=1e-9)
    assert credit.value[0] == pytest.approx(credit.value[1], rel=1e-9, abs=1e-9)


@given(raw=VALID, journeys=worlds(), order=st.randoms(use_true_random=False))
def test_order_of_journeys_and_of_rules_changes_nothing(raw: dict[str, Any], journeys: Journeys, order: Random) -> None:
    rows, rules = list(range(len(journeys))), list(raw["rules"])
    order.shuffle(rows)
    order.shuffle(rules)
    credit = credit_of(journeys, [custom_model(raw)])
    shuffled = credit_of(journeys.take(np.array(rows, np.int64)), [custom_model(raw | {"rules": rules})])
    assert shuffled.conversions == pytest.approx(credit.conversions, rel=1e-9, abs=1e-9)
    assert shuffled.value == pytest.approx(credit.value, rel=1e-9, abs=1e-6)


@given(raw=VALID, journeys=worlds())
def test_custom_models_stand_beside_others_in_one_run(raw: dict[str, Any], journeys: Journeys) -> None:
    models = [LAST, custom_model(raw), PARTICIPATION, custom_model({}, "custom:2@1"), *[RULE_MODELS["linear"]]]
    together = credit_of(journeys, models)
    for row, model in enumerate(models):
        assert np.array_equal(together.conversions[row], credit_of(journeys, [model]).conversions[0])


@given(
    path=st.lists(st.tuples(st.integers(0, 40 * DAY_US), st.integers(0, 3)), min_size=1, max_size=8),
    later=st.integers(0, 300 * DAY_US),
    half_life_days=st.floats(0.01, 100),
)
def test_decay_does_not_depend_on_the_time_of_the_conversion(
    path: list[tuple[int, int]], later: int, half_life_days: float
) -> None:
    model = custom_model({"half_life_days": half_life_days, "channels": {"Email": 2}})
    soon, late = (credit_of(one_journey(path, end=41 * DAY_US + moved), [model]) for moved in (0, later))
    assert np.array_equal(soon.conversions, late.conversions)


def test_a_condition_on_age_does_depend_on_the_time_of_the_conversion() -> None:
    model = custom_model({"rules": [{"when": {"age_days": {"at_least": 2}}, "factor": 0}]})
    path = [(0, 1), (DAY_US, 2)]
    soon, late = (credit_of(one_journey(path, end=end * DAY_US), [model]).conversions[0] for end in (1, 2))
    assert (soon.tolist(), late.tolist()) == ([0, 0.5, 0.5, 0], [0, 0, 1, 0])


@pytest.mark.parametrize("threads", [2, 5])
def test_any_number_of_threads_gives_the_same_bits(threads: int) -> None:
    rng = np.random.default_rng(12)
    rows = [Touch(int(c), int(at), int(s)) for c, at, s in rng.integers(0, [300, 90 * DAY_US, 4], (2000, 3))]
    touches = touches_from(rows)
    journeys = Journeys(
        touches=touches,
        start=touches.offsets[:-1],
        stop=touches.offsets[1:],
        customer=np.arange(len(touches.customer_ids)),
        customers=len(touches.customer_ids),
        anchor_at=np.full(len(touches.customer_ids), 90 * DAY_US),
        converted=np.ones(len(touches.customer_ids), np.bool_),
        value=rng.lognormal(3, 1, len(touches.customer_ids)),
    )
    model = custom_model({"half_life_days": 7, "rules": [{"when": {"position": ["last"]}, "factor": 3}]})
    serial, parallel = credit_of(journeys, [model]), credit_of(journeys, [model], threads=threads)
    assert serial.value.tobytes() == parallel.value.tobytes()


# --- Names ---


def test_names_that_nothing_has_match_nothing_and_are_told() -> None:
    custom = compiled(
        {
            "channels": {"Emial": 5, "Email": 1},
            "rules": [
                {"when": {"channel": ["TV"], "campaign": ["Spring Sale", "Autumn"]}, "factor": 2},
                {"when": {"channel": ["tv"]}, "factor": 3},
            ],
        }
    )
    assert custom.source_factor.tolist() == [1, 1, 1, 1]
    assert custom.unknown_channels == ("Emial", "TV", "tv")
    assert custom.unknown_campaigns == ("Autumn",)


def test_touches_without_a_campaign_are_found_by_its_name_but_contain_no_text() -> None:
    named = compiled({"rules": [{"when": {"campaign": ["(not set)"]}, "factor": 3}]})
    containing = compiled({"rules": [{"when": {"campaign": {"contains": "set"}}, "factor": 3}]})
    assert named.source_factor.tolist() == [3, 1, 1, 1]
    assert containing.source_factor.tolist() == [1, 1, 1, 1]


def test_channels_are_found_by_the_names_that_they_had_before() -> None:
    custom = compile_custom(
        parse({"channels": {"Newsletter": 5}}),
        channels=CHANNELS,
        channel_of_source=CHANNEL_OF_SOURCE,
        campaigns=CAMPAIGNS,
        campaign_of_source=CAMPAIGN_OF_SOURCE,
        channel_types=TYPES,
        interaction_codes=INTERACTION_CODES,
        former_names={"newsletter": "Email"},
    )
    assert custom.source_factor.tolist() == [1, 5, 1, 1]
    assert custom.unknown_channels == ()


def test_rules_about_the_source_alone_are_left_to_no_loop() -> None:
    source_only = compiled({"rules": [{"when": {"channel": ["Email"], "campaign": {"contains": "sale"}}, "factor": 2}]})
    assert source_only.source_factor.tolist() == [1, 2, 1, 1]
    assert len(source_only.rule_factor) == 0


def test_a_model_compiled_for_other_sources_is_refused() -> None:
    model = custom_model({})
    assert model.custom is not None
    short = replace(model, custom=replace(model.custom, source_factor=np.ones(3)))
    with pytest.raises(ValueError, match="custom:1@1 was compiled for 3 sources, not 4"):
        credit_of(one_journey([(0, 1)]), [short])


def test_previews_import_no_numba() -> None:
    program = (
        "import sys; import tests.attribution.test_custom_kernel as t; "
        "print(t.shares({}, t.SIX_DAYS, 6 * t.DAY_US), 'numba' in sys.modules)"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.stdout == "[0.25, 0.25, 0.25, 0.25] False\n", finished.stderr
