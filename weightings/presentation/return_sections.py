"""What each channel returned, and what it contributed, as sections of a document."""

from collections.abc import Mapping, Sequence
from typing import Any

from analyses.documents import NO_FIGURE, DataTable, Figure, Row, Section
from charts import ChartSpec, Colour, Kind, Mark, Series, axis
from mmm_project import formats
from weightings.presentation.results import Result, category, extent, figure, listed, mark
from weightings.presentation.waterfall_sections import waterfall

MOST_MARKS = 15
NOTHING: Mapping[str, None] = {"median": None, "mean": None, "low": None, "high": None}


def returns(result: Result) -> Section:
    """Return on spend by channel."""
    ranked = result.by_return()
    if not ranked:
        return Section(
            title="Returns by channel",
            sentences=("No channel of the period has spend, so there are no returns on it.",),
        )
    return Section(
        title="Returns by channel",
        sentences=tuple(_marginal(result, ranked)),
        charts=(_returns_chart(result, ranked[:MOST_MARKS]),),
        tables=(_returns_table(result),),
    )


def _marginal(result: Result, ranked: Sequence[Mapping[str, Any]]) -> list[str]:
    """Where the next unit of spend would bring most, and where less than it costs."""
    key = "mroi" if result.is_money else "marginal_per_spend"
    known = [channel for channel in ranked if channel[key]["median"] is not None]
    best = max(known, key=lambda channel: channel[key]["median"])
    more = result.returns(best[key]).with_interval
    sentences = [f"The next {result.spend_words} would bring most on {best['channel']}: {more}."]
    losing = [channel["channel"] for channel in known if result.is_money and channel[key]["high"] < 1]
    if losing:
        sentences.append(f"On {listed(losing)} it would bring less than it costs.")
    return sentences


def _returns_chart(result: Result, ranked: Sequence[Mapping[str, Any]]) -> ChartSpec:
    def of(channel: Mapping[str, Any]) -> Mark | None:
        spend = formats.round_money(channel["spend"], result.currency)
        return mark(
            result.returns(channel[result.return_key], is_mark=True),
            detail=(f"Spend {spend}", f"Incremental {result.amounts(channel['incremental']).with_interval}"),
            href=result.href(channel["channel"]),
            colour=result.colour(channel["channel"]),
        )

    marks = tuple(map(of, ranked))
    finding = _apart(result, ranked)
    per = f", per {result.spend_words} spent" if result.is_money else ""
    return ChartSpec(
        id="returns",
        kind=Kind.DOTS,
        title=finding,
        subtitle=f"{result.return_words}{per}, {result.period.label}, {result.interval_words}",
        summary=f"{result.return_words} by channel with {result.interval_words}s. {finding}.",
        category_title="Channel",
        categories=tuple(category(channel["channel"]) for channel in ranked),
        series=(Series(name=result.return_words, colour=Colour.ACCENT, marks=marks),),
        axis=axis(
            [*extent(marks), *([1.0] if result.is_money else [])], title=result.return_words, text=result.return_tick
        ),
        interval=result.interval_words,
    )


def _apart(result: Result, ranked: Sequence[Mapping[str, Any]]) -> str:
    """Which returns are clear of each other, or of what was spent."""
    key = result.return_key
    if result.is_money:
        gaining = [channel["channel"] for channel in ranked if channel[key]["low"] > 1]
        losing = [channel["channel"] for channel in ranked if channel[key]["high"] < 1]
        if gaining:
            return f"{listed(gaining)} clearly returned more than {'it' if len(gaining) == 1 else 'they'} cost"
        if losing:
            return f"{listed(losing)} clearly returned less than {'it' if len(losing) == 1 else 'they'} cost"
        return "Of no channel is it clear whether it returned more than it cost"
    below = [channel["channel"] for channel in ranked if channel[key]["high"] < ranked[0][key]["low"]]
    return (
        f"{ranked[0]['channel']} is clearly above {listed(below)}" if below else "The intervals of all channels overlap"
    )


def _returns_table(result: Result) -> DataTable:
    of_money = result.is_money
    marginal = "Marginal ROI" if of_money else f"Of the next {result.spend_words}"
    columns = ["Spend", result.return_words, marginal, f"Incremental {result.outcome}", "Efficiency score"]
    if of_money:
        columns.insert(2, "Believed beforehand")
    else:
        columns.append("Cost of each" if result.bounds is None else "Cost of each point")
    ordered = result.by_return()
    ordered += [channel for channel in result.paid if channel not in ordered]
    return DataTable(
        title="Returns by channel",
        columns=("Channel", *columns),
        rows=tuple(
            Row(
                label=channel["channel"],
                cells=tuple(_returns_row(result, channel)),
                href=result.href(channel["channel"]),
            )
            for channel in ordered
        ),
        note=f"Medians with {result.interval_words}s, {result.period.label}. The efficiency score is the share of the "
        "incremental outcome divided by the share of spend: 100 is par.",
    )


