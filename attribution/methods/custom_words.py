"""A custom attribution model in words."""

from collections.abc import Sequence

from attribution.methods.custom_definition import (
    Conditions,
    CustomDefinition,
    Even,
    FirstMiddleLast,
    NthTouch,
    NthWeights,
    PositionWeights,
    Role,
    Rule,
)


def sentences(definition: CustomDefinition) -> tuple[str, ...]:
    """Return a sentence for each part of the definition."""
    found = [_position_weights(definition.position)]
    if definition.half_life_days is not None:
        found.append(
            f"A touch weighs half as much for every {_counted(definition.half_life_days, 'day')} before the conversion."
        )
    found += [f"{name} counts {_times(multiplier)}." for name, multiplier in definition.channels]
    found += [
        f"{name.capitalize()} channels count {_times(multiplier)}." for name, multiplier in definition.channel_types
    ]
    return (*found, *(_rule(rule) for rule in definition.rules))


def _position_weights(position: PositionWeights) -> str:
    match position:
        case Even():
            return "Every touch weighs the same."
        case FirstMiddleLast(first=first, middle=middle, last=last):
            return f"{first:g}% to the first touch, {last:g}% to the last, {middle:g}% shared by those between."
        case NthWeights():
            nth = [
                f"{weight:g} for the {_place(NthTouch(n, position.from_end))}"
                for n, weight in enumerate(position.weights, 1)
            ]
            return f"Weights by position: {', '.join(nth)}, {position.rest:g} for each other touch."


def _rule(rule: Rule) -> str:
    return f"Touches {_conditions(rule.when)}: weight × {rule.factor:,.10g}."


def _conditions(when: Conditions) -> str:
    parts = []
    if when.channel:
        parts.append(f"of {_either(when.channel)}")
    if when.channel_type:
        parts.append(f"of {_either(when.channel_type)} channels")
    if when.campaign:
        parts.append(f"of the campaign {_either([f'“{name}”' for name in when.campaign])}")
    if when.campaign_contains:
        parts.append(f"of a campaign whose name contains “{when.campaign_contains}”")
    if when.interaction:
        parts.append(f"by {_either([name.replace('_', ' ') for name in when.interaction])}")
    if when.age_days is not None:
        parts.append(_age(when.age_days.at_least, when.age_days.below))
    if when.position:
        parts.append(f"that are {_either([_one_position(one) for one in when.position])}")
    return ", ".join(parts)


def _age(at_least: float | None, below: float | None) -> str:
    if below is None:
        return f"{_counted(at_least or 0.0, 'day')} or more before the conversion"
    if at_least is None:
        return f"less than {_counted(below, 'day')} before the conversion"
    return f"from {at_least:g} to less than {_counted(below, 'day')} before the conversion"


def _one_position(position: Role | NthTouch) -> str:
    if isinstance(position, NthTouch):
        return f"the {_place(position)}"
    return {
        Role.FIRST: "the first of several",
        Role.MIDDLE: "between the first and the last",
        Role.LAST: "the last of several",
        Role.ONLY: "the only one",
    }[position]


def _place(touch: NthTouch) -> str:
    if touch.from_end:
        return "last" if touch.n == 1 else f"{_ordinal(touch.n)} from the end"
    return "first" if touch.n == 1 else _ordinal(touch.n)


def _ordinal(n: int) -> str:
    if n in (11, 12, 13):
        return f"{n}th"
    return f"{n}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(n % 10, 'th') }"


def _times(factor: float) -> str:
    if factor == 0:
        return "not at all"
    return {0.5: "half", 1.0: "once", 2.0: "double"}.get(factor, f"{factor:,.10g} times")


def _counted(number: float, noun: str) -> str:
    return f"{number:g} {noun}{'' if number == 1 else 's'}"


def _either(names: Sequence[str]) -> str:
    *some, last = names
    return f"{', '.join(some)} or {last}" if some else last
