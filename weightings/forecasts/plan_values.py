"""What a plan says of the periods to come, by kind and name, checked against what a model knows."""

import csv
import io
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from accounts.models import Workspace
from weightings.forecasts.horizon import FEWEST, MOST
from weightings.forecasts.model_runs import BY_NAME, Model
from weightings.forecasts.plan_tables import NAME_SHOWN, PlanRefused, PlanTable, read_text

SPEND, PERIOD = "spend", "Period"
KINDS = (SPEND, *BY_NAME)
ONE = {"organic": "organic medium", "controls": "control", "events": "event", "holidays": "holiday", SPEND: "channel"}
LARGEST = 1e12
DIGITS = 12  # that matter, so that a plan is the same one after it has been an address
MOST_NAMES = 40

Values: TypeAlias = dict[str, dict[str, list[float]]]
_Where: TypeAlias = Callable[[int, str], str]


def plan_values(asked: Any, model: Model, workspace: Workspace, periods: int | None) -> Values:
    """Return what is planned by kind (spend, organic, controls, events, holidays) and name, a number for each period.

    `asked`: a table, the text of one, or a mapping of names to numbers, perhaps by kind. `periods`: how many were asked
    for, None if that is for the plan to say. Raises PlanRefused.
    """
    if isinstance(asked, str):
        asked = read_text(asked, workspace=workspace)
    if isinstance(asked, PlanTable):
        found = _by_kind(asked.numbers, model)
        count = _count(found, periods)
        _require_some(count, model)
        asked.require_periods(model.horizon(count), workspace)
        rows = asked.rows

        def where(place: int, name: str) -> str:
            return f"Row {rows[place]}, column “{name}”"

    else:
        found = _by_kind(_flat(asked), model)
        count = _count(found, periods)
        _require_some(count, model)

        def where(place: int, name: str) -> str:
            return f"“{name}”, {model.granularity} {place + 1}"

    _check(found, model, count, where)
    return {kind: {name: [_rounded(number) for number in values] for name, values in of.items()} for kind, of in found}


def _flat(asked: Any) -> dict[str, list[float]]:
    """Numbers by name, with the kind before it where it was said."""
    if not isinstance(asked, Mapping) or not asked:
        raise PlanRefused("A plan is a table as text, or a mapping of names to numbers, one for each period.")
    flat: dict[str, Any] = {}
    for name, values in asked.items():
        if str(name) in KINDS and isinstance(values, Mapping):
            flat |= {f"{name}: {of}": numbers for of, numbers in values.items()}
        else:
            flat[str(name)] = values
    return {name: _numbers(name, values) for name, values in flat.items()}


def _numbers(name: str, values: Any) -> list[float]:
    if not isinstance(values, list | tuple) or not values or any(type(value) not in (int, float) for value in values):
        raise PlanRefused(f"“{_cut(name)}” must be a list of numbers, one for each period.")
    try:
        return [float(value) for value in values]
    except OverflowError:  # a whole number in JSON may be larger than any float
        raise PlanRefused(f"“{_cut(name)}” has a number that is too large: below {LARGEST:g}, please.") from None


def _by_kind(columns: Mapping[str, Sequence[float]], model: Model) -> list[tuple[str, dict[str, Sequence[float]]]]:
    """The columns by what they are, in the order of the model's names."""
    known = {kind: list(model.channels if kind == SPEND else model.names(kind)) for kind in KINDS}
    by_name: dict[str, tuple[str, str]] = {}
    for kind in reversed(KINDS):
        by_name |= {_folded(name): (kind, name) for name in known[kind]}
    by_name |= {_folded(f"{kind}: {name}"): (kind, name) for kind in KINDS for name in known[kind]}
    found: dict[tuple[str, str], Sequence[float]] = {}
    for column, values in columns.items():
        place = by_name.get(_folded(column))
        if place is None:
            raise PlanRefused(_unknown(column, known))
        if place in found:
            raise PlanRefused(f"“{_cut(place[1])}” is there twice.")
        found[place] = values
    spend = [name for name in known[SPEND] if (SPEND, name) in found]
    missing = [name for name in known[SPEND] if name not in spend]
    if spend and missing:
        names = ", ".join(f"“{name}”" for name in missing[:MOST_NAMES])
        raise PlanRefused(f"No spend is planned for {names}. Write 0 where there is to be none.")
    ordered = [(kind, {name: found[kind, name] for name in known[kind] if (kind, name) in found}) for kind in KINDS]
    return [(kind, of) for kind, of in ordered if of]


