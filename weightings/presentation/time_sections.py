"""A media mix result over time: observed and expected outcome, and what the expected one is made of, by period."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analyses.documents import Section
from charts import Category, ChartSpec, Colour, Kind, Mark, Series, axis
from charts.colours import CHANNEL_COLOURS
from marketing.day_labels import span_label
from marketing.periods import EPOCH
from mmm_project import formats
from weightings.presentation.results import Result, extent, listed

MOST_COLOURS = len(CHANNEL_COLOURS)
MOST_DAYS = 182  # of which each is drawn where areas are stacked; more are added up to weeks
TICKS = 8
OTHERS = "Other channels"


def over_time(result: Result) -> Section:
    """Observed and expected outcome by period, and the contributions to it."""
    return Section(
        title="Over time",
        sentences=tuple(_moving(result)),
        charts=(_observed_and_expected(result), *decomposition(result)),
    )


def _moving(result: Result) -> Iterator[str]:
    """What the baseline moves by."""
    parts = {name: values[result.window] for name, values in result.data["series"]["baseline_parts"].items()}
    moving = {name: max(values) - min(values) for name, values in parts.items() if values}
    moving = {name: reach for name, reach in moving.items() if reach > 0}
    if moving:
        names = sorted(moving, key=lambda name: -moving[name])[:3]
        described = [f"{name} (by up to {result.rounded(result.factor * moving[name])})" for name in names]
        yield f"What moves the baseline most: {listed(described)}."


def _observed_and_expected(result: Result) -> ChartSpec:
    series = result.data["series"]
    starts, window = series["period_start"][result.window], result.window
    expected = tuple(
        outcome_mark(result, value, low, high)
        for value, low, high in zip(
            series["expected"]["mean"][window],
            series["predicted"]["low"][window],
            series["predicted"]["high"][window],
            strict=True,
        )
    )
    observed = tuple(None if value is None else outcome_mark(result, value) for value in series["observed"][window])
    title = _within(result, expected, observed)
    per = f"{result.outcome} by {result.granularity}, {result.unit}"
    return ChartSpec(
        id="observed-and-expected",
        kind=Kind.LINE,
        title=title,
        subtitle=f"{per}, {result.period.label}. The band is the {result.interval_words} of predictions.",
        summary=f"{result.outcome} by {result.granularity}, as it was observed and as the model expects it. {title}.",
        category_title=result.granularity.capitalize(),
        categories=period_categories(starts, result.granularity),
        series=(
            Series(name="Expected", colour=Colour.ACCENT, marks=expected),
            Series(name="Observed", colour=Colour.CHANNEL_1, marks=observed),
        ),
        axis=axis(extent([*expected, *observed]), title=per, text=result.tick, zero=False),
        interval=f"{result.data['confidence']}% prediction interval",
    )


def _within(result: Result, expected: Sequence[Mark], observed: Sequence[Mark | None]) -> str:
    known = [(one, other) for one, other in zip(expected, observed, strict=True) if other is not None]
    if not known:
        return f"{result.outcome} as the model expects it"
    inside = sum((one.low or 0.0) <= other.value <= (one.high or 0.0) for one, other in known)
    return (
        f"{formats.count(inside)} of {formats.count(len(known), result.granularity)} lie within what was to be expected"
    )


def outcome_mark(result: Result, value: float, low: float | None = None, high: float | None = None) -> Mark:
    """An amount of the outcome as a mark, with the ends of its interval if it has one."""
    factor = result.factor
    if low is None or high is None:
        return Mark(value=factor * value, text=result.rounded(factor * value), detail=(result.in_full(factor * value),))
    return Mark(
        value=factor * value,
        text=result.rounded(factor * value),
        low=factor * low,
        high=factor * high,
        low_text=result.rounded(factor * low),
        high_text=result.rounded(factor * high),
    )


@dataclass(frozen=True, slots=True)
class _Layer:
    """What a part of the expected outcome comes to in each period of a chart."""

    name: str
    colour: Colour
    values: Sequence[float]


def decomposition(result: Result) -> Iterator[ChartSpec]:
    """The expected outcome by what it is owed to, stacked; none where a part is negative, which cannot be stacked."""
    series = result.data["series"]
    starts, window = series["period_start"][result.window], result.window
    granularity, groups, left_out = result.granularity, [[place] for place in range(len(starts))], ""
    if granularity == "day" and len(starts) > MOST_DAYS:
        granularity, groups = "week", [list(range(place, place + 7)) for place in range(0, len(starts) - 6, 7)]
        left_out = _left_out(starts[7 * len(groups) :])
    layers = [_Layer("Baseline", Colour.OTHER, series["baseline"][window]), *_channel_layers(result)]
    if any(value < 0 for layer in layers for value in layer.values):
        return
    drawn = [_added_up(result, layer, groups) for layer in layers]
    highest = max(sum(mark.value for mark in marks) for marks in zip(*drawn, strict=True))
    most = max(layers[1:], key=lambda layer: sum(layer.values), default=None)
    title = f"Of all channels, {most.name} contributes most" if most else "There is nothing but the baseline"
    per = f"Expected {result.outcome} by {granularity}, {result.unit}"
    yield ChartSpec(
        id="decomposition",
        kind=Kind.AREA,
        title=title,
        subtitle=f"{per}, by what it is owed to, {result.period.label}. Means, which add up.{left_out}",
        summary=f"{per}, as the baseline and the contributions of channels stacked on it. {title}.",
        category_title=granularity.capitalize(),
        categories=period_categories([starts[group[0]] for group in groups], granularity),
        series=tuple(
            Series(name=layer.name, colour=layer.colour, marks=marks)
            for layer, marks in zip(layers, drawn, strict=True)
        ),
        axis=axis([0.0, highest], title=per, text=result.tick),
    )


def _left_out(days: Sequence[int]) -> str:
    """What is said of days that come after the last whole week: as areas they would look like a fall."""
    if not days:
        return ""
    first, last = (EPOCH.date() + dt.timedelta(day) for day in (days[0], days[-1]))
    return f" Not drawn: {span_label(first, last)}, which is no whole week."


def _channel_layers(result: Result) -> list[_Layer]:
    """The channels, largest contribution first; the smallest folded into one where there are too many colours.

    Areas that touch cannot share the grey of the baseline: channels past the eighth borrow a colour of those that are
    not drawn here.
    """
    found: Sequence[Mapping[str, Any]] = result.data["series"]["channels"]
    by_size = sorted(found, key=lambda channel: -sum(channel["mean"][result.window]))
    drawn = by_size if len(by_size) <= MOST_COLOURS else by_size[: MOST_COLOURS - 1]
    own = [result.colour(channel["channel"]) for channel in drawn]
    free = [colour for colour in CHANNEL_COLOURS if colour not in own]
    layers = [
        _Layer(channel["channel"], free.pop(0) if colour == Colour.OTHER else colour, channel["mean"][result.window])
        for channel, colour in zip(drawn, own, strict=True)
    ]
    rest = [channel["mean"][result.window] for channel in by_size[len(drawn) :]]
    if rest:
        layers.append(_Layer(OTHERS, free.pop(), [sum(values) for values in zip(*rest, strict=True)]))
    return layers


def _added_up(result: Result, layer: _Layer, groups: Sequence[Sequence[int]]) -> tuple[Mark, ...]:
    """The layer in each group of periods: its sum, or its mean for an outcome that does not add up."""
    marks = []
    for group in groups:
        total = sum(layer.values[place] for place in group)
        marks.append(outcome_mark(result, total if result.bounds is None else total / len(group)))
    return tuple(marks)


def period_categories(starts: Sequence[int], granularity: str) -> tuple[Category, ...]:
    """Periods along an axis, by their first days from 1970-01-01 on; the axis names some of many."""
    every = max(-(-len(starts) // TICKS), 1)
    return tuple(
        Category(label=label, short=short, tick=place % every == 0)
        for place, (label, short) in enumerate(period_names(start, granularity) for start in starts)
    )


def period_names(start: int, granularity: str) -> tuple[str, str]:
    """Return what a period is called, in full and short, by its first day from 1970-01-01 on."""
    day = EPOCH.date() + dt.timedelta(start)
    if granularity == "month":
        return f"{day:%B %Y}", f"{day:%b %Y}"
    date = f"{day:%-d %B %Y}"
    return (f"Week of {date}" if granularity == "week" else date), f"{day:%-d %b %Y}"
