"""The grammar of a custom attribution model: JSON in, a checked `CustomDefinition` out, and its canonical JSON back.

    {"position": {"first": 50, "middle": 30, "last": 20},
     "half_life_days": 7,
     "channels": {"Email": 1.5},
     "channel_types": {"owned": 0.5},
     "rules": [{"when": {"interaction": ["impression"], "age_days": {"at_least": 1}}, "factor": 0.2}]}

`position` is one of
- `{"first", "middle", "last"}`: percent that total 100. The touches between share the middle; without any, the other
  two are renormalised, and an only touch takes all.
- `{"even": true}`, the default: every touch weighs the same.
- `{"nth": [3, 2], "rest": 1, "from": "start"}`: the weights of the first, the second... touch, counted from the start
  or the end, and of each other touch.
Every other field may be left out.

A rule's `when` holds where all conditions in it do: `channel`, `channel_type` and `interaction` are lists of names,
`campaign` is a list of names or `{"contains": text}` (capitals do not matter), `age_days` is `{"at_least", "below"}`
before the conversion, and `position` is a list of "first", "middle", "last" (of several touches), "only" and
`{"nth": 2, "from": "end"}`.

The weight of a touch is its position weight x decay x the multipliers of its channel and of its channel's type x the
factors of all rules that hold; the weights of a journey are normalised.
"""

import enum
from dataclasses import dataclass
from typing import Any, TypeAlias

MOST_RULES = 20
MOST_NAMES = 200
MOST_NTH = 50
LONGEST_NAME = 200
LARGEST_FACTOR = 1e6
SMALLEST_FACTOR = 1e-6  # other than zero: twenty factors of either size cannot leave what a float holds
SHORTEST_HALF_LIFE_DAYS, LONGEST_HALF_LIFE_DAYS = 0.01, 3650.0
OLDEST_DAYS = 3650.0
MOST_BYTES = 64 * 1024
DEEPEST = 10

CHANNEL_TYPES = ("paid", "organic", "owned", "offline")
# The names of `marketing.models.rows.Interaction`, which this module, free of Django, cannot import.
INTERACTIONS = ("unspecified", "click", "impression", "visit", "open", "call", "store_visit", "other")


class InvalidDefinition(ValueError):
    """What is wrong with a definition.

    `errors`: a sentence for each mistake by its path in the JSON, such as `rules[2].when.age_days.below` ("" is the
    whole). `path` and `sentence` are the first of them.
    """

    def __init__(self, path: str, sentence: str, errors: dict[str, str] | None = None) -> None:
        self.path, self.sentence = path, sentence
        self.errors = {path: sentence} | (errors or {})
        super().__init__(" ".join(f"{where}: {what}" if where else what for where, what in self.errors.items()))


class Role(enum.StrEnum):
    """What a touch is in its path; each touch is exactly one of these. The only touch is neither first nor last."""

    FIRST = "first"
    MIDDLE = "middle"
    LAST = "last"
    ONLY = "only"


@dataclass(frozen=True, slots=True)
class FirstMiddleLast:
    """Percent of the first touch, of all between, and of the last."""

    first: float
    middle: float
    last: float

    def as_json(self) -> dict[str, Any]:
        return {"first": short(self.first), "middle": short(self.middle), "last": short(self.last)}


@dataclass(frozen=True, slots=True)
class Even:
    """Every touch weighs the same."""

    def as_json(self) -> dict[str, Any]:
        return {"even": True}


@dataclass(frozen=True, slots=True)
class NthWeights:
    """`weights` of the first, the second... touch, counted from the start or the end; `rest`: of each other touch."""

    weights: tuple[float, ...]
    rest: float
    from_end: bool = False

    def as_json(self) -> dict[str, Any]:
        return {
            "nth": [short(weight) for weight in self.weights],
            "rest": short(self.rest),
            "from": _side(self.from_end),
        }


PositionWeights: TypeAlias = FirstMiddleLast | Even | NthWeights


