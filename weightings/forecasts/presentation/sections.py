"""What a forecast shows: the outcome to come, what it is owed to, what the plan adds, and how good forecasts were."""

from collections.abc import Iterator, Mapping
from typing import Any

from analyses.documents import NO_FIGURE, DataTable, Figure, Row, Section
from charts import ChartSpec, Colour, Kind, Series, axis
from mmm_project import formats
from weightings.forecasts.presentation.result import ForecastResult
from weightings.forecasts.presentation.words import beside_year_before
from weightings.presentation.results import extent
from weightings.presentation.return_sections import percent
from weightings.presentation.time_sections import decomposition, outcome_mark, period_categories, period_names

STEPS_SHOWN = 13
BEYOND_NOTE = "Extrapolated: the plan has more in some period than any period of the data."


def outlook(result: ForecastResult) -> Section:
    """The outcome as it was, and as it is predicted; by period as a table."""
    return Section(
        title="What to expect",
        sentences=tuple(_compared(result)),
        charts=(_past_and_future(result),),
        tables=(_by_period(result),),
    )


def _compared(result: ForecastResult) -> Iterator[str]:
    before = result.data["year_before"]
    known = before["periods_known"]
    if before["total"] is None:
        yield "There is nothing to compare it with: the data do not know the same periods a year before."
        return
    of = "the same periods" if known == result.periods else f"{known} of the {result.periods} periods that are known"
    observed = result.amount(before["total"])
    yield (
        f"A year before, {of} had {observed.text} {result.in_all}. That it will be more has a probability of "
        f"{formats.percent(before['higher'])}."
    )


def _past_and_future(result: ForecastResult) -> ChartSpec:
    history, series = result.data["history"], result.series
    starts = [*history["period_start"], *series["period_start"]]
    past, ahead = len(history["period_start"]), result.periods
    found = series["predicted"]
    predicted = [outcome_mark(result, *ends) for ends in zip(found["median"], found["low"], found["high"], strict=True)]
    observed = [None if value is None else outcome_mark(result, value) for value in history["observed"]]
    before = [
        None if value is None else outcome_mark(result, value) for value in result.data["year_before"]["observed"]
    ]
    per = f"{result.outcome} by {result.granularity}, {result.unit}"
    compared = beside_year_before(result)
    title = f"{result.outcome} is predicted to be {compared}" if compared else f"{result.outcome} as it is predicted"
    lines = [
        Series(name="Observed", colour=Colour.CHANNEL_1, marks=(*observed, *[None] * ahead)),
        Series(name="Predicted", colour=Colour.ACCENT, marks=(*[None] * past, *predicted)),
    ]
    if any(before):
        marks = (*[None] * past, *before)
        lines.append(Series(name="A year before", colour=Colour.OTHER, marks=marks, dashed=True))
    return ChartSpec(
        id="past-and-future",
        kind=Kind.LINE,
        title=title,
        subtitle=f"{per}, to the end of the data and for {result.period.label}. The band is the "
        f"{result.interval_words} of predictions.",
        summary=f"{per}, as it was observed, and as it is predicted for the {result.periods_words} to come. {title}.",
        category_title=result.granularity.capitalize(),
        categories=period_categories(starts, result.granularity),
        series=tuple(lines),
        axis=axis(extent([*observed, *predicted, *before]), title=per, text=result.tick, zero=False),
        interval=f"{result.data['confidence']}% prediction interval",
    )


def _by_period(result: ForecastResult) -> DataTable:
    series, before = result.series, result.data["year_before"]["observed"]
    by_period = [
        Row(
            label=period_names(start, result.granularity)[0],
            cells=(
                result.amounts({name: series["predicted"][name][place] for name in ("median", "low", "high")}),
                result.amount(series["expected"]["mean"][place]),
                result.amount(series["baseline"][place]),
                result.amount(sum(channel["mean"][place] for channel in series["channels"])),
                result.money(result.spent(place)),
                result.amount(before[place]),
            ),
        )
        for place, start in enumerate(series["period_start"])
    ]
    whole_year = result.data["year_before"]["periods_known"] == result.periods
    spend = result.data["paid_media"]["spend"]
    total = Row(
        label="Total" if result.bounds is None else "Mean",
        cells=(
            result.amounts(result.data["predicted"]),
            result.amount(result.data["expected"]["mean"]),
            result.amount(result.data["baseline"]["mean"]),
            result.amount(sum(channel["contribution"]["mean"] for channel in result.channels)),
            result.money(spend if result.bounds is None else spend / result.periods),
            result.amount(result.data["year_before"]["total"] if whole_year else None),
        ),
        is_total=True,
    )
    return DataTable(
        title="Forecast by period",
        columns=(
            result.granularity.capitalize(),
            *(f"Predicted {result.outcome}", "Expected", "Baseline", "Channels", "Spend", "A year before"),
        ),
        rows=(*by_period, total),
        note=f"Predicted is the outcome as it would be observed, chance included: median with {result.interval_words}. "
        "Expected is the mean without chance; baseline and channels add up to it. The interval of the total is "
        "narrower than those of its parts together, as chance evens out.",
    )


def made_of(result: ForecastResult) -> Section:
    """What the outcome to come is owed to, channel by channel, and what the plan adds."""
    return Section(
        title="What it is made of",
        sentences=tuple(_returns(result)),
        charts=tuple(decomposition(result)),
        tables=(_by_channel(result),),
    )


