"""Checking the JSON of a custom attribution model: a sentence for each mistake, by its path.

The grammar is that of `attribution.methods.custom_definition`. Nothing in it is ever evaluated as code.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from attribution.methods.custom_definition import (
    CHANNEL_TYPES,
    DEEPEST,
    INTERACTIONS,
    LARGEST_FACTOR,
    LONGEST_HALF_LIFE_DAYS,
    LONGEST_NAME,
    MOST_BYTES,
    MOST_NAMES,
    MOST_NTH,
    MOST_RULES,
    OLDEST_DAYS,
    SHORTEST_HALF_LIFE_DAYS,
    SMALLEST_FACTOR,
    AgeDays,
    Conditions,
    CustomDefinition,
    Even,
    FirstMiddleLast,
    InvalidDefinition,
    NthTouch,
    NthWeights,
    PositionWeights,
    Role,
    Rule,
)

Errors: TypeAlias = dict[str, str]
TOTAL_WITHIN = 1e-6  # percent
POSITION_SHAPES = "Give “first”, “middle” and “last”; or “even”; or “nth”."
TOO_LARGE = f"A custom model has at most {MOST_BYTES // 1024} KB."
ROLES = ", ".join(f"“{role}”" for role in Role)


def parsed(raw: object) -> CustomDefinition:
    """See `custom_definition.parse`."""
    _refuse_what_is_too_large(raw)
    if not isinstance(raw, Mapping):
        raise InvalidDefinition("", "A custom model is an object with “position”, “rules” and so on.")
    fields = ("position", "half_life_days", "channels", "channel_types", "rules")
    errors = _unknown(raw, fields, "")
    definition = CustomDefinition(
        position=_position_weights(raw["position"], errors) if "position" in raw else Even(),
        half_life_days=_half_life(raw.get("half_life_days"), errors),
        channels=_multipliers(raw.get("channels", {}), "channels", errors, _name),
        channel_types=_multipliers(raw.get("channel_types", {}), "channel_types", errors, _channel_type),
        rules=_rules(raw.get("rules", []), errors),
    )
    if (
        not errors
        and len(definition.channel_types) == len(CHANNEL_TYPES)
        and not any(dict(definition.channel_types).values())
    ):
        errors["channel_types"] = "One type of channel at least must have a multiplier above zero."
    if errors:
        path, sentence = next(iter(errors.items()))
        raise InvalidDefinition(path, sentence, errors)
    return definition


def _refuse_what_is_too_large(raw: object) -> None:
    """Raise InvalidDefinition for what is nested too deep, too large, or not JSON, before anything else looks at it."""
    level: list[object] = [raw]
    for _ in range(DEEPEST + 1):
        level = [part for whole in level for part in _parts(whole)]
        if len(level) > MOST_BYTES:
            raise InvalidDefinition("", TOO_LARGE)
    if level:
        raise InvalidDefinition("", f"A custom model is nested at most {DEEPEST} levels deep.")
    try:
        size = len(json.dumps(raw, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    except (TypeError, ValueError) as error:
        raise InvalidDefinition("", "A custom model is JSON.") from error
    if size > MOST_BYTES:
        raise InvalidDefinition("", TOO_LARGE)


def _parts(whole: object) -> Iterable[object]:
    if isinstance(whole, Mapping):
        return whole.values()
    return whole if isinstance(whole, list) else ()


def _position_weights(raw: object, errors: Errors) -> PositionWeights:
    path = "position"
    if not isinstance(raw, Mapping):
        errors[path] = POSITION_SHAPES
        return Even()
    if "even" in raw:
        errors |= _unknown(raw, ("even",), path)
        if raw["even"] is not True:
            errors[f"{path}.even"] = "“even” is true, or left out."
        return Even()
    if "nth" in raw:
        return _nth_weights(raw, errors)
    parts = ("first", "middle", "last")
    if not any(part in raw for part in parts):
        errors[path] = POSITION_SHAPES
        return Even()
    errors |= _unknown(raw, parts, path)
    weights = FirstMiddleLast(*(_weight(raw.get(part, 0), f"{path}.{part}", errors) for part in parts))
    total = weights.first + weights.middle + weights.last
    if not any(f"{path}.{part}" in errors for part in parts) and abs(total - 100) > TOTAL_WITHIN:
        errors[path] = f"The position weights must total 100%, not {total:.10g}%."
    return weights


def _nth_weights(raw: Mapping[Any, Any], errors: Errors) -> PositionWeights:
    path = "position"
    errors |= _unknown(raw, ("nth", "rest", "from"), path)
    given = raw["nth"]
    if not isinstance(given, list) or not 1 <= len(given) <= MOST_NTH:
        errors[f"{path}.nth"] = f"Give a list of 1 to {MOST_NTH} weights."
        return Even()
    weights = tuple(_weight(weight, f"{path}.nth[{place}]", errors) for place, weight in enumerate(given))
    rest = _weight(raw.get("rest", 0), f"{path}.rest", errors)
    from_end = _from_end(raw, path, errors)
    if not any(error.startswith(f"{path}.") for error in errors) and not any((*weights, rest)):
        errors[path] = "One position at least must have a weight above zero."
    return NthWeights(weights, rest, from_end)


def _half_life(raw: object, errors: Errors) -> float | None:
    if raw is None:
        return None
    shortest, longest = SHORTEST_HALF_LIFE_DAYS, LONGEST_HALF_LIFE_DAYS
    return _number(
        raw, "half_life_days", errors, shortest, longest, f"Give {shortest:g} to {longest:,.0f} days, or null."
    )


def _multipliers(
    raw: object, path: str, errors: Errors, name_of: Callable[[object, str, Errors], str]
) -> tuple[tuple[str, float], ...]:
    """(name, multiplier) in alphabetical order; `name_of` checks a name."""
    if not isinstance(raw, Mapping):
        errors[path] = "Give an object of names with their multipliers."
        return ()
    if len(raw) > MOST_NAMES:
        errors[path] = f"Give at most {MOST_NAMES} names, not {len(raw)}."
        return ()
    found: dict[str, tuple[str, float]] = {}
    for key, given in raw.items():
        where = f"{path}.{str(key)[:LONGEST_NAME]}"
        name = name_of(key, where, errors)
        if name.casefold() in found:
            errors[where] = f"“{name}” is given twice."
        found[name.casefold()] = (name, _weight(given, where, errors))
    return tuple(found[folded] for folded in sorted(found))


def _rules(raw: object, errors: Errors) -> tuple[Rule, ...]:
    if not isinstance(raw, list):
        errors["rules"] = "The rules are a list."
        return ()
    if len(raw) > MOST_RULES:
        errors["rules"] = f"A model has at most {MOST_RULES} rules, not {len(raw)}."
        return ()
    return tuple(_rule(one, f"rules[{place}]", errors) for place, one in enumerate(raw))


def _rule(raw: object, path: str, errors: Errors) -> Rule:
    if not isinstance(raw, Mapping):
        errors[path] = "A rule is an object with “when” and “factor”."
        return Rule(Conditions(), 1.0)
    wrong = _unknown(raw, ("when", "factor"), path)
    when = _conditions(raw.get("when"), f"{path}.when", wrong)
    factor = _weight(raw.get("factor"), f"{path}.factor", wrong)
    if not wrong and factor == 0 and when.always_hold:
        wrong[f"{path}.factor"] = "This rule holds for every touch, so a factor of zero leaves nothing to credit."
    errors |= wrong
    return Rule(when, factor)


def _conditions(raw: object, path: str, errors: Errors) -> Conditions:
    fields = ("channel", "channel_type", "campaign", "interaction", "age_days", "position")
    if not isinstance(raw, Mapping) or not raw:
        errors[path] = f"Give one condition at least: {', '.join(fields)}."
        return Conditions()
    errors |= _unknown(raw, fields, path)
    contains = ""
    campaign: tuple[str, ...] = ()
    if isinstance(raw.get("campaign"), Mapping):
        errors |= _unknown(raw["campaign"], ("contains",), f"{path}.campaign")
        contains = _name(raw["campaign"].get("contains"), f"{path}.campaign.contains", errors)
    else:
        campaign = _names(raw, "campaign", path, errors, _name)
    return Conditions(
        channel=_names(raw, "channel", path, errors, _name),
        channel_type=_names(raw, "channel_type", path, errors, _channel_type),
        campaign=campaign,
        campaign_contains=contains,
        interaction=_names(raw, "interaction", path, errors, _interaction),
        age_days=_age(raw["age_days"], f"{path}.age_days", errors) if "age_days" in raw else None,
        position=_positions(raw["position"], f"{path}.position", errors) if "position" in raw else (),
    )


def _names(
    raw: Mapping[Any, Any], field: str, path: str, errors: Errors, name_of: Callable[[object, str, Errors], str]
) -> tuple[str, ...]:
    """The names of a condition without repeats, in alphabetical order; none if the field is left out."""
    if field not in raw:
        return ()
    given, where = raw[field], f"{path}.{field}"
    if not isinstance(given, list) or not 1 <= len(given) <= MOST_NAMES:
        errors[where] = f"Give a list of 1 to {MOST_NAMES} names."
        return ()
    names = [name_of(one, f"{where}[{place}]", errors) for place, one in enumerate(given)]
    distinct = {name.casefold(): name for name in reversed(names)}
    return tuple(distinct[folded] for folded in sorted(distinct))


def _age(raw: object, path: str, errors: Errors) -> AgeDays | None:
    if not isinstance(raw, Mapping) or not any(raw.get(key) is not None for key in ("at_least", "below")):
        errors[path] = "Give “at_least”, “below” or both, in days."
        return None
    wrong = _unknown(raw, ("at_least", "below"), path)
    bounds = [
        None
        if raw.get(key) is None
        else _number(raw[key], f"{path}.{key}", wrong, 0.0, OLDEST_DAYS, f"Give 0 to {OLDEST_DAYS:,.0f} days.")
        for key in ("at_least", "below")
    ]
    low, high = bounds
    if not wrong and high is not None and high <= (low or 0.0):
        wrong[f"{path}.below"] = f"“below” must be more than {low or 0.0:g} days, or no touch is meant."
    errors |= wrong
    return AgeDays(low, high)


def _positions(raw: object, path: str, errors: Errors) -> tuple[Role | NthTouch, ...]:
    """The positions without repeats: roles in their order, then touches by number."""
    given = [raw] if isinstance(raw, Mapping) else raw
    if not isinstance(given, list) or not 1 <= len(given) <= MOST_NTH:
        errors[path] = f"Give a list of {ROLES} or {{“nth”: 2, “from”: “end”}}."
        return ()
    roles, touches = set(), set()
    for place, one in enumerate(given):
        where = path if given is not raw else f"{path}[{place}]"
        if isinstance(one, Mapping):
            errors |= _unknown(one, ("nth", "from"), where)
            n = one.get("nth")
            if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= MOST_NTH:
                errors[f"{where}.nth"] = f"Give the number of a touch, from 1 to {MOST_NTH}."
                n = 1
            touches.add((_from_end(one, where, errors), n))
        elif isinstance(one, str) and one in list(Role):
            roles.add(Role(one))
        else:
            errors[where] = f"A position is one of {ROLES} or {{“nth”: 2, “from”: “end”}}."
    return (*(role for role in Role if role in roles), *(NthTouch(n, from_end) for from_end, n in sorted(touches)))


def _from_end(raw: Mapping[Any, Any], path: str, errors: Errors) -> bool:
    side = raw.get("from", "start")
    if side not in ("start", "end"):
        errors[f"{path}.from"] = "Positions are counted from “start” or “end”."
    return bool(side == "end")


def _weight(raw: object, path: str, errors: Errors) -> float:
    sentence = f"Give 0, or a number from {SMALLEST_FACTOR:f} to {LARGEST_FACTOR:,.0f}."
    if isinstance(raw, int | float) and not isinstance(raw, bool) and raw == 0:
        return 0.0
    return _number(raw, path, errors, SMALLEST_FACTOR, LARGEST_FACTOR, sentence)


def _number(raw: object, path: str, errors: Errors, lowest: float, highest: float, sentence: str) -> float:
    """The number; NaN, infinity and what is no number lie between no bounds."""
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not lowest <= raw <= highest:
        errors[path] = sentence
        return 1.0
    return float(raw)


def _name(raw: object, path: str, errors: Errors) -> str:
    if not isinstance(raw, str) or not raw.strip() or len(raw.strip()) > LONGEST_NAME or not raw.strip().isprintable():
        errors[path] = f"A name has 1 to {LONGEST_NAME} printable characters."
        return ""
    return raw.strip()


def _channel_type(raw: object, path: str, errors: Errors) -> str:
    return _one_of(raw, CHANNEL_TYPES, path, errors)


def _interaction(raw: object, path: str, errors: Errors) -> str:
    return _one_of(raw, INTERACTIONS, path, errors)


def _one_of(raw: object, known: tuple[str, ...], path: str, errors: Errors) -> str:
    if not isinstance(raw, str) or raw not in known:
        errors[path] = f"Choose from: {', '.join(known)}."
        return ""
    return raw


def _unknown(raw: Mapping[Any, Any], known: tuple[str, ...], path: str) -> Errors:
    """An error for each field that does not exist: a misspelt one would be another model."""
    prefix = f"{path}." if path else ""
    return {
        f"{prefix}{str(key)[:LONGEST_NAME]}": f"There is no such field here. Known: {', '.join(known)}."
        for key in raw
        if key not in known
    }
