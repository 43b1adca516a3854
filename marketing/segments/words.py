"""A segment's definition in words, as lists, runs and exports say it."""

from collections.abc import Sequence

from marketing.segments.definition import Bounded, Condition, Definition, Match, Named, Newness, What

LABELS = {
    What.ATTRIBUTE: "Customer attribute",
    What.CUSTOMER: "New or returning",
    What.ACQUIRED_BY: "Acquired by",
    What.FIRST_CHANNEL: "First channel",
    What.CHANNELS: "Channels touched",
    What.INTERACTIONS: "Interactions",
    What.TOUCHES: "Number of touches",
    What.VALUE: "Value",
}
_SUBJECTS = {
    What.ATTRIBUTE: "customer attribute",
    What.ACQUIRED_BY: "acquisition channel",
    What.FIRST_CHANNEL: "first channel",
    What.CHANNELS: "channels touched",
    What.INTERACTIONS: "interactions",
}


def in_words(definition: Definition) -> str:
    """Return a line such as “New customers; first channel is Email or Search; 2 to 5 touches”."""
    if not definition.conditions:
        return "All customers"
    parts = [_condition(condition) for condition in definition.conditions]
    line = "; ".join(parts) if definition.match == Match.ALL else "; or ".join(parts)
    return line[0].upper() + line[1:]


def interaction_label(code: str) -> str:
    """Return “Store visit” for “store_visit”."""
    return code.replace("_", " ").capitalize()


def _condition(condition: Condition) -> str:
    match condition:
        case Newness():
            return "returning customers" if condition.negated else "new customers"
        case Bounded(what=What.TOUCHES):
            return f"{'not ' if condition.negated else ''}{_touches(condition)}"
        case Bounded():
            return f"value {'not ' if condition.negated else ''}{_band(condition)}"
        case Named():
            return f"{_SUBJECTS[condition.what]} {_relation(condition)} {_listed(condition)}"


def _relation(condition: Named) -> str:
    if condition.what not in (What.CHANNELS, What.INTERACTIONS):
        return "is not" if condition.negated else "is"
    if condition.every:
        return "do not include all of" if condition.negated else "include all of"
    if len(condition.names) > 1:
        return "include none of" if condition.negated else "include any of"
    return "do not include" if condition.negated else "include"


def _listed(condition: Named) -> str:
    names: Sequence[str] = condition.names
    if condition.what == What.INTERACTIONS:
        names = [interaction_label(name).lower() for name in names]
    *some, last = names
    joined = "and" if condition.what in (What.CHANNELS, What.INTERACTIONS) else "or"
    return f"{', '.join(some)} {joined} {last}" if some else last


def _touches(condition: Bounded) -> str:
    low, high = (None if bound is None else f"{bound:,.0f}" for bound in (condition.low, condition.high))
    if low == high:
        return f"exactly {low} touch{'' if low == '1' else 'es'}"
    if high is None:
        return f"{low} or more touches"
    return f"up to {high} touch{'' if high == '1' else 'es'}" if low is None else f"{low} to {high} touches"


def _band(condition: Bounded) -> str:
    low, high = (None if bound is None else f"{bound:,.15g}" for bound in (condition.low, condition.high))
    if high is None:
        return f"of {low} or more"
    return f"below {high}" if low is None else f"from {low} to below {high}"
