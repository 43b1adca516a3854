"""The grammar of a segment: JSON in, a checked `Definition` out, and its one canonical JSON back.

    {"match": "all", "conditions": [
        {"type": "customer", "is": "new"},
        {"type": "first_channel", "any_of": ["Email", "Paid Search"], "not": true},
        {"type": "channels", "all_of": ["Display", "Email"]},
        {"type": "touches", "at_least": 2, "at_most": 5},
        {"type": "value", "at_least": 50, "below": 100}]}

`match` is "all" (the default) or "any". A condition with `"not": true` holds exactly where it would not hold without.
No conditions choose everything.
"""

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

MOST_CONDITIONS = 20
MOST_NAMES = 200
LONGEST_NAME = 200
MOST_TOUCHES = 1_000_000
HIGHEST_VALUE = 1e12  # imports take 18 digits, six of them decimals


class What(enum.StrEnum):
    """What a condition looks at."""

    ATTRIBUTE = "attribute"  # the kind of customer that the data names, as last known when the journey ends
    CUSTOMER = "customer"  # new or returning
    ACQUIRED_BY = "acquired_by"  # the channel of the customer's first touch of all
    FIRST_CHANNEL = "first_channel"  # the channel of the first touch in the lookback window
    CHANNELS = "channels"  # the channels touched in the lookback window
    INTERACTIONS = "interactions"  # the kinds of touch in the lookback window
    TOUCHES = "touches"  # how many touches the lookback window holds
    VALUE = "value"  # what the conversion is worth


class Match(enum.StrEnum):
    """Whether a journey has to meet all conditions, or any one."""

    ALL = "all"
    ANY = "any"


INTERACTIONS = ("unspecified", "click", "impression", "visit", "open", "call", "store_visit", "other")
HAVE_SEVERAL = (What.CHANNELS, What.INTERACTIONS)  # a journey has several of these, so `all_of` makes sense
NAMED = (What.ATTRIBUTE, What.ACQUIRED_BY, What.FIRST_CHANNEL, *HAVE_SEVERAL)
BOUNDS = {What.TOUCHES: ("at_least", "at_most"), What.VALUE: ("at_least", "below")}


class InvalidDefinition(ValueError):
    """What is wrong with a definition: `errors` maps the path of each mistake to a sentence."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(" ".join(f"{path}: {sentence}" if path else sentence for path, sentence in errors.items()))
        self.errors = dict(errors)


@dataclass(frozen=True, slots=True)
class Named:
    """A journey has one of these names, or, with `every`, each of them."""

    what: What
    names: tuple[str, ...]
    every: bool = False
    negated: bool = False

    def as_json(self) -> dict[str, Any]:
        return {"type": str(self.what), "all_of" if self.every else "any_of": list(self.names)} | _not(self.negated)


@dataclass(frozen=True, slots=True)
class Newness:
    """The customer is new; negated: returning."""

    negated: bool = False

    @property
    def what(self) -> What:
        return What.CUSTOMER

    def as_json(self) -> dict[str, Any]:
        return {"type": str(self.what), "is": "returning" if self.negated else "new"}


@dataclass(frozen=True, slots=True)
class Bounded:
    """A number from `low` on (None: no bound), up to `high`: touches to it inclusively, values below it."""

    what: What
    low: float | None
    high: float | None
    negated: bool = False

    def as_json(self) -> dict[str, Any]:
        bounds = zip(BOUNDS[self.what], (self.low, self.high), strict=True)
        return {"type": str(self.what)} | {k: _short(v) for k, v in bounds if v is not None} | _not(self.negated)


Condition: TypeAlias = Named | Newness | Bounded


@dataclass(frozen=True, slots=True)
class Definition:
    """A checked definition; equal ones have equal JSON."""

    match: Match = Match.ALL
    conditions: tuple[Condition, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the canonical JSON, which `parse` leaves as it is."""
        return {"match": str(self.match), "conditions": [condition.as_json() for condition in self.conditions]}

    def looks_at(self, what: What) -> bool:
        return any(condition.what == what for condition in self.conditions)

    def complement(self) -> "Definition":
        """Return what chooses exactly the other journeys. Raises ValueError for what chooses everything."""
        if not self.conditions:
            raise ValueError("No segment holds nothing.")
        match = Match.ANY if self.match == Match.ALL else Match.ALL
        others = tuple(replace(condition, negated=not condition.negated) for condition in self.conditions)
        return Definition(match if len(others) > 1 else Match.ALL, others)


def parse(raw: object) -> Definition:
    """Check JSON and return its definition.

    Raises InvalidDefinition with a sentence for each mistake, by its path, such as `conditions[2].any_of`.
    """
    if not isinstance(raw, Mapping):
        raise InvalidDefinition({"": "A segment is an object with “match” and “conditions”."})
    errors = _unknown(raw, ("match", "conditions"), "")
    match = raw.get("match", "all")
    if match not in ("all", "any"):
        errors["match"] = "A segment matches “all” or “any” of its conditions."
    given = raw.get("conditions", [])
    if not isinstance(given, list):
        errors["conditions"] = "The conditions are a list."
        given = []
    if len(given) > MOST_CONDITIONS:
        errors["conditions"] = f"A segment has at most {MOST_CONDITIONS} conditions, not {len(given)}."
        given = []
    conditions = [_condition(one, f"conditions[{place}]", errors) for place, one in enumerate(given)]
    if errors:
        raise InvalidDefinition(errors)
    distinct = tuple(dict.fromkeys(condition for condition in conditions if condition is not None))
    return Definition(Match(match) if len(distinct) > 1 else Match.ALL, distinct)


