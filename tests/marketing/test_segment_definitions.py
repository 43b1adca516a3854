"""What a segment's definition may say, what is wrong with it otherwise, its canonical form, and its words."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketing.segments.definition import MOST_CONDITIONS, MOST_NAMES, Definition, InvalidDefinition, parse
from marketing.segments.words import in_words
from tests.marketing.segment_worlds import definitions


def canonical(*conditions: dict[str, Any], match: str = "all") -> dict[str, Any]:
    return parse({"match": match, "conditions": list(conditions)}).as_json()


def errors(raw: object) -> dict[str, str]:
    with pytest.raises(InvalidDefinition) as refusal:
        parse(raw)
    return refusal.value.errors


def test_names_are_kept_once_and_in_alphabetical_order() -> None:
    (condition,) = canonical({"type": "channels", "all_of": ["email ", "Display", "Email"]})["conditions"]
    assert condition == {"type": "channels", "all_of": ["Display", "email"]}


def test_all_of_one_is_any_of_it() -> None:
    assert canonical({"type": "channels", "all_of": ["Email"]}) == canonical({"type": "channels", "any_of": ["Email"]})


def test_not_new_is_returning() -> None:
    (condition,) = canonical({"type": "customer", "is": "new", "not": True})["conditions"]
    assert condition == {"type": "customer", "is": "returning"}


def test_one_condition_is_said_in_one_way() -> None:
    new = {"type": "customer", "is": "new"}
    assert canonical(new, new, match="any") == {"match": "all", "conditions": [new]}


def test_whole_numbers_are_whole() -> None:
    bounds = canonical({"type": "value", "at_least": 50.0, "below": 99.5})["conditions"][0]
    assert (repr(bounds["at_least"]), repr(bounds["below"])) == ("50", "99.5")


def test_nothing_said_is_everything() -> None:
    assert parse({}) == Definition()
    with pytest.raises(ValueError, match="nothing"):
        Definition().complement()


@given(definitions())
def test_the_canonical_form_stays_as_it_is(raw: dict[str, Any]) -> None:
    once = parse(raw).as_json()
    assert parse(once).as_json() == once
    assert parse(once) == parse(raw)


@given(definitions(least=1))
def test_the_complement_of_the_complement_is_the_definition(raw: dict[str, Any]) -> None:
    assert parse(raw).complement().complement() == parse(raw)


NEW = {"type": "customer", "is": "new"}
WRONG: list[tuple[object, str, str]] = [
    ([], "", "object"),
    (None, "", "object"),
    ({"match": "some"}, "match", "“all” or “any”"),
    ({"match": ["all"]}, "match", "“all” or “any”"),
    ({"condition": []}, "condition", "no such field"),
    ({"conditions": {}}, "conditions", "list"),
    ({"conditions": [NEW] * (MOST_CONDITIONS + 1)}, "conditions", "at most 20"),
    ({"conditions": [NEW, "new"]}, "conditions[1]", "object"),
    ({"conditions": [{}]}, "conditions[0].type", "one of"),
    ({"conditions": [{"type": "age"}]}, "conditions[0].type", "attribute"),
    ({"conditions": [{"type": ["value"]}]}, "conditions[0].type", "one of"),
    ({"conditions": [{"type": "customer", "is": "old"}]}, "conditions[0].is", "“returning”"),
    ({"conditions": [{**NEW, "not": "yes"}]}, "conditions[0].not", "true or false"),
    ({"conditions": [{**NEW, "since": 2020}]}, "conditions[0].since", "no such field"),
    ({"conditions": [{"type": "channels"}]}, "conditions[0]", "“any_of” or “all_of”"),
    ({"conditions": [{"type": "channels", "any_of": ["a"], "all_of": ["b"]}]}, "conditions[0]", "“any_of”"),
    ({"conditions": [{"type": "first_channel", "all_of": ["a"]}]}, "conditions[0].all_of", "no such field"),
    ({"conditions": [{"type": "first_channel", "any_of": []}]}, "conditions[0].any_of", "at least one"),
    ({"conditions": [{"type": "first_channel", "any_of": "Email"}]}, "conditions[0].any_of", "at least one"),
    ({"conditions": [{"type": "first_channel", "any_of": [" "]}]}, "conditions[0].any_of", "not blank"),
    ({"conditions": [{"type": "first_channel", "any_of": [7]}]}, "conditions[0].any_of", "not blank"),
    ({"conditions": [{"type": "attribute", "any_of": ["a\x00b"]}]}, "conditions[0].any_of", "printable"),
    ({"conditions": [{"type": "attribute", "any_of": ["\ud800"]}]}, "conditions[0].any_of", "printable"),
    ({"conditions": [{"type": "attribute", "any_of": ["x" * 201]}]}, "conditions[0].any_of", "200"),
    (
        {"conditions": [{"type": "attribute", "any_of": [str(n) for n in range(MOST_NAMES + 1)]}]},
        "conditions[0].any_of",
        "at most",
    ),
    ({"conditions": [{"type": "interactions", "any_of": ["shout"]}]}, "conditions[0].any_of", "“shout”"),
    ({"conditions": [{"type": "touches"}]}, "conditions[0]", "“at_least”"),
    ({"conditions": [{"type": "touches", "at_least": 1.5}]}, "conditions[0].at_least", "whole"),
    ({"conditions": [{"type": "touches", "at_least": -1}]}, "conditions[0].at_least", "zero or more"),
    ({"conditions": [{"type": "touches", "at_least": True}]}, "conditions[0].at_least", "number"),
    ({"conditions": [{"type": "touches", "at_least": "2"}]}, "conditions[0].at_least", "number"),
    ({"conditions": [{"type": "touches", "at_least": 10**30}]}, "conditions[0].at_least", "whole"),
    ({"conditions": [{"type": "touches", "at_least": 10**400}]}, "conditions[0].at_least", "whole"),
    ({"conditions": [{"type": "value", "below": 10**400}]}, "conditions[0].below", "up to"),
    ({"conditions": [{"type": "value", "below": float("inf")}]}, "conditions[0].below", "number"),
    ({"conditions": [{"type": "touches", "at_least": 3, "at_most": 2}]}, "conditions[0].at_most", "above"),
    ({"conditions": [{"type": "touches", "below": 3}]}, "conditions[0].below", "no such field"),
    ({"conditions": [{"type": "value", "at_least": float("nan")}]}, "conditions[0].at_least", "number"),
    ({"conditions": [{"type": "value", "below": 1e308}]}, "conditions[0].below", "up to"),
    ({"conditions": [{"type": "value", "at_least": 5, "below": 5}]}, "conditions[0].below", "above"),
]


@pytest.mark.parametrize(("raw", "path", "words"), WRONG, ids=range(len(WRONG)))
def test_a_mistake_is_named_by_its_path(raw: object, path: str, words: str) -> None:
    found = errors(raw)
    assert list(found) == [path]
    assert words in found[path]


def test_all_mistakes_are_named_at_once() -> None:
    wrong = {"match": "none", "conditions": [{"type": "touches"}, {"type": "customer", "is": 1, "on": 2}]}
    assert set(errors(wrong)) == {"match", "conditions[0]", "conditions[1].is", "conditions[1].on"}


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@given(_JSON | st.fixed_dictionaries({"conditions": st.lists(_JSON, max_size=3)}))
def test_whatever_is_sent_is_understood_or_refused_with_a_sentence(raw: object) -> None:
    sentences: list[str] = []
    try:
        parse(raw)
    except InvalidDefinition as refusal:
        sentences = list(refusal.errors.values())
    assert all(sentence.endswith(".") for sentence in sentences)


SAID = [
    ([], "all", "All customers"),
    ([NEW], "all", "New customers"),
    ([{"type": "customer", "is": "returning"}], "all", "Returning customers"),
    ([NEW, {"type": "touches", "at_least": 2, "at_most": 5}], "all", "New customers; 2 to 5 touches"),
    ([NEW, {"type": "touches", "at_most": 1}], "any", "New customers; or up to 1 touch"),
    ([{"type": "touches", "at_least": 3, "at_most": 3}], "all", "Exactly 3 touches"),
    ([{"type": "touches", "at_least": 1000, "not": True}], "all", "Not 1,000 or more touches"),
    ([{"type": "value", "at_least": 50, "below": 99.95}], "all", "Value from 50 to below 99.95"),
    ([{"type": "value", "below": 10, "not": True}], "all", "Value not below 10"),
    ([{"type": "first_channel", "any_of": ["B", "A", "C"]}], "all", "First channel is A, B or C"),
    ([{"type": "acquired_by", "any_of": ["A"], "not": True}], "all", "Acquisition channel is not A"),
    ([{"type": "channels", "any_of": ["A", "B"]}], "all", "Channels touched include any of A and B"),
    (
        [{"type": "channels", "all_of": ["A", "B"], "not": True}],
        "all",
        "Channels touched do not include all of A and B",
    ),
    ([{"type": "channels", "any_of": ["A", "B"], "not": True}], "all", "Channels touched include none of A and B"),
    ([{"type": "interactions", "any_of": ["store_visit"]}], "all", "Interactions include store visit"),
    ([{"type": "attribute", "any_of": ["Loyal"]}], "all", "Customer attribute is Loyal"),
]


@pytest.mark.parametrize(("conditions", "match", "words"), SAID, ids=[words for _, _, words in SAID])
def test_a_definition_is_said_in_words(conditions: list[dict[str, Any]], match: str, words: str) -> None:
    assert in_words(parse({"match": match, "conditions": conditions})) == words
