"""What a result says of one channel, as cards and sections of its page."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from analyses.documents import Card, Figure, Section
from charts import ChartSpec, Kind, Series, axis
from mmm_project import formats
from weightings.presentation import (
    budget_sections,
    carry_over_sections,
    curve_sections,
    experiment_sections,
    geo_sections,
    health_sections,
)
from weightings.presentation.results import Result, extent, figure
from weightings.presentation.return_sections import percent
from weightings.presentation.time_sections import outcome_mark, period_categories

Channel = Mapping[str, Any]
GAINING, LOSING, UNCLEAR = (
    "clearly more than it cost",
    "clearly less than it cost",
    "which may be more or less than it cost",
)


def headline(result: Result, channel: Channel) -> str:
    """What a channel returned; of one without spend, what it contributed."""
    name, returned = channel["channel"], channel[result.return_key]
    if returned is None or returned["median"] is None:
        share = percent(channel["contribution_share"], middle="mean")
        return f"{name} contributed {share.with_interval} of {result.outcome}."
    text = result.returns(returned).with_interval
    if not result.is_money:
        return f"{name} brought {text} of {result.outcome} per {result.spend_words} spent."
    judged = GAINING if returned["low"] > 1 else LOSING if returned["high"] < 1 else UNCLEAR
    return f"{name} returned {text} per {result.spend_words} spent, {judged}."


def cards(result: Result, channel: Channel) -> tuple[Card, ...]:
    """The numbers of a channel that matter, as the tables of the run have them."""
    share = percent(channel["contribution_share"], middle="mean")
    contribution = _card(
        "Contribution", result.amounts(channel["contribution"], middle="mean"), unit=f"{share.text} of {result.outcome}"
    )
    incremental = _card(f"Incremental {result.outcome}", result.amounts(channel["incremental"]))
    if channel["kind"] != "paid":
        return contribution, incremental
    marginal = "Marginal ROI" if result.is_money else f"Of the next {result.spend_words}"
    return (
        _card(result.return_words, result.returns(channel[result.return_key])),
        _card(marginal, result.returns(channel["mroi" if result.is_money else "marginal_per_spend"])),
        contribution,
        incremental,
        _card("Efficiency score", figure(channel["efficiency"], _whole, formats.count), unit="100 is par"),
        Card(label="Spend", figure=result.money(channel["spend"]), unit=result.period.label),
        *_recommended(result, channel),
    )


def sections(result: Result, channel: Channel) -> tuple[Section, ...]:
    """Everything that the result says of a channel, but for its campaigns."""
    alone = result.only(channel["channel"])
    return (
        *_response(result, channel),
        *_lasting(result, channel),
        Section(title="Contribution over time", charts=(_over_time(result, channel),)),
        *geo_sections.geos(alone),
        *experiment_sections.experiments(alone),
        *health_sections.beliefs(alone),
        *_checks(alone),
    )


def _card(label: str, of: Figure, *, unit: str = "") -> Card:
    return Card(label=label, figure=of, unit=unit, change=of.interval, change_tone="quiet")


def _whole(value: float) -> str:
    return formats.count(round(value))


def _plan(result: Result, channel: Channel) -> Mapping[str, Any] | None:
    budget = result.data.get("budget") or {"channels": ()}
    return next((each for each in budget["channels"] if each["channel"] == channel["channel"]), None)


def _recommended(result: Result, channel: Channel) -> Iterator[Card]:
    if (plan := _plan(result, channel)) is not None:
        change = budget_sections.change_figure(plan["spend_current"], plan["spend_recommended"])
        yield Card(
            label="Recommended spend",
            figure=result.money(plan["spend_recommended"]),
            unit=result.period.label,
            change=f"{change.text} against the present",
            change_tone="quiet",
        )


def _response(result: Result, channel: Channel) -> Iterator[Section]:
    """The response curve, and why the recommended budget moves the channel."""
    charts = tuple(curve_sections.response_curve(result, channel["channel"]))
    if not charts:
        return
    yield Section(
        title="What more or less spend would bring",
        sentences=(*_why(result, channel), curve_sections.MEANING),
        charts=charts,
    )


def _why(result: Result, channel: Channel) -> Iterator[str]:
    """Why the recommended budget has so much for the channel, or why there is none."""
    budget, plan = result.data.get("budget"), _plan(result, channel)
    if budget is None:
        yield result.data.get("budget_problem") or budget_sections.NOT_KEPT
    elif plan is not None:
        yield budget_sections.reason(result, plan, budget_sections.typical_return(budget))


def _lasting(result: Result, channel: Channel) -> Iterator[Section]:
    if channel.get("carry_over_weights"):
        chart = carry_over_sections.carry_over_chart(result, channel, name="carry-over")
        title = carry_over_sections.comes_within(result, channel)
        yield Section(
            title="How long its effect lasts",
            sentences=(carry_over_sections.meaning(result, len(chart.categories)),),
            charts=(replace(chart, title=title, subtitle=f"Share of the effect, {chart.interval or 'means'}"),),
        )


def _over_time(result: Result, channel: Channel) -> ChartSpec:
    """The channel's contribution by period, with its interval."""
    series, window = result.data["series"], result.window
    found = next(each for each in series["channels"] if each["channel"] == channel["channel"])
    marks = tuple(
        outcome_mark(result, mean, low, high)
        for mean, low, high in zip(found["mean"][window], found["low"][window], found["high"][window], strict=True)
    )
    starts = series["period_start"][window]
    categories = period_categories(starts, result.granularity)
    most = max(range(len(marks)), key=lambda place: marks[place].value)
    per = f"Contribution by {result.granularity}, {result.unit}"
    title = f"{channel['channel']} contributed most in {_in(categories[most].label)}: {marks[most].text}"
    return ChartSpec(
        id="contribution-over-time",
        kind=Kind.LINE,
        title=title,
        subtitle=f"{per}, {result.period.label}, means with {result.interval_words}s",
        summary=f"Contribution of {channel['channel']} by {result.granularity}. {title}.",
        category_title=result.granularity.capitalize(),
        categories=categories,
        series=(Series(name="Contribution", colour=result.colour(channel["channel"]), marks=marks),),
        axis=axis(extent(marks), title=per, text=result.tick),
        interval=result.interval_words,
    )


def _in(period: str) -> str:
    """A period's name within a sentence."""
    return f"the w{period[1:]}" if period.startswith("Week of ") else period


def _checks(alone: Result) -> Iterator[Section]:
    """The checks of the model that are about the channel."""
    if not alone.data["health"]:
        return
    section = health_sections.model_health(alone)
    good = all(check["verdict"] == "good" for check in alone.data["health"])
    sentences = ("Every check that is about this channel is good.",) if good else section.sentences
    yield replace(section, title="Checks that concern it", sentences=sentences)
