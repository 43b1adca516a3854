"""What the axes of PowerPoint's and Excel's own charts are told."""

import math
from itertools import pairwise

from charts.number_formats import number_format
from charts.spec import Axis, ChartSpec


def value_format(axis: Axis) -> str:
    """Return the number format in which the axis reads as its ticks do."""
    return number_format((tick.value, tick.text) for tick in axis.ticks)


def major_unit(axis: Axis) -> float | None:
    """Return the step from tick to tick, None where they are too few or uneven."""
    steps = [after.value - before.value for before, after in pairwise(axis.ticks)]
    even = steps and all(math.isclose(step, steps[0], rel_tol=1e-6) for step in steps)
    return steps[0] if even else None


def named_every(chart: ChartSpec) -> int:
    """Return how many categories there are from one that the axis names to the next, 1 where that varies."""
    named = [place for place, category in enumerate(chart.categories) if category.tick]
    steps = {after - before for before, after in pairwise(named)}
    return steps.pop() if len(steps) == 1 and named[0] == 0 else 1
