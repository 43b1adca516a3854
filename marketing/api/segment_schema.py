"""The definition of a segment as a JSON schema; what it cannot say is for `marketing.segments.definition` to refuse."""

from typing import Any

from marketing.segments.definition import (
    BOUNDS,
    HAVE_SEVERAL,
    HIGHEST_VALUE,
    INTERACTIONS,
    LONGEST_NAME,
    MOST_CONDITIONS,
    MOST_NAMES,
    MOST_TOUCHES,
    NAMED,
    What,
)

Schema = dict[str, Any]
NOT: Schema = {"type": "boolean", "description": "Whether it holds exactly where it would not hold without this."}
EXAMPLE: Schema = {
    "match": "all",
    "conditions": [
        {"type": "customer", "is": "new"},
        {"type": "first_channel", "any_of": ["Email", "Paid Search"]},
        {"type": "touches", "at_least": 2, "at_most": 5},
    ],
}


def _names(what: What) -> Schema:
    name: Schema = {"type": "string", "minLength": 1, "maxLength": LONGEST_NAME, "format": "line"}
    if what == What.INTERACTIONS:
        name = {"type": "string", "enum": list(INTERACTIONS)}
    return {"type": "array", "items": name, "minItems": 1, "maxItems": MOST_NAMES}


def _condition(properties: Schema, *, required: list[str]) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": ["type", *required],
        "additionalProperties": False,
    }


def _about(whats: list[What]) -> Schema:
    return {"type": "string", "enum": [str(what) for what in whats]}


def _named(key: str, whats: list[What]) -> list[Schema]:
    """Some or all of several names; interactions are among those that there are."""
    groups: tuple[list[What], ...] = ([what for what in whats if what != What.INTERACTIONS], [What.INTERACTIONS])
    return [_condition({"type": _about(group), key: _names(group[0]), "not": NOT}, required=[key]) for group in groups]


def _bounded(what: What) -> Schema:
    number: Schema = {"type": "number", "minimum": 0, "maximum": HIGHEST_VALUE}
    if what == What.TOUCHES:
        number = {"type": "integer", "minimum": 0, "maximum": MOST_TOUCHES}
    low, high = BOUNDS[what]
    one_of_them = [{"required": [low]}, {"required": [high]}]
    return _condition({"type": _about([what]), low: number, high: number, "not": NOT}, required=[]) | {
        "anyOf": one_of_them
    }


NEWNESS = _condition(
    {"type": _about([What.CUSTOMER]), "is": {"type": "string", "enum": ["new", "returning"]}, "not": NOT},
    required=["is"],
)
CONDITIONS: Schema = {
    "type": "array",
    "maxItems": MOST_CONDITIONS,
    "items": {
        "anyOf": [
            NEWNESS,
            *_named("any_of", list(NAMED)),
            *_named("all_of", list(HAVE_SEVERAL)),
            *(_bounded(what) for what in BOUNDS),
        ]
    },
}
MATCH: Schema = {"type": "string", "enum": ["all", "any"], "default": "all"}
DEFINITION: Schema = {
    "type": "object",
    "properties": {"match": MATCH, "conditions": CONDITIONS},
    "additionalProperties": False,
    "examples": [EXAMPLE],
}
KEPT_DEFINITION: Schema = DEFINITION | {
    "properties": {"match": MATCH, "conditions": CONDITIONS | {"minItems": 1}},
    "required": ["conditions"],
}
