"""Patterns, against Python's own regular expressions, and against those that bring these to a halt."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketing.patterns import LONGEST_PATTERN, Pattern, PatternError

ATOMS = st.sampled_from(["a", "b", "1", ".", "[ab]", "[^a]", r"\d", r"\w", r"\.", "^", "$"])
PATTERNS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda both: f"({both[0]}|{both[1]})"),
        st.tuples(inner, inner).map("|".join),
        st.tuples(inner, st.sampled_from("*+?")).map(lambda both: f"({both[0]}){both[1]}"),
    ),
    max_leaves=8,
)


@settings(max_examples=400, deadline=None)
@given(pattern=PATTERNS, text=st.text("ab1.", max_size=7))
def test_a_pattern_is_found_where_a_regular_expression_is(pattern: str, text: str) -> None:
    expected = re.search(pattern.replace("$", r"\Z"), text) is not None
    assert Pattern(pattern).found_in(text) == expected


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("^fb|face ?book", "My Facebook Ads", True),
        ("^fb|face ?book", "notfb", False),
        ("CPC$", "brand-cpc", True),
        (r"q[1-4]_20\d\d", "Spring Q2_2026 sale", True),
        ("[^a-z ]", "only letters", False),
        ("[]x]", "]", True),
        ("[a-]", "-", True),
        (r"\W", "a_b", False),
        ("(a|)(b|)$", "", True),
        ("", "anything", True),
        ("^$", "", True),
        ("^$", "x", False),
        ("ÄRGER", "ärger im büro", True),
    ],
)
def test_a_pattern_is_found_or_not(pattern: str, text: str, found: bool) -> None:
    assert Pattern(pattern).found_in(text) is found


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*$", "(.*)(.*)(.*)(.*)x", "a?" * 60 + "a" * 60])
def test_no_pattern_takes_long(pattern: str) -> None:
    began = time.perf_counter()
    Pattern(pattern).found_in("a" * 400 + "b")
    assert time.perf_counter() - began < 2


def test_what_is_remembered_is_bounded_and_changes_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("marketing.patterns.MOST_STEPS_KEPT", 3)
    pattern = Pattern("a.*b.*c")
    answers = [pattern.found_in(text) for text in ("xaybzc", "cba", "abc", "aabb", "a--b--c")]
    assert answers == [True, False, True, False, True]
    assert len(pattern._steps) <= 3


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("a)", "without its “(”"),
        ("(a", "without its “)”"),
        ("[a", "without its “]”"),
        ("*a", "nothing before"),
        ("a**", "repeat something once"),
        ("a+?", "repeat something once"),
        ("(?=a)", "no look-arounds"),
        (r"(a)\1", "is not supported"),
        ("a{2}", "is not supported"),
        ("a\\", "is not supported"),
        ("[z-a]", "from a lower character"),
        (r"[\d-z]", "from one character to another"),
        (r"[\D]", "not supported within"),
        ("a" * (LONGEST_PATTERN + 1), "at most 200 characters"),
    ],
)
def test_what_cannot_be_matched_in_linear_time_or_makes_no_sense_is_refused(pattern: str, reason: str) -> None:
    with pytest.raises(PatternError, match=re.escape(reason)):
        Pattern(pattern)
