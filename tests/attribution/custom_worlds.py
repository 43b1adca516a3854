"""Custom models and what they must credit, by plain loops over their JSON."""

import math
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from attribution.methods.custom import CompiledCustom, compile_custom
from attribution.methods.custom_definition import CHANNEL_TYPES, INTERACTIONS, InvalidDefinition, parse
from attribution.methods.rules import RuleKind, RuleModel
from tests.marketing.rows import DAY_US

CHANNELS = ("Direct", "Email", "Paid Search")
TYPES = {"Direct": "owned", "Email": "owned", "Paid Search": "paid"}
CAMPAIGNS = ("(not set)", "Spring sale", "Brand, always on")
# The four sources of `rule_worlds`: the channel of each is its group there.
CHANNEL_OF_SOURCE = np.array([0, 1, 2, 0])
CAMPAIGN_OF_SOURCE = np.array([0, 1, 2, 1])
INTERACTION_CODES = {name: code for code, name in enumerate(INTERACTIONS)}


class PathTouch(NamedTuple):
    at: int
    source: int
    interaction: int = 0


def compiled(raw: dict[str, Any]) -> CompiledCustom:
    return compile_custom(
        parse(raw),
        channels=CHANNELS,
        channel_of_source=CHANNEL_OF_SOURCE,
        campaigns=CAMPAIGNS,
        campaign_of_source=CAMPAIGN_OF_SOURCE,
        channel_types=TYPES,
        interaction_codes=INTERACTION_CODES,
    )


def custom_model(raw: dict[str, Any], name: str = "custom:1@1") -> RuleModel:
    return RuleModel(name, RuleKind.CUSTOM, custom=compiled(raw))


def expected_shares(raw: dict[str, Any], path: list[PathTouch], anchor_at: int) -> list[float]:
    """The share of each touch, oldest first; zeros if none weighs anything."""
    logs = [log_weight(raw, path, i, anchor_at) for i in range(len(path))]
    highest = max(logs, default=-math.inf)
    if highest == -math.inf:
        return [0.0] * len(path)
    weights = [math.exp(log - highest) for log in logs]
    return [weight / math.fsum(weights) for weight in weights]


def log_weight(raw: dict[str, Any], path: list[PathTouch], i: int, anchor_at: int) -> float:
    """The logarithm of the weight of touch i: products of many factors would not fit a float otherwise."""
    touch, channel = path[i], CHANNELS[CHANNEL_OF_SOURCE[path[i].source]]
    factors = [position_weight(raw.get("position", {"even": True}), i, len(path))]
    factors += [factor for name, factor in raw.get("channels", {}).items() if name.lower() == channel.lower()]
    factors += [factor for name, factor in raw.get("channel_types", {}).items() if name == TYPES[channel]]
    factors += [rule["factor"] for rule in raw.get("rules", []) if holds(rule["when"], path, i, anchor_at)]
    if min(factors) == 0:
        return -math.inf
    decay = (anchor_at - touch.at) / DAY_US / raw["half_life_days"] * math.log(2) if raw.get("half_life_days") else 0.0
    return math.fsum(map(math.log, factors)) - decay


def position_weight(position: dict[str, Any], i: int, touches: int) -> float:
    if "even" in position:
        return 1.0
    if "nth" in position:
        n = touches - 1 - i if position.get("from") == "end" else i
        weight: float = position["nth"][n] if n < len(position["nth"]) else position.get("rest", 0)
        return weight
    role = role_of(i, touches)
    if role == "only":
        return 1.0
    return float(position.get(role, 0)) / (touches - 2 if role == "middle" else 1)


def role_of(i: int, touches: int) -> str:
    if touches == 1:
        return "only"
    return {0: "first", touches - 1: "last"}.get(i, "middle")


