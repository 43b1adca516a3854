"""Why nothing is said of pairs of channels, or of some of them: in words that say what would help."""

import math
from collections.abc import Mapping
from typing import Any

from crosschannel.methods.verdicts import LEAST_EXPECTED, LEAST_TOGETHER
from mmm_project import formats

MOST_NAMED = 10  # pairs in a sentence


def why_none(result: Mapping[str, Any], params: Mapping[str, Any]) -> str:
    """Say why a result has no pair with an effect."""
    about, everything = result["interactions"], result["all_journeys"]
    if problem := about.get("problem"):
        return str(problem)
    if about["unidentified"]:
        if len(about["channels"]) == 2:  # the sentence about the pair says it all
            return ""
        return "No pair can be told from the others. More, and more different, journeys would tell."
    journeys, conversions = everything["journeys"], everything["conversions"]
    return outcome_problem(journeys, conversions, params) or _too_rare(journeys, conversions)


def outcome_problem(journeys: float, conversions: float, params: Mapping[str, Any]) -> str:
    """Say that nearly all journeys end alike, which no channel can then explain; "" where they do not.

    `journeys`, `conversions`: all of the question, of the journeys with a touch.
    """
    others = journeys - conversions
    if journeys < LEAST_TOGETHER or min(conversions, others) >= LEAST_EXPECTED:
        return ""
    of_all = f"of {formats.count(journeys, 'journey')}"
    if not conversions:
        fact = f"None {of_all} converts"
    elif not others:
        fact = f"All {formats.count(journeys, 'journey')} convert"
    elif conversions < others:
        fact = f"Only {formats.count(conversions)} {of_all} {'converts' if conversions == 1 else 'convert'}"
    else:
        fact = f"Only {formats.count(others)} {of_all} {'does' if others == 1 else 'do'} not convert"
    if "segment" in params:
        advice = "If the segment chooses customers by their outcome, ask about all customers."
    elif conversions < others:
        advice = "Choose a longer period or a goal that is reached more often."
    else:
        advice = "Touchpoints of people who do not convert belong in the data, too."
    return (
        f"{fact}: which channels help or hinder each other shows only where enough journeys convert and enough do not. "
        f"{advice}"
    )


def unidentified(about: Mapping[str, Any]) -> str:
    """Name the pairs whose effects cannot be told from others, "" where there are none."""
    pairs = about["unidentified"]
    if not pairs:
        return ""
    if len(about["channels"]) == 2:
        one, other = pairs[0]
        return nothing_without(one, other)
    named = "; ".join(" × ".join(pair) for pair in pairs[:MOST_NAMED])
    more = f"; and {formats.count(len(pairs) - MOST_NAMED)} more" if len(pairs) > MOST_NAMED else ""
    return f"Not to be told from other effects, as their journeys are too much alike: {named}{more}."


def nothing_without(a: str, b: str) -> str:
    """Say why nothing can be said of two channels of which every journey holds one."""
    return (
        f"Whether {a} and {b} do more or less together cannot be told: every journey holds at least one of them, so "
        "there is none with neither to compare with."
    )


def _too_rare(journeys: float, conversions: float) -> str:
    rarer = min(conversions, journeys - conversions)
    least = max(LEAST_TOGETHER, math.ceil(LEAST_EXPECTED * journeys / rarer)) if rarer else LEAST_TOGETHER
    share = f", as {formats.percent(conversions / journeys)} of all convert," if least > LEAST_TOGETHER else ""
    return (
        "No two channels meet in enough journeys to say whether they help or hinder each other: that takes "
        f"{formats.count(least)} journeys with both{share} and {LEAST_TOGETHER} with each alone. Choose a longer "
        "period or a coarser grouping."
    )
