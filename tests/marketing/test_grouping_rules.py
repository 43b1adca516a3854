"""A workspace's own rules: which fits, and what is wrong with those that cannot be."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketing.grouping import classify
from marketing.grouping_rules import (
    LONGEST_CHANNEL,
    LONGEST_VALUE,
    MOST_CONDITIONS,
    MOST_CONDITIONS_TOGETHER,
    MOST_PATTERNS,
    MOST_RULES,
    MOST_VALUES,
    OPERATORS,
    InvalidRulesError,
    Rules,
    parse_rules,
)

COMPARISONS: list[tuple[str, object, str, str]] = [
    ("is", "Brand", "brand", "brand 2"),
    ("is_not", "brand", "generic", "BRAND"),
    ("contains", "RAN", "brand", "generic"),
    ("does_not_contain", "ran", "generic", "Brand"),
    ("starts_with", "br", "Brand", "abrand"),
    ("ends_with", "ND", "brand", "brands"),
    ("one_of", ["brand", "Own name"], "own NAME", "own"),
    ("matches", "^br|name$", "my name", "a name of mine"),
    ("is_empty", None, "(not set)", "brand"),
]


def condition(field: str, operator: str, value: object = None) -> dict[str, Any]:
    return {"field": field, "operator": operator} | ({} if value is None else {"value": value})


def rule(channel: str, *conditions: dict[str, Any], **more: object) -> dict[str, Any]:
    return {"channel": channel, "conditions": list(conditions), **more}


def errors_of(document: object) -> dict[str, list[str]]:
    with pytest.raises(InvalidRulesError) as refusal:
        parse_rules(document)
    return refusal.value.errors


@pytest.mark.parametrize(("operator", "value", "fitting", "other"), COMPARISONS)
@pytest.mark.parametrize("field", ["source", "medium", "campaign"])
def test_each_operator_compares_without_regard_to_case(
    field: str, operator: str, value: object, fitting: str, other: str
) -> None:
    rules = parse_rules([rule("Found", condition(field, operator, value)), {"otherwise": "unassigned"}])
    place = ("source", "medium", "campaign").index(field)
    for text, channel in ((fitting, "Found"), (f"  {fitting} ", "Found"), (other, "Unassigned")):
        traffic = ["x", "y", "z"]
        traffic[place] = text
        assert rules.classify(*traffic) == channel, text


def test_every_operator_is_tried_above() -> None:
    assert {operator for operator, *_ in COMPARISONS} == set(OPERATORS)


@pytest.mark.parametrize(
    ("source", "medium", "whole"),
    [("google", "cpc", "google / cpc"), ("google", "", "google / (not set)"), ("", "cpc", "(not set) / cpc")],
)
def test_source_and_medium_can_be_looked_at_together(source: str, medium: str, whole: str) -> None:
    rules = parse_rules([rule("Found", condition("source_medium", "is", whole))])
    assert rules.classify(source, medium, "") == "Found"


@pytest.mark.parametrize(("source", "medium"), [("", ""), ("(not set)", "(none)")])
def test_traffic_without_source_and_medium_is_empty(source: str, medium: str) -> None:
    rules = parse_rules([rule("Nothing", condition("source_medium", "is_empty"))])
    assert rules.classify(source, medium, "brand") == "Nothing"
    assert rules.classify("google", medium, "brand") != "Nothing"


def test_all_or_any_of_the_conditions_must_hold() -> None:
    both = [condition("source", "is", "fb"), condition("medium", "is", "paid")]
    rules = parse_rules([rule("All", *both, match="all"), rule("Any", *both, match="any")])
    assert [rules.placed(*traffic) for traffic in (("fb", "paid", ""), ("fb", "x", ""), ("x", "paid", ""))] == [
        (0, "All"),
        (1, "Any"),
        (1, "Any"),
    ]


def test_the_first_rule_that_fits_holds() -> None:
    first, second = rule("First", condition("source", "contains", "g")), rule("Second", condition("source", "is", "g"))
    assert parse_rules([first, second]).placed("g", "", "") == (0, "First")
    assert parse_rules([second, first]).placed("g", "", "") == (0, "Second")


@settings(max_examples=50, deadline=None)
@given(source=st.sampled_from(["google", "fb", "x.example", ""]), medium=st.sampled_from(["cpc", "email", ""]))
def test_what_no_rule_fits_is_grouped_as_standard_does_unless_told_otherwise(source: str, medium: str) -> None:
    never = rule("Never", condition("campaign", "is", "nothing like it"))
    assert parse_rules([never]).placed(source, medium, "") == (None, classify(source, medium, ""))
    assert parse_rules([never, {"otherwise": "standard"}]).classify(source, medium, "") == classify(source, medium, "")
    assert parse_rules([never, {"otherwise": "unassigned"}]).placed(source, medium, "") == (None, "Unassigned")


def test_no_rules_at_all_are_the_standard() -> None:
    assert parse_rules([]) == Rules()
    assert Rules().classify("google", "cpc", "") == "Paid Search"


def test_the_digest_tells_rules_apart_that_group_differently_and_no_others() -> None:
    one, other = rule("One", condition("source", "is", "a")), rule("Other", condition("source", "is", "b"))
    digest = parse_rules([one, other]).digest
    assert parse_rules(json.loads(json.dumps([one, other]))).digest == digest
    assert parse_rules([{**one, "type": "owned", "match": "all"}, other]).digest == digest
    for different in (
        [other, one],
        [one],
        [one, other, {"otherwise": "unassigned"}],
        [{**one, "match": "any"}, other],
        [rule("One", condition("source", "is_not", "a")), other],
        [rule("Uno", condition("source", "is", "a")), other],
    ):
        assert parse_rules(different).digest != digest


def test_a_channel_has_the_type_of_the_first_rule_that_says_one() -> None:
    found = condition("source", "is", "a")
    rules = parse_rules([rule("One", found), rule("ONE", found, type="owned"), rule("One", found, type="paid")])
    assert rules.types == {"one": "owned"}


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({}, ""),
        ("rules", ""),
        (["rule"], "0"),
        ([rule("A", condition("source", "is", "a"), colour="red")], "0"),
        ([rule("", condition("source", "is", "a"))], "0.channel"),
        ([rule("A\nB", condition("source", "is", "a"))], "0.channel"),
        ([rule("A" * (LONGEST_CHANNEL + 1), condition("source", "is", "a"))], "0.channel"),
        ([{"channel": ["A"], "conditions": [condition("source", "is", "a")]}], "0.channel"),
        ([rule("A", condition("source", "is", "a"), type="print")], "0.type"),
        ([rule("A", condition("source", "is", "a"), type=["paid"])], "0.type"),
        ([rule("A", condition("source", "is", "a"), match="some")], "0.match"),
        ([rule("A", condition("source", "is", "a"), match=None)], "0.match"),
        ([rule("A")], "0.conditions"),
        ([{"channel": "A", "conditions": "all"}], "0.conditions"),
        ([rule("A", *[condition("source", "is", "a")] * (MOST_CONDITIONS + 1))], "0.conditions"),
        ([{"channel": "A", "conditions": ["x"]}], "0.conditions.0"),
        ([rule("A", condition("source", "is", "a") | {"case": "upper"})], "0.conditions.0"),
        ([rule("A", condition("keyword", "is", "a"))], "0.conditions.0.field"),
        ([rule("A", {"operator": "is", "value": "a"})], "0.conditions.0.field"),
        ([rule("A", condition("source", "sounds_like", "a"))], "0.conditions.0.operator"),
        ([rule("A", condition("source", "is", "  "))], "0.conditions.0.value"),
        ([rule("A", condition("source", "is"))], "0.conditions.0.value"),
        ([rule("A", condition("source", "is", 7))], "0.conditions.0.value"),
        ([rule("A", condition("source", "is", ["a", "b"]))], "0.conditions.0.value"),
        ([rule("A", condition("source", "is", "a\x00b"))], "0.conditions.0.value"),
        ([rule("A", condition("source", "one_of", []))], "0.conditions.0.value"),
        ([rule("A", condition("source", "one_of", ["a", 1]))], "0.conditions.0.value"),
        ([rule("A", condition("source", "one_of", [f"{n}" for n in range(MOST_VALUES + 1)]))], "0.conditions.0.value"),
        ([rule("A", condition("source", "is_empty", "a"))], "0.conditions.0.value"),
        ([rule("A", condition("source", "matches", "(a"))], "0.conditions.0.value"),
        ([rule("A", condition("source", "contains", "a" * (LONGEST_VALUE + 1)))], "0.conditions.0.value"),
        ([{"otherwise": "guess"}], "0.otherwise"),
        ([{"otherwise": ["standard"]}], "0.otherwise"),
        ([{"otherwise": "standard", "channel": "A"}], "0.otherwise"),
        ([{"otherwise": "standard"}, rule("A", condition("source", "is", "a"))], "0"),
        ([rule("A", condition("source", "is", "a"))] * (MOST_RULES + 1), ""),
        ([rule("A", *[condition("source", "is", "a")] * 20)] * (MOST_CONDITIONS_TOGETHER // 20 + 1), ""),
        ([rule("A", condition("source", "matches", "a"))] * (MOST_PATTERNS + 1), ""),
    ],
)
def test_what_cannot_be_is_told_with_its_path(document: object, path: str) -> None:
    errors = errors_of(document)
    assert path in errors
    assert all(sentence.endswith(".") for sentences in errors.values() for sentence in sentences)


def test_all_that_is_wrong_is_told_at_once() -> None:
    document = [rule("", condition("source", "is", "")), rule("A", condition("x", "is", "a"), condition("medium", "y"))]
    assert set(errors_of(document)) == {
        "0.channel",
        "0.conditions.0.value",
        "1.conditions.0.field",
        "1.conditions.1.operator",
    }
