"""From the arrays of a computation to the JSON of a run's result: names instead of places, plain finite numbers."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from attribution.catalogue import Model
from attribution.labels import NONE
from attribution.methods.crediting import Credited, Intervals
from attribution.methods.intervals import Interval
from attribution.methods.markov import Transitions
from marketing.frames import Float64Column

MOST_GROUPS_IN_MATRIX = 15


@dataclass(frozen=True, slots=True, eq=False)
class Named:
    """The groups of a dimension by name, and the models as people know them.

    `extra`: by model, what else its result says ("journeys_without_lead": 12).
    """

    dimension: str
    labels: Sequence[str]
    models: Sequence[Model]
    extra: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def models_result(
    *, credited: Credited, named: Named, intervals: Intervals, by_value: bool, total: float
) -> dict[str, Any]:
    """Return the result of each model by its name, in the order that they were asked for.

    All list the same groups, those credited under any of them, and "(none)" last. `by_value`: whether the share is that
    of value, not of conversions; `total`: what it is a share of.
    """
    listed = listed_groups(credited, named)
    measure = credited.value if by_value else credited.conversions
    return {
        model.name: {
            f"{named.dimension}s": [
                _group(credited, named, intervals, place, group, measure[place, group] / total if total else 0.0)
                for group in listed
            ],
            **_explained(credited, intervals, named, model.name),
            **named.extra.get(model.name, {}),
        }
        for place, model in enumerate(named.models)
    }


def listed_groups(credited: Credited, named: Named) -> list[int]:
    """Return the groups that a result lists, by their places: those credited under any model, and "(none)"."""
    credited_any = credited.conversions[:, :-1].any(axis=0) | credited.value[:, :-1].any(axis=0)
    return [*np.flatnonzero(credited_any).tolist(), len(named.labels)]


def _group(
    credited: Credited, named: Named, intervals: Intervals, place: int, group: int, share: float
) -> dict[str, Any]:
    model = named.models[place].name
    row: dict[str, Any] = {
        named.dimension: named.labels[group] if group < len(named.labels) else NONE,
        **_with_ends("conversions", credited.conversions[place, group], intervals.conversions, (place, group)),
        **_with_ends("value", credited.value[place, group], intervals.value, (place, group)),
        **_with_ends("share", share, intervals.share, (place, group)),
    }
    if place:
        row["difference"] = {
            name: number
            for measure, column, ends in (
                ("conversions", credited.conversions, intervals.conversions_difference),
                ("value", credited.value, intervals.value_difference),
            )
            for name, number in _with_ends(
                measure, column[place, group] - column[0, group], ends, (place, group)
            ).items()
        }
    if group < len(named.labels):
        row |= _effects(credited, intervals, model, group)
    return row


def _effects(credited: Credited, intervals: Intervals, model: str, group: int) -> dict[str, float]:
    """Return what removing the group does under a data-driven model."""
    extra: dict[str, float] = {}
    if model in credited.markov:
        chain = credited.markov[model]
        figures = {"removal_effect": chain.removal_effect[group], "rate_without": chain.rate_without[group]}
    elif model in credited.posterior:
        drawn = credited.posterior[model]
        figures = {
            "removal_effect": drawn.effect[:, group].mean(),
            "rate_without": drawn.rate_without[:, group].mean(),
        }
    elif model in credited.shapley:
        found = credited.shapley[model]
        figures = {"marginal_effect": found.phi[group]}
        if not found.is_exact:
            extra["monte_carlo_error"] = float(found.monte_carlo_error[group])
    else:
        return {}
    for name, value in figures.items():
        extra |= _with_ends(name, value, intervals.explained[model][name], (group,))
    return extra


def _with_ends(name: str, value: float, ends: Interval, place: tuple[int, ...]) -> dict[str, float]:
    """Return a number and the ends of its interval, which holds it: sums in another order differ in the last digits."""
    low, high = min(float(ends.low[place]), float(value)), max(float(ends.high[place]), float(value))
    return {name: float(value), f"{name}_low": low, f"{name}_high": high}


def _explained(credited: Credited, intervals: Intervals, named: Named, model: str) -> dict[str, Any]:
    """Return what holds for the model as a whole."""
    if model in credited.shapley:
        return {"is_exact": credited.shapley[model].is_exact}
    if model in credited.posterior:
        rate, more = credited.posterior[model].conversion_rate.mean(), {}
    elif model in credited.markov:
        markov = credited.markov[model]
        rate, more = markov.conversion_rate, _transitions(markov.transitions, named.labels)
    else:
        return {}
    return _with_ends("conversion_rate", rate, intervals.explained[model]["conversion_rate"], ()) | more


def _transitions(transitions: Transitions | None, labels: Sequence[str]) -> dict[str, Any]:
    """Return the moves between groups, as counts and as shares of each row; nothing where there are too many."""
    if transitions is None:
        return {}
    counts = transitions.counts
    seen = np.flatnonzero(counts[:-1].any(axis=1) | counts[:, : len(labels)].any(axis=0)).tolist()
    if not 0 < len(seen) <= MOST_GROUPS_IN_MATRIX:
        return {}
    rows, columns = [len(labels), *seen], [*seen, len(labels), len(labels) + 1]
    shown = counts[np.ix_(rows, columns)]
    sums = shown.sum(axis=1, keepdims=True)
    shares = np.divide(shown, sums, out=np.zeros_like(shown), where=sums > 0)
    return {
        "transitions": {
            "from": ["Start", *(labels[group] for group in seen)],
            "to": [*(labels[group] for group in seen), "Conversion", "No conversion"],
            "counts": shown.tolist(),
            "probabilities": shares.tolist(),
        }
    }


def totals(value: Float64Column, conversions: float | None = None) -> dict[str, float]:
    """Return how many conversions there are (one for each value, unless counted otherwise) and what they are worth."""
    return {"conversions": len(value) if conversions is None else conversions, "value": math.fsum(value)}