def holds(when: dict[str, Any], path: list[PathTouch], i: int, anchor_at: int) -> bool:
    touch = path[i]
    channel = CHANNELS[CHANNEL_OF_SOURCE[touch.source]]
    campaign = CAMPAIGNS[CAMPAIGN_OF_SOURCE[touch.source]]
    age_days = (anchor_at - touch.at) / DAY_US
    asked = []
    if "channel" in when:
        asked.append(channel.lower() in [name.lower() for name in when["channel"]])
    if "channel_type" in when:
        asked.append(TYPES[channel] in when["channel_type"])
    if isinstance(when.get("campaign"), list):
        asked.append(campaign.lower() in [name.lower() for name in when["campaign"]])
    elif "campaign" in when:
        asked.append(campaign != "(not set)" and when["campaign"]["contains"].lower() in campaign.lower())
    if "interaction" in when:
        asked.append(INTERACTIONS[touch.interaction] in when["interaction"])
    if "age_days" in when:
        asked.append(when["age_days"].get("at_least", 0) <= age_days < when["age_days"].get("below", math.inf))
    if "position" in when:
        asked.append(any(is_at(one, i, len(path)) for one in when["position"]))
    return all(asked)


def is_at(position: str | dict[str, Any], i: int, touches: int) -> bool:
    if isinstance(position, str):
        return position == role_of(i, touches)
    n: int = position["nth"]
    return n == (touches - i if position.get("from") == "end" else i + 1)


def accepted(raw: dict[str, Any]) -> bool:
    """Whether the definition can credit anything at all: those that cannot are refused."""
    try:
        parse(raw)
    except InvalidDefinition:
        return False
    return True


FACTORS = st.just(0) | st.sampled_from([0.5, 1, 2, 1e-6, 1e6]) | st.floats(0.001, 100)
SIDES = st.sampled_from(["start", "end"])
NAMED = st.sampled_from(["email", "Direct", "PAID SEARCH", "Email", "No such channel"])
THIRDS = st.tuples(st.integers(0, 100), st.integers(0, 100)).map(sorted)
POSITIONS = st.one_of(
    st.just({"even": True}),
    THIRDS.map(lambda cut: {"first": cut[0], "middle": cut[1] - cut[0], "last": 100 - cut[1]}),
    st.fixed_dictionaries({"nth": st.lists(FACTORS, min_size=1, max_size=4), "rest": st.floats(0.1, 5), "from": SIDES}),
)
TOUCH_POSITIONS = st.sampled_from(["first", "middle", "last", "only"]) | st.fixed_dictionaries(
    {"nth": st.integers(1, 5), "from": SIDES}
)
CONDITIONS = st.fixed_dictionaries(
    {},
    optional={
        "channel": st.lists(NAMED, min_size=1, max_size=3),
        "channel_type": st.lists(st.sampled_from(CHANNEL_TYPES), min_size=1, max_size=3),
        "campaign": st.lists(st.sampled_from(["spring SALE", "(not set)", "gone"]), min_size=1, max_size=2)
        | st.sampled_from([{"contains": "a"}, {"contains": "BRAND"}, {"contains": "set"}]),
        "interaction": st.lists(st.sampled_from(INTERACTIONS), min_size=1, max_size=5),
        "age_days": st.sampled_from([{"at_least": 3}, {"below": 10}, {"at_least": 1.5, "below": 20}]),
        "position": st.lists(TOUCH_POSITIONS, min_size=1, max_size=3),
    },
).filter(bool)
DEFINITIONS = st.fixed_dictionaries(
    {"rules": st.lists(st.fixed_dictionaries({"when": CONDITIONS, "factor": FACTORS}), max_size=4)},
    optional={
        "position": POSITIONS,
        "half_life_days": st.sampled_from([None, 0.01, 1, 7, 30.5]),
        "channels": st.dictionaries(st.sampled_from(["email", "Direct", "Nowhere"]), FACTORS, max_size=3),
        "channel_types": st.dictionaries(st.sampled_from(["owned", "paid", "offline"]), FACTORS, max_size=2),
    },
)
VALID = DEFINITIONS.filter(accepted)
