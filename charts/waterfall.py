"""A waterfall as programs without one draw it: stacked bars, of which those below the steps cannot be seen."""

from dataclasses import dataclass

from charts.number_formats import number_format
from charts.spec import ChartSpec, Kind, Mark

MINUS = "\N{MINUS SIGN}"
LEAST_LABELLED = 0.1  # of the axis: a shorter bar has no room for its value


@dataclass(frozen=True, slots=True)
class Part:
    """A stacked series. `lengths`: of its bars, negative below zero. `is_seen`: or it only holds the others up."""

    name: str
    lengths: tuple[float, ...]
    is_seen: bool = True


def parts(chart: ChartSpec) -> list[Part]:
    """What a waterfall is stacked of: what holds the steps up, the steps, and what of them lies below zero, if any.

    A step that falls is as long as one that rises; which it is can be told by where the step before it ends.
    """
    if chart.kind != Kind.WATERFALL:
        raise ValueError(f"“{chart.id}” is no waterfall.")
    ends = [(min(step), max(step)) if step else (0.0, 0.0) for step in chart.steps]
    name = chart.series[0].name
    below = tuple(low if low > 0 else min(high, 0.0) for low, high in ends)
    # From the values where they can be: differences of sums are off in their last digits.
    sizes = [abs(mark.value) if mark else 0.0 for mark in chart.series[0].marks]
    above = tuple(size if low >= 0 else max(high, 0.0) for size, (low, high) in zip(sizes, ends, strict=True))
    under = tuple(
        0.0 if low >= 0 else -size if high <= 0 else low for size, (low, high) in zip(sizes, ends, strict=True)
    )
    found = [Part(f"{name}, from", below, is_seen=False), Part(name, above)]
    return [*found, Part(f"{name}, below zero", under)] if any(under) else found


def label_formats(chart: ChartSpec, part: Part) -> dict[int, str]:
    """The number formats of a part's bars that show their mark's text, by place; none for bars without room for it.

    A step across zero has none: neither of its parts is its value.
    """
    found = {}
    least = LEAST_LABELLED * (chart.axis.high - chart.axis.low)
    for place, (mark, length) in enumerate(zip(chart.series[0].marks, part.lengths, strict=True)):
        if mark and part.is_seen and abs(length) >= least and abs(length) == abs(mark.value):
            found[place] = _format(mark)
    return found


def _format(mark: Mark) -> str:
    """Shows the length of a bar with the sign of its mark, whichever way the bar goes."""
    shown = number_format([(abs(mark.value), mark.text.removeprefix(MINUS))])
    signed = f'"{MINUS}"{shown}' if mark.value < 0 else shown
    return f"{signed};{signed}"
