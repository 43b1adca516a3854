"""How much the credit of two runs differs, with intervals: between periods, windows, or versions of a model.

Under one seed a customer weighs the same in every run, so a difference is taken replicate by replicate: what the runs
have in common cancels out. Runs with different seeds are taken for independent, which is cautious.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analyses import artifacts
from attribution.presentation.presenters import Credit

if TYPE_CHECKING:
    from analyses.models import Run


@dataclass(frozen=True, slots=True)
class Difference:
    """Credit of a group in the later run less that in the earlier one, with its interval."""

    value: float
    low: float
    high: float


def differences(earlier: "Run", later: "Run") -> Mapping[str, Difference]:
    """Return the difference of each group under the runs' main models, by its name, in the later run's metric.

    Nothing where a run has kept no replicates, or where they cannot be set against each other.
    """
    try:
        first, second = artifacts.read(earlier), artifacts.read(later)
    except artifacts.ArtifactMissing:
        return {}
    runs = Credit(earlier), Credit(later)
    if runs[1].intervals is None or not _fit(first, second):
        return {}
    # Here, not above: only a comparison waits for the methods.
    from attribution.methods.intervals import Sample, difference, interval

    measure, level = runs[1].measure, runs[1].intervals["confidence"] / 100
    left_out = int(second["groups_left_out"])
    columns = [_by_name(credit, arrays[measure]) for credit, arrays in zip(runs, (first, second), strict=True)]
    names = list(dict.fromkeys([*columns[1], *columns[0]]))
    nothing = np.zeros(len(second[measure]))
    one, other = (
        Sample(np.stack([column.get(name, nothing) for name in names], axis=1), left_out) for column in columns
    )
    ends = interval(difference(other, one), level)
    amounts = [_amounts(credit, measure) for credit in runs]  # the lanes are kept with seven digits only
    found = {}
    for place, name in enumerate(names):
        value = amounts[1].get(name, 0.0) - amounts[0].get(name, 0.0)
        found[name] = Difference(value, min(float(ends.low[place]), value), max(float(ends.high[place]), value))
    return found


def _fit(first: Mapping[str, Any], second: Mapping[str, Any]) -> bool:
    names = ("conversions", "value", "groups_left_out")
    if not all(name in arrays for arrays in (first, second) for name in names):
        return False
    alike = len(first["value"]) == len(second["value"])
    return alike and bool(first["groups_left_out"] == second["groups_left_out"])


def _by_name(credit: Credit, lanes: Any) -> dict[str, Any]:
    """Return the lanes of each group by its name; those of the same name added up."""
    columns: dict[str, Any] = {}
    for place, name in enumerate(_names(credit)):
        column = lanes[:, place].astype(np.float64)
        columns[name] = columns[name] + column if name in columns else column
    return columns


def _names(credit: Credit) -> list[str]:
    return [group[credit.dimension] for group in credit.details[0][f"{credit.dimension}s"]]


def _amounts(credit: Credit, measure: str) -> dict[str, float]:
    """Return the credit of each group by its name; that of the same name added up."""
    amounts: dict[str, float] = {}
    for name, group in zip(_names(credit), credit.details[0][f"{credit.dimension}s"], strict=True):
        amounts[name] = amounts.get(name, 0.0) + group[measure]
    return amounts