def _unknown(column: str, known: Mapping[str, Sequence[str]]) -> str:
    names = [f"“{name}”" for kind in KINDS for name in known[kind]]
    more = " and others" if len(names) > MOST_NAMES else ""
    return (
        f"The model knows no “{_cut(column)}”. It has {', '.join(names[:MOST_NAMES])}{more}. Leave the column out, or "
        "choose a run that has it."
    )


def _count(found: Sequence[tuple[str, Mapping[str, Sequence[float]]]], periods: int | None) -> int:
    lengths = {name: len(values) for _kind, of in found for name, values in of.items()}
    counts = sorted(set(lengths.values()))
    if len(counts) > 1:
        one, other = (next(name for name, length in lengths.items() if length == count) for count in counts[:2])
        raise PlanRefused(
            f"Each must have as many numbers as there are periods, but “{_cut(one)}” has {counts[0]} and "
            f"“{_cut(other)}” {counts[1]}."
        )
    if periods is not None and counts[0] != periods:
        raise PlanRefused(f"The plan is of {counts[0]} periods, but {periods} are asked for. Leave that number out.")
    return counts[0]


def _require_some(count: int, model: Model) -> None:
    fewest, most = FEWEST[model.granularity], MOST[model.granularity]
    if not fewest <= count <= most:
        raise PlanRefused(f"A forecast is of {fewest} to {most} {model.granularity}s, and this plan is of {count}.")


def _check(found: Sequence[tuple[str, Mapping[str, Sequence[float]]]], model: Model, count: int, where: _Where) -> None:
    """Raise PlanRefused for a number that cannot be."""
    days = model.horizon(count).days()
    for kind, of in found:
        low = -LARGEST if kind == "controls" else 0.0
        for name, values in of.items():
            for place, value in enumerate(values):
                high = 1.0 if kind == "events" else float(days[place]) if kind == "holidays" else LARGEST
                if not (math.isfinite(value) and low <= value <= high):
                    raise PlanRefused(f"{where(place, name)}: {_wanted(kind, value, high)}")


def _wanted(kind: str, value: float, high: float) -> str:
    found = f"{value:g} cannot be."
    if kind == "events":
        return f"{found} An event is 1 in a period in which it is on, 0 in others, or the share of its days."
    if kind == "holidays":
        return f"{found} A holiday says how many of the period's {high:g} days it is."
    return f"{found} Give a number{'' if kind == 'controls' else ' of 0 or more'}, below {LARGEST:g}."


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def _folded(name: str) -> str:
    """As names are compared: exports put an apostrophe before those that spreadsheets would take for a formula."""
    return " ".join(name.removeprefix("'").split()).casefold()


def _cut(name: str) -> str:
    return name[:NAME_SHOWN]


def plan_as_text(values: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
    """Return canonical values as a table of text that `plan_values` reads; its periods are numbers."""
    columns = [(_column(kind, name), numbers) for kind, of in values.items() for name, numbers in of.items()]
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow([PERIOD, *(name for name, _numbers in columns)])
    for place in range(len(columns[0][1])):
        table.writerow([place + 1, *(f"{numbers[place]:.{DIGITS}g}" for _name, numbers in columns)])
    return text.getvalue()


def _column(kind: str, name: str) -> str:
    """A name that means this and nothing else: channels come first, so that most of theirs do by themselves."""
    is_plain = kind == SPEND and ":" not in name and _folded(name) != _folded(PERIOD)
    return name if is_plain else f"{kind}: {name}"