def _returns(result: ForecastResult) -> Iterator[str]:
    paid = result.data["paid_media"]
    if paid["incremental_per_spend"]["median"] is None:
        yield "Nothing is spent in this plan: what media contribute is what carries over from before."
        return
    returned = result.returns(paid["incremental_per_spend"], is_mark=True).with_interval
    added = result.amounts(paid["incremental"]).with_interval
    yield (
        f"The plan spends {result.money(paid['spend']).text} and adds {added} of {result.outcome}, carry-over behind "
        f"the last {result.granularity} included: {returned} per {result.spend_words}."
    )


def _by_channel(result: ForecastResult) -> DataTable:
    has_beyond = any(channel["extrapolated"] for channel in result.channels)
    parts = [
        Row(
            label=channel["channel"],
            cells=(
                Figure(NO_FIGURE) if channel["spend"] is None else result.money(channel["spend"]),
                result.amounts(channel["contribution"], middle="mean"),
                percent(channel["contribution_share"], middle="mean"),
                result.amounts(channel["incremental"]),
                result.returns(channel["incremental_per_spend"] or {}),
                Figure("Extrapolated" if channel["extrapolated"] else "Within the data"),
            ),
            href=result.href(channel["channel"]),
        )
        for channel in sorted(result.channels, key=lambda channel: -channel["contribution"]["mean"])
    ]
    expected, baseline, dash = result.data["expected"], result.data["baseline"], Figure(NO_FIGURE)
    share = 1.0 - sum(channel["contribution_share"]["mean"] for channel in result.channels)
    return DataTable(
        title="Channels of the plan",
        columns=(
            *("Channel", "Spend", f"Contribution to {result.outcome}", "Share", f"Incremental {result.outcome}"),
            *(result.return_words, "Spend per period"),
        ),
        rows=(
            *parts,
            Row(
                label="Baseline",
                cells=(
                    dash,
                    result.amounts(baseline, middle="mean"),
                    Figure(formats.percent(share), f"{share:.6%}", share),
                    *(dash, dash, dash),
                ),
            ),
            Row(
                label="Expected",
                cells=(
                    result.money(result.data["paid_media"]["spend"]),
                    result.amounts(expected, middle="mean"),
                    Figure(formats.percent(1.0), f"{1:.6%}", 1.0),
                    *(dash, dash, dash),
                ),
                is_total=True,
            ),
        ),
        note=f"With {result.interval_words}s. Contributions are means, which add up with the baseline; incremental "
        "outcomes and returns are medians, and count what comes after the last period."
        + (f" {BEYOND_NOTE}" if has_beyond else ""),
    )


def tried(result: ForecastResult) -> Section:
    """How good forecasts of the model were in periods that it did not know."""
    title, found, unit = "How good such forecasts were", result.data["backtest"], result.granularity
    if found is None:
        why = "The model was not tried on periods held back, so nobody knows how good its forecasts are."
        return Section(title=title, sentences=(f"{why} Run it again with periods held back to learn that.",))
    sentences = [*_together(found, unit), *_skill(found)]
    steps = found.get("by_steps")
    if not steps:
        return Section(title=title, sentences=(*sentences, "This run is of an earlier version, which kept no more."))
    table = DataTable(
        title=f"Accuracy by {unit}s ahead",
        columns=(
            f"{unit.capitalize()}s ahead",
            *("Off by (wMAPE)", "As a year before, off by", f"In the {found['level']:g}% interval", "CRPS skill"),
            f"Of {unit}s",
        ),
        rows=tuple(map(_step, steps)),
        note="Each time the model learnt from what came before and predicted what it did not know; spend, controls, "
        "events and holidays of these periods were given, as in a plan that comes true. CRPS skill: by how much less "
        "the error is than that of saying the same as a year before; 0% is no better.",
    )
    return Section(title=title, sentences=tuple(sentences), tables=(table,))


def _together(found: Mapping[str, Any], unit: str) -> Iterator[str]:
    if found["wmape"] is None:
        yield "Predictions are off by no percentage: the outcome was 0 in all periods held back."
        return
    naive = found["naive_wmape"]
    beside = "" if naive is None else f"; to say the same as a year before, by {formats.percent(naive)}"
    yield (
        f"Predictions of {formats.count(found['periods'], unit)} that the model had not seen were off by "
        f"{formats.percent(found['wmape'])} on average (wMAPE){beside}. {formats.percent(found['coverage'])} of them "
        f"lie within their {found['level']:g}% interval."
    )


def _skill(found: Mapping[str, Any]) -> Iterator[str]:
    if found["wmape"] is not None and found["naive_wmape"] is not None and found["wmape"] >= found["naive_wmape"]:
        yield "So far the model has not been better than saying the same as a year before."


def _step(step: Mapping[str, Any]) -> Row:
    return Row(
        label=formats.count(step["ahead"]),
        cells=(
            *(_share(step[name]) for name in ("wmape", "naive_wmape", "coverage", "skill")),
            Figure(formats.count(step["periods"]), value=step["periods"]),
        ),
    )


def _share(value: float | None) -> Figure:
    return Figure(NO_FIGURE, "Not known") if value is None else Figure(formats.percent(value), f"{value:.6%}", value)
