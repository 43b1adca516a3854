"""The colours of a heatmap: classes of values, a colour for each, and the scale that says what they stand for.

A scale from as far below zero as above is diverging: orange, a middle that is nearly neutral, blue. Orange and blue are
told apart under every common deficiency of colour vision, and equal distances from zero are equally dark. A scale that
starts at zero is the blue half of it. Colours only point to the cells that matter; the sign stands in their text.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from charts.spec import Axis, ChartSpec, Kind, Tick

STEPS = 5  # classes on either side of the middle one
THIN = "Not enough evidence"  # what hatching stands for
_ENDS = (1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.2, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0)
_NOTHING = 1e-300  # below it floating-point numbers lose their digits

# The light theme of the style sheet (`--heat-below-5` ...), which documents have as well.
_FILLS = {
    -5: "#8c3002",
    -4: "#f76320",
    -3: "#fd926a",
    -2: "#feb79d",
    -1: "#fed5c7",
    0: "#eef0f3",
    1: "#d2e0ff",
    2: "#b3cafe",
    3: "#8fb1fe",
    4: "#6a93f9",
    5: "#2345b4",
}
# By the distance from the middle: the cell's text, and its hatching, on which the text can be read as well.
_TEXTS = (*("#14181f",) * 5, "#ffffff")
_LINES = ("#868f9d", "#7d8694", "#7d8694", "#ffffff", "#ffffff", "#0a0d12")


@dataclass(frozen=True, slots=True)
class Shade:
    """How the cells of a class look: their ground, their text and the lines that hatch them, such as "#032389"."""

    fill: str
    text: str
    line: str


@dataclass(frozen=True, slots=True)
class ScaleStep:
    """A class on the scale, by its name in the style sheet and by its number; `text`: "0" in the class of zero."""

    name: str
    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Scale:
    """What the colours of a heatmap stand for, from `low` to `high`; on a sequential scale `low` is "".

    `thin`: what hatching stands for, "" where nothing is hatched.
    """

    title: str
    low: str
    high: str
    steps: tuple[ScaleStep, ...]
    thin: str


def is_diverging(axis: Axis) -> bool:
    return axis.low < 0


def heat_class(value: float, axis: Axis) -> int:
    """Return the class of a value: from 0 to 5 on a scale that starts at zero, from -5 to 5 on a diverging one.

    Classes are equally broad, and the middle one of a diverging scale lies around zero: of -110 to 110 it holds what is
    between -10 and 10. What lies beyond the scale has the class of its end.
    """
    classes = 2 * STEPS + 1 if is_diverging(axis) else STEPS + 1
    breadth = (axis.high - axis.low) / classes
    place = math.floor(abs(value) / breadth + (0.5 if is_diverging(axis) else 0.0))
    number = min(place, STEPS)
    return -number if value < 0 and is_diverging(axis) else number if value > 0 else 0


def diverging_axis(values: Iterable[float | None], *, title: str, text: Callable[[float], str]) -> Axis:
    """Return the scale that reaches as far below zero as above, to a round number that encloses `values`.

    Gaps are left out; without values, or with zeros only, it goes from -1 to 1. Raises ValueError for a value that is
    not finite.
    """
    distances = [abs(value) for value in values if value is not None]
    if not all(map(math.isfinite, distances)):
        raise ValueError("The values of an axis must be finite.")
    end = _round_end(max(distances, default=0.0))
    return Axis(title=title, low=-end, high=end, ticks=tuple(Tick(place, text(place)) for place in (-end, 0.0, end)))


def _round_end(reach: float) -> float:
    """The least round number that is not below `reach`: so close that the highest class is never without a value."""
    if reach < _NOTHING:
        return 1.0
    magnitude = 10.0 ** math.floor(math.log10(reach))
    ends = (float(f"{end * magnitude:.12g}") for end in _ENDS)
    return next(end for end in ends if end >= reach * (1 - 1e-12))


def shade(number: int) -> Shade:
    """How the cells of a class look in documents."""
    return Shade(fill=_FILLS[number], text=_TEXTS[abs(number)], line=_LINES[abs(number)])


def shade_name(number: int) -> str:
    """The class's name in the style sheet: "below-5" to "below-1", "middle", "above-1" to "above-5"."""
    return f"{'below' if number < 0 else 'above'}-{abs(number)}" if number else "middle"


def scale(chart: ChartSpec) -> Scale:
    """Return what the colours of a heatmap stand for. Raises ValueError for another kind of chart."""
    if chart.kind != Kind.HEATMAP:
        raise ValueError(f"“{chart.id}” is no heatmap.")
    axis = chart.axis
    numbers = range(-STEPS if is_diverging(axis) else 0, STEPS + 1)
    zero = _text_at(axis, 0.0)
    return Scale(
        title=axis.title,
        low=_text_at(axis, axis.low) if is_diverging(axis) else "",
        high=_text_at(axis, axis.high),
        steps=tuple(ScaleStep(shade_name(number), number, "" if number else zero) for number in numbers),
        thin=THIN if any(mark and mark.is_thin for series in chart.series for mark in series.marks) else "",
    )


def _text_at(axis: Axis, place: float) -> str:
    named = (tick.text for tick in axis.ticks if tick.value == place)
    return next(named, f"{place:g}".replace("-", "\N{MINUS SIGN}"))
