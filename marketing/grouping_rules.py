"""A workspace's own rules from traffic to channels: their grammar, what is wrong with some, and what they make of it.

Rules are kept as JSON, a list of

    {"channel": "Paid Social", "type": "paid", "match": "all", "conditions": [
        {"field": "source", "operator": "one_of", "value": ["fb", "ig"]},
        {"field": "medium", "operator": "matches", "value": "^paid|cpc$"}]}

The first rule that fits holds. `type` is that of a channel which the rule brings into being, and may be left out. What
no rule fits is grouped as Standard does, unless the list ends with {"otherwise": "unassigned"}. Case does not matter.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from functools import lru_cache
from typing import Any, Literal, TypeAlias

from marketing.grouping import CHANNEL_TYPES, NO_MEDIUM, UNASSIGNED, classify
from marketing.patterns import Pattern

MOST_RULES = 200
MOST_CONDITIONS = 20  # of one rule
MOST_VALUES = 2_000  # of one condition: a list of sites may well be pasted
MOST_CONDITIONS_TOGETHER = 600
MOST_PATTERNS = 50
LONGEST_VALUE = 200
VALUES_REMEMBERED = 10_000
LONGEST_CHANNEL = 100

FIELDS: dict[str, str] = {
    "source": "Source",
    "medium": "Medium",
    "campaign": "Campaign",
    "source_medium": "Source / medium",
}
OPERATORS: dict[str, str] = {
    "is": "is",
    "is_not": "is not",
    "contains": "contains",
    "does_not_contain": "does not contain",
    "starts_with": "starts with",
    "ends_with": "ends with",
    "one_of": "is one of",
    "matches": "matches pattern",
    "is_empty": "is empty",
}
MATCHES: dict[str, str] = {"all": "all of these hold", "any": "any of these holds"}
OTHERWISE: dict[str, str] = {"standard": "is grouped as Standard does", "unassigned": f"is {UNASSIGNED}"}
TYPES = frozenset(CHANNEL_TYPES.values()) | {"offline"}
EMPTY = frozenset(NO_MEDIUM)  # as Google Analytics writes what is not there

Grouping: TypeAlias = Callable[[str, str, str], str]
Errors: TypeAlias = dict[str, list[str]]
_Test: TypeAlias = Callable[[str], bool]


_TESTS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda text, value: value in text,
    "does_not_contain": lambda text, value: value not in text,
    "starts_with": str.startswith,
    "ends_with": str.endswith,
}


class InvalidRulesError(ValueError):
    """Rules that cannot be; `errors`: sentences by path, such as "2.conditions.0.value"."""

    def __init__(self, errors: Errors) -> None:
        super().__init__("; ".join(f"{path}: {' '.join(sentences)}" for path, sentences in errors.items()))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that a traffic source fulfils or not. `values`: one, but for `one_of` and `is_empty`."""

    field: str
    operator: str
    values: tuple[str, ...]
    test: _Test = dataclass_field(compare=False, repr=False)

    def holds(self, traffic: Mapping[str, str]) -> bool:
        return self.test(traffic[self.field])


