"""What custom models may be defined as, and what people read of a mistake."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.methods.custom_definition import (
    INTERACTIONS,
    MOST_RULES,
    CustomDefinition,
    InvalidDefinition,
    in_words,
    parse,
)
from marketing.models import Channel, Interaction
from tests.attribution.custom_worlds import VALID

WHOLE: dict[str, Any] = {
    "position": {"first": 50, "middle": 30, "last": 20},
    "half_life_days": 7,
    "channels": {"Direct": 0, "Email": 1.5},
    "channel_types": {"owned": 0.5},
    "rules": [
        {
            "when": {
                "channel": ["Display", "Video"],
                "channel_type": ["paid"],
                "campaign": {"contains": "brand"},
                "interaction": ["impression"],
                "age_days": {"at_least": 1, "below": 30},
                "position": ["middle", {"nth": 2, "from": "end"}],
            },
            "factor": 0.2,
        },
        {"when": {"campaign": ["Autumn", "Spring"]}, "factor": 2},
    ],
}


def errors(raw: object) -> dict[str, str]:
    with pytest.raises(InvalidDefinition) as refusal:
        parse(raw)
    assert (refusal.value.path, refusal.value.sentence) == next(iter(refusal.value.errors.items()))
    return refusal.value.errors


def rule(**when: Any) -> dict[str, Any]:
    return {"rules": [{"when": when, "factor": 2}]}


# --- What is understood ---


def test_the_canonical_json_is_left_as_it_is() -> None:
    assert parse(WHOLE).as_json() == WHOLE


def test_nothing_given_is_the_linear_model() -> None:
    assert parse({}) == CustomDefinition()
    assert parse({}).as_json() == {
        "position": {"even": True},
        "half_life_days": None,
        "channels": {},
        "channel_types": {},
        "rules": [],
    }


@given(raw=VALID)
def test_any_definition_survives_being_stored(raw: dict[str, Any]) -> None:
    definition = parse(raw)
    stored = json.loads(json.dumps(definition.as_json()))
    assert parse(stored) == definition
    assert parse(stored).as_json() == stored
    assert hash(parse(stored)) == hash(definition)


def test_spaces_repeats_and_the_order_of_names_mean_nothing() -> None:
    one = {"channels": {"b": 1, "A": 2}} | rule(channel=[" Email", "Display", "email"], position=["last", "first"])
    other = {"channels": {"A": 2, "b": 1}} | rule(channel=["Display", "Email"], position=["first", "last"])
    assert parse(one) == parse(other)


def test_a_single_position_by_number_needs_no_list() -> None:
    assert parse(rule(position={"nth": 2})) == parse(rule(position=[{"nth": 2, "from": "start"}]))


def test_thirds_of_100_percent_are_accepted() -> None:
    third = 33.3333333
    assert parse({"position": {"first": third, "middle": third, "last": third}}).half_life_days is None


def test_weights_left_out_are_zero() -> None:
    assert parse({"position": {"last": 100}}).position == parse({"position": {"first": 0, "last": 100}}).position
    assert parse({"position": {"nth": [1]}}).as_json()["position"] == {"nth": [1], "rest": 0, "from": "start"}


def test_names_of_types_and_interactions_are_those_of_the_data() -> None:
    assert dict(enumerate(INTERACTIONS)) == {one.value: one.name.lower() for one in Interaction}
    parse({"channel_types": dict.fromkeys(Channel.Type.values, 1)})


# --- What is refused ---


def test_weights_that_do_not_total_100_are_refused_in_words() -> None:
    assert errors({"position": {"first": 60, "middle": 30, "last": 20}}) == {
        "position": "The position weights must total 100%, not 110%."
    }


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ({"name": "mine"}, "name"),
        ({"position": {"first": 50, "middle": 0, "last": 50, "lead": 0}}, "position.lead"),
        ({"position": {"first": 150, "middle": -50, "last": 0}}, "position.middle"),
        ({"position": {"first": "50", "middle": 0, "last": 50}}, "position.first"),
        ({"position": {"first": True, "middle": 49, "last": 50}}, "position.first"),
        ({"position": {"even": False}}, "position.even"),
        ({"position": {"even": True, "first": 100}}, "position.first"),
        ({"position": {}}, "position"),
        ({"position": None}, "position"),
        ({"position": "last"}, "position"),
        ({"position": {"nth": []}}, "position.nth"),
        ({"position": {"nth": [1] * 51}}, "position.nth"),
        ({"position": {"nth": [1, -1]}}, "position.nth[1]"),
        ({"position": {"nth": [1], "rest": math.inf}}, "position.rest"),
        ({"position": {"nth": [1], "from": "middle"}}, "position.from"),
        ({"position": {"nth": [0, 0], "rest": 0}}, "position"),
        ({"half_life_days": 0}, "half_life_days"),
        ({"half_life_days": -7}, "half_life_days"),
        ({"half_life_days": math.nan}, "half_life_days"),
        ({"half_life_days": 1e308}, "half_life_days"),
        ({"half_life_days": "7"}, "half_life_days"),
        ({"channels": {"Email": -1}}, "channels.Email"),
        ({"channels": {"Email": 1e308}}, "channels.Email"),
        ({"channels": {"Email": 10**400}}, "channels.Email"),
        ({"channels": {"Email": 1e-9}}, "channels.Email"),
        ({"channels": {"Email": None}}, "channels.Email"),
        ({"channels": {" ": 1}}, "channels. "),
        ({"channels": {"Email": 1, "EMAIL": 2}}, "channels.EMAIL"),
        ({"channels": ["Email"]}, "channels"),
        ({"channels": {str(n): 1 for n in range(201)}}, "channels"),
        ({"channel_types": {"bought": 1}}, "channel_types.bought"),
        ({"channel_types": dict.fromkeys(["paid", "organic", "owned", "offline"], 0)}, "channel_types"),
        ({"rules": {}}, "rules"),
        ({"rules": [rule(channel=["Email"])["rules"][0]] * (MOST_RULES + 1)}, "rules"),
        ({"rules": ["Email"]}, "rules[0]"),
        ({"rules": [{"when": {"channel": ["Email"]}}]}, "rules[0].factor"),
        ({"rules": [{"when": {"channel": ["Email"]}, "factor": math.nan}]}, "rules[0].factor"),
        ({"rules": [{"when": {"channel": ["Email"]}, "factor": 2, "then": 1}]}, "rules[0].then"),
        ({"rules": [{"factor": 2}]}, "rules[0].when"),
        (rule(), "rules[0].when"),
        (rule(channels=["Email"]), "rules[0].when.channels"),
        (rule(channel="Email"), "rules[0].when.channel"),
        (rule(channel=[]), "rules[0].when.channel"),
        (rule(channel=["Email", 5]), "rules[0].when.channel[1]"),
        (rule(channel=["a\nb"]), "rules[0].when.channel[0]"),
        (rule(channel_type=["bought"]), "rules[0].when.channel_type[0]"),
        (rule(campaign={"contains": "x", "starts": "x"}), "rules[0].when.campaign.starts"),
        (rule(campaign={"contains": " "}), "rules[0].when.campaign.contains"),
        (rule(campaign={}), "rules[0].when.campaign.contains"),
        (rule(interaction=["look"]), "rules[0].when.interaction[0]"),
        (rule(age_days={}), "rules[0].when.age_days"),
        (rule(age_days=5), "rules[0].when.age_days"),
        (rule(age_days={"at_least": -1}), "rules[0].when.age_days.at_least"),
        (rule(age_days={"at_least": 5, "below": 5}), "rules[0].when.age_days.below"),
        (rule(age_days={"below": 0}), "rules[0].when.age_days.below"),
        (rule(age_days={"below": 5, "above": 1}), "rules[0].when.age_days.above"),
        (rule(position=["second"]), "rules[0].when.position[0]"),
        (rule(position="first"), "rules[0].when.position"),
        (rule(position=[]), "rules[0].when.position"),
        (rule(position=[{"nth": 0}]), "rules[0].when.position[0].nth"),
        (rule(position=[{"nth": 1.5}]), "rules[0].when.position[0].nth"),
        (rule(position=[{"nth": 1, "from": "left"}]), "rules[0].when.position[0].from"),
        ({"rules": [{"when": {"age_days": {"at_least": 0}}, "factor": 0}]}, "rules[0].factor"),
        ({"rules": [{"when": {"position": ["first", "middle", "last", "only"]}, "factor": 0}]}, "rules[0].factor"),
        ([], ""),
        (None, ""),
        ("{}", ""),
        ({"channels": {"Email": {1, 2}}}, ""),
    ],
)
def test_a_mistake_is_told_at_its_path(raw: object, path: str) -> None:
    found = errors(raw)
    assert list(found) == [path]
    assert found[path].endswith(".")


def test_every_mistake_is_told_at_once() -> None:
    rules = [{"when": {"age_days": {"below": -1}}, "factor": -1}, {"when": {}, "factor": 1}]
    raw = {"half_life_days": 0, "rules": rules}
    assert list(errors(raw)) == ["half_life_days", "rules[0].when.age_days.below", "rules[0].factor", "rules[1].when"]


def test_what_is_nested_too_deep_is_refused_without_being_gone_through() -> None:
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]
    assert errors(nested) == {"": "A custom model is nested at most 10 levels deep."}
    assert errors({"rules": nested}) == {"": "A custom model is nested at most 10 levels deep."}


@pytest.mark.parametrize(
    "raw", [{"channels": {"x" * 70_000: 1}}, {"rules": [{}] * 70_000}, {"position": {"nth": ["é" * 33_000]}}]
)
def test_what_is_too_large_is_refused(raw: object) -> None:
    assert errors(raw) == {"": "A custom model has at most 64 KB."}


def test_a_name_of_a_lone_surrogate_is_refused_and_not_an_error() -> None:
    assert list(errors(json.loads('{"channels": {"\\ud800": 1}}'))) == ["channels.\ud800"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda parts: (
        st.lists(parts, max_size=4)
        | st.dictionaries(
            st.sampled_from(["position", "nth", "from", "rules", "when", "factor", "age_days", "below", "channel"])
            | st.text(max_size=3),
            parts,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(raw=JSON)
def test_any_json_is_a_definition_or_refused_with_sentences(raw: object) -> None:
    found: dict[str, str] = {}
    try:
        assert parse(parse(raw).as_json()) == parse(raw)
    except InvalidDefinition as refusal:
        found = refusal.errors
    assert all(sentence.endswith(".") for sentence in found.values())


# --- In words ---


def test_a_definition_is_said_in_words() -> None:
    assert in_words(parse(WHOLE)) == (
        "50% to the first touch, 20% to the last, 30% shared by those between.",
        "A touch weighs half as much for every 7 days before the conversion.",
        "Direct counts not at all.",
        "Email counts 1.5 times.",
        "Owned channels count half.",
        (
            "Touches of Display or Video, of paid channels, of a campaign whose name contains “brand”, by impression, "
            "from 1 to less than 30 days before the conversion, that are between the first and the last or the 2nd "
            "from the end: weight × 0.2."
        ),
        "Touches of the campaign “Autumn” or “Spring”: weight × 2.",
    )


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ({}, "Every touch weighs the same."),
        (
            {"position": {"nth": [3, 2, 1]}},
            "Weights by position: 3 for the first, 2 for the 2nd, 1 for the 3rd, 0 for each other touch.",
        ),
        (
            {"position": {"nth": [3, 2], "rest": 0.5, "from": "end"}},
            "Weights by position: 3 for the last, 2 for the 2nd from the end, 0.5 for each other touch.",
        ),
        ({"half_life_days": 1}, "A touch weighs half as much for every 1 day before the conversion."),
        (rule(age_days={"at_least": 1}), "Touches 1 day or more before the conversion: weight × 2."),
        (rule(age_days={"below": 2.5}), "Touches less than 2.5 days before the conversion: weight × 2."),
        (
            rule(position=["first", "last", "only", {"nth": 12}]),
            "Touches that are the first of several, the last of several, the only one or the 12th: weight × 2.",
        ),
        (rule(interaction=["store_visit"]), "Touches by store visit: weight × 2."),
    ],
)
def test_parts_are_said_in_words(raw: dict[str, Any], sentence: str) -> None:
    assert in_words(parse(raw))[-1] == sentence


@given(raw=VALID)
def test_every_definition_can_be_said(raw: dict[str, Any]) -> None:
    assert all(sentence.endswith(".") and sentence[0].strip() for sentence in in_words(parse(raw)))