def _returns_row(result: Result, channel: Mapping[str, Any]) -> list[Figure]:
    cells = [
        result.money(channel["spend"]),
        result.returns(channel[result.return_key]),
        result.returns(channel["mroi" if result.is_money else "marginal_per_spend"]),
        result.amounts(channel["incremental"]),
        figure(channel["efficiency"], _whole, formats.count),
    ]
    if result.is_money:
        cells.insert(2, believed(result, channel))
    else:
        cells.append(
            figure(
                channel["cpik"],
                lambda value: formats.money(value, result.currency),
                lambda value: formats.money(value, result.currency),
                factor=1 / result.factor,
            )
        )
    return cells


def believed(result: Result, channel: Mapping[str, Any]) -> Figure:
    """The return that was believed beforehand; a dash where something else was."""
    prior = channel.get("prior")
    if prior is None or prior["kind"] != "roi":
        return Figure(NO_FIGURE, "Nothing was believed about its return")
    return result.returns(prior)


def contributions(result: Result) -> Section:
    """What the expected outcome is made of: the baseline and each channel."""
    data = result.data
    expected, baseline = data["expected"], data["baseline"]
    by_share = sorted(result.channels, key=lambda one: (-one["contribution_share"]["mean"], one["channel"]))
    rows = [
        *(
            Row(
                label=channel["channel"],
                cells=_contribution(result, channel["contribution"], channel["contribution_share"]),
                href=result.href(channel["channel"]),
            )
            for channel in by_share
        ),
        Row(label="Baseline", cells=_contribution(result, baseline["outcome"], baseline["share"])),
        Row(
            label="Expected",
            cells=(result.amounts(expected, middle="mean"), Figure(formats.percent(1.0), "100%", 1.0)),
            is_total=True,
        ),
    ]
    table = DataTable(
        title=f"What {result.outcome} is made of",
        columns=("Channel", "Contribution", f"Share of expected {result.outcome}"),
        rows=tuple(rows),
        note=f"{_against_observed(result)} Means over the posterior, so that they add up, with "
        f"{result.interval_words}s, {result.period.label}. The baseline is what would be there without media: trend, "
        "season, controls and events.",
    )
    return Section(
        title="Contributions",
        charts=(*waterfall(result), _contributions_chart(result, by_share[:MOST_MARKS])),
        tables=(table,),
    )


def _contribution(result: Result, amount: Mapping[str, Any], share: Mapping[str, Any]) -> tuple[Figure, ...]:
    return result.amounts(amount, middle="mean"), percent(share, middle="mean")


def percent(share: Mapping[str, Any], *, middle: str = "median") -> Figure:
    return figure(share, formats.percent, lambda value: f"{value:.6%}", middle=middle)


def _against_observed(result: Result) -> str:
    observed = result.data["observed"]
    if observed["outcome"] is None:
        return "The outcome of the period is not known."
    missing = observed["periods"] - observed["periods_known"]
    known = f", in the {observed['periods_known']} of {observed['periods']} {result.granularity}s that are known"
    expected = result.amounts(result.data["expected"], middle="mean").text
    found = result.rounded(result.factor * observed["outcome"])
    return f"Expected {expected}, observed {found}{known if missing else ''}."


def _contributions_chart(result: Result, channels: Sequence[Mapping[str, Any]]) -> ChartSpec:
    marks = tuple(
        mark(
            percent(channel["contribution_share"], middle="mean"),
            detail=(result.amounts(channel["contribution"], middle="mean").with_interval,),
            href=result.href(channel["channel"]),
            colour=result.colour(channel["channel"]),
        )
        for channel in channels
    )
    baseline = result.data["baseline"]["share"]["mean"]
    finding = f"Media account for {formats.percent(1 - baseline)} of {result.outcome}"
    return ChartSpec(
        id="contributions",
        kind=Kind.BARS,
        horizontal=True,
        title=finding,
        subtitle=f"Share of expected {result.outcome}, {result.period.label}, {result.interval_words}. The baseline is "
        f"the other {formats.percent(baseline)}.",
        summary=f"Share of expected {result.outcome} by channel. {finding}; the rest is the baseline.",
        category_title="Channel",
        categories=tuple(category(channel["channel"]) for channel in channels),
        series=(Series(name="Contribution", colour=Colour.OTHER, marks=marks),),
        axis=axis(
            extent(marks),
            title=f"Share of expected {result.outcome}",
            text=lambda share: f"{share:.0%}" if share == round(share, 2) else formats.percent(share),
        ),
        interval=result.interval_words,
    )


def _whole(value: float) -> str:
    return formats.count(round(value))