@dataclass(frozen=True, slots=True)
class Rule:
    """Traffic that fulfils the conditions, all or any of them, belongs to the channel."""

    channel: str
    type: str
    match: Literal["all", "any"]
    conditions: tuple[Condition, ...]

    def fits(self, traffic: Mapping[str, str]) -> bool:
        holding = (condition.holds(traffic) for condition in self.conditions)
        return all(holding) if self.match == "all" else any(holding)


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules in their order, and what becomes of the rest."""

    rules: tuple[Rule, ...] = ()
    otherwise: Literal["standard", "unassigned"] = "standard"

    def placed(self, source: str, medium: str, campaign: str) -> tuple[int | None, str]:
        """The place of the first rule that fits, counted from 0 (None if none does), and the channel."""
        source, medium, campaign = (part.strip().lower() for part in (source, medium, campaign))
        traffic = {
            "source": source,
            "medium": medium,
            "campaign": campaign,
            "source_medium": "" if {source, medium} <= EMPTY else f"{source or '(not set)'} / {medium or '(not set)'}",
        }
        place = next((place for place, rule in enumerate(self.rules) if rule.fits(traffic)), None)
        if place is not None:
            return place, self.rules[place].channel
        return None, classify(source, medium, campaign) if self.otherwise == "standard" else UNASSIGNED

    def classify(self, source: str, medium: str, campaign: str) -> str:
        """The channel of a traffic source."""
        return self.placed(source, medium, campaign)[1]

    @property
    def types(self) -> dict[str, str]:
        """The type of each channel, by its name in lower case, for which a rule says one; the first holds."""
        return {rule.channel.lower(): rule.type for rule in reversed(self.rules) if rule.type}

    @property
    def digest(self) -> str:
        """The same for rules that group all traffic alike by the letter of them; types do not matter for that."""
        meaning = [
            [rule.channel, rule.match, [[each.field, each.operator, each.values] for each in rule.conditions]]
            for rule in self.rules
        ]
        return hashlib.sha256(json.dumps([meaning, self.otherwise]).encode()).hexdigest()


def parse_rules(document: object) -> Rules:
    """Return the rules of a JSON document. Raises InvalidRulesError with everything that is wrong."""
    if not isinstance(document, list):
        raise InvalidRulesError({"": ["Rules are a list."]})
    errors: Errors = {}
    *listed, last = document or [None]
    otherwise: Any = "standard"
    if isinstance(last, dict) and "otherwise" in last:
        otherwise = last["otherwise"]
        if not isinstance(otherwise, str) or otherwise not in OTHERWISE or len(last) > 1:
            errors[f"{len(listed)}.otherwise"] = [f"Choose one of {', '.join(OTHERWISE)}."]
    else:
        listed = document
    if len(listed) > MOST_RULES:
        errors[""] = [f"There are {len(listed)} rules; at most {MOST_RULES} are possible."]
    parsed = [_rule(item, f"{place}", errors) for place, item in enumerate(listed[:MOST_RULES])]
    rules = tuple(rule for rule in parsed if rule is not None)
    operators = [condition.operator for rule in rules for condition in rule.conditions]
    if len(operators) > MOST_CONDITIONS_TOGETHER:
        errors[""] = [f"There are {len(operators)} conditions; at most {MOST_CONDITIONS_TOGETHER} are possible."]
    if operators.count("matches") > MOST_PATTERNS:
        errors[""] = [f"At most {MOST_PATTERNS} conditions can match a pattern: they take the most time."]
    if errors:
        raise InvalidRulesError(errors)
    return Rules(rules, otherwise)


def _rule(item: object, path: str, errors: Errors) -> Rule | None:
    if not isinstance(item, dict):
        errors[path] = ["A rule is an object with channel, match and conditions."]
        return None
    if unknown := item.keys() - {"channel", "type", "match", "conditions"}:
        errors[path] = [f"A rule has no “{min(map(str, unknown))}”."]
    channel, kind, match = item.get("channel"), item.get("type", ""), item.get("match", "all")
    if not isinstance(channel, str) or not channel.strip():
        errors[f"{path}.channel"] = ["Name the channel."]
    elif not channel.isprintable():
        errors[f"{path}.channel"] = ["The name of a channel is one line of text."]
    elif len(channel.strip()) > LONGEST_CHANNEL:
        errors[f"{path}.channel"] = [f"The name of a channel has at most {LONGEST_CHANNEL} characters."]
    if not isinstance(kind, str) or (kind and kind not in TYPES):
        errors[f"{path}.type"] = [f"Choose one of {', '.join(sorted(TYPES))}."]
    if not isinstance(match, str) or match not in MATCHES:
        errors[f"{path}.match"] = ["Choose all or any."]
    conditions = item.get("conditions")
    if not isinstance(conditions, list) or not conditions:
        errors[f"{path}.conditions"] = ["A rule needs at least one condition."]
        return None
    if len(conditions) > MOST_CONDITIONS:
        errors[f"{path}.conditions"] = [f"A rule has at most {MOST_CONDITIONS} conditions."]
    parsed = [
        _condition(each, f"{path}.conditions.{place}", errors)
        for place, each in enumerate(conditions[:MOST_CONDITIONS])
    ]
    kept = tuple(condition for condition in parsed if condition is not None)
    # Where anything is wrong, `parse_rules` raises and nobody sees this rule.
    return Rule(str(channel).strip(), str(kind), "any" if match == "any" else "all", kept)


def _condition(item: object, path: str, errors: Errors) -> Condition | None:
    if not isinstance(item, dict):
        errors[path] = ["A condition is an object with field, operator and value."]
        return None
    if unknown := item.keys() - {"field", "operator", "value"}:
        errors[path] = [f"A condition has no “{min(map(str, unknown))}”."]
    looked_at, operator = item.get("field"), item.get("operator")
    if not isinstance(looked_at, str) or looked_at not in FIELDS:
        errors[f"{path}.field"] = [f"Choose one of {', '.join(FIELDS)}."]
        return None
    if not isinstance(operator, str) or operator not in OPERATORS:
        errors[f"{path}.operator"] = [f"Choose one of {', '.join(OPERATORS)}."]
        return None
    try:
        values = _values(operator, item.get("value"))
        return Condition(looked_at, operator, values, _test(operator, values))
    except ValueError as error:  # PatternError is one
        errors[f"{path}.value"] = [str(error)]
        return None


def _values(operator: str, value: object) -> tuple[str, ...]:
    """The condition's values, tidied. Raises ValueError."""
    if operator == "is_empty":
        if value not in (None, "", []):
            raise ValueError("“is empty” takes no value.")
        return ()
    given: list[object] = value if operator == "one_of" and isinstance(value, list) else [value]
    texts = [each.strip() for each in given if isinstance(each, str)]
    if len(texts) < len(given):
        raise ValueError("Values are texts.")
    # A pattern keeps its case, in which \\d and \\D differ; what it is held against has none.
    values = tuple(dict.fromkeys(text if operator == "matches" else text.lower() for text in texts if text))
    if not values:
        raise ValueError("Say what to look for; for nothing at all there is “is empty”.")
    if len(values) > MOST_VALUES:
        raise ValueError(f"A list has at most {MOST_VALUES:,} values.")
    if not all(each.isprintable() for each in values):
        raise ValueError("A value is one line of text; several are possible with “is one of”.")
    if any(len(each) > LONGEST_VALUE for each in values):
        raise ValueError(f"A value has at most {LONGEST_VALUE} characters.")
    return values


def _test(operator: str, values: Sequence[str]) -> _Test:
    """What the operator asks of a field's text, which is in lower case. Raises PatternError."""
    listed = frozenset(values)
    if operator in ("one_of", "is"):
        return lambda text: text in listed
    if operator == "is_not":
        return lambda text: text not in listed
    if operator == "is_empty":
        return lambda text: text in EMPTY
    (value,) = values
    if operator == "matches":
        # Traffic sources are many, but what they have in a field is often the same.
        return lru_cache(maxsize=VALUES_REMEMBERED)(Pattern(value).found_in)
    test = _TESTS[operator]
    return lambda text: test(text, value)
