"""What more or less spend would bring: the response curve of each channel."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from analyses.documents import Section
from charts import Category, ChartSpec, Colour, Kind, Mark, Series, SmallMultiples, axis
from mmm_project import formats
from weightings.presentation.results import Result, extent, figure, listed, mark

MOST_PANELS = 12
TICK_MULTIPLIERS = (0.0, 1.0, 2.0)
PRESENT = 1.0
MEANING = (
    "Each curve is what a channel would add if all of its spend in the period were scaled alike, when it was spent "
    "staying as it was. Beyond the present spend, which is dashed, nothing was observed: there the model's shape "
    "speaks, not the data."
)
RECOMMENDED = (
    "What the recommended budget would spend is marked on each curve, drawn at the nearest tenth of the present spend."
)
PLACE_OF_PRESENT = 2  # among the series of a curve
NEARLY = 1e-9  # of a multiplier


def response_curves(result: Result) -> Section:
    """The curves of channels with spend, those with most of it first."""
    spend = {channel["channel"]: channel["spend"] for channel in result.paid}
    curves = [curve for curve in result.data["curves"]["channels"] if curve["spend"] is not None]
    curves.sort(key=lambda curve: -spend.get(curve["channel"], 0.0))
    if not curves:
        return Section(title="Response curves", sentences=("No channel has spend that could be changed.",))
    left_out = [curve["channel"] for curve in curves[MOST_PANELS:]]
    sentences = [MEANING]
    plans = _plans(result)
    if plans:
        sentences.append(RECOMMENDED)
    if left_out:
        sentences.append(f"Not drawn, as less was spent there: {listed(left_out)}.")
    panels = tuple(
        _panel(result, curve, plans, name=f"response-curve-{place + 1}")
        for place, curve in enumerate(curves[:MOST_PANELS])
    )
    title = _flattest(result, curves)
    return Section(
        title="Response curves",
        sentences=tuple(sentences),
        charts=(
            SmallMultiples(
                id="response-curves",
                title=title,
                subtitle=f"Incremental {result.outcome}, {result.unit}, by spend in {result.period.label}, "
                f"{result.interval_words}. Dashed: more than the present spend.",
                summary=f"Incremental {result.outcome} by spend, a curve for each channel. {title}.",
                panels=panels,
            ),
        ),
    )


def response_curve(result: Result, name: str) -> Iterator[ChartSpec]:
    """The curve of one channel alone; nothing of one without spend."""
    for curve in result.data["curves"]["channels"]:
        if curve["channel"] == name and curve["spend"] is not None:
            panel = _panel(result, curve, _plans(result), name="response-curve")
            present = next((one.text for one in panel.series[PLACE_OF_PRESENT].marks if one), "an unknown amount")
            title = f"The present spend on {name} adds {present}"
            yield replace(panel, title=title, subtitle=f"{panel.subtitle}. {panel.axis.title}, {panel.interval}")


def _plans(result: Result) -> Mapping[str, Mapping[str, Any]]:
    """What the recommended budget has for each channel; nothing where no budget is recommended."""
    budget = result.data.get("budget") or {"channels": ()}
    return {each["channel"]: each for each in budget["channels"]}


def _flattest(result: Result, curves: Sequence[Mapping[str, Any]]) -> str:
    """Which channel is nearest to saturation: what half as much spend again would add, as a share."""
    multipliers = result.data["curves"]["multipliers"]
    now, more = multipliers.index(PRESENT), multipliers.index(1.5)
    gains = {
        curve["channel"]: curve["median"][more] / curve["median"][now] - 1
        for curve in curves
        if curve["median"][now] > 0
    }
    if not gains:
        return "No channel adds anything"
    flattest = min(gains, key=lambda name: gains[name])
    return f"{flattest} is nearest to saturation: half as much spend again would add {formats.percent(gains[flattest])}"


def _panel(result: Result, curve: Mapping[str, Any], plans: Mapping[str, Mapping[str, Any]], *, name: str) -> ChartSpec:
    multipliers: Sequence[float] = result.data["curves"]["multipliers"]
    marks = [
        mark(
            figure(
                {"median": curve["median"][place], "low": curve["low"][place], "high": curve["high"][place]},
                result.rounded,
                result.in_full,
                factor=result.factor,
            ),
            detail=(f"{multiplier:.1f} times the present spend",),
        )
        for place, multiplier in enumerate(multipliers)
    ]
    now = multipliers.index(PRESENT)
    found = next((one.text for one in marks[now : now + 1] if one), "nothing that is known")
    channel, present = curve["channel"], formats.round_money(curve["spend"][now], result.currency)
    recommended = _recommended(result, curve, plans.get(channel))
    told = next((f", recommended {one.detail[0]}" for one in recommended if one), "")
    return ChartSpec(
        id=name,
        kind=Kind.LINE,
        title=channel,
        subtitle=f"Present spend {present}{told}",
        summary=f"Response curve of {channel}. The present spend, {present}, adds {found}.",
        category_title="Spend",
        categories=tuple(_category(result, curve, multiplier, place) for place, multiplier in enumerate(multipliers)),
        series=(
            Series(name="Observed", colour=Colour.ACCENT, marks=_part(marks, 0, now)),
            Series(name="Beyond", colour=Colour.ACCENT, marks=_part(marks, now, len(marks) - 1), dashed=True),
            Series(name="Present", colour=Colour.OTHER, marks=_part(marks, now, now)),
            *((Series(name="Recommended", colour=Colour.CHANNEL_1, marks=recommended),) if plans else ()),
        ),
        axis=axis(
            extent([*marks, *recommended]), title=f"Incremental {result.outcome}, {result.unit}", text=result.tick
        ),
        interval=result.interval_words,
    )


def _recommended(result: Result, curve: Mapping[str, Any], plan: Mapping[str, Any] | None) -> tuple[Mark | None, ...]:
    """What the recommended spend would add, at the nearest place of the curve; nothing beyond the curve's end."""
    multipliers: Sequence[float] = result.data["curves"]["multipliers"]
    marks: list[Mark | None] = [None] * len(multipliers)
    now = curve["spend"][multipliers.index(PRESENT)]
    if plan is None or not now > 0:
        return tuple(marks)
    multiplier = plan["spend_recommended"] / now
    if multiplier <= multipliers[-1] + NEARLY:
        place = min(range(len(multipliers)), key=lambda place: abs(multipliers[place] - multiplier))
        spend = formats.round_money(plan["spend_recommended"], result.currency)
        marks[place] = mark(
            result.amounts(plan["added_recommended"]), detail=(spend, f"{multiplier:.2f} times as much")
        )
    return tuple(marks)


def _part(marks: Sequence[Mark | None], first: int, last: int) -> tuple[Mark | None, ...]:
    return tuple(one if first <= place <= last else None for place, one in enumerate(marks))


def _category(result: Result, curve: Mapping[str, Any], multiplier: float, place: int) -> Category:
    spend = curve["spend"][place]
    return Category(
        label=f"{formats.round_money(spend, result.currency)} ({multiplier:.1f}×)",
        short=formats.short_money(spend, result.currency),
        tick=multiplier in TICK_MULTIPLIERS,
    )
