"""How long the effects of channels last: carry-over by lag, and within how many periods most of it comes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from analyses.documents import DataTable, Figure, Row, Section
from charts import Axis, Category, ChartSpec, Colour, Kind, Mark, Series, SmallMultiples, axis
from mmm_project import formats
from weightings.methods.adstock import periods_until
from weightings.presentation.results import Result, extent, figure, mark

TITLE = "How long effects last"
MOST_PANELS = 12
TICKS = 7
SHARES = {"half": 0.5, "most": 0.9}
Channel = Mapping[str, Any]


def how_long_effects_last(result: Result) -> tuple[Section, ...]:
    """The carry-over of each channel, those with most spend first; nothing of a model that keeps no weights."""
    channels = sorted(
        (channel for channel in result.channels if channel.get("carry_over_weights")),
        key=lambda channel: -(channel["spend"] or 0.0),
    )
    if not channels:
        return ()
    shown = channels[:MOST_PANELS]
    lags = len(channels[0]["carry_over_weights"])
    common = _axis([one for channel in shown for one in _marks(channel)])
    title = _longest(result, channels)
    chart = SmallMultiples(
        id="carry-over",
        title=title,
        subtitle=f"Share of the effect by {result.granularity}s after the media, {_levels(result, channels)}",
        summary=f"How the effect of each channel is spread over the {result.granularity}s after its media. {title}.",
        panels=tuple(
            carry_over_chart(result, channel, name=f"carry-over-{place + 1}", common=common)
            for place, channel in enumerate(shown)
        ),
    )
    return (
        Section(title=TITLE, sentences=(meaning(result, lags),), charts=(chart,), tables=(_table(result, channels),)),
    )


def carry_over_chart(result: Result, channel: Channel, *, name: str, common: Axis | None = None) -> ChartSpec:
    """The carry-over of one channel. `name`: of the chart. `common`: an axis that it shares with others."""
    marks = _marks(channel)
    every = max(-(-len(marks) // TICKS), 1)
    said = how_soon(result, channel)
    return ChartSpec(
        id=name,
        kind=Kind.LINE,
        title=channel["channel"],
        subtitle=said,
        summary=f"Carry-over of {channel['channel']} by {result.granularity}. {said}.",
        category_title=f"{result.granularity.capitalize()}s later",
        categories=tuple(
            Category(label=_lag(lag, result.granularity), short=str(lag), tick=lag % every == 0)
            for lag in range(len(marks))
        ),
        series=(Series(name="Share of the effect", colour=Colour.ACCENT, marks=marks),),
        axis=common or _axis(marks),
        interval=result.interval_words if "carry_over_by_lag" in channel else "",
    )


def how_soon(result: Result, channel: Channel) -> str:
    """How soon the effect of a channel comes: "Half of it within 2 weeks (1-3), 90% within 6 weeks (4-9)"."""
    half, most = (_within(result, channel, name) for name in SHARES)
    return f"Half of it within {half.with_interval}, {SHARES['most']:.0%} within {most.with_interval}"


def meaning(result: Result, lags: int) -> str:
    """What the lines are. `lags`: how many periods the model looks ahead."""
    return (
        f"Each line is how what a channel shows or spends in a {result.granularity} acts in it and in those after it, "
        f"before saturation. The model looks {formats.count(lags, result.granularity)} ahead: later effects are in the "
        "baseline."
    )


def comes_within(result: Result, channel: Channel) -> str:
    """How soon the effect of a channel comes, as a sentence without a full stop."""
    half, most = (_within(result, channel, name).text for name in SHARES)
    return f"Half of the effect of {channel['channel']} comes within {half}, {SHARES['most']:.0%} within {most}"


def _longest(result: Result, channels: Sequence[Channel]) -> str:
    """Whose effect lasts longest; of several that do, how long that is."""
    if len(channels) == 1:
        return comes_within(result, channels[0])

    def reach(channel: Channel) -> tuple[int, ...]:
        return tuple(round(_within(result, channel, name).value or 0) for name in ("most", "half"))

    longest, second = sorted(channels, key=reach, reverse=True)[:2]
    half, most = (_within(result, longest, name).text for name in SHARES)
    if reach(longest) == reach(second):
        return f"{SHARES['most']:.0%} of every channel's effect comes within {most}"
    lasts = f"The effect of {longest['channel']} lasts longest{_overlap(result, longest, channels)}"
    return f"{lasts}: half of it comes within {half}, {SHARES['most']:.0%} within {most}"


def _overlap(result: Result, longest: Channel, channels: Sequence[Channel]) -> str:
    """Said where the interval of another channel reaches that of the one that lasts longest."""
    low = _within(result, longest, "most").low
    highs = [_within(result, channel, "most").high for channel in channels if channel is not longest]
    return (
        ", though intervals overlap"
        if any(high is not None and low is not None and high >= low for high in highs)
        else ""
    )


def _within(result: Result, channel: Channel, name: str) -> Figure:
    """Within how many periods this share of the effect comes. Runs of earlier versions know the mean weights only."""
    known = channel.get("effect_within")
    if known is None:
        periods = int(periods_until(np.array(channel["carry_over_weights"]), SHARES[name]))
        return Figure(_periods(periods, result.granularity), value=float(periods))
    found = figure(known[name], lambda value: _periods(value, result.granularity), repr, ends=_whole)
    return Figure(found.text, found.full, found.value) if found.low_text == found.high_text else found


def _periods(value: float, granularity: str) -> str:
    return formats.count(round(value), granularity)


def _whole(value: float) -> str:
    return formats.count(round(value))


def _marks(channel: Channel) -> tuple[Mark | None, ...]:
    found = channel.get("carry_over_by_lag")
    if found is None:
        return tuple(
            Mark(value=weight, text=formats.percent(weight), detail=("Mean; no interval is kept.",))
            for weight in channel["carry_over_weights"]
        )
    lags = (dict(zip(found, values, strict=True)) for values in zip(*found.values(), strict=True))
    return tuple(mark(figure(of_lag, formats.percent, repr)) for of_lag in lags)


def _axis(marks: Sequence[Mark | None]) -> Axis:
    return axis(extent(marks), title="Share of the effect", text=lambda share: f"{share:.0%}")


def _levels(result: Result, channels: Sequence[Channel]) -> str:
    return result.interval_words if all("carry_over_by_lag" in channel for channel in channels) else "means"


def _lag(lag: int, granularity: str) -> str:
    return f"In the same {granularity}" if lag == 0 else f"{formats.count(lag, granularity)} later"


def _table(result: Result, channels: Sequence[Channel]) -> DataTable:
    known = all("effect_within" in channel for channel in channels)
    of_what = f"Medians with {result.interval_words}s." if known else "By mean weights, of which no intervals are kept."
    return DataTable(
        title="How soon effects come",
        columns=("Channel", f"In the same {result.granularity}", "Half within", f"{SHARES['most']:.0%} within"),
        rows=tuple(
            Row(
                label=channel["channel"],
                cells=(_at_once(channel), *(_within(result, channel, name) for name in SHARES)),
                href=result.href(channel["channel"]),
            )
            for channel in channels
        ),
        note=f"Of what media bring, by {result.granularity}s from the one that they are in, which counts. {of_what}",
    )


def _at_once(channel: Channel) -> Figure:
    first = _marks(channel)[0]
    assert first is not None  # noqa: S101 - of every lag something is known
    return Figure(first.text, f"{first.value:.6%}", first.value, first.low, first.high, first.low_text, first.high_text)
