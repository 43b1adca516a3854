"""Which journeys a segment holds: by hand, against a loop over plain rows, and what must hold of every segment."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from marketing.segments.definition import parse
from marketing.segments.evaluation import returning_customers, select
from tests.marketing.rows import Outcome
from tests.marketing.segment_worlds import CODES, GOAL, Market, Seen, by_hand, definitions, lookup, markets

# Customer 1 buys on day 2 (before the period) and on day 8; 2 buys on day 7 and leaves on; 3 only looks; 4 buys unseen.
MARKET = Market(
    touches=[
        Seen(1, 1, 0, "Fresh"),
        Seen(1, 6, 1),
        Seen(1, 8, 2, interaction=2),
        Seen(2, 4, 1, "Loyal"),
        Seen(2, 7, 1),
        Seen(3, 6, 3, "Fresh", interaction=2),
        Seen(3, 9, 0, "Loyal"),
    ],
    outcomes=[
        Outcome(1, 2, 10.0, GOAL),
        Outcome(1, 8, 30.0, GOAL),
        Outcome(2, 7, 20.0, GOAL),
        Outcome(2, 3, 99.0, goal=9),
        Outcome(4, 9, 50.0, GOAL),
    ],
    first=5,
    last=10,
    window=5,
)
FIRST, SECOND, UNSEEN, LOOKING = range(4)  # the journeys: of customers 1, 2 and 4, and the null path of 3


def held(*conditions: dict[str, Any], match: str = "all", market: Market = MARKET) -> list[int]:
    return np.flatnonzero(mask(market, {"match": match, "conditions": list(conditions)})).tolist()


def mask(market: Market, definition: dict[str, Any]) -> Any:
    journeys, conversions = market.frames()
    returning = returning_customers(journeys=journeys, conversions=conversions, **market.period())
    return select(definition=parse(definition), journeys=journeys, sources=lookup(), codes=CODES, returning=returning)


def test_a_customer_is_returning_who_converted_before_however_long_ago() -> None:
    assert held({"type": "customer", "is": "returning"}) == [FIRST]
    assert held({"type": "customer", "is": "new"}) == [SECOND, UNSEEN, LOOKING]


def test_two_conversions_at_the_same_moment_are_both_of_a_new_customer() -> None:
    market = Market([], [Outcome(1, 6, 1.0, GOAL), Outcome(1, 6, 2.0, GOAL)], first=5, last=10, window=5)
    assert held({"type": "customer", "is": "new"}, market=market) == [0, 1]


def test_who_comes_back_without_converting_again_is_returning() -> None:
    market = Market([Seen(1, 9)], [Outcome(1, 2, 1.0, GOAL)], first=5, last=10, window=5)
    assert held({"type": "customer", "is": "returning"}, market=market) == [0]


def test_the_first_channel_is_that_of_the_first_touch_in_the_window() -> None:
    assert held({"type": "first_channel", "any_of": ["Search"]}) == [FIRST, SECOND]
    assert held({"type": "first_channel", "any_of": ["Email"]}) == []


def test_a_customer_was_acquired_by_the_first_touch_of_all() -> None:
    assert held({"type": "acquired_by", "any_of": ["Email"]}) == [FIRST]
    assert held({"type": "acquired_by", "any_of": ["display", "Search"]}) == [SECOND, LOOKING]


def test_no_touch_is_no_channel_but_is_outside_of_any_list() -> None:
    assert UNSEEN not in held({"type": "first_channel", "any_of": ["Email", "Search", "Display"]})
    assert held({"type": "first_channel", "any_of": ["Search"], "not": True}) == [UNSEEN, LOOKING]


def test_channels_touched_may_be_any_all_or_none_of_a_list() -> None:
    assert held({"type": "channels", "any_of": ["Display", "Email"]}) == [FIRST, LOOKING]
    assert held({"type": "channels", "all_of": ["Display", "Email"]}) == [LOOKING]
    assert held({"type": "channels", "any_of": ["Display", "Email"], "not": True}) == [SECOND, UNSEEN]
    assert held({"type": "channels", "all_of": ["Search", "Carrier pigeon"]}) == []


def test_interactions_are_those_in_the_window() -> None:
    assert held({"type": "interactions", "any_of": ["impression"]}) == [FIRST, LOOKING]
    assert held({"type": "interactions", "all_of": ["click", "impression"]}) == [FIRST, LOOKING]
    assert held({"type": "interactions", "any_of": ["impression"], "not": True}) == [SECOND, UNSEEN]


def test_the_attribute_is_the_one_last_known_when_the_journey_ends() -> None:
    assert held({"type": "attribute", "any_of": ["Fresh"]}) == [FIRST]  # said before the window
    assert held({"type": "attribute", "any_of": ["Loyal"]}) == [SECOND, LOOKING]
    assert held({"type": "attribute", "any_of": ["Fresh", "Loyal"], "not": True}) == [UNSEEN]


def test_bounds_of_touches_are_both_included() -> None:
    assert held({"type": "touches", "at_least": 2, "at_most": 2}) == [FIRST, SECOND, LOOKING]
    assert held({"type": "touches", "at_most": 1}) == [UNSEEN]


def test_value_bands_do_not_overlap_and_a_null_path_lies_in_none() -> None:
    assert held({"type": "value", "below": 30}) == [SECOND]
    assert held({"type": "value", "at_least": 30, "below": 50}) == [FIRST]
    assert held({"type": "value", "at_least": 50}) == [UNSEEN]
    assert held({"type": "value", "at_least": 0}) == [FIRST, SECOND, UNSEEN]


def test_all_or_any_of_the_conditions_hold() -> None:
    returning, large = {"type": "customer", "is": "returning"}, {"type": "value", "at_least": 30}
    assert held(returning, large) == [FIRST]
    assert held(returning, large, match="any") == [FIRST, UNSEEN]


def test_no_conditions_hold_everything() -> None:
    assert held() == held(match="any") == [FIRST, SECOND, UNSEEN, LOOKING]


def test_what_a_condition_needs_must_be_there() -> None:
    journeys, _ = MARKET.frames()
    new = parse({"conditions": [{"type": "customer", "is": "new"}]})
    with pytest.raises(ValueError, match="returning"):
        select(definition=new, journeys=journeys, sources=lookup(), codes=CODES)
    unasked = replace(journeys, touches=replace(journeys.touches, segment=None))
    loyal = parse({"conditions": [{"type": "attribute", "any_of": ["Loyal"]}]})
    with pytest.raises(ValueError, match="segments"):
        select(definition=loyal, journeys=unasked, sources=lookup(), codes=CODES)


def test_returning_customers_are_refused_for_other_journeys() -> None:
    journeys, conversions = MARKET.frames()
    with pytest.raises(ValueError, match="not those"):
        returning_customers(journeys=journeys, conversions=conversions, **MARKET.period() | {"goal": 9})


def test_nobody_is_returning_where_nobody_converted() -> None:
    market = Market([Seen(1, 6), Seen(2, 7)], [], first=5, last=10, window=5)
    assert held({"type": "customer", "is": "new"}, market=market) == [0, 1]


@settings(max_examples=300, deadline=None)
@given(markets(), definitions())
def test_a_segment_holds_what_a_loop_over_the_rows_finds(market: Market, definition: dict[str, Any]) -> None:
    assert mask(market, definition).tolist() == by_hand(market, definition)


@settings(max_examples=200, deadline=None)
@given(markets(), definitions(least=1))
def test_a_segment_and_its_complement_share_out_the_journeys(market: Market, definition: dict[str, Any]) -> None:
    chosen = mask(market, definition)
    others = mask(market, parse(definition).complement().as_json())
    assert np.array_equal(chosen, ~others)


@settings(max_examples=100, deadline=None)
@given(markets(), definitions())
def test_the_canonical_form_holds_the_same(market: Market, definition: dict[str, Any]) -> None:
    assert np.array_equal(mask(market, definition), mask(market, parse(definition).as_json()))


@settings(max_examples=100, deadline=None)
@given(markets(), definitions(least=2))
def test_all_is_the_overlap_and_any_the_union_of_the_conditions(market: Market, definition: dict[str, Any]) -> None:
    each = [mask(market, {"conditions": [condition]}) for condition in definition["conditions"]]
    combine = np.logical_and if definition["match"] == "all" else np.logical_or
    assert np.array_equal(mask(market, definition), combine.reduce(each))