@dataclass(frozen=True, slots=True)
class NthTouch:
    """The touch number `n`, from 1, counted from the start or the end of the path."""

    n: int
    from_end: bool = False

    def as_json(self) -> dict[str, Any]:
        return {"nth": self.n, "from": _side(self.from_end)}


@dataclass(frozen=True, slots=True)
class AgeDays:
    """From `at_least` days before the conversion on, and `below`: nearer than that many; None is no bound."""

    at_least: float | None
    below: float | None

    def as_json(self) -> dict[str, Any]:
        bounds = {"at_least": self.at_least, "below": self.below}
        return {key: short(bound) for key, bound in bounds.items() if bound is not None}


@dataclass(frozen=True, slots=True)
class Conditions:
    """The conditions of a rule, all of which must hold; an empty one is not asked."""

    channel: tuple[str, ...] = ()
    channel_type: tuple[str, ...] = ()
    campaign: tuple[str, ...] = ()
    campaign_contains: str = ""
    interaction: tuple[str, ...] = ()
    age_days: AgeDays | None = None
    position: tuple[Role | NthTouch, ...] = ()

    @property
    def always_hold(self) -> bool:
        """Whether there is no touch for which they do not hold, whatever the channels and campaigns are called."""
        return (
            not (self.channel or self.campaign or self.campaign_contains)
            and set(self.channel_type) in (set(), set(CHANNEL_TYPES))
            and set(self.interaction) in (set(), set(INTERACTIONS))
            and (self.age_days is None or (not self.age_days.at_least and self.age_days.below is None))
            and (not self.position or set(Role) <= set(self.position))
        )

    def as_json(self) -> dict[str, Any]:
        asked: dict[str, Any] = {
            "channel": list(self.channel),
            "channel_type": list(self.channel_type),
            "campaign": {"contains": self.campaign_contains} if self.campaign_contains else list(self.campaign),
            "interaction": list(self.interaction),
            "age_days": self.age_days.as_json() if self.age_days else {},
            "position": [str(one) if isinstance(one, Role) else one.as_json() for one in self.position],
        }
        return {field: condition for field, condition in asked.items() if condition}


@dataclass(frozen=True, slots=True)
class Rule:
    """What the weight of a touch is multiplied by where the conditions hold."""

    when: Conditions
    factor: float

    def as_json(self) -> dict[str, Any]:
        return {"when": self.when.as_json(), "factor": short(self.factor)}


@dataclass(frozen=True, slots=True)
class CustomDefinition:
    """A checked definition. `channels`, `channel_types`: (name, multiplier). Equal ones have equal JSON."""

    position: PositionWeights = Even()
    half_life_days: float | None = None
    channels: tuple[tuple[str, float], ...] = ()
    channel_types: tuple[tuple[str, float], ...] = ()
    rules: tuple[Rule, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the canonical JSON, with every field, which `parse` leaves as it is."""
        return {
            "position": self.position.as_json(),
            "half_life_days": None if self.half_life_days is None else short(self.half_life_days),
            "channels": {name: short(multiplier) for name, multiplier in self.channels},
            "channel_types": {name: short(multiplier) for name, multiplier in self.channel_types},
            "rules": [rule.as_json() for rule in self.rules],
        }


def parse(raw: object) -> CustomDefinition:
    """Check JSON and return its definition.

    Raises InvalidDefinition with a sentence for each mistake, by its path, such as `rules[2].when.age_days.below`.
    """
    from attribution.methods.custom_parsing import parsed  # which needs the classes above

    return parsed(raw)


def in_words(definition: CustomDefinition) -> tuple[str, ...]:
    """Return the definition as sentences for people, the weights of positions first."""
    from attribution.methods.custom_words import sentences  # which needs the classes above

    return sentences(definition)


def short(number: float) -> int | float:
    """Return the number as people write it: 50 and not 50.0."""
    return int(number) if number == int(number) else number


def _side(from_end: bool) -> str:
    return "end" if from_end else "start"