def _condition(raw: object, path: str, errors: dict[str, str]) -> Condition | None:
    """Return the condition; None once `errors` say what is wrong with it."""
    if not isinstance(raw, Mapping):
        errors[path] = "A condition is an object with a “type”."
        return None
    kind = raw.get("type")
    if not isinstance(kind, str) or kind not in list(What):
        errors[f"{path}.type"] = f"A condition is about one of: {', '.join(What)}."
        return None
    what, negated = What(kind), raw.get("not", False)
    if not isinstance(negated, bool):
        errors[f"{path}.not"] = "“not” is true or false."
        return None
    if what in NAMED:
        return _named(raw, what, path, errors, negated=negated)
    if what in BOUNDS:
        return _bounded(raw, what, path, errors, negated=negated)
    errors |= _unknown(raw, ("type", "is", "not"), path)
    if raw.get("is") not in ("new", "returning"):
        errors[f"{path}.is"] = "A customer is “new” or “returning”."
        return None
    return Newness(negated=(raw["is"] == "returning") != negated)


def _named(raw: Mapping[Any, Any], what: What, path: str, errors: dict[str, str], *, negated: bool) -> Named | None:
    lists = ("any_of", "all_of") if what in HAVE_SEVERAL else ("any_of",)
    if unknown := _unknown(raw, ("type", "not", *lists), path):
        errors |= unknown
        return None
    given = [key for key in lists if key in raw]
    if len(given) != 1:
        errors[path] = f"Give {' or '.join(f'“{key}”' for key in lists)}: a list of names."
        return None
    key = given[0]
    names, wrong = _names(raw[key], what)
    if wrong:
        errors[f"{path}.{key}"] = wrong
        return None
    # Of one name, “all of” is “any of”.
    return Named(what, names, every=key == "all_of" and len(names) > 1, negated=negated)


def _names(raw: object, what: What) -> tuple[tuple[str, ...], str]:
    """Return the names without repeats, in alphabetical order, or what is wrong with them."""
    if not isinstance(raw, list) or not raw:
        return (), "Choose at least one."
    if len(raw) > MOST_NAMES:
        return (), f"Choose at most {MOST_NAMES}, not {len(raw)}."
    if not all(isinstance(name, str) and name.strip() for name in raw):
        return (), "Each name is a text that is not blank."
    if any(len(name) > LONGEST_NAME or not name.strip().isprintable() for name in raw):
        return (), f"A name has at most {LONGEST_NAME} printable characters."
    distinct = {name.strip().casefold(): name.strip() for name in reversed(raw)}
    if what == What.INTERACTIONS:
        if unknown := [name for folded, name in distinct.items() if folded not in INTERACTIONS]:
            return (), f"There is no interaction “{unknown[0]}”. Known: {', '.join(INTERACTIONS)}."
        return tuple(sorted(distinct)), ""
    return tuple(distinct[folded] for folded in sorted(distinct)), ""


def _bounded(raw: Mapping[Any, Any], what: What, path: str, errors: dict[str, str], *, negated: bool) -> Bounded | None:
    keys = BOUNDS[what]
    wrong = _unknown(raw, ("type", "not", *keys), path)
    bounds: list[float | None] = []
    for key in keys:
        bound, sentence = _number(raw.get(key), what)
        bounds.append(bound)
        if sentence:
            wrong[f"{path}.{key}"] = sentence
    low, high = bounds
    if not wrong and low is None and high is None:
        wrong[path] = f"Give “{keys[0]}”, “{keys[1]}” or both."
    if not wrong and low is not None and high is not None and (low > high or (what == What.VALUE and low == high)):
        wrong[f"{path}.{keys[1]}"] = f"“{keys[1]}” lies above “{keys[0]}”, or nothing is between them."
    errors |= wrong
    return None if wrong else Bounded(what, low, high, negated=negated)


def _number(raw: object, what: What) -> tuple[float | None, str]:
    if raw is None:
        return None, ""
    # Not by `isfinite`: that cannot look at whole numbers of hundreds of digits.
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not 0 <= raw < math.inf:
        return None, "Give a number of zero or more."
    if what == What.TOUCHES and (raw != int(raw) or raw > MOST_TOUCHES):
        return None, f"Give a whole number of touches, up to {MOST_TOUCHES:,}."
    if raw > HIGHEST_VALUE:
        return None, f"Give a value up to {HIGHEST_VALUE:,.0f}."
    return float(raw), ""


def _unknown(raw: Mapping[Any, Any], known: tuple[str, ...], path: str) -> dict[str, str]:
    """Return an error for each field that does not exist: a misspelt one would be another segment."""
    prefix = f"{path}." if path else ""
    return {
        f"{prefix}{str(key)[:LONGEST_NAME]}": f"There is no such field here. Known: {', '.join(known)}."
        for key in raw
        if key not in known
    }


def _not(negated: bool) -> dict[str, bool]:
    return {"not": True} if negated else {}


def _short(number: float) -> int | float:
    return int(number) if number == int(number) else number
